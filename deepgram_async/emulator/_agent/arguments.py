"""The arguments of a function, found in spoken words by its JSON Schema."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["find_arguments", "in_words"]

Schema = dict[str, Any]

_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_NUMBER_WORDS: Final = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
}
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_QUOTED: Final = re.compile(r"[\"“]([^\"”]+)[\"”]")
_DAY: Final = re.compile(
    r"\b(today|tomorrow|tonight|yesterday|(?:next |this )?"
    r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|week|month))\b",
    re.IGNORECASE,
)
_TIME: Final = re.compile(
    r"\b(noon|midnight|\d{1,2}(?::\d{2})?\s*(?:am|pm|o'clock))", re.IGNORECASE
)
_AFTER_WORDS: Final = r"\b(?:in|at|for|to|from|of|about|near|named|called)\s+(?:the\s+)?"
_ENDING_WORDS: Final = "in|at|for|to|from|on|with|by|please|today|tomorrow|tonight"
_AFTER: Final = re.compile(
    rf"{_AFTER_WORDS}([\w' -]+?)(?=\s+(?:and|{_ENDING_WORDS})\b|[,.?!;]|$)", re.IGNORECASE
)
_SEVERAL_AFTER: Final = re.compile(
    rf"{_AFTER_WORDS}([\w' ,-]+?)(?=\s+(?:{_ENDING_WORDS})\b|[.?!;]|$)", re.IGNORECASE
)
_NAMES: Final = re.compile(r"\b[A-Z][\w'-]*(?:\s+[A-Z][\w'-]*)*")
# At the beginning of a sentence these are written like names.
_NO_NAMES: Final = frozenset(
    "a an and are at can check could do find for give how i in is it look no ok okay on please show"
    " tell the this to what what's when where which who will would yes you".split()
)
_NO_VALUES: Final = _NO_NAMES | _NUMBER_WORDS.keys()
_DAYS: Final = ("date", "day", "when")


def in_words(name: str) -> str:
    """Return the words of an identifier."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]+", " ", name).lower().strip()


def find_arguments(
    schema: Mapping[str, object], text: str, function: str
) -> tuple[dict[str, object], str | None]:
    """Return what a text says about the properties of a schema, and a required one it lacks.

    Args:
        schema: The JSON Schema of an object.
        text: What was said.
        function: Its words belong to no argument.
    """
    properties = cast("dict[str, Schema]", schema.get("properties") or {})
    required = cast("list[str]", schema.get("required") or [])
    words = _Words(text, in_words(function))
    arguments: dict[str, object] = {}
    for name, wanted in properties.items():
        value = words.find(name, wanted)
        if value is not None:
            arguments[name] = value
    return arguments, next((name for name in required if name not in arguments), None)


class _Words:
    """A text; what was found once is not found again for another property."""

    def __init__(self, text: str, function: str) -> None:
        self._text = text
        self._function = set(function.split())
        self._numbers = self._all_numbers()

    def find(self, name: str, schema: Schema) -> object:
        if "enum" in schema:
            return self._choice(cast("list[object]", schema["enum"]))
        for option in cast("list[Schema]", schema.get("anyOf") or []):
            if (value := self.find(name, option)) is not None:
                return value
        match schema.get("type"):
            case "integer":
                return next((int(n) for n in self._take_number(whole=True)), None)
            case "number":
                return next((float(n) for n in self._take_number(whole=False)), None)
            case "boolean":
                return True if self._mentions(in_words(name)) else None
            case "array":
                return self._several(name, cast("Schema", schema.get("items") or {}))
            case "string" | None:
                return self._string(name)
            case _:
                return None

    def _choice(self, choices: list[object]) -> object:
        found = [choice for choice in choices if self._mentions(str(choice))]
        return max(found, key=lambda choice: len(str(choice)), default=None)

    def _mentions(self, words: str) -> bool:
        return re.search(rf"\b{re.escape(words)}\b", self._text, re.IGNORECASE) is not None

    def _take_number(self, *, whole: bool) -> list[float]:
        for at, number in enumerate(self._numbers):
            if not whole or number == int(number):
                return [self._numbers.pop(at)]
        return []

    def _all_numbers(self) -> list[float]:
        found = re.findall(rf"{_NUMBER.pattern}|[A-Za-z]+", self._text)
        numbers = (
            float(_NUMBER_WORDS.get(w.lower(), w if w[-1].isdigit() else "nan")) for w in found
        )
        return [number for number in numbers if number == number]

    def _string(self, name: str) -> str | None:
        kinds = in_words(name).split()
        if "email" in kinds:
            return self._take(_EMAIL)
        if any(kind in _DAYS for kind in kinds):
            return self._take(_DAY)
        if "time" in kinds:
            return self._take(_TIME)
        return self._take(_QUOTED) or self._take(_AFTER) or self._name()

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        for found in pattern.finditer(self._text):
            value = found.group(found.lastindex or 0).strip()
            if value.isdecimal() or set(value.lower().split()) <= self._function | _NO_VALUES:
                continue
            start, end = found.span(found.lastindex or 0)
            self._text = self._text[:start] + self._text[end:]
            return value
        return None

    def _name(self) -> str | None:
        for found in _NAMES.finditer(self._text):
            words = [
                w for w in found.group().split() if w.lower() not in _NO_NAMES | self._function
            ]
            if words:
                value = " ".join(words)
                self._text = self._text.replace(value, "", 1)
                return value
        return None

    def _several(self, name: str, items: Schema) -> list[object] | None:
        if items.get("type", "string") != "string" or "enum" in items:
            one = self.find(name, items)
            return None if one is None else [one]
        found = self._take(_SEVERAL_AFTER) or self._name()
        return None if found is None else [*re.split(r",\s*(?:and\s+)?|\s+and\s+", found)]
