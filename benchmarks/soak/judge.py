"""Compares what a stream yielded with what was spoken: the undisturbed run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, Generic, NamedTuple, TypeVar

from benchmarks.soak.speech import Speech
from deepgram_async import Reconnected, Reconnecting, Results, TurnInfo
from deepgram_async.models.events import Malformed, Unknown
from deepgram_async.models.flux import FluxEvent
from deepgram_async.models.live import ListenEvent, Metadata, SpeechStarted, UtteranceEnd

__all__ = ["FluxJudge", "Judge", "ListenJudge", "Verdict"]

E = TypeVar("E")

# What ends of results may miss each other by: they come in milliseconds.
_ROUNDING_S: Final = 0.005
_MOST_COMPLAINTS: Final = 20


class Verdict(NamedTuple):
    """What was wrong, and what it took.

    Attributes:
        lost: Words that no final result had.
        repeated: Words that came again, or in the wrong order.
        largest_error_s: By how much a time missed the undisturbed run at most.
        complaints: Everything else that does not happen in an undisturbed run.
        reconnects: Connections that were replaced.
        attempts: Connections that were tried for that.
        replayed_s: Audio that was said again.
        dropped_s: Audio that was kept no more.
        longest_gap_s: Longest time without a connection.
    """

    lost: int
    repeated: int
    largest_error_s: float
    complaints: list[str]
    reconnects: int
    attempts: int
    replayed_s: float
    dropped_s: float
    longest_gap_s: float


class Judge(ABC, Generic[E]):
    """Sees all events of a stream and remembers no more than what comes next."""

    def __init__(self, speech: Speech) -> None:
        self.complaints: list[str] = []
        self._speech = speech
        self._next = [0] * speech.channels
        self._lost = self._repeated = self._reconnects = self._attempts = 0
        self._error_s = self._replayed_s = self._dropped_s = self._gap_s = 0.0

    @abstractmethod
    def see(self, event: E) -> None:
        """Take note of an event."""

    def complain(self, text: str) -> None:
        """Take note of what must not be."""
        if len(self.complaints) < _MOST_COMPLAINTS:
            self.complaints.append(text)

    def verdict(self) -> Verdict:
        """Return what is to be said of a stream that has ended."""
        for channel in range(self._speech.channels):
            self._expect(channel, self._speech.word_count)
        return Verdict(
            self._lost,
            self._repeated,
            self._error_s,
            self.complaints,
            self._reconnects,
            self._attempts,
            self._replayed_s,
            self._dropped_s,
            self._gap_s,
        )

    def _see_other(self, event: object) -> None:
        if isinstance(event, Reconnecting):
            self._attempts += 1
        elif isinstance(event, Reconnected):
            self._reconnects += 1
            self._replayed_s += event.replayed_s
            self._dropped_s += event.dropped_s
            self._gap_s = max(self._gap_s, event.gap_s)
        elif isinstance(event, Unknown | Malformed):
            self.complain(f"cannot be read: {event}")

    def _see_word(self, channel: int, text: str, start: float | None, end: float | None) -> None:
        number = int(text.rpartition("w")[2])
        if number < self._next[channel]:
            self._repeated += 1
            self.complain(f"repeated: {text} at {start}")
            return
        self._expect(channel, number)
        self._next[channel] = number + 1
        self._compare(start, self._speech.begin_of(number))
        self._compare(end, self._speech.end_of(number))

    def _compare(self, time_s: float | None, expected_s: float) -> None:
        if time_s is None:
            self.complain("a word without a time")
        else:
            self._error_s = max(self._error_s, abs(time_s - expected_s))

    def _expect(self, channel: int, number: int) -> None:
        for missing in range(self._next[channel], number):
            if not self._speech.is_silent(missing):
                self._lost += 1
                self.complain(f"lost: w{missing} of channel {channel}")


class ListenJudge(Judge[ListenEvent]):
    """For live transcriptions: finals come once, interim results after what is settled."""

    def __init__(self, speech: Speech) -> None:
        super().__init__(speech)
        self._settled_s = [0.0] * speech.channels
        self._is_over = False

    def see(self, event: ListenEvent) -> None:
        if self._is_over:
            self.complain(f"after the last message came {event}")
        if isinstance(event, Results):
            self._see_result(event)
        elif isinstance(event, UtteranceEnd):
            self._see_event(event.last_word_end, is_end=True)
        elif isinstance(event, SpeechStarted):
            self._see_event(event.timestamp, is_end=False)
        elif isinstance(event, Metadata):
            self._is_over = True
            self._compare(event.duration, self._speech.seconds)
        else:
            self._see_other(event)

    def verdict(self) -> Verdict:
        if not self._is_over:
            self.complain("there was no Metadata")
        return super().verdict()

    def _see_result(self, result: Results) -> None:
        channel = result.channel_index[0]
        if result.start < self._settled_s[channel] - _ROUNDING_S:
            self.complain(f"{result.start} is before {self._settled_s[channel]}, channel {channel}")
        if result.transcript != " ".join(word.word for word in result.words):
            self.complain(f"{result.transcript!r} are not the words of the result")
        if not result.is_final:
            return
        for word in result.words:
            self._see_word(channel, word.word, word.start, word.end)
        self._settled_s[channel] = max(result.end, self._settled_s[channel])

    def _see_event(self, time_s: float, *, is_end: bool) -> None:
        """See the end or the beginning of an utterance: only there does silence border on words."""
        speech, offset = self._speech, 0.8 if is_end else 0.2
        word = round(time_s / 0.1 - offset)
        self._compare(time_s, speech.end_of(word) if is_end else speech.begin_of(word))
        if speech.is_silent(word) or not speech.is_silent(word + (1 if is_end else -1)):
            self.complain(f"there is no {'end' if is_end else 'beginning'} at {time_s}")


class FluxJudge(Judge[FluxEvent]):
    """For conversations with Flux: turns end once each, under their numbers."""

    def __init__(self, speech: Speech) -> None:
        super().__init__(speech)
        self._turn_index = 0
        self._settled_s = 0.0

    def see(self, event: FluxEvent) -> None:
        if not isinstance(event, TurnInfo):
            self._see_other(event)
            return
        if event.turn_index != self._turn_index:
            self.complain(f"turn {event.turn_index} instead of {self._turn_index}")
        if event.audio_window_start < self._settled_s - _ROUNDING_S:
            self.complain(f"{event.audio_window_start} is before {self._settled_s}")
        if event.event != "EndOfTurn":
            return
        self._turn_index = event.turn_index + 1
        self._settled_s = event.audio_window_end
        if event.transcript != " ".join(word.word for word in event.words):
            self.complain(f"{event.transcript!r} are not the words of the turn")
        for word in event.words:
            self._see_word(0, word.word, word.start, word.end)
