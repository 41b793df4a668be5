import json
from collections.abc import Callable

import pytest

from deepgram_async._protocol.sockets import Close, State
from deepgram_async._protocol.speak_v1 import SpeakV1Core
from deepgram_async.errors import InvalidStateError, OptionError
from deepgram_async.models.events import Malformed, Unknown
from deepgram_async.models.speak import Cleared, Flushed, Metadata

METADATA = json.dumps({"type": "Metadata", "request_id": "r", "model_name": "m"})


def new(request_id: str | None = None) -> SpeakV1Core:
    return SpeakV1Core(now=0.0, request_id=request_id)


CALLS: dict[str, Callable[[SpeakV1Core], str]] = {
    "send text": lambda core: core.send_text("Hello."),
    "flush": SpeakV1Core.flush,
    "clear": SpeakV1Core.clear,
    "close": SpeakV1Core.end,
}


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("send text", {"type": "Speak", "text": "Hello."}),
        ("flush", {"type": "Flush"}),
        ("clear", {"type": "Clear"}),
        ("close", {"type": "Close"}),
    ],
)
def test_each_call_is_one_message(name: str, frame: object) -> None:
    assert json.loads(CALLS[name](new())) == frame


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("state", [State.CLOSING, State.CLOSED])
def test_nothing_is_sent_after_the_closing_message(name: str, state: State) -> None:
    core = new()
    core.end()
    if state is State.CLOSED:
        core.receive_close(Close(1000, ""))
    with pytest.raises(InvalidStateError, match=f"cannot {name}: stream is {state.value}"):
        CALLS[name](core)


def test_text_is_sent_to_the_letter() -> None:
    text = 'He said: "Grüße" \\{"word":"x"\\}\n'
    assert json.loads(new().send_text(text))["text"] == text


def test_empty_text_is_refused_and_changes_nothing() -> None:
    core = new()
    with pytest.raises(OptionError):
        core.send_text("")
    assert core.state is State.OPEN


def test_audio_is_handed_on_as_it_is() -> None:
    assert new().receive(b"\x00\x01") == b"\x00\x01"


def test_the_metadata_tells_the_request_id_that_the_handshake_did_not() -> None:
    core, other = new(), new("from the handshake")
    assert core.receive(METADATA) == Metadata(request_id="r", model_name="m")
    other.receive(METADATA)
    assert (core.request_id, other.request_id) == ("r", "from the handshake")


def test_messages_are_told_apart() -> None:
    core = new()
    assert core.receive('{"type":"Flushed","sequence_id":0}') == Flushed(sequence_id=0)
    assert core.receive('{"type":"Cleared","sequence_id":1}') == Cleared(sequence_id=1)
    assert isinstance(core.receive('{"type":"Tomorrow"}'), Unknown)
    assert isinstance(core.receive("{"), Malformed)


def test_there_is_no_keep_alive() -> None:
    assert new().deadline is None


@pytest.mark.parametrize(("code", "is_asked"), [(1000, True), (1005, True), (1011, False)])
def test_a_close_after_the_closing_message_is_regular_by_its_code(
    code: int, is_asked: bool
) -> None:
    core = new()
    core.end()
    core.receive_close(Close(code, ""))
    assert (core.close_error is None) is is_asked


@pytest.mark.parametrize(
    ("code", "reason", "net_code", "retryable"),
    [
        (1008, "See https://dpgr.am/data0001", "DATA-0001", False),
        (1009, "BIG-0001", None, False),
        (1011, "See https://dpgr.am/net0003", "NET-0003", True),
    ],
)
def test_a_close_unasked_is_an_error(
    code: int, reason: str, net_code: str | None, retryable: bool
) -> None:
    core = new()
    core.receive_close(Close(code, reason))
    assert core.close_error is not None
    assert (core.close_error.net_code, core.close_error.retryable) == (net_code, retryable)
    assert core.close_error.audio_sent_s is None


def test_no_event_is_expendable() -> None:
    assert not SpeakV1Core.is_expendable(b"audio")
    assert not SpeakV1Core.is_expendable(Flushed())
