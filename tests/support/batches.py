"""A service for batches: it counts, refuses what is too much, and fails as it is told to."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

from aiohttp import web

from deepgram_async import DeepgramSession, RetryPolicy
from deepgram_async.batch import Batch, BytesItem, Done, Failed, Outcome
from tests.support.answers import TRANSCRIPTION
from tests.support.servers import http_server

__all__ = ["AT_ONCE", "BatchService", "Fault", "batch_service", "items", "names", "split"]

AT_ONCE: Final = RetryPolicy(attempts=3, first_delay_s=0.0)
"""Repeats without a pause."""

Fault = int | Literal["reset", "garbage"]
"""How a request fails: with a status, a connection that breaks, or an answer that is none."""


@dataclass
class BatchService:
    """Transcribes anything; a recording is known by its bytes.

    Attributes:
        url: Where it is.
        limit: Requests served at a time; one more is refused with 429.
        takes_s: Time of a request.
        faults: What happens to the first, second, ... request with a recording.
        gate: While it is not set, no request is answered.
        received: How often each recording came, refused ones not counted.
        answered: Recordings that got their transcript.
        in_flight: Requests in work now.
        most: Requests in work at the same time, at most.
        refused: Requests refused for being too many.
        loop: Where it runs.
    """

    url: str = ""
    limit: int = 1000
    takes_s: float = 0.0
    faults: dict[bytes, list[Fault]] = field(default_factory=dict[bytes, list[Fault]])
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    received: Counter[bytes] = field(default_factory=Counter[bytes])
    answered: list[bytes] = field(default_factory=list[bytes])
    in_flight: int = 0
    most: int = 0
    refused: int = 0
    loop: asyncio.AbstractEventLoop | None = None

    def open(self) -> None:
        """Open the gate from another thread."""
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.gate.set)

    def session(self) -> DeepgramSession:
        return DeepgramSession("key", base_url=self.url)

    async def until_in_flight(self, count: int) -> None:
        """Wait until so many requests are in work."""
        async with asyncio.timeout(10):
            while self.in_flight < count:
                await asyncio.sleep(0.001)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self.in_flight >= self.limit:
            self.refused += 1
            return web.json_response({"err_code": "TOO_MANY_REQUESTS"}, status=429)
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            self.received[body] += 1
            await self.gate.wait()
            await asyncio.sleep(self.takes_s)
            faults = self.faults.get(body, [])
            number = self.received[body] - 1
            fault = faults[number] if number < len(faults) else None
        finally:
            self.in_flight -= 1
        match fault:
            case None:
                self.answered.append(body)
                return web.json_response(TRANSCRIPTION)
            case "garbage":
                return web.Response(text='{"results": 1}', content_type="application/json")
            case "reset":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case status:
                return web.json_response({"err_code": "FAULT", "request_id": "r-1"}, status=status)


@asynccontextmanager
async def batch_service(
    *, is_open: bool = True, faults: dict[bytes, list[Fault]] | None = None
) -> AsyncGenerator[BatchService]:
    """Serve for a test; requests wait for the gate if it is not open."""
    service = BatchService(faults=faults or {}, loop=asyncio.get_running_loop())
    if is_open:
        service.gate.set()
    async with http_server(service.answer) as service.url:
        yield service


def items(count: int) -> list[BytesItem]:
    """Return recordings whose bytes are their names: ``item 0`` and so on."""
    return [BytesItem(f"item {number}".encode(), f"item {number}") for number in range(count)]


def names(outcomes: Iterable[Outcome]) -> list[str]:
    return [outcome.item.name for outcome in outcomes]


async def split(batch: Batch) -> tuple[list[Done], list[Failed]]:
    """Run a batch and return what was done and what failed."""
    done, failed = list[Done](), list[Failed]()
    async for outcome in batch:
        match outcome:
            case Done():
                done.append(outcome)
            case Failed():
                failed.append(outcome)
    return done, failed
