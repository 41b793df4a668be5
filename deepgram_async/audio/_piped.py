"""Audio that another program delivers as it records it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from deepgram_async.audio._threads import in_daemon_thread
from deepgram_async.audio._wav import ByteReader
from deepgram_async.errors import AudioSourceError

__all__ = ["piped"]


async def piped(
    file: ByteReader | asyncio.StreamReader, *, block_bytes: int = 64 * 1024
) -> AsyncGenerator[bytes, None]:
    """Yield what arrives on a pipe, as it arrives, without ever blocking the event loop.

    It is the source for a program that gets its audio from a recorder, as in
    ``arecord -f S16_LE -r 16000 | python app.py``. Pass an unbuffered file, such as
    ``open(0, "rb", buffering=0, closefd=False)`` for standard input: a thread that waits in a
    buffered one holds a lock that Python needs when it exits. The file is left open.

    The standard output of a subprocess of asyncio, or a connection of it, is passed on just so.

    Args:
        file: An open binary file, usually a pipe, or an ``asyncio.StreamReader``.
        block_bytes: The most that is read at once.

    Raises:
        AudioSourceError: The pipe broke.
    """
    read = file.read if isinstance(file, asyncio.StreamReader) else _in_thread(file)
    try:
        while block := await read(block_bytes):
            yield block
    except OSError as exc:
        raise AudioSourceError(f"cannot read the audio: {exc.strerror or exc}") from exc


def _in_thread(file: ByteReader) -> Callable[[int], Awaitable[bytes | None]]:
    # `read` of a buffered file waits until it has everything that was asked for.
    read: Callable[[int], bytes | None] = getattr(file, "read1", file.read)
    return lambda size: in_daemon_thread(lambda: read(size))
