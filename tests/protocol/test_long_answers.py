"""Decoding step by step gives what decoding at once gives."""

from typing import Any

import msgspec
import pytest

from deepgram_async._protocol.decoding import UNDECODABLE
from deepgram_async._protocol.long_answers import decoding_steps
from deepgram_async.models.prerecorded import Transcription
from tests.support.answers import TRANSCRIPTION

WORD = {"word": "life", "start": 0.1, "end": 0.4, "confidence": 0.98, "speaker": 1, "new": "field"}
SENTENCE = {"text": "Life.", "start": 0.1, "end": 0.4}
SPOKEN: dict[str, Any] = {
    "transcript": "life",
    "confidence": 0.9,
    "words": [WORD, WORD],
    "languages": ["en"],
    "paragraphs": {
        "transcript": "Life.",
        "paragraphs": [{"sentences": [SENTENCE], "start": 0.1, "end": 0.4}],
    },
    "entities": [
        {"label": "NAME", "value": "x", "confidence": 1, "start_word": 0, "end_word": 1.0}
    ],
}
UTTERANCE = {
    "transcript": "life",
    "start": 0.1,
    "end": 0.4,
    "confidence": 0.9,
    "channel": 0,
    "words": [WORD],
}
METADATA = TRANSCRIPTION["metadata"]


def in_steps(body: bytes) -> tuple[Transcription, int]:
    steps, pauses = decoding_steps(body), 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Transcription = end.value
            return found, pauses
        pauses += 1


RESULTS: list[dict[str, Any]] = [
    {"channels": []},
    {"channels": [{}]},
    {"channels": [{"alternatives": []}]},
    {"channels": [{"alternatives": [{"transcript": "", "confidence": 0}]}]},
    {"channels": [{"alternatives": [SPOKEN | {"words": []}]}], "utterances": None},
    {"channels": [{"alternatives": [SPOKEN]}], "utterances": []},
    {
        "channels": [
            {"alternatives": [SPOKEN, SPOKEN], "detected_language": "en"},
            {"search": [{"query": "x", "hits": []}], "alternatives": [SPOKEN]},
        ],
        "utterances": [UTTERANCE, UTTERANCE],
        "summary": {"result": "success", "short": "Life."},
        "topics": {"segments": []},
    },
]


@pytest.mark.parametrize("results", RESULTS)
def test_the_result_is_the_same(results: dict[str, Any]) -> None:
    body = msgspec.json.encode({"metadata": METADATA, "results": results})
    at_once = msgspec.json.decode(body, type=Transcription)
    found, _ = in_steps(body)
    assert found == at_once
    assert type(found) is Transcription
    assert repr(found) == repr(at_once)
    assert found.to_json() == at_once.to_json()
    assert found.raw is None


def test_there_are_pauses_between_the_long_lists() -> None:
    results = {"channels": [{"alternatives": [SPOKEN]}] * 2, "utterances": [UTTERANCE]}
    _, pauses = in_steps(msgspec.json.encode({"metadata": METADATA, "results": results}))
    assert pauses == 4


@pytest.mark.parametrize(
    "results",
    [
        {"channels": [{"alternatives": [SPOKEN | {"words": None}]}]},
        {"channels": [{"alternatives": [SPOKEN | {"words": [WORD | {"start": "0"}]}]}]},
        {"channels": [{"alternatives": [SPOKEN]}], "utterances": [UTTERANCE | {"channel": None}]},
        {"channels": [{"alternatives": None}]},
        {"utterances": []},
    ],
)
def test_what_cannot_be_decoded_at_once_cannot_in_steps(results: dict[str, Any]) -> None:
    body = msgspec.json.encode({"metadata": METADATA, "results": results})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=Transcription)
    with pytest.raises(UNDECODABLE):
        in_steps(body)


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_body_that_breaks_off_cannot_be_decoded(cut: int) -> None:
    results = {"channels": [{"alternatives": [SPOKEN]}], "utterances": [UTTERANCE]}
    body = msgspec.json.encode({"metadata": METADATA, "results": results})
    with pytest.raises(UNDECODABLE):
        in_steps(body[:-cut])
