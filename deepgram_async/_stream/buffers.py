"""Events of a stream on their way to the user, bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from deepgram_async.errors import InvalidStateError, SlowConsumerError

__all__ = ["EventBuffer"]

E = TypeVar("E")


class EventBuffer(Generic[E]):
    """Events on their way to one consumer.

    The producer never waits. When the buffer is full the oldest expendable event is dropped; when
    none is left, ``put`` raises, so nothing that counts is ever dropped.
    """

    def __init__(self, limit: int, is_expendable: Callable[[E], bool]) -> None:
        self.dropped: int = 0
        """How many expendable events were dropped."""
        self._limit = limit
        self._is_expendable = is_expendable
        self._events: deque[E] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._is_closed = False
        self._error: BaseException | None = None

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: E) -> None:
        """Add an event.

        Raises:
            SlowConsumerError: The buffer is full of events that must not be dropped.
        """
        if len(self._events) >= self._limit and not self._made_room():
            if not self._is_expendable(event):
                raise SlowConsumerError(
                    f"{len(self._events)} results wait and none was taken",
                    hint="take events faster, or raise event_buffer in StreamSettings",
                )
            self.dropped += 1
            return
        self._events.append(event)
        self._wake()

    def take_now(self) -> E | None:
        """Return the next event if one waits; the cheaper way when there are many."""
        return self._events.popleft() if self._events else None

    def find(self, matches: Callable[[E], bool]) -> E | None:
        """Return the first event that waits and matches, without taking it."""
        return next(filter(matches, self._events), None)

    def discard(self, is_unwanted: Callable[[E], bool]) -> int:
        """Take back events that wait and nobody wants any more; return how many."""
        kept = [event for event in self._events if not is_unwanted(event)]
        discarded = len(self._events) - len(kept)
        self._events.clear()
        self._events.extend(kept)
        return discarded

    def close(self, error: BaseException | None = None) -> None:
        """End the iteration after the events that wait; the first close counts.

        Args:
            error: What the consumer gets at the end, or ``None`` for a regular end.
        """
        if not self._is_closed:
            self._is_closed = True
            self._error = error
            self._wake()

    async def get(self) -> E:
        """Return the next event; cancelling loses none.

        Raises:
            StopAsyncIteration: The stream has ended regularly.
            BaseException: What the stream was closed with.
            InvalidStateError: Another task is waiting already.
        """
        while not self._events:
            if self._is_closed:
                raise StopAsyncIteration if self._error is None else self._error
            if self._waiter is not None:
                raise InvalidStateError("another task is already iterating over this stream")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._events.popleft()

    def _made_room(self) -> bool:
        for index, waiting in enumerate(self._events):
            if self._is_expendable(waiting):
                del self._events[index]
                self.dropped += 1
                return True
        return False

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
