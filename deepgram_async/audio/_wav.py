"""The header of a WAV file: read forwards only, so that it works on a pipe, and written."""

import struct
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from deepgram_async.errors import AudioSourceError, OptionError

__all__ = ["ByteReader", "WavFormat", "read_wav_format", "wav_header"]

_PCM: Final = 0x0001
_ALAW: Final = 0x0006
_MULAW: Final = 0x0007
_EXTENSIBLE: Final = 0xFFFE
_ENCODINGS: Final[dict[tuple[int, int], Literal["linear16", "alaw", "mulaw"]]] = {
    (_PCM, 16): "linear16",
    (_ALAW, 8): "alaw",
    (_MULAW, 8): "mulaw",
}

_TAGS: Final = {"linear16": (_PCM, 2), "alaw": (_ALAW, 1), "mulaw": (_MULAW, 1)}

# What writers that cannot seek back put into the size fields.
_UNKNOWN_SIZE: Final = 0xFFFFFFFF

# Tags and pictures sit in front of the samples in some files; more than this is no header.
_LARGEST_SKIPPED_CHUNK: Final = 16 * 1024 * 1024


class ByteReader(Protocol):
    """Anything with a blocking `read`: an open binary file, a pipe, ``io.BytesIO``."""

    def read(self, size: int, /) -> bytes | None:
        """Return at most ``size`` bytes, and nothing at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WavFormat:
    """What the header of a WAV file says about the samples that follow it.

    Attributes:
        format_tag: Codec number: 1 integers, 3 floats, 6 A-law, 7 mu-law; of an extensible header
            the number in its sub-format.
        channels: Interleaved channels.
        sample_rate: Samples a second in each channel.
        bits_per_sample: Bits of one sample of one channel.
        data_offset: Bytes from the start of the file to the first sample.
        data_bytes: Bytes of samples, or ``None`` when the writer was streaming and did not know.
    """

    format_tag: int
    channels: int
    sample_rate: int
    bits_per_sample: int
    data_offset: int
    data_bytes: int | None

    @property
    def encoding(self) -> Literal["linear16", "alaw", "mulaw"] | None:
        """Deepgram's name of the encoding; ``None`` if it has none for such samples."""
        return _ENCODINGS.get((self.format_tag, self.bits_per_sample))

    @property
    def duration_s(self) -> float | None:
        """Seconds of audio; ``None`` when the header does not tell."""
        bytes_per_second = self.sample_rate * self.channels * self.bits_per_sample // 8
        if self.data_bytes is None or not bytes_per_second:
            return None
        return self.data_bytes / bytes_per_second


def read_wav_format(file: ByteReader) -> WavFormat:
    """Read a WAV header and leave the file at its first sample.

    Understands extensible headers, the 64-bit sizes of RF64, other chunks in front of the samples,
    and the sizes that a streaming writer leaves open. Reads forwards only.

    Args:
        file: An open binary file at its start; a pipe will do.

    Raises:
        AudioSourceError: It is not a WAV file, or its header is cut short or contradicts itself.
    """
    header = _HeaderReader(file)
    magic, riff_size, form = struct.unpack("<4sI4s", header.take(12, "the RIFF header"))
    if magic not in (b"RIFF", b"RF64") or form != b"WAVE":
        raise AudioSourceError("not a WAV file: it does not start with a RIFF/WAVE header")
    fmt: bytes | None = None
    data_size_64: int | None = None
    while True:
        name, size = struct.unpack("<4sI", header.take(8, "a chunk header"))
        if name == b"data":
            break
        if size > _LARGEST_SKIPPED_CHUNK:
            raise AudioSourceError(f"broken WAV header: chunk {name!r} claims {size} bytes")
        # Chunks are padded to an even length.
        body = header.take(size + size % 2, f"chunk {name!r}")
        if name == b"fmt ":
            fmt = body[:size]
        elif name == b"ds64" and size >= 16:
            data_size_64 = struct.unpack_from("<Q", body, 8)[0]
    if fmt is None:
        raise AudioSourceError("broken WAV header: no 'fmt ' chunk in front of the samples")
    data_bytes: int | None = size
    if size == _UNKNOWN_SIZE:
        data_bytes = data_size_64
    elif size == 0 and riff_size in (0, _UNKNOWN_SIZE):
        data_bytes = None
    return _parse_fmt(fmt, data_offset=header.position, data_bytes=data_bytes)


def wav_header(
    encoding: Literal["linear16", "alaw", "mulaw"],
    *,
    sample_rate: int,
    channels: int = 1,
    data_bytes: int | None = None,
) -> bytes:
    """Return what makes a WAV file of raw audio when it is written in front of the samples.

    Args:
        encoding: How one sample is written, in Deepgram's spelling.
        sample_rate: Samples a second in each channel.
        channels: Interleaved channels; a stream of speech has one.
        data_bytes: Bytes of samples; left out while they are not known, as in front of a stream.

    Raises:
        OptionError: A WAV file cannot be like this.
    """
    if encoding not in _TAGS:
        raise OptionError(f"there is no WAV file of raw {encoding!r}", option="encoding")
    if sample_rate <= 0 or channels <= 0:
        name = "sample_rate" if sample_rate <= 0 else "channels"
        raise OptionError(f"{name} of a WAV file must be positive", option=name)
    tag, width = _TAGS[encoding]
    frame = width * channels
    fmt = struct.pack("<HHIIHH", tag, channels, sample_rate, sample_rate * frame, frame, width * 8)
    size = _UNKNOWN_SIZE if data_bytes is None else data_bytes
    if not 0 <= size <= _UNKNOWN_SIZE:
        raise OptionError(
            f"a WAV file holds 0 bytes to 4 GiB of samples, not {size}", option="data_bytes"
        )
    chunks = struct.pack("<4sI", b"fmt ", len(fmt)) + fmt
    if tag != _PCM:
        # Other codecs have a longer description, and say how many samples there are.
        samples = size if data_bytes is None else size // frame
        chunks = struct.pack("<4sI", b"fmt ", len(fmt) + 2) + fmt + b"\0\0"
        chunks += struct.pack("<4sII", b"fact", 4, samples)
    chunks += struct.pack("<4sI", b"data", size)
    riff = min(_UNKNOWN_SIZE, 4 + len(chunks) + size)
    return struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + chunks


def _parse_fmt(fmt: bytes, *, data_offset: int, data_bytes: int | None) -> WavFormat:
    if len(fmt) < 16:
        raise AudioSourceError(f"broken WAV header: 'fmt ' chunk of {len(fmt)} bytes")
    tag, channels, sample_rate, _, _, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        # The first two bytes of the sub-format's GUID are the codec number.
        (tag,) = struct.unpack_from("<H", fmt, 24)
    if not channels or not sample_rate:
        raise AudioSourceError(
            f"broken WAV header: {channels} channels at {sample_rate} samples a second"
        )
    return WavFormat(
        format_tag=tag,
        channels=channels,
        sample_rate=sample_rate,
        bits_per_sample=bits,
        data_offset=data_offset,
        data_bytes=data_bytes,
    )


class _HeaderReader:
    """Reads exact amounts and counts them."""

    def __init__(self, file: ByteReader) -> None:
        self._file = file
        self.position = 0

    def take(self, size: int, what: str) -> bytes:
        parts: list[bytes] = []
        missing = size
        while missing:
            part = self._file.read(missing)
            if not part:
                raise AudioSourceError(f"broken WAV header: the file ends within {what}")
            parts.append(part)
            missing -= len(part)
        self.position += size
        return b"".join(parts)
