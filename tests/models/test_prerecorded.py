import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deepgram_async.models.prerecorded import Accepted, Transcription

RECORDED = Path(__file__).parents[3] / "shared" / "recorded" / "rest-listen.jsonl"


def recorded() -> list[Any]:
    """Return the real answers as parameters, or one that is skipped where there are none."""
    if not RECORDED.exists():
        skip = pytest.mark.skip(reason=f"no recorded answers at {RECORDED}")
        return [pytest.param({}, id="recorded", marks=skip)]
    entries = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    return [pytest.param(entry["msg"], id=entry["id"]) for entry in entries]


def transcription(*channels: dict[str, Any]) -> Transcription:
    metadata = {"request_id": "r1", "sha256": "00", "created": "now", "duration": 2, "channels": 1}
    document = {"metadata": metadata, "results": {"channels": channels}}
    return msgspec.convert(document, Transcription)


def channel(*transcripts: str) -> dict[str, Any]:
    alternatives = [
        {
            "transcript": text,
            "confidence": 1 / (index + 2),
            "words": [
                {"word": word, "start": at, "end": at + 1, "confidence": 1}
                for at, word in enumerate(text.split())
            ],
        }
        for index, text in enumerate(transcripts)
    ]
    return {"alternatives": alternatives}


@pytest.mark.parametrize("answer", recorded())
def test_a_recorded_answer_loses_nothing(answer: dict[str, Any]) -> None:
    decoded = msgspec.json.decode(json.dumps(answer), type=Transcription)
    assert decoded.to_dict() == answer
    assert json.loads(decoded.to_json()) == answer


@pytest.mark.parametrize("answer", recorded())
def test_a_recorded_answer_is_read_by_its_properties(answer: dict[str, Any]) -> None:
    decoded = msgspec.convert(answer, Transcription)
    (best,) = answer["results"]["channels"][0]["alternatives"]
    assert decoded.transcript == best["transcript"]
    assert decoded.confidence == best["confidence"]
    assert [word.punctuated_word for word in decoded.words] == best["transcript"].split()
    assert decoded.request_id == answer["metadata"]["request_id"]
    assert decoded.duration == answer["metadata"]["duration"]


def test_the_best_alternative_counts() -> None:
    answer = transcription(channel("yes please", "guess fleas"))
    assert answer.transcript == "yes please"
    assert answer.confidence == 0.5
    assert [word.word for word in answer.words] == ["yes", "please"]


def test_every_channel_has_a_line_and_its_words() -> None:
    answer = transcription(channel("how are you"), channel("fine"))
    assert answer.transcript == "how are you\nfine"
    assert [word.word for word in answer.words] == ["how", "are", "you", "fine"]


def test_a_silent_channel_has_no_line() -> None:
    assert transcription(channel(""), channel("fine")).transcript == "fine"


@pytest.mark.parametrize("channels", [[], [{}], [{"alternatives": []}], [channel("")]])
def test_silence_is_an_empty_transcript(channels: list[dict[str, Any]]) -> None:
    answer = transcription(*channels)
    assert answer.transcript == ""
    assert answer.words == []


@pytest.mark.parametrize("channels", [[], [{}], [{"alternatives": []}]])
def test_nothing_recognised_has_no_confidence(channels: list[dict[str, Any]]) -> None:
    assert transcription(*channels).confidence == 0.0


def test_an_unknown_sentiment_is_kept() -> None:
    document = transcription(channel("well")).to_dict()
    words: Any = document["results"]
    words["channels"][0]["alternatives"][0]["words"][0]["sentiment"] = "ironic"
    assert msgspec.convert(document, Transcription).words[0].sentiment == "ironic"


def test_an_acknowledgement_has_the_request_id() -> None:
    body = b'{"request_id":"e33264a5-a72f-486f-99a1-85c630fa0191"}'
    accepted = msgspec.json.decode(body, type=Accepted)
    assert accepted.request_id == "e33264a5-a72f-486f-99a1-85c630fa0191"
    assert accepted.to_json() == body.decode()
