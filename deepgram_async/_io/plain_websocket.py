"""A WebSocket over the connections of websockets, for those that go through a proxy."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from deepgram_async._io.sockets import Receiver, WebSocket
from deepgram_async._protocol.sockets import Close

__all__ = ["PlainConnection", "PlainWebSocket", "connected"]

_ABNORMAL: Final = 1006
# What is queued here before the writer of frames has to wait, as a fast WebSocket bounds it.
_WRITE_BYTES: Final = 32 << 10
_PING: Final = b""


class PlainConnection(ClientConnection):
    """A connection that does not wait for a peer that said goodbye and then does not leave.

    The package bounds that wait only where it closes by itself: after a close of the peer, reading
    would go on for as long as TCP does.
    """

    carried: PlainWebSocket | None = None
    """What is told of every sign of life."""
    _is_left = False

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        if self.carried is not None:
            self.carried.was_heard = True
        super().data_received(data)
        if self.protocol.close_rcvd is not None and not self._is_left:
            self._is_left = True
            self.loop.call_later(self.close_timeout or 0, self.transport.abort)


class _Connect(connect):
    """Follows no redirect, as requests do: audio goes to the host that was named."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def connected(url: str, *, close_timeout_s: float, **settings: object) -> PlainWebSocket:
    """Return a WebSocket that the package has connected; ``settings`` are those of ``connect``."""
    connection = await _Connect(
        url,
        ping_interval=None,
        close_timeout=close_timeout_s,
        create_connection=PlainConnection,
        **settings,  # type: ignore[arg-type]  # each is given by name one call above
    )
    assert isinstance(connection, PlainConnection)  # asked for above
    return PlainWebSocket(connection)


class PlainWebSocket(WebSocket):
    """A WebSocket that leaves every frame to websockets; two tasks read and write.

    ``write`` takes frames as long as few wait.
    """

    def __init__(self, connection: PlainConnection) -> None:
        response = connection.response
        self.request_id = response.headers.get("dg-request-id") if response else None
        self.is_writable = True
        self.was_heard = self.was_used = False
        self._connection = connection
        connection.carried = self
        self._receiver: Receiver | None = None
        self._frames: deque[str | bytes] = deque()
        self._queued = 0
        self._taken = 0
        self._has_frames = asyncio.Event()
        self._is_closing = False
        self._has_ended = False
        self._abort_reason: str | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def attach(self, receiver: Receiver) -> None:
        """Hand over what has come so far, and all that follows."""
        self._receiver = receiver
        create_task = asyncio.get_running_loop().create_task
        self._tasks = [
            create_task(self._read(receiver), name="deepgram_async reader"),
            create_task(self._write(), name="deepgram_async writer"),
        ]

    def write(self, frames: Sequence[str | bytes]) -> None:
        """Write frames in their order."""
        for frame in frames:
            self._frames.append(frame)
            self._queued += len(frame)
        self.was_used = True
        self.is_writable = self._may_write()
        self._has_frames.set()

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        self.write([_PING])

    def start_closing(self) -> None:
        """Say goodbye with code 1000; what was written before still goes out."""
        self._is_closing = True
        self.is_writable = False
        self._has_frames.set()

    async def aclose(self, timeout_s: float) -> None:
        """Close with code 1000, by force when the peer does not answer in time."""
        self.start_closing()
        try:
            async with asyncio.timeout(timeout_s):
                await self._connection.close()
        except TimeoutError:
            pass  # the connection is dropped below
        finally:
            self.abort("closed")
            await self._connection.wait_closed()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def abort(self, reason: str) -> None:
        """Drop the connection at once, whatever waits to be written."""
        if self._abort_reason is None:
            self._abort_reason = reason
        self._connection.transport.abort()

    @property
    def taken_bytes(self) -> int:
        """How many of the bytes that were written the network has taken."""
        return self._taken

    @property
    def waiting_bytes(self) -> int:
        """How many it has not."""
        return self._queued

    def _may_write(self) -> bool:
        return self._queued < _WRITE_BYTES and not self._is_closing and not self._has_ended

    async def _write(self) -> None:
        try:
            while True:
                while self._frames:
                    frame = self._frames.popleft()
                    await (self._connection.ping() if frame is _PING else self._send(frame))
                    self._queued -= len(frame)
                    self._taken += len(frame)
                    had_room, self.is_writable = self.is_writable, self._may_write()
                    if self.is_writable and not had_room and self._receiver is not None:
                        self._receiver.room_came()
                if self._is_closing or self._has_ended:
                    await self._connection.close()
                    return
                self._has_frames.clear()
                await self._has_frames.wait()
        except ConnectionClosed:
            pass  # the reader learns the same, and why

    async def _send(self, frame: str | bytes) -> None:
        await self._connection.send(frame)

    async def _read(self, receiver: Receiver) -> None:
        try:
            while True:
                receiver.frame_received(await self._connection.recv())
        except ConnectionClosed as error:
            self._has_ended = True
            self.is_writable = False
            self._has_frames.set()
            if error.rcvd is not None:
                close = Close(error.rcvd.code, error.rcvd.reason)
            else:
                # Nothing was received, so the reason is what was noticed on this side.
                sent = error.sent.reason if error.sent is not None else ""
                close = Close(_ABNORMAL, self._abort_reason or sent)
            receiver.socket_ended(close)
