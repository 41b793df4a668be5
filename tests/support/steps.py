"""Cancelling a coroutine at each place where it waits."""

import asyncio
from collections.abc import Coroutine, Generator, Iterator
from functools import partial
from itertools import count
from typing import Any, Generic, TypeVar

__all__ = ["Cancellation", "each_step"]

T = TypeVar("T")

# A step that hangs fails the test; none takes this long.
_SOON_S = 10.0
# A coroutine that never ends by itself is a mistake of the test.
_MOST_STEPS = 1000


class Cancellation:
    """Cancels what it runs at one step: a place where the coroutine hands control to the loop.

    Early, the thing waited for has not come yet. Late, it has, and the coroutine is about to
    go on: whoever hands something over through a future loses it there.
    """

    def __init__(self, step: int, *, late: bool) -> None:
        self.step = step
        self.late = late
        self.happened = False

    async def __call__(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Run a coroutine; return its result, or ``None`` if it was cancelled.

        A cancelled coroutine that ends in any other way than by ``CancelledError`` fails the test.
        """
        task = asyncio.get_running_loop().create_task(self._drive(work))
        await asyncio.wait([task], timeout=_SOON_S)
        assert task.done(), f"hangs when cancelled at step {self.step}: {task.get_stack()}"
        if not self.happened:
            return task.result()
        assert task.cancelled(), f"the cancellation at step {self.step} was swallowed: {task}"
        return None

    async def _drive(self, work: Coroutine[Any, Any, T]) -> T:
        return await _Stepped(work, self)

    def reached(self, step: int, waited_for: Any) -> None:
        """Cancel the running task if this is the step."""
        if step != self.step:
            return
        self.happened = True
        task = asyncio.current_task()
        assert task is not None
        if self.late and waited_for is not None:
            # It runs before the task is told, because the task begins to listen later.
            waited_for.add_done_callback(partial(_cancel, task))
        else:
            task.cancel()


def _cancel(task: asyncio.Task[Any], _: asyncio.Future[Any]) -> None:
    task.cancel()


class _Stepped(Generic[T]):
    """Awaits a coroutine and tells of each step."""

    def __init__(self, work: Coroutine[Any, Any, T], cancellation: Cancellation) -> None:
        self._work = work
        self._cancellation = cancellation

    def __await__(self) -> Generator[Any, Any, T]:
        error: BaseException | None = None
        for step in count(1):
            try:
                waited_for = self._work.send(None) if error is None else self._work.throw(error)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]  # the result of the coroutine
            self._cancellation.reached(step, waited_for)
            try:
                yield waited_for
                error = None
            except BaseException as raised:  # all of them belong to the coroutine
                error = raised
        raise AssertionError("a coroutine ends by an exception")


def each_step(*, late: bool) -> Iterator[Cancellation]:
    """Yield a cancellation for step 1, 2, ... until a coroutine ended before its step came."""
    for step in range(1, _MOST_STEPS):
        cancellation = Cancellation(step, late=late)
        yield cancellation
        if not cancellation.happened:
            return
    raise AssertionError("the coroutine never ended by itself")
