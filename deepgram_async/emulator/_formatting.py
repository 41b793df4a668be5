"""What the options make of recognised words before they are written down. Pure functions.

English only, as the words are. Words that become one keep the first one's beginning and the last
one's end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from ._numerals import with_numerals
from ._wire import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._recognizers import RecognizedWord

__all__ = ["NUMBER_REDACTIONS", "Formatting", "format_words"]

Words = list["RecognizedWord"]

# Documented ("Numerals"): all numbers; smart formatting leaves small ones in words.
_LEAST_SMART_NUMERAL: Final = 10
# How many digits in a row each kind of redaction takes away (Deepgram docs, "Redaction").
NUMBER_REDACTIONS: Final[dict[str, Callable[[int], bool]]] = {
    "true": lambda digits: digits >= 3,
    "numbers": lambda digits: digits >= 3,
    "aggressive_numbers": lambda digits: digits >= 1,
    "pci": lambda digits: 13 <= digits <= 19,
    "ssn": lambda digits: digits == 9,
}
_NUMERAL: Final = re.compile(r"[$(]*\d[\d,.:/-]*%?\W*")
_MASK: Final = "****"
_PROFANE: Final = re.compile(
    r"(mother|bull|horse|dip)?(fuck|shit)\w*|ass(hole|holes)|bitch\w*|bastards?|dickheads?"
    r"|wank\w*|twats?|pricks?|(god)?damn\w*|piss(ed|ing)?|cocksucker\w*|arseholes?|bollocks",
    re.IGNORECASE,
)
_DICTATED: Final = {
    ("comma",): ",",
    ("period",): ".",
    ("full", "stop"): ".",
    ("colon",): ":",
    ("semicolon",): ";",
    ("question", "mark"): "?",
    ("exclamation", "mark"): "!",
    ("exclamation", "point"): "!",
}
_UNITS: Final = {
    **dict.fromkeys(("millimeter", "millimeters"), "mm"),
    **dict.fromkeys(("centimeter", "centimeters"), "cm"),
    **dict.fromkeys(("meter", "meters"), "m"),
    **dict.fromkeys(("kilometer", "kilometers"), "km"),
    **dict.fromkeys(("inch", "inches"), "in"),
    **dict.fromkeys(("foot", "feet"), "ft"),
    **dict.fromkeys(("mile", "miles"), "mi"),
    **dict.fromkeys(("milligram", "milligrams"), "mg"),
    **dict.fromkeys(("gram", "grams"), "g"),
    **dict.fromkeys(("kilogram", "kilograms"), "kg"),
    **dict.fromkeys(("ounce", "ounces"), "oz"),
    **dict.fromkeys(("pound", "pounds"), "lb"),
    **dict.fromkeys(("milliliter", "milliliters"), "ml"),
    **dict.fromkeys(("liter", "liters"), "l"),
}


class Formatting(msgspec.Struct, frozen=True, kw_only=True):
    """What is done to words, in the order of the fields."""

    dictation: bool = False
    numerals: bool = False
    smart_format: bool = False
    measurements: bool = False
    replace: tuple[tuple[str, str], ...] = ()
    """What is found, in lower case, and what is written instead; nothing deletes it."""
    profanity_filter: bool = False
    redact: tuple[str, ...] = ()
    """Of `NUMBER_REDACTIONS`; other names have no effect."""


def format_words(words: Sequence[RecognizedWord], formatting: Formatting) -> Words:
    """Return the words as the options want them."""
    formatted = list(words)
    if formatting.dictation:
        formatted = _dictate(formatted)
    redactions = [NUMBER_REDACTIONS[it] for it in formatting.redact if it in NUMBER_REDACTIONS]
    if formatting.numerals or redactions:
        formatted = with_numerals(formatted, least=0)
    elif formatting.smart_format:
        formatted = with_numerals(formatted, least=_LEAST_SMART_NUMERAL)
    if formatting.smart_format:
        formatted = _add_signs(formatted)
    if formatting.measurements:
        formatted = _abbreviate(formatted)
    for found, written in formatting.replace:
        formatted = _replace(formatted, found, written)
    if formatting.profanity_filter:
        formatted = [_mask(word) for word in formatted]
    if redactions:
        formatted = _redact(formatted, lambda digits: any(fits(digits) for fits in redactions))
    return formatted


def _dictate(words: Words) -> Words:
    written: Words = []
    at = 0
    while at < len(words):
        command = next((it for it in _DICTATED if _is_phrase(words[at : at + len(it)], it)), None)
        if command is not None and written:
            sign = _DICTATED[command]
            written[-1] = _rewritten(written[-1], written[-1].text.rstrip(",.;:?!") + sign)
            at += len(command)
        else:
            written.append(words[at])
            at += 1
    return written


def _add_signs(words: Words) -> Words:
    """Write `25 percent` as `25%`, and `25 dollars` as `$25`."""
    written: Words = []
    for word in words:
        before = written[-1] if written else None
        unit = bare(word.text)
        if before is None or not before.text.replace(".", "", 1).isdecimal():
            written.append(word)
        elif unit == "percent":
            written[-1] = _joined(before, word, f"{before.text}%{_tail(word.text)}")
        elif unit in ("dollar", "dollars"):
            written[-1] = _joined(before, word, f"${before.text}{_tail(word.text)}")
        else:
            written.append(word)
    return written


def _abbreviate(words: Words) -> Words:
    written: Words = []
    for word in words:
        unit = _UNITS.get(bare(word.text))
        if unit is not None and written and bare(written[-1].text)[-1:].isdecimal():
            word = _rewritten(word, unit + _tail(word.text))
        written.append(word)
    return written


def _replace(words: Words, found: str, written: str) -> Words:
    wanted = tuple(found.split())
    result: Words = []
    at = 0
    while at < len(words):
        piece = words[at : at + len(wanted)]
        if not wanted or not _is_phrase(piece, wanted):
            result.append(words[at])
            at += 1
            continue
        if written:
            tail = _tail(piece[-1].text)
            result.append(_joined(piece[0], piece[-1], written + tail))
        at += len(wanted)
    return result


def _mask(word: RecognizedWord) -> RecognizedWord:
    is_profane = _PROFANE.fullmatch(bare(word.text)) is not None
    return _rewritten(word, _MASK + _tail(word.text)) if is_profane else word


def _redact(words: Words, fits: Callable[[int], bool]) -> Words:
    """Cover the digits of numerals in a row, if there are as many as `fits` says."""
    written: Words = []
    run: Words = []
    for word in (*words, None):
        if word is not None and _NUMERAL.fullmatch(word.text):
            run.append(word)
            continue
        digits = sum(letter.isdecimal() for numeral in run for letter in numeral.text)
        written += [_covered(it) for it in run] if run and fits(digits) else run
        run = []
        if word is not None:
            written.append(word)
    return written


def _covered(word: RecognizedWord) -> RecognizedWord:
    return _rewritten(word, re.sub(r"\d", "*", word.text))


def _is_phrase(words: Sequence[RecognizedWord], phrase: tuple[str, ...]) -> bool:
    return tuple(bare(word.text) for word in words) == phrase


def _rewritten(word: RecognizedWord, text: str) -> RecognizedWord:
    return msgspec.structs.replace(word, text=text)


def _joined(first: RecognizedWord, last: RecognizedWord, text: str) -> RecognizedWord:
    confidence = min(first.confidence, last.confidence)
    return msgspec.structs.replace(first, text=text, end=last.end, confidence=confidence)


def _tail(text: str) -> str:
    """Return the punctuation after a word."""
    end = len(text)
    while end and not text[end - 1].isalnum():
        end -= 1
    return text[end:]
