"""When a live stream speaks: one channel's audio in, decisions and results out.

No I/O and no clock. Time is audio time, counted in samples. The segmenter keeps the samples of the
open slice, watches for speech, and says when to recognise what. Its methods are generators of
steps; a `Decode` step asks for words, which the caller sends back (None if it has no time for an
interim one):

    words = None
    steps = segmenter.feed(samples)
    while True:
        try:
            step = steps.send(words)
        except StopIteration:
            break
        words = recognise(step.audio) if isinstance(step, Decode) else None

The slices follow the documented order: they cover the audio without gaps, interims share the start
of the final that closes them, and a final in the middle of speech ends between two words, which may
be before the end of the last interim.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ._recognizers import Pcm, RecognizedWord

if TYPE_CHECKING:
    from ._vad import VoiceDetector

__all__ = [
    "Decode",
    "Segmentation",
    "Segmenter",
    "Slice",
    "SpeechStarted",
    "Step",
    "Steps",
    "UtteranceEnd",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """What the client wants to be told, and when. All times in seconds of audio."""

    interim_every_s: float | None
    """None for finals only."""
    endpointing_s: float | None
    """None when silence ends no utterance."""
    utterance_end_s: float | None
    """None for no UtteranceEnd."""
    longest_segment_s: float = 12.0
    longest_silence_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Decode:
    """Asks for the words of `audio`; only one that is not final may be answered with None."""

    audio: Pcm
    is_final: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """A Results message in the making; word times are those of the stream."""

    start: float
    duration: float
    words: tuple[RecognizedWord, ...]
    is_final: bool
    speech_final: bool = False
    from_finalize: bool = False


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech begins after silence."""

    timestamp: float


@dataclass(frozen=True, slots=True)
class UtteranceEnd:
    """No further word came for `utterance_end_s`."""

    last_word_end: float


Step = Decode | Slice | SpeechStarted | UtteranceEnd
Steps = Generator[Step, Sequence[RecognizedWord] | None, None]

_FRAME_S: Final = 0.02
# Audio before the detected onset that belongs to the first word: detectors are late on soft
# consonants.
_PRE_ROLL_S: Final = 0.3
# Without endpointing a slice still has to end somewhere: in a pause of this length.
_PAUSE_WITHOUT_ENDPOINTING_S: Final = 1.0


