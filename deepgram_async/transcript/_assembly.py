"""From the events of a stream to words that are settled, and those that may still change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

import msgspec

from deepgram_async.models.events import Reconnected
from deepgram_async.models.flux import FluxEvent, TurnInfo
from deepgram_async.models.live import ListenEvent, Results, UtteranceEnd
from deepgram_async.transcript._transcript import AudioGap
from deepgram_async.transcript._words import (
    Utterance,
    Word,
    by_speaker,
    spoken_words,
    turn_words,
)

__all__ = ["Assembly", "FinalWords", "InterimWords", "TranscriptChange", "TranscriptEvent"]

TranscriptEvent: TypeAlias = ListenEvent | FluxEvent
"""An event of a live transcription or of a conversation with Flux."""

# Less than the shortest word, more than a rounding error.
_TOLERANCE_S: Final = 0.01
# Flux may need this long to notice that somebody speaks: audio younger than that is not silence.
_ONSET_S: Final = 2.0


class FinalWords(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Words that are settled: they will not change, and come once.

    Attributes:
        channel: Number of the channel, counted from 0.
        words: At least one.
    """

    channel: int
    words: tuple[Word, ...]


class InterimWords(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What follows the settled words of a channel, as it is heard now.

    It replaces the interim words of the channel that came before.

    Attributes:
        channel: Number of the channel, counted from 0.
        words: Empty when nothing is open any more.
        has_perhaps_ended: Whether Flux takes the turn for finished, subject to change
            (``EagerEndOfTurn``).
    """

    channel: int
    words: tuple[Word, ...]
    has_perhaps_ended: bool = False


TranscriptChange: TypeAlias = FinalWords | InterimWords | Utterance | AudioGap
"""What an event changes in a transcript.

An `Utterance` follows the last of its `FinalWords`; it repeats their words as a whole.
"""


class Assembly:
    """Settles the words of all channels of a stream, each of them once.

    It holds the interim words and the utterances that are open, and nothing of what came before.

    Args:
        makes_utterances: Whether utterances are wanted; one that never ends would grow for ever.
    """

    def __init__(self, *, makes_utterances: bool = True) -> None:
        self.channels: dict[int, ChannelAssembly] = {}
        self.channel_count = 1
        self._makes_utterances = makes_utterances
        self._turn_index: int | None = None

    def add(self, event: TranscriptEvent) -> Iterator[TranscriptChange]:
        """Yield what an event changes; it takes effect as it is iterated over."""
        match event:
            case Results():
                channel, count = _channel_of(event.channel_index)
                self.channel_count = max(self.channel_count, count)
                yield from self._channel(channel).hear(event)
            case UtteranceEnd():
                channel, _ = _channel_of(event.channel)
                yield from self._channel(channel).end_utterance_at(event.last_word_end)
            case TurnInfo():
                if self._turn_index is not None and event.turn_index > self._turn_index:
                    yield from self._channel(0).finish()
                self._turn_index = event.turn_index
                yield from self._channel(0).hear_turn(event)
            case Reconnected() if event.dropped_s > 0:
                yield from self._skip(event.dropped_s)
            case _:
                pass

    def finish(self) -> Iterator[TranscriptChange]:
        """Settle what is left, at the end of the stream, as it stands."""
        for _, channel in sorted(self.channels.items()):
            yield from channel.finish()

    def _channel(self, number: int) -> ChannelAssembly:
        if number not in self.channels:
            self.channels[number] = ChannelAssembly(number, makes_utterances=self._makes_utterances)
        return self.channels[number]

    def _skip(self, seconds: float) -> Iterator[TranscriptChange]:
        """Pass over audio that was lost behind what is settled."""
        start = min((channel.settled_s for channel in self.channels.values()), default=0.0)
        for _, channel in sorted(self.channels.items()):
            yield from channel.skip_to(start + seconds)
            yield from channel.end_utterance()
        yield AudioGap(start=start, duration=seconds)


class ChannelAssembly:
    """One channel: what is settled ends at `settled_s`, and the interim words follow."""

    def __init__(self, number: int, *, makes_utterances: bool) -> None:
        self.settled_s = 0.0
        self.interim: tuple[Word, ...] = ()
        self.open: list[Word] = []
        """The settled words of the utterance that has not ended."""
        self._number = number
        self._makes_utterances = makes_utterances
        self._has_perhaps_ended = False
        self._last: Word | None = None
        self._ends_at: float | None = None

    def hear(self, result: Results) -> Iterator[TranscriptChange]:
        """Yield what a result changes."""
        if not result.is_final and result.end <= self.settled_s:
            return  # it was overtaken by the final one
        if result.start > self.settled_s + _TOLERANCE_S:
            yield from self.skip_to(result.start)
        words = spoken_words(
            result.transcript,
            result.words,
            start=result.start,
            end=result.end,
            channel=self._number,
            confidence=result.confidence,
        )
        if result.start < self.settled_s - _TOLERANCE_S:
            words = [word for word in words if not self._is_known(word)]
        if not result.is_final:
            yield from self._show(words)
            return
        # A final result may end before the last interim one did.
        rest = [word for word in self.interim if _middle(word) >= result.end]
        yield from self._settle(words, result.end)
        yield from self._show(rest)
        if result.speech_final:
            yield from self.end_utterance()
        elif self._ends_at is not None:
            yield from self.end_utterance_at(self._ends_at)

    def hear_turn(self, turn: TurnInfo) -> Iterator[TranscriptChange]:
        """Yield what a message about a turn changes."""
        words = turn_words(turn)
        if turn.event == "EndOfTurn":
            yield from self._settle(words, turn.audio_window_end)
            yield from self._show(())
            yield from self.end_utterance()
            return
        if not words:
            self.settled_s = max(self.settled_s, turn.audio_window_end - _ONSET_S)
        is_eager = turn.event == "EagerEndOfTurn"
        stays_eager = self._has_perhaps_ended and turn.event == "Update"
        yield from self._show(words, has_perhaps_ended=is_eager or stays_eager)

    def skip_to(self, time: float) -> Iterator[TranscriptChange]:
        """Settle the interim words before a time: no final result will come for them."""
        count = _count_before(self.interim, time)
        before, rest = self.interim[:count], self.interim[count:]
        yield from self._settle(before, time)
        yield from self._show(rest)

    def end_utterance_at(self, time: float) -> Iterator[TranscriptChange]:
        """End the utterance after the last word that ends at a time, once that word is settled.

        Words of the next one may have come already. A negative time says nothing.
        """
        if time < 0:
            yield from self.end_utterance()
            return
        if self.settled_s < time - _TOLERANCE_S:
            self._ends_at = time
            return
        self._ends_at = None
        count = _count_before(self.open, time)
        ended, self.open = self.open[:count], self.open[count:]
        yield from by_speaker(ended, Utterance.of)

    def end_utterance(self) -> Iterator[TranscriptChange]:
        """End the utterance after its last settled word."""
        self._ends_at = None
        ended, self.open = self.open, []
        yield from by_speaker(ended, Utterance.of)

    def finish(self) -> Iterator[TranscriptChange]:
        """Settle what is left."""
        interim = self.interim
        yield from self._settle(interim, max((word.end for word in interim), default=0.0))
        yield from self._show(())
        yield from self.end_utterance()

    def _settle(self, words: Sequence[Word], end: float) -> Iterator[FinalWords]:
        self.settled_s = max(self.settled_s, end)
        if words:
            self._last = words[-1]
            if self._makes_utterances:
                self.open += words
            yield FinalWords(channel=self._number, words=tuple(words))

    def _show(
        self, words: Iterable[Word], *, has_perhaps_ended: bool = False
    ) -> Iterator[InterimWords]:
        shown = tuple(words)
        if shown != self.interim or has_perhaps_ended != self._has_perhaps_ended:
            self.interim, self._has_perhaps_ended = shown, has_perhaps_ended
            yield InterimWords(
                channel=self._number, words=shown, has_perhaps_ended=has_perhaps_ended
            )

    def _is_known(self, word: Word) -> bool:
        """Tell whether a word was settled before, perhaps cut off at the end of its slice."""
        if _middle(word) < self.settled_s:
            return True
        last = self._last
        return (
            last is not None
            and word.start < last.end - _TOLERANCE_S
            and word.text.casefold() == last.text.casefold()
        )


def _channel_of(index: Sequence[int]) -> tuple[int, int]:
    """Return number and count of the channels, tolerating a message that leaves them out."""
    number = index[0] if index else 0
    return number, max(number + 1, index[-1] if len(index) > 1 else 1)


def _count_before(words: Sequence[Word], time: float) -> int:
    """Return how many of the first words lie before a time."""
    return next((number for number, word in enumerate(words) if _middle(word) >= time), len(words))


def _middle(word: Word) -> float:
    return (word.start + word.end) / 2
