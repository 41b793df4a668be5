"""Every model against answers that lack fields, have new ones, or are broken.

Each sample has every field that the release knows, so that the cases below reach all of them.
"""

from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest
from msgspec import inspect

from deepgram_async.models import Answer, Model, common, live, prerecorded
from deepgram_async.models._base import attach_raw

WORD = {
    "word": "hello",
    "start": 0.32,
    "end": 0.79999995,
    "confidence": 0.8624085,
    "punctuated_word": "Hello,",
    "speaker": 1,
    "speaker_confidence": 0.71,
    "language": "en",
    "sentiment": "positive",
    "sentiment_score": 0.6,
}
ENTITY = {
    "label": "PHONE_NUMBER",
    "value": "555-0100",
    "confidence": 0.93,
    "start_word": 3,
    "end_word": 7,
    "raw_value": "five five five oh one hundred",
}
SEARCH = {
    "query": "hello",
    "hits": [{"confidence": 0.5, "start": 0.25, "end": 0.75, "snippet": "hello"}],
}
MODEL_INFO = {"name": "general-nova-3", "version": "2024-12-20.0", "arch": "nova-3"}
DIARIZE_INFO = {"model_uuid": "d1", "arch": "v2"}
TOKENS = {"model_uuid": "t1", "input_tokens": 63, "output_tokens": 43}
SPAN = {"text": "Hello, there.", "start_word": 0, "end_word": 2}
MOOD = {"sentiment": "neutral", "sentiment_score": 0.1}

