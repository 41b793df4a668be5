"""Numbers in words to numbers in digits, English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._recognizers import RecognizedWord

__all__ = ["with_numerals"]

_DIGITS: Final = {
    name: value
    for value, name in enumerate("zero one two three four five six seven eight nine".split())
}
_TEENS: Final = {
    name: value
    for value, name in enumerate(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(),
        10,
    )
}
_TENS: Final = {
    name: value * 10
    for value, name in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_CENTURIES: Final = range(13, 21)
_SCALES: Final = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_PUNCTUATION: Final = ",.;:?!\"'()"


class _Number(NamedTuple):
    text: str
    value: int
    """Without decimals."""
    words: int


def with_numerals(words: Sequence[RecognizedWord], *, least: int) -> list[RecognizedWord]:
    """Return the words with numbers of at least `least` in digits."""
    written: list[RecognizedWord] = []
    at = 0
    while at < len(words):
        number = _number_at(words, at)
        if number is None:
            written.append(words[at])
            at += 1
            continue
        piece = words[at : at + number.words]
        at += number.words
        if number.value < least and "." not in number.text:
            written += piece
            continue
        first, last = piece[0], piece[-1]
        head = first.text[: len(first.text) - len(first.text.lstrip(_PUNCTUATION))]
        tail = last.text[len(last.text.rstrip(_PUNCTUATION)) :]
        written.append(
            msgspec.structs.replace(
                first,
                text=head + number.text + tail,
                end=last.end,
                confidence=min(word.confidence for word in piece),
            )
        )
    return written


def _number_at(words: Sequence[RecognizedWord], at: int) -> _Number | None:
    names = _names(words, at)
    value, used = _whole(names)
    if not used:
        return None
    text = str(value)
    decimals = _decimals(names[used:])
    if decimals:
        return _Number(f"{text}.{decimals}", value, used + 1 + len(decimals))
    # A century and two digits in a row are a year: nineteen ninety five.
    later, more = _whole(names[used:])
    if value in _CENTURIES and 10 <= later <= 99:
        return _Number(f"{value}{later}", value * 100 + later, used + more)
    return _Number(text, value, used)


def _names(words: Sequence[RecognizedWord], at: int) -> list[str]:
    """Return the bare words from here to the next punctuation."""
    names: list[str] = []
    for word in words[at:]:
        text = word.text
        names.append(text.strip(_PUNCTUATION).lower())
        if text != text.rstrip(_PUNCTUATION):
            break
    return names


def _whole(names: Sequence[str]) -> tuple[int, int]:
    """Return the number that the names begin with, and how many of them it takes."""
    total = current = 0
    used = 0
    last = "nothing"
    for at, name in enumerate(names):
        kind, value = _kind(name)
        if kind == "and":
            is_joined = last in ("hundred", "scale") and _kind(" ".join(names[at + 1 : at + 2]))[0]
            if is_joined not in ("digit", "teen", "tens", "compound"):
                break
            continue
        if kind not in _FOLLOWS[last]:
            break
        if kind == "hundred":
            current *= 100
        elif kind == "scale":
            total, current = total + current * value, 0
        else:
            current += value
        last, used = kind, at + 1
    return total + current, used


# What may come after what within one number.
_FOLLOWS: Final = {
    "nothing": ("digit", "teen", "tens", "compound"),
    "digit": ("hundred", "scale"),
    "teen": ("hundred", "scale"),
    "tens": ("digit", "hundred", "scale"),
    "compound": ("hundred", "scale"),
    "hundred": ("digit", "teen", "tens", "compound", "scale"),
    "scale": ("digit", "teen", "tens", "compound"),
}


def _kind(name: str) -> tuple[str, int]:
    if name in _DIGITS:
        return "digit", _DIGITS[name]
    if name in _TEENS:
        return "teen", _TEENS[name]
    if name in _TENS:
        return "tens", _TENS[name]
    if name in _SCALES:
        return "scale", _SCALES[name]
    tens, _, digit = name.partition("-")
    if tens in _TENS and _DIGITS.get(digit):
        return "compound", _TENS[tens] + _DIGITS[digit]
    return (name, 0) if name in ("and", "hundred") else ("", 0)


def _decimals(names: Sequence[str]) -> str:
    """Return the digits after `point`."""
    if not names or names[0] != "point":
        return ""
    digits = ""
    for name in names[1:]:
        if name not in _DIGITS:
            break
        digits += str(_DIGITS[name])
    return digits
