"""Options of a call, checked against their TypedDict and written as a query string."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from datetime import date
from enum import Enum
from functools import lru_cache
from math import isfinite
from typing import Any, Final, cast
from urllib.parse import quote

import msgspec

from deepgram_async._protocol.dates import moment
from deepgram_async.errors import OptionError

__all__ = ["QueryValue", "encode_query", "option_names"]

QueryValue = str | int | float | bool | date | Sequence[str | int | float | bool | date]
"""A value of ``extra_query``: a scalar or a date, or a sequence for a repeated key."""

_CONSTANT: Final = frozenset({str, bool, int, type(None)})

# Options that exist in the API under another call of this package.
_ELSEWHERE: Final = {
    "callback": "use submit(..., callback=...): the answer goes to the callback",
    "callback_method": "use submit(..., callback=..., callback_method=...)",
}


def encode_query(
    options: Mapping[str, object],
    kind: type[Any],
    extra: Mapping[str, QueryValue] | None = None,
) -> str:
    """Return the query string for options, without the question mark.

    ``None`` means "not sent", a boolean is written in lower case, a sequence repeats its key.

    Args:
        options: What the caller passed as keywords.
        kind: The TypedDict that names and types the options.
        extra: Keys that are newer than this release; sent as they are, after the options.

    Raises:
        OptionError: An option is unknown, has the wrong type, or cannot be written as UTF-8.
    """
    names, values = tuple(options), tuple(options.values())
    types = tuple(map(type, values))
    # Programs use the same options over and over. Lists can change, and are written each time.
    if _CONSTANT.issuperset(types):
        # mypy does not see that classes are hashable.
        query = _written_once(kind, names, values, types)  # type: ignore[arg-type]
    else:
        query = _written(kind, names, values, types)
    if not extra:
        return query
    return "&".join([query, *_pairs(extra)] if query else _pairs(extra))


def option_names(kind: type[Any]) -> Collection[str]:
    """Return the names of all options of a TypedDict, those of its bases included."""
    return kind.__annotations__.keys()


def _written(
    kind: type[Any],
    names: tuple[str, ...],
    values: tuple[object, ...],
    types: tuple[type[Any], ...],
) -> str:
    """Return the query string for options.

    The types of the values are there for the cache: ``True`` equals 1, and is another option.
    """
    given = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    known = option_names(kind)
    for name in given:
        if name not in known:
            raise OptionError(_unknown(name, known), option=name)
    _check_types(given, kind)
    return "&".join(_pairs(given))


_written_once: Final = lru_cache(maxsize=128)(_written)


def _check_types(given: Mapping[str, object], kind: type[Any]) -> None:
    try:
        msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).rpartition(" - at `$.")
        name = place.rstrip("`").partition("[")[0]
        raise OptionError(f"option {name}: {reason}", option=name) from None


def _unknown(name: str, known: Iterable[str]) -> str:
    if name in _ELSEWHERE:
        return f"{name!r} is not an option here: {_ELSEWHERE[name]}"
    from difflib import get_close_matches  # only an error needs it

    near = get_close_matches(name, known, n=1, cutoff=0.6)
    advice = f"did you mean {near[0]!r}?" if near else "pass newer keys with extra_query={...}"
    return f"unknown option {name!r}: {advice}"


def _pairs(values: Mapping[str, object]) -> Iterable[str]:
    for name, value in values.items():
        key = _key(name)
        if isinstance(value, Sequence | Set) and not isinstance(value, str | bytes | bytearray):
            for item in cast("Iterable[object]", value):  # isinstance cannot tell the items
                yield f"{key}={_text(name, item)}"
        else:
            yield f"{key}={_text(name, value)}"


def _key(name: object) -> str:
    if isinstance(name, str):
        with suppress(UnicodeEncodeError):
            return quote(name, safe="")
    raise OptionError(f"{name!r} is not the name of an option", option=str(name))


def _text(name: str, value: object) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, date):
        value = moment(name, value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        # Only extra_query comes here: the types of the options are checked.
        raise OptionError(f"option {name}: cannot send {type(value).__name__}", option=name)
    if isinstance(value, float) and not isfinite(value):
        raise OptionError(f"option {name}: cannot send {value}", option=name)
    try:
        # A colon is part of Deepgram's small syntax ("term:weight") and legal in a query.
        return quote(str(value), safe=":/,")
    except UnicodeEncodeError:
        raise OptionError(f"option {name}: the text is not valid Unicode", option=name) from None
