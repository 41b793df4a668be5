"""Writing in a thread, where all that came meanwhile is written at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

__all__ = ["GroupedWriter"]

T = TypeVar("T")


class GroupedWriter(Generic[T]):
    """Hands entries to a function that writes many of them as cheaply as one.

    The function runs in a thread of this writer, once at a time; what comes while it runs is its
    next group. So a disk that takes long for each promise that something is kept gets fewer and
    larger groups.

    Args:
        write: Writes a group; returns when it is kept.
        name: Name of the thread.
    """

    def __init__(self, write: Callable[[list[T]], None], name: str) -> None:
        self._write = write
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._group: list[T] = []
        self._kept: asyncio.Future[None] | None = None
        self._writing: asyncio.Task[None] | None = None

    def add(self, entry: T) -> None:
        """Let an entry be written with the next group, whenever that comes."""
        self._group.append(entry)

    async def put(self, entry: T) -> None:
        """Write an entry, and return when it is kept.

        Cancelling does not take it back.

        Raises:
            Exception: The group could not be written.
        """
        self._group.append(entry)
        if self._kept is None:
            self._kept = asyncio.get_running_loop().create_future()
        kept = self._kept
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_groups(), name="deepgram batch writer")
        await asyncio.shield(kept)

    async def aclose(self) -> None:
        """Write what is left and end the thread."""
        try:
            if self._writing is not None:
                await asyncio.wait([self._writing])
            if self._group:
                await self._run(self._group)
        finally:
            self._thread.shutdown(wait=False)

    async def _write_groups(self) -> None:
        while (kept := self._kept) is not None:
            group, self._group, self._kept = self._group, [], None
            try:
                await self._run(group)
            except Exception as error:  # everyone who waits for this group gets it
                kept.set_exception(error)
                kept.exception()  # it is seen, even if all who waited were cancelled
            else:
                kept.set_result(None)

    async def _run(self, group: list[T]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, group)
