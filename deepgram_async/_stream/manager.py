"""The streams of one session: counted and closed in one place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from deepgram_async.errors import DeepgramError

if TYPE_CHECKING:
    from deepgram_async._stream.stream import SocketStream

__all__ = ["SocketManager"]

S = TypeVar("S", bound="SocketStream[Any, Any]")


class SocketManager:
    """Knows the streams of a session and closes those that are left when it ends."""

    def __init__(self) -> None:
        self._streams: WeakSet[SocketStream[Any, Any]] = WeakSet()

    def track(self, stream: S) -> S:
        """Remember a stream as long as somebody uses it, and return it."""
        self._streams.add(stream)
        return stream

    @property
    def streams(self) -> tuple[SocketStream[Any, Any], ...]:
        """The streams that are open now."""
        return tuple(stream for stream in self._streams if stream.is_open)

    async def aclose(self, timeout_s: float) -> None:
        """Finish all open streams at the same time; after the timeout drop what is left.

        When it is cancelled it closes them all at once.
        """
        loop = asyncio.get_running_loop()
        ending = [loop.create_task(_end(stream, timeout_s)) for stream in self.streams]
        if not ending:
            return
        try:
            # Unlike gather(), it cancels none of them before it has begun and can close its stream.
            await asyncio.wait(ending)
        except asyncio.CancelledError:
            for task in ending:
                task.cancel()
            await asyncio.wait(ending)
            raise
        for task in ending:
            task.result()


async def _end(stream: SocketStream[Any, Any], timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await stream.finish()
    except (TimeoutError, DeepgramError):
        pass  # whoever iterates over the stream is told; here it only has to end
    finally:
        await stream.aclose()
