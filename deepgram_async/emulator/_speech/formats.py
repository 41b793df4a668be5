"""Spoken samples in the form a client asked for.

Raw samples and WAV are written by the standard library. Everything compressed needs PyAV, which
comes with the extra `emulator`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from deepgram_async.audio import encode_g711

from .synthesizers import SynthesizerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Encoder", "SpeechFormat", "encoder"]


class SpeechFormat(msgspec.Struct, frozen=True):
    """How audio is written: encoding and container as the service names them."""

    encoding: str
    sample_rate: int
    container: str = "none"
    bit_rate: int | None = None

    @property
    def content_type(self) -> str:
        """The media type of the answer."""
        if self.container == "wav":
            return "audio/wav"
        if self.encoding == "linear16":
            return f"audio/l16;rate={self.sample_rate};channels=1"
        return _CONTENT_TYPES[self.encoding]

    @property
    def bytes_per_second(self) -> int:
        """How much raw audio a second takes."""
        return self.sample_rate * (2 if self.encoding == "linear16" else 1)


_CONTENT_TYPES: Final = {
    "mulaw": "audio/basic",
    "alaw": "audio/x-alaw-basic",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg;codecs=opus",
    "flac": "audio/flac",
    "aac": "audio/aac",
}


class Encoder(Protocol):
    """Takes 16 bit samples, in order, and gives out what they are to become."""

    def encode(self, samples: bytes) -> bytes:
        """Return what can be written after these samples; the first call brings the header."""
        ...

    def finish(self) -> bytes:
        """Return the rest, as the audio ends."""
        ...


def encoder(form: SpeechFormat) -> Encoder:
    """Return a fresh encoder.

    Raises:
        SynthesizerUnavailableError: PyAV is needed and missing.
    """
    if form.encoding in ("linear16", "mulaw", "alaw"):
        return _RawEncoder(form)
    return _CompressedEncoder(form)


# In the headers of streams, whose length nobody knows yet; those of the service have them, too.
_RIFF_SIZE: Final = 0x7FFF0024
_DATA_SIZE: Final = 0x7FFF0000
_WAV_TAGS: Final = {"linear16": 1, "alaw": 6, "mulaw": 7}


class _RawEncoder:
    def __init__(self, form: SpeechFormat) -> None:
        self._law = None if form.encoding == "linear16" else form.encoding
        self._header = _wav_header(form) if form.container == "wav" else b""

    def encode(self, samples: bytes) -> bytes:
        header, self._header = self._header, b""
        return header + (samples if self._law is None else encode_g711(samples, self._law))

    def finish(self) -> bytes:
        return self.encode(b"")


def _wav_header(form: SpeechFormat) -> bytes:
    width = 2 if form.encoding == "linear16" else 1
    return b"".join(
        (
            struct.pack("<4sI4s4sI", b"RIFF", _RIFF_SIZE, b"WAVE", b"fmt ", 16),
            struct.pack("<HHI", _WAV_TAGS[form.encoding], 1, form.sample_rate),
            struct.pack("<IHH", form.sample_rate * width, width, width * 8),
            struct.pack("<4sI", b"data", _DATA_SIZE),
        )
    )


class _Codec(msgspec.Struct, frozen=True):
    name: str
    container: str
    bit_rate: int | None
    # FFmpeg's encoder refuses more.
    highest_bit_rate: int | None = None
    options: dict[str, str] = {}


_CODECS: Final = {
    # Nothing but frames: that with the length of the whole would have to be written last.
    "mp3": _Codec("libmp3lame", "mp3", 48000, options={"write_xing": "0", "id3v2_version": "0"}),
    # Without it a page of Ogg holds a second, and short answers would come all at once.
    "opus": _Codec("libopus", "ogg", 12000, 256000, {"page_duration": "200000"}),
    "flac": _Codec("flac", "flac", None),
    "aac": _Codec("aac", "adts", 48000, 192000),
}


class _Sink:
    """A file for PyAV that can only be written."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        written = bytes(self._written)
        self._written.clear()
        return written


class _CompressedEncoder:
    def __init__(self, form: SpeechFormat) -> None:
        try:
            import av
        except ImportError:
            msg = f"{form.encoding} needs PyAV: pip install 'deepgram-async[emulator]'"
            raise SynthesizerUnavailableError(msg) from None
        codec = _CODECS[form.encoding]
        self._rate = form.sample_rate
        self._sink = _Sink()
        # PyAV's types have no room for a file that can only be written.
        library: Any = av
        self._output = library.open(self._sink, "w", format=codec.container, options=codec.options)
        self._stream = self._output.add_stream(codec.name, rate=form.sample_rate, layout="mono")
        bit_rate = form.bit_rate or codec.bit_rate
        if bit_rate is not None:
            self._stream.bit_rate = min(bit_rate, codec.highest_bit_rate or bit_rate)
        self._frame = library.AudioFrame
        self._samples = 0

    def encode(self, samples: bytes) -> bytes:
        if samples:
            frame = self._frame(format="s16", layout="mono", samples=len(samples) // 2)
            frame.planes[0].update(samples)
            frame.sample_rate = self._rate
            frame.pts = self._samples
            self._samples += frame.samples
            for packet in self._packets(frame):
                self._output.mux(packet)
        return self._sink.take()

    def finish(self) -> bytes:
        for packet in self._packets(None):
            self._output.mux(packet)
        self._output.close()
        return self._sink.take()

    def _packets(self, frame: Any) -> Iterator[Any]:
        yield from self._stream.encode(frame)
