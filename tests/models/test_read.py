import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deepgram_async.models.read import Analysis

RECORDED = Path(__file__).parents[3] / "shared" / "recorded" / "rest-read.jsonl"
TOKENS = {"model_uuid": "t1", "input_tokens": 63, "output_tokens": 43}
SPAN = {"text": "Hello, there.", "start_word": 0, "end_word": 2}
MOOD = {"sentiment": "neutral", "sentiment_score": 0.1}
FLAT: dict[str, Any] = {
    "metadata": {
        "request_id": "a7aac20e",
        "created": "2025-07-22T16:56:59.351Z",
        "language": "en",
        "summary_info": TOKENS,
        "sentiment_info": TOKENS,
        "topics_info": TOKENS,
        "intents_info": TOKENS,
    },
    "results": {
        "summary": {"text": "A greeting."},
        "topics": {"segments": [{**SPAN, "topics": [{"topic": "t", "confidence_score": 0.9}]}]},
        "intents": {"segments": [{**SPAN, "intents": [{"intent": "i", "confidence_score": 0.8}]}]},
        "sentiments": {"segments": [{**SPAN, **MOOD}], "average": MOOD},
    },
}


def nested() -> dict[str, Any]:
    """Return the same answer as the reference of the service has it."""
    flat = copy.deepcopy(FLAT)
    results = flat["results"]
    return {
        "metadata": {"metadata": flat["metadata"]},
        "results": {
            "summary": {"results": {"summary": results["summary"]}},
            "topics": {"results": {"topics": results["topics"]}},
            "intents": {"results": {"intents": results["intents"]}},
            "sentiments": results["sentiments"],
        },
    }


def decode(value: object) -> Analysis:
    return msgspec.json.decode(json.dumps(value), type=Analysis)


def test_the_answer_of_the_wire_is_given_back() -> None:
    answer = decode(FLAT)
    assert answer.to_dict() == FLAT
    assert answer.summary == "A greeting."
    assert answer.request_id == "a7aac20e"
    assert answer.results.topics is not None
    assert answer.results.topics.segments[0].topics[0].topic == "t"


def test_the_wrapped_answer_of_the_reference_is_the_same() -> None:
    assert decode(nested()) == decode(FLAT)
    assert decode(nested()).to_dict() == FLAT


@pytest.mark.parametrize("part", ["summary", "topics", "intents", "sentiments"])
@pytest.mark.parametrize("shape", [FLAT, nested()])
def test_each_part_may_be_missing_or_null(shape: dict[str, Any], part: str) -> None:
    missing, null = copy.deepcopy(shape), copy.deepcopy(shape)
    del missing["results"][part]
    null["results"][part] = None
    assert decode(missing) == decode(null)
    assert getattr(decode(missing).results, part) is None


def test_an_answer_without_results_has_no_summary() -> None:
    answer = decode({"metadata": {}, "results": {}})
    assert answer.summary == ""
    assert answer.request_id == ""


@pytest.mark.parametrize("shape", [FLAT, nested()])
def test_new_fields_are_passed_over(shape: dict[str, Any]) -> None:
    newer = copy.deepcopy(shape)
    newer["brand_new"] = 1
    newer["metadata"]["brand_new"] = 1
    newer["results"]["summary"]["brand_new"] = [1]
    assert decode(newer) == decode(FLAT)


def test_a_broken_field_is_refused_with_its_place() -> None:
    broken = nested()
    broken["results"]["summary"]["results"]["summary"]["text"] = 7
    with pytest.raises(msgspec.ValidationError, match=r"\$\.results\.summary\.results"):
        decode(broken)


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded answers are not here")
def test_recorded_answers_are_read_without_loss() -> None:
    records = [json.loads(line)["msg"] for line in RECORDED.read_text().splitlines()]
    assert records
    for record in records:
        answer = decode(record)
        assert answer.to_dict() == record
        assert answer.summary