TRANSCRIPTION = {
    "metadata": {
        "request_id": "e33264a5-a72f-486f-99a1-85c630fa0191",
        "sha256": "95dc40091b6a8456",
        "created": "2025-07-22T16:56:37.496Z",
        "duration": 19.097937,
        "channels": 1,
        "models": ["m1"],
        "model_info": {"m1": MODEL_INFO},
        "diarize_info": DIARIZE_INFO,
        "summary_info": TOKENS,
        "sentiment_info": TOKENS,
        "topics_info": TOKENS,
        "intents_info": TOKENS,
        "tags": ["nightly"],
        "extra": {"order": "17"},
        "warnings": [{"parameter": "language", "type": "unsupported", "message": "ignored"}],
        "transaction_key": "deprecated",
    },
    "results": {
        "channels": [
            {
                "alternatives": [
                    {
                        "transcript": "Hello, there.",
                        "confidence": 0.9978794,
                        "words": [WORD],
                        "languages": ["en", "es"],
                        "languages_hinted": ["en"],
                        "paragraphs": {
                            "transcript": "\nHello, there.",
                            "paragraphs": [
                                {
                                    "sentences": [
                                        {
                                            "text": "Hello, there.",
                                            "start": 0.32,
                                            "end": 1.5,
                                            **MOOD,
                                        }
                                    ],
                                    "start": 0.32,
                                    "end": 1.5,
                                    "num_words": 2,
                                    "speaker": 0,
                                    **MOOD,
                                }
                            ],
                        },
                        "entities": [ENTITY],
                        "summaries": [{"summary": "A greeting.", "start_word": 0, "end_word": 2}],
                        "topics": [{**SPAN, "topics": ["greeting"]}],
                        "translations": [{"language": "de", "translation": "Hallo, du."}],
                    }
                ],
                "detected_language": "en",
                "language_confidence": 0.98,
                "search": [SEARCH],
            }
        ],
        "utterances": [
            {
                "transcript": "Hello, there.",
                "start": 0.32,
                "end": 1.5,
                "confidence": 0.97,
                "channel": 0,
                "words": [WORD],
                "id": "u1",
                "speaker": 0,
                "languages": ["en"],
                **MOOD,
            }
        ],
        "summary": {"result": "success", "short": "Somebody greets."},
        "topics": {
            "segments": [{**SPAN, "topics": [{"topic": "greeting", "confidence_score": 0.5}]}]
        },
        "intents": {
            "segments": [{**SPAN, "intents": [{"intent": "to greet", "confidence_score": 0.5}]}]
        },
        "sentiments": {"segments": [{**SPAN, **MOOD}], "average": MOOD},
    },
}
SAMPLES: dict[str, tuple[type[Model], dict[str, Any]]] = {
    "Transcription": (prerecorded.Transcription, TRANSCRIPTION),
    "Accepted": (prerecorded.Accepted, {"request_id": "e33264a5"}),
    "Results": (
        live.Results,
        {
            "type": "Results",
            "channel_index": [0, 1],
            "start": 0.74,
            "duration": 3.08,
            "channel": {
                "alternatives": [
                    {
                        "transcript": "Hello, there.",
                        "confidence": 0.987885,
                        "words": [WORD],
                        "languages": ["en"],
                        "languages_hinted": ["en"],
                    }
                ],
                "search": [SEARCH],
            },
            "metadata": {
                "request_id": "26dd8cc9",
                "model_uuid": "c0d1a568",
                "model_info": MODEL_INFO,
                "diarize_info": DIARIZE_INFO,
                "extra": {"order": "17"},
            },
            "is_final": True,
            "speech_final": False,
            "from_finalize": False,
            "entities": [ENTITY],
        },
    ),
    "SpeechStarted": (
        live.SpeechStarted,
        {"type": "SpeechStarted", "channel": [0, 1], "timestamp": 91.2},
    ),
    "UtteranceEnd": (
        live.UtteranceEnd,
        {"type": "UtteranceEnd", "channel": [0, 2], "last_word_end": 3.1},
    ),
    "Metadata": (
        live.Metadata,
        {
            "type": "Metadata",
            "request_id": "8c8ebea9",
            "sha256": "incomplete",
            "created": "2026-08-29T22:37:55.202+00:00",
            "duration": 12.5,
            "channels": 1,
            "models": ["m1"],
            "model_info": {"m1": MODEL_INFO},
            "diarize_info": DIARIZE_INFO,
            "tags": ["nightly"],
            "extra": {"order": "17"},
            "transaction_key": "deprecated",
        },
    ),
    "ConfigureSuccess": (
        live.ConfigureSuccess,
        {"type": "ConfigureSuccess", "request_id": "8c8ebea9", "keyterms": ["Deepgram"]},
    ),
    "ConfigureFailure": (
        live.ConfigureFailure,
        {
            "type": "ConfigureFailure",
            "request_id": "8c8ebea9",
            "code": "CONFIGURE_ALREADY_PENDING",
            "description": "wait for the answer to the last one",
        },
    ),
    "Error": (
        live.Error,
        {
            "type": "Error",
            "variant": "SchemaError",
            "description": "unknown message",
            "message": '{"type":"Stop"}',
            "code": "DATA-0001",
        },
    ),
}
Path = tuple[str | int, ...]


def children(value: object) -> list[tuple[str | int, object]]:
    # The casts name what JSON can contain, for the type checkers.
    if isinstance(value, dict):
        return list(cast("dict[str | int, object]", value).items())
    return list(enumerate(cast("list[object]", value))) if isinstance(value, list) else []


