"""What both streams that listen to audio have in common for their users."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Self, TypeVar

from msgspec.structs import replace

from deepgram_async._protocol.listening import ListeningCore
from deepgram_async._protocol.listening_memory import ListeningMemory
from deepgram_async._protocol.memory import Memory
from deepgram_async._protocol.reconnect import ReconnectPolicy
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sources import AudioChunks
from deepgram_async._protocol.timelines import Timeline
from deepgram_async._stream.audio_stream import AudioStream
from deepgram_async._stream.connection import Carrier, Sink
from deepgram_async._stream.lane import Lane
from deepgram_async._stream.pump import chunks_of
from deepgram_async._stream.resumable import ConnectorMaker
from deepgram_async.errors import ConfigureError, InvalidStateError, OperationTimeoutError
from deepgram_async.models.stats import StreamStats

if TYPE_CHECKING:
    from deepgram_async._io.sockets import WebSocket

__all__ = ["ListeningStream"]

C = TypeVar("C", bound=ListeningCore[Any])
E = TypeVar("E")


class ListeningStream(AudioStream[C, E]):
    """A stream that takes audio and yields what was heard."""

    def __init__(
        self,
        connector: ConnectorMaker,
        options: Mapping[str, object],
        make_core: Callable[[float, str | None], C],
        is_expendable: Callable[[E], bool],
        timeline: Timeline[E],
        settings: StreamSettings,
    ) -> None:
        super().__init__(connector, options, make_core, is_expendable, settings, options)
        self._timeline = timeline
        self._lane = Lane()
        self._is_followed_here = False
        """Whether no memory has the timeline follow what comes."""
        self._first_result_s: float | None = None
        self._has_source = False
        self._configuring = asyncio.Lock()
        self._unanswered: list[str] = []
        """The ``Configure`` messages that the service has not answered."""

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
                20 to 250 ms of audio a chunk (80 ms for Flux), and takes up to 1.25 times real
                time. A plain iterable is advanced in a thread, so it may block; a list is not.

        Raises:
            InvalidStateError: The stream is not open, or has a source already.
        """
        self._ready()
        if self._has_source:
            raise InvalidStateError("the stream has a source already")
        self._has_source = True
        self._start_task(self._send_all(source), "pump")

    async def send_audio(self, chunk: bytes | bytearray | memoryview) -> None:
        """Queue a chunk of audio, waiting while the queue is full.

        Cancelling it while it waits sends nothing of the chunk. It does not wait where
        ``when_full`` in ``StreamSettings`` says so.

        Raises:
            AudioSourceError: The chunk is empty, or not made of bytes.
            SendBufferFullError: The queue is full and ``when_full`` is ``fail``.
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        if not self._lane.send(chunk):
            self._ready()
            await self._send_chunk(chunk)

    async def close_stream(self) -> None:
        """End the audio without waiting for the results; go on iterating to get them.

        Raises:
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: It was sent before, or the stream is not open.
        """
        core, connection = self._ready()
        self._take_handed()
        connection.put(core.end())

    # Public attributes.

    @property
    def audio_sent_s(self) -> float | None:
        """Seconds of audio written so far, or ``None`` where the format does not tell.

        When a lost connection is replaced it goes back to what final results have covered. What
        was left out on purpose (``when_full``) counts as written.
        """
        return None if self._connection is None else self._connection.audio_sent_s

    def stats(self) -> StreamStats:
        """Return how the stream is doing now; it costs nothing to ask, and as little not to."""
        stats = super().stats()
        transcribed_s, sent_s = self._timeline.covered_s, stats.audio_sent_s
        return replace(
            stats,
            transcribed_s=transcribed_s,
            lag_s=None if sent_s is None else max(0.0, sent_s - transcribed_s),
            first_result_s=self._first_result_s,
            dropped_interims=self._buffer.dropped,
        )

    @property
    def dropped_interims(self) -> int:
        """Interim results that were dropped because nobody took them."""
        return self._buffer.dropped

    # For the streams of the single sockets.

    @property
    def _policy(self) -> ReconnectPolicy | None:
        policy = super()._policy
        if policy is None and self._settings.when_full == "drop_oldest":
            # What was left out is known by what is remembered, although nothing is said again.
            return ReconnectPolicy(attempts=0)
        return policy

    def _make_memory(self, policy: ReconnectPolicy) -> Memory[E]:
        settings = self._settings
        least_bytes = settings.send_buffer_bytes if settings.when_full == "drop_oldest" else 0
        return ListeningMemory(self._options, self._timeline, policy, least_bytes=least_bytes)

    def _carried(self, core: C, websocket: WebSocket, sink: Sink[E]) -> Carrier:
        self._is_followed_here = self._policy is None
        carrier = super()._carried(core, websocket, sink)
        self._lane = carrier.lane
        return carrier

    async def _configure(self, make_frame: Callable[[C], str]) -> E:
        """Send a ``Configure`` and return the answer; one is under way at a time."""
        async with self._configuring:
            core, connection = self._ready()
            frame = make_frame(core)
            verdict = self._waiters.expect(
                # Answers come in order: those to calls that were cancelled come first.
                lambda event: not self._unanswered and core.is_verdict(event, frame)
            )
            self._unanswered.append(frame)
            connection.put(frame)
            try:
                return await self._waiters.wait(
                    verdict, self._settings.confirm_timeout_s, core.OPERATION
                )
            except OperationTimeoutError:
                self._unanswered.clear()  # what was not answered in time never will be
                raise

    def _refused(self, code: str | None, description: str | None) -> ConfigureError:
        operation = None if self._core is None else self._core.OPERATION
        return ConfigureError(
            description or "the service refused the configuration",
            operation=operation,
            code=code,
            request_id=self.request_id,
        )

    def _received(self, event: E) -> None:
        if self._is_followed_here:
            self._timeline.place(event)
        if self._first_result_s is None and self._timeline.has_text(event):
            self._note_first_result()
        core, waiting = self._core, self._unanswered
        if waiting and core is not None and core.is_verdict(event, waiting[0]):
            waiting.pop(0)

    def _note_first_result(self) -> None:
        connection, end = self._connection, self._end
        if connection is not None and end is not None and connection.first_audio_at is not None:
            self._first_result_s = end.get_loop().time() - connection.first_audio_at

    def _before_the_end(self, core: C, connection: Carrier) -> None:
        """Say what has to be said between the end of a source and the closing message."""

    async def _send_chunk(self, chunk: bytes | bytearray | memoryview) -> None:
        """Queue a chunk of audio, waiting while the queue is full."""
        core, connection = self._opened()
        frame = core.send_audio(chunk)
        if self._samples is None and connection.offer(frame):
            return
        if not connection.has_room:
            await self._make_room(connection)
            self._opened()
            frame = core.send_audio(chunk)
        self._put_audio(connection, frame)

    # The task that sends.

    async def _send_all(self, source: AudioChunks) -> None:
        core, connection = self._opened()
        try:
            async with aclosing(chunks_of(source)) as chunks:
                async for chunk in chunks:
                    if not self._lane.send(chunk):
                        await self._send_chunk(chunk)
            self._before_the_end(core, connection)
        except Exception as error:  # the source is the caller's: its error is the caller's to see
            self._fail(error)
        await self._drain()
