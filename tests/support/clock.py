"""A loop whose clock runs only while nothing else does, so that pauses cost no time."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["VirtualClockLoop", "run_on_virtual_clock"]

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Does not wait for timers: it notes how long it would have."""

    skipped_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # Without a timer there is something real to wait for, such as a thread.
        events = super().select(None if timeout is None else 0)
        if not events and timeout:
            self.skipped_s += timeout
        return events


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """When all tasks sleep, the clock jumps to the first that wakes."""

    def __init__(self) -> None:
        self._skipping = _Selector()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.skipped_s


def run_on_virtual_clock(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own with such a clock."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(work)
