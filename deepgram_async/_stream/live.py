"""A live transcription as its user sees it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Self

from deepgram_async._protocol.listen_v1 import ListenV1Core
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sources import AudioChunks
from deepgram_async._stream.pump import chunks_of
from deepgram_async._stream.stream import Connector, SocketStream
from deepgram_async.errors import InvalidStateError
from deepgram_async.models.live import ListenEvent

__all__ = ["LiveStream"]


class LiveStream(SocketStream[ListenV1Core, ListenEvent]):
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
        def make_core(now: float, request_id: str | None) -> ListenV1Core:
            return ListenV1Core(
                options, now=now, keepalive_s=settings.keepalive_s, request_id=request_id
            )

        super().__init__(connect, make_core, ListenV1Core.is_expendable, settings)
        self._has_source = False

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
        if self._has_source:
            raise InvalidStateError("the stream has a source already")
        self._has_source = True
        self._start_task(self._send_all(source), "pump")

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
        connection.put(core.end())

    # Public attributes.

    @property
    def audio_sent_s(self) -> float | None:
        """Seconds of audio written so far, or ``None`` where the format does not tell."""
        return None if self._core is None else self._core.audio_sent_s

    @property
    def dropped_interims(self) -> int:
        """Interim results that were dropped because nobody took them."""
        return self._buffer.dropped

    # The task that sends.

    async def _send_all(self, source: AudioChunks) -> None:
        core, connection = self._opened()
        try:
            async with aclosing(chunks_of(source)) as chunks:
                async for chunk in chunks:
                    await connection.wait_for_room()
                    self._opened()
                    connection.put(core.send_audio(chunk))
        except Exception as error:  # the source is the caller's: its error is the caller's to see
            self._fail(error)
        await self._drain()
