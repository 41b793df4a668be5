"""A loop whose clock runs only while nothing else does, so that half an hour takes seconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar, TypeVarTuple

__all__ = ["SkippingLoop", "run_skipping"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# What is under way on the loopback of this machine arrives in so much real time.
_ARRIVAL_S: Final = 0.0001
_THREAD_S: Final = 0.01


class _Selector(selectors.SelectSelector):
    """Does not wait for timers: it notes how long it would have."""

    skipped_s = 0.0
    threads = 0
    """Calls in other threads that have not returned; time stands still for them."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.threads or timeout is None:
            return super().select(_THREAD_S if timeout is None else min(timeout, _THREAD_S))
        events = super().select(0)
        if not events and timeout:
            events = super().select(min(timeout, _ARRIVAL_S))
            if not events:
                self.skipped_s += timeout
        return events


class SkippingLoop(asyncio.SelectorEventLoop):
    """When all tasks sleep and nothing is under way, the clock jumps to the first that wakes."""

    def __init__(self) -> None:
        self._skipping = _Selector()
        super().__init__(self._skipping)

    def time(self) -> float:
        """Return the seconds that were skipped."""
        return self._skipping.skipped_s

    def run_in_executor(
        self, executor: Any, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run a function in a thread, and let no time pass meanwhile."""
        future = super().run_in_executor(executor, func, *args)
        self._skipping.threads += 1
        future.add_done_callback(self._returned)
        return future

    def _returned(self, _: asyncio.Future[Any]) -> None:
        self._skipping.threads -= 1


def run_skipping(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own with such a clock."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(work)
