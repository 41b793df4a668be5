"""One connection of a stream: a core that decides, a WebSocket, one writer, one watchdog."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import Close, SocketClosed, State
from deepgram_async._stream.buffers import FrameQueue

if TYPE_CHECKING:
    from deepgram_async._io.websocket import WebSocket

__all__ = ["Connection"]

_ABNORMAL: Final = 1006
# Frames in shorter intervals than this share a write: each costs a call of the system.
_BURST_S: Final = 0.001

E = TypeVar("E")


class Connection(Generic[E]):
    """Carries frames both ways until either side ends it.

    Two tasks belong to it. The *writer* writes what is queued; as long as there is any, nobody else
    writes. The *watchdog* sends what
    the core wants sent in a pause, and drops a connection whose peer takes no data any more.
    Reading is done by whoever calls ``receive``.
    """

    def __init__(self, core: SocketCore[E], websocket: WebSocket, settings: StreamSettings) -> None:
        self._core = core
        self._websocket = websocket
        self._settings = settings
        self._queue = FrameQueue(settings.send_buffer_bytes)
        self._loop = asyncio.get_running_loop()
        self._write_began_at: float | None = None
        self._wrote_at = 0.0
        self._tasks = [
            self._spawn(self._write(), "writer"),
            self._spawn(self._watch(), "watchdog"),
        ]

    # Public methods for sending.

    async def wait_for_room(self) -> None:
        """Return when a frame of audio may be queued, or the connection has ended."""
        await self._queue.wait_for_room()

    def put(self, frame: str | bytes) -> None:
        """Write a frame, or queue it; the order of calls is the order on the wire.

        A frame that comes after a pause is written at once, if nothing waits and the network takes
        it: that is audio in real time. Those that follow closely are queued and written together.
        """
        now = self._loop.time()
        is_burst = now < self._wrote_at + _BURST_S
        self._wrote_at = now
        is_free = not is_burst and self._write_began_at is None and self._queue.waiting_bytes == 0
        if is_free and self._websocket.send_now(frame):
            self._core.frame_sent(frame, now)
        else:
            self._queue.put(frame)

    def finish(self) -> None:
        """Close the WebSocket when all is written: for protocols without a closing message."""
        self._queue.finish()

    # Public methods for receiving.

    async def receive(self) -> E | None:
        """Return the next event, or ``None`` at the end that was asked for.

        Raises:
            ConnectionLostError: The connection ended unasked.
        """
        try:
            return self._core.receive(await self._websocket.receive())
        except SocketClosed as closed:
            self._core.receive_close(closed.close)
            self._stop()
            if self._core.close_error is not None:
                raise self._core.close_error from None
            return None

    # Public methods for ending.

    def give_up(self, reason: str) -> None:
        """Drop the connection at once, whatever waits to be written."""
        self._websocket.abort(reason)
        self._core.receive_close(Close(_ABNORMAL, reason))
        self._stop()

    async def aclose(self) -> None:
        """Close politely within the bound of the settings, then by force; safe to repeat."""
        self._stop()
        try:
            await self._websocket.aclose(self._settings.close_timeout_s)
        finally:
            self._core.state = State.CLOSED
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _stop(self) -> None:
        """Let everybody go who waits for room, and the two tasks."""
        self._queue.close()
        for task in self._tasks:
            task.cancel()

    @property
    def waiting_bytes(self) -> int:
        """Bytes that are queued and not written yet."""
        return self._queue.waiting_bytes

    # The two tasks.

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        return self._loop.create_task(work, name=f"deepgram_async {name}")

    async def _write(self) -> None:
        with contextlib.suppress(SocketClosed):  # the reader learns the same, and why
            while frames := await self._queue.get():
                self._write_began_at = self._loop.time()
                await self._websocket.send_all(frames)
                self._write_began_at = None
                now = self._loop.time()
                for frame in frames:
                    self._core.frame_sent(frame, now)
            await self._websocket.aclose(self._settings.close_timeout_s)

    async def _watch(self) -> None:
        patience = self._settings.dead_peer_s
        while self._core.state is not State.CLOSED:
            now = self._loop.time()
            began = self._write_began_at
            if began is not None and now >= began + patience:
                self._websocket.abort(f"the peer took no data for {patience:g} s")
                return
            if self.waiting_bytes == 0 and began is None:
                frame = self._core.on_deadline(now)
                if frame is not None:
                    self.put(frame)
            await asyncio.sleep(self._next_look(now))

    def _next_look(self, now: float) -> float:
        patience = self._settings.dead_peer_s
        # A quarter of the patience bounds how late a stalled write is noticed.
        look = now + patience / 4
        if self._write_began_at is not None:
            look = min(look, self._write_began_at + patience)
        deadline = self._core.deadline
        if deadline is not None:
            look = min(look, deadline)
        # A deadline that is due while a write is under way must not make this loop spin.
        return max(look - now, 0.05)
