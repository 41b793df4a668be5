"""What a project used: ``dg.usage``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypedDict, Unpack

from deepgram_async._documented import takes_options
from deepgram_async._protocol.dates import When, days
from deepgram_async._protocol.query import QueryValue
from deepgram_async._protocol.requests import Route
from deepgram_async._resources.sender import Sender
from deepgram_async.models import manage_usage as models
from deepgram_async.options import UsageBreakdownOptions, UsageOptions

__all__ = ["Usage"]

_PATH: Final = "/v1/projects/{project_id}/usage"
_GET: Final = Route("GET", _PATH, models.Usage)
_FIELDS: Final = Route("GET", f"{_PATH}/fields", models.Fields)
_BREAKDOWN: Final = Route("GET", f"{_PATH}/breakdown", models.Breakdown)


class _FieldsQuery(TypedDict, total=False):
    pass


class Usage:
    """What a project used, in sums."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    @takes_options(UsageOptions)
    async def get(
        self,
        project_id: str | None = None,
        *,
        start: When | None = None,
        end: When | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[UsageOptions],
    ) -> models.Usage:
        """Return what a project used in a range of days.

        The service documents the range alone as its answer; `breakdown` has the numbers.

        Args:
            project_id: The project; that of the session if left out.
            start: First day.
            end: Last day.
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: Which requests to count, listed below; ``None`` is not sent.

        Raises:
            OptionError: An option is unknown, or has the wrong type.
        """
        extra = {**days(start, end), **(extra_query or {})}
        query = self._sender.query(options, UsageOptions, extra)
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_GET, ids=ids, query=query)

    @takes_options(UsageBreakdownOptions)
    async def breakdown(
        self,
        project_id: str | None = None,
        *,
        start: When | None = None,
        end: When | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[UsageBreakdownOptions],
    ) -> models.Breakdown:
        """Return what a project used, day by day and group by group.

        Args:
            project_id: The project; that of the session if left out.
            start: First day.
            end: Last day.
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: Which requests to count, and how to group them; ``None`` is not sent.

        Raises:
            OptionError: An option is unknown, or has the wrong type.
        """
        extra = {**days(start, end), **(extra_query or {})}
        query = self._sender.query(options, UsageBreakdownOptions, extra)
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_BREAKDOWN, ids=ids, query=query)

    async def fields(
        self,
        project_id: str | None = None,
        *,
        start: When | None = None,
        end: When | None = None,
    ) -> models.Fields:
        """Return the tags, models and features that occur in a range of days.

        Args:
            project_id: The project; that of the session if left out.
            start: First day.
            end: Last day.
        """
        query = self._sender.query({}, _FieldsQuery, days(start, end))
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_FIELDS, ids=ids, query=query)
