from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum, IntEnum, StrEnum
from typing import TypedDict, get_type_hints
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgram_async._protocol.query import QueryValue, encode_query, option_names
from deepgram_async.errors import OptionError
from deepgram_async.options import IntelligenceOptions, ListenOptions, LiveOptions


class Nothing(TypedDict, total=False):
    """A call without options."""


class Old(str, Enum):  # noqa: UP042 - whose str() is not its value
    NOVA = "nova-3"


class New(StrEnum):
    NOVA = "nova-3"


class Rate(IntEnum):
    WIDE = 16000


def listen(**options: object) -> str:
    return encode_query(options, ListenOptions)


def live(**options: object) -> str:
    return encode_query(options, LiveOptions)


def refusal(options: Mapping[str, object], kind: type = ListenOptions) -> OptionError:
    with pytest.raises(OptionError) as caught:
        encode_query(options, kind)
    return caught.value


# How values are written.


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({}, ""),
        ({"model": "nova-3"}, "model=nova-3"),
        ({"smart_format": True}, "smart_format=true"),
        ({"diarize": False}, "diarize=false"),
        ({"summarize": "v2"}, "summarize=v2"),
        ({"summarize": True}, "summarize=true"),
        ({"utt_split": 0.8}, "utt_split=0.8"),
        ({"utt_split": 1}, "utt_split=1"),
        ({"channels": 2}, "channels=2"),
        ({"keyterm": "one"}, "keyterm=one"),
        ({"keyterm": ["a b", "c"]}, "keyterm=a%20b&keyterm=c"),
        ({"keyterm": ("a", "b", "a")}, "keyterm=a&keyterm=b&keyterm=a"),
        ({"keyterm": {"only"}}, "keyterm=only"),
        ({"keyterm": frozenset({"only"})}, "keyterm=only"),
        ({"keyterm": []}, ""),
        ({"keyterm": ""}, "keyterm="),
        ({"keywords": "word:-1.5"}, "keywords=word:-1.5"),
        ({"search": "a,b/c"}, "search=a,b/c"),
        ({"replace": "a&b=c+d:e#f"}, "replace=a%26b%3Dc%2Bd:e%23f"),
        ({"keyterm": "Zoë ☃"}, "keyterm=Zo%C3%AB%20%E2%98%83"),
        ({"redact": ["pci", "ssn"]}, "redact=pci&redact=ssn"),
        ({"redact": True}, "redact=true"),
        ({"detect_language": ["en", "es"]}, "detect_language=en&detect_language=es"),
        ({"model": Old.NOVA}, "model=nova-3"),
        ({"model": New.NOVA}, "model=nova-3"),
        ({"keyterm": [New.NOVA, Old.NOVA]}, "keyterm=nova-3&keyterm=nova-3"),
        ({"sample_rate": Rate.WIDE}, "sample_rate=16000"),
        ({"model": "nova-3", "punctuate": True}, "model=nova-3&punctuate=true"),
        ({"punctuate": True, "model": "nova-3"}, "punctuate=true&model=nova-3"),
    ],
)
def test_options_are_written(options: dict[str, object], query: str) -> None:
    assert listen(**options) == query


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({"endpointing": 300}, "endpointing=300"),
        ({"endpointing": False}, "endpointing=false"),
        ({"interim_results": True, "vad_events": True}, "interim_results=true&vad_events=true"),
        ({"callback": "https://x.example/?a=1"}, "callback=https://x.example/%3Fa%3D1"),
    ],
)
def test_live_options_are_written(options: dict[str, object], query: str) -> None:
    assert live(**options) == query


def test_a_number_is_not_taken_for_the_boolean_that_equals_it() -> None:
    assert encode_query({"smart_format": True}, ListenOptions) == "smart_format=true"
    with pytest.raises(OptionError, match="smart_format"):
        encode_query({"smart_format": 1}, ListenOptions)


def test_a_list_that_grows_is_written_as_it_is_now() -> None:
    options = {"tag": ["a"]}
    assert encode_query(options, ListenOptions) == "tag=a"
    options["tag"].append("b")
    assert encode_query(options, ListenOptions) == "tag=a&tag=b"


def test_none_is_not_sent() -> None:
    assert listen(model=None, keyterm=None, language="en") == "language=en"


def test_extra_keys_come_after_the_options() -> None:
    query = encode_query({"model": "nova-3"}, ListenOptions, {"brand_new": [1, True, "x"]})
    assert query == "model=nova-3&brand_new=1&brand_new=true&brand_new=x"


def test_extra_dates_are_written_in_iso_8601() -> None:
    extra: dict[str, QueryValue] = {
        "since": date(2026, 1, 31),
        "at": [datetime(2026, 1, 31, 10, 20, 30, 999, UTC)],
    }
    query = encode_query({}, Nothing, extra)
    assert query == "since=2026-01-31&at=2026-01-31T10:20:30%2B00:00"


