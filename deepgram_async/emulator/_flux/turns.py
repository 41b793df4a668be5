"""When a turn begins and ends: one channel's audio in, decisions and turns out.

No I/O and no clock. Time is audio time. As in the segmenter, the methods are generators of steps: a
`Decode` step asks for words, which the caller sends back, or None if it has no time for one that is
not final.

What comes out keeps the documented order of Flux: `StartOfTurn` and `EagerEndOfTurn` have words,
and the words of an `EagerEndOfTurn` stay until `TurnResumed` or `EndOfTurn`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from deepgram_async._protocol.turns import TURNS, TurnState
from deepgram_async.emulator._recognizers import RecognizedWord
from deepgram_async.emulator._segmenter import PRE_ROLL_S, Decode
from deepgram_async.emulator._tape import Tape, widest_late_pause

if TYPE_CHECKING:
    from deepgram_async.emulator._vad import VoiceDetector

__all__ = ["Event", "Turn", "TurnDetector", "TurnSteps", "TurnTaking", "end_of_turn_confidence"]

Event = Literal["Update", "StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"]
Trigger = Literal["model", "manual", "timeout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTaking:
    """When turns end, and how often something is said. All times in seconds of audio."""

    eot_threshold: float = 0.7
    """1.0 is never reached."""
    eager_eot_threshold: float | None = None
    """None for no drafts of an end."""
    eot_timeout_s: float = 5.0
    update_every_s: float = 0.25
    decode_every_s: float = 0.25
    """How often the words of an open turn are asked for at most."""
    longest_segment_s: float = 12.0
    """Of a longer turn, what is certain is not recognised again."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A TurnInfo message in the making; word times are those of the stream."""

    event: Event
    index: int
    window_start: float
    window_end: float
    words: tuple[RecognizedWord, ...]
    confidence: float
    trigger: Trigger | None = None


TurnSteps = Generator[Decode | Turn, Sequence[RecognizedWord] | None, None]

# How much speech, or silence behind some, is enough to listen for its words.
_FIRST_WORDS_S: Final = 0.3
# What sounded like speech and had no words is forgotten after so much silence.
_FALSE_START_S: Final = 0.6
# The silence that makes an end as likely as not: behind a finished sentence, and behind anything
# else. With the default threshold a turn ends after 0.7 s, or 1.6 s.
_HALF_SURE_S: Final = 0.3
_HALF_SURE_UNFINISHED_S: Final = 0.7
_SENTENCE_ENDS: Final = (".", "?", "!")
_NO_ENDS: Final = ("...", "\u2026")


def end_of_turn_confidence(words: Sequence[RecognizedWord], quiet_s: float) -> float:
    """Return how sure it is that a speaker has finished, who has been silent for a time.

    It grows with the silence, faster behind a finished sentence, and never reaches 1.
    """
    text = words[-1].text if words else ""
    is_finished = text.endswith(_SENTENCE_ENDS) and not text.endswith(_NO_ENDS)
    return quiet_s / (quiet_s + (_HALF_SURE_S if is_finished else _HALF_SURE_UNFINISHED_S))


