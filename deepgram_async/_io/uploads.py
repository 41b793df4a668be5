"""Audio sources of a REST call, read without blocking the event loop."""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator
from contextlib import aclosing, closing
from typing import BinaryIO, Final, cast

import anyio.to_thread

from deepgram_async._protocol.media import (
    UNKNOWN_AUDIO,
    content_type_of_bytes,
    content_type_of_name,
)
from deepgram_async._protocol.sources import AudioSource, BinaryReader, SizedAudio
from deepgram_async.errors import AudioSourceError

__all__ = ["Upload", "open_upload"]

# What is written at once: enough to hide the trip through the loop, and a sign of progress.
_BLOCK: Final = 512 * 1024
# One trip to a thread reads this much of a file; it costs more than reading a block does. What may
# be a pipe is read block by block: nobody knows how long the rest takes to come.
_TRIP: Final = 4 * _BLOCK
# What the buffers of a connection take at once; writing it piece by piece has no use.
_SHORT: Final = 64 * 1024
_TEXT_MODE: Final = "the file object must be opened in binary mode"
_END: Final = object()


class Upload:
    """A request body that knows its type, its length and whether it can be read again."""

    def __init__(
        self,
        blocks: Callable[[], AsyncGenerator[bytes | memoryview]],
        *,
        content_type: str,
        length: int | None,
        is_replayable: bool,
        whole: bytes | None = None,
    ) -> None:
        self._blocks = blocks
        self.whole: bytes | None = whole
        """The body, if it is short and in memory anyway."""
        self.content_type: str = content_type
        self.length: int | None = length
        self.is_replayable: bool = is_replayable

    async def blocks(self) -> AsyncGenerator[bytes | memoryview]:
        """Yield the body from its beginning.

        Raises:
            AudioSourceError: The source is empty, ends early, or yields something else.
            Exception: What the source raised.
        """
        sent = 0
        async with aclosing(self._blocks()) as blocks:
            async for block in blocks:
                sent += len(block)
                yield block
        if sent == 0:
            raise AudioSourceError("the audio source is empty")
        if self.length is not None and sent < self.length:
            # The service would wait for the rest of what the headers promised.
            raise AudioSourceError(f"the audio source ended after {sent} of {self.length} bytes")


async def open_upload(source: AudioSource, content_type: str | None = None) -> Upload:
    """Return the upload for a source.

    Raises:
        AudioSourceError: The source is missing, empty, a directory, or of an unknown kind.
    """
    if isinstance(source, str | os.PathLike):
        return await _from_path(os.fspath(source), content_type)
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(memoryview(source), content_type)
    if isinstance(source, AsyncIterable):  # asynchronous files have a `read` too
        return _from_async_iterable(source, content_type)
    if isinstance(source, BinaryReader):
        return await _from_file(cast("BinaryIO", source), content_type)
    if isinstance(source, Iterable):
        return _from_iterable(source, content_type)
    # For callers without a type checker.
    kind = type(source).__name__  # type: ignore[unreachable]
    raise AudioSourceError(
        f"cannot read audio from {kind!r}: pass a path, bytes, a file object, an iterable of "
        "bytes, or a URL"
    )


async def _from_path(path: str, content_type: str | None) -> Upload:
    try:
        length, start = await anyio.to_thread.run_sync(_inspect, path)
    except IsADirectoryError:
        raise AudioSourceError(f"{path!r} is a directory, not an audio file") from None
    except FileNotFoundError:
        raise AudioSourceError(f"there is no file {path!r}") from None
    except (OSError, ValueError) as error:
        raise AudioSourceError(f"cannot read {path!r}: {error}") from None
    if length == 0:
        raise AudioSourceError(f"{path!r} is empty")

    size = _BLOCK if length is None else _TRIP
    whole = start if len(start) == length else None

    async def blocks() -> AsyncGenerator[bytes | memoryview]:
        if whole is not None:
            yield whole
            return
        with closing(_File(path)) as file:
            while read := await anyio.to_thread.run_sync(file.read, size):
                for block in _cut(memoryview(read)):
                    yield block

    return Upload(
        blocks,
        content_type=content_type or content_type_of_name(path) or content_type_of_bytes(start),
        length=length,
        is_replayable=length is not None,
        whole=whole,
    )


