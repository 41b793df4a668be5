"""What every endpoint of the local Deepgram may use."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ._errors import TOO_MANY_REQUESTS, Refusal
from ._watch import Watch

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator, Sequence

    import aiohttp

    from ._agent.thinking import ThinkFunction
    from ._auth import Access
    from ._engine import Engine
    from ._fault_plan import FaultPlan
    from ._faulty_socket import FaultySocket
    from ._manage.account import Account
    from ._manage.tokens import Tokens
    from ._request_log import RequestLog
    from ._settings import EmulatorSettings
    from ._speech.voice import Voice
    from ._strict.deviations import Deviation
    from ._strict.inspector import Inspector

__all__ = ["PROJECT_ID", "REQUEST_ID", "Background", "Gates", "Services"]

# The id of the request that is being served; the server sets it before any handler runs.
REQUEST_ID: Final[ContextVar[str]] = ContextVar("dg-request-id")
# The project of its credential, once that is known.
PROJECT_ID: Final[ContextVar[str | None]] = ContextVar("dg-project-id")


class Gates:
    """Let in so many at a time of each project to each product, and refuse the others.

    Args:
        requests: REST requests; None sets no limit.
        streams: WebSockets; None sets no limit.
    """

    def __init__(self, requests: int | None, streams: int | None) -> None:
        self.requests = requests
        self.streams = streams
        self._inside: Counter[tuple[str, str, bool]] = Counter()

    @contextmanager
    def enter(self, project_id: str, product: str, *, streaming: bool) -> Generator[None]:
        """Count one in for the block.

        Raises:
            Refusal: It is full.
        """
        place = (project_id, product, streaming)
        limit = self.streams if streaming else self.requests
        if limit is not None and self._inside[place] >= limit:
            raise Refusal(*TOO_MANY_REQUESTS)
        self._inside[place] += 1
        try:
            yield
        finally:
            self._inside[place] -= 1


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
    voice: Voice
    think: ThinkFunction
    http: aiohttp.ClientSession
    account: Account
    tokens: Tokens
    access: Access
    gates: Gates
    faults: FaultPlan
    log: RequestLog
    watch: Watch = field(default_factory=Watch)
    background: Background = field(default_factory=Background)
    inspector: Inspector | None = None
    """Who looks for deviations, in strict mode."""
    open_sockets: set[FaultySocket] = field(default_factory=set["FaultySocket"])
    viewers: set[asyncio.Task[object]] = field(default_factory=set["asyncio.Task[object]"])
    """Who serves the pages that are open."""

    @property
    def deviations(self) -> Sequence[Deviation]:
        """Where clients left the specification."""
        return () if self.inspector is None else tuple(self.inspector.deviations)
