"""A recording that arrives like a live source: chunk by chunk, against the clock."""

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from os import PathLike
from typing import Self

import anyio

from deepgram_async.audio._blocks import SharedBlocks, open_blocks
from deepgram_async.audio._formats import AudioOptions, PacedEncoding
from deepgram_async.audio._threads import in_daemon_thread, opened_in_daemon_thread
from deepgram_async.audio._wav import ByteReader
from deepgram_async.errors import AudioSourceError

__all__ = ["PacedAudio", "paced"]


@asynccontextmanager
async def paced(
    source: str | PathLike[str] | ByteReader,
    *,
    realtime: float = 1.0,
    chunk_ms: float = 20.0,
    encoding: str | None = None,
    sample_rate: int | None = None,
    channels: int = 1,
) -> AsyncGenerator["PacedAudio", None]:
    """Open a recording that arrives as fast as a microphone would deliver it.

    WAV files and raw samples are passed on as they are; other containers and codecs are decoded to
    linear16 with their own sample rate and channels. Threads read and decode, a block at a time, so
    that the event loop never waits for a disk or a pipe.

        async with (
            paced("talk.mp3") as audio,
            dg.listen.live(model="nova-3", **audio.options) as live,
        ):
            async for event in live.transcribe(audio):
                ...

    Args:
        source: A path (also of a named pipe), or an open binary file, which is left open.
        realtime: How many times faster than real time; ``math.inf`` for as fast as it is taken.
        chunk_ms: Milliseconds of audio in a chunk. Deepgram advises 20 to 250.
        encoding: For audio without a header: ``linear16``, ``linear32``, ``mulaw`` or ``alaw``.
        sample_rate: Samples a second of audio without a header.
        channels: Interleaved channels of audio without a header.

    Raises:
        AudioSourceError: The source is missing, a directory, empty, broken, or of an unknown kind;
            or a number is not positive.
        MissingDependencyError: Decoding takes PyAV, which is not installed.
    """
    if not realtime > 0:
        raise AudioSourceError(f"realtime must be positive, not {realtime!r}")
    if not 0 < chunk_ms < math.inf:
        raise AudioSourceError(f"chunk_ms must be positive, not {chunk_ms!r}")
    blocks = await opened_in_daemon_thread(
        lambda: open_blocks(source, encoding=encoding, sample_rate=sample_rate, channels=channels),
        lambda unwanted: unwanted.close(),
    )
    try:
        yield PacedAudio(blocks, realtime=realtime, chunk_ms=chunk_ms)
    finally:
        blocks.close()


class PacedAudio:
    """Audio opened by `paced`: an async iterator over chunks of equal length.

    A chunk comes when its last sample would have been recorded, counted from the first request for
    a chunk. That clock never restarts, so pauses do not add up: after a delay of the disk or of the
    consumer the next chunks come at once until the source is level again. The last chunk may be
    shorter. A request that is cancelled loses nothing; the next one continues.

    Attributes:
        encoding: How a sample is written, in Deepgram's spelling.
        sample_rate: Samples a second in each channel.
        channels: Interleaved channels.
        duration_s: Seconds of audio in all, or ``None`` for a pipe or raw samples.
    """

    encoding: PacedEncoding
    sample_rate: int
    channels: int
    duration_s: float | None

    def __init__(self, blocks: SharedBlocks, *, realtime: float, chunk_ms: float) -> None:
        pcm = blocks.format
        self.encoding = pcm.encoding
        self.sample_rate = pcm.sample_rate
        self.channels = pcm.channels
        self.duration_s = blocks.duration_s
        self._blocks = blocks
        self._format = pcm
        self._bytes_per_clock_second = pcm.bytes_per_second * realtime
        self._chunk_bytes = pcm.frame_bytes * max(1, round(pcm.sample_rate * chunk_ms / 1000))
        self._buffer = bytearray(blocks.take())
        self._sent_bytes = 0
        self._started_at: float | None = None
        self._is_exhausted = False
        self._is_stopped = False
        self._request = anyio.CancelScope()

    @property
    def options(self) -> AudioOptions:
        """Encoding, sample rate and channels as options of ``dg.listen.live``."""
        return {
            "encoding": self.encoding,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
        }

    @property
    def seconds_sent(self) -> float:
        """Seconds of audio handed out so far."""
        return self._sent_bytes / self._format.bytes_per_second

    def stop(self) -> None:
        """End the audio here, as if the recording did, even in the middle of a silent pipe.

        A live stream that is fed from it then finishes and delivers its last results.
        """
        self._is_stopped = True
        self._request.cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._is_stopped:
            with anyio.CancelScope() as self._request:
                chunk = await self._next_chunk()
                if chunk:
                    return chunk
        raise StopAsyncIteration

    async def _next_chunk(self) -> bytes:
        clock = asyncio.get_running_loop().time
        if self._started_at is None:
            self._started_at = clock()
        while not self._is_exhausted and len(self._buffer) < self._chunk_bytes:
            await in_daemon_thread(self._blocks.fill)
            block = self._blocks.take()
            self._buffer += block
            self._is_exhausted = not block
        size = min(len(self._buffer), self._chunk_bytes)
        # A torn sample at the end of a file is not audio.
        size -= size % self._format.frame_bytes
        due_at = self._started_at + (self._sent_bytes + size) / self._bytes_per_clock_second
        await asyncio.sleep(max(0.0, due_at - clock()))
        # Nothing waits from here on: a request cancelled above has taken nothing.
        chunk = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._sent_bytes += size
        return chunk
