from typing import Any

import pytest

from deepgram_async._protocol.rules_flux import check, check_change
from deepgram_async.errors import OptionError

EN: dict[str, Any] = {"model": "flux-general-en"}
MULTI: dict[str, Any] = {"model": "flux-general-multi"}


@pytest.mark.parametrize(
    "options",
    [
        EN,
        MULTI,
        {"model": "flux-not-invented-yet"},
        EN | {"encoding": "linear16", "sample_rate": 44100},
        EN | {"encoding": "ogg-opus"},
        EN | {"encoding": None, "sample_rate": None, "keyterm": None, "redact": None},
        *(EN | {"eot_threshold": value} for value in (0.5, 0.7, 0.9, 1.0, 1)),
        *(EN | {"eager_eot_threshold": value, "eot_threshold": 0.9} for value in (0.3, 0.9)),
        EN | {"eager_eot_threshold": 0.7},
        *(EN | {"eot_timeout_ms": value} for value in (500, 60000)),
        EN | {"keyterm": ["term"] * 100},
        EN | {"keyterm": "one term of more than a hundred characters" * 3},
        MULTI | {"language_hint": ["en", "pt-BR"]},
        EN | {"language_hint": ()},
        *(EN | {"redact": value} for value in ("numbers", "aggressive_numbers")),
    ],
)
def test_good_options_pass(options: dict[str, Any]) -> None:
    check(options)


@pytest.mark.parametrize(
    ("options", "option", "rule"),
    [
        ({}, "model", "Flux needs a model"),
        ({"model": "nova-3"}, "model", "Flux has models of its own, .* not nova-3"),
        (EN | {"encoding": "flac"}, "encoding", "linear16, .* and ogg-opus, not flac"),
        (EN | {"sample_rate": 22050}, "sample_rate", "and 48000 Hz, not 22050"),
        (EN | {"encoding": "linear16"}, "sample_rate", "encoding=linear16 needs sample_rate"),
        (EN | {"encoding": "mulaw"}, "sample_rate", "encoding=mulaw needs sample_rate"),
        (EN | {"eot_threshold": 0.49}, "eot_threshold", "from 0.5 to 1, not 0.49"),
        (EN | {"eot_threshold": 1.01}, "eot_threshold", "from 0.5 to 1, not 1.01"),
        (EN | {"eot_threshold": float("nan")}, "eot_threshold", "from 0.5 to 1, not nan"),
        (EN | {"eager_eot_threshold": 0.2}, "eager_eot_threshold", "from 0.3 to 0.9, not 0.2"),
        (EN | {"eager_eot_threshold": 0.95}, "eager_eot_threshold", "from 0.3 to 0.9"),
        (
            EN | {"eager_eot_threshold": 0.8, "eot_threshold": 0.6},
            "eager_eot_threshold",
            "less than or equal to eot_threshold, which is 0.6, not 0.8",
        ),
        (EN | {"eager_eot_threshold": 0.8}, "eager_eot_threshold", "which is 0.7, not 0.8"),
        (EN | {"eot_timeout_ms": 499}, "eot_timeout_ms", "from 500 to 60000, not 499"),
        (EN | {"eot_timeout_ms": 60001}, "eot_timeout_ms", "from 500 to 60000, not 60001"),
        (EN | {"keyterm": ["term"] * 101}, "keyterm", "at most 100 keyterms, not 101"),
        (EN | {"language_hint": "en"}, "language_hint", "flux-general-multi only, not flux-gen"),
        (MULTI | {"language_hint": ""}, "language_hint", "must not be empty"),
        (MULTI | {"language_hint": ["en", " "]}, "language_hint", "must not be empty"),
        (EN | {"redact": "pci"}, "redact", "numbers and aggressive_numbers only, not 'pci'"),
    ],
)
def test_a_broken_rule_is_told_in_words(options: dict[str, Any], option: str, rule: str) -> None:
    with pytest.raises(OptionError, match=rule) as caught:
        check(options)
    assert caught.value.option == option


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"eager_eot_threshold": 0.9},  # what it is compared with is known to the service only
        {"eager_eot_threshold": 0.5, "eot_threshold": 0.5, "eot_timeout_ms": 500},
        {"keyterms": ["term"] * 100},
        {"keyterms": "term"},
    ],
)
def test_a_good_change_passes(changes: dict[str, Any]) -> None:
    check_change(changes)


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"eot_threshold": 0.4}, "eot_threshold"),
        ({"eager_eot_threshold": 0.6, "eot_threshold": 0.5}, "eager_eot_threshold"),
        ({"eot_timeout_ms": 0}, "eot_timeout_ms"),
        ({"keyterms": ["term"] * 101}, "keyterms"),
    ],
)
def test_a_bad_change_is_refused(changes: dict[str, Any], option: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_change(changes)
    assert caught.value.option == option