class _File:
    """A file that is opened and read in threads.

    Whoever is cancelled leaves a thread behind that may just have opened the file; it is closed
    nevertheless, and nobody waits for it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._is_closed = False
        self._in_use = threading.Lock()

    def read(self, size: int) -> bytes:
        """Return the next bytes, opening the file first; to be called in a thread."""
        try:
            with self._in_use:
                if self._is_closed:
                    return b""
                if self._file is None:
                    self._file = open(self._path, "rb")
                return self._file.read(size)
        finally:
            if self._is_closed:
                self.close()

    def close(self) -> None:
        """Close the file, or leave that to the thread that is using it."""
        self._is_closed = True
        if self._in_use.acquire(blocking=False):
            try:
                if self._file is not None:
                    self._file.close()
            finally:
                self._in_use.release()


def _inspect(path: str) -> tuple[int | None, bytes]:
    """Return length and first bytes of a file, all of a short one.

    A pipe has no length, and its bytes come once.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        return None, b""
    with open(path, "rb") as file:
        length = os.fstat(file.fileno()).st_size
        return length, file.read(length if length <= _SHORT else 16)


def _from_bytes(given: memoryview, content_type: str | None) -> Upload:
    if not given.nbytes:
        raise AudioSourceError("the audio source is empty")
    if not given.c_contiguous:
        raise AudioSourceError("the memoryview has gaps: pass bytes(view)")
    view = given.cast("B")

    async def blocks() -> AsyncGenerator[memoryview]:
        for block in _cut(view):
            yield block

    return Upload(
        blocks,
        content_type=content_type or content_type_of_bytes(bytes(view[:16])),
        length=len(view),
        is_replayable=True,
        whole=bytes(view) if len(view) <= _SHORT else None,
    )


async def _from_file(file: BinaryIO, content_type: str | None) -> Upload:
    if _is_text(file):
        raise AudioSourceError(_TEXT_MODE)
    begin, length = await anyio.to_thread.run_sync(_extent, file)
    if length is not None and length <= 0:
        raise AudioSourceError("the audio source is empty, or was read to its end before")
    name = getattr(file, "name", "")
    known = content_type_of_name(name) if isinstance(name, str) else None

    size = _BLOCK if length is None else _TRIP

    async def blocks() -> AsyncGenerator[bytes | memoryview]:
        if begin is not None:
            await anyio.to_thread.run_sync(file.seek, begin)
        while True:
            # A pipe may never deliver: the thread is left behind when the caller gives up.
            read = await anyio.to_thread.run_sync(file.read, size, abandon_on_cancel=True)
            if not isinstance(read, bytes):
                raise AudioSourceError(_TEXT_MODE)
            if not read:
                return
            for block in _cut(memoryview(read)):
                yield block

    return Upload(
        blocks,
        content_type=content_type or known or UNKNOWN_AUDIO,
        length=length,
        is_replayable=begin is not None,
    )


def _cut(view: memoryview) -> Iterator[memoryview]:
    return (view[start : start + _BLOCK] for start in range(0, len(view), _BLOCK))


def _is_text(file: object) -> bool:
    return isinstance(file, io.TextIOBase)


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
    async def blocks() -> AsyncGenerator[bytes]:
        async for block in source:
            yield _checked(block)

    length = source.content_length if isinstance(source, SizedAudio) else None
    return Upload(
        blocks,
        content_type=content_type or UNKNOWN_AUDIO,
        length=length,
        is_replayable=length is not None,
    )


def _from_iterable(source: Iterable[bytes], content_type: str | None) -> Upload:
    async def blocks() -> AsyncGenerator[bytes]:
        iterator = iter(source)
        while (block := await _next_off_the_loop(iterator)) is not _END:
            yield _checked(block)

    return Upload(
        blocks, content_type=content_type or UNKNOWN_AUDIO, length=None, is_replayable=False
    )


async def _next_off_the_loop(iterator: Iterator[object]) -> object:
    """Return the next item of an iterator that may block, or ``_END``."""
    return await anyio.to_thread.run_sync(next, iterator, _END, abandon_on_cancel=True)


def _checked(block: object) -> bytes:
    if not isinstance(block, bytes | bytearray | memoryview):
        raise AudioSourceError(f"the audio source yields {type(block).__name__}, not bytes")
    # Copied unless it is bytes already: the source may fill the same buffer again.
    return bytes(cast("bytes", block))
