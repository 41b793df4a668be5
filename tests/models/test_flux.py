import copy
from typing import Any, get_args

import msgspec
import pytest
from msgspec.structs import fields

from deepgram_async.models import Model, flux
from deepgram_async.models.flux import FluxEvent, FluxMessage, TurnInfo

DECODER = msgspec.json.Decoder[FluxMessage](FluxMessage)
NUMBERED = {"request_id": "a1b2", "sequence_id": 11}
# Every message with every field.
SAMPLES: dict[str, dict[str, Any]] = {
    "Connected": {"type": "Connected", **NUMBERED},
    "TurnInfo": {
        "type": "TurnInfo",
        **NUMBERED,
        "event": "EndOfTurn",
        "turn_index": 0,
        "audio_window_start": 0.0,
        "audio_window_end": 1.7,
        "transcript": "Hi I need to cancel my subscription please.",
        "end_of_turn_confidence": 0.72,
        "words": [{"word": "Hi", "confidence": 0.95, "start": 0.42, "end": 0.56}],
        "trigger": "model",
        "languages": ["en"],
        "languages_hinted": ["en", "es"],
    },
    "ConfigureSuccess": {
        "type": "ConfigureSuccess",
        **NUMBERED,
        "thresholds": {
            "eager_eot_threshold": 0.4,
            "eot_threshold": 0.7,
            "eot_timeout_ms": 6000.0,
        },
        "keyterms": ["apple"],
        "language_hints": ["en", "es"],
        "numerals": False,
    },
    "ConfigureFailure": {
        "type": "ConfigureFailure",
        **NUMBERED,
        "code": "INVALID_THRESHOLD",
        "description": "eager_eot_threshold must be less than or equal to eot_threshold",
    },
    "Warning": {
        "type": "Warning",
        **NUMBERED,
        "code": "FORCE_END_TURN_NO_ACTIVE_TURN",
        "description": "there is no turn to end",
    },
    "Error": {
        "type": "Error",
        "sequence_id": 44,
        "code": "UNPARSABLE_CLIENT_MESSAGE",
        "description": "numerals is not a boolean",
    },
}
FIELDS = [
    (name, field)
    for name in SAMPLES
    for field in fields(getattr(flux, name))
    if field.encode_name in SAMPLES[name]
]
OPTIONAL = [(name, field) for name, field in FIELDS if not field.required]
REQUIRED = [(name, field) for name, field in FIELDS if field.required]


def decode(document: object) -> Model:
    decoded: Model = DECODER.decode(msgspec.json.encode(document))
    return decoded


def fresh(name: str) -> dict[str, Any]:
    return copy.deepcopy(SAMPLES[name])


def test_every_message_has_a_sample_with_every_field() -> None:
    assert list(SAMPLES) == [kind.__name__ for kind in get_args(FluxMessage)]
    for name, sample in SAMPLES.items():
        names = {field.encode_name for field in fields(getattr(flux, name))}
        assert names == set(sample) - {"type"}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_field_is_given_back(name: str) -> None:
    message = decode(SAMPLES[name])
    assert type(message).__name__ == name
    assert message.to_dict() == SAMPLES[name]
    assert msgspec.json.decode(message.to_json()) == SAMPLES[name]


@pytest.mark.parametrize(("name", "field"), OPTIONAL)
def test_an_optional_field_may_be_missing_or_null(name: str, field: Any) -> None:
    document = fresh(name)
    del document[field.encode_name]
    value = getattr(decode(document), field.name)
    if field.default is None:
        assert value is None
        assert getattr(decode({**document, field.encode_name: None}), field.name) is None
    else:
        assert value == []


@pytest.mark.parametrize(("name", "field"), REQUIRED)
def test_a_required_field_is_missed(name: str, field: Any) -> None:
    document = fresh(name)
    del document[field.encode_name]
    with pytest.raises(msgspec.ValidationError, match=f"required field `{field.encode_name}`"):
        decode(document)


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_a_wrong_type_names_the_place(name: str, field: Any) -> None:
    wrong: object = 7 if isinstance(SAMPLES[name][field.encode_name], str) else "seven"
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{field.encode_name}"):
        decode({**SAMPLES[name], field.encode_name: wrong})


@pytest.mark.parametrize("name", SAMPLES)
def test_an_unknown_field_is_ignored(name: str) -> None:
    document = fresh(name)
    for place in (document, document.get("thresholds"), *document.get("words", ())):
        if place is not None:
            place["not_invented_yet"] = {"deep": [1, None]}
    assert decode(document).to_dict() == SAMPLES[name]


def test_a_measured_number_may_be_whole() -> None:
    document = fresh("TurnInfo") | {
        "audio_window_start": 0,
        "audio_window_end": 2,
        "end_of_turn_confidence": 1,
        "words": [{"word": "Hi", "confidence": 1, "start": 0, "end": 1}],
    }
    assert decode(document).to_dict() == document
    thresholds = {"eager_eot_threshold": 0, "eot_threshold": 1, "eot_timeout_ms": 6000}
    document = {**SAMPLES["ConfigureSuccess"], "thresholds": thresholds}
    assert decode(document).to_dict() == document


@pytest.mark.parametrize("key", ["start", "end"])
def test_an_older_server_tells_no_times_of_words(key: str) -> None:
    document = fresh("TurnInfo")
    del document["words"][0][key]
    message = decode(document)
    assert isinstance(message, TurnInfo)
    assert getattr(message.words[0], key) is None


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("TurnInfo", "event"),
        ("TurnInfo", "trigger"),
        ("ConfigureFailure", "code"),
        ("Warning", "code"),
        ("Error", "code"),
    ],
)
def test_an_open_set_takes_what_is_newer(name: str, field: str) -> None:
    assert getattr(decode({**SAMPLES[name], field: "NOT_INVENTED_YET"}), field) == (
        "NOT_INVENTED_YET"
    )


def test_the_configuration_may_have_any_part_of_the_thresholds() -> None:
    message = decode({**SAMPLES["ConfigureSuccess"], "thresholds": {"eot_threshold": None}})
    assert isinstance(message, flux.ConfigureSuccess)
    assert message.thresholds == flux.Thresholds()


def test_events_are_the_messages_and_what_cannot_be_read() -> None:
    kinds = [kind.__name__ for kind in get_args(FluxEvent)]
    assert kinds == [*SAMPLES, "Unknown", "Malformed", "Reconnecting", "Reconnected", "Stalled"]


def test_turns_match_by_their_event() -> None:
    match decode(SAMPLES["TurnInfo"]):
        case TurnInfo(event="EndOfTurn", trigger="model"):
            pass
        case _:
            pytest.fail("the turn has ended")


@pytest.mark.parametrize("name", [name for name in flux.__all__ if name[0] != "_"])
def test_a_model_is_frozen_and_described(name: str) -> None:
    kind = getattr(flux, name)
    if isinstance(kind, type) and issubclass(kind, Model):
        assert kind.__struct_config__.frozen
        assert kind.__struct_config__.gc is False
        assert kind.__doc__
