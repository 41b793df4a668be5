from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgram_async._protocol.sockets import (
    Close,
    MessageDecoder,
    SocketClosed,
    State,
    lost,
    net_code_of,
    step,
)
from deepgram_async.errors import ConnectionLostError, InvalidStateError
from deepgram_async.models.events import Malformed, Unknown

LINK = "Deepgram did not receive audio data or a text message within the timeout window."
DEEPLY_NESTED = b'{"type":' + b"[" * 100_000


class Ping(msgspec.Struct, frozen=True, tag_field="type"):
    at: float


class Pong(msgspec.Struct, frozen=True, tag_field="type"):
    at: float
    note: str | None = None


DECODER: MessageDecoder[Any] = MessageDecoder(Ping | Pong, frozenset({"Ping", "Pong"}))


# States.

TRANSITIONS = {
    (State.OPEN, "say_hello"): State.OPEN,
    (State.OPEN, "close_stream"): State.CLOSING,
}


@pytest.mark.parametrize(("key", "following"), TRANSITIONS.items())
def test_a_step_of_the_table_is_taken(key: tuple[State, str], following: State) -> None:
    assert step(TRANSITIONS, *key) is following


@pytest.mark.parametrize("operation", ["say_hello", "close_stream", "unheard_of"])
@pytest.mark.parametrize("state", [State.CLOSING, State.CLOSED])
def test_a_step_outside_the_table_is_refused_in_words(state: State, operation: str) -> None:
    with pytest.raises(InvalidStateError) as caught:
        step(TRANSITIONS, state, operation)
    spoken = operation.replace("_", " ")
    assert caught.value.message == f"cannot {spoken}: stream is {state.value}"


# Messages.


def test_a_known_message_is_decoded() -> None:
    assert DECODER.decode('{"type":"Ping","at":1}') == Ping(1.0)


def test_a_message_may_come_as_bytes() -> None:
    assert DECODER.decode(b'{"at":1,"type":"Pong"}') == Pong(1.0)


def test_fields_that_are_newer_are_ignored() -> None:
    assert DECODER.decode('{"type":"Ping","at":1,"brand_new":[{}]}') == Ping(1.0)


@pytest.mark.parametrize("frame", ['{"type":"Applause","é":1}', '{"x":[],"type":"Applause"}'])
def test_a_message_of_an_unknown_type_is_kept(frame: str) -> None:
    assert DECODER.decode(frame) == Unknown("Applause", frame.encode())
    assert DECODER.decode(frame.encode()) == Unknown("Applause", frame.encode())


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ('{"type":"Ping"}', "missing required field `at`"),
        ('{"type":"Ping","at":"now"}', "$.at"),
        ('{"type":"Ping","at":null}', "$.at"),
        ('{"type":"Pong","at":1,"note":[]}', "$.note"),
    ],
)
def test_a_known_message_with_a_broken_body_tells_the_place(frame: str, reason: str) -> None:
    event = DECODER.decode(frame)
    assert isinstance(event, Malformed)
    assert event.raw == frame.encode()
    assert reason in event.reason


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"Ping"',
        b'{"type":7}',
        b'{"type":null}',
        b'{"type":"Ping"',
        b'{"type":"Ping","at":1}}',
        b'{"type":"Pong","at":1,"note":"\xff"}',
        b"\xff\xfe",
        b"<html></html>",
        DEEPLY_NESTED,
    ],
)
def test_what_is_no_message_is_kept_with_the_reason(frame: bytes) -> None:
    event = DECODER.decode(frame)
    assert isinstance(event, Malformed)
    assert event.raw == frame
    assert event.reason


@given(st.text() | st.binary())
def test_no_frame_whatever_breaks_the_decoder(frame: str | bytes) -> None:
    event = DECODER.decode(frame)
    assert isinstance(event, Ping | Pong | Unknown | Malformed)


# Closes.


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (f"{LINK} See https://dpgr.am/net0001", "NET-0001"),
        ("https://dpgr.am/net0000", "NET-0000"),
        ("NET-0002: no_audio_timeout", "NET-0002"),
        ("https://dpgr.am/data0000", "DATA-0000"),
        ("DATA-0000", "DATA-0000"),
        ("Net0001.", "NET-0001"),
    ],
)
def test_the_code_is_found_in_a_sentence(reason: str, code: str) -> None:
    assert net_code_of(reason) == code


@pytest.mark.parametrize("reason", ["", "goodbye", "net00001", "internet0001", "NET-1", "net 0001"])
def test_other_reasons_hold_no_code(reason: str) -> None:
    assert net_code_of(reason) is None


def lost_by(code: int, reason: str = "", audio_sent_s: float | None = None) -> ConnectionLostError:
    return lost(
        Close(code, reason),
        operation="WebSocket /v1/listen",
        request_id="r-1",
        audio_sent_s=audio_sent_s,
        retryable=True,
    )


def test_a_lost_connection_tells_code_audio_and_reason() -> None:
    error = lost_by(1011, "See https://dpgr.am/net0001", 2.5)
    assert error.message == (
        "the stream ended with close code 1011 after 2.50 s of audio: See https://dpgr.am/net0001"
    )
    assert (error.operation, error.request_id) == ("WebSocket /v1/listen", "r-1")
    assert (error.close_code, error.close_reason) == (1011, "See https://dpgr.am/net0001")
    assert (error.net_code, error.code) == ("NET-0001", "NET-0001")
    assert error.audio_sent_s == 2.5
    assert "keepalive" in (error.hint or "")


def test_a_lost_connection_without_words_tells_its_code_only() -> None:
    error = lost_by(1006)
    assert error.message == "the stream ended with close code 1006"
    assert (error.net_code, error.audio_sent_s, error.hint) == (None, None, None)


@pytest.mark.parametrize("retryable", [True, False])
def test_whether_to_connect_again_is_told_by_the_protocol(retryable: bool) -> None:
    error = lost(
        Close(1008, ""), operation="", request_id=None, audio_sent_s=None, retryable=retryable
    )
    assert error.retryable is retryable


def test_a_closed_socket_carries_its_close() -> None:
    closed = SocketClosed(Close(1001, "going away"))
    assert closed.close == Close(1001, "going away")
    assert not isinstance(closed, ConnectionLostError)
