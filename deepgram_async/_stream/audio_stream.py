"""What all streams that take audio have in common for their users."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from msgspec.structs import replace

from deepgram_async._protocol.audio_clocks import bytes_per_s_of, frame_bytes_of
from deepgram_async._protocol.audio_core import AudioCore, frame_of
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import State
from deepgram_async._stream.connection import Carrier
from deepgram_async._stream.resumable import ConnectorMaker, ResumableStream
from deepgram_async.errors import ConfigurationError, SendBufferFullError
from deepgram_async.models.stats import StreamStats

__all__ = ["AudioStream"]

C = TypeVar("C", bound=AudioCore[Any])
E = TypeVar("E")


class AudioStream(ResumableStream[C, E]):
    """A stream that takes audio, in a queue of bounded size."""

    def __init__(
        self,
        connector: ConnectorMaker,
        options: Mapping[str, object],
        make_core: Callable[[float, str | None], C],
        is_expendable: Callable[[E], bool],
        settings: StreamSettings,
        audio_format: Mapping[str, object],
    ) -> None:
        """Prepare a stream.

        Args:
            connector: Returns what connects with some options.
            options: The options of the first connection.
            make_core: Makes the protocol of a connection from the time and the request id.
            is_expendable: Whether a later event supersedes this one.
            settings: Behaviour of the stream.
            audio_format: Options that tell how fast the audio runs.

        Raises:
            ConfigurationError: Audio cannot be left out of this format, and is to be.
        """
        super().__init__(connector, options, make_core, is_expendable, settings)
        self._bytes_per_s = bytes_per_s_of(audio_format)
        self._samples = _samples_of(audio_format, settings)
        self._dropped_chunks = self._dropped_bytes = 0
        # What other threads have handed over, and the event loop has not taken.
        self._lock = threading.Lock()
        self._handed: deque[bytes] = deque()
        self._handed_bytes = 0
        self._skipped_bytes = 0
        """Audio that is left out before what was handed over."""
        self._loop_is_called = False

    # Public methods.

    def push(self, chunk: bytes | bytearray | memoryview) -> bool:
        """Queue a chunk of audio from any thread, and return whether it was queued.

        For the callbacks of audio libraries, which run in threads of their own and must not wait::

            def callback(indata, frames, time, status):
                stream.push(bytes(indata))

            with sounddevice.RawInputStream(
                samplerate=16000, channels=1, dtype="int16", callback=callback
            ):
                async for event in stream:
                    ...

        It never waits and never raises because of the stream. ``False`` says that the stream is
        not open, or that its queue is full: then the chunk is no part of the stream and
        ``stats()`` counts it as dropped, unless ``when_full`` in ``StreamSettings`` is
        ``drop_oldest``. What the event loop has not taken over yet, because it is busy, may be
        ``send_buffer_bytes`` once more. Audio that was pushed comes before whatever ends the
        stream later.

        Raises:
            AudioSourceError: The chunk is not made of bytes.
        """
        frame = frame_of(chunk)
        connection, end = self._connection, self._end
        if connection is None or end is None or not self._takes_audio:
            return False
        with self._lock:
            samples = self._samples
            if samples is None:
                is_full = not connection.has_room
                if is_full or self._handed_bytes >= self._settings.send_buffer_bytes:
                    self._count((frame,))
                    return False
            else:
                frame = samples.whole(frame)
                while self._handed_bytes >= self._settings.send_buffer_bytes:
                    oldest = self._handed.popleft()
                    self._handed_bytes -= len(oldest)
                    self._skipped_bytes += len(oldest)
                    self._count((oldest,))
            if not frame:
                return True
            self._handed.append(frame)
            self._handed_bytes += len(frame)
            if self._loop_is_called:
                return True
            try:
                end.get_loop().call_soon_threadsafe(self._take_handed)
            except RuntimeError:  # the loop is closed
                return False
            self._loop_is_called = True
        return True

    def stats(self) -> StreamStats:
        """Return how the stream is doing now; it costs nothing to ask, and as little not to."""
        connection, rate = self._connection, self._bytes_per_s
        stats = super().stats()
        queued = stats.queued_bytes + self._handed_bytes
        lost_s = 0.0 if connection is None else connection.dropped_s
        return replace(
            stats,
            queued_bytes=queued,
            queued_s=None if rate is None else queued / rate,
            audio_sent_s=None if connection is None else connection.audio_sent_s,
            dropped_chunks=self._dropped_chunks,
            dropped_bytes=self._dropped_bytes,
            dropped_s=lost_s or None if rate is None else lost_s + self._dropped_bytes / rate,
        )

    # For the streams of the single sockets.

    @property
    def _takes_audio(self) -> bool:
        """Whether audio may be sent now."""
        return self._core is not None and self._core.state is State.OPEN

    async def _make_room(self, connection: Carrier) -> None:
        """Return when a chunk may be queued, whatever is to be done for it.

        Raises:
            SendBufferFullError: It may not, and nobody wants to wait.
        """
        policy = self._settings.when_full
        if policy == "wait":
            await connection.wait_for_room()
        elif policy == "drop_oldest":
            with self._lock:
                self._count(connection.make_room())
        else:
            raise SendBufferFullError(
                f"{connection.queued_bytes} bytes of audio wait to be sent",
                operation=None if self._core is None else self._core.OPERATION,
                request_id=self.request_id,
                hint="send audio no faster than it is spoken, or raise send_buffer_bytes in "
                "StreamSettings",
            )

    def _put_audio(self, connection: Carrier, frame: bytes) -> None:
        """Queue a frame that the core has made, for which there is room."""
        if self._samples is not None:
            with self._lock:
                frame = self._samples.whole(frame)
            if not frame:
                return
        connection.put(frame)

    def _take_handed(self) -> None:
        """Queue what other threads have handed over; to be called before the audio is ended."""
        with self._lock:
            self._loop_is_called = False
            handed, self._handed = self._handed, deque()
            skipped, self._skipped_bytes = self._skipped_bytes, 0
            self._handed_bytes = 0
            connection = self._connection if self._takes_audio else None
            if connection is None:
                self._count(handed)
                return
        if skipped:
            connection.skip(skipped)
        for frame in handed:
            if self._samples is not None and not connection.has_room:
                with self._lock:
                    self._count(connection.make_room())
            connection.put(frame)

    async def _drain(self) -> None:
        self._take_handed()
        await super()._drain()

    def _count(self, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            self._dropped_chunks += 1
            self._dropped_bytes += len(chunk)


class _Samples:
    """Cuts audio into whole samples, so that any chunk of it can be left out."""

    def __init__(self, frame_bytes: int) -> None:
        self._frame_bytes = frame_bytes
        self._rest = b""

    def whole(self, chunk: bytes) -> bytes:
        """Return a chunk with the rest of the one before, and without a rest of its own."""
        if not self._rest and not len(chunk) % self._frame_bytes:
            return chunk
        chunk = self._rest + chunk
        end = len(chunk) - len(chunk) % self._frame_bytes
        self._rest = chunk[end:]
        return chunk[:end]


def _samples_of(audio_format: Mapping[str, object], settings: StreamSettings) -> _Samples | None:
    if settings.when_full != "drop_oldest":
        return None
    frame_bytes = frame_bytes_of(audio_format)
    if frame_bytes is None:
        raise ConfigurationError(
            "when_full='drop_oldest' needs raw audio, with encoding= and sample_rate=: "
            "where other audio can be left out is not known"
        )
    return _Samples(frame_bytes)
