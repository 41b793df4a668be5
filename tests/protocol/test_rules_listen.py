from collections.abc import Callable, Mapping
from typing import Any

import pytest

from deepgram_async._protocol.rules_listen import check_live, check_prerecorded
from deepgram_async.errors import OptionError

Check = Callable[[Mapping[str, object]], None]
BOTH = pytest.mark.parametrize("check", [check_prerecorded, check_live])
CUSTOM = "3b3aabe4-608a-46ac-9585-7960a25daf1a"


@BOTH
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"model": "nova-3", "keyterm": ["a", "b"]},
        {"model": "nova-3-medical", "keyterm": "a"},
        {"model": "nova-2", "keywords": ["a:2"]},
        {"model": "nova-2", "keyterm": []},
        {"model": "nova-3", "keywords": None},
        {"model": CUSTOM, "keyterm": "a"},
        {"model": CUSTOM, "keywords": "a"},
        {"model": "custom", "keyterm": "a"},
        {"model": "nova-4-not-invented-yet", "keyterm": "a", "keywords": "b"},
        {"keyterm": "a", "keywords": "b"},
        {"diarize": True},
        {"diarize_model": "v1"},
        {"diarize": None, "diarize_model": "latest"},
        {"diarize": False, "diarize_model": "latest"},
        {"keyterm": [f"term {number}" for number in range(250)]},
        {"model": "nova-2", "language": "en", "language_hint": "fr"},
    ],
)
def test_good_options_pass(check: Check, options: dict[str, Any]) -> None:
    check(options)


@BOTH
@pytest.mark.parametrize(
    ("options", "option", "rule"),
    [
        ({"model": "nova-2", "keyterm": "a"}, "keyterm", "keyterm needs Nova-3: use keywords with"),
        ({"model": "nova-2-medical", "keyterm": ["a"]}, "keyterm", "with nova-2-medical"),
        ({"model": "base", "keyterm": ["a"]}, "keyterm", "keyterm needs Nova-3"),
        ({"model": "nova-3", "keywords": "a:2"}, "keywords", "Nova-2 and older: use keyterm"),
        ({"model": "nova-3-general", "keywords": ["a"]}, "keywords", "with nova-3-general"),
        ({"diarize": True, "diarize_model": "v1"}, "diarize", "exclude each other"),
        ({"keyterm": [f"term {number}" for number in range(251)]}, "keyterm", "at most 500 tokens"),
        ({"model": "flux-general-en"}, "model", r"use dg\.listen\.flux\(model='flux-general-en'\)"),
    ],
)
def test_a_broken_rule_is_told_in_words(
    check: Check, options: dict[str, Any], option: str, rule: str
) -> None:
    with pytest.raises(OptionError, match=rule) as caught:
        check(options)
    assert caught.value.option == option


@pytest.mark.parametrize(
    "options",
    [
        {"model": "whisper-large"},
        {"diarize_model": "v2"},
        {"encoding": "linear16"},
        {"custom_topic": ["topic"] * 100},
    ],
)
def test_prerecorded_audio_may_have_what_live_audio_may_not(options: dict[str, Any]) -> None:
    check_prerecorded(options)


def test_too_many_topics_are_refused() -> None:
    with pytest.raises(OptionError, match="at most 100 of custom_topic are taken, not 101"):
        check_prerecorded({"topics": True, "custom_topic": ["topic"] * 101})


@pytest.mark.parametrize(
    "options",
    [
        {"utterance_end_ms": 1000, "interim_results": True},
        {"utterance_end_ms": None},
        {"encoding": "linear16", "sample_rate": 16000},
        {"encoding": "opus"},
        {"sample_rate": 16000},
        {"diarize_model": "latest"},
        {"model": "whispering-not-invented-yet"},
    ],
)
def test_good_options_of_live_audio_pass(options: dict[str, Any]) -> None:
    check_live(options)


@pytest.mark.parametrize(
    ("options", "option", "rule"),
    [
        ({"model": "whisper"}, "model", "whisper does not stream"),
        ({"model": "whisper-large"}, "model", "Whisper is for prerecorded audio only"),
        ({"diarize_model": "v2"}, "diarize_model", "diarize_model=v2 is for prerecorded"),
        ({"utterance_end_ms": 1000}, "utterance_end_ms", "needs interim_results=True"),
        (
            {"utterance_end_ms": 1000, "interim_results": False},
            "utterance_end_ms",
            "needs interim_results=True",
        ),
        *(
            ({"encoding": name}, "sample_rate", f"encoding={name} needs sample_rate")
            for name in ("linear16", "linear32", "mulaw", "alaw")
        ),
    ],
)
def test_a_broken_rule_of_live_audio_is_told_in_words(
    options: dict[str, Any], option: str, rule: str
) -> None:
    with pytest.raises(OptionError, match=rule) as caught:
        check_live(options)
    assert caught.value.option == option
