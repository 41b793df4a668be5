"""Audio sources of a REST call, read without blocking the event loop."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import BinaryIO, Final, cast

import anyio
import anyio.to_thread

from deepgram_async._protocol.media import (
    UNKNOWN_AUDIO,
    content_type_of_bytes,
    content_type_of_name,
)
from deepgram_async._protocol.sources import AudioSource, BinaryReader
from deepgram_async.errors import AudioSourceError

__all__ = ["Upload", "open_upload"]

# One trip to a thread reads this much: enough to hide the trip, small enough to keep memory flat.
_BLOCK: Final = 256 * 1024


class Upload:
    """A request body that knows its type, its length and whether it can be read again."""

    def __init__(
        self,
        blocks: Callable[[], AsyncIterator[bytes | memoryview]],
        *,
        content_type: str,
        length: int | None,
        is_replayable: bool,
    ) -> None:
        self._blocks = blocks
        self.content_type: str = content_type
        self.length: int | None = length
        self.is_replayable: bool = is_replayable
        self.error: Exception | None = None
        """What the source raised; the network layer sees only that the body broke off."""

    async def blocks(self) -> AsyncIterator[bytes | memoryview]:
        """Yield the body from its beginning."""
        sent = 0
        try:
            async for block in self._blocks():
                sent += len(block)
                yield block
            if sent == 0:
                raise AudioSourceError("the audio source is empty")
        except Exception as error:  # kept for the caller: it is the caller's own source that failed
            self.error = error
            raise


async def open_upload(source: AudioSource, content_type: str | None = None) -> Upload:
    """Return the upload for a source.

    Raises:
        AudioSourceError: The source is missing, empty, a directory, or of an unknown kind.
    """
    if isinstance(source, str | os.PathLike):
        return await _from_path(os.fspath(source), content_type)
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(memoryview(source).cast("B"), content_type)
    if isinstance(source, BinaryReader):
        return await _from_file(cast("BinaryIO", source), content_type)
    if isinstance(source, AsyncIterable):
        return _from_async_iterable(source, content_type)
    if isinstance(source, Iterable):
        return _from_iterable(source, content_type)
    # For callers without a type checker.
    kind = type(source).__name__  # type: ignore[unreachable]
    raise AudioSourceError(
        f"cannot read audio from {kind!r}: pass a path, bytes, a file object, an iterable of "
        "bytes, or a URL"
    )


async def _from_path(path: str, content_type: str | None) -> Upload:
    def inspect() -> tuple[int, bytes]:
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_size, file.read(16)

    try:
        length, start = await anyio.to_thread.run_sync(inspect)
    except IsADirectoryError:
        raise AudioSourceError(f"{path!r} is a directory, not an audio file") from None
    except FileNotFoundError:
        raise AudioSourceError(f"there is no file {path!r}") from None
    except (OSError, ValueError) as error:
        raise AudioSourceError(f"cannot read {path!r}: {error}") from None
    if not start:
        raise AudioSourceError(f"{path!r} is empty")

    async def blocks() -> AsyncIterator[bytes]:
        async with await anyio.open_file(path, "rb") as file:
            while block := await file.read(_BLOCK):
                yield block

    return Upload(
        blocks,
        content_type=content_type or content_type_of_name(path) or content_type_of_bytes(start),
        length=length or None,  # a pipe or device has no size
        is_replayable=bool(length),
    )


def _from_bytes(view: memoryview, content_type: str | None) -> Upload:
    if not view:
        raise AudioSourceError("the audio source is empty")

    async def blocks() -> AsyncIterator[memoryview]:
        for start in range(0, len(view), _BLOCK):
            yield view[start : start + _BLOCK]

    return Upload(
        blocks,
        content_type=content_type or content_type_of_bytes(bytes(view[:16])),
        length=len(view),
        is_replayable=True,
    )


async def _from_file(file: BinaryIO, content_type: str | None) -> Upload:
    begin, length = await anyio.to_thread.run_sync(_extent, file)
    name = getattr(file, "name", "")
    known = content_type_of_name(name) if isinstance(name, str) else None

    async def blocks() -> AsyncIterator[bytes]:
        if begin is not None:
            await anyio.to_thread.run_sync(file.seek, begin)
        while True:
            # A pipe may never deliver: the thread is left behind when the caller gives up.
            block = await anyio.to_thread.run_sync(file.read, _BLOCK, abandon_on_cancel=True)
            if not isinstance(block, bytes):
                raise AudioSourceError("the file object must be opened in binary mode")
            if not block:
                return
            yield block

    return Upload(
        blocks,
        content_type=content_type or known or UNKNOWN_AUDIO,
        length=length,
        is_replayable=begin is not None,
    )


def _extent(file: BinaryIO) -> tuple[int | None, int | None]:
    """Return position and remaining length of a seekable file, else two ``None``."""
    try:
        begin = file.tell()
        length = file.seek(0, os.SEEK_END) - begin
        file.seek(begin)
    except (OSError, AttributeError):
        return None, None
    except ValueError as error:
        raise AudioSourceError(f"cannot read the file object: {error}") from None
    return begin, length


def _from_async_iterable(source: AsyncIterable[bytes], content_type: str | None) -> Upload:
    async def blocks() -> AsyncIterator[bytes]:
        async for block in source:
            yield _checked(block)

    return Upload(
        blocks, content_type=content_type or UNKNOWN_AUDIO, length=None, is_replayable=False
    )


def _from_iterable(source: Iterable[bytes], content_type: str | None) -> Upload:
    async def blocks() -> AsyncIterator[bytes]:
        iterator = iter(source)
        while (block := await _next_off_the_loop(iterator)) is not None:
            yield _checked(block)

    return Upload(
        blocks, content_type=content_type or UNKNOWN_AUDIO, length=None, is_replayable=False
    )


async def _next_off_the_loop(iterator: Iterator[bytes]) -> bytes | None:
    """Return the next item of an iterator that may block, or ``None`` at its end."""
    return await anyio.to_thread.run_sync(next, iterator, None, abandon_on_cancel=True)


def _checked(block: bytes) -> bytes:
    if not isinstance(block, bytes | bytearray | memoryview):
        raise AudioSourceError(f"the audio source yields {type(block).__name__}, not bytes")
    return block
