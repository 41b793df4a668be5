"""Writing in a thread, where all that came meanwhile is written at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeAlias, TypeVar

__all__ = ["GroupedWriter"]

T = TypeVar("T")

_Kept: TypeAlias = "asyncio.Future[None]"


class GroupedWriter(Generic[T]):
    """Hands entries to a function that writes many of them as cheaply as one.

    The function runs in a thread of this writer, once at a time; what comes while it runs is its
    next group. So a disk that takes long for each promise that something is kept gets fewer and
    larger groups.

    Args:
        write: Writes a group; returns when it is kept.
        name: Name of the thread.
        apart: Write the entries of a group that failed once more, each on its own, so that one
            which cannot be written takes no other with it.
    """

    def __init__(self, write: Callable[[list[T]], None], name: str, *, apart: bool = False) -> None:
        self._write = write
        self._apart = apart
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._group: list[tuple[T, _Kept | None]] = []
        self._is_waited_for = False
        self._writing: asyncio.Task[None] | None = None

    def add(self, entry: T) -> None:
        """Let an entry be written with the next group, whenever that comes."""
        self._group.append((entry, None))

    async def put(self, entry: T) -> None:
        """Write an entry, and return when it is kept.

        Cancelling does not take it back.

        Raises:
            Exception: The group could not be written.
        """
        kept: _Kept = asyncio.get_running_loop().create_future()
        self._group.append((entry, kept))
        self._is_waited_for = True
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
        while self._is_waited_for:
            group, self._group, self._is_waited_for = self._group, [], False
            error = await self._error_of(group)
            if error is None or not self._apart or len(group) == 1:
                _tell(group, error)
                continue
            for entry in group:
                _tell([entry], await self._error_of([entry]))

    async def _error_of(self, group: list[tuple[T, _Kept | None]]) -> Exception | None:
        try:
            await self._run(group)
        except Exception as error:  # everyone who waits for this group gets it
            return error
        return None

    async def _run(self, group: list[tuple[T, _Kept | None]]) -> None:
        entries = [entry for entry, _ in group]
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, entries)


def _tell(group: list[tuple[T, _Kept | None]], error: Exception | None) -> None:
    for _, kept in group:
        if kept is None:
            continue
        if error is None:
            kept.set_result(None)
        else:
            kept.set_exception(error)
            kept.exception()  # it is seen, even if who waited was cancelled
