"""The short way of audio to the network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from deepgram_async._protocol.core import SocketCore

if TYPE_CHECKING:
    from deepgram_async._io.sockets import WebSocket

__all__ = ["BURST_S", "Lane"]

# Frames in shorter intervals than this share a write: each costs a call of the system.
BURST_S: Final = 0.001


class Lane:
    """The short way of a chunk of audio, past everything that could be in its way and is not.

    A process with a thousand streams spends its time on fetching what it knows of each. This is
    all that a chunk has to touch when it may be written at once: in real time, that is nearly
    every chunk. The long way opens the lane behind a chunk that met no obstacle, and whatever else
    happens to the stream closes it, so it is closed unless the next chunk meets none either.
    """

    __slots__ = (
        "_core",
        "_queue",
        "_remember",
        "_time",
        "_websocket",
        "put_at",
        "unsettled_bytes",
    )

    def __init__(self) -> None:
        self.put_at = 0.0
        """When a frame was last put, on either way."""
        self.unsettled_bytes = 0
        """What was sent on this way and the core was not told."""
        self._websocket: WebSocket | None = None
        self._core: SocketCore[Any]
        self._queue: Sequence[str | bytes] = ()
        self._remember: Callable[[bytes], None] | None = None
        self._time: Callable[[], float]

    def send(self, chunk: bytes | bytearray | memoryview) -> bool:
        """Write a chunk at once, if nothing is in its way; return whether it was written."""
        websocket = self._websocket
        if (
            websocket is None
            or self._queue
            or not websocket.is_writable
            or type(chunk) is not bytes
            or not chunk
        ):
            return False
        now = self._time()
        if now < self.put_at + BURST_S:
            return False
        self.put_at = now
        if self._remember is not None:
            self._remember(chunk)
        websocket.write_audio(chunk)
        self.unsettled_bytes += len(chunk)
        return True

    def open(
        self,
        websocket: WebSocket,
        core: SocketCore[Any],
        queue: Sequence[str | bytes],
        remember: Callable[[bytes], None] | None,
    ) -> None:
        """Open the lane.

        Args:
            websocket: Where chunks are written.
            core: Who is told of it.
            queue: What waits to be written before any chunk.
            remember: Keeps a chunk, to be said again on another connection.
        """
        self._websocket, self._core, self._queue = websocket, core, queue
        self._remember = remember
        self._time = asyncio.get_running_loop().time

    def settle(self) -> None:
        """Tell the core what was sent on this way."""
        if self.unsettled_bytes:
            self._core.audio_sent(self.unsettled_bytes, self.put_at)
            self.unsettled_bytes = 0

    def close(self) -> None:
        """Let what follows take the long way."""
        if self._websocket is not None:
            self.settle()
            self._websocket = None
