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
from ._tape import Tape, widest_late_pause

if TYPE_CHECKING:
    from ._vad import VoiceDetector

__all__ = [
    "PRE_ROLL_S",
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

# Audio before the detected onset that belongs to the first word: detectors are late on soft
# consonants.
PRE_ROLL_S: Final = 0.3
# Without endpointing a slice still has to end somewhere: in a pause of this length.
_PAUSE_WITHOUT_ENDPOINTING_S: Final = 1.0


class Segmenter:
    """The state of one channel of a live stream."""

    def __init__(
        self, config: Segmentation, detector: VoiceDetector, *, rate: int, channel: int = 0
    ) -> None:
        self._config = config
        self._detector = detector
        self._tape = Tape(rate, channel)
        # Positions count samples of the stream.
        self._slice_from = 0
        self._speaking = False
        self._quiet = 0
        self._interim_due = self._tape.samples(config.interim_every_s or 0.0)
        # The utterance that UtteranceEnd will end: where its last known word ends.
        self._last_word_end: float | None = None
        self._announced_until = -1.0

    @property
    def position_s(self) -> float:
        """Seconds of audio taken so far."""
        return self._tape.now_s

    # What happens to a stream.

    def feed(self, samples: bytes) -> Steps:
        """Take 16 bit samples; any number of them, they are put into frames here."""
        for frame in self._tape.frames(samples):
            yield from self._take(frame)

    def finalize(self) -> Steps:
        """Close the open slice because the client asked; nothing comes if nothing is open."""
        yield from self._flush(from_finalize=True)

    def finish(self) -> Steps:
        """Close the open slice because the stream ends."""
        yield from self._flush(from_finalize=False)

    # One frame.

    def _take(self, frame: bytes) -> Steps:
        tape = self._tape
        voiced = self._detector.is_speech(frame, tape.now_s)
        taken = tape.take(frame)
        if voiced and not self._speaking:
            yield from self._begin(taken)
        self._quiet = 0 if voiced else self._quiet + taken
        if self._speaking:
            yield from self._listen()
        else:
            tape.forget_before(tape.now - tape.samples(PRE_ROLL_S))
            yield from self._wait()
        if self._config.interim_every_s is not None and tape.now >= self._interim_due:
            yield from self._report()

    def _begin(self, taken: int) -> Steps:
        tape = self._tape
        self._speaking = True
        onset = tape.now - taken
        tape.forget_before(max(onset - tape.samples(PRE_ROLL_S), self._slice_from))
        yield SpeechStarted(onset / tape.rate)

    def _listen(self) -> Steps:
        tape, pause_s = self._tape, self._config.endpointing_s
        enough_s = _PAUSE_WITHOUT_ENDPOINTING_S if pause_s is None else pause_s
        if self._quiet >= tape.samples(enough_s):
            yield from self._close(speech_final=pause_s is not None)
        elif tape.now - tape.held_from >= tape.samples(self._config.longest_segment_s):
            yield from self._cut()

    def _wait(self) -> Steps:
        yield from self._end_utterance()
        longest = self._tape.samples(self._config.longest_silence_s)
        if self._tape.now - self._slice_from >= longest:
            yield from self._close(speech_final=False)

    # Results.

    def _report(self) -> Steps:
        self._schedule_interim()
        if self._tape.now == self._slice_from:
            return
        words: tuple[RecognizedWord, ...] = ()
        if self._speaking:
            heard = yield Decode(self._tape.audio(), is_final=False)
            if heard is None:
                return
            words = self._tape.place(heard)
        yield self._slice(self._tape.now, words, is_final=False)
        self._note(words)
        yield from self._end_utterance()

    def _close(self, *, speech_final: bool, from_finalize: bool = False) -> Steps:
        words: tuple[RecognizedWord, ...] = ()
        if self._speaking:
            words = self._tape.place((yield Decode(self._tape.audio(), is_final=True)) or ())
        final = self._slice(self._tape.now, words, is_final=True)
        self._slice_from = self._tape.now
        self._speaking = False
        self._tape.forget_before(self._tape.now)
        self._schedule_interim()
        yield Slice(final.start, final.duration, words, True, speech_final, from_finalize)
        self._note(words)
        yield from self._end_utterance()

    def _cut(self) -> Steps:
        """Finalise what is certain of long speech: up to its widest late pause."""
        words = self._tape.place((yield Decode(self._tape.audio(), is_final=True)) or ())
        after = widest_late_pause(words)
        if after is None:
            end = self._tape.now
        else:
            end = self._tape.samples((words[after].end + words[after + 1].start) / 2)
            words = words[: after + 1]
        end = min(max(end, self._tape.held_from + 1), self._tape.now)
        final = self._slice(end, words, is_final=True)
        self._slice_from = end
        self._tape.forget_before(end)
        self._schedule_interim()
        yield final
        self._note(words)

    def _flush(self, *, from_finalize: bool) -> Steps:
        self._tape.take_rest()
        if self._tape.now > self._slice_from:
            yield from self._close(speech_final=self._speaking, from_finalize=from_finalize)

    def _end_utterance(self) -> Steps:
        gap_s = self._config.utterance_end_s
        end = self._last_word_end
        if gap_s is not None and end is not None and self._tape.now_s - end >= gap_s:
            self._last_word_end = None
            self._announced_until = end
            yield UtteranceEnd(round(end, 6))

    # Bookkeeping.

    def _note(self, words: tuple[RecognizedWord, ...]) -> None:
        # A re-decoded word may move a little: only one that begins later is news.
        if words and words[-1].start >= self._announced_until:
            self._last_word_end = words[-1].end

    def _slice(self, end: int, words: tuple[RecognizedWord, ...], *, is_final: bool) -> Slice:
        rate = self._tape.rate
        start_s = self._slice_from / rate
        return Slice(round(start_s, 6), round(end / rate - start_s, 6), words, is_final)

    def _schedule_interim(self) -> None:
        self._interim_due = self._tape.now + self._tape.samples(self._config.interim_every_s or 0.0)
