import json
from collections.abc import Callable

import pytest

from deepgram_async._protocol.sockets import Close, State
from deepgram_async._protocol.speak_v2 import SpeakV2Core
from deepgram_async.errors import InvalidStateError, OptionError
from deepgram_async.models.events import Malformed, Unknown
from deepgram_async.models.speak_flux import Connected, Error, SessionMetadata, SpeechStarted

CONNECTED = json.dumps({"type": "Connected", "request_id": "r", "model_uuids": ["m"]})


def new(request_id: str | None = None) -> SpeakV2Core:
    return SpeakV2Core(now=0.0, request_id=request_id)


CALLS: dict[str, Callable[[SpeakV2Core], str]] = {
    "send text": lambda core: core.send_text("Hello."),
    "flush": SpeakV2Core.flush,
    "interrupt": SpeakV2Core.interrupt,
    "configure": lambda core: core.configure(speed=1.15),
    "close": SpeakV2Core.end,
}


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("send text", {"type": "Speak", "text": "Hello."}),
        ("flush", {"type": "Flush"}),
        ("interrupt", {"type": "Interrupt"}),
        ("configure", {"type": "Configure", "speed": 1.15}),
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


def test_an_interruption_tells_what_was_played_and_that_grows() -> None:
    core = new()
    offset = json.loads(core.interrupt(0))["playback_offset"]
    assert offset == {"type": "time_ms", "value": 0}
    core.interrupt(2340)
    for played_ms in (2340, 100):
        with pytest.raises(OptionError, match="more than 2340"):
            core.interrupt(played_ms)
    assert json.loads(core.interrupt()) == {"type": "Interrupt"}


def test_a_configuration_without_settings_has_none() -> None:
    assert json.loads(new().configure()) == {"type": "Configure"}


def test_empty_text_is_refused() -> None:
    with pytest.raises(OptionError):
        new().send_text("")


def test_events_are_told_apart_and_audio_is_handed_on() -> None:
    core = new()
    assert core.receive(b"\x00") == b"\x00"
    assert core.receive(CONNECTED) == Connected(request_id="r", model_uuids=["m"])
    assert core.request_id == "r"
    assert core.receive('{"type":"SpeechStarted","speech_id":"s"}') == SpeechStarted(speech_id="s")
    assert isinstance(core.receive('{"type":"Tomorrow"}'), Unknown)
    assert isinstance(core.receive("[]"), Malformed)


def test_any_close_is_regular_once_the_session_was_summed_up() -> None:
    core = new()
    core.end()
    assert isinstance(core.receive('{"type":"SessionMetadata"}'), SessionMetadata)
    core.receive_close(Close(1011, ""))
    assert core.close_error is None


@pytest.mark.parametrize(
    ("code", "retryable"),
    [("BIG-0000", False), ("DATA-0000", False), ("MESSAGE-0000", False), ("NET-0003", True)],
)
@pytest.mark.parametrize("is_closing", [False, True])
def test_a_close_after_an_error_message_is_an_error_with_its_words(
    code: str, retryable: bool, is_closing: bool
) -> None:
    core = new()
    if is_closing:
        core.end()
    event = core.receive(json.dumps({"type": "Error", "code": code, "description": "sorry"}))
    assert event == Error(code=code, description="sorry")
    core.receive_close(Close(1000, ""))
    assert core.close_error is not None
    assert core.close_error.code == code
    assert core.close_error.retryable is retryable
    assert "sorry" in str(core.close_error)


def test_there_is_no_keep_alive_and_no_event_is_expendable() -> None:
    assert new().deadline is None
    assert not SpeakV2Core.is_expendable(b"audio")
