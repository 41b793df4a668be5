"""Confirmations that the service owes, in the order in which they were asked for."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

__all__ = ["Owed"]

R = TypeVar("R")


class Owed(Generic[R]):
    """Futures for answers that carry no name and come in the order of the questions.

    A caller that is cancelled leaves its future here, so the answers stay in step.
    """

    def __init__(self) -> None:
        self._futures: deque[asyncio.Future[R]] = deque()

    def __len__(self) -> int:
        return len(self._futures)

    def expect(self) -> asyncio.Future[R]:
        """Return the future of an answer that is asked for now."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._futures.append(future)
        return future

    def settle(self, answer: R) -> asyncio.Future[R] | None:
        """Give an answer to the first who waits and return that future, if there is one."""
        if not self._futures:
            return None
        future = self._futures.popleft()
        if not future.done():
            future.set_result(answer)
        return future

    def settle_all(self, answer: R) -> None:
        """Give the same answer to everybody who waits."""
        while self._futures:
            self.settle(answer)

    def forget(self, future: asyncio.Future[R]) -> None:
        """Expect an answer no longer, because it did not come in time."""
        if future in self._futures:
            self._futures.remove(future)

    @property
    def last(self) -> asyncio.Future[R] | None:
        """The future of the youngest answer that is missing."""
        return self._futures[-1] if self._futures else None
