"""Audio sources of a live stream, as one kind of iterator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Final

from deepgram_async._protocol.sources import AudioChunks, BinaryReader
from deepgram_async.errors import AudioSourceError

__all__ = ["chunks_of"]

# 100 ms of 16 kHz linear16 (Deepgram advises 20 to 250 ms a frame).
_READ_BYTES: Final = 3200


async def chunks_of(source: AudioChunks) -> AsyncGenerator[bytes]:
    """Yield the chunks of a source without blocking the event loop; empty ones are left out.

    Raises:
        AudioSourceError: The source is not a series of chunks.
    """
    if isinstance(source, str | bytes | bytearray | memoryview):
        raise AudioSourceError(
            f"a live stream takes chunks of audio as they come, not one {type(source).__name__}",
            hint="for a file use deepgram_async.audio.paced(path), for bytes pass [data]",
        )
    if isinstance(source, AsyncIterable):
        async for chunk in source:
            if chunk:
                yield chunk
    elif isinstance(source, BinaryReader):
        while chunk := await asyncio.to_thread(source.read, _READ_BYTES):
            yield chunk
    elif isinstance(source, list | tuple):
        for chunk in source:
            if chunk:
                yield chunk
    elif isinstance(source, Iterable):
        async for chunk in _off_the_loop(iter(source)):
            if chunk:
                yield chunk
    else:
        raise AudioSourceError(f"cannot read audio from {type(source).__name__!r}")


async def _off_the_loop(iterator: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (chunk := await asyncio.to_thread(next, iterator, None)) is not None:
        yield chunk
