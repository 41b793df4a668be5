"""Turns of Flux that reach back into what was settled before a connection began."""

from __future__ import annotations

from msgspec.structs import replace

from deepgram_async.models.flux import TurnInfo, Word

__all__ = ["HeardAgain"]


class HeardAgain:
    """Takes the words that are known already out of the turns of one connection.

    The turns that are left follow the same order as any other: the first message with a word that
    is new begins the turn, and a turn without one does not take place. Words without times, as
    older services send them, are taken for new.

    Attributes:
        known_s: Time of the stream up to which the words are known.
    """

    known_s: float

    def __init__(self, known_s: float) -> None:
        self.known_s = known_s
        self._has_begun = False
        self._has_draft = False

    def without_known(self, turn: TurnInfo) -> TurnInfo:
        """Return a message without the words that are known."""
        words = [word for word in turn.words if self._is_new(word)]
        is_whole = len(words) == len(turn.words)
        event = self._event(turn, has_words=bool(words or (is_whole and turn.transcript)))
        return replace(
            turn,
            event=event,
            words=words,
            transcript=turn.transcript if is_whole else " ".join(word.word for word in words),
            audio_window_start=self.known_s,
            audio_window_end=max(self.known_s, turn.audio_window_end),
            trigger=turn.trigger if event == "EndOfTurn" else None,
        )

    def _is_new(self, word: Word) -> bool:
        if word.start is None or word.end is None:
            return True
        return (word.start + word.end) / 2 >= self.known_s

    def _event(self, turn: TurnInfo, *, has_words: bool) -> str:
        event = turn.event
        if not has_words:
            return "Update"
        if event == "EndOfTurn":
            self._has_begun = self._has_draft = False
        elif not self._has_begun:
            self._has_begun = True
            return "StartOfTurn"
        elif event == "EagerEndOfTurn":
            self._has_draft = True
        elif event == "TurnResumed":
            if not self._has_draft:
                return "Update"
            self._has_draft = False
        return event
