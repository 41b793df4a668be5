import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgram_async._protocol.reconnect import ReconnectPolicy, given_up
from deepgram_async.errors import (
    ApiError,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    DeepgramError,
    OperationTimeoutError,
    ProtocolError,
)

POLICY = ReconnectPolicy()


def closed(code: int, *, retryable: bool = True) -> ConnectionLostError:
    return ConnectionLostError("it ended", close_code=code, retryable=retryable)


def refused(status: int, retry_after: float | None = None) -> ApiError:
    return ApiError("no", status=status, retry_after=retry_after)


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1011, 1012, 1013, 4000])
def test_a_close_that_may_pass_is_healed(code: int) -> None:
    assert POLICY.heals(closed(code))


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009])
def test_a_close_that_would_come_again_is_final(code: int) -> None:
    assert not POLICY.heals(closed(code, retryable=False))
    everything = ReconnectPolicy(final_closes=frozenset())
    assert everything.heals(closed(code, retryable=False)), "the table is the user's"


def test_a_fatal_message_that_would_come_again_is_final() -> None:
    assert not POLICY.heals(closed(1011, retryable=False))


def test_a_close_can_be_made_final() -> None:
    assert not ReconnectPolicy(final_closes=frozenset({1000})).heals(closed(1000))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_refusal_that_may_pass_is_healed(status: int) -> None:
    assert POLICY.heals(refused(status))


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 414])
def test_a_refusal_that_stays_is_final(status: int) -> None:
    assert not POLICY.heals(refused(status))


@pytest.mark.parametrize(
    ("error", "heals"),
    [
        (ConnectError("unreachable"), True),
        (ConnectError("untrusted", retryable=False), False),
        (OperationTimeoutError("late", phase="connect", timeout_s=1), True),
        (ProtocolError("no handshake", body=b""), False),
        (ConfigurationError("no credentials"), False),
    ],
)
def test_failures_of_a_handshake(error: DeepgramError, heals: bool) -> None:
    assert POLICY.heals(error) is heals


def test_the_pause_doubles_up_to_the_longest_and_a_share_of_it_is_taken() -> None:
    policy = ReconnectPolicy(attempts=9, first_delay_s=1.0, longest_delay_s=5.0)

    def delays(jitter: float) -> list[float | None]:
        return [
            policy.next_delay(attempt, closed(1006), elapsed_s=0, jitter=jitter)
            for attempt in range(1, 6)
        ]

    assert delays(1.0) == [1.0, 2.0, 4.0, 5.0, 5.0]
    assert delays(0.5) == [0.5, 1.0, 2.0, 2.5, 2.5]
    assert delays(0.0) == [0.0] * 5


def test_the_attempts_are_counted() -> None:
    policy = ReconnectPolicy(attempts=2)
    assert policy.next_delay(2, closed(1006), elapsed_s=0, jitter=0) == 0
    assert policy.next_delay(3, closed(1006), elapsed_s=0, jitter=0) is None


def test_what_the_service_asks_for_is_kept() -> None:
    policy = ReconnectPolicy(give_up_s=60)
    assert policy.next_delay(1, refused(429, 30.0), elapsed_s=0, jitter=0) == 30.0
    assert policy.next_delay(1, refused(429, 30.0), elapsed_s=0, jitter=1) == 33.0
    assert policy.next_delay(1, refused(429, 30.0), elapsed_s=31, jitter=0) is None
    assert policy.next_delay(1, refused(429, 90.0), elapsed_s=0, jitter=0) is None


@given(
    attempt=st.integers(1, 30),
    elapsed_s=st.floats(0, 400),
    jitter=st.floats(0, 1),
    retry_after=st.none() | st.floats(0, 400),
)
def test_a_pause_ends_in_time(
    attempt: int, elapsed_s: float, jitter: float, retry_after: float | None
) -> None:
    delay = POLICY.next_delay(
        attempt, refused(503, retry_after), elapsed_s=elapsed_s, jitter=jitter
    )
    if delay is not None:
        assert attempt <= POLICY.attempts
        assert 0 <= delay <= POLICY.give_up_s - elapsed_s
        assert delay >= (retry_after or 0)


def test_the_last_error_tells_the_whole_story() -> None:
    lost = ConnectionLostError("it ended", operation="WebSocket /v1/listen", close_code=1011)
    last = ApiError("bad key", status=401, code="INVALID_AUTH", hint="use another")
    error = given_up(lost, last, 3)
    assert (error.close_code, error.status, error.code, error.attempts) == (
        1011,
        401,
        "INVALID_AUTH",
        3,
    )
    assert not error.retryable
    assert str(error) == (
        "WebSocket /v1/listen: 401 INVALID_AUTH: it ended; 3 attempts to reconnect failed, "
        "the last one with: bad key [after 3 attempts] Hint: use another"
    )
