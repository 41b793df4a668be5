"""Any audio as linear16 in the format that is wanted."""

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from os import PathLike
from typing import Final

from deepgram_async.audio._blocks import open_blocks
from deepgram_async.audio._formats import AudioOptions, pcm_format
from deepgram_async.audio._threads import in_daemon_thread, opened_in_daemon_thread
from deepgram_async.audio._wav import ByteReader
from deepgram_async.errors import OptionError

__all__ = ["decode"]

_FILE_BLOCK_S: Final = 1.0
# What arrives over a network is wanted as soon as it can be heard.
_STREAM_BLOCK_S: Final = 0.05


async def decode(
    source: str | PathLike[str] | bytes | ByteReader | AsyncIterable[bytes],
    *,
    sample_rate: int,
    channels: int = 1,
    raw: AudioOptions | None = None,
) -> AsyncGenerator[bytes, None]:
    """Yield any audio as linear16, with this sample rate and so many channels.

    Threads read and decode, a block at a time: memory stays flat, and the event loop is free. WAV
    and raw audio that have the wanted sample rate and channels need no more than this package; all
    else takes PyAV. Speech in MP3 is played while it comes::

        speech = dg.speak.generate("Hello.", model="aura-2-thalia-en", encoding="mp3")
        await speaker.play(decode(speech, sample_rate=24000))

    Args:
        source: A path, bytes, an open binary file, which is left open, or an asynchronous iterable
            of bytes, such as the speech of Deepgram.
        sample_rate: Samples a second that are wanted.
        channels: Channels that are wanted, 1 or 2.
        raw: What audio without a header is made of.

    Raises:
        AudioSourceError: The source is missing, empty, broken, or of an unknown kind.
        MissingDependencyError: Decoding takes PyAV, which is not installed.
        OptionError: There are other channels than 1 or 2.
    """
    if channels not in (1, 2):
        raise OptionError(f"audio is decoded to 1 or 2 channels, not {channels}", option="channels")
    target = pcm_format("linear16", sample_rate, channels)
    feed: _Feed | None = None
    readable: str | PathLike[str] | ByteReader
    if isinstance(source, AsyncIterable):
        readable = feed = _Feed(aiter(source))
    else:
        readable = io.BytesIO(source) if isinstance(source, bytes) else source
    block_s = _FILE_BLOCK_S if feed is None else _STREAM_BLOCK_S
    try:
        blocks = await opened_in_daemon_thread(
            lambda: open_blocks(
                readable,
                encoding=None if raw is None else raw["encoding"],
                sample_rate=None if raw is None else raw["sample_rate"],
                channels=1 if raw is None else raw["channels"],
                target=target,
                block_s=block_s,
            ),
            lambda unwanted: unwanted.close(),
        )
        try:
            while block := blocks.take():
                yield block
                await in_daemon_thread(blocks.fill)
        finally:
            blocks.close()
    except Exception:
        _raise_first(feed)
        raise
    else:
        _raise_first(feed)
    finally:
        if feed is not None:
            await feed.aclose()


def _raise_first(feed: "_Feed | None") -> None:
    """Raise what the source raised, and not what a decoder made of it: an error, or an end."""
    if feed is not None and feed.error is not None:
        raise feed.error from None


class _Feed:
    """An asynchronous iterator that a decoder reads like a file, in a thread of its own."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self.error: Exception | None = None
        self._chunks = chunks
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._request: asyncio.Task[bytes] | None = None
        self._is_closed = False

    def read(self, size: int) -> bytes:
        """Return what has come, or wait for more. Not in the thread of the event loop."""
        if not self._rest and not self._is_closed:
            self._rest = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
        part, self._rest = self._rest[:size], self._rest[size:]
        return part

    async def _next(self) -> bytes:
        """Return a chunk, or nothing at the end."""
        self._request = asyncio.current_task()
        try:
            while not self._is_closed:
                if (chunk := await anext(self._chunks, None)) is None:
                    break
                if chunk:
                    return chunk
        except asyncio.CancelledError:
            if not self._is_closed:
                raise
        except Exception as exc:  # raised again where the audio is taken
            self.error = exc
            raise
        return b""

    async def aclose(self) -> None:
        """Send the thread home that waits."""
        self._is_closed = True
        if self._request is not None and not self._request.done():
            self._request.cancel()
            await asyncio.wait([self._request])