class Segmenter:
    """The state of one channel of a live stream."""

    def __init__(
        self, config: Segmentation, detector: VoiceDetector, *, rate: int, channel: int = 0
    ) -> None:
        self._config = config
        self._detector = detector
        self._rate = rate
        self._channel = channel
        self._frame = max(int(rate * _FRAME_S), 1)
        self._partial = b""
        # Positions count samples of the stream. `_held` are the samples from `_held_from` to
        # `_now`.
        self._now = 0
        self._slice_from = 0
        self._held = bytearray()
        self._held_from = 0
        self._speaking = False
        self._quiet = 0
        self._interim_due = self._samples(config.interim_every_s or 0.0)
        # The utterance that UtteranceEnd will end: where its last known word ends.
        self._last_word_end: float | None = None
        self._announced_until = -1.0

    @property
    def position_s(self) -> float:
        """Seconds of audio taken so far."""
        return self._now / self._rate

    # What happens to a stream.

    def feed(self, samples: bytes) -> Steps:
        """Take 16 bit samples; any number of them, they are put into frames here."""
        data = self._partial + samples
        size = self._frame * 2
        whole = len(data) - len(data) % size
        self._partial = data[whole:]
        for at in range(0, whole, size):
            yield from self._take(data[at : at + size])

    def finalize(self) -> Steps:
        """Close the open slice because the client asked; nothing comes if nothing is open."""
        yield from self._flush(from_finalize=True)

    def finish(self) -> Steps:
        """Close the open slice because the stream ends."""
        yield from self._flush(from_finalize=False)

    # One frame.

    def _take(self, frame: bytes) -> Steps:
        voiced = self._detector.is_speech(frame, self._now / self._rate)
        self._held += frame
        self._now += len(frame) // 2
        if voiced and not self._speaking:
            yield from self._begin(len(frame) // 2)
        self._quiet = 0 if voiced else self._quiet + len(frame) // 2
        if self._speaking:
            yield from self._listen()
        else:
            self._hold_from(self._now - self._samples(_PRE_ROLL_S))
            yield from self._wait()
        if self._config.interim_every_s is not None and self._now >= self._interim_due:
            yield from self._report()

    def _begin(self, frame: int) -> Steps:
        self._speaking = True
        self._hold_from(max(self._now - frame - self._samples(_PRE_ROLL_S), self._slice_from))
        yield SpeechStarted((self._now - frame) / self._rate)

    def _listen(self) -> Steps:
        pause_s = self._config.endpointing_s
        enough_s = _PAUSE_WITHOUT_ENDPOINTING_S if pause_s is None else pause_s
        if self._quiet >= self._samples(enough_s):
            yield from self._close(speech_final=pause_s is not None)
        elif self._now - self._held_from >= self._samples(self._config.longest_segment_s):
            yield from self._cut()

    def _wait(self) -> Steps:
        yield from self._end_utterance()
        if self._now - self._slice_from >= self._samples(self._config.longest_silence_s):
            yield from self._close(speech_final=False)

    # Results.

    def _report(self) -> Steps:
        self._schedule_interim()
        if self._now == self._slice_from:
            return
        words: tuple[RecognizedWord, ...] = ()
        if self._speaking:
            heard = yield Decode(self._audio(), is_final=False)
            if heard is None:
                return
            words = self._on_the_clock(heard)
        yield self._slice(self._now, words, is_final=False)
        self._note(words)
        yield from self._end_utterance()

    def _close(self, *, speech_final: bool, from_finalize: bool = False) -> Steps:
        words: tuple[RecognizedWord, ...] = ()
        if self._speaking:
            words = self._on_the_clock((yield Decode(self._audio(), is_final=True)) or ())
        final = self._slice(self._now, words, is_final=True)
        self._slice_from = self._now
        self._speaking = False
        self._hold_from(self._now)
        self._schedule_interim()
        yield Slice(final.start, final.duration, words, True, speech_final, from_finalize)
        self._note(words)
        yield from self._end_utterance()

    def _cut(self) -> Steps:
        """Finalise what is certain of long speech: up to its widest late pause."""
        words = self._on_the_clock((yield Decode(self._audio(), is_final=True)) or ())
        after = _widest_late_pause(words)
        if after is None:
            end = self._now
        else:
            end = self._samples((words[after].end + words[after + 1].start) / 2)
            words = words[: after + 1]
        end = min(max(end, self._held_from + 1), self._now)
        final = self._slice(end, words, is_final=True)
        self._slice_from = end
        self._hold_from(end)
        self._schedule_interim()
        yield final
        self._note(words)

    def _flush(self, *, from_finalize: bool) -> Steps:
        if self._partial:
            self._held += self._partial
            self._now += len(self._partial) // 2
            self._partial = b""
        if self._now > self._slice_from:
            yield from self._close(speech_final=self._speaking, from_finalize=from_finalize)

    def _end_utterance(self) -> Steps:
        gap_s = self._config.utterance_end_s
        end = self._last_word_end
        if gap_s is not None and end is not None and self._now / self._rate - end >= gap_s:
            self._last_word_end = None
            self._announced_until = end
            yield UtteranceEnd(round(end, 6))

    # Bookkeeping.

    def _note(self, words: tuple[RecognizedWord, ...]) -> None:
        # A re-decoded word may move a little: only one that begins later is news.
        if words and words[-1].start >= self._announced_until:
            self._last_word_end = words[-1].end

    def _slice(self, end: int, words: tuple[RecognizedWord, ...], *, is_final: bool) -> Slice:
        start_s = self._slice_from / self._rate
        return Slice(round(start_s, 6), round(end / self._rate - start_s, 6), words, is_final)

    def _audio(self) -> Pcm:
        start_s = self._held_from / self._rate
        return Pcm(bytes(self._held), self._rate, start_s, self._channel)

    def _on_the_clock(self, words: Sequence[RecognizedWord]) -> tuple[RecognizedWord, ...]:
        offset, end = self._held_from / self._rate, self._now / self._rate
        return tuple(
            RecognizedWord(
                word.text,
                round(min(offset + word.start, end), 6),
                round(min(offset + word.end, end), 6),
                word.confidence,
            )
            for word in words
        )

    def _hold_from(self, position: int) -> None:
        if position > self._held_from:
            del self._held[: (position - self._held_from) * 2]
            self._held_from = position

    def _schedule_interim(self) -> None:
        self._interim_due = self._now + self._samples(self._config.interim_every_s or 0.0)

    def _samples(self, seconds: float) -> int:
        return round(seconds * self._rate)


def _widest_late_pause(words: tuple[RecognizedWord, ...]) -> int | None:
    """Return the word before the widest pause in the second half, the latest of equals."""
    candidates = range(len(words) // 2, len(words) - 1)
    return max(candidates, key=lambda i: (words[i + 1].start - words[i].end, i), default=None)
