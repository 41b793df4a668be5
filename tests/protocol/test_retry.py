import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgram_async import errors
from deepgram_async._protocol.answers import HttpAnswer, error_from_answer
from deepgram_async._protocol.retry import RetryPolicy
from deepgram_async.errors import ApiError, ConnectError, ConnectionLostError, DeepgramError

POLICY = RetryPolicy(attempts=3, first_delay_s=1.0, longest_delay_s=60.0)
GAVE_UP = None


def status(code: int, retry_after: float | None = None) -> ApiError:
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return error_from_answer(HttpAnswer(code, headers, b""), "POST /v1/listen", now=0.0)


def delay(
    error: DeepgramError,
    *,
    policy: RetryPolicy = POLICY,
    attempt: int = 1,
    replayable: bool = True,
    stale: bool = False,
    jitter: float = 1.0,
) -> float | None:
    return policy.next_delay(
        attempt,
        error,
        body_is_replayable=replayable,
        connection_was_stale=stale,
        jitter=jitter,
    )


@pytest.mark.parametrize("code", [429, 502, 503])
def test_statuses_that_say_nothing_was_done_are_repeated(code: int) -> None:
    assert delay(status(code)) == 1.0


@pytest.mark.parametrize(
    "code", [400, 401, 402, 403, 404, 405, 408, 411, 413, 414, 418, 422, 499, 500, 504]
)
def test_other_statuses_are_not(code: int) -> None:
    assert delay(status(code)) is GAVE_UP


@pytest.mark.parametrize("code", [401, 408, 500, 504])
def test_a_policy_may_name_any_status(code: int) -> None:
    assert delay(status(code), policy=RetryPolicy(statuses=frozenset({code}))) == 0.5


def test_a_policy_without_statuses_repeats_none() -> None:
    assert delay(status(429), policy=RetryPolicy(statuses=frozenset())) is GAVE_UP


def test_a_connection_that_was_never_made_is_tried_again() -> None:
    assert delay(ConnectError("refused")) == 1.0


def test_a_stale_connection_is_replaced_at_once() -> None:
    assert delay(ConnectionLostError("ended"), stale=True) == 0.0


def test_a_fresh_connection_that_breaks_is_not() -> None:
    assert delay(ConnectionLostError("ended")) is GAVE_UP


@pytest.mark.parametrize(
    "error",
    [
        errors.OperationTimeoutError("slow", phase="response", timeout_s=1.0),
        errors.ProtocolError("odd", body=b"", status=503),
        errors.AudioSourceError("gone"),
        errors.InvalidStateError("closed"),
        errors.CredentialsError("none"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("stale", [False, True])
def test_other_faults_are_never_repeated(error: DeepgramError, stale: bool) -> None:
    assert delay(error, stale=stale) is GAVE_UP


@pytest.mark.parametrize(
    ("error", "stale"),
    [
        (status(429), False),
        (status(503, retry_after=0), False),
        (ConnectError("refused"), False),
        (ConnectionLostError("ended"), True),
    ],
)
def test_a_body_that_cannot_be_read_again_is_never_sent_again(
    error: DeepgramError, stale: bool
) -> None:
    assert delay(error, stale=stale, replayable=False) is GAVE_UP


@pytest.mark.parametrize("attempt", [3, 4])
@pytest.mark.parametrize(
    ("error", "stale"), [(status(429), False), (ConnectionLostError("ended"), True)]
)
def test_attempts_are_counted(error: DeepgramError, stale: bool, attempt: int) -> None:
    assert delay(error, stale=stale, attempt=attempt) is GAVE_UP


def test_one_attempt_switches_repeating_off() -> None:
    assert delay(status(429), policy=RetryPolicy(attempts=1)) is GAVE_UP


@pytest.mark.parametrize(
    ("attempt", "bound"), [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (99, 60.0)]
)
def test_the_bound_doubles_up_to_the_longest(attempt: int, bound: float) -> None:
    policy = RetryPolicy(attempts=100, first_delay_s=1.0, longest_delay_s=60.0)
    assert delay(status(503), policy=policy, attempt=attempt) == bound


def test_jitter_takes_a_share_of_the_bound() -> None:
    assert delay(status(503), jitter=0.0) == 0.0
    assert delay(status(503), jitter=0.25) == 0.25


def test_what_the_service_asks_for_wins_over_our_own_pause() -> None:
    assert delay(status(429, retry_after=30), jitter=0.0) == 30.0


def test_asking_for_no_pause_is_granted() -> None:
    assert delay(status(429, retry_after=0)) == 0.0


def test_asking_for_the_longest_pause_is_granted() -> None:
    assert delay(status(429, retry_after=60), jitter=0.0) == 60.0


def test_asking_for_more_ends_the_attempts() -> None:
    assert delay(status(429, retry_after=60.5)) is GAVE_UP


@given(st.floats(0, 1), st.floats(0, 60))
def test_nobody_comes_back_sooner_than_asked_nor_much_later(jitter: float, asked: float) -> None:
    error = ApiError("busy", status=429, retry_after=asked)
    assert asked <= (delay(error, jitter=jitter) or 0.0) <= asked * 1.1 + 1e-9


@given(st.floats(0, 1), st.integers(1, 100))
def test_no_pause_is_negative_or_longer_than_the_longest(jitter: float, attempt: int) -> None:
    policy = RetryPolicy(attempts=101, first_delay_s=0.5, longest_delay_s=10.0)
    wait = delay(status(502), policy=policy, attempt=attempt, jitter=jitter)
    assert wait is not None
    assert 0 <= wait <= 10.0


def test_a_connection_that_can_never_be_made_is_not_tried_again() -> None:
    untrusted = ConnectError("the certificate is not trusted", retryable=False)
    assert (
        RetryPolicy().next_delay(
            1,
            untrusted,
            body_is_replayable=True,
            connection_was_stale=False,
            jitter=1.0,
        )
        is None
    )
