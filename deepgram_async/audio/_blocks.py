"""Blocking readers that turn a file, a pipe or a container into blocks of raw samples.

Everything here runs in a worker thread.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from deepgram_async.audio._formats import PcmFormat, pcm_format
from deepgram_async.audio._g711 import decode_g711
from deepgram_async.audio._wav import ByteReader, WavFormat, read_wav_format, wav_header
from deepgram_async.errors import AudioSourceError, MissingDependencyError

__all__ = ["Blocks", "SharedBlocks", "open_blocks"]

# Two seconds of the usual 16 kHz audio: few thread switches, little memory.
_BLOCK_BYTES: Final = 64 * 1024

# Enough to tell a WAV file from everything else.
_MAGIC_BYTES: Final = 12


class Blocks(Protocol):
    """A source of raw samples in one format."""

    format: PcmFormat
    duration_s: float | None

    def read(self) -> bytes:
        """Return some samples, or nothing at the end."""
        ...

    def close(self) -> None:
        """Close what was opened here."""
        ...


class SharedBlocks:
    """Blocks that a cancelled task may leave in the middle of a read.

    A read from a silent pipe cannot be interrupted. The waiting task goes away, the thread
    stays: what it reads is kept for the next caller, and if the source was closed meanwhile, it
    closes the file itself when it comes back.
    """

    def __init__(self, blocks: Blocks) -> None:
        self.format: PcmFormat = blocks.format
        self.duration_s: float | None = blocks.duration_s
        self._blocks = blocks
        self._ready: deque[bytes] = deque()
        self._reading = threading.Lock()
        self._is_closing = False
        self._is_closed = False

    def fill(self) -> None:
        """Have the next block ready for `take`; an empty one at the end or after closing."""
        try:
            with self._reading:
                if not self._ready:
                    self._ready.append(b"" if self._is_closing else self._blocks.read())
        except OSError as exc:
            raise AudioSourceError(f"cannot read the audio: {exc.strerror or exc}") from exc
        finally:
            self._close_when_wanted()

    @property
    def has_samples(self) -> bool:
        """Whether the block that `fill` provided holds anything."""
        return bool(self._ready and self._ready[0])

    def take(self) -> bytes:
        """Return the block that `fill` provided. Does not wait."""
        return self._ready.popleft()

    def close(self) -> None:
        """Close now, or as soon as the read under way comes back."""
        self._is_closing = True
        self._close_when_wanted()

    def _close_when_wanted(self) -> None:
        if self._is_closing and self._reading.acquire(blocking=False):
            try:
                if not self._is_closed:
                    self._is_closed = True
                    self._blocks.close()
            finally:
                self._reading.release()


def open_blocks(
    source: str | os.PathLike[str] | ByteReader,
    *,
    encoding: str | None,
    sample_rate: int | None,
    channels: int,
    target: PcmFormat | None = None,
    block_s: float = 1.0,
) -> SharedBlocks:
    """Open a source: as raw audio where an encoding is given, else by what its first bytes say.

    Args:
        source: A path, or an open file.
        encoding: For audio without a header, as are the next two.
        sample_rate: Samples a second.
        channels: Interleaved channels.
        target: Linear16 in a format to which everything is converted; as it is when left out.
        block_s: Seconds of decoded audio in a block.

    Raises:
        AudioSourceError: The source cannot be opened, is empty, or is not understood.
        MissingDependencyError: It takes PyAV to decode it, and PyAV is not installed.
    """
    choice = _Choice(
        None if encoding is None else pcm_format(encoding, sample_rate, channels), target, block_s
    )
    if not isinstance(source, str | os.PathLike):
        return _opened(source, choice, None, _leave_open)
    path = Path(source)
    try:
        if path.is_dir():
            raise AudioSourceError(f"{str(path)!r} is a directory, not an audio file")
        # Unbuffered: a buffered reader holds its lock while a pipe is silent.
        file = path.open("rb", buffering=0)
    except OSError as exc:
        raise AudioSourceError(f"cannot open {str(path)!r}: {exc.strerror or exc}") from exc
    try:
        return _opened(file, choice, path if path.is_file() else None, file.close)
    except AudioSourceError as exc:
        file.close()
        raise AudioSourceError(f"{str(path)!r}: {exc.message}") from exc.__cause__
    except BaseException:
        file.close()
        raise


def _opened(
    file: ByteReader, choice: "_Choice", path: Path | None, close: Callable[[], None]
) -> SharedBlocks:
    """Read the first block too, so that an empty source is found out before a stream is opened."""
    try:
        blocks = SharedBlocks(choice.blocks_of(file, path, close))
    except OSError as exc:
        raise AudioSourceError(f"cannot read the audio: {exc.strerror or exc}") from exc
    blocks.fill()
    if not blocks.has_samples:
        raise AudioSourceError("it holds no audio")
    return blocks


@dataclass(frozen=True, slots=True)
class _Choice:
    """How a source is to be read."""

    raw: PcmFormat | None
    target: PcmFormat | None
    block_s: float

    def blocks_of(self, file: ByteReader, path: Path | None, close: Callable[[], None]) -> Blocks:
        """Return the reader for what the file is."""
        if self.raw is not None:
            return self._plain(file, self.raw, close) or self._decoded(
                _Replay(file, _header_of(self.raw)), close
            )
        prefetched = _Replay(file, _read_exactly(file, _MAGIC_BYTES))
        magic = prefetched.head
        if magic[:4] in (b"RIFF", b"RF64") and magic[8:] == b"WAVE":
            recorded = _Recorder(prefetched)
            wav = read_wav_format(recorded)
            if wav.encoding is not None:
                pcm = pcm_format(wav.encoding, wav.sample_rate, wav.channels)
                if (blocks := self._plain(file, pcm, close, wav)) is not None:
                    return blocks
            # Other rates, and samples that Deepgram has no name for, are left to PyAV.
            prefetched = _Replay(file, recorded.head)
        if not magic:
            raise AudioSourceError("it is empty")
        return self._decoded(path or prefetched, close)

    def _plain(
        self,
        file: ByteReader,
        pcm: PcmFormat,
        close: Callable[[], None],
        wav: WavFormat | None = None,
    ) -> Blocks | None:
        """Return a reader of raw samples, where they need no more than a table."""
        if self.target is None or self.target == pcm:
            return _RawBlocks(file, pcm, close, wav)
        is_alike = replace(pcm, encoding="linear16") == self.target
        if is_alike and pcm.encoding in ("mulaw", "alaw"):
            return _G711Blocks(_RawBlocks(file, pcm, close, wav), self.target)
        return None

    def _decoded(self, file: "Path | _Replay", close: Callable[[], None]) -> Blocks:
        try:
            # Slow to load, and seldom needed.
            from deepgram_async.audio._containers import ContainerBlocks
        except ModuleNotFoundError as exc:
            if exc.name != "av":
                raise
            raise MissingDependencyError(
                "reading anything but WAV and raw PCM, and any other sample rate, takes PyAV: "
                "pip install 'deepgram-async[audio]'"
            ) from None
        return ContainerBlocks(file, close, target=self.target, block_s=self.block_s)


def _header_of(raw: PcmFormat) -> bytes:
    """Return what makes a WAV file of raw audio, which is what PyAV understands."""
    if raw.encoding == "linear32":
        raise AudioSourceError("raw linear32 audio cannot be converted; linear16 can")
    return wav_header(raw.encoding, sample_rate=raw.sample_rate, channels=raw.channels)


def _leave_open() -> None:
    """Do not close a file that the caller opened."""


def _read_exactly(file: ByteReader, size: int) -> bytes:
    head = b""
    while len(head) < size:
        part = file.read(size - len(head))
        if not part:
            break
        head += part
    return head


class _RawBlocks:
    """Samples as they lie in the file, up to the end that a WAV header announced."""

    def __init__(
        self,
        file: ByteReader,
        pcm: PcmFormat,
        close: Callable[[], None],
        wav: WavFormat | None = None,
    ) -> None:
        self.format = pcm
        self.duration_s = None if wav is None else wav.duration_s
        self.close = close
        # A live pipe is taken as it comes; `read` of a buffered file waits for the whole block.
        self._read: Callable[[int], bytes | None] = getattr(file, "read1", file.read)
        self._remaining = None if wav is None else wav.data_bytes

    def read(self) -> bytes:
        if self._remaining is None:
            return self._read(_BLOCK_BYTES) or b""
        block = self._read(min(_BLOCK_BYTES, self._remaining)) or b""
        self._remaining -= len(block)
        return block


class _G711Blocks:
    """Mu-law or A-law as linear16."""

    def __init__(self, blocks: _RawBlocks, target: PcmFormat) -> None:
        self.format = target
        self.duration_s = blocks.duration_s
        self.close = blocks.close
        self._blocks = blocks

    def read(self) -> bytes:
        return decode_g711(self._blocks.read(), self._blocks.format.encoding)


class _Replay:
    """A file whose first bytes were read already; FFmpeg reads it forwards."""

    def __init__(self, file: ByteReader, head: bytes) -> None:
        self.head = head
        self._file = file
        self._position = 0

    def read(self, size: int) -> bytes:
        if self._position < len(self.head):
            part = self.head[self._position : self._position + size]
            self._position += len(part)
            return part
        return self._file.read(size) or b""


class _Recorder:
    """A file that keeps a copy of what was read from it."""

    def __init__(self, file: ByteReader) -> None:
        self.head = b""
        self._file = file

    def read(self, size: int) -> bytes:
        part = self._file.read(size) or b""
        self.head += part
        return part
