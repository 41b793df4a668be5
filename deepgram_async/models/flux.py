"""Messages of a conversation with Flux (the `/v2/listen` socket).

Flux hears turns: what one speaker says until the other may answer. Every `TurnInfo` carries the
whole text of the current turn, and its `event` tells what happened:

    match event:
        case TurnInfo(event="StartOfTurn"):
            stop_speaking()
        case TurnInfo(event="EndOfTurn"):
            answer(event.transcript)

Each message has a `sequence_id`, counted from 0 over all messages of the connection.
"""

from typing import Literal, TypeAlias

from msgspec import field

from deepgram_async.models._base import Model
from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Stalled, Unknown

__all__ = [
    "ConfigureFailure",
    "ConfigureSuccess",
    "Connected",
    "Error",
    "FluxEvent",
    "FluxMessage",
    "Irregularity",
    "Thresholds",
    "TurnEvent",
    "TurnInfo",
    "TurnTrigger",
    "Warning",
    "Word",
]

TurnEvent: TypeAlias = (
    Literal["Update", "StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"] | str
)
"""What happened to a turn; an open set.

- ``Update``: more audio was heard, and nothing else happened; about four a second.
- ``StartOfTurn``: the speaker has begun; the text is never empty.
- ``EagerEndOfTurn``: the speaker has perhaps finished. Only with ``eager_eot_threshold``.
- ``TurnResumed``: the speaker had not finished; what was prepared is void.
- ``EndOfTurn``: the speaker has finished. The text is that of the ``EagerEndOfTurn`` before it, if
  the turn was not resumed since.
"""

TurnTrigger: TypeAlias = Literal["model", "manual", "timeout"] | str
"""Why a turn ended: the model was sure, `force_end_turn` asked for it, or nobody spoke for
``eot_timeout_ms``; an open set."""


class _Message(Model, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """A message whose field ``type`` is the name of its class."""


class Connected(_Message, frozen=True, kw_only=True, gc=False):
    """The service is ready; the first message of every stream."""

    request_id: str
    sequence_id: int


class TurnInfo(_Message, frozen=True, kw_only=True, gc=False):
    """The state of the current turn.

    Attributes:
        request_id: The same in all messages of a stream.
        sequence_id: Number of the message.
        event: What happened.
        turn_index: Number of the turn, counted from 0; it rises after each ``EndOfTurn``.
        audio_window_start: Where the audio begins that was read, in seconds.
        audio_window_end: Where it ends.
        transcript: What was said in this turn so far; empty before it starts.
        words: The words of the transcript.
        end_of_turn_confidence: How sure the model is that the speaker has finished, 0 to 1.
        trigger: Why the turn ended; in ``EndOfTurn`` only.
        languages: BCP-47 tags by number of words; ``flux-general-multi`` only.
        languages_hinted: The hints in force; ``flux-general-multi`` only.
    """

    request_id: str
    sequence_id: int
    event: TurnEvent
    turn_index: int
    audio_window_start: float
    audio_window_end: float
    transcript: str
    end_of_turn_confidence: float
    words: "list[Word]" = field(default_factory=list["Word"])
    trigger: TurnTrigger | None = None
    languages: list[str] | None = None
    languages_hinted: list[str] | None = None


class ConfigureSuccess(_Message, frozen=True, kw_only=True, gc=False):
    """The configuration was changed; the message has all of it as it is now.

    Attributes:
        thresholds: When turns end.
        keyterms: The words listened for; empty for none.
        language_hints: ``flux-general-multi`` only.
        numerals: Whether numbers are written as digits.
    """

    request_id: str
    sequence_id: int
    thresholds: "Thresholds"
    keyterms: list[str] = field(default_factory=list[str])
    language_hints: list[str] | None = None
    numerals: bool | None = None


class ConfigureFailure(_Message, frozen=True, kw_only=True, gc=False):
    """A change of the configuration was refused as a whole; the stream goes on as before.

    Attributes:
        code: The reason, for programs.
        description: The reason, for people.
    """

    request_id: str
    sequence_id: int
    code: Literal["INVALID_THRESHOLD"] | str | None = None
    description: str | None = None


class Warning(_Message, frozen=True, kw_only=True, gc=False):  # noqa: A001 - the name on the wire
    """Something that was asked for made no sense; the stream goes on.

    Attributes:
        code: The reason, for programs.
        description: The reason, for people.
    """

    request_id: str
    sequence_id: int
    code: Literal["FORCE_END_TURN_NO_ACTIVE_TURN"] | str
    description: str | None = None


class Error(_Message, frozen=True, kw_only=True, gc=False):
    """A fatal error: the service closes the stream next, and the iteration ends with an error.

    Attributes:
        code: The reason, for programs.
        description: The reason, for people.
    """

    sequence_id: int
    code: Literal["INTERNAL_SERVER_ERROR", "UNPARSABLE_CLIENT_MESSAGE"] | str
    description: str | None = None


class Word(Model, frozen=True, kw_only=True, gc=False):
    """One word of a turn.

    Attributes:
        word: The word as it stands in the transcript, with capital letters and punctuation.
        confidence: From 0 to 1.
        start: Seconds from the start of the audio; older servers do not tell.
        end: Seconds from the start of the audio; older servers do not tell.
    """

    word: str
    confidence: float
    start: float | None = None
    end: float | None = None


class Thresholds(Model, frozen=True, kw_only=True, gc=False):
    """When turns end; the options of the same names."""

    eager_eot_threshold: float | None = None
    eot_threshold: float | None = None
    eot_timeout_ms: float | None = None


class Irregularity(Model, frozen=True, kw_only=True, gc=False):
    """A message that is not what the documented order of messages allows at its place.

    Nothing is dropped or changed for it; it is for those who want to know.

    Attributes:
        sequence_id: Number of the message.
        rule: The rule that it does not keep, in words.
    """

    sequence_id: int
    rule: str


FluxMessage: TypeAlias = (
    Connected | TurnInfo | ConfigureSuccess | ConfigureFailure | Warning | Error
)
"""Every message that this release knows, told apart by the field ``type`` when decoding."""

FluxEvent: TypeAlias = FluxMessage | Unknown | Malformed | Reconnecting | Reconnected | Stalled
"""Everything that iterating over a Flux stream can yield."""
