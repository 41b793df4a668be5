"""What management requests have in common: their project, their query, their times."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from deepgram_async.emulator._errors import (
    INVALID_QUERY,
    NOT_FOUND,
    PROJECT_NOT_FOUND,
    BadPathId,
    Refusal,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from deepgram_async.emulator._calls import Call

    from .records import Project

__all__ = [
    "Range",
    "choice",
    "iso",
    "limit",
    "not_found",
    "page",
    "path_id",
    "project",
    "read_range",
]

_LIMIT: Final = (1, 1000)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


def project(request: web.Request, call: Call) -> Project:
    """Return the project in the path.

    Raises:
        Refusal: There is none, or it is none of the caller's.
    """
    project_id = path_id(request, "project_id")
    found = call.services.account.projects.get(project_id)
    if found is None or project_id != call.caller.project_id:
        raise Refusal(*PROJECT_NOT_FOUND)
    return found


def path_id(request: web.Request, name: str) -> str:
    """Return an id in the path, in the usual form.

    Raises:
        Refusal: It is no UUID.
    """
    text = request.match_info[name]
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise BadPathId(text) from None


def not_found() -> Refusal:
    """Return the 404 for something that the project does not have."""
    return Refusal(*NOT_FOUND)


def limit(request: web.Request) -> int:
    """Return how many entries a page has.

    Raises:
        Refusal: It is out of range.
    """
    value = _number(request, "limit", 10)
    if not _LIMIT[0] <= value <= _LIMIT[1]:
        raise Refusal(*INVALID_QUERY)
    return value


def page(request: web.Request) -> int:
    """Return the number of a page, which is counted from 0.

    Raises:
        Refusal: It is no number.
    """
    return _number(request, "page", 0)


def choice(request: web.Request, name: str, choices: Sequence[str]) -> str | None:
    """Return the value of an option, None where it is not given.

    Raises:
        Refusal: It is not one of the choices.
    """
    value = request.query.get(name)
    if value is not None and value not in choices:
        raise Refusal(*INVALID_QUERY)
    return value


def iso(seconds: float) -> str:
    """Return a time in the service's form."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class Range:
    """From one moment to another; as days, both included."""

    def __init__(self, start: datetime, end: datetime, days: tuple[date, date]) -> None:
        self._start = start.timestamp()
        self._end = end.timestamp()
        self.first_day, self.last_day = days

    def __contains__(self, seconds: float) -> bool:
        return self._start <= seconds < self._end


def read_range(request: web.Request, call: Call, *, since: float) -> Range:
    """Return `start` and `end` of the query; by default all from `since` until today.

    Raises:
        Refusal: One of them is no day and no moment.
    """
    first = datetime.fromtimestamp(since, UTC)
    start = _moment(request.query.get("start"), at_end=False) or _midnight(first.date())
    now = datetime.fromtimestamp(call.services.account.clock(), UTC)
    end = _moment(request.query.get("end"), at_end=True) or _midnight(now.date()) + timedelta(1)
    last = (end - timedelta(microseconds=1)).date()
    return Range(start, end, (start.date(), last))


def _number(request: web.Request, name: str, default: int) -> int:
    value = request.query.get(name)
    if value is None:
        return default
    # The specification calls them numbers; a whole one may be written as such.
    whole = value.removesuffix(".0")
    if not (whole.isascii() and whole.isdecimal() and len(whole) < 10):
        raise Refusal(*INVALID_QUERY)
    return int(whole)


def _moment(text: str | None, *, at_end: bool) -> datetime | None:
    # Deepgram's SDK for Python, up to 4, sends an empty one where there is none.
    if not text:
        return None
    try:
        if _DAY.match(text):
            day = date.fromisoformat(text)
            return _midnight(day) + timedelta(1 if at_end else 0)
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Refusal(*INVALID_QUERY) from None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
