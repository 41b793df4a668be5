"""What gates have in common whose places are shared by several processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from deepgram_async.batch._gate import AdaptiveGate, GateState
from deepgram_async.errors import ApiError, DeepgramError

__all__ = ["Calls", "GateError", "LeasedGate", "Leases"]

T = TypeVar("T")


class GateError(DeepgramError):
    """What counts the places of a shared gate cannot be reached, so nobody may send."""


class Leases(Protocol):
    """Where the places of all processes are counted."""

    async def take(self) -> str:
        """Wait for a place and return what it is given back with; cancelling takes none."""
        ...

    async def give_back(self, lease: str) -> None:
        """Give a place back, also when cancelled.

        Fails never: a lease that cannot be given back ends by itself.
        """
        ...

    async def pause(self, seconds: float) -> None:
        """Keep all processes out for so long, where they can be told; fails never."""
        ...


class LeasedGate:
    """An `AdaptiveGate` whose requests need a lease as well.

    The adaptive gate knows what this process has heard from the service, and the order in which
    its requests came. The leases know how many requests all processes have in flight.
    """

    def __init__(self, leases: Leases, limit: int) -> None:
        self._leases = leases
        self._local = AdaptiveGate(limit, start=limit)
        # One request of this process asks at a time, so that processes take turns.
        self._turn = asyncio.Lock()
        self._in_flight = 0
        self._asking = 0

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Wait for a place among those of all processes; see ``Gate.slot``."""
        try:
            async with self._local.slot():
                lease = await self._take()
                self._in_flight += 1
                try:
                    yield
                finally:
                    self._in_flight -= 1
                    await self._leases.give_back(lease)
        except ApiError:
            if pause_s := self._local.state().pause_s:
                await self._leases.pause(pause_s)
            raise

    def state(self) -> GateState:
        """Return what this process knows now; its limit is that of all processes together."""
        local = self._local.state()
        waiting = local.waiting + self._asking
        return replace(local, in_flight=self._in_flight, waiting=waiting)

    async def _take(self) -> str:
        self._asking += 1
        try:
            async with self._turn:
                return await self._leases.take()
        finally:
            self._asking -= 1


class Calls:
    """Calls that go on when who waits for them is cancelled, so that their outcome is known.

    To be awaited through ``asyncio.shield``.
    """

    def __init__(self) -> None:
        self._tasks = set[asyncio.Task[Any]]()

    def start(self, call: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a call."""
        task = asyncio.create_task(call)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    async def close(self, timeout_s: float) -> None:
        """Wait for the calls, and cancel those that take longer."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=timeout_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=timeout_s)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # has been seen, also when who waited is gone
