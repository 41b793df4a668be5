"""What the documentation says that text to speech refuses, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from deepgram_async._protocol.speech_text import MARK, require_text
from deepgram_async.errors import OptionError

__all__ = [
    "AURA_FORMATS",
    "FLUX_FORMATS",
    "LONGEST_TEXT",
    "RAW_ENCODINGS",
    "Format",
    "check_flux",
    "check_flux_live",
    "check_flux_text",
    "check_live",
    "check_speed",
    "check_speak",
]

LONGEST_TEXT: Final = 2000
"""Characters of one `/v1/speak` request or message (Deepgram docs, "TTS limits")."""

_MOST_PAUSES: Final = 8
_MOST_PRONUNCIATIONS: Final = 500
# Faster speech has no room for pauses.
_FASTEST_WITH_PAUSE: Final = 1.15
_PAUSE: Final = re.compile(r"\s*pause\s*:\s*(.*?)\s*", re.DOTALL)
_PAUSE_MS: Final = re.compile(r"(\d+)ms")


class Format(NamedTuple):
    """What goes together with an encoding; ``None`` stands for anything."""

    containers: tuple[str, ...]
    sample_rates: tuple[int, ...] | None
    bit_rates: tuple[int, ...] | None


_TELEPHONE: Final = Format(("wav", "none"), (8000, 16000), ())
# Deepgram docs, "TTS media output settings". The ranges of opus and aac are not documented there.
AURA_FORMATS: Final[dict[str, Format]] = {
    "linear16": Format(("wav", "none"), (8000, 16000, 24000, 32000, 48000), ()),
    "mulaw": _TELEPHONE,
    "alaw": _TELEPHONE,
    "mp3": Format(("none",), (22050,), (32000, 48000)),
    "opus": Format(("ogg",), (48000,), None),
    "flac": Format(("none",), None, ()),
    "aac": Format(("none",), None, None),
}
FLUX_FORMATS: Final[dict[str, Format]] = {
    "linear16": Format(("wav", "none"), (8000, 16000, 24000, 32000, 44100, 48000), ()),
    "mulaw": _TELEPHONE,
    "alaw": _TELEPHONE,
    "mp3": Format(("none",), None, (8000, 16000, 24000, 32000, 40000, 48000)),
    "opus": Format(("ogg",), None, None),
    "flac": Format(("none",), (8000, 16000, 22050, 32000, 48000), ()),
    "aac": Format(("none",), None, None),
}
RAW_ENCODINGS: Final = ("linear16", "mulaw", "alaw")


def check_speak(text: str, options: Mapping[str, object]) -> None:
    """Check a request to `/v1/speak`.

    Raises:
        OptionError: The service refuses it; the message has the rule in words.
    """
    _check_present(text)
    if len(text) > LONGEST_TEXT:
        raise OptionError(
            f"text has {len(text)} characters, and one request takes {LONGEST_TEXT}: "
            "split it, or use live()",
            option="text",
        )
    _check_aura(options)
    _check_format(AURA_FORMATS, options, default="mp3")


def check_live(options: Mapping[str, object]) -> None:
    """Check a `/v1/speak` socket.

    Raises:
        OptionError: The service refuses it; the message has the rule in words.
    """
    _check_aura(options)
    _check_raw(options)
    _check_format(AURA_FORMATS, options, default="linear16")


def check_flux(text: str, options: Mapping[str, object]) -> None:
    """Check a request to `/v2/speak`.

    Raises:
        OptionError: The service refuses it; the message has the rule in words.
    """
    _check_present(text)
    _check_flux_voice(options)
    _check_format(FLUX_FORMATS, options, default="mp3")
    _check_marks(text, options.get("speed"))


def check_flux_live(options: Mapping[str, object]) -> None:
    """Check a `/v2/speak` socket.

    Raises:
        OptionError: The service refuses it; the message has the rule in words.
    """
    _check_flux_voice(options)
    _check_raw(options)
    _check_format(FLUX_FORMATS, options, default="linear16")


def check_flux_text(text: str) -> None:
    """Check a text for a `/v2/speak` socket.

    Raises:
        OptionError: It has a pause, which would end the stream.
    """
    if any(_PAUSE.fullmatch(found.group(1)) for found in MARK.finditer(text)):
        raise OptionError(
            "pauses are for requests, use dg.speak.flux.generate(): on the socket they end "
            "the stream",
            option="text",
        )


def check_speed(speed: object) -> None:
    """Check the speed of a Flux voice.

    Raises:
        OptionError: The service has no such speed.
    """
    if isinstance(speed, int | float) and not (
        0.5 <= speed <= 1.5 and abs(speed * 20 - round(speed * 20)) < 1e-6
    ):
        raise OptionError(
            f"speed={speed!r}: Flux voices take 0.5 to 1.5 in steps of 0.05", option="speed"
        )


def _check_present(text: str) -> None:
    require_text(text)
    if not text.strip():
        raise OptionError("text is empty", option="text")


def _check_aura(options: Mapping[str, object]) -> None:
    model = options.get("model")
    if isinstance(model, str) and model.startswith("flux-"):
        raise OptionError(f"model={model!r} is a Flux voice: use dg.speak.flux", option="model")
    speed = options.get("speed")
    if isinstance(speed, int | float) and not 0.7 <= speed <= 1.5:
        raise OptionError(f"speed={speed!r}: Aura voices take 0.7 to 1.5", option="speed")


def _check_flux_voice(options: Mapping[str, object]) -> None:
    model = options.get("model")
    if not isinstance(model, str) or not model.startswith("flux-"):
        said = "is missing" if model is None else f"{model!r} is no Flux voice"
        raise OptionError(
            f"model {said}: there is no default, give one such as 'flux-alexis-en'", option="model"
        )
    check_speed(options.get("speed"))
    expressivity = options.get("expressivity")
    if isinstance(expressivity, int | float) and expressivity not in range(-2, 3):
        raise OptionError(
            f"expressivity={expressivity!r}: it is a whole number from -2 to 2",
            option="expressivity",
        )


def _check_raw(options: Mapping[str, object]) -> None:
    encoding = options.get("encoding")
    if encoding is not None and encoding not in RAW_ENCODINGS:
        raise OptionError(
            f"encoding={encoding!r}: a stream is raw audio, {_listed(RAW_ENCODINGS)}",
            option="encoding",
        )


def _check_format(
    formats: Mapping[str, Format], options: Mapping[str, object], *, default: str
) -> None:
    encoding = options.get("encoding") or default
    known = formats.get(str(encoding))
    if known is None:
        return  # newer than this release, or a mistake: the service knows
    given = f"encoding={encoding!r}" + ("" if options.get("encoding") else " (the default)")
    for name, allowed in (
        ("container", known.containers),
        ("sample_rate", known.sample_rates),
        ("bit_rate", known.bit_rates),
    ):
        value = options.get(name)
        if value is None or allowed is None or value in allowed:
            continue
        rule = f"goes with {name} {_listed(allowed)} only" if allowed else f"has no {name}"
        raise OptionError(f"{name}={value!r}: {given} {rule}", option=name)


def _check_marks(text: str, speed: object) -> None:
    marks = [found.group(1) for found in MARK.finditer(text)]
    pauses = [found.group(1) for mark in marks if (found := _PAUSE.fullmatch(mark))]
    pronunciations = len(marks) - len(pauses)
    rate = speed if isinstance(speed, int | float) else 1.0
    for length in pauses:
        found = _PAUSE_MS.fullmatch(length)
        milliseconds = int(found.group(1)) if found else 0
        if not 500 <= milliseconds <= 3000 or milliseconds % 100:
            raise OptionError(
                f"pause:{length}: a pause takes 500ms to 3000ms in steps of 100", option="text"
            )
    for is_broken, rule in (
        (len(pauses) > _MOST_PAUSES, f"a text takes at most {_MOST_PAUSES} pauses"),
        (
            pronunciations > _MOST_PRONUNCIATIONS,
            f"a text takes at most {_MOST_PRONUNCIATIONS} pronunciations",
        ),
        (bool(pauses and pronunciations), "pauses and pronunciations exclude each other"),
        (
            bool(pauses) and rate > _FASTEST_WITH_PAUSE,
            f"pauses go with a speed of at most {_FASTEST_WITH_PAUSE}",
        ),
        (bool(pronunciations) and rate != 1.0, "pronunciations go with the speed 1.0 only"),
    ):
        if is_broken:
            raise OptionError(rule, option="text")


def _listed(values: tuple[object, ...]) -> str:
    words = [str(value) for value in values]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
