"""Days and moments, as the service wants them in a query or a body."""

from __future__ import annotations

from datetime import date, datetime
from typing import TypeAlias

from deepgram_async.errors import OptionError

__all__ = ["When", "day", "days", "moment", "moments"]

When: TypeAlias = date | datetime | str
"""A day or a moment; a string is sent as it is, and should be in ISO 8601."""


def day(name: str, when: When) -> str:
    """Return a day as ``YYYY-MM-DD``; the day of a ``datetime`` is the one in its own time zone.

    Raises:
        OptionError: The value is no date and no string.
    """
    if isinstance(when, datetime):
        when = when.date()
    return when.isoformat() if isinstance(when, date) else _checked(name, when)


def moment(name: str, when: When) -> str:
    """Return a moment to the second, with its offset where it has one, or a day as it is.

    Raises:
        OptionError: The value is no date and no string.
    """
    if isinstance(when, datetime):
        return when.isoformat(timespec="seconds")
    return when.isoformat() if isinstance(when, date) else _checked(name, when)


def days(start: When | None, end: When | None) -> dict[str, str]:
    """Return the query of a range of days, without what is ``None``."""
    given = {"start": start, "end": end}
    return {name: day(name, when) for name, when in given.items() if when is not None}


def moments(start: When | None, end: When | None) -> dict[str, str]:
    """Return the query of a range of time, without what is ``None``."""
    given = {"start": start, "end": end}
    return {name: moment(name, when) for name, when in given.items() if when is not None}


def _checked(name: str, when: object) -> str:
    if not isinstance(when, str):
        raise OptionError(
            f"option {name}: expected a date, a datetime or an ISO 8601 string, "
            f"got {type(when).__name__}",
            option=name,
        )
    return when
