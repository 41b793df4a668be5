import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgram_async.models.common import Alternative, Word
from deepgram_async.models.live import (
    Channel,
    ConfigureFailure,
    ListenEvent,
    ListenMessage,
    Metadata,
    Results,
    ResultsMetadata,
    SpeechStarted,
)

RECORDED = Path(__file__).parents[3] / "shared" / "recorded" / "ws-listen1.jsonl"
DECODER = msgspec.json.Decoder[ListenMessage](ListenMessage)


def recorded() -> list[Any]:
    """Return the real messages as parameters, or one that is skipped where there are none."""
    if not RECORDED.exists():
        skip = pytest.mark.skip(reason=f"no recorded messages at {RECORDED}")
        return [pytest.param({}, id="recorded", marks=skip)]
    entries = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    return [pytest.param(entry["msg"], id=entry["id"]) for entry in entries]


def results(*alternatives: Alternative, start: float = 1.5, duration: float = 2.25) -> Results:
    return Results(
        channel_index=[0, 1],
        start=start,
        duration=duration,
        channel=Channel(alternatives=list(alternatives)),
        metadata=ResultsMetadata(request_id="r1"),
    )


times = st.floats(min_value=0, max_value=1e6, width=32)
words = st.builds(
    Word,
    word=st.text(min_size=1),
    start=times,
    end=times,
    confidence=st.floats(min_value=0, max_value=1),
    punctuated_word=st.none() | st.text(),
    speaker=st.none() | st.integers(min_value=0, max_value=99),
    speaker_confidence=st.none() | times,
    language=st.none() | st.sampled_from(["en", "pt-BR"]),
    sentiment=st.none() | st.sampled_from(["positive", "ironic"]),
    sentiment_score=st.none() | st.floats(min_value=-1, max_value=1),
)
alternatives = st.builds(
    Alternative,
    transcript=st.text(),
    confidence=st.floats(min_value=0, max_value=1),
    words=st.lists(words, max_size=4),
    languages=st.none() | st.lists(st.just("en")),
    languages_hinted=st.none() | st.lists(st.just("en")),
)


@pytest.mark.parametrize("message", recorded())
def test_a_recorded_message_loses_nothing(message: dict[str, Any]) -> None:
    decoded = DECODER.decode(json.dumps(message))
    assert decoded.to_dict() == message
    assert json.loads(decoded.to_json()) == message


@pytest.mark.parametrize("message", recorded())
def test_a_recorded_message_is_read_by_its_properties(message: dict[str, Any]) -> None:
    decoded = DECODER.decode(json.dumps(message))
    assert isinstance(decoded, Results)
    (best,) = message["channel"]["alternatives"]
    assert decoded.transcript == best["transcript"]
    assert decoded.confidence == best["confidence"]
    assert [word.to_dict() for word in decoded.words] == best["words"]
    assert decoded.end == message["start"] + message["duration"]


@given(st.lists(alternatives, max_size=2), times, times, st.booleans())
def test_what_is_written_is_read_again(
    heard: list[Alternative], start: float, duration: float, final: bool
) -> None:
    message = msgspec.structs.replace(
        results(*heard, start=start, duration=duration), is_final=final
    )
    assert DECODER.decode(message.to_json()) == message
    assert msgspec.convert(message.to_dict(), Results) == message


def test_every_message_is_tagged_with_the_name_of_its_class() -> None:
    tags = {kind.__name__: kind.__struct_config__.tag for kind in get_args(ListenMessage)}
    assert tags == {
        name: name
        for name in [
            "Results",
            "SpeechStarted",
            "UtteranceEnd",
            "Metadata",
            "ConfigureSuccess",
            "ConfigureFailure",
            "Error",
        ]
    }


def test_events_are_the_messages_and_what_cannot_be_read() -> None:
    kinds = [kind.__name__ for kind in get_args(ListenEvent)]
    messages = [kind.__name__ for kind in get_args(ListenMessage)]
    assert kinds == [*messages, "Unknown", "Malformed", "Reconnecting", "Reconnected", "Stalled"]


def test_the_type_need_not_come_first() -> None:
    assert DECODER.decode(b'{"timestamp":1,"channel":[0,1],"type":"SpeechStarted"}') == (
        SpeechStarted(channel=[0, 1], timestamp=1.0)
    )


def test_the_type_is_written_first() -> None:
    assert SpeechStarted(channel=[0, 1], timestamp=1.5).to_json() == (
        '{"type":"SpeechStarted","channel":[0,1],"timestamp":1.5}'
    )


@pytest.mark.parametrize(
    "text", [b'{"type":"NotInventedYet"}', b'{"timestamp":1}', b'{"type":null}', b"[]", b'"Error"']
)
def test_another_type_is_refused_by_the_union(text: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        DECODER.decode(text)


def test_the_best_alternative_counts() -> None:
    word = Word(word="yes", start=1.6, end=1.9, confidence=0.9)
    best = Alternative(transcript="yes", confidence=0.75, words=[word])
    event = results(best, Alternative(transcript="guess", confidence=0.25))
    assert (event.transcript, event.confidence, event.words) == ("yes", 0.75, [word])
    assert event.end == 3.75


def test_no_alternative_is_silence() -> None:
    event = results()
    assert (event.transcript, event.confidence, event.words) == ("", 0.0, [])


def test_results_match_by_their_flags() -> None:
    event: ListenEvent = msgspec.structs.replace(results(), is_final=True)
    match event:
        case Results(is_final=True, speech_final=False):
            pass
        case _:
            pytest.fail("a final result that ends no utterance")


def test_an_empty_list_of_entities_is_not_a_missing_one() -> None:
    assert "entities" not in results().to_dict()
    assert msgspec.structs.replace(results(), entities=[]).to_dict()["entities"] == []


def test_the_account_of_a_stream_without_audio_is_read() -> None:
    message = DECODER.decode(
        b'{"type":"Metadata","transaction_key":"deprecated","request_id":"8c8ebea9",'
        b'"sha256":"e3b0c442","created":"2024-08-29T22:37:55.202Z","duration":0,"channels":0}'
    )
    assert isinstance(message, Metadata)
    assert (message.duration, message.channels, message.models) == (0.0, 0, None)


def test_a_reason_of_refusal_may_be_new() -> None:
    message = DECODER.decode(b'{"type":"ConfigureFailure","request_id":"r1","code":"TOO_LATE"}')
    assert message == ConfigureFailure(request_id="r1", code="TOO_LATE")


def test_repr_leaves_out_what_is_not_there() -> None:
    assert repr(Word(word="yes", start=1.0, end=2.0, confidence=0.5)) == (
        "Word(word='yes', start=1.0, end=2.0, confidence=0.5)"
    )
