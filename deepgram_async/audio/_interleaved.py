"""Several sources as the channels of one."""

import asyncio
from array import array
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self

from deepgram_async.audio._formats import AudioOptions, PcmFormat, pcm_format
from deepgram_async.audio._sound import check_seconds
from deepgram_async.errors import AudioSourceError, OptionError

__all__ = ["InterleavedAudio", "interleaved"]

# A byte of zeros, and what stands for no sound in G.711.
_SILENCE: Final = {"linear16": b"\0", "linear32": b"\0", "mulaw": b"\xff", "alaw": b"\xd5"}
_CODES: Final = {"linear16": "H", "linear32": "I", "mulaw": "B", "alaw": "B"}


@asynccontextmanager
async def interleaved(
    *sources: AsyncIterable[bytes],
    sample_rate: int,
    encoding: str = "linear16",
    chunk_ms: float = 20.0,
    patience_s: float | None = None,
) -> AsyncGenerator["InterleavedAudio", None]:
    """Join sources of one channel to one source with a channel for each, in their order.

    So a microphone and the other end of a call are transcribed apart, in one stream::

        async with (
            Microphone() as microphone,
            interleaved(microphone, far_end, sample_rate=16000) as audio,
            dg.listen.live(model="nova-3", multichannel=True, **audio.options) as live,
        ):
            async for event in live.transcribe(audio):
                ...

    The channels are aligned sample by sample from the first on. A source that ends earlier is
    followed by silence until the last has ended. No source is read ahead: of each, a chunk of its
    own and one of the result are kept.

    Args:
        *sources: Asynchronous iterables of raw audio with one channel.
        sample_rate: Samples a second of all of them.
        encoding: Encoding of all of them: ``linear16``, ``linear32``, ``mulaw`` or ``alaw``.
        chunk_ms: Milliseconds of audio in a chunk.
        patience_s: For sources that pause, such as a call that sends nothing in silence: how long
            one that has nothing is waited for while another has a chunk. From then on its channel
            is silent, until it has something. When left out, there is no end to the waiting, so
            that nothing shifts.

    Raises:
        OptionError: There are fewer than two sources, or a length of time is not positive.
        AudioSourceError: The encoding has no constant byte rate, or a source that tells its format
            has another one.
    """
    check_seconds("chunk_ms", chunk_ms)
    if patience_s is not None:
        check_seconds("patience_s", patience_s)
    if len(sources) < 2:
        raise OptionError("one source needs no interleaving", option="sources")
    single = pcm_format(encoding, sample_rate, 1)
    for source in sources:
        _check_format(source, single)
    audio = InterleavedAudio(sources, single, chunk_ms=chunk_ms, patience_s=patience_s)
    try:
        yield audio
    finally:
        await audio.aclose()


class InterleavedAudio:
    """Audio joined by `interleaved`: an asynchronous iterator over chunks of equal length.

    A request that is cancelled loses nothing; the next one continues.

    Attributes:
        sample_rate: Samples a second in each channel.
        channels: How many sources there are.
    """

    sample_rate: int
    channels: int

    def __init__(
        self,
        sources: tuple[AsyncIterable[bytes], ...],
        single: PcmFormat,
        *,
        chunk_ms: float,
        patience_s: float | None,
    ) -> None:
        self.sample_rate = single.sample_rate
        self.channels = len(sources)
        self._single = single
        self._lanes = [_Lane(aiter(source)) for source in sources]
        self._size = single.frame_bytes * max(1, round(single.sample_rate * chunk_ms / 1000))
        self._patience_s = patience_s

    @property
    def options(self) -> AudioOptions:
        """Encoding, sample rate and channels as options of ``dg.listen.live``."""
        return {
            "encoding": self._single.encoding,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
        }

    async def aclose(self) -> None:
        """Read no more of any source; the sources themselves are left open."""
        pending = [lane.request for lane in self._lanes if lane.request is not None]
        for request in pending:
            request.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next chunk.

        Raises:
            AudioSourceError: A source yields something else than bytes.
        """
        while waiting := [lane for lane in self._lanes if lane.lacks(self._size)]:
            left_s: float | None = None
            if self._patience_s is not None and len(waiting) < len(self._lanes):
                left_s = self._patience_s - min(lane.waited_s for lane in waiting)
                if left_s <= 0:
                    break
            await asyncio.wait(
                [lane.requested() for lane in waiting],
                timeout=left_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for lane in waiting:
                lane.settle()
        # Nothing waits from here on: a request cancelled above has taken nothing.
        return self._joined()

    def _joined(self) -> bytes:
        longest = max(len(lane.audio) for lane in self._lanes)
        size = min(self._size, longest - longest % self._single.frame_bytes)
        if not size:
            raise StopAsyncIteration
        code = _CODES[self._single.encoding]
        silence = _SILENCE[self._single.encoding]
        chunk = array(code, silence * (size * self.channels))
        for number, lane in enumerate(self._lanes):
            part = lane.take(size, self._single.frame_bytes)
            chunk[number :: self.channels] = array(code, part + silence * (size - len(part)))
        return chunk.tobytes()


class _Lane:
    """One source, read when its audio is needed."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self.audio = bytearray()
        self.request: asyncio.Task[bytes] | None = None
        self._chunks = chunks
        self._requested_at = 0.0
        self._has_ended = False

    def lacks(self, size: int) -> bool:
        """Whether it may still deliver what is missing."""
        return not self._has_ended and len(self.audio) < size

    def requested(self) -> "asyncio.Task[bytes]":
        """Return the request for its next chunk."""
        if self.request is None:
            self.request = asyncio.create_task(self._next())
            self._requested_at = asyncio.get_running_loop().time()
        return self.request

    @property
    def waited_s(self) -> float:
        """Seconds since the request was made that has brought nothing."""
        if self.request is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._requested_at

    def settle(self) -> None:
        """Take what has come, or raise what the source raised."""
        if self.request is None or not self.request.done():
            return
        request, self.request = self.request, None
        chunk = request.result()
        self.audio += chunk
        self._has_ended = not chunk

    async def _next(self) -> bytes:
        """Return the next chunk that holds something, or nothing at the end."""
        while (chunk := await anext(self._chunks, None)) is not None:
            if not isinstance(chunk, bytes | bytearray | memoryview):
                raise AudioSourceError(f"a source yields {type(chunk).__name__}, not bytes")
            if chunk:
                return chunk
        return b""

    def take(self, size: int, frame_bytes: int) -> bytes:
        """Return at most so many bytes, of whole samples."""
        size = min(size, len(self.audio) - len(self.audio) % frame_bytes)
        part = bytes(self.audio[:size])
        del self.audio[:size]
        return part


def _check_format(source: object, single: PcmFormat) -> None:
    """Raise where a source says of itself that it is something else."""
    options = getattr(source, "options", None)
    if not isinstance(options, dict):
        return
    expected = {"encoding": single.encoding, "sample_rate": single.sample_rate, "channels": 1}
    if options != expected:
        raise AudioSourceError(f"a source has {options}, not {expected}")
