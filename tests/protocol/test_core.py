"""The base of all sockets, seen through the smallest protocol that it allows."""

from typing import Any

import msgspec
import pytest

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.sockets import Close, MessageDecoder, State
from deepgram_async.errors import InvalidStateError


class Said(msgspec.Struct, frozen=True, tag_field="type"):
    text: str


class EchoCore(SocketCore[Any]):
    """A socket that can only be ended."""

    OPERATION = "WebSocket /v1/echo"
    TRANSITIONS = {(State.OPEN, "end"): State.CLOSING}  # noqa: RUF012 - a test's own table

    def end(self) -> str:
        self._step("end")
        return '{"type":"End"}'

    @staticmethod
    def is_expendable(event: Any) -> bool:
        return False


def core() -> EchoCore:
    decoder: MessageDecoder[Any] = MessageDecoder(Said, frozenset({"Said"}))
    return EchoCore(decoder, now=100.0, keepalive_s=4.0, request_id="r-1")


def test_a_base_alone_is_no_protocol() -> None:
    assert SocketCore.__abstractmethods__ == {"end", "is_expendable"}


def test_a_protocol_without_keep_alive_has_no_deadline_whatever_is_asked() -> None:
    stream = core()
    assert stream.deadline is None
    assert stream.on_deadline(1000.0) is None


def test_a_protocol_without_audio_tells_no_seconds() -> None:
    stream = core()
    stream.frame_sent(b"\x00" * 1000, 101.0)
    assert stream.audio_sent_s is None


def test_the_table_of_the_protocol_decides() -> None:
    stream = core()
    assert stream.end() == '{"type":"End"}'
    with pytest.raises(InvalidStateError, match="cannot end: stream is closing"):
        stream.end()


def test_messages_are_those_of_the_protocol() -> None:
    assert core().receive('{"type":"Said","text":"hi"}') == Said("hi")


def test_a_lost_connection_is_named_after_the_protocol() -> None:
    stream = core()
    stream.receive_close(Close(1006, "gone"))
    assert stream.close_error is not None
    assert stream.close_error.operation == "WebSocket /v1/echo"
    assert stream.close_error.request_id == "r-1"
