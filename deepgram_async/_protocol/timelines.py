"""One clock for all connections of a stream: when things were said, and what is settled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec.structs import replace

from deepgram_async._protocol.query import option_names
from deepgram_async._protocol.shifts import Shift, rounded
from deepgram_async.models import flux, live
from deepgram_async.models.common import Alternative, Entity, Hit, Search, Word
from deepgram_async.models.flux import FluxEvent, TurnInfo
from deepgram_async.models.live import ListenEvent, Metadata, Results, SpeechStarted, UtteranceEnd
from deepgram_async.options import LiveOptions

__all__ = ["CONFIGURE", "FluxTimeline", "ListenTimeline", "Timeline"]

E = TypeVar("E")

CONFIGURE: Final = '{"type":"Configure"'
"""How a message begins that changes the configuration."""
_FINALIZE: Final = '{"type":"Finalize"'
_FORCE_END_TURN: Final = '{"type":"ForceEndTurn"'

# Less than the shortest word, more than a rounding error.
_TOLERANCE_S: Final = 0.005
# Flux may need this long to notice that somebody speaks: audio younger than that is not silence.
_ONSET_S: Final = 2.0


class Timeline(ABC, Generic[E]):
    """Puts the messages of every connection on the clock of the stream.

    The clock of each connection begins at 0, so a time on it is moved by where in the stream the
    connection began, and by the audio of the stream that it was never sent. What lies before the
    audio that earlier connections settled is taken away.
    """

    covered_s: float
    """Time up to which everything is settled."""

    def __init__(self) -> None:
        self.covered_s = 0.0
        self._shift = Shift()

    def restart(self, offset_s: float) -> None:
        """Begin a connection whose clock starts at a time of the stream."""
        self._shift = Shift(offset_s)

    def leave_out(self, begin_s: float, end_s: float) -> None:
        """Take that the connection never gets the audio between two times of the stream."""
        self._shift.leave_out(begin_s, end_s)

    @abstractmethod
    def place(self, event: E) -> E | None:
        """Return a message with the times of the stream; ``None`` if all of it is known."""

    @staticmethod
    @abstractmethod
    def is_progress(event: E) -> bool:
        """Return whether the service has heard audio, so that a connection was worth it."""

    @staticmethod
    @abstractmethod
    def has_text(event: E) -> bool:
        """Return whether there are words in an event."""

    @staticmethod
    @abstractmethod
    def answers(event: E, frame: str) -> bool:
        """Return whether an event does what a message of the client asked for."""

    @staticmethod
    @abstractmethod
    def options_of(event: E, frame: str) -> Mapping[str, object]:
        """Return the options that are in force after a ``Configure`` and its answer."""


class ListenTimeline(Timeline[ListenEvent]):
    """The clock of a live transcription; its channels are settled each on its own."""

    def __init__(self) -> None:
        super().__init__()
        self._covered: list[float] = []
        self._known: list[float] = []
        """Per channel, what earlier connections settled."""

    def restart(self, offset_s: float) -> None:
        super().restart(offset_s)
        # Audio that was dropped is settled too: nobody will ever hear it.
        self._covered = [max(offset_s, covered) for covered in self._covered]
        self.covered_s = max(offset_s, self.covered_s)
        self._known = list(self._covered)

    def place(self, event: ListenEvent) -> ListenEvent | None:
        if type(event) is Results:
            return self._placed(event)
        shift = self._shift
        if shift:
            if isinstance(event, SpeechStarted):
                return replace(event, timestamp=shift.begin(event.timestamp))
            # A negative time says that there was no word.
            if isinstance(event, UtteranceEnd) and event.last_word_end >= 0:
                return replace(event, last_word_end=shift.end(event.last_word_end))
            if isinstance(event, Metadata):
                return replace(event, duration=shift.end(event.duration))
        return event

    def _placed(self, result: Results) -> Results | None:
        channel = result.channel_index[0] if result.channel_index else 0
        if self._shift:
            result = _moved_result(result, self._shift)
        if channel < len(self._known):
            known_s = self._known[channel]
            if result.start < known_s - _TOLERANCE_S:
                if result.end <= known_s + _TOLERANCE_S:
                    return None
                result = _without_known(result, known_s)
        if result.is_final:
            self._settle(result, channel)
        return result

    def _settle(self, result: Results, channel: int) -> None:
        channels = result.channel_index[1] if len(result.channel_index) > 1 else 1
        missing = max(channels, channel + 1) - len(self._covered)
        if missing > 0:
            self._covered.extend([self.covered_s] * missing)
        self._covered[channel] = max(self._covered[channel], result.end)
        self.covered_s = min(self._covered)

    @staticmethod
    def is_progress(event: ListenEvent) -> bool:
        return type(event) is Results

    @staticmethod
    def has_text(event: ListenEvent) -> bool:
        return type(event) is Results and bool(event.transcript)

    @staticmethod
    def answers(event: ListenEvent, frame: str) -> bool:
        if isinstance(event, Results):
            return event.from_finalize and frame.startswith(_FINALIZE)
        if isinstance(event, live.ConfigureSuccess | live.ConfigureFailure):
            return frame.startswith(CONFIGURE)
        return isinstance(event, live.Error) and event.message == frame

    @staticmethod
    def options_of(event: ListenEvent, frame: str) -> Mapping[str, object]:
        if not isinstance(event, live.ConfigureSuccess):
            return {}
        change: dict[str, Any] = msgspec.json.decode(frame)
        features: dict[str, object] = change.get("features") or {}
        # A feature without an option of its name can be had by another Configure only.
        options = {name: on for name, on in features.items() if name in option_names(LiveOptions)}
        if "keyterms" in change:
            options["keyterm"] = change["keyterms"] or None
        return options


class FluxTimeline(Timeline[FluxEvent]):
    """The clock of a conversation with Flux, and the numbers of its turns."""

    def __init__(self) -> None:
        super().__init__()
        self._ended_turns = 0
        self._first_turn = 0
        self._speaks = False

    def restart(self, offset_s: float) -> None:
        super().restart(offset_s)
        self.covered_s = max(offset_s, self.covered_s)
        # A turn that was under way begins anew under its number.
        self._first_turn = self._ended_turns
        self._speaks = False

    def place(self, event: FluxEvent) -> FluxEvent | None:
        if not isinstance(event, TurnInfo):
            return event
        if self._shift or self._first_turn:
            event = _moved_turn(event, self._shift, self._first_turn)
        if event.event == "EndOfTurn":
            self._speaks = False
            self._ended_turns = event.turn_index + 1
            self.covered_s = max(self.covered_s, event.audio_window_end)
        elif event.event != "Update" or event.transcript:
            self._speaks = True
        elif not self._speaks:
            self.covered_s = max(self.covered_s, event.audio_window_end - _ONSET_S)
        return event

    @staticmethod
    def is_progress(event: FluxEvent) -> bool:
        return isinstance(event, TurnInfo)

    @staticmethod
    def has_text(event: FluxEvent) -> bool:
        return isinstance(event, TurnInfo) and bool(event.transcript)

    @staticmethod
    def answers(event: FluxEvent, frame: str) -> bool:
        if isinstance(event, TurnInfo):
            return event.trigger == "manual" and frame.startswith(_FORCE_END_TURN)
        if isinstance(event, flux.Warning):
            return event.code == "FORCE_END_TURN_NO_ACTIVE_TURN" and frame.startswith(
                _FORCE_END_TURN
            )
        is_verdict = isinstance(event, flux.ConfigureSuccess | flux.ConfigureFailure)
        return is_verdict and frame.startswith(CONFIGURE)

    @staticmethod
    def options_of(event: FluxEvent, frame: str) -> Mapping[str, object]:
        if not isinstance(event, flux.ConfigureSuccess):
            return {}
        change: dict[str, Any] = msgspec.json.decode(frame)
        options: dict[str, object] = dict(change.get("thresholds") or {})
        if "numerals" in change:
            options["numerals"] = change["numerals"]
        for sent, option in (("keyterms", "keyterm"), ("language_hints", "language_hint")):
            if sent in change:
                options[option] = change[sent] or None
        return options


def _moved_result(result: Results, shift: Shift) -> Results:
    alternatives = [
        replace(alternative, words=[_moved_word(word, shift) for word in alternative.words])
        for alternative in result.channel.alternatives
    ]
    search = _moved_search(result.channel.search, shift)
    channel = replace(result.channel, alternatives=alternatives, search=search)
    start, end = shift.span(result.start, result.end)
    return replace(result, start=start, duration=rounded(end - start), channel=channel)


def _moved_word(word: Word, shift: Shift) -> Word:
    start, end = shift.span(word.start, word.end)
    return replace(word, start=start, end=end)


def _moved_search(search: list[Search] | None, shift: Shift) -> list[Search] | None:
    if search is None:
        return None
    return [
        replace(phrase, hits=[_moved_hit(hit, shift) for hit in phrase.hits]) for phrase in search
    ]


def _moved_hit(hit: Hit, shift: Shift) -> Hit:
    start, end = shift.span(hit.start, hit.end)
    return replace(hit, start=start, end=end)


def _moved_turn(turn: TurnInfo, shift: Shift, first_turn: int) -> TurnInfo:
    words = [
        replace(
            word,
            start=None if word.start is None else shift.begin(word.start),
            end=None if word.end is None else shift.end(word.end),
        )
        for word in turn.words
    ]
    start, end = shift.span(turn.audio_window_start, turn.audio_window_end)
    return replace(
        turn,
        turn_index=turn.turn_index + first_turn,
        audio_window_start=start,
        audio_window_end=end,
        words=words,
    )


def _without_known(result: Results, known_s: float) -> Results:
    """Return a result without the words before a time; it begins there."""
    known_words = sum(_middle(word) < known_s for word in result.words)
    alternatives: list[Alternative] = []
    for alternative in result.channel.alternatives:
        words = [word for word in alternative.words if _middle(word) >= known_s]
        is_whole = len(words) == len(alternative.words)
        text = alternative.transcript if is_whole else _text(words)
        alternatives.append(replace(alternative, words=words, transcript=text))
    return replace(
        result,
        start=known_s,
        duration=rounded(result.end - known_s),
        channel=replace(result.channel, alternatives=alternatives),
        entities=_entities_after(known_words, result.entities),
    )


def _entities_after(words: int, entities: list[Entity] | None) -> list[Entity] | None:
    if entities is None:
        return None
    return [
        replace(entity, start_word=entity.start_word - words, end_word=entity.end_word - words)
        for entity in entities
        if entity.start_word >= words
    ]


def _middle(word: Word) -> float:
    return (word.start + word.end) / 2


def _text(words: list[Word]) -> str:
    return " ".join(word.punctuated_word or word.word for word in words)
