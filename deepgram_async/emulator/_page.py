"""The page at `/`: what passes between clients and the local Deepgram, for who debugs one.

It is open to browsers of this machine alone. Messages are shown from the moment the page is open;
before, nobody looks, and nothing is kept for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from ._control import PREFIX, local_only
from ._secrets import Redactor
from ._strict.deviations import Deviation
from ._watch import HEAD, Answered, Asked, Closed, Frame

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ._services import Services
    from ._watch import Seen

__all__ = ["routes"]

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# More than a browser shows, and little memory.
_MOST_WAITING: Final = 1000
_MOST_VIEWERS: Final = 8
_LONGEST_TEXT: Final = 4000
_RECENT: Final = 50
# A viewer that has gone is noticed when something is written to it.
_HEARTBEAT_S: Final = 15.0


def routes(services: Services) -> list[web.RouteDef]:
    """Return the routes of the page."""
    page = _Page(services)

    def serve(path: str, name: str, kind: str) -> web.RouteDef:
        async def answer(request: web.Request) -> web.Response:
            del request
            content = files("deepgram_async.emulator").joinpath("_page_files", name)
            return web.Response(
                text=content.read_text("utf-8"), content_type=kind, headers=_HEADERS
            )

        return web.get(path, local_only(answer), allow_head=False)

    return [
        serve("/", "index.html", "text/html"),
        serve(f"{PREFIX}/page.js", "page.js", "text/javascript"),
        serve(f"{PREFIX}/style.css", "style.css", "text/css"),
        web.get(f"{PREFIX}/events", local_only(page.show), allow_head=False),
    ]


class _Viewer:
    """A browser that looks; what it cannot take in time is dropped, the oldest first."""

    body_limit = HEAD

    def __init__(self) -> None:
        self._waiting: deque[dict[str, Any]] = deque()
        self._changed = asyncio.Event()
        self._redactor = Redactor()
        self._dropped = 0

    def notice(self, seen: Seen) -> None:
        """Queue what is to be shown."""
        match seen:
            case Asked(at, request_id, request):
                self._redactor.meet(request)
                path = self._redactor.url(request.rel_url)
                self._add("asked", request_id, at=at, method=request.method, path=path)
            case Frame(at, request_id, from_client, str(text)):
                shown = self._redactor.text(text)[:_LONGEST_TEXT]
                self._add("message", request_id, at=at, from_client=from_client, text=shown)
            case Frame(at, request_id, from_client, data):
                self._add_audio(at, request_id, len(data), from_client=from_client)
            case Closed(at, request_id, from_client, code, reason):
                self._add(
                    "closed", request_id, at=at, from_client=from_client, code=code, reason=reason
                )
            case Answered(at, request_id):
                status = None if seen.answer is None else seen.answer.status
                self._add("answered", request_id, at=at, status=status)
            case Deviation():
                self._add("deviation", seen.request_id, **_shown(seen))

    async def events(self) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield what there is to show, some at a time; nothing as a sign of life."""
        while True:
            try:
                async with asyncio.timeout(_HEARTBEAT_S):
                    await self._changed.wait()
            except TimeoutError:
                yield []
                continue
            self._changed.clear()
            events, self._waiting = [*self._waiting], deque()
            if self._dropped:
                events.insert(0, {"kind": "dropped", "count": self._dropped})
                self._dropped = 0
            yield events

    def _add(self, kind: str, request_id: str, **fields: object) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append({"kind": kind, "id": request_id, **fields})
        self._changed.set()

    def _add_audio(self, at: float, request_id: str, size: int, *, from_client: bool) -> None:
        """Count audio in a row as one."""
        last = self._waiting[-1] if self._waiting else {}
        if (last.get("kind"), last.get("id"), last.get("from_client")) == (
            "audio",
            request_id,
            from_client,
        ):
            last["bytes"] += size
            last["frames"] += 1
        else:
            self._add("audio", request_id, at=at, from_client=from_client, bytes=size, frames=1)


class _Page:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Send what is known, and then what passes, until the browser or the server leaves."""
        if len(self._services.viewers) >= _MOST_VIEWERS:
            return web.Response(status=503, text="Too many pages are open.\n", headers=_HEADERS)
        answer = web.StreamResponse(headers={**_HEADERS, "Content-Type": "text/event-stream"})
        await answer.prepare(request)
        viewer = _Viewer()
        task = asyncio.current_task()
        assert task is not None
        self._services.viewers.add(task)
        self._services.watch.add(viewer)
        try:
            await answer.write(_event(self._known()))
            async for events in viewer.events():
                await answer.write(_event(events) if events else b": still here\n\n")
        except ConnectionError:  # the browser has left
            pass
        finally:
            self._services.watch.remove(viewer)
            self._services.viewers.discard(task)
        return answer

    def _known(self) -> list[dict[str, Any]]:
        """Return the requests that are over, the streams that are open, and the deviations."""
        services = self._services
        redactor = Redactor()
        over = [*islice(reversed([*services.account.requests]), _RECENT)]
        events: list[dict[str, Any]] = [
            {
                "kind": "over",
                "id": one.request_id,
                "at": one.created,
                "method": "" if one.method == "streaming" else "POST",
                "path": redactor.text(one.path),
                "status": one.status,
            }
            for one in reversed(over)
        ]
        events += [
            {"kind": "asked", "id": socket.request_id, "at": None, "method": "GET", "path": path}
            for socket in services.open_sockets
            if (path := redactor.text(socket.path))
        ]
        deviations: Sequence[Deviation] = services.deviations
        events += [{"kind": "deviation", "id": one.request_id, **_shown(one)} for one in deviations]
        events.append({"kind": "strict", "is_on": services.settings.strict})
        return events


def _shown(deviation: Deviation) -> dict[str, Any]:
    return {
        "rule": deviation.rule,
        "what": deviation.what,
        "where": deviation.where,
        "page": deviation.page,
        "is_note": deviation.is_note,
    }


def _event(content: object) -> bytes:
    # JSON has no line breaks of its own.
    return b"data: " + msgspec.json.encode(content) + b"\n\n"
