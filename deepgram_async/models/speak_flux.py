"""Messages of text to speech with Flux voices (the `/v2/speak` socket).

Each connection begins with `Connected`. Every turn is a `SpeechStarted`, binary frames of audio,
which arrive as ``bytes``, and a `SpeechMetadata`; the last message of all is `SessionMetadata`.
"""

from typing import Literal, TypeAlias

from msgspec import field

from deepgram_async.models._base import Model
from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Unknown

__all__ = [
    "AppliedSettings",
    "ConfigureFailure",
    "ConfigureSuccess",
    "Connected",
    "ControlsApplied",
    "Error",
    "Flushed",
    "FluxSpeakEvent",
    "FluxSpeakMessage",
    "InterruptedSpeech",
    "SessionMetadata",
    "SpeechInterrupted",
    "SpeechMetadata",
    "SpeechStarted",
    "Warning",
]


class _Message(Model, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """A message whose field ``type`` is the name of its class."""


class Connected(_Message, frozen=True, kw_only=True, gc=False):
    """The request and the voice, sent once per connection, before everything else.

    Attributes:
        model_name: The voice.
        model_uuids: Several when several models speak.
    """

    request_id: str
    model_name: str | None = None
    model_version: str | None = None
    model_uuids: list[str] = field(default_factory=list[str])


class SpeechStarted(_Message, frozen=True, kw_only=True, gc=False):
    """The audio of a turn begins."""

    speech_id: str


class Flushed(_Message, frozen=True, kw_only=True, gc=False):
    """The text of a turn has been taken up to its end.

    It may arrive after the `SpeechMetadata` of the turn, which is the end of its audio.
    """

    speech_id: str | None = None


class ControlsApplied(Model, frozen=True, kw_only=True, gc=False):
    """How many pronunciations and pauses given in the text took effect."""

    pronunciations_applied: float | None = None
    breaks_applied: float | None = None
    pronunciation_warnings: float | None = None


class InterruptedSpeech(Model, frozen=True, kw_only=True, gc=False):
    """The account of a turn that was interrupted."""

    speech_id: str | None = None
    audio_duration_ms: float | None = None
    input_character_count: float | None = None
    billable_character_count: float | None = None
    controls_applied: ControlsApplied | None = None


class SpeechMetadata(_Message, frozen=True, kw_only=True, gc=False):
    """The account of a turn, and its end: all its audio has been sent.

    Attributes:
        audio_duration_ms: Length of the audio.
        input_character_count: Characters as they were sent.
        billable_character_count: Characters without inline controls.
    """

    speech_id: str
    audio_duration_ms: float | None = None
    input_character_count: float | None = None
    billable_character_count: float | None = None
    controls_applied: ControlsApplied | None = None


class SpeechInterrupted(_Message, frozen=True, kw_only=True, gc=False):
    """A turn ended early, because of an interruption; no more of its audio follows.

    Attributes:
        audio_played_ms: How much of it the listener heard, by the offset that was told.
        text_spoken: What the listener heard; only when an offset was told.
        text_remaining: What was not heard any more; only when an offset was told.
        metadata: The account of the turn.
    """

    audio_played_ms: float | None = None
    text_spoken: str | None = None
    text_remaining: str | None = None
    metadata: InterruptedSpeech | None = None


class AppliedSettings(Model, frozen=True, kw_only=True, gc=False):
    """The settings now in force."""

    speed: float | None = None


class ConfigureSuccess(_Message, frozen=True, kw_only=True, gc=False):
    """The service took over a change of the settings."""

    applied: AppliedSettings | None = None


class ConfigureFailure(_Message, frozen=True, kw_only=True, gc=False):
    """The service refused a change of the settings; the stream goes on unchanged.

    Attributes:
        code: The reason, for programs.
        field: The setting that was refused.
        value: What was asked for.
        description: The reason, for people.
    """

    code: (
        Literal[
            "SPEED_OUT_OF_RANGE",
            "SPEED_INCREMENT_INVALID",
            "SPEED_NOT_SUPPORTED",
            "CONTROL_COMBINATION_INVALID",
            "INTERNAL_ERROR",
        ]
        | str
    )
    field: Literal["speed"] | str | None = None
    value: float | None = None
    description: str | None = None


class Warning(_Message, frozen=True, kw_only=True, gc=False):  # noqa: A001 - the name on the wire
    """Something was not done as asked; the stream goes on.

    Attributes:
        code: The reason, for programs.
        description: The reason, for people.
    """

    code: (
        Literal[
            "NO_ACTIVE_SPEECH",
            "NO_SYNTHESIZABLE_TEXT",
            "SYNTHESIS_RETRYING",
            "PRONUNCIATION_WARNINGS",
            "PRONUNCIATION_TOO_LONG",
            "PRONUNCIATIONS_LIMIT_EXCEEDED",
            "INPUT_MARKUP_STRIPPED",
            "NO_AUDIO_GENERATED",
            "INTERRUPT_IN_PROGRESS",
            "INVALID_INTERRUPT_OFFSET",
        ]
        | str
    )
    description: str | None = None


class Error(_Message, frozen=True, kw_only=True, gc=False):
    """The service cannot go on; it closes the stream after this.

    Attributes:
        code: The reason, for programs.
        description: The reason, for people.
    """

    code: (
        Literal[
            "MESSAGE-0000",
            "DATA-0000",
            "DATA-0002",
            "BIG-0000",
            "NET-0000",
            "NET-0001",
            "NET-0002",
            "NET-0003",
            "NET-0004",
        ]
        | str
    )
    description: str | None = None


class SessionMetadata(_Message, frozen=True, kw_only=True, gc=False):
    """The account of the whole stream, sent last."""

    total_audio_duration_ms: float | None = None
    total_input_character_count: float | None = None
    total_billable_character_count: float | None = None


FluxSpeakMessage: TypeAlias = (
    Connected
    | SpeechStarted
    | Flushed
    | SpeechMetadata
    | SpeechInterrupted
    | ConfigureSuccess
    | ConfigureFailure
    | Warning
    | Error
    | SessionMetadata
)
"""Every message that this release knows, told apart by the field ``type`` when decoding."""

FluxSpeakEvent: TypeAlias = (
    bytes | FluxSpeakMessage | Unknown | Malformed | Reconnecting | Reconnected
)
"""Everything that iterating over a stream of Flux speech can yield; ``bytes`` are audio."""
