"""One connection of a stream: a core that decides, a WebSocket, a queue, one timer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import Close, State
from deepgram_async._stream.lane import BURST_S, Lane
from deepgram_async.models.events import Stalled

if TYPE_CHECKING:
    from deepgram_async._io.sockets import WebSocket

__all__ = ["Carrier", "Connection", "Sink"]

_ABNORMAL: Final = 1006
# What is written at once. The buffer of the transport would take more, out of sight of the bound.
_WRITE_BYTES: Final = 32 << 10
# A peer is looked at so often in the time that it has.
_LOOKS: Final = 4
# A deadline that is due while nothing can be written must not make the timer spin.
_SHORTEST_LOOK_S: Final = 0.05

E = TypeVar("E")
E_contra = TypeVar("E_contra", contravariant=True)


class Sink(Protocol[E_contra]):
    """Who takes what a connection brings."""

    def take(self, event: E_contra) -> None:
        """Take an event; an error that is raised ends the connection, and is its end."""

    def ended(self, error: Exception | None) -> None:
        """Take the end, once: ``None`` if it was asked for."""


class Carrier(Protocol):
    """What a stream needs of a connection, or of several that look like one."""

    lane: Lane
    """The short way of audio; ``offer`` is the long one."""

    def start(self) -> None:
        """Hand over what has come so far, and all that follows."""

    async def wait_for_room(self) -> None:
        """Return when a frame of audio may be queued, or the connection has ended."""

    def put(self, frame: str | bytes) -> None:
        """Queue a frame; the order of calls is the order on the wire."""

    def offer(self, frame: bytes) -> bool:
        """Queue a frame of audio, if there is room for it; return whether there was."""
        ...

    def make_room(self) -> list[bytes]:
        """Leave out the oldest audio that waits until there is room, and return it."""
        ...

    def skip(self, size: int) -> None:
        """Take that audio of this size is left out before whatever is put next."""

    def finish(self) -> None:
        """Close when all is written: for protocols without a closing message."""

    def give_up(self, reason: str) -> None:
        """Drop the connection at once, whatever waits to be written."""

    async def aclose(self) -> None:
        """Close politely within a bound, then by force; safe to repeat."""

    @property
    def has_room(self) -> bool:
        """Whether ``wait_for_room`` would return at once."""
        ...

    @property
    def queued_bytes(self) -> int:
        """Bytes that are queued and not written yet."""
        ...

    @property
    def waiting_bytes(self) -> int:
        """Bytes that are queued and not written yet; at least one while nothing can be written."""
        ...

    @property
    def is_behind(self) -> bool:
        """Whether the service has not been told all that was said before."""
        ...

    @property
    def audio_sent_s(self) -> float | None:
        """Seconds of audio sent, or ``None`` where that is unknown or has no meaning."""
        ...

    @property
    def first_audio_at(self) -> float | None:
        """When the first audio was written."""
        ...

    @property
    def reconnects(self) -> int:
        """How many connections were replaced."""
        ...

    @property
    def dropped_s(self) -> float:
        """Seconds of audio that were lost with connections."""
        ...


class Connection(Generic[E]):
    """Carries frames both ways until either side ends it.

    No task belongs to it. What is put is written at once, or queued as long as the network takes
    nothing. A timer sends what the core wants sent in a pause, and drops a peer that is dead: one
    that takes no data, or gives no sign of life and answers no ping. The peer is judged by how
    often the timer saw nothing of it, not by the clock, which may jump when the machine slept. So
    is a service that hears audio and says nothing.
    """

    def __init__(
        self,
        core: SocketCore[E],
        websocket: WebSocket,
        settings: StreamSettings,
        sink: Sink[E | Stalled],
        lane: Lane | None = None,
    ) -> None:
        self.lane = Lane() if lane is None else lane
        self._core = core
        self._websocket = websocket
        self._settings = settings
        self._sink: Sink[E | Stalled] | None = sink
        self._loop = asyncio.get_running_loop()
        # The queue.
        self._frames: list[str | bytes] = []
        self._waiting_bytes = 0
        self._joins_s = settings.join_audio_s
        self._flush_is_due = False
        self._is_finishing = False
        self._is_stopped = False
        self._waiters: list[asyncio.Future[None]] = []
        # The watch.
        self._timer: asyncio.TimerHandle | None = None
        self._look_every_s = settings.dead_peer_s / _LOOKS
        self._next_look_at = 0.0
        self._silent_looks = self._unused_looks = self._stuck_looks = 0
        self._taken_bytes = 0
        # The watch for a service that hears and says nothing.
        stalled_after_s = settings.stalled_after_s
        self._listen_every_s = math.inf if stalled_after_s is None else stalled_after_s / _LOOKS
        self._next_listen_at = 0.0
        self._spoke = self._is_stalled = False
        self._quiet_looks = self._unanswered_looks = 0
        self._heard_then = self._heard_before = 0
        """Bytes of audio sent when the service last spoke, and at the last look."""

    def start(self) -> None:
        """Hand over what has come so far, and all that follows."""
        now = self._loop.time()
        self._next_look_at = now + self._look_every_s
        self._next_listen_at = now + self._listen_every_s
        self._watch()
        self._websocket.attach(self)

    # Public methods for sending.

    async def wait_for_room(self) -> None:
        """Return when a frame of audio may be queued, or the connection has ended."""
        while not self.has_room:
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            finally:
                self._waiters.remove(waiter)

    def offer(self, frame: bytes) -> bool:
        """Queue a frame of audio, if there is room for it; return whether there was."""
        if not self.has_room:
            return False
        self.put(frame)
        self.open_lane(None)
        return True

    def open_lane(self, remember: Callable[[bytes], None] | None) -> None:
        """Let audio that follows take the short way.

        Args:
            remember: Keeps a chunk, to be said again on another connection.
        """
        if not self._joins_s and not self._is_stopped:
            self.lane.open(self._websocket, self._core, self._frames, remember)

    def put(self, frame: str | bytes) -> None:
        """Write a frame, or queue it; the order of calls is the order on the wire.

        A frame that comes after a pause is written at once, if nothing waits and the network takes
        it: that is audio in real time. Those that follow closely are queued and written together.
        """
        if self._joins_s:
            self._hold(frame)
            return
        lane, now = self.lane, self._loop.time()
        if isinstance(frame, str):
            lane.close()
        is_burst = now < lane.put_at + BURST_S
        lane.put_at = now
        is_writable = self._websocket.is_writable
        if is_writable and not is_burst and not self._frames:
            self._websocket.write((frame,))
            self._core.frame_sent(frame, now)
            return
        self._frames.append(frame)
        self._waiting_bytes += len(frame)
        if is_writable and not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_soon(self._flush)

    def _hold(self, frame: str | bytes) -> None:
        """Queue a frame; audio that follows within the time is written with it, as one frame."""
        self._frames.append(frame)
        self._waiting_bytes += len(frame)
        if isinstance(frame, str) or self._waiting_bytes >= _WRITE_BYTES:
            self._flush()
        elif not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_later(self._joins_s, self._flush)

    def make_room(self) -> list[bytes]:
        """Leave out the oldest audio that waits until there is room, and return it."""
        frames, left_out = self._frames, list[bytes]()
        kept = 0
        while not self.has_room and kept < len(frames):
            frame = frames[kept]
            if isinstance(frame, str):
                kept += 1
                continue
            del frames[kept]
            self._waiting_bytes -= len(frame)
            left_out.append(frame)
        return left_out

    def skip(self, size: int) -> None:
        """Take that audio is left out: to one connection it means nothing."""

    def finish(self) -> None:
        """Close the WebSocket when all is written: for protocols without a closing message."""
        self.lane.close()
        self._is_finishing = True
        self._flush()

    # Public methods for ending.

    def give_up(self, reason: str) -> None:
        """Drop the connection at once, whatever waits to be written."""
        self._websocket.abort(reason)
        self.socket_ended(Close(_ABNORMAL, reason))

    async def aclose(self) -> None:
        """Close politely within the bound of the settings, then by force; safe to repeat."""
        self._stop()
        try:
            await self._websocket.aclose(self._settings.close_timeout_s)
        finally:
            self._core.state = State.CLOSED

    def detach(self) -> None:
        """Let nobody know any more what the connection brings: another has taken its place."""
        self._sink = None
        self._core.state = State.CLOSED
        self._stop()

    # Public attributes.

    @property
    def has_room(self) -> bool:
        """Whether ``wait_for_room`` would return at once."""
        return self._waiting_bytes < self._settings.send_buffer_bytes or self._is_stopped

    @property
    def queued_bytes(self) -> int:
        """Bytes that are queued and not written yet."""
        return self._waiting_bytes

    @property
    def waiting_bytes(self) -> int:
        """Bytes that are queued and not written yet."""
        return self._waiting_bytes

    @property
    def is_behind(self) -> bool:
        """Whether the service has not been told all that was said before: never."""
        return False

    @property
    def audio_sent_s(self) -> float | None:
        """Seconds of audio sent, or ``None`` where that is unknown or has no meaning."""
        self.lane.settle()
        return self._core.audio_sent_s

    @property
    def first_audio_at(self) -> float | None:
        """When the first audio was written."""
        return self._core.first_audio_at

    @property
    def reconnects(self) -> int:
        """How many connections were replaced: there is but one."""
        return 0

    @property
    def dropped_s(self) -> float:
        """Seconds of audio that were lost with connections."""
        return 0.0

    # What the WebSocket calls.

    def frame_received(self, frame: str | bytes) -> None:
        """Hand on what a message means."""
        sink, core = self._sink, self._core
        if sink is None:
            return
        self._spoke = True
        self._heard_then = core.audio_bytes_sent + self.lane.unsettled_bytes
        try:
            sink.take(core.receive(frame))
        except Exception as error:  # a bug, too, must end in the stream and not in the event loop
            self._fail(error)

    def room_came(self) -> None:
        """Go on writing."""
        self._flush()

    def socket_ended(self, close: Close) -> None:
        """Settle how the connection ended."""
        self.lane.close()
        self._core.receive_close(close, is_all_sent=not self._frames)
        self._stop()
        self._end(self._core.close_error)

    def _fail(self, error: Exception) -> None:
        self._end(error)
        self.give_up("the stream failed")

    def _end(self, error: Exception | None) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.ended(error)

    # Writing.

    def _flush(self) -> None:
        self._flush_is_due = False
        frames, websocket = self._frames, self._websocket
        while frames and websocket.is_writable:
            count = taken_bytes = 0
            while count < len(frames) and taken_bytes < _WRITE_BYTES:
                taken_bytes += len(frames[count])
                count += 1
            taken = frames[:count]
            del frames[:count]
            self._waiting_bytes -= taken_bytes
            websocket.write(_joined(taken) if self._joins_s else taken)
            now = self._loop.time()
            for frame in taken:
                self._core.frame_sent(frame, now)
        if self._waiters and self.has_room:
            self._wake()
        if self._is_finishing and not frames:
            websocket.start_closing()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _stop(self) -> None:
        """Let everybody go who waits for room, and watch no more."""
        self.lane.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._is_stopped = True
        self._wake()

    # Watching.

    def _watch(self) -> None:
        """Do what is due, and come back when the next thing is."""
        self.lane.settle()
        now = self._loop.time()
        if now >= self._next_look_at:
            self._next_look_at = now + self._look_every_s
            self._look()
        if now >= self._next_listen_at:
            self._next_listen_at = now + self._listen_every_s
            self._listen()
        if self._is_stopped:
            return
        if self._websocket.is_writable and not self._frames:
            frame = self._core.on_deadline(now)
            if frame is not None:
                self.put(frame)
        due_at, deadline = min(self._next_look_at, self._next_listen_at), self._core.deadline
        if deadline is not None and deadline < due_at:
            due_at = max(deadline, now + _SHORTEST_LOOK_S)
        self._timer = self._loop.call_at(due_at, self._watch)

    def _look(self) -> None:
        """Count how often nothing was seen of the peer, and act on it."""
        websocket = self._websocket
        patience_s = self._settings.dead_peer_s
        self._silent_looks = 0 if websocket.was_heard else self._silent_looks + 1
        self._unused_looks = 0 if websocket.was_used else self._unused_looks + 1
        websocket.was_heard = websocket.was_used = False
        taken = websocket.taken_bytes
        is_stuck = bool(self._frames or websocket.waiting_bytes) and taken == self._taken_bytes
        self._stuck_looks = self._stuck_looks + 1 if is_stuck else 0
        self._taken_bytes = taken
        if self._stuck_looks >= _LOOKS:
            self.give_up(f"the peer took no data for {patience_s:g} s")
        elif self._silent_looks >= _LOOKS:
            self.give_up(f"the peer sent nothing and answered no ping for {patience_s:g} s")
        elif self._silent_looks == _LOOKS // 2 or self._unused_looks >= _LOOKS:
            # Some sockets of the service end when the client writes nothing, and a ping counts.
            websocket.ping()

    def _listen(self) -> None:
        """Count how often audio was sent and nothing was said to it, and tell of it once."""
        core, sink = self._core, self._sink
        heard = core.audio_bytes_sent
        if self._spoke:
            self._spoke = self._is_stalled = False
            self._quiet_looks = self._unanswered_looks = 0
        else:
            self._quiet_looks += 1
            self._unanswered_looks += heard > self._heard_before
        self._heard_before = heard
        if self._unanswered_looks < _LOOKS or self._is_stalled or sink is None:
            return
        self._is_stalled = True
        rate = core.bytes_per_s
        silent_s = self._quiet_looks * self._listen_every_s
        audio_s = None if rate is None else (heard - self._heard_then) / rate
        try:
            sink.take(Stalled(silent_s=silent_s, audio_s=audio_s))
        except Exception as error:  # such as a consumer that takes nothing: it is the end
            self._fail(error)


def _joined(frames: list[str | bytes]) -> list[str | bytes]:
    """Return frames with all audio that stands together in one frame."""
    joined: list[str | bytes] = []
    for is_audio, group in groupby(frames, lambda frame: isinstance(frame, bytes)):
        if is_audio:
            joined.append(b"".join(frame for frame in group if isinstance(frame, bytes)))
        else:
            joined.extend(group)
    return joined