class TurnDetector:
    """The turns of one stream."""

    def __init__(self, taking: TurnTaking, detector: VoiceDetector, *, rate: int) -> None:
        self.taking = taking
        self._detector = detector
        self._tape = Tape(rate)
        self._state = TurnState.IDLE
        self._index = 0
        # Positions count samples of the stream.
        self._window_from = 0
        self._quiet = 0
        self._decoded_at = 0
        self._listen_at = 0
        self._update_due = self._tape.samples(taking.update_every_s)
        # There may be speech that has no words yet.
        self._is_listening = False
        # There was speech since the words were recognised.
        self._is_stale = False
        self._settled: tuple[RecognizedWord, ...] = ()
        self._open: tuple[RecognizedWord, ...] = ()

    @property
    def has_turn(self) -> bool:
        """Whether somebody speaks, or has perhaps finished."""
        return self._state is not TurnState.IDLE

    # What happens to a stream.

    def feed(self, samples: bytes) -> TurnSteps:
        """Take 16 bit samples, any number of them."""
        for frame in self._tape.frames(samples):
            yield from self._take(frame)

    def force_end(self) -> TurnSteps:
        """End the turn, if there is one."""
        self._tape.take_rest()
        if self.has_turn:
            yield from self._settle()
            yield self._event("EndOfTurn", "manual")

    def finish(self) -> TurnSteps:
        """Say the words that were not said yet, because the stream ends; no turn ends by that."""
        self._tape.take_rest()
        if self._state is TurnState.SPEAKING and self._is_stale:
            yield from self._settle()
            yield self._event("Update")
        elif self._state is TurnState.IDLE and self._is_listening:
            yield from self._listen_for_words(is_last=True)

    # One frame.

    def _take(self, frame: bytes) -> TurnSteps:
        tape = self._tape
        voiced = self._detector.is_speech(frame, tape.now_s)
        taken = tape.take(frame)
        self._quiet = 0 if voiced else self._quiet + taken
        self._is_stale = self._is_stale or voiced
        if self._state is TurnState.IDLE:
            yield from self._wait(taken, voiced=voiced)
        elif self._state is TurnState.EAGER and voiced:
            yield self._event("TurnResumed")
        else:
            yield from self._follow()
        if tape.now >= self._update_due:
            yield from self._update()

    def _wait(self, taken: int, *, voiced: bool) -> TurnSteps:
        tape = self._tape
        if voiced and not self._is_listening:
            self._is_listening = True
            onset = tape.now - taken
            tape.forget_before(max(onset - tape.samples(PRE_ROLL_S), self._window_from))
            self._listen_at = onset + tape.samples(_FIRST_WORDS_S)
        if self._is_listening:
            yield from self._listen_for_words()
        else:
            tape.forget_before(tape.now - tape.samples(PRE_ROLL_S))

    def _listen_for_words(self, *, is_last: bool = False) -> TurnSteps:
        tape = self._tape
        is_over = is_last or self._quiet >= tape.samples(_FALSE_START_S)
        if not is_over and tape.now < self._listen_at:
            return
        self._listen_at = tape.now + tape.samples(self.taking.decode_every_s)
        if self._is_stale:
            yield from self._decode(is_final=is_over)
        if self._open:
            yield self._event("StartOfTurn")
        elif is_over or tape.now - tape.held_from >= tape.samples(self.taking.longest_segment_s):
            self._is_listening = False

    def _follow(self) -> TurnSteps:
        tape = self._tape
        if not self._quiet:
            if tape.now - tape.held_from >= tape.samples(self.taking.longest_segment_s):
                yield from self._cut()
            return
        # The words decide how long a silence has to be: they have to be all words.
        if self._quiet >= tape.samples(_FIRST_WORDS_S) or self._next_event() is not None:
            yield from self._settle()
        due = self._next_event()
        if due is not None:
            yield self._event(*due)

    def _next_event(self) -> tuple[Event, Trigger | None] | None:
        taking, quiet_s = self.taking, self._quiet / self._tape.rate
        if self._confidence() >= taking.eot_threshold:
            return "EndOfTurn", "model"
        if quiet_s >= taking.eot_timeout_s:
            return "EndOfTurn", "timeout"
        eager = taking.eager_eot_threshold
        if eager is None or self._state is TurnState.EAGER or self._confidence() < eager:
            return None
        return "EagerEndOfTurn", None

    def _update(self) -> TurnSteps:
        asked_s = (self._tape.now - self._decoded_at) / self._tape.rate
        is_due = asked_s >= self.taking.decode_every_s
        if self._state is TurnState.SPEAKING and self._is_stale and is_due:
            yield from self._decode(is_final=False)
        yield self._event("Update")

    # Words.

    def _decode(self, *, is_final: bool) -> TurnSteps:
        heard = yield Decode(self._tape.audio(), is_final)
        if heard is None:
            return
        self._decoded_at = self._tape.now
        self._is_stale = self._quiet == 0
        # A turn that has words does not lose them all again.
        self._open = self._tape.place(heard) or self._open

    def _settle(self) -> TurnSteps:
        """Make sure that all words of the turn are known, unless they must not change."""
        if self._is_stale and self._state is TurnState.SPEAKING:
            yield from self._decode(is_final=True)

    def _cut(self) -> TurnSteps:
        """Put aside what is certain of a long turn: up to its widest late pause."""
        yield from self._decode(is_final=True)
        after = widest_late_pause(self._open)
        if after is None:
            end, certain = self._tape.now, len(self._open)
        else:
            end = self._tape.samples((self._open[after].end + self._open[after + 1].start) / 2)
            certain = after + 1
        self._settled += self._open[:certain]
        self._open = self._open[certain:]
        self._tape.forget_before(min(max(end, self._tape.held_from + 1), self._tape.now))

    # Turns.

    def _event(self, event: Event, trigger: Trigger | None = None) -> Turn:
        tape = self._tape
        self._update_due = tape.now + tape.samples(self.taking.update_every_s)
        turn = Turn(
            event,
            self._index,
            round(self._window_from / tape.rate, 6),
            round(tape.now_s, 6),
            self._words(),
            round(self._confidence(), 4),
            trigger,
        )
        self._state = TURNS[self._state, event]
        if event == "EndOfTurn":
            self._index += 1
            self._window_from = tape.now
            self._settled = self._open = ()
            self._is_listening = self._is_stale = False
            tape.forget_before(tape.now)
        return turn

    def _words(self) -> tuple[RecognizedWord, ...]:
        return self._settled + self._open

    def _confidence(self) -> float:
        if self._state is TurnState.IDLE:
            return 0.0
        return end_of_turn_confidence(self._words(), self._quiet / self._tape.rate)
