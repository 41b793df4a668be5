"""WAV, by hand and in any chunking: it must work without optional packages."""

from __future__ import annotations

from typing import Final

from ._pcm import Converter

__all__ = ["MOST_CHANNELS", "UndecodableAudioError", "WavDecoder"]

MOST_CHANNELS: Final = 32
"""Recordings of meetings and studios have no more."""

# A header longer than this is no header.
_LONGEST_HEADER: Final = 1024 * 1024
# A program that streams a WAV cannot know its size and writes one of these, or zero.
_UNKNOWN_SIZES_FROM: Final = 0x7FFF0000
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE
_ENCODINGS: Final = {
    (_PCM, 8): "unsigned8",
    (_PCM, 16): "linear16",
    (_PCM, 24): "linear24",
    (_PCM, 32): "linear32",
    (_FLOAT, 32): "float32",
    (_ALAW, 8): "alaw",
    (_MULAW, 8): "mulaw",
}


class UndecodableAudioError(Exception):
    """The bytes are no audio that can be decoded here."""


class WavDecoder:
    """A WAV file or stream to samples per channel.

    Args:
        separate: Whether the channels are kept apart, or mixed into one.
    """

    def __init__(self, *, separate: bool) -> None:
        self.rate = 0
        self.channels = 0
        self._separate = separate
        self._header = bytearray()
        self._converter: Converter | None = None
        self._left: int | None = None

    def decode(self, data: bytes) -> tuple[bytes, ...]:
        """Return the samples of each channel that are complete now, none before the header is.

        Raises:
            UndecodableAudioError: It is no WAV, or one in a format that is not known here.
        """
        if self._converter is None:
            self._header += data
            found = self._read_header(bytes(self._header))
            if found is None:
                return ()
            self._converter, data = found
            self._header.clear()
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        return self._converter.convert(data)

    def _read_header(self, header: bytes) -> tuple[Converter, bytes] | None:
        """Return what converts the samples and their first bytes; None when more is needed."""
        if len(header) >= 12 and (header[:4] not in (b"RIFF", b"RF64") or header[8:12] != b"WAVE"):
            raise UndecodableAudioError("not a WAV file")
        at = 12
        encoding: str | None = None
        while len(header) >= at + 8:
            name, size = header[at : at + 4], int.from_bytes(header[at + 4 : at + 8], "little")
            at += 8
            if name == b"data":
                if encoding is None:
                    raise UndecodableAudioError("a WAV file without a format")
                self._left = size if 0 < size < _UNKNOWN_SIZES_FROM else None
                return Converter(encoding, self.channels, separate=self._separate), header[at:]
            if name == b"fmt " and len(header) >= at + size:
                encoding = self._read_format(header[at : at + size])
            at += size + size % 2
        if len(header) > _LONGEST_HEADER:
            raise UndecodableAudioError("a WAV file without samples")
        return None

    def _read_format(self, chunk: bytes) -> str:
        if len(chunk) < 16:
            raise UndecodableAudioError("a WAV file with a broken format")
        tag = int.from_bytes(chunk[:2], "little")
        if tag == _EXTENSIBLE and len(chunk) >= 26:
            tag = int.from_bytes(chunk[24:26], "little")
        encoding = _ENCODINGS.get((tag, int.from_bytes(chunk[14:16], "little")))
        self.channels = int.from_bytes(chunk[2:4], "little")
        self.rate = int.from_bytes(chunk[4:8], "little")
        if encoding is None or not 0 < self.channels <= MOST_CHANNELS or not self.rate:
            raise UndecodableAudioError("a WAV file in an unknown format")
        return encoding
