"""What stands between escaped braces in a text: pronunciations and pauses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from deepgram_async._protocol.speech_text import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MarkError", "Script", "check_speed", "has_words", "read_script"]

_PAUSE: Final = re.compile(r"\s*pause\s*:\s*(.*?)\s*", re.DOTALL)
_PAUSE_MS: Final = re.compile(r"([0-9]+)ms")
_MOST_PAUSES: Final = 8
_MOST_PRONUNCIATIONS: Final = 500
_FASTEST_WITH_PAUSE: Final = 1.15
# The service's own limit is not documented; longer than any word.
_LONGEST_WORD: Final = 100


class MarkError(ValueError):
    """A text cannot be spoken with these marks; `code` is the service's word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Script:
    """A text as it is spoken: words, and silence in seconds."""

    parts: tuple[str | float, ...]
    characters: int
    """As they were sent."""
    billable_characters: int
    """Without the marks."""
    pronunciations: int = 0
    pauses: int = 0
    warnings: tuple[str, ...] = ()
    """Codes for pronunciations that could not be used."""

    @property
    def controls_applied(self) -> dict[str, int]:
        """The account of the marks."""
        return {
            "pronunciations_applied": self.pronunciations,
            "breaks_applied": self.pauses,
            "pronunciation_warnings": len(self.warnings),
        }

    @property
    def has_words(self) -> bool:
        """Whether there is anything to say."""
        return any(isinstance(part, str) and has_words(part) for part in self.parts)


class _Pronunciation(msgspec.Struct):
    word: str
    pronounce: str


def has_words(text: str) -> bool:
    """Tell whether there is anything to say in a text."""
    return any(map(str.isalnum, text))


def read_script(text: str) -> Script:
    """Read the marks of a text; its words are spoken as they are written.

    Raises:
        MarkError: A pause is not one of those that the service makes, or there are too many marks.
    """
    parts: list[str | float] = []
    pronunciations = pauses = marked = at = 0
    warnings: list[str] = []
    for found in MARK.finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
        marked += len(found.group())
        if pause := _PAUSE.fullmatch(found.group(1)):
            parts.append(_pause_s(pause.group(1)))
            pauses += 1
            continue
        word = _word("{" + found.group(1) + "}")
        if word is None:
            warnings.append("PRON-001")
        elif len(word) > _LONGEST_WORD:
            warnings.append("PRON-002")
        else:
            parts.append(word)
            marked -= len(word)
            pronunciations += 1
    parts.append(text[at:])
    if pauses > _MOST_PAUSES:
        raise MarkError("BREAKS_LIMIT_EXCEEDED", f"A text takes at most {_MOST_PAUSES} pauses.")
    if pronunciations > _MOST_PRONUNCIATIONS:
        limit = f"A text takes at most {_MOST_PRONUNCIATIONS} pronunciations."
        raise MarkError("PRONUNCIATIONS_LIMIT_EXCEEDED", limit)
    return Script(
        parts=tuple(_joined(parts)),
        characters=len(text),
        billable_characters=len(text) - marked,
        pronunciations=pronunciations,
        pauses=pauses,
        warnings=tuple(warnings),
    )


def check_speed(script: Script, speed: float) -> None:
    """Refuse a speed that does not go with the marks.

    Raises:
        MarkError: The service refuses the two together.
    """
    if script.pauses and script.pronunciations:
        both = "Pauses and pronunciations exclude each other."
        raise MarkError("CONTROL_COMBINATION_INVALID", both)
    if script.pauses and speed > _FASTEST_WITH_PAUSE:
        limit = f"Pauses go with a speed of at most {_FASTEST_WITH_PAUSE}."
        raise MarkError("PAUSE_SPEED_CAP_EXCEEDED", limit)
    if script.pronunciations and speed != 1.0:
        only = "Pronunciations go with the speed 1.0 only."
        raise MarkError("CONTROL_COMBINATION_INVALID", only)


def _pause_s(length: str) -> float:
    found = _PAUSE_MS.fullmatch(length)
    if found is None:
        raise MarkError("BREAK_SYNTAX_INVALID", f"A pause is written as 500ms, not {length!r}.")
    milliseconds = int(found.group(1))
    if not 500 <= milliseconds <= 3000:
        raise MarkError("BREAK_OUT_OF_RANGE", "A pause takes 500 to 3000 ms.")
    if milliseconds % 100:
        raise MarkError("BREAK_INCREMENT_INVALID", "A pause takes a multiple of 100 ms.")
    return milliseconds / 1000


def _word(mark: str) -> str | None:
    try:
        return msgspec.json.decode(mark, type=_Pronunciation).word
    except msgspec.DecodeError:
        return None


def _joined(parts: list[str | float]) -> Iterator[str | float]:
    """Put words together that only a mark has parted, so that a sentence stays one."""
    words = ""
    for part in parts:
        if isinstance(part, str):
            words += part
            continue
        if words:
            yield words
        words = ""
        yield part
    if words:
        yield words
