"""Speech in which every sample tells its place, and an ear that notices when one is missing.

Every tenth of a second is a word, ``w0``, ``w1`` and so on, with a little silence on both sides.
A quarter of the words is silence.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["WORD_S", "Ear", "MisheardError", "Speech"]

WORD_S: Final = 0.1
# The voiced part of a word, in words.
_BEGIN: Final = 0.2
_END: Final = 0.8
# So many words are spoken or not spoken at a time; every fourth time they are not.
_RUN: Final = 50
# A turn of Flux is noticed to have ended by the silence after it.
_LAST_SILENT: Final = 25

_SAMPLE_BYTES: Final = 4


class Speech(NamedTuple):
    """A recording in ``linear32``: the value of each sample is its number."""

    seconds: float
    rate: int
    channels: int = 1

    @property
    def samples(self) -> int:
        """Samples of each channel."""
        return round(self.seconds * self.rate)

    @property
    def size(self) -> int:
        """All bytes."""
        return self.samples * self.frame_bytes

    @property
    def frame_bytes(self) -> int:
        """Bytes of a sample of all channels."""
        return _SAMPLE_BYTES * self.channels

    @property
    def word_samples(self) -> int:
        """Samples of a word."""
        return round(WORD_S * self.rate)

    @property
    def word_count(self) -> int:
        """Words of each channel, the silent ones too."""
        return self.samples // self.word_samples

    def piece(self, begin: int, end: int) -> bytes:
        """Return the bytes between two positions."""
        end = min(end, self.size)
        first = begin // _SAMPLE_BYTES
        data = array("I", range(first, -(-end // _SAMPLE_BYTES))).tobytes()
        skip = begin - first * _SAMPLE_BYTES
        return data[skip : skip + end - begin]

    def is_silent(self, word: int) -> bool:
        """Return whether nothing is said in the place of a word."""
        return word // _RUN % 4 == 3 or word >= self.word_count - _LAST_SILENT

    def words(self, begin: int, end: int) -> Iterator[int]:
        """Yield the words that are spoken completely between two samples."""
        size = self.word_samples
        # Rounded, so that a border on the very end of a word does not count for both sides or none.
        first = max(0, math.ceil(round(begin / size - _BEGIN, 6)))
        for word in range(first, math.floor(round(end / size - _END, 6)) + 1):
            if not self.is_silent(word):
                yield word

    def begin_of(self, word: int) -> float:
        """Return the second at which the voice of a word begins."""
        return (word + _BEGIN) * WORD_S

    def end_of(self, word: int) -> float:
        """Return the second at which the voice of a word ends."""
        return (word + _END) * WORD_S


class MisheardError(Exception):
    """Audio does not go on where it was: something is missing, doubled or damaged."""


class Ear:
    """Hears the audio of one connection, from wherever it begins.

    Attributes:
        begin: Sample at which the connection began.
        heard: Sample up to which all was heard.
    """

    def __init__(self, speech: Speech) -> None:
        self.begin = 0
        self.heard = 0
        self._speech = speech
        self._position: int | None = None
        self._start = b""

    def hear(self, chunk: bytes) -> None:
        """Hear a chunk, which need not consist of whole samples.

        Raises:
            MisheardError: It is not what follows.
        """
        if self._position is None:
            self._start += chunk
            if len(self._start) < _SAMPLE_BYTES:
                return
            chunk, first = self._start, int.from_bytes(self._start[:_SAMPLE_BYTES], "little")
            if first % self._speech.channels or first > self._speech.size:
                raise MisheardError(f"a connection cannot begin at {first}")
            self._position = first * _SAMPLE_BYTES
            self.begin = self.heard = first // self._speech.channels
        end = self._position + len(chunk)
        if chunk != self._speech.piece(self._position, end):
            raise MisheardError(f"after {self._position} comes something else")
        self._position = end
        self.heard = end // self._speech.frame_bytes
