"""A live transcription as its user sees it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Self

from deepgram_async._protocol.listen_v1 import OPERATION, ListenV1Core
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import State
from deepgram_async._protocol.sources import AudioChunks
from deepgram_async._stream.buffers import EventBuffer
from deepgram_async._stream.connection import Connection
from deepgram_async._stream.pump import chunks_of
from deepgram_async.errors import DeepgramError, InvalidStateError, ProtocolError
from deepgram_async.models.events import Malformed
from deepgram_async.models.live import ListenEvent

if TYPE_CHECKING:
    from deepgram_async._io.websocket import WebSocket

__all__ = ["Connector", "LiveStream"]

_log = logging.getLogger("deepgram_async")

Connector = Callable[[], "Awaitable[WebSocket]"]
"""Makes a new connection for the stream each time it is called."""


class LiveStream:
    """A live transcription, made by ``dg.listen.live(...)`` and opened by ``async with``.

    It can be driven at three levels. Everything done for you::

        async with dg.listen.live(model="nova-3", interim_results=True) as live:
            async for event in live.transcribe(chunks):
                ...

    Audio in the background with ``live.start(chunks)`` and then ``async for event in live``; or
    all by hand with ``send_audio``, ``finalize``, ``keep_alive``, ``close_stream`` and
    ``async for``. One task iterates; any task may send.

    In pauses of the audio KeepAlives are sent by themselves. Leaving the ``async with`` regularly
    ends the audio, waits for the results that are still owed, and closes; those results can be
    iterated over afterwards. Leaving it with an exception closes at once.

    The iteration ends after a close that was asked for, and raises ``ConnectionLostError`` on any
    other: there is no silent end.
    """

    def __init__(
        self, connect: Connector, options: Mapping[str, object], settings: StreamSettings
    ) -> None:
        self._connect = connect
        self._options = options
        self._settings = settings
        self._buffer: EventBuffer[ListenEvent] = EventBuffer(
            settings.event_buffer, ListenV1Core.is_expendable
        )
        self._core: ListenV1Core | None = None
        self._connection: Connection[ListenEvent] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._source_error: Exception | None = None
        self._error: DeepgramError | None = None
        self._error_was_raised = False
        self._is_closed = False
        self._last_event_at = 0.0
        self.drain_timed_out: bool = False
        """Whether the service fell silent after the closing message, so results may be missing."""

    # Public methods for opening and closing.

    async def open(self) -> None:
        """Connect; ``async with`` does it by itself.

        Raises:
            ApiError: The service refused the handshake; the class tells why.
            TransportError: The connection could not be made.
            InvalidStateError: The stream was opened before.
        """
        if self._is_closed or self._connection is not None:
            raise InvalidStateError("a stream can be opened once")
        websocket = await self._connect()
        loop = asyncio.get_running_loop()
        self._core = ListenV1Core(
            self._options,
            now=loop.time(),
            keepalive_s=self._settings.keepalive_s,
            request_id=websocket.request_id,
        )
        self._connection = Connection(self._core, websocket, self._settings)
        self._reader = loop.create_task(self._read(self._connection), name="deepgram_async reader")
        _log.debug("%s: open (request id %s)", OPERATION, websocket.request_id)

    async def finish(self) -> None:
        """End the audio and return when the service has said everything.

        What was queued is still sent. If the service stays silent for ``drain_timeout_s`` the
        connection is dropped and ``drain_timed_out`` is set. Safe to repeat.

        Raises:
            ConnectionLostError: The stream ended before all results had come.
            InvalidStateError: The stream was never opened.
        """
        await self._drain()
        self._raise_error()

    async def aclose(self) -> None:
        """Close at once, giving up results that are still owed; safe to repeat, from any task."""
        self._is_closed = True
        tasks = [task for task in (self._pump, self._reader) if task is not None]
        for task in tasks:
            task.cancel()
        try:
            if self._connection is not None:
                await self._connection.aclose()
        finally:
            self._buffer.close()
            await asyncio.gather(*tasks, return_exceptions=True)

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
                await self._stop_pump()
                await self._drain()
                if not self._error_was_raised:
                    self._raise_error()
        finally:
            await self.aclose()

    # Public methods for sending.

    def transcribe(self, source: AudioChunks) -> Self:
        """Send a source in the background and return the iterator over the events.

        The iteration ends when the source has ended and all results have come. What the source
        raises is raised here, after the results for the audio before it.

        Args:
            source: Chunks of audio; see ``start``.

        Raises:
            InvalidStateError: The stream is not open, or has a source already.
        """
        self.start(source)
        return self

    def start(self, source: AudioChunks) -> None:
        """Send a source in the background, and the closing message after its end.

        Args:
            source: Async or plain iterable of ``bytes``, or a file object. The service advises
                20 to 250 ms of audio a chunk, and takes up to 1.25 times real time. A plain
                iterable is advanced in a thread, so it may block; a list is not.

        Raises:
            InvalidStateError: The stream is not open, or has a source already.
        """
        self._ready()
        if self._pump is not None:
            raise InvalidStateError("the stream has a source already")
        self._pump = asyncio.get_running_loop().create_task(
            self._send_all(source), name="deepgram_async pump"
        )

    async def send_audio(self, chunk: bytes | bytearray | memoryview) -> None:
        """Queue a chunk of audio, waiting while the queue is full.

        Cancelling it while it waits sends nothing of the chunk.

        Raises:
            AudioSourceError: The chunk is empty, or not made of bytes.
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        core, connection = self._ready()
        await connection.wait_for_room()
        self._ready()
        connection.put(core.send_audio(chunk))

    async def finalize(self, channel: int | None = None) -> None:
        """Ask for final results of all audio sent so far, of one channel or of all.

        A ``Results`` with ``from_finalize`` usually follows; it may stay out when little audio
        was waiting (Deepgram docs, "Finalize").

        Raises:
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        core, connection = self._ready()
        connection.put(core.finalize(channel))

    async def keep_alive(self) -> None:
        """Send a KeepAlive now; pauses of the audio need none by hand.

        Raises:
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        core, connection = self._ready()
        connection.put(core.keep_alive())

    async def close_stream(self) -> None:
        """End the audio without waiting for the results; go on iterating to get them.

        Raises:
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: It was sent before, or the stream is not open.
        """
        core, connection = self._ready()
        connection.put(core.close_stream())

    # Public methods for receiving.

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ListenEvent:
        if self._connection is None:
            raise InvalidStateError("the stream is not open")
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
        return self._reader is not None and not self._reader.done()

    @property
    def request_id(self) -> str | None:
        """The id to quote to Deepgram's support; ``None`` before the stream is open."""
        return None if self._core is None else self._core.request_id

    @property
    def audio_sent_s(self) -> float | None:
        """Seconds of audio written so far, or ``None`` where the format does not tell."""
        return None if self._core is None else self._core.audio_sent_s

    @property
    def dropped_interims(self) -> int:
        """Interim results that were dropped because nobody took them."""
        return self._buffer.dropped

    def __repr__(self) -> str:
        state = "new" if self._core is None else self._core.state.value
        return f"<LiveStream {state} request_id={self.request_id}>"

    # The two tasks.

    async def _read(self, connection: Connection[ListenEvent]) -> None:
        """Move events into the buffer until the connection ends; never wait for the consumer."""
        try:
            while (event := await connection.receive()) is not None:
                self._last_event_at = asyncio.get_running_loop().time()
                if self._settings.strict and isinstance(event, Malformed):
                    raise ProtocolError(event.reason, body=event.raw, operation=OPERATION)
                self._buffer.put(event)
        except DeepgramError as error:
            # Kept for whoever sends, iterates or leaves the `async with` next.
            if not self.drain_timed_out:
                self._error = error
            connection.give_up("the stream failed")
        finally:
            self._buffer.close(self._error or self._source_error)

    async def _send_all(self, source: AudioChunks) -> None:
        core, connection = self._opened()
        try:
            async with aclosing(chunks_of(source)) as chunks:
                async for chunk in chunks:
                    await connection.wait_for_room()
                    self._opened()
                    connection.put(core.send_audio(chunk))
        except DeepgramError as error:
            if error is self._error:
                return  # the connection is lost: the reader tells the consumer
            self._source_error = error
        except Exception as error:  # the caller's own source: its error is the caller's to see
            self._source_error = error
        await self._drain()

    # Helpers.

    def _ready(self) -> tuple[ListenV1Core, Connection[ListenEvent]]:
        """Return the parts of an open stream, for a call of the user; raise what ended it."""
        self._error_was_raised = self._error_was_raised or self._error is not None
        return self._opened()

    def _opened(self) -> tuple[ListenV1Core, Connection[ListenEvent]]:
        if self._error is not None:
            raise self._error
        if self._core is None or self._connection is None or self._is_closed:
            raise InvalidStateError("the stream is not open")
        return self._core, self._connection

    def _raise_error(self) -> None:
        error = self._error or self._source_error
        if error is not None:
            self._error_was_raised = True
            raise error

    async def _stop_pump(self) -> None:
        if self._pump is not None and not self._pump.done():
            self._pump.cancel()
            await asyncio.wait([self._pump])

    async def _drain(self) -> None:
        """Send the closing message and wait until the connection has ended."""
        if self._core is None or self._connection is None or self._reader is None:
            raise InvalidStateError("the stream was never opened")
        if self._core.state is State.OPEN:
            self._connection.put(self._core.close_stream())
        loop = asyncio.get_running_loop()
        silent_since = loop.time()
        while not self._reader.done():
            if self._connection.waiting_bytes:
                silent_since = loop.time()  # the watchdog bounds a writer that makes no progress
            silent_since = max(silent_since, self._last_event_at)
            patience = silent_since + self._settings.drain_timeout_s - loop.time()
            if patience <= 0:
                self.drain_timed_out = True
                _log.warning("%s: no end of the stream in time, results may be missing", OPERATION)
                self._connection.give_up("the service did not end the stream in time")
                patience = self._settings.close_timeout_s
            await asyncio.wait([self._reader], timeout=patience)
            if self.drain_timed_out:
                return
