"""Speech in containers, and decoders that hear one connection each, from wherever it begins."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final

from benchmarks.soak.speech import Speech

__all__ = ["CONTAINERS", "Decoder", "Ogg", "Raw", "Wav", "ogg_page"]

_PAGE: Final = struct.Struct("<4sBBqIIIB")
_OPUS_RATE: Final = 48000
# What every decoder of Opus leaves out at the start: 10 ms here.
_SKIP: Final = 480


class Decoder(ABC):
    """Turns what comes on a connection into samples."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    @staticmethod
    @abstractmethod
    def written(speech: Speech) -> Iterator[bytes]:
        """Yield the pieces of a recording."""

    @abstractmethod
    def decode(self, chunk: bytes) -> bytes:
        """Return the samples that are known now.

        Raises:
            ValueError: It cannot be decoded.
        """


class Raw(Decoder):
    """Nothing but samples."""

    @staticmethod
    def written(speech: Speech) -> Iterator[bytes]:
        size = speech.rate * speech.frame_bytes
        for begin in range(0, speech.size, size):
            yield speech.piece(begin, begin + size)

    def decode(self, chunk: bytes) -> bytes:
        return chunk


class Wav(Decoder):
    """A header, and samples."""

    def __init__(self, speech: Speech) -> None:
        super().__init__(speech)
        self._missing = _wav_header(speech)

    @staticmethod
    def written(speech: Speech) -> Iterator[bytes]:
        yield _wav_header(speech)
        yield from Raw.written(speech)

    def decode(self, chunk: bytes) -> bytes:
        missing = self._missing[: len(chunk)]
        if not chunk.startswith(missing):
            raise ValueError("this is no WAV file")
        self._missing = self._missing[len(missing) :]
        return chunk[len(missing) :]


class Ogg(Decoder):
    """Pages as Opus has them, each about a second; the samples in them are raw."""

    def __init__(self, speech: Speech) -> None:
        super().__init__(speech)
        self._rest = b""
        self._headers = 2
        self._skip = _samples_left_out(speech) * speech.frame_bytes

    @staticmethod
    def written(speech: Speech) -> Iterator[bytes]:
        head = b"OpusHead\x01" + struct.pack("<BHIhB", speech.channels, _SKIP, speech.rate, 0, 0)
        yield ogg_page(0, head, kind=2)
        yield ogg_page(0, b"OpusTags" + bytes(40))
        padding = bytes(_samples_left_out(speech) * speech.frame_bytes)
        for number in range(-(-speech.samples // speech.rate)):
            # Pages of different lengths, none of them at the border of a word by intention.
            begin = number * speech.rate + number % 7 * speech.rate // 50
            end = (number + 1) * speech.rate + (number + 1) % 7 * speech.rate // 50
            end = min(end, speech.samples)
            samples = speech.piece(begin * speech.frame_bytes, end * speech.frame_bytes)
            if samples:
                granule = end * _OPUS_RATE // speech.rate + _SKIP
                yield ogg_page(granule, padding + samples)
                padding = b""

    def decode(self, chunk: bytes) -> bytes:
        self._rest += chunk
        samples = b""
        while (body := self._next_page()) is not None:
            if self._headers:
                if not body.startswith((b"OpusHead", b"OpusTags")):
                    raise ValueError("this does not begin as Ogg does")
                self._headers -= 1
            else:
                samples += body
        left_out = min(self._skip, len(samples))
        self._skip -= left_out
        return samples[left_out:]

    def _next_page(self) -> bytes | None:
        rest = self._rest
        if len(rest) < _PAGE.size:
            return None
        magic, _, _, _, _, _, _, segments = _PAGE.unpack_from(rest)
        if magic != b"OggS":
            raise ValueError("this is no page of Ogg")
        begin = _PAGE.size + segments
        end = begin + sum(rest[_PAGE.size : begin])
        if len(rest) < begin or len(rest) < end:
            return None
        self._rest = rest[end:]
        return rest[begin:end]


CONTAINERS: Final[dict[str, type[Decoder]]] = {"raw": Raw, "wav": Wav, "ogg": Ogg}


def ogg_page(granule: int, body: bytes, *, kind: int = 0) -> bytes:
    """Return a page with one packet; its checksum is not made."""
    segments = bytes([255] * (len(body) // 255) + [len(body) % 255])
    head = _PAGE.pack(b"OggS", 0, kind, granule, 7, 0, 0, len(segments))
    return head + segments + body


def _wav_header(speech: Speech) -> bytes:
    rate, frame = speech.rate, speech.frame_bytes
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, speech.channels, rate, rate * frame, frame, 32)
    return b"RIFF\xff\xff\xff\xffWAVE" + form + b"data\xff\xff\xff\xff"


def _samples_left_out(speech: Speech) -> int:
    return speech.rate * _SKIP // _OPUS_RATE