def nodes(value: object, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value of a JSON document with the way to it."""
    yield path, value
    for key, item in children(value):
        yield from nodes(item, (*path, key))


def at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document


def models(value: object) -> Iterator[Model]:
    """Yield a model and all models in it."""
    if isinstance(value, Model):
        yield value
        for field in msgspec.structs.fields(value):
            yield from models(getattr(value, field.name))
    for _, item in children(value):
        yield from models(item)


def fresh(name: str) -> Any:
    """Return a sample in which nothing is shared, so that one place at a time can be changed."""
    return msgspec.json.decode(msgspec.json.encode(SAMPLES[name][1]))


def decode(name: str, document: Any) -> Model:
    return msgspec.json.decode(msgspec.json.encode(document), type=SAMPLES[name][0])


def at_model(value: object, path: Path) -> Model | None:
    for key in path:
        if isinstance(key, str) and isinstance(value, Model):
            value = getattr(value, key, None)
        else:
            value = value[key]  # type: ignore[index]  # a list or dict of the sample
    return value if isinstance(value, Model) else None


def case(name: str, path: Path, value: object) -> Any:
    return pytest.param(name, path, value, id=".".join(map(str, (name, *path))))


# Every value below the root of every sample, save the tag.
VALUES = [
    case(name, path, value)
    for name, (_, sample) in SAMPLES.items()
    for path, value in nodes(sample)
    if path not in ((), ("type",))
]
# Every object that is a model, the others being maps.
OBJECTS = [
    case(name, path, model)
    for name, (kind, sample) in SAMPLES.items()
    for path, _ in nodes(sample)
    if (model := at_model(msgspec.convert(sample, kind), path)) is not None
]
OPTIONAL = [
    case(name, (*path, field.encode_name), field)
    for name, path, model in (entry.values for entry in OBJECTS)
    for field in msgspec.structs.fields(model)
    if not field.required
]
NULLABLE = [entry for entry in OPTIONAL if entry.values[2].default is None]
MEASURED = [entry for entry in VALUES if type(entry.values[2]) is float]


def public_models() -> list[type[Model]]:
    return [
        getattr(module, name)
        for module in (common, live, prerecorded)
        for name in module.__all__
        if isinstance(getattr(module, name), type) and issubclass(getattr(module, name), Model)
    ]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_has_every_field_of_every_model_in_it(name: str) -> None:
    kind, sample = SAMPLES[name]
    missing = [
        f"{type(model).__name__}.{field.name}"
        for model in models(msgspec.convert(sample, kind))
        for field in msgspec.structs.fields(model)
        if getattr(model, field.name) in (None, [], {})
    ]
    assert missing == []


def test_the_samples_have_every_public_model() -> None:
    seen = {
        type(model)
        for kind, sample in SAMPLES.values()
        for model in models(msgspec.convert(sample, kind))
    }
    assert set(public_models()) - seen == set()


@pytest.mark.parametrize("name", SAMPLES)
def test_every_field_is_given_back(name: str) -> None:
    sample = SAMPLES[name][1]
    value = decode(name, sample)
    assert value.to_dict() == sample
    assert msgspec.json.decode(value.to_json()) == sample


@pytest.mark.parametrize(("name", "path", "field"), OPTIONAL)
def test_an_optional_field_may_be_missing(
    name: str, path: Path, field: msgspec.structs.FieldInfo
) -> None:
    document = fresh(name)
    del at(document, path[:-1])[path[-1]]
    value = decode(name, document)
    if field.default_factory is not msgspec.NODEFAULT:
        at(document, path[:-1])[path[-1]] = field.default_factory()
    assert value.to_dict() == document


@pytest.mark.parametrize(("name", "path", "field"), NULLABLE)
def test_an_optional_field_may_be_null(
    name: str, path: Path, field: msgspec.structs.FieldInfo
) -> None:
    document = fresh(name)
    at(document, path[:-1])[path[-1]] = None
    value = decode(name, document)
    del at(document, path[:-1])[path[-1]]
    assert value.to_dict() == document, f"{field.name} is left out when it is None"


@pytest.mark.parametrize(("name", "path", "value"), MEASURED)
def test_a_measured_number_may_be_whole(name: str, path: Path, value: float) -> None:
    document = fresh(name)
    at(document, path[:-1])[path[-1]] = int(value)
    assert decode(name, document).to_dict() == document


@pytest.mark.parametrize("place", ["start_word", "end_word"])
@pytest.mark.parametrize("name", ["Transcription", "Results"])
def test_a_word_position_may_be_written_with_a_point(name: str, place: str) -> None:
    document = fresh(name)
    for path, value in nodes(SAMPLES[name][1]):
        if path and path[-1] == place:
            at(document, path[:-1])[place] = float(value)
    assert decode(name, document).to_dict() == SAMPLES[name][1]


@pytest.mark.parametrize(("name", "path", "model"), OBJECTS)
def test_an_unknown_field_is_ignored(name: str, path: Path, model: Model) -> None:
    document = fresh(name)
    at(document, path)["not_invented_yet"] = {"deep": [1, None]}
    value = decode(name, document)
    assert value.to_dict() == SAMPLES[name][1]
    assert at_model(value, path) == model


@pytest.mark.parametrize(("name", "path", "value"), VALUES)
def test_a_wrong_type_raises_and_names_the_place(name: str, path: Path, value: object) -> None:
    wrong: object = 7 if isinstance(value, str) else "seven"
    document = fresh(name)
    at(document, path[:-1])[path[-1]] = wrong
    with pytest.raises(msgspec.ValidationError) as raised:
        decode(name, document)
    assert str(raised.value).endswith(f"`{place(name, path)}`")


def place(name: str, path: Path) -> str:
    """Return a way as msgspec writes it: fields by name, items by number, keys of maps as dots."""
    kind, sample = SAMPLES[name]
    value = msgspec.convert(sample, kind)
    steps = [
        f"[{key}]" if isinstance(key, int) else f".{key}" if at_model(value, parent) else "[...]"
        for parent, key in ((path[:index], key) for index, key in enumerate(path))
    ]
    return "".join(["$", *steps])


@pytest.mark.parametrize("name", SAMPLES)
def test_a_required_field_is_missed(name: str) -> None:
    kind, sample = SAMPLES[name]
    for field in msgspec.structs.fields(kind):
        if field.required:
            document = {key: value for key, value in sample.items() if key != field.name}
            with pytest.raises(msgspec.ValidationError, match=f"required field `{field.name}`"):
                decode(name, document)


@pytest.mark.parametrize("document", [{}, [], None, "ok", {"metadata": {}, "results": {}}])
def test_something_else_is_no_transcription(document: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode("Transcription", document)


def test_an_acknowledgement_is_no_transcription() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode("Transcription", SAMPLES["Accepted"][1])


@pytest.mark.parametrize(
    "kind", public_models(), ids=lambda kind: f"{kind.__module__}.{kind.__name__}"
)
def test_a_model_is_frozen_typed_and_documented(kind: type[Model]) -> None:
    config = kind.__struct_config__
    assert config.frozen
    assert config.gc is issubclass(kind, Answer), "only a whole answer needs the collector"
    assert kind.__doc__
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    for field in described.fields:
        assert not untyped(field.type), field.name


def untyped(described: inspect.Type) -> bool:
    match described:
        case inspect.AnyType():
            return True
        case inspect.UnionType(types=types):
            return any(map(untyped, types))
        case inspect.ListType(item_type=item):
            return untyped(item)
        case inspect.DictType(key_type=key, value_type=value):
            return untyped(key) or untyped(value)
        case _:
            return False


@pytest.mark.parametrize("name", ["Transcription", "Accepted"])
def test_the_raw_body_is_given_back_with_unknown_fields(name: str) -> None:
    sample = SAMPLES[name][1]
    document = {**sample, "not_invented_yet": [1, None]}
    body = msgspec.json.format(msgspec.json.encode(document), indent=3)
    answer, same = decode(name, document), decode(name, document)
    assert isinstance(answer, Answer)

    attach_raw(answer, body)

    assert answer.raw == body
    assert answer.to_dict() == document
    assert answer.to_json() == body.decode()
    assert answer == same, "what was kept is no part of the value"
    assert repr(answer) == repr(same)


def test_an_answer_has_no_raw_body_unless_one_was_attached() -> None:
    answer = decode("Accepted", {**SAMPLES["Accepted"][1], "not_invented_yet": 1})
    assert isinstance(answer, Answer)
    assert answer.raw is None
    assert answer.to_dict() == SAMPLES["Accepted"][1]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_model_cannot_be_changed(name: str) -> None:
    value = decode(name, SAMPLES[name][1])
    field = msgspec.structs.fields(value)[0].name
    with pytest.raises(AttributeError):
        setattr(value, field, None)
