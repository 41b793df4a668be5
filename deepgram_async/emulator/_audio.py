"""Whatever a client posts or streams, to 16 bit samples per channel.

Raw samples and WAV are decoded by the standard library. Everything else (FLAC, MP3, Ogg, WebM, MP4,
...) needs PyAV, which comes with the extra `emulator`.
"""

from __future__ import annotations

import asyncio
import threading
from typing import IO, TYPE_CHECKING, Final, Protocol

from ._pcm import Converter
from ._recognizers import Pcm
from ._wav import UndecodableAudioError, WavDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._query import RawFormat

__all__ = ["LiveDecoder", "UndecodableAudioError", "decode_file", "live_decoder"]

# Compressed audio is decoded to this rate, the one that recognisers hear.
_RATE: Final = 16000
_READ_SIZE: Final = 256 * 1024
_SNIFF_SIZE: Final = 12
# Samples of each channel, of equal length.
Block = tuple[bytes, ...]


def decode_file(file: IO[bytes], raw: RawFormat | None, *, separate: bool) -> list[Pcm]:
    """Decode a whole recording, blocking; return one piece per channel.

    Args:
        file: The recording, read from its beginning.
        raw: Its format when it has no header.
        separate: Whether the channels are kept apart, or mixed into one.

    Raises:
        UndecodableAudioError: It is no audio, has no samples, or PyAV is needed and missing.
    """
    file.seek(0)
    start = file.read(_SNIFF_SIZE)
    file.seek(0)
    if raw is not None:
        converter = Converter(raw.encoding, raw.channels, separate=separate)
        blocks, rate = [converter.convert(data) for data in _chunks(file)], raw.sample_rate
    elif start[:4] in (b"RIFF", b"RF64"):
        wav = WavDecoder(separate=separate)
        blocks, rate = [wav.decode(data) for data in _chunks(file)], wav.rate
    else:
        blocks, rate = list(_decode_container(file, None, separate=separate)), _RATE
    lanes = [b"".join(lane) for lane in zip(*filter(None, blocks), strict=True)]
    if not any(lanes):
        raise UndecodableAudioError("no samples")
    return [Pcm(samples, rate, 0.0, channel) for channel, samples in enumerate(lanes)]


class LiveDecoder(Protocol):
    """Decodes a stream as it arrives."""

    @property
    def rate(self) -> int:
        """Samples per second of what is returned; known with the first block."""
        ...

    async def feed(self, data: bytes) -> list[Block]:
        """Return what can be decoded after these bytes.

        Raises:
            UndecodableAudioError: It is no audio.
        """
        ...

    async def finish(self) -> list[Block]:
        """Return the rest, as the stream ends."""
        ...

    async def close(self) -> None:
        """Give up what is held; safe to call at any time."""
        ...


def live_decoder(raw: RawFormat | None, *, separate: bool) -> LiveDecoder:
    """Return the decoder of a live stream; without `raw` the first bytes tell what it is."""
    if raw is not None:
        return _RawStream(raw, separate=separate)
    return _AnnouncedStream(separate=separate)


class _RawStream:
    def __init__(self, raw: RawFormat, *, separate: bool) -> None:
        self._converter = Converter(raw.encoding, raw.channels, separate=separate)
        self.rate = raw.sample_rate

    async def feed(self, data: bytes) -> list[Block]:
        return [self._converter.convert(data)]

    async def finish(self) -> list[Block]:
        return []

    async def close(self) -> None:
        pass


class _WavStream:
    def __init__(self, *, separate: bool) -> None:
        self._wav = WavDecoder(separate=separate)

    @property
    def rate(self) -> int:
        return self._wav.rate

    async def feed(self, data: bytes) -> list[Block]:
        block = self._wav.decode(data)
        return [block] if block else []

    async def finish(self) -> list[Block]:
        return []

    async def close(self) -> None:
        pass


class _AnnouncedStream:
    """Looks at the first bytes, then hands over to the decoder they call for."""

    def __init__(self, *, separate: bool) -> None:
        self._separate = separate
        self._start = b""
        self._decoder: _WavStream | _ContainerStream | None = None

    @property
    def rate(self) -> int:
        return 0 if self._decoder is None else self._decoder.rate

    async def feed(self, data: bytes) -> list[Block]:
        if self._decoder is None:
            self._start += data
            if len(self._start) < _SNIFF_SIZE:
                return []
            self._decoder = self._choose()
            data, self._start = self._start, b""
        return await self._decoder.feed(data)

    async def finish(self) -> list[Block]:
        if self._start:
            raise UndecodableAudioError("too short to be audio")
        return [] if self._decoder is None else await self._decoder.finish()

    async def close(self) -> None:
        if self._decoder is not None:
            await self._decoder.close()

    def _choose(self) -> _WavStream | _ContainerStream:
        container = _sniff(self._start)
        if container == "wav":
            return _WavStream(separate=self._separate)
        return _ContainerStream(container, separate=self._separate)


