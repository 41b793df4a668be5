"""What every endpoint of the local Deepgram may use."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aiohttp import web

from ._errors import TOO_MANY_REQUESTS, Refusal

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    import aiohttp

    from ._engine import Engine
    from ._settings import EmulatorSettings

__all__ = ["REQUEST_ID", "Background", "Gate", "Services"]

# The id of the request that is being served; the server sets it before any handler runs.
REQUEST_ID: Final[ContextVar[str]] = ContextVar("dg-request-id")


class Gate:
    """Lets in so many at a time and refuses the others."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._inside = 0

    @contextmanager
    def enter(self) -> Generator[None]:
        """Count one in for the block.

        Raises:
            Refusal: It is full.
        """
        if self._limit is not None and self._inside >= self._limit:
            raise Refusal(*TOO_MANY_REQUESTS)
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1


class Background:
    """Work that outlives the request it came from, such as callbacks."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run `work`, which must handle its own errors, until it is done or the server stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel what is still running."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to every endpoint when its routes are made."""

    settings: EmulatorSettings
    engine: Engine
    http: aiohttp.ClientSession
    requests: Gate
    streams: Gate
    background: Background = field(default_factory=Background)
    open_sockets: set[web.WebSocketResponse] = field(default_factory=set[web.WebSocketResponse])
