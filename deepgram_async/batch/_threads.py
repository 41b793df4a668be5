"""Work in a thread that is waited for, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

__all__ = ["run_to_end"]

T = TypeVar("T")


async def run_to_end(function: Callable[[], T], undo: Callable[[T], None] | None = None) -> T:
    """Return what a function returns that runs in a thread, and opens or closes something.

    Such work is short and cannot be broken off. Who is cancelled waits for its end all the same,
    so that nothing is left half open; what was made for nothing is given to ``undo``.
    """
    working = asyncio.get_running_loop().run_in_executor(None, function)
    cancellation: asyncio.CancelledError | None = None
    while not working.done():
        try:
            await asyncio.wait([working])
        except asyncio.CancelledError as error:
            cancellation = error
    if cancellation is None:
        return working.result()
    if working.exception() is None and undo is not None:
        undo(working.result())
    raise cancellation