class _ContainerStream:
    """Decodes with PyAV in a thread of its own, which reads from a pipe.

    `feed` returns when the thread has eaten everything and wants more, so no queue can grow between
    the two and what follows in the stream (a Finalize, say) finds all its audio decoded.
    """

    rate = _RATE

    def __init__(self, container: str, *, separate: bool) -> None:
        self._pipe = _Pipe(asyncio.get_running_loop())
        self._container = container
        self._separate = separate
        self._blocks: list[Block] = []
        self._error: UndecodableAudioError | None = None
        self._thread = threading.Thread(target=self._decode, name="audio-decoder", daemon=True)
        self._thread.start()

    async def feed(self, data: bytes) -> list[Block]:
        await self._pipe.write(data)
        return self._collect()

    async def finish(self) -> list[Block]:
        await self._pipe.end()
        return self._collect()

    async def close(self) -> None:
        await self._pipe.end()

    def _collect(self) -> list[Block]:
        # The thread is either waiting for bytes or gone: nobody else touches the list.
        if self._error is not None:
            raise self._error
        blocks, self._blocks = self._blocks, []
        return blocks

    def _decode(self) -> None:
        try:
            for block in _decode_container(self._pipe, self._container, separate=self._separate):
                self._blocks.append(block)
        except UndecodableAudioError as error:
            self._error = error
        finally:
            self._pipe.abandon()


class _Pipe:
    """A file for the decoder thread, written by the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._changed = threading.Condition()
        self._buffer = bytearray()
        self._ended = False
        self._abandoned = False
        self._writer: asyncio.Future[None] | None = None

    # The reader's side, in the thread. The name and the argument are what PyAV calls.

    def read(self, size: int) -> bytes:
        with self._changed:
            while not self._buffer and not self._ended:
                self._release_writer()
                self._changed.wait()
            data = bytes(self._buffer[:size])
            del self._buffer[:size]
            return data

    def abandon(self) -> None:
        """The thread ends; nothing will be read any more."""
        with self._changed:
            self._abandoned = True
            self._buffer.clear()
            self._release_writer()

    def _release_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_settle, writer)

    # The writer's side, in the event loop.

    async def write(self, data: bytes) -> None:
        """Hand over bytes and wait until the reader has used them."""
        with self._changed:
            if self._abandoned or self._ended or not data:
                return
            self._buffer += data
            used = self._writer = self._loop.create_future()
            self._changed.notify()
        await used

    async def end(self) -> None:
        """Say that nothing follows and wait until the reader is through."""
        with self._changed:
            self._ended = True
            if self._abandoned:
                return
            done = self._writer = self._loop.create_future()
            self._changed.notify()
        await done


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _sniff(start: bytes) -> str:
    """Return the name that FFmpeg has for what begins with these bytes."""
    for magic, container in (
        (b"RIFF", "wav"),
        (b"RF64", "wav"),
        (b"fLaC", "flac"),
        (b"OggS", "ogg"),
        (b"\x1aE\xdf\xa3", "matroska"),
        (b"ID3", "mp3"),
        (b"#!AMR", "amr"),
    ):
        if start.startswith(magic):
            return container
    if start[4:8] == b"ftyp":
        return "mov"
    if start[0] == 0xFF and start[1] & 0xE0 == 0xE0:
        # The layer bits tell MPEG audio (1 to 3) from AAC in ADTS (0).
        return "mp3" if start[1] & 0x06 else "aac"
    raise UndecodableAudioError("neither a container nor declared as raw audio")


def _decode_container(
    file: IO[bytes] | _Pipe, container: str | None, *, separate: bool
) -> Iterator[Block]:
    try:
        import av
        from av.error import FFmpegError
    except ImportError:
        raise UndecodableAudioError(
            "compressed audio needs PyAV: pip install 'deepgram-async[emulator]'"
        ) from None
    # A stream must not wait for megabytes before its format is believed.
    options = {} if container is None else {"probesize": "2048", "analyzeduration": "0"}
    try:
        with av.open(file, "r", format=container, options=options, buffer_size=4096) as source:
            if not source.streams.audio:
                raise UndecodableAudioError("no audio in the container")
            stream = source.streams.audio[0]
            channels = stream.codec_context.channels if separate else 1
            layout = stream.codec_context.layout.name if separate else "mono"
            resampler = av.AudioResampler(format="s16", layout=layout, rate=_RATE)
            apart = Converter("linear16", channels, separate=True)
            for frame in source.decode(stream):
                for piece in resampler.resample(frame):
                    yield apart.convert(bytes(piece.planes[0])[: piece.samples * channels * 2])
            for piece in resampler.resample(None):
                yield apart.convert(bytes(piece.planes[0])[: piece.samples * channels * 2])
    except (FFmpegError, ValueError) as error:
        raise UndecodableAudioError(str(error)) from error


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_READ_SIZE):
        yield chunk
