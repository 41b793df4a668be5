"""A connection that outlives its WebSockets: what was lost with one is said again on the next."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.memory import CannotResume, Memory
from deepgram_async._protocol.reconnect import (
    ConnectionLoss,
    ReconnectPolicy,
    given_up,
    stopped,
    unresumable,
)
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import Close, State
from deepgram_async._stream.connection import Connection, Sink
from deepgram_async._stream.lane import Lane
from deepgram_async._stream.signal import Signal
from deepgram_async.errors import ConnectionLostError, DeepgramError
from deepgram_async.models.events import Reconnected, Reconnecting, Stalled

if TYPE_CHECKING:
    from deepgram_async._io.sockets import WebSocket

__all__ = ["Resumption", "ResumingConnection"]

_log = logging.getLogger("deepgram_async")

_ABNORMAL: Final = 1006
# The service heard too little audio: without more, it would end the next connection as well.
_WANTS_AUDIO: Final = frozenset({"NET-0000", "NET-0002"})

# What is due sooner is due now: a clock may not be as fine as what is left of a pause.
_SHORTEST_WAIT_S: Final = 0.001

E = TypeVar("E")


@dataclass(frozen=True, kw_only=True)
class Resumption(Generic[E]):
    """How a stream gets from one connection to the next.

    Attributes:
        policy: Which ends are healed, and how soon.
        connect: Makes a connection with options.
        make_core: Makes the protocol of a connection from the time and the request id.
        memory: What has to be said again.
        longest_s: How long the service keeps a connection; ``None`` for no limit.
    """

    policy: ReconnectPolicy
    connect: Callable[[Mapping[str, object]], Awaitable[WebSocket]]
    make_core: Callable[[float, str | None], SocketCore[E]]
    memory: Memory[E]
    longest_s: float | None = None


@dataclass
class _Loss:
    """A connection that is being replaced."""

    error: DeepgramError
    last: DeepgramError
    since: float
    delay_s: float = 0.0


class ResumingConnection(Generic[E]):
    """Carries the frames of a stream over one connection after the other.

    The core that it was made with is the protocol as the user of the stream sees it: what may be
    said. Every connection has a core of its own, which knows what was said on it.

    What is put goes into the memory, and onto the connection while there is one and it has all
    that came before. After a loss the *healer*, a task, replaces the connection and says what is
    in the memory until the new one has all of it. Before the service would end a connection for
    its age, the healer replaces it in a quiet moment.
    """

    def __init__(
        self,
        core: SocketCore[E],
        websocket: WebSocket,
        settings: StreamSettings,
        sink: Sink[E | Reconnecting | Reconnected | Stalled],
        resumption: Resumption[E],
    ) -> None:
        self.lane = Lane()
        self._core = core
        self._settings = settings
        self._sink = sink
        self._resumption = resumption
        self._policy = resumption.policy
        self._memory = resumption.memory
        self._loop = asyncio.get_running_loop()
        self._waiters: list[asyncio.Future[None]] = []
        """Whoever waits for room in the memory."""
        self._has_work = Signal()
        """Set whenever something was added to the memory, or an event has come."""
        self._attempts = 0
        """Connections that were tried since the service last heard something."""
        self._loss: _Loss | None = None
        self._is_given_up = False
        self._has_ended = False
        self._is_finishing = False
        self._healer: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._patient_until = 0.0
        """How long the healer waits for an answer."""
        self._handover: asyncio.TimerHandle | None = None
        self._is_handing_over = False
        self.reconnects = 0
        """How many connections were replaced."""
        self._dropped_s = self._dropped_s_told = 0.0
        """What was dropped up to the last loss, and what the user was told of."""
        self._first_audio_at: float | None = None
        """When the first audio was written to a connection that was replaced."""
        self._link = self._linked(websocket)

    def start(self) -> None:
        """Hand over what has come so far, and all that follows."""
        self._link.start()
        self._plan_handover()

    # Public methods for sending.

    async def wait_for_room(self) -> None:
        """Return when a frame of audio may be queued, or the connection has ended."""
        while not self.has_room:
            if not self._memory.is_behind:
                await self._link.wait_for_room()
                continue
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            finally:
                self._waiters.remove(waiter)

    def put(self, frame: str | bytes) -> None:
        """Queue a frame; the order of calls is the order on the wire."""
        memory = self._memory
        if isinstance(frame, str):
            self.lane.close()
        was_behind = memory.is_behind
        memory.add(frame, self._loop.time())
        if not memory.is_behind:
            self._forward(frame)
        elif was_behind:
            self._has_work.set()
            if self._waiters and self.has_room:  # a frame may drop what was said before
                self._wake()
        else:  # it cannot be said as it is, or not yet
            self._heal(self._say_again())

    def offer(self, frame: bytes) -> bool:
        """Queue a frame of audio, if there is room for it; return whether there was."""
        memory, link = self._memory, self._link
        if memory.is_behind or not link.has_room:
            if not self.has_room:
                return False
            self.put(frame)
        else:
            memory.add(frame, self._loop.time())
            link.put(frame)
            link.open_lane(memory.remember_audio)
        return True

    def make_room(self) -> list[bytes]:
        """Leave out the oldest audio that waits until there is room, and return it."""
        memory, left_out = self._memory, list[bytes]()
        if memory.is_behind:
            while memory.is_full and (chunk := memory.leave_out_next()) is not None:
                left_out.append(chunk)
        else:
            left_out = self._link.make_room()
            for chunk in left_out:
                memory.leave_out(chunk)
        return left_out

    def skip(self, size: int) -> None:
        """Take that audio of this size is left out before whatever is put next."""
        self._memory.skip(size)
        self._has_work.set()

    def finish(self) -> None:
        """Close the WebSocket when all is written: for protocols without a closing message.

        What could not be said yet is not said any more: nobody would hear an answer.
        """
        self._is_finishing = True
        if self._memory.is_behind:
            link = self._link
            link.detach()
            link.finish()
            self._end(None)
        else:
            self._link_core.end()
            self._link.finish()

    # Public methods for ending.

    def give_up(self, reason: str) -> None:
        """Drop the connection at once, whatever waits to be written."""
        self._is_given_up = True
        self._core.receive_close(Close(_ABNORMAL, reason))
        self._link.give_up(reason)
        if self._loss is not None:
            self._end(self._loss.error)

    async def aclose(self) -> None:
        """Close politely within the bound of the settings, then by force; safe to repeat."""
        self._is_given_up = True
        self._stop()
        try:
            await self._link.aclose()
        finally:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # Public attributes.

    @property
    def has_room(self) -> bool:
        """Whether ``wait_for_room`` would return at once."""
        if self._memory.is_behind:
            return not self._memory.is_full or self._has_ended
        return self._link.has_room or self._has_ended

    @property
    def waiting_bytes(self) -> int:
        """Bytes that are queued and not written yet; at least one while nothing can be written."""
        return self.queued_bytes if self._loss is None else max(1, self.queued_bytes)

    @property
    def queued_bytes(self) -> int:
        """Bytes that are queued and not written yet."""
        unsent = self._memory.unsent_bytes
        return unsent if self._loss is not None else unsent + self._link.waiting_bytes

    @property
    def is_behind(self) -> bool:
        """Whether the service has not been told all that was said before."""
        return self._memory.is_behind

    @property
    def audio_sent_s(self) -> float | None:
        """Seconds of the stream that the present connection has, or that were settled before."""
        sent_s = self._link.audio_sent_s
        return None if sent_s is None else sent_s + self._memory.left_out_s

    @property
    def first_audio_at(self) -> float | None:
        """When the first audio was written."""
        first = self._first_audio_at
        return self._link.first_audio_at if first is None else first

    @property
    def dropped_s(self) -> float:
        """Seconds of audio that nobody will hear."""
        return round(self._dropped_s + self._memory.dropped_s, 6)

    # What the present connection calls.

    def take(self, event: E | Stalled) -> None:
        """Hand on an event as it is for the user, if there is anything new in it."""
        if isinstance(event, Stalled):
            self._sink.take(event)
            return
        memory = self._memory
        placed = memory.place(event)
        if type(event) is not bytes:  # a greeting may have told it
            self._core.request_id = self._link_core.request_id
        if memory.is_behind or self._is_handing_over:
            self._has_work.set()
            self._be_patient()
        if placed is not None:
            if self._attempts and memory.is_progress(event):
                self._attempts = 0
            self._sink.take(placed)
        if memory.is_over:
            self._link.give_up("the service has given up")
        elif memory.wants_handover and not self._is_handing_over:
            self._hand_over_soon()

    def ended(self, error: Exception | None) -> None:
        """End the stream, or replace the connection."""
        is_over = self._is_given_up or (self._is_finishing and self._core.CLOSING is None)
        if not isinstance(error, DeepgramError) or is_over or not self._policy.heals(error):
            self._end(error)
        else:
            self._lost(error)

    # One connection.

    def _linked(self, websocket: WebSocket) -> Connection[E]:
        core = self._resumption.make_core(self._loop.time(), websocket.request_id)
        core.follow(self._core, self._memory.sent_bytes)
        self._core.request_id = websocket.request_id
        self._link_core = core
        return Connection(core, websocket, self._settings, self, self.lane)

    def _forward(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            self._link_core.said(frame)
        self._link.put(frame)

    def _end(self, error: Exception | None) -> None:
        if not self._has_ended:
            self._stop()
            self._sink.ended(error)

    def _stop(self) -> None:
        self.lane.close()
        self._has_ended = True
        self._core.state = State.CLOSED
        self._wake()
        for task in self._tasks:
            task.cancel()
        if self._handover is not None:
            self._handover.cancel()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    # From one connection to the next.

    def _heal(self, work: Coroutine[Any, Any, None]) -> None:
        """Let the healer do something else from now on."""
        if self._healer is not None:
            self._healer.cancel()
        self._healer = self._loop.create_task(work, name="deepgram_async healer")
        self._tasks.add(self._healer)
        self._healer.add_done_callback(self._tasks.discard)

    def _lost(self, error: DeepgramError) -> None:
        try:
            self._rewind()
        except CannotResume as reason:
            self._end(unresumable(error, reason))
            return
        self._is_handing_over = False
        self._loss = _Loss(error, error, self._loop.time())
        if self._announce(self._loss, error):
            self._heal(self._replace(self._loss))

    def _rewind(self) -> None:
        self.lane.close()
        dropped_s = self._memory.dropped_s
        self._memory.rewind()
        self._dropped_s += dropped_s

    def _announce(self, loss: _Loss, last: DeepgramError) -> bool:
        """Tell of the attempt that comes next, or end the stream if there is none."""
        loss.last = last
        delay_s = self._policy.next_delay(
            self._attempts + 1,
            last,
            elapsed_s=self._loop.time() - loss.since,
            jitter=random.random(),
        )
        if delay_s is None:
            self._end(self._given_up(loss))
            return False
        self._attempts += 1
        loss.delay_s = delay_s
        _log.debug("%s: lost, next connection in %.2f s", self._core.OPERATION, delay_s)
        return self._tell(
            Reconnecting(attempt=self._attempts, delay_s=delay_s, reason=last.message)
        )

    def _tell(self, event: Reconnecting | Reconnected) -> bool:
        """Hand an event of our own to the user; return whether the stream goes on."""
        try:
            self._sink.take(event)
        except Exception as error:  # such as a consumer that takes nothing: it is the end
            self._link.give_up("the stream failed")
            self._end(error)
        return not self._has_ended

    async def _replace(self, loss: _Loss) -> None:
        """Replace a connection that was lost, and say again what the new one has to know."""
        await self._link.aclose()
        while True:
            try:
                await self._wait_for_audio(loss)
                async with asyncio.timeout_at(loss.since + self._policy.give_up_s):
                    await asyncio.sleep(loss.delay_s)
                    websocket = await self._connected(loss.last)
                break
            except DeepgramError as error:
                if not self._announce(loss, error):
                    return
            except TimeoutError:
                self._end(self._given_up(loss))
                return
            except _Stopped as reason:
                self._end(stopped(loss.error, reason.__cause__))
                return
            except Exception as error:  # of the user's token provider: nobody knows if it passes
                self._end(stopped(loss.error, error))
                return
        if self._resumed(websocket, since=loss.since, is_planned=False):
            await self._say_again()

    async def _wait_for_audio(self, loss: _Loss) -> None:
        """Wait for something to say if the service ended the connection because there was none."""
        error = loss.error
        net_code = error.net_code if isinstance(error, ConnectionLostError) else None
        if net_code in _WANTS_AUDIO and not self._memory.unsent_bytes:
            self._has_work.clear()
            await self._has_work.wait()
            loss.since = self._loop.time()

    async def _connected(self, last: DeepgramError | None) -> WebSocket:
        options = dict(self._memory.options)
        hook = self._policy.on_loss
        if hook is not None and last is not None:
            try:
                changes = await hook(ConnectionLoss(last, self._attempts, dict(options)))
            except Exception as error:  # it is the user's, and ends the stream whatever it is
                raise _Stopped from error
            self._memory.change(changes or {})
            options |= changes or {}
        return await self._resumption.connect(options)

    def _resumed(self, websocket: WebSocket, *, since: float, is_planned: bool) -> bool:
        """Go on over a new connection; return whether the user lets the stream go on."""
        self._loss = None
        self.reconnects += 1
        self._first_audio_at = self.first_audio_at
        self._link = self._linked(websocket)
        now = self._loop.time()
        self._memory.restart(now)
        self._plan_handover()
        dropped_s = self.dropped_s - self._dropped_s_told
        self._dropped_s_told = self.dropped_s
        is_wanted = self._tell(
            Reconnected(
                gap_s=now - since,
                replayed_s=self._memory.unsent_s,
                dropped_s=round(dropped_s, 6),
                attempts=self._attempts,
                request_id=websocket.request_id,
                is_planned=is_planned,
            )
        )
        if is_wanted:
            self._link.start()
        return is_wanted

    async def _say_again(self) -> None:
        """Say what is in the memory, at its pace, until there is no more."""
        memory, link = self._memory, self._link
        self._be_patient()
        while memory.is_behind:
            self._has_work.clear()
            now = self._loop.time()
            delay_s = memory.wait_s(now)
            if delay_s > _SHORTEST_WAIT_S:
                await self._work_comes(delay_s)
                continue
            frame = memory.next(now)
            if frame is not None:
                self._forward(frame)
                self._wake()
                await link.wait_for_room()
                self._be_patient()
            elif memory.is_behind:
                await self._work_comes(self._patient_until - now)
                if self._loop.time() >= self._patient_until:
                    link.give_up("the service did not answer in time")
                    return
        self._wake()
        if self._is_handing_over and not self._is_finishing:  # this was more urgent
            await self._hand_over(self._loop.time() + self._policy.handover_s / 2)

    def _be_patient(self) -> None:
        """Give the service time for an answer, anew; what the user says gives it none."""
        self._patient_until = self._loop.time() + self._settings.open_timeout_s

    async def _work_comes(self, patience_s: float) -> None:
        """Wait until something was added or heard, or the patience is at its end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._has_work.wait()

    def _given_up(self, loss: _Loss) -> DeepgramError:
        if self._is_given_up or self._attempts == 0:
            return loss.error
        return given_up(loss.error, loss.last, self._attempts)

    # Handing over before the service ends a connection for its age.

    def _plan_handover(self) -> None:
        if self._handover is not None:
            self._handover.cancel()
        self._is_handing_over = False
        longest_s = self._resumption.longest_s
        if longest_s is not None:
            early_s = min(self._policy.handover_s, longest_s / 2)
            self._handover = self._loop.call_later(longest_s - early_s, self._hand_over_soon)

    def _hand_over_soon(self) -> None:
        is_over = self._has_ended or self._is_finishing
        if self._loss is None and not is_over:
            self._is_handing_over = True
            if not self._memory.is_behind:  # else it follows what is said now
                self._heal(self._hand_over(self._loop.time() + self._policy.handover_s / 2))

    async def _hand_over(self, latest: float) -> None:
        """Replace a connection that works, as soon as the service owes nothing.

        Where that never happens until the latest moment, it is replaced like one that was lost. A
        loss meanwhile ends this task.
        """
        attempt = 0
        while True:
            await self._quiet_moment(latest)
            try:
                websocket = await self._connected(None)
                break
            except Exception as error:  # of the user's token provider, too: there is time to retry
                attempt += 1
                kind = type(error).__name__
                _log.debug("%s: cannot hand over yet: %s", self._core.OPERATION, kind)
                await asyncio.sleep(self._policy.pause_s(attempt, random.random()))
        try:
            await self._quiet_moment(latest)
            self._rewind()
        except CannotResume:  # so the connection stays as long as the service allows
            websocket.abort("not needed")
            return
        except BaseException:
            websocket.abort("not needed")
            raise
        previous = self._link
        previous.detach()
        now = self._loop.time()
        if self._resumed(websocket, since=now, is_planned=True):
            await asyncio.gather(self._say_again(), previous.aclose())
        else:
            await previous.aclose()

    async def _quiet_moment(self, latest: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(latest):
                while not self._memory.is_quiet:
                    self._has_work.clear()
                    await self._has_work.wait()


class _Stopped(Exception):  # noqa: N818 - carries what the user's hook raised, as its cause
    pass
