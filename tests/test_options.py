import ast
import inspect
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from deepgram_async.options import (
    IntelligenceOptions,
    ListenModel,
    ListenOptions,
    LiveOptions,
    _account,
    _speech,
    _voice,
)

COMMON = set(
    "alternatives channels detect_entities diarize diarize_model dictation encoding extra "
    "filler_words keyterm keywords language language_hint mip_opt_out model multichannel numerals "
    "profanity_filter punctuate redact replace sample_rate search smart_format tag tier "
    "version".split()
)
INTELLIGENCE = set(
    "custom_intent custom_intent_mode custom_topic custom_topic_mode intents sentiment summarize "
    "topics".split()
)
PRERECORDED = set(
    "detect_language detect_topics diarize_version measurements paragraphs utt_split "
    "utterances".split()
)
LIVE = set(
    "callback callback_method endpointing interim_results no_delay utterance_end_ms "
    "vad_events".split()
)
REPEATABLE = {
    "custom_intent",
    "custom_topic",
    "detect_language",
    "extra",
    "keyterm",
    "keywords",
    "language_hint",
    "redact",
    "replace",
    "search",
    "tag",
}

SOURCES = (_account, _speech, _voice)


def keys() -> list[tuple[str, str, object]]:
    """Return class, key and type of every option, as they stand in the source."""
    return [
        (name, key, annotation)
        for source in SOURCES
        for name, kind in inspect.getmembers(source, inspect.isclass)
        if kind.__module__ == source.__name__
        for key, annotation in get_type_hints(kind).items()
        if key in inspect.get_annotations(kind)
    ]


def test_prerecorded_audio_has_its_options() -> None:
    assert set(get_type_hints(ListenOptions)) == COMMON | INTELLIGENCE | PRERECORDED


def test_live_audio_has_its_options() -> None:
    assert set(get_type_hints(LiveOptions)) == COMMON | LIVE


def test_text_analysis_has_its_options() -> None:
    assert set(get_type_hints(IntelligenceOptions)) == INTELLIGENCE


def test_no_option_is_required() -> None:
    for kind in (ListenOptions, LiveOptions, IntelligenceOptions):
        assert kind.__required_keys__ == frozenset()


@pytest.mark.parametrize("source", SOURCES)
def test_every_key_of_the_source_has_a_docstring_of_its_own(source: ModuleType) -> None:
    for node in ast.parse(inspect.getsource(source)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        assert ast.get_docstring(node)
        statements = [part for part in node.body if not isinstance(part, ast.Pass)][1:]
        assert len(statements) % 2 == 0, f"{node.name}: a key or a docstring is alone"
        texts: list[str] = []
        for key, text in zip(statements[::2], statements[1::2], strict=True):
            assert isinstance(key, ast.AnnAssign)
            assert isinstance(text, ast.Expr)
            assert isinstance(text.value, ast.Constant)
            texts.append(str(text.value.value))
        assert [text for text in texts if not text.rstrip().endswith(".")] == []
        assert len(set(texts)) == len(texts), f"{node.name}: two keys with the same text"


@pytest.mark.parametrize("kind", [ListenOptions, LiveOptions])
def test_repeatable_options_take_one_string_or_a_sequence(kind: type) -> None:
    types = get_type_hints(kind)
    repeatable = {
        key
        for key, annotation in types.items()
        if any(getattr(part, "__origin__", None) is Sequence for part in get_args(annotation))
    }
    assert repeatable == REPEATABLE & set(types)
    for key in repeatable:
        assert str in get_args(types[key])
        for value in ("one", ["one", "two"], ("one", "two")):
            assert convert({key: value}, kind) == {
                key: value if isinstance(value, str) else list(value)
            }


def convert(given: Mapping[str, object], kind: Any) -> Any:
    return msgspec.convert(given, kind)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"model": "nova-3"}, ListenOptions),
        ({"model": "3b3aabe4-608a-46ac-9585-7960a25daf1a"}, ListenOptions),
        ({"summarize": "v2", "detect_language": ["en", "es"], "redact": True}, ListenOptions),
        ({"summarize": False, "detect_language": True, "utt_split": 0.8}, ListenOptions),
        ({"redact": ["pci", "phone_number"], "diarize_model": "v3"}, ListenOptions),
        ({"encoding": "linear16", "sample_rate": 16000, "channels": 2}, LiveOptions),
        ({"encoding": "not-invented-yet"}, LiveOptions),
        ({"endpointing": False}, LiveOptions),
        ({"endpointing": 300, "utterance_end_ms": 1000, "interim_results": True}, LiveOptions),
        ({"callback": "https://example.com/", "callback_method": "PUT"}, LiveOptions),
    ],
)
def test_good_values_pass_unchanged(given: dict[str, object], kind: type) -> None:
    assert convert(given, kind) == given


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"model": 3}, ListenOptions),
        ({"smart_format": "true"}, ListenOptions),
        ({"punctuate": 1}, ListenOptions),
        ({"summarize": "v3"}, ListenOptions),
        ({"utt_split": "0.8"}, ListenOptions),
        ({"keyterm": [1]}, ListenOptions),
        ({"keyterm": {"deepgram": 2}}, ListenOptions),
        ({"custom_topic_mode": "loose"}, ListenOptions),
        ({"detect_language": 1}, ListenOptions),
        ({"sample_rate": 16000.5}, LiveOptions),
        ({"sample_rate": True}, LiveOptions),
        ({"endpointing": "300"}, LiveOptions),
        ({"callback_method": "PATCH"}, LiveOptions),
    ],
)
def test_a_wrong_value_is_refused_and_named(given: dict[str, object], kind: type) -> None:
    (key,) = given
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{key}"):
        convert(given, kind)


@pytest.mark.parametrize(("name", "key", "annotation"), keys())
def test_types_read_well_in_help(name: str, key: str, annotation: object) -> None:
    assert "Any" not in str(annotation), f"{name}.{key}"
    assert "ForwardRef" not in str(annotation), f"{name}.{key}"
    assert None not in get_args(annotation), "what is not given is left out"


def test_models_are_listed_once() -> None:
    names = get_args(ListenModel)
    assert len(set(names)) == len(names)
    assert {"nova-3", "nova-2-medical", "base", "whisper-large", "custom"} <= set(names)
    assert not [name for name in names if name.startswith("flux")], "Flux has a socket of its own"
