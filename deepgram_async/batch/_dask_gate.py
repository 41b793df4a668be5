"""Places that the workers of a Dask cluster share."""

from __future__ import annotations

import asyncio
import importlib
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final, Self

from deepgram_async.batch._gate import DOCUMENTED_LIMIT, GateState
from deepgram_async.batch._shared_gate import Calls, GateError, LeasedGate
from deepgram_async.errors import InvalidStateError, MissingDependencyError

__all__ = ["DaskGate", "import_distributed"]

# One thread waits for a place at a time, and so long it keeps the process from ending.
_ASK_FOR_S: Final = 1.0
_CLOSE_WITHIN_S: Final = 5.0


class DaskGate:
    """A `Gate` whose places are leases of a ``distributed.Semaphore``.

    For the tasks of a Dask cluster, which need nothing else for it, see `transcribe_chunk`::

        work = partial(transcribe_chunk, gate=partial(DaskGate, limit=50), model="nova-3")

    When a worker dies its places come free after ``distributed.scheduler.locks.lease-timeout``, 30
    seconds unless configured otherwise. A 429 lowers the limit of the task that heard it, and keeps
    that task out; other tasks are not told. Needs the extra
    ``pip install 'deepgram-async[dask]'``.

    Args:
        limit: Requests in flight at most, in all tasks together; the same in each of them.
        name: Tells semaphores of one cluster apart.
    """

    def __init__(self, *, limit: int = DOCUMENTED_LIMIT, name: str = "deepgram") -> None:
        self._leases = _DaskLeases(limit, name)
        self._gate = LeasedGate(self._leases, limit)

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Return a place among those of all tasks; see ``Gate.slot``.

        Raises:
            GateError: The scheduler cannot be reached.
            InvalidStateError: The gate is not open.
        """
        return self._gate.slot()

    def state(self) -> GateState:
        """Return what this task knows now; ``limit`` is that of all tasks together."""
        return self._gate.state()

    async def __aenter__(self) -> Self:
        """Open the gate.

        Raises:
            InvalidStateError: This is neither a task of a Dask cluster, nor a process with a
                ``distributed.Client``.
            MissingDependencyError: The extra ``dask`` is not installed.
        """
        self._leases.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._leases.close()


class _DaskLeases:
    """The leases of one task."""

    def __init__(self, limit: int, name: str) -> None:
        self._limit = limit
        self._name = name
        self._semaphore: Any = None
        # A thread that waits for a place cannot be cancelled, and may get one.
        self._calls = Calls()

    def open(self) -> None:
        if self._semaphore is not None:
            raise InvalidStateError("the gate is open already")
        # It finds its worker by the thread it is made in.
        semaphore = import_distributed().Semaphore(max_leases=self._limit, name=self._name)
        if semaphore.loop is None:
            raise InvalidStateError(
                "there is no Dask worker and no Client here: open the gate in a task of a cluster"
            )
        self._semaphore = semaphore

    async def close(self) -> None:
        await self._calls.close(_CLOSE_WITHIN_S)
        semaphore, self._semaphore = self._semaphore, None
        prolonging = getattr(semaphore, "refresh_callback", None)
        if prolonging is not None:  # it would go on for ever
            semaphore.loop.add_callback(prolonging.stop)

    async def take(self) -> str:
        if self._semaphore is None:
            raise InvalidStateError("the gate is not open: use it with async with")
        while True:
            asking = self._calls.start(self._ask())
            try:
                if await asyncio.shield(asking):
                    return self._name
            except asyncio.CancelledError:
                self._calls.start(self._withdraw(asking))
                raise

    async def give_back(self, lease: str) -> None:
        await asyncio.shield(self._calls.start(self._release()))

    async def pause(self, seconds: float) -> None:
        """Say nothing: a semaphore has no pauses."""

    async def _ask(self) -> bool:
        try:
            return bool(await asyncio.to_thread(self._semaphore.acquire, _ASK_FOR_S))
        except Exception as error:  # whatever the cluster raises, nobody may send then
            raise GateError(f"the scheduler gives no leases: {error}") from None

    async def _release(self) -> None:
        try:
            await asyncio.to_thread(self._semaphore.release)
        except Exception:
            pass

    async def _withdraw(self, asking: asyncio.Task[bool]) -> None:
        await asyncio.wait([asking])
        if asking.exception() is None and asking.result():
            await self._release()


def import_distributed() -> Any:
    """Return the package ``distributed``, which has no types.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        return importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        if error.name != "distributed":
            raise
        raise MissingDependencyError(
            "Dask needs an extra: pip install 'deepgram-async[dask]'"
        ) from None
