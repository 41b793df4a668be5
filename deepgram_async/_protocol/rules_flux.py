"""What Flux refuses, so that it is known before anything is sent.

The ranges are those of Deepgram docs, "Flux: configuration" (after August 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from deepgram_async._protocol.listening import terms
from deepgram_async.errors import OptionError

__all__ = ["check", "check_change"]

_MULTILINGUAL: Final = "flux-general-multi"
_ENCODINGS: Final = ("linear16", "linear32", "mulaw", "alaw", "opus", "ogg-opus")
_SAMPLE_RATES: Final = (8000, 16000, 24000, 44100, 48000)
_HEADERLESS: Final = frozenset({"linear16", "linear32", "mulaw", "alaw"})
_REDACTIONS: Final = ("numbers", "aggressive_numbers")
_MOST_KEYTERMS: Final = 100
_RANGES: Final = {
    "eot_threshold": (0.5, 1.0),
    "eager_eot_threshold": (0.3, 0.9),
    "eot_timeout_ms": (500, 60000),
}
_DEFAULT_EOT_THRESHOLD: Final = 0.7


def check(options: Mapping[str, object]) -> None:
    """Refuse options that the service refuses; their types are right already.

    Raises:
        OptionError: A rule is broken; the message is the rule.
    """
    model = options.get("model")
    if not isinstance(model, str):
        raise OptionError(
            "Flux needs a model: flux-general-en or flux-general-multi", option="model"
        )
    if not model.startswith("flux-"):
        raise OptionError(
            f"Flux has models of its own, flux-general-en and {_MULTILINGUAL}, not {model}",
            option="model",
        )
    _check_audio(options)
    _check_ranges(options)
    _check_order(options, _DEFAULT_EOT_THRESHOLD)
    _check_keyterms("keyterm", options.get("keyterm"))
    hints = terms(options.get("language_hint"))  # type: ignore[arg-type]  # the types are checked
    if hints and model != _MULTILINGUAL:
        raise OptionError(
            f"language_hint is for {_MULTILINGUAL} only, not {model}", option="language_hint"
        )
    if hints and not all(hint.strip() for hint in hints):
        raise OptionError("language_hint must not be empty", option="language_hint")
    redact = options.get("redact")
    if redact is not None and redact not in _REDACTIONS:
        raise OptionError(
            f"Flux redacts {_listed(_REDACTIONS)} only, not {redact!r}", option="redact"
        )


def check_change(changes: Mapping[str, object]) -> None:
    """Refuse a change of the configuration that the service refuses.

    Raises:
        OptionError: A rule is broken; the message is the rule.
    """
    _check_ranges(changes)
    _check_order(changes, None)
    _check_keyterms("keyterms", changes.get("keyterms"))


def _check_audio(options: Mapping[str, object]) -> None:
    encoding, rate = options.get("encoding"), options.get("sample_rate")
    if encoding is not None and encoding not in _ENCODINGS:
        raise OptionError(f"Flux reads {_listed(_ENCODINGS)}, not {encoding}", option="encoding")
    if rate is not None and rate not in _SAMPLE_RATES:
        raise OptionError(
            f"Flux reads {_listed(_SAMPLE_RATES)} Hz, not {rate}", option="sample_rate"
        )
    if encoding in _HEADERLESS and rate is None:
        raise OptionError(
            f"encoding={encoding} needs sample_rate: it has no header", option="sample_rate"
        )


def _check_ranges(values: Mapping[str, object]) -> None:
    for name, (low, high) in _RANGES.items():
        value = values.get(name)
        # The negation catches NaN.
        if isinstance(value, int | float) and not low <= value <= high:
            raise OptionError(
                f"{name} must be from {low:g} to {high:g}, not {value:g}", option=name
            )


def _check_order(values: Mapping[str, object], default: float | None) -> None:
    eager, final = values.get("eager_eot_threshold"), values.get("eot_threshold")
    final = default if final is None else final
    if isinstance(eager, int | float) and isinstance(final, int | float) and eager > final:
        raise OptionError(
            "eager_eot_threshold must be less than or equal to eot_threshold, "
            f"which is {final:g}, not {eager:g}",
            option="eager_eot_threshold",
        )


def _check_keyterms(name: str, given: object) -> None:
    count = len(terms(given) or ())  # type: ignore[arg-type]  # the types are checked
    if count > _MOST_KEYTERMS:
        raise OptionError(f"Flux takes at most {_MOST_KEYTERMS} keyterms, not {count}", option=name)


def _listed(values: tuple[object, ...]) -> str:
    *first, last = map(str, values)
    return f"{', '.join(first)} and {last}"
