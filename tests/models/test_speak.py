import copy
import json
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import msgspec
import pytest
from msgspec.structs import fields

from deepgram_async._protocol.speech_headers import speech_info
from deepgram_async.models import Model, speak, speak_flux
from deepgram_async.models.speak import SpeechInfo

RECORDED = Path(__file__).parents[3] / "shared" / "recorded" / "rest-speak-headers.jsonl"
CONTROLS = {"pronunciations_applied": 1, "breaks_applied": 0, "pronunciation_warnings": 2}
ACCOUNT: dict[str, Any] = {
    "speech_id": "dg_sp_a1b2c3d4e5f6",
    "audio_duration_ms": 3200,
    "input_character_count": 47,
    "billable_character_count": 45,
    "controls_applied": CONTROLS,
}
# Every message with every field.
AURA: dict[str, dict[str, Any]] = {
    "Metadata": {
        "request_id": "r",
        "model_name": "aura-2-thalia-en",
        "model_version": "2025-03-25.0",
        "model_uuid": "m",
        "additional_model_uuids": ["n"],
    },
    "Flushed": {"sequence_id": 0},
    "Cleared": {"sequence_id": 1},
    "Warning": {"code": "W", "description": "d", "warn_code": "w", "warn_msg": "m"},
    "Error": {"description": "d", "message": "m", "variant": "v", "code": "c"},
}
FLUX: dict[str, dict[str, Any]] = {
    "Connected": {
        "request_id": "r",
        "model_name": "flux-haley-en",
        "model_version": "2026.06.01",
        "model_uuids": ["m"],
    },
    "SpeechStarted": {"speech_id": "dg_sp_a1b2c3d4e5f6"},
    "Flushed": {"speech_id": "dg_sp_a1b2c3d4e5f6"},
    "SpeechMetadata": ACCOUNT,
    "SpeechInterrupted": {
        "audio_played_ms": 1200,
        "text_spoken": "I was",
        "text_remaining": " saying",
        "metadata": ACCOUNT,
    },
    "ConfigureSuccess": {"applied": {"speed": 1.15}},
    "ConfigureFailure": {
        "code": "SPEED_OUT_OF_RANGE",
        "field": "speed",
        "value": 9.0,
        "description": "d",
    },
    "Warning": {"code": "NO_ACTIVE_SPEECH", "description": "d"},
    "Error": {"code": "NET-0004", "description": "d"},
    "SessionMetadata": {
        "total_audio_duration_ms": 3200,
        "total_input_character_count": 47,
        "total_billable_character_count": 45,
    },
}
SAMPLES = [(speak, speak.SpeakMessage, name, fields) for name, fields in AURA.items()] + [
    (speak_flux, speak_flux.FluxSpeakMessage, name, fields) for name, fields in FLUX.items()
]
per_message = pytest.mark.parametrize(("module", "union", "name", "sample"), SAMPLES)


def decode(union: Any, name: str, sample: dict[str, Any]) -> Model:
    decoder: msgspec.json.Decoder[Model] = msgspec.json.Decoder(union)
    return decoder.decode(json.dumps({"type": name, **sample}))


def test_every_message_has_a_sample() -> None:
    assert [kind.__name__ for kind in get_args(speak.SpeakMessage)] == list(AURA)
    assert {kind.__name__ for kind in get_args(speak_flux.FluxSpeakMessage)} == set(FLUX)


@per_message
def test_every_field_is_known_and_given_back(
    module: ModuleType, union: Any, name: str, sample: dict[str, Any]
) -> None:
    message = decode(union, name, sample)
    assert type(message) is getattr(module, name)
    assert message.to_dict() == {"type": name, **sample}
    assert {field.name for field in fields(message)} == set(sample)


@per_message
def test_new_fields_are_passed_over_and_null_is_nothing(
    module: ModuleType, union: Any, name: str, sample: dict[str, Any]
) -> None:
    kind = getattr(module, name)
    assert decode(union, name, {**sample, "brand_new": {"a": [1]}}) == decode(union, name, sample)
    for field in fields(kind):
        if field.default is None:
            message = decode(union, name, {**sample, field.name: None})
            assert getattr(message, field.name) is None
            without = {key: value for key, value in sample.items() if key != field.name}
            assert decode(union, name, without) == message


@per_message
def test_a_float_is_taken_for_a_whole_number(
    module: ModuleType, union: Any, name: str, sample: dict[str, Any]
) -> None:
    def floated(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: floated(part) for key, part in value.items()}  # pyright: ignore[reportUnknownVariableType]
        return float(value) if isinstance(value, int) else value

    assert decode(union, name, floated(copy.deepcopy(sample))) == decode(union, name, sample)


@per_message
def test_a_broken_field_is_refused_with_its_place(
    module: ModuleType, union: Any, name: str, sample: dict[str, Any]
) -> None:
    field = next(iter(sample))
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{field}"):
        decode(union, name, {**sample, field: [{}]})


# What the headers of a spoken answer tell.


def test_all_headers_are_read() -> None:
    info = speech_info(
        {
            "content-type": "audio/wav",
            "dg-request-id": "r",
            "dg-model-name": "aura-2-thalia-en",
            "dg-model-uuid": "m",
            "dg-additional-model-uuids": "n, o",
            "dg-char-count": "13",
            "dg-project-id": "p",
            "dg-pronunciations-applied": "2",
            "dg-breaks-applied": "1",
            "dg-pronunciation-warnings": "0",
            "dg-warnings": "PRON-001,PRON-002",
            "date": "Fri, 07 Feb 2025 01:27:26 GMT",
            "transfer-encoding": "chunked",
        }
    )
    assert info == SpeechInfo(
        content_type="audio/wav",
        request_id="r",
        model_name="aura-2-thalia-en",
        model_uuid="m",
        additional_model_uuids=["n", "o"],
        characters=13,
        project_id="p",
        pronunciations_applied=2,
        breaks_applied=1,
        pronunciation_warnings=0,
        warnings=["PRON-001", "PRON-002"],
        date="Fri, 07 Feb 2025 01:27:26 GMT",
        transfer_encoding="chunked",
    )


def test_missing_and_unreadable_headers_are_nothing() -> None:
    assert speech_info({}) == SpeechInfo()
    assert speech_info({"dg-char-count": "many", "dg-warnings": ""}) == SpeechInfo()


def test_the_older_prefix_is_read_too() -> None:
    assert speech_info({"x-dg-char-count": "13"}).characters == 13


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded answers are not here")
def test_recorded_headers_are_read_without_loss() -> None:
    records = [json.loads(line)["msg"] for line in RECORDED.read_text().splitlines()]
    assert records
    names: dict[str, str] = {
        "request_id": "dg-request-id",
        "model_uuid": "dg-model-uuid",
        "model_name": "dg-model-name",
        "characters": "dg-char-count",
    }
    for record in records:
        headers: dict[str, str] = {}
        for key, value in record.items():
            headers[names[key] if key in names else key.replace("_", "-")] = str(value)
        told = speech_info(headers).to_dict()
        assert {key: told[key] for key in record} == record
