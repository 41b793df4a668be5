import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from deepgram_async._protocol.agent import AgentCore
from deepgram_async.models import agent
from deepgram_async.models.agent import AgentMessage, Audio
from deepgram_async.models.events import Malformed, Unknown

RECORDED = Path(__file__).parents[3] / "shared" / "recorded" / "ws-agent.jsonl"

CALL = {"id": "c1", "name": "add", "client_side": True, "arguments": "{}", "thought_signature": "t"}
SAMPLES: list[dict[str, Any]] = [
    {"type": "Welcome", "request_id": "r-1"},
    {"type": "SettingsApplied"},
    {"type": "PromptUpdated"},
    {"type": "ThinkUpdated"},
    {"type": "SpeakUpdated"},
    {"type": "ListenUpdated"},
    {"type": "ThinkLiveUpdated"},
    {
        "type": "ConversationText",
        "role": "user",
        "content": "Hola",
        "conversational_behavior": "backchannel",
        "languages": ["es", "en"],
        "languages_hinted": ["es"],
    },
    {
        "type": "History",
        "role": "assistant",
        "content": "Hello.",
        "function_calls": [{**CALL, "response": "3"}],
    },
    {"type": "EndOfThought"},
    {"type": "EndOfTurn"},
    {"type": "UserStartedSpeaking"},
    {"type": "AgentThinking", "content": "Hm."},
    {"type": "AgentStartedSpeaking", "total_latency": 0.9, "tts_latency": 0.3, "ttt_latency": 0.6},
    {"type": "AgentAudioDone"},
    {
        "type": "LatencyReport",
        "stt_latency": 0.1,
        "ttt_token_latency": 0.2,
        "ttt_text_latency": 0.3,
        "ttt_tool_latency": 0.4,
        "ttt_thinking_latency": 0.5,
        "tts_latency": 0.6,
        "total_latency": 0.7,
    },
    {"type": "FrustrationDetected", "count": 2, "escalated": False},
    {"type": "FunctionCallRequest", "functions": [CALL]},
    {
        "type": "FunctionCallResponse",
        "id": "c1",
        "name": "add",
        "content": "3",
        "thought_signature": "t",
    },
    {"type": "FunctionCallCancelled", "functions": [{"id": "c1", "name": "add"}]},
    {"type": "InjectionRefused", "message": "The user is speaking."},
    {"type": "Warning", "code": "PROMPT_TOO_LONG", "description": "Cut."},
    {"type": "Error", "code": "FAILED_TO_THINK", "description": "No model.", "message": ""},
    {"type": "__customFromThinkProvider", "content": {"any": [1, None]}},
]
per_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["type"])


def decoded(message: object) -> Any:
    return AgentCore(now=0.0, keepalive_s=None).receive(json.dumps(message))


def test_the_samples_have_every_message_with_every_field() -> None:
    kinds = {kind.__struct_config__.tag: kind for kind in get_args(AgentMessage)}
    assert {sample["type"] for sample in SAMPLES} == set(kinds)
    for sample in SAMPLES:
        assert set(sample) - {"type"} == set(kinds[sample["type"]].__struct_fields__)


@per_sample
def test_every_field_is_given_back(sample: dict[str, Any]) -> None:
    event = decoded(sample)
    assert event.__struct_config__.tag == sample["type"]
    assert event.to_dict() == sample
    assert json.loads(event.to_json()) == sample


@per_sample
def test_a_field_that_is_not_known_is_ignored(sample: dict[str, Any]) -> None:
    assert decoded({**sample, "brand_new": {"a": 1}}) == decoded(sample)


@per_sample
def test_optional_fields_may_be_missing_or_null(sample: dict[str, Any]) -> None:
    fields = msgspec.structs.fields(decoded(sample))
    optional = {field.name: None for field in fields if field.default is None}
    required = {key: value for key, value in sample.items() if key not in optional}
    assert type(decoded(required)) is type(decoded(sample))
    assert type(decoded({**sample, **optional})) is type(decoded(sample))


def test_a_latency_may_be_a_whole_number() -> None:
    event = decoded({"type": "AgentStartedSpeaking", "total_latency": 1})
    assert isinstance(event, agent.AgentStartedSpeaking)
    assert event.total_latency == 1.0


def test_values_that_are_not_known_are_kept() -> None:
    text = decoded({"type": "ConversationText", "role": "narrator", "content": "Once"})
    assert isinstance(text, agent.ConversationText)
    assert text.role == "narrator"
    warning = decoded({"type": "Warning", "code": "BRAND_NEW"})
    assert isinstance(warning, agent.Warning)
    assert warning.code == "BRAND_NEW"


def test_a_message_of_a_new_type_is_handed_over() -> None:
    event = decoded({"type": "BrandNew", "x": 1})
    assert isinstance(event, Unknown)
    assert json.loads(event.raw) == {"type": "BrandNew", "x": 1}


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "ConversationText", "role": "user"},
        {"type": "FunctionCallRequest", "functions": [{"id": 1}]},
        {"type": "LatencyReport", "tts_latency": "fast"},
        ["no", "object"],
    ],
)
def test_a_broken_message_is_handed_over(broken: object) -> None:
    event = decoded(broken)
    assert isinstance(event, Malformed)
    assert json.loads(event.raw) == broken


def test_audio_shows_its_size_only() -> None:
    audio = Audio(b"secret words")
    assert repr(audio) == "Audio(data=<12 bytes>)"
    assert audio.__rich_repr__() == [("data", "<12 bytes>")]


@pytest.mark.skipif(not RECORDED.exists(), reason=f"no recorded conversations in {RECORDED}")
def test_recorded_conversations_are_given_back_without_loss() -> None:
    messages = [json.loads(line)["msg"] for line in RECORDED.read_text().splitlines()]
    assert len(messages) > 300
    for message in messages:
        assert decoded(message).to_dict() == message
