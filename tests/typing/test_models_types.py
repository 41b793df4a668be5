"""Read by the type checkers; running it only proves that the statements are true at run time."""

from typing import assert_never, assert_type

from deepgram_async.models.common import Word
from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Stalled, Unknown
from deepgram_async.models.live import (
    ConfigureFailure,
    ConfigureSuccess,
    Error,
    ListenEvent,
    Metadata,
    Results,
    SpeechStarted,
    UtteranceEnd,
)
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.options import ListenOptions, LiveOptions


def told(event: ListenEvent) -> str:
    """Handle every event: a class that is forgotten here is an error of the type checkers."""
    match event:
        case Results():
            assert_type(event.words, list[Word])
            assert_type(event.end, float)
            assert_type(event.is_final, bool)
            return assert_type(event.transcript, str)
        case SpeechStarted() | UtteranceEnd():
            return str(assert_type(event.channel, list[int]))
        case Metadata():
            return event.sha256
        case ConfigureSuccess() | ConfigureFailure():
            return event.request_id
        case Error():
            return event.description or ""
        case Unknown():
            return event.type
        case Malformed() | Reconnecting():
            return event.reason
        case Reconnected():
            return str(assert_type(event.dropped_s, float))
        case Stalled():
            return str(assert_type(event.audio_s, float | None))
        case _:
            assert_never(event)


def read(answer: Transcription) -> None:
    assert_type(answer.transcript, str)
    assert_type(answer.words, list[Word])
    assert_type(answer.confidence, float)
    assert_type(answer.raw, bytes | None)
    assert_type(answer.to_dict(), dict[str, object])
    assert_type(answer.to_json(), str)
    assert_type(answer.results.channels[0].alternatives[0].words[0].speaker, int | None)


def test_every_event_is_handled() -> None:
    assert told(Unknown("Applause", b"{}")) == "Applause"
    assert told(SpeechStarted(channel=[0, 1], timestamp=1.0)) == "[0, 1]"


def test_options_are_typed() -> None:
    listen = ListenOptions(model="nova-3", keyterm=["a", "b"], redact=("pci", "ssn"))
    live = LiveOptions(model="my-own", endpointing=False, keyterm="a")
    ListenOptions(endpointing=300)  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportCallIssue]  # for live audio only
    assert listen.keys() - live.keys() == {"redact"}
