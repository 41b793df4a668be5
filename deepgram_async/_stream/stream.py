"""What the five sockets have in common for their users: opening, ending, iterating."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import warnings
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, cast
from weakref import ref

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import State
from deepgram_async._stream.buffers import EventBuffer
from deepgram_async._stream.connection import Carrier, Connection, Sink
from deepgram_async._stream.waiters import Waiters
from deepgram_async.errors import InvalidStateError, ProtocolError
from deepgram_async.models.events import Malformed, Stalled
from deepgram_async.models.stats import StreamStats

if TYPE_CHECKING:
    from deepgram_async._io.sockets import WebSocket

__all__ = ["Connector", "SocketStream"]

_log = logging.getLogger("deepgram_async")

C = TypeVar("C", bound=SocketCore[Any])
E = TypeVar("E")

# A silent service is looked at so often before the patience is at its end.
_LOOKS: Final = 4

Connector = Callable[[], "Awaitable[WebSocket]"]
"""Makes a new connection for the stream each time it is called."""


class SocketStream(Generic[C, E]):
    """A WebSocket of the service as its user sees it, opened by ``async with``.

    Leaving the ``async with`` regularly asks the service to end, waits for what it still owes,
    and closes; those events can be iterated over afterwards. Leaving it with an exception closes
    at once.

    The iteration ends after a close that was asked for, and raises ``ConnectionLostError`` on any
    other: there is no silent end. One task iterates; any task may send.

    A stream that nobody closes and nobody refers to any more warns and ends its connection; a
    source that is being sent refers to it.
    """

    _connection: Carrier | None = None
    _end: asyncio.Future[None] | None = None
    """Done when nothing more comes; cancelled when the user wanted no more."""
    drain_timed_out: bool
    """Whether the service did not come to an end after the closing message, because it fell silent
    or went on for too long, so something may be missing."""

    def __init__(
        self,
        connect: Connector,
        make_core: Callable[[float, str | None], C],
        is_expendable: Callable[[E], bool],
        settings: StreamSettings,
    ) -> None:
        """Prepare a stream.

        Args:
            connect: Makes the connection.
            make_core: Makes the protocol of a connection from the time and the request id.
            is_expendable: Whether a later event supersedes this one.
            settings: Behaviour of the stream.
        """
        self.drain_timed_out = False
        self._connect = connect
        self._make_core = make_core
        self._settings = settings
        self._buffer: EventBuffer[E] = EventBuffer(settings.event_buffer, is_expendable)
        self._waiters: Waiters[E] = Waiters()
        self._core: C | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._error: Exception | None = None
        self._error_was_raised = False
        self._is_opening = False
        self._is_closed = False
        self._events_taken = 0
        self._opened_at = 0.0
        self._ended_at: float | None = None

    # Public methods for opening and closing.

    async def open(self) -> None:
        """Connect; ``async with`` does it by itself.

        Raises:
            ApiError: The service refused the handshake; the class tells why.
            TransportError: The connection could not be made.
            InvalidStateError: The stream was opened or closed before, or closed meanwhile.
        """
        self._check_is_new()
        self._is_opening = True
        try:
            websocket = await self._connect()
        finally:
            self._is_opening = False
        if self._is_closed:
            websocket.abort("closed")
            raise InvalidStateError("the stream was closed while it was being opened")
        loop = asyncio.get_running_loop()
        self._end = loop.create_future()
        self._opened_at = loop.time()
        self._core = core = self._make_core(self._opened_at, websocket.request_id)
        outlet = _Outlet(self, self._end, self._waiters)
        self._connection = self._carried(core, websocket, outlet)
        self._connection.start()
        _log.debug("%s: open (request id %s)", core.OPERATION, websocket.request_id)

    async def finish(self) -> None:
        """Ask the service to end and return when it has said everything.

        What was queued is still sent. If the service stays silent for ``drain_timeout_s``, or
        talks on for longer than ``finish_timeout_s``, the connection is dropped and
        ``drain_timed_out`` is set. Safe to repeat.

        Raises:
            ConnectionLostError: The stream ended before everything had come.
            InvalidStateError: The stream was never opened.
        """
        await self._drain()
        self._raise_error()

    async def aclose(self) -> None:
        """Close at once, giving up what is still owed; safe to repeat, from any task."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        if self._end is not None and not self._end.done():
            self._reached_end(None)
            self._end.cancel()
        try:
            if self._connection is not None:
                await self._connection.aclose()
        finally:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None and not self._is_closed:
                await self._cancel_tasks()
                await self._drain()
                if not self._error_was_raised:
                    self._raise_error()
        finally:
            await self.aclose()

    # Public methods for receiving.

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        if self._connection is None:
            raise InvalidStateError("the stream is not open")
        event = self._buffer.take_now()
        if event is not None:
            return event
        try:
            return await self._buffer.get()
        except StopAsyncIteration:
            raise
        except Exception:
            self._error_was_raised = True
            raise

    # Public attributes.

    @property
    def is_open(self) -> bool:
        """Whether events may still come."""
        return self._end is not None and not self._end.done()

    @property
    def request_id(self) -> str | None:
        """The id to quote to Deepgram's support; ``None`` before the stream is open."""
        return None if self._core is None else self._core.request_id

    def stats(self) -> StreamStats:
        """Return how the stream is doing now; it costs nothing to ask, and as little not to."""
        end, connection = self._end, self._connection
        now = 0.0 if end is None else end.get_loop().time()
        return StreamStats(
            request_id=self.request_id,
            open_s=(now if self._ended_at is None else self._ended_at) - self._opened_at,
            queued_bytes=0 if connection is None else connection.queued_bytes,
            reconnects=0 if connection is None else connection.reconnects,
            waiting_events=len(self._buffer),
        )

    def __repr__(self) -> str:
        state = "new" if self._core is None else self._core.state.value
        return f"<{type(self).__name__} {state} request_id={self.request_id}>"

    def __del__(self) -> None:
        end, connection = self._end, self._connection
        if end is None or connection is None or end.done():
            return
        # Objects are collected in any thread, and also when the loop is closed already.
        with contextlib.suppress(RuntimeError):
            end.get_loop().call_soon_threadsafe(connection.give_up, "the stream was forgotten")
        warnings.warn(f"{self!r} was never closed", ResourceWarning, stacklevel=2, source=self)

    def _check_is_new(self) -> None:
        if self._is_closed or self._is_opening or self._connection is not None:
            raise InvalidStateError("a stream can be opened once")

    # For the streams of the single sockets.

    def _ready(self) -> tuple[C, Carrier]:
        """Return the parts of an open stream, for a call of the user; raise what ended it."""
        self._error_was_raised = self._error_was_raised or self._error is not None
        return self._opened()

    def _opened(self) -> tuple[C, Carrier]:
        if self._error is not None:
            raise self._error
        if self._core is None or self._connection is None or self._is_closed:
            raise InvalidStateError("the stream is not open")
        return self._core, self._connection

    def _carried(self, core: C, websocket: WebSocket, sink: Sink[E]) -> Carrier:
        """Return what carries the frames of an open stream."""
        # The events of all streams that take audio have the kind that it adds, and the other
        # streams never see it; a type variable cannot say so.
        return Connection(core, websocket, self._settings, cast("Sink[E | Stalled]", sink))

    def _start_task(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run work of this stream beside it; it is cancelled when the stream is left."""
        task = asyncio.get_running_loop().create_task(work, name=f"deepgram_async {name}")
        self._tasks = [running for running in self._tasks if not running.done()]
        self._tasks.append(task)
        return task

    def _fail(self, error: Exception) -> None:
        """Note an error for the end of the iteration, unless another came first."""
        if self._error is None:
            self._error = error

    def _received(self, event: E) -> None:
        """See an event before the user does."""

    # What the connection calls, and the end.

    def _take(self, event: E) -> None:
        self._events_taken += 1
        if self._settings.strict and isinstance(event, Malformed):
            operation = None if self._core is None else self._core.OPERATION
            raise ProtocolError(event.reason, body=event.raw, operation=operation)
        self._received(event)
        self._waiters.offer(event)
        self._buffer.put(event)

    def _reached_end(self, error: Exception | None) -> None:
        if self._ended_at is None and self._end is not None:
            self._ended_at = self._end.get_loop().time()
        # Kept for whoever sends, iterates or leaves the `async with` next.
        if error is not None and not self.drain_timed_out:
            self._fail(error)
        self._buffer.close(self._error)
        self._waiters.fail(self._error)

    def _raise_error(self) -> None:
        if self._error is not None:
            self._error_was_raised = True
            raise self._error

    async def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _drain(self) -> None:
        """Send the closing message and wait until the connection has ended."""
        core, connection, end = self._core, self._connection, self._end
        if core is None or connection is None or end is None:
            raise InvalidStateError("the stream was never opened")
        if core.state is State.OPEN:
            closing = core.end()
            if closing is None:
                connection.finish()
            else:
                connection.put(closing)
        settings = self._settings
        if not await self._outlasted(end, settings.drain_timeout_s, settings.finish_timeout_s):
            self.drain_timed_out = True
            _log.warning("%s: not ended in time, results may be missing", core.OPERATION)
            connection.give_up("the service did not end the stream in time")
            await asyncio.wait([end], timeout=settings.close_timeout_s)

    async def _outlasted(
        self, future: asyncio.Future[Any], patience_s: float, longest_s: float = math.inf
    ) -> bool:
        """Return whether a future, or the stream, was done before the patience was at its end.

        The service is patiently waited for as long as it says anything, or is being written to.
        Its silence is counted in looks: a clock that jumps while the machine sleeps counts once.

        Args:
            future: What is waited for.
            patience_s: The longest silence.
            longest_s: The longest time, counted from when all was written.
        """
        connection, end = self._connection, self._end
        assert connection is not None, "the stream was opened"
        assert end is not None, "the stream was opened"
        look_s = min(patience_s, longest_s) / _LOOKS
        silent_looks = looks = 0
        while not (future.done() or end.done()):
            seen = self._events_taken
            await asyncio.wait({future, end}, timeout=look_s, return_when=asyncio.FIRST_COMPLETED)
            all_is_written = not (connection.waiting_bytes or connection.is_behind)
            was_silent = all_is_written and self._events_taken == seen
            silent_looks = silent_looks + 1 if was_silent else 0
            looks += all_is_written
            is_at_its_end = silent_looks * look_s >= patience_s or looks * look_s >= longest_s
            if is_at_its_end and looks >= _LOOKS:
                return future.done() or end.done()
        return True


class _Outlet(Generic[E]):
    """Leads from the connection to the stream without holding it: it can be forgotten.

    It is a part of the stream and so knows its inner methods.
    """

    def __init__(
        self, stream: SocketStream[Any, E], end: asyncio.Future[None], waiters: Waiters[E]
    ) -> None:
        self._stream = ref(stream)
        self._end = end
        self._waiters = waiters

    def take(self, event: E) -> None:
        stream = self._stream()
        if stream is not None:
            stream._take(event)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def ended(self, error: Exception | None) -> None:
        if self._end.done():
            return
        stream = self._stream()
        if stream is None:
            self._waiters.fail(error)
        else:
            stream._reached_end(error)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        self._end.set_result(None)
