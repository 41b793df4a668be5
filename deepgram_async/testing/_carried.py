"""One connection through a fault proxy."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

from ._faults import Direction, Fault

__all__ = ["BUFFER_BYTES", "CarriedConnection"]

BUFFER_BYTES: Final = 64 * 1024

# What a delayed direction holds; a sender that is faster waits.
_UNDER_WAY_BYTES: Final = 1 << 20
# A throttled direction delivers this often.
_SLICE_S: Final = 0.02
_NO_LINGER: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class CarriedConnection:
    """Two lanes between a client and a service, and the faults that wait for their moment."""

    def __init__(
        self,
        number: int,
        client: socket.socket,
        service: socket.socket,
        note: Callable[[Fault, int], None],
    ) -> None:
        self.number: int = number
        self.is_over: asyncio.Event = asyncio.Event()
        self.is_broken: bool = False
        """Whether a side has ended by a reset, or has gone while it was written to."""
        self._sockets = (client, service)
        self._note = note
        self._up = _Lane(self, "up", client, service)
        self._down = _Lane(self, "down", service, client)
        self._counting: list[_Countdown] = []
        self._timers: list[asyncio.TimerHandle] = []

    async def carry(self) -> None:
        """Return when the connection has ended in both directions."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(work) for lane in self._lanes() for work in lane.work()]
        try:
            await self.is_over.wait()
        finally:
            self.is_over.set()
            for timer in self._timers:
                timer.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # Faults.

    def plan(self, fault: Fault) -> None:
        """Let a fault happen at its moment, which may be now."""
        if fault.is_immediate:
            self._happen(fault)
            return
        countdown = _Countdown(fault)
        if fault.after_bytes:
            self._counting.append(countdown)
        if fault.after_s is not None:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(fault.after_s, self._end_countdown, countdown))

    def heal(self) -> None:
        """End the faults that stay."""
        for lane in self._lanes():
            lane.delay_s = 0.0
            lane.bytes_per_s = None
            lane.reads.set()
            lane.forwards.set()

    def allowance(self, direction: Direction) -> int:
        """Return how many bytes may be delivered before the next fault."""
        return min(
            (waiting.bytes_left for waiting in self._counting if waiting.counts(direction)),
            default=BUFFER_BYTES,
        )

    def delivered(self, direction: Direction, size: int) -> None:
        """Count bytes, and let happen what they bring about."""
        for waiting in tuple(self._counting):
            if waiting.counts(direction):
                waiting.bytes_left -= size
                if waiting.bytes_left <= 0:
                    self._end_countdown(waiting)

    def lane_ended(self) -> None:
        """Note that one direction is done."""
        if all(lane.has_ended for lane in self._lanes()):
            self.is_over.set()

    def reset(self) -> None:
        """End both sides by a reset."""
        for side in self._sockets:
            with contextlib.suppress(OSError):
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.is_over.set()

    def _end_countdown(self, waiting: _Countdown) -> None:
        if not waiting.is_over:
            waiting.is_over = True
            if waiting in self._counting:
                self._counting.remove(waiting)
            self._happen(waiting.fault)

    def _happen(self, fault: Fault) -> None:
        self._note(fault, self.number)
        if fault.kind == "reset":
            self.reset()
            return
        for lane in self._lanes(fault.direction):
            match fault.kind:
                case "corrupt":
                    lane.corrupts_next = True
                case "cut":
                    lane.cut()
                case "delay":
                    lane.delay_s = fault.delay_s
                case "stop_forwarding":
                    lane.forwards.clear()
                case "stop_reading":
                    lane.reads.clear()
                case "throttle":
                    lane.bytes_per_s = fault.bytes_per_s

    def _lanes(self, direction: Direction = "both") -> Iterator[_Lane]:
        if direction in ("both", "up"):
            yield self._up
        if direction in ("both", "down"):
            yield self._down


class _Countdown:
    """A fault that waits for bytes, for a moment, or for whichever comes first."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.bytes_left = fault.after_bytes or 0
        self.is_over = False

    def counts(self, direction: Direction) -> bool:
        return self.fault.counting in ("both", direction)


class _Lane:
    """One direction: a task that reads, the bytes under way, and a task that writes."""

    def __init__(
        self,
        connection: CarriedConnection,
        direction: Direction,
        source: socket.socket,
        sink: socket.socket,
    ) -> None:
        self.delay_s = 0.0
        self.bytes_per_s: float | None = None
        self.corrupts_next = False
        self.has_ended = False
        self.reads = asyncio.Event()
        self.reads.set()
        self.forwards = asyncio.Event()
        self.forwards.set()
        self._connection = connection
        self._direction: Direction = direction
        self._source = source
        self._sink = sink
        self._is_cut = False
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._bytes_under_way = 0
        self._arrived = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def work(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Return what the two tasks do."""
        yield self._read()
        yield self._write()

    def cut(self) -> None:
        """Tell the receiver that nothing more comes."""
        if not self._is_cut:
            self._is_cut = True
            with contextlib.suppress(OSError):  # the receiver has gone
                self._sink.shutdown(socket.SHUT_WR)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        block = b"-"
        while block:
            await self.reads.wait()
            try:
                block = await loop.sock_recv(self._source, BUFFER_BYTES)
            except OSError:
                self._connection.is_broken = True
                block = b""
            await self.reads.wait()  # what was on its way when reading was stopped
            self._under_way.append((loop.time() + self.delay_s, block))
            self._bytes_under_way += len(block)
            self._arrived.set()
            if self._bytes_under_way >= _UNDER_WAY_BYTES:
                self._has_room.clear()
                await self._has_room.wait()

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while not self._under_way:
                self._arrived.clear()
                await self._arrived.wait()
            due_at, block = self._under_way.popleft()
            self._bytes_under_way -= len(block)
            self._has_room.set()
            if due_at > loop.time():
                await asyncio.sleep(due_at - loop.time())
            if not block:
                break
            try:
                await self._deliver(block)
            except OSError:
                self._connection.is_broken = True
                self.cut()
        await self.forwards.wait()  # an end is swallowed like everything else
        if self._connection.is_broken:
            self._connection.reset()
            return
        self.cut()
        self.has_ended = True
        self._connection.lane_ended()

    async def _deliver(self, block: bytes) -> None:
        loop = asyncio.get_running_loop()
        while block and self._passes():
            size = len(block)
            rate = self.bytes_per_s
            if rate is not None:
                size = min(size, max(1, int(rate * _SLICE_S)))
                await asyncio.sleep(size / rate)
                if not self._passes():
                    return
            size = min(size, self._connection.allowance(self._direction))
            piece, block = block[:size], block[size:]
            if self.corrupts_next:
                self.corrupts_next = False
                piece = bytes([piece[0] ^ 0xFF]) + piece[1:]
            await loop.sock_sendall(self._sink, piece)
            self._connection.delivered(self._direction, size)

    def _passes(self) -> bool:
        return self.forwards.is_set() and not self._is_cut and not self._connection.is_over.is_set()
