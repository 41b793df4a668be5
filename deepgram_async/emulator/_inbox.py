"""What a reader of a WebSocket has and its worker has not."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Inbox", "Item"]

T = TypeVar("T")

# What a message that is no audio counts.
_MESSAGE_SIZE = 64


class Item(NamedTuple, Generic[T]):
    """Something that came in, and when."""

    received_at: float
    content: T


class Inbox(Generic[T]):
    """A queue in order; `put` waits while it holds `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._items: deque[Item[T]] = deque()
        self._size = 0
        self._limit = limit
        self._changed = asyncio.Condition()

    async def put(self, received_at: float, content: T) -> None:
        """Add something, when there is room."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._size < self._limit)
            self._items.append(Item(received_at, content))
            self._size += _size(content)
            self._changed.notify_all()

    async def get(self) -> Item[T]:
        """Take the oldest, when there is any."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._items))
            item = self._items.popleft()
            self._size -= _size(item.content)
            self._changed.notify_all()
            return item

    def drop(self) -> None:
        """Forget all that waits; only for a reader whose own `put` is not waiting."""
        self._items.clear()
        self._size = 0


def _size(content: object) -> int:
    if isinstance(content, bytes | str):
        return max(len(content), _MESSAGE_SIZE)
    return _MESSAGE_SIZE
