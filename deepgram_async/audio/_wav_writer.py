"""A WAV file that is written while its audio is made."""

import contextlib
import io
import threading
from collections import deque
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Final, Literal, Self

from deepgram_async.audio._formats import pcm_format
from deepgram_async.audio._threads import in_daemon_thread, opened_in_daemon_thread
from deepgram_async.audio._wav import wav_header
from deepgram_async.errors import InvalidStateError

__all__ = ["WavWriter"]

# Two seconds of the usual audio: few thread switches, and as much is lost when the program dies.
_BLOCK_BYTES: Final = 64 * 1024

# What the size field of a WAV file can tell.
_MOST_BYTES: Final = 0xFFFFFFFF


class WavWriter:
    """A WAV file that takes audio as it comes.

        async with WavWriter("call.wav", sample_rate=16000) as wav:
            async for chunk in microphone:
                await wav.write(chunk)

    Threads write, so that the event loop never waits for a disk. The header says that the length
    is not known, and is corrected at the end: what a program has written that dies, or beyond
    4 GiB, can be read all the same.

    Args:
        path: Where to write; a file that is there is replaced.
        sample_rate: Samples a second in each channel.
        channels: Interleaved channels.
        encoding: How a sample is written: ``linear16``, ``mulaw`` or ``alaw``.

    Raises:
        AudioSourceError: Sample rate or channels are not positive.
        OptionError: There is no WAV file of such samples.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        sample_rate: int,
        channels: int = 1,
        encoding: Literal["linear16", "mulaw", "alaw"] = "linear16",
    ) -> None:
        self._format = pcm_format(encoding, sample_rate, channels)
        self._encoding: Literal["linear16", "mulaw", "alaw"] = encoding
        self._header = wav_header(encoding, sample_rate=sample_rate, channels=channels)
        self._path = Path(path)
        self._file: BinaryIO | None = None
        self._handed_bytes = 0
        # Taken by one thread at a time, so that a thread that a cancelled task has left behind
        # comes before those after it.
        self._chunks: deque[bytes] = deque()
        self._turn = threading.Lock()
        self._written_bytes = 0

    @property
    def written_s(self) -> float:
        """Seconds of audio that were handed in."""
        return self._handed_bytes / self._format.bytes_per_second

    async def write(self, audio: bytes | bytearray | memoryview) -> None:
        """Append audio, cut anywhere. Once it was called, it is written even when cancelled.

        Raises:
            InvalidStateError: The file is not open.
            OSError: The disk is full, or the like.
        """
        if (file := self._file) is None:
            raise InvalidStateError(f"{str(self._path)!r} is not open for writing")
        self._chunks.append(bytes(audio))
        self._handed_bytes += len(audio)
        if self._handed_bytes - self._written_bytes >= _BLOCK_BYTES:
            await in_daemon_thread(lambda: self._flush(file))

    async def aclose(self) -> None:
        """Write what waits, and the length; closing twice is fine. ``async with`` does it.

        A call that is cancelled closes the file all the same.

        Raises:
            OSError: The disk is full, or the like.
        """
        file, self._file = self._file, None
        if file is not None:
            await in_daemon_thread(lambda: self._finish(file))

    async def __aenter__(self) -> Self:
        self._file = await opened_in_daemon_thread(self._create, lambda file: file.close())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # In threads.

    def _create(self) -> BinaryIO:
        file = self._path.open("wb")
        file.write(self._header)
        file.flush()
        return file

    def _flush(self, file: BinaryIO) -> None:
        with self._turn:
            block = b"".join([self._chunks.popleft() for _ in range(len(self._chunks))])
            file.write(block)
            file.flush()
            self._written_bytes += len(block)

    def _finish(self, file: BinaryIO) -> None:
        with contextlib.closing(file):
            self._flush(file)
            # A pipe cannot be corrected, and has no need to be.
            if file.seekable() and self._written_bytes <= _MOST_BYTES:
                file.seek(0, io.SEEK_SET)
                file.write(
                    wav_header(
                        self._encoding,
                        sample_rate=self._format.sample_rate,
                        channels=self._format.channels,
                        data_bytes=self._written_bytes,
                    )
                )
