"""The log of the requests of a project: ``dg.requests``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Final, Unpack

from deepgram_async._documented import takes_options
from deepgram_async._protocol import rules_management as rules
from deepgram_async._protocol.dates import When, moments
from deepgram_async._protocol.query import QueryValue
from deepgram_async._protocol.requests import Route
from deepgram_async._resources.sender import Sender
from deepgram_async.models import manage_usage as models
from deepgram_async.options import RequestsOptions

__all__ = ["Requests"]

_PATH: Final = "/v1/projects/{project_id}/requests"
_LIST: Final = Route("GET", _PATH, models.Requests)
_GET: Final = Route("GET", f"{_PATH}/{{request_id}}", models.RequestItem)

# A compromise between the number of calls and the wait for the first request.
_ITER_LIMIT: Final = 100


class Requests:
    """The log of the requests of a project."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    @takes_options(RequestsOptions)
    async def list(
        self,
        project_id: str | None = None,
        *,
        start: When | None = None,
        end: When | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[RequestsOptions],
    ) -> models.Requests:
        """Return one page of the log; `iter` reads all pages.

        Args:
            project_id: The project; that of the session if left out.
            start: First day or moment.
            end: Last day or moment.
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: Which requests to list, listed below; ``None`` is not sent.

        Raises:
            OptionError: An option is unknown, out of range, or has the wrong type.
        """
        if self._sender.validate:
            rules.check(options)
        extra = {**moments(start, end), **(extra_query or {})}
        query = self._sender.query(options, RequestsOptions, extra)
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_LIST, ids=ids, query=query)

    @takes_options(RequestsOptions)
    async def iter(
        self,
        project_id: str | None = None,
        *,
        start: When | None = None,
        end: When | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[RequestsOptions],
    ) -> AsyncGenerator[models.Request]:
        """Yield the requests of the log one by one, calling for page after page.

        Requests that are made meanwhile move the older ones to later pages: what was on the page
        before is not yielded again, and ``end`` keeps them out from the start.

        Args:
            project_id: The project; that of the session if left out.
            start: First day or moment.
            end: Last day or moment.
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: Which requests to list, listed below; ``limit`` is the length of a page,
                100 if left out, and ``page`` the one to begin with.

        Raises:
            OptionError: An option is unknown, out of range, or has the wrong type.
        """
        limit = options.get("limit") or _ITER_LIMIT
        wanted: RequestsOptions = {**options, "limit": limit}
        seen: set[str] = set()
        while True:
            page = await self.list(
                project_id, start=start, end=end, extra_query=extra_query, **wanted
            )
            for request in page.requests:
                if request.request_id not in seen:
                    yield request
            found = {request.request_id for request in page.requests}
            # Nothing new on a page: the service does not count pages, and would never end.
            if len(page.requests) < (page.limit or limit) or found <= seen:
                return
            seen = found
            # It does not matter from where the service counts: the answer tells the number.
            wanted["page"] = int(page.page or wanted.get("page", 0)) + 1

    async def get(self, request_id: str, *, project_id: str | None = None) -> models.RequestItem:
        """Return one request of the log.

        Raises:
            NotFoundError: The project has no such request.
        """
        ids = {"project_id": self._sender.project(project_id), "request_id": request_id}
        return await self._sender.send(_GET, ids=ids)
