"""Callers that wait for one particular event of a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from deepgram_async.errors import InvalidStateError, OperationTimeoutError

__all__ = ["Waiters"]

E = TypeVar("E")


class Waiters(Generic[E]):
    """Hands each event to the first caller that asked for one like it; the event stays an event."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[E], bool], asyncio.Future[E]]] = []
        self._error: Exception | None = None
        self._deadlines: dict[asyncio.Timeout, float] = {}
        """The deadlines that run, each with its seconds."""
        self._is_on_hold = False

    def expect(self, matches: Callable[[E], bool]) -> asyncio.Future[E]:
        """Return a future for the next event that matches and that nobody before expects.

        To be called before the message is sent that the event answers.
        """
        future: asyncio.Future[E] = asyncio.get_running_loop().create_future()
        if self._error is not None:
            future.set_exception(self._error)
            future.exception()  # seen: a caller that is cancelled never asks
        else:
            self._waiting.append((matches, future))
        return future

    async def wait(self, future: asyncio.Future[E], timeout_s: float, operation: str) -> E:
        """Return the event of a future; on hold, the time does not run.

        Raises:
            OperationTimeoutError: It did not come in time.
            DeepgramError: The stream ended before.
        """
        deadline = asyncio.timeout(None if self._is_on_hold else timeout_s)
        self._deadlines[deadline] = timeout_s
        try:
            async with deadline:
                return await future
        except TimeoutError:
            raise OperationTimeoutError(
                f"the service did not confirm for {timeout_s:g} s",
                phase="response",
                timeout_s=timeout_s,
                operation=operation,
            ) from None
        finally:
            del self._deadlines[deadline]
            self._waiting = [entry for entry in self._waiting if entry[1] is not future]

    def offer(self, event: E) -> None:
        """Settle the first future that matches the event."""
        for entry in self._waiting:
            matches, future = entry
            if not future.done() and matches(event):
                future.set_result(event)
                self._waiting.remove(entry)
                return

    def hold(self) -> None:
        """Let the time of all that wait stand still: nobody can answer."""
        self._is_on_hold = True
        for deadline in self._deadlines:
            if not deadline.expired():
                deadline.reschedule(None)

    def release(self) -> None:
        """Let the time of all that wait begin anew."""
        self._is_on_hold = False
        now = asyncio.get_running_loop().time()
        for deadline, timeout_s in self._deadlines.items():
            if not deadline.expired():
                deadline.reschedule(now + timeout_s)

    def fail(self, error: Exception | None) -> None:
        """Tell everybody that nothing more comes, now and later."""
        self._error = error or InvalidStateError("the stream has ended")
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(self._error)
                future.exception()  # seen: a caller that was cancelled never asks
        self._waiting.clear()
