"""The turns of a Flux stream: which event may follow which."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final

from deepgram_async.models.flux import FluxMessage, Irregularity, TurnInfo

__all__ = ["TURNS", "TurnState", "Turns"]


class TurnState(Enum):
    """Where a turn stands; the value is how a message calls it."""

    IDLE = "nobody speaks"
    SPEAKING = "somebody speaks"
    EAGER = "the turn has perhaps ended"


TURNS: Final[Mapping[tuple[TurnState, str], TurnState]] = {
    (TurnState.IDLE, "Update"): TurnState.IDLE,
    (TurnState.IDLE, "StartOfTurn"): TurnState.SPEAKING,
    (TurnState.SPEAKING, "Update"): TurnState.SPEAKING,
    (TurnState.SPEAKING, "EagerEndOfTurn"): TurnState.EAGER,
    (TurnState.SPEAKING, "EndOfTurn"): TurnState.IDLE,
    (TurnState.EAGER, "Update"): TurnState.EAGER,
    (TurnState.EAGER, "TurnResumed"): TurnState.SPEAKING,
    (TurnState.EAGER, "EndOfTurn"): TurnState.IDLE,
}
"""What may happen in which state, and the state after it (Deepgram docs, "Flux state machine")."""

# Where an event leads that came out of order, so that the next one is judged on its own.
_LEADS_TO: Final[Mapping[str, TurnState]] = {
    "StartOfTurn": TurnState.SPEAKING,
    "EagerEndOfTurn": TurnState.EAGER,
    "TurnResumed": TurnState.SPEAKING,
    "EndOfTurn": TurnState.IDLE,
}
_HAVE_WORDS: Final = frozenset({"StartOfTurn", "EagerEndOfTurn"})

# A service that breaks a rule breaks it with every message.
_KEPT: Final = 100


class Turns:
    """Follows the messages of a connection and notes what breaks their rules; refuses nothing."""

    state: TurnState
    irregularities: deque[Irregularity]
    """The last hundred."""

    def __init__(self) -> None:
        self.state = TurnState.IDLE
        self.irregularities = deque(maxlen=_KEPT)
        self._next_sequence_id = 0
        self._turn_index: int | None = None
        self._eager_transcript = ""

    def restart(self) -> None:
        """Follow another connection of the same stream: numbers and turns begin anew there."""
        self.state = TurnState.IDLE
        self._next_sequence_id = 0
        self._turn_index = None
        self._eager_transcript = ""

    def see(self, message: FluxMessage) -> None:
        """Take note of a message."""
        for rule in self._broken_rules(message):
            self.irregularities.append(Irregularity(sequence_id=message.sequence_id, rule=rule))
        self._next_sequence_id = message.sequence_id + 1
        if isinstance(message, TurnInfo):
            self._follow(message)

    def skip(self) -> None:
        """Take note of a message that could not be read: it had a number too."""
        self._next_sequence_id += 1

    def _broken_rules(self, message: FluxMessage) -> Iterator[str]:
        if message.sequence_id != self._next_sequence_id:
            yield f"messages are numbered without gaps; expected was {self._next_sequence_id}"
        if not isinstance(message, TurnInfo):
            return
        event = message.event
        is_known = event == "Update" or event in _LEADS_TO
        if is_known and (self.state, event) not in TURNS:
            yield f"{event} does not come while {self.state.value}"
        if event in _HAVE_WORDS and not message.transcript:
            yield f"{event} comes with a transcript"
        if self._turn_index is not None and message.turn_index != self._turn_index:
            yield f"turn_index rises by one after EndOfTurn; expected was {self._turn_index}"
        if (
            self.state is TurnState.EAGER
            and event in ("Update", "EndOfTurn")
            and message.transcript != self._eager_transcript
        ):
            yield "the transcript of an EagerEndOfTurn stays until TurnResumed"

    def _follow(self, turn: TurnInfo) -> None:
        self.state = _LEADS_TO.get(turn.event, self.state)
        self._turn_index = turn.turn_index + (turn.event == "EndOfTurn")
        if turn.event == "EagerEndOfTurn":
            self._eager_transcript = turn.transcript
