"""The samples of a live channel that may still be recognised, and where in the stream they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._recognizers import Pcm, RecognizedWord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Tape", "widest_late_pause"]

_FRAME_S: Final = 0.02


class Tape:
    """Takes 16 bit samples frame by frame; positions count the samples of the stream.

    Attributes:
        rate: Samples per second.
        now: Where the audio taken so far ends.
        held_from: Where the audio that is kept begins.
    """

    def __init__(self, rate: int, channel: int = 0) -> None:
        self.now = 0
        self.held_from = 0
        self.rate = rate
        self._channel = channel
        self._frame_size = max(int(rate * _FRAME_S), 1) * 2
        self._partial = b""
        self._held = bytearray()

    @property
    def now_s(self) -> float:
        """Seconds of audio taken so far."""
        return self.now / self.rate

    def samples(self, seconds: float) -> int:
        """Return how many samples a time has."""
        return round(seconds * self.rate)

    def frames(self, samples: bytes) -> Iterator[bytes]:
        """Yield the frames of 20 ms that are complete with these samples; `take` each of them."""
        data = self._partial + samples
        whole = len(data) - len(data) % self._frame_size
        self._partial = data[whole:]
        for at in range(0, whole, self._frame_size):
            yield data[at : at + self._frame_size]

    def take(self, frame: bytes) -> int:
        """Keep a frame; return its samples."""
        self._held += frame
        self.now += len(frame) // 2
        return len(frame) // 2

    def take_rest(self) -> None:
        """Keep what is no whole frame, because nothing follows for now."""
        self.take(self._partial)
        self._partial = b""

    def forget_before(self, position: int) -> None:
        """Keep only what begins there, or later."""
        if position > self.held_from:
            del self._held[: (position - self.held_from) * 2]
            self.held_from = position

    def audio(self) -> Pcm:
        """Return what is kept."""
        start_s = self.held_from / self.rate
        return Pcm(bytes(self._held), self.rate, start_s, self._channel)

    def place(self, words: Sequence[RecognizedWord]) -> tuple[RecognizedWord, ...]:
        """Return words recognised in `audio` with the times of the stream."""
        offset, end = self.held_from / self.rate, self.now_s
        return tuple(
            RecognizedWord(
                word.text,
                round(min(offset + word.start, end), 6),
                round(min(offset + word.end, end), 6),
                word.confidence,
            )
            for word in words
        )


def widest_late_pause(words: Sequence[RecognizedWord]) -> int | None:
    """Return the word before the widest pause in the second half, the latest of equals."""
    candidates = range(len(words) // 2, len(words) - 1)
    return max(candidates, key=lambda i: (words[i + 1].start - words[i].end, i), default=None)