def test_extra_keys_may_have_any_name_and_need_no_options() -> None:
    assert encode_query({}, Nothing, {"a b&c": 1.5}) == "a%20b%26c=1.5"


def test_empty_extra_adds_nothing() -> None:
    assert encode_query({"model": "nova-3"}, ListenOptions, {}) == "model=nova-3"


# What is refused.


def test_an_unknown_option_suggests_the_nearest() -> None:
    error = refusal({"smart_fromat": True})
    assert error.option == "smart_fromat"
    assert error.message == "unknown option 'smart_fromat': did you mean 'smart_format'?"


def test_an_option_like_no_other_is_pointed_to_extra_query() -> None:
    error = refusal({"zzz": 1})
    assert error.option == "zzz"
    assert "extra_query" in error.message


def test_an_option_of_another_call_is_pointed_there() -> None:
    for name in ("callback", "callback_method"):
        error = refusal({name: "POST"})
        assert error.option == name
        assert "submit(..., callback=..." in error.message


def test_an_unknown_option_that_is_none_is_not_sent_either() -> None:
    assert listen(zzz=None) == ""


def test_every_call_knows_only_its_own_options() -> None:
    assert refusal({"interim_results": True}).option == "interim_results"
    assert refusal({"utterances": True}, LiveOptions).option == "utterances"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"model": 3}, "option model: Expected `str`, got `int`"),
        ({"smart_format": "true"}, "option smart_format: Expected `bool`, got `str`"),
        ({"punctuate": 1}, "option punctuate: Expected `bool`, got `int`"),
        ({"utt_split": "0.8"}, "option utt_split: Expected `float`, got `str`"),
        ({"channels": 1.5}, "option channels: Expected `int`, got `float`"),
        ({"keyterm": ["a", 1]}, "option keyterm: Expected `str`, got `int`"),
        ({"keyterm": ["a", None]}, "option keyterm: Expected `str`, got `null`"),
        ({"keyterm": b"bytes"}, "option keyterm: Expected `str | array`, got `bytes`"),
        ({"keyterm": {"a": 1}}, "option keyterm: Expected `str | array`, got `object`"),
        ({"summarize": "v3"}, "option summarize: Invalid enum value 'v3'"),
        ({"keyterm": "\ud800"}, "option keyterm: the text is not valid Unicode"),
    ],
)
def test_a_wrong_value_is_refused_by_name(options: dict[str, object], reason: str) -> None:
    error = refusal(options)
    assert error.message == reason
    assert [error.option] == list(options)


@pytest.mark.parametrize("value", [None, b"ab", bytearray(b"ab"), {"a": 1}, object(), [["a"]]])
def test_an_extra_value_that_no_query_can_hold_is_refused(value: QueryValue) -> None:
    with pytest.raises(OptionError, match="option brand_new: cannot send") as caught:
        encode_query({}, ListenOptions, {"brand_new": value})
    assert caught.value.option == "brand_new"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_refused(value: float) -> None:
    assert refusal({"utt_split": value}).message == f"option utt_split: cannot send {value}"


@pytest.mark.parametrize("name", [1, None, b"model", "\ud800"])
def test_an_extra_key_that_is_no_text_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match="is not the name of an option"):
        encode_query({}, ListenOptions, {name: "x"})


def test_a_refused_option_is_a_type_error_too() -> None:
    with pytest.raises(TypeError, match="zzz"):
        listen(zzz=1)


def test_options_of_the_caller_are_not_changed() -> None:
    options: dict[str, object] = {"model": None, "keyterm": ["a"]}
    encode_query(options, ListenOptions)
    assert options == {"model": None, "keyterm": ["a"]}


@pytest.mark.parametrize("kind", [IntelligenceOptions, ListenOptions, LiveOptions, Nothing])
def test_option_names_include_those_of_the_bases(kind: type) -> None:
    assert set(option_names(kind)) == set(get_type_hints(kind))


# What is written can be read.

scalars = (
    st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
)
extras = st.dictionaries(st.text(min_size=1), scalars | st.lists(scalars, max_size=4), max_size=5)


def plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@given(extras)
def test_a_query_reads_back_as_what_was_written(extra: dict[str, QueryValue]) -> None:
    query = encode_query({}, Nothing, extra)
    expected = [
        (name, plain(item))
        for name, value in extra.items()
        for item in (value if isinstance(value, list) else [value])
    ]
    assert parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)) == expected


@given(st.lists(st.text()), st.text())
def test_words_read_back_as_they_were_written(keyterms: list[str], replacement: str) -> None:
    query = listen(keyterm=keyterms, replace=replacement)
    expected = [*(("keyterm", word) for word in keyterms), ("replace", replacement)]
    assert parse_qsl(query, keep_blank_values=True) == expected


@given(extras)
def test_a_query_needs_no_further_quoting(extra: dict[str, QueryValue]) -> None:
    query = encode_query({}, Nothing, extra)
    assert query.isascii()
    assert not set(query) & set(' "#+<>?[]\\^`{|}')
