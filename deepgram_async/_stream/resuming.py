"""A connection that outlives its WebSockets: what was lost with one is said again on the next."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from deepgram_async._protocol.audio_clocks import clock_for
from deepgram_async._protocol.listening import CLOSE_STREAM, ListeningCore
from deepgram_async._protocol.reconnect import ConnectionLoss, ReconnectPolicy, given_up
from deepgram_async._protocol.replay import CannotResume, ReplayLog, Rewind
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import Close, State
from deepgram_async._protocol.timelines import CONFIGURE, Timeline
from deepgram_async._stream.connection import Connection
from deepgram_async.errors import ConnectionLostError, DeepgramError
from deepgram_async.models.events import Reconnected, Reconnecting

if TYPE_CHECKING:
    from deepgram_async._io.websocket import WebSocket

__all__ = ["Resumption", "ResumingConnection"]

_log = logging.getLogger("deepgram_async")

_ABNORMAL: Final = 1006
# The service heard too little audio: without more, it would end the next connection as well.
_WANTS_AUDIO: Final = frozenset({"NET-0000", "NET-0002"})

E = TypeVar("E")


@dataclass(frozen=True, kw_only=True)
class Resumption(Generic[E]):
    """How a stream gets from one connection to the next.

    Attributes:
        policy: Which ends are healed, and how soon.
        options: The options of the stream.
        connect: Makes a connection with options.
        make_core: Makes the protocol of a connection from the time and the request id.
        timeline: Puts the messages of all connections on one clock.
    """

    policy: ReconnectPolicy
    options: Mapping[str, object]
    connect: Callable[[Mapping[str, object]], Awaitable[WebSocket]]
    make_core: Callable[[float, str | None], ListeningCore[E]]
    timeline: Timeline[E]


@dataclass
class _Loss:
    """A connection that is being replaced."""

    error: ConnectionLostError
    last: DeepgramError
    since: float
    rewind: Rewind
    delay_s: float = 0.0


class ResumingConnection(Generic[E]):
    """Carries the frames of a stream over one connection after the other.

    The core that it was made with is the protocol as the user of the stream sees it: what may be
    said. Every connection has a core of its own, which knows what was said on it.

    What is sent goes into a log, and onto the connection while there is one and it has all that
    came before. After a loss ``receive`` replaces the connection, one attempt for each call; then
    the *replayer*, a task, says what is in the log until the connection has all of it.
    """

    def __init__(
        self,
        core: ListeningCore[E],
        websocket: WebSocket,
        settings: StreamSettings,
        resumption: Resumption[E],
    ) -> None:
        self._core = core
        self._settings = settings
        self._resumption = resumption
        self._policy = resumption.policy
        self._timeline = resumption.timeline
        self._options = dict(resumption.options)
        self._loop = asyncio.get_running_loop()
        self._log = ReplayLog(
            clock_for(resumption.options),
            longest_s=self._policy.replay_s,
            most_bytes=self._policy.replay_bytes,
        )
        self._covered_s = 0.0
        self._has_room = asyncio.Event()
        """Set whenever some of the log was sent."""
        self._has_work = asyncio.Event()
        """Set whenever something was added to the log."""
        self._attempts = 0
        """Connections that were tried since the service last heard something."""
        self._loss: _Loss | None = None
        self._patience: asyncio.Timeout | None = None
        self._is_given_up = False
        self._replayer: asyncio.Task[None] | None = None
        self._link, self._link_core = self._linked(websocket)

    # Public methods for sending.

    async def wait_for_room(self) -> None:
        """Return when a frame of audio may be queued, or the connection has ended."""
        while self._core.state is not State.CLOSED:
            if not self._log.is_behind:
                await self._link.wait_for_room()
                if not self._log.is_behind:
                    return
            elif not self._log.is_full:
                return
            else:
                self._has_room.clear()
                await self._has_room.wait()

    def put(self, frame: str | bytes) -> None:
        """Queue a frame; the order of calls is the order on the wire."""
        if isinstance(frame, bytes):
            self._log.add_audio(frame)
        elif frame != self._core.KEEP_ALIVE:
            is_lasting = frame == CLOSE_STREAM or frame.startswith(CONFIGURE)
            self._log.add_control(frame, needs_answer=is_lasting)
        if not self._log.is_behind:
            self._forward(frame)
        else:
            self._has_work.set()

    def finish(self) -> None:
        """Close the WebSocket when all is written: for protocols without a closing message."""
        self._link.finish()

    # Public methods for receiving.

    async def receive(self) -> E | Reconnecting | Reconnected | None:
        """Return the next event, or ``None`` at the end that was asked for.

        Raises:
            ConnectionLostError: The connection ended unasked and could not be replaced.
        """
        while True:
            if self._loss is not None:
                return await self._replace(self._loss)
            try:
                event = await self._link.receive()
            except ConnectionLostError as error:
                return self._lost(error)
            if event is None:
                self._end()
                return None
            placed = self._placed(event)
            if placed is not None:
                return placed

    # Public methods for ending.

    def give_up(self, reason: str) -> None:
        """Drop the connection at once, whatever waits to be written."""
        self._is_given_up = True
        self._core.receive_close(Close(_ABNORMAL, reason))
        self._link.give_up(reason)
        if self._patience is not None:
            self._patience.reschedule(self._loop.time())
        self._end()

    async def aclose(self) -> None:
        """Close politely within the bound of the settings, then by force; safe to repeat."""
        self._is_given_up = True
        self._end()
        try:
            await self._link.aclose()
        finally:
            if self._replayer is not None:
                await asyncio.gather(self._replayer, return_exceptions=True)

    # Public attributes.

    @property
    def waiting_bytes(self) -> int:
        """Bytes that are queued and not written yet; at least one while nothing can be written."""
        if self._loss is not None:
            return max(1, self._log.unsent_bytes)
        return self._log.unsent_bytes + self._link.waiting_bytes

    @property
    def is_behind(self) -> bool:
        """Whether the service has not been told all that was said before."""
        return self._log.is_behind

    @property
    def audio_sent_s(self) -> float | None:
        """Seconds of the stream that the present connection has, or that were settled before."""
        return self._link.audio_sent_s

    # One connection.

    def _linked(self, websocket: WebSocket) -> tuple[Connection[E], ListeningCore[E]]:
        core = self._resumption.make_core(self._loop.time(), websocket.request_id)
        core.follow(self._core)
        core.audio_bytes_sent = self._log.sent_bytes
        self._core.request_id = websocket.request_id
        return Connection(core, websocket, self._settings), core

    def _forward(self, frame: str | bytes) -> None:
        is_closing = isinstance(frame, str) and frame == CLOSE_STREAM
        if is_closing and self._link_core.state is State.OPEN:
            frame = self._link_core.end()
        self._link.put(frame)

    def _placed(self, event: E) -> E | None:
        timeline, log = self._timeline, self._log
        placed = timeline.place(event)
        if log.has_controls:
            answered = log.answer(partial(timeline.answers, event))
            if answered is not None:
                self._options |= timeline.options_of(event, answered)
        if placed is not None and timeline.is_progress(event):
            self._attempts = 0
        if timeline.covered_s > self._covered_s:
            self._covered_s = timeline.covered_s
            log.cover(self._covered_s)
        return placed

    def _end(self) -> None:
        self._core.state = State.CLOSED
        self._has_room.set()
        if self._replayer is not None:
            self._replayer.cancel()

    # From one connection to the next.

    def _lost(self, error: ConnectionLostError) -> Reconnecting:
        if self._is_given_up:
            raise error
        if self._replayer is not None:
            self._replayer.cancel()
        if not self._policy.heals(error):
            self._end()
            raise error
        try:
            rewind = self._log.rewind()
        except CannotResume as reason:
            self._end()
            raise _unresumable(error, reason) from None
        self._loss = _Loss(error, error, self._loop.time(), rewind)
        return self._announced(self._loss, error)

    def _announced(self, loss: _Loss, last: DeepgramError) -> Reconnecting:
        """Return the event for the attempt that comes next, or raise the end of all attempts."""
        loss.last = last
        delay_s = self._policy.next_delay(
            self._attempts + 1,
            last,
            elapsed_s=self._loop.time() - loss.since,
            jitter=random.random(),
        )
        if delay_s is None:
            raise self._given_up(loss)
        self._attempts += 1
        loss.delay_s = delay_s
        _log.debug("%s: lost, next connection in %.2f s", self._core.OPERATION, delay_s)
        return Reconnecting(attempt=self._attempts, delay_s=delay_s, reason=last.message)

    async def _replace(self, loss: _Loss) -> Reconnecting | Reconnected:
        """Make one attempt to replace the connection."""
        await self._link.aclose()
        try:
            await self._wait_for_audio(loss)
            async with asyncio.timeout_at(loss.since + self._policy.give_up_s) as self._patience:
                await asyncio.sleep(loss.delay_s)
                websocket = await self._connected(loss)
        except DeepgramError as error:
            return self._announced(loss, error)
        except TimeoutError:
            raise self._given_up(loss) from None
        except _Stopped as stopped:
            raise self._stopped(loss, stopped.__cause__) from stopped.__cause__
        except Exception as error:  # of the user's token provider: nobody knows whether it passes
            raise self._stopped(loss, error) from error
        finally:
            self._patience = None
        return self._resumed(loss, websocket)

    async def _wait_for_audio(self, loss: _Loss) -> None:
        """Wait for something to say if the service ended the connection because there was none."""
        if loss.error.net_code not in _WANTS_AUDIO or self._log.unsent_bytes:
            return
        self._has_work.clear()
        async with asyncio.timeout(None) as self._patience:
            await self._has_work.wait()
        loss.since = self._loop.time()

    async def _connected(self, loss: _Loss) -> WebSocket:
        hook = self._policy.on_loss
        if hook is not None:
            seen = ConnectionLoss(loss.last, self._attempts, dict(self._options))
            try:
                changes = await hook(seen)
            except Exception as error:  # it is the user's, and ends the stream whatever it is
                raise _Stopped from error
            self._options |= changes or {}
        return await self._resumption.connect(self._options)

    def _resumed(self, loss: _Loss, websocket: WebSocket) -> Reconnected:
        self._loss = None
        self._link, self._link_core = self._linked(websocket)
        self._timeline.restart(loss.rewind.offset_s)
        log = self._log
        resumed = Reconnected(
            gap_s=self._loop.time() - loss.since,
            replayed_s=log.end_s - log.sent_s,
            dropped_s=loss.rewind.dropped_s,
            attempts=self._attempts,
            request_id=websocket.request_id,
        )
        self._replayer = self._loop.create_task(self._replay(), name="deepgram_async replayer")
        return resumed

    async def _replay(self) -> None:
        """Say what is in the log, not much faster than it was spoken, until there is no more."""
        log, link, speed = self._log, self._link, self._policy.replay_speed
        began, began_s = self._loop.time(), log.sent_s
        while (frame := log.next()) is not None:
            self._forward(frame)
            self._has_room.set()
            await link.wait_for_room()
            if speed is not None:
                ahead_s = (log.sent_s - began_s) / speed - (self._loop.time() - began)
                if ahead_s > 0:
                    await asyncio.sleep(ahead_s)
        self._has_room.set()

    def _stopped(self, loss: _Loss, error: BaseException | None) -> ConnectionLostError:
        self._end()
        lost = loss.error
        return _varied(
            lost,
            f"{lost.message}; reconnecting was stopped by {type(error).__name__}",
            hint=lost.hint,
        )

    def _given_up(self, loss: _Loss) -> ConnectionLostError:
        self._end()
        if self._is_given_up or self._attempts == 0:
            return loss.error
        return given_up(loss.error, loss.last, self._attempts)


class _Stopped(Exception):  # noqa: N818 - carries what the user's hook raised, as its cause
    pass


def _unresumable(lost: ConnectionLostError, reason: Exception) -> ConnectionLostError:
    return _varied(
        lost,
        f"{lost.message}; the audio cannot be resumed on another connection: {reason}",
        hint="send raw audio, WAV or Ogg with Opus to have lost connections replaced",
    )


def _varied(lost: ConnectionLostError, message: str, hint: str | None) -> ConnectionLostError:
    varied = ConnectionLostError(
        message,
        operation=lost.operation,
        request_id=lost.request_id,
        retryable=lost.retryable,
        hint=hint,
        close_code=lost.close_code,
        close_reason=lost.close_reason,
        net_code=lost.net_code,
        audio_sent_s=lost.audio_sent_s,
    )
    varied.code = lost.code
    return varied
