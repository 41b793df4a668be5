"""Text to speech with Aura voices: what is known of an answer, and messages of `/v1/speak`.

Each connection begins with `Metadata`. Then come binary frames of audio, which arrive as ``bytes``,
and a `Flushed` behind the audio of every flush:

    match event:
        case bytes():
            player.write(event)
        case Flushed():
            ...
"""

from typing import TypeAlias

from msgspec import field

from deepgram_async.models._base import Model
from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Unknown

__all__ = [
    "Cleared",
    "Error",
    "Flushed",
    "Metadata",
    "SpeakEvent",
    "SpeakMessage",
    "SpeechInfo",
    "Warning",
]


class SpeechInfo(Model, frozen=True, kw_only=True, gc=False):
    """What the headers of a spoken answer tell; of `/v1/speak` and `/v2/speak` alike.

    Attributes:
        content_type: Media type of the audio, such as ``"audio/mpeg"``.
        request_id: The id that Deepgram's support asks for.
        model_name: The voice.
        additional_model_uuids: Empty unless several models spoke.
        characters: How many characters were counted.
        project_id: The project that pays.
        pronunciations_applied: How many pronunciations given in the text were used.
        breaks_applied: How many pauses given in the text were made.
        pronunciation_warnings: How many pronunciations were not usable.
        warnings: Codes such as ``PRON-001``; empty when all is well.
        date: Time of the answer, as in the header.
        transfer_encoding: ``"chunked"`` for audio that was sent while it was made.
    """

    content_type: str | None = None
    request_id: str | None = None
    model_name: str | None = None
    model_uuid: str | None = None
    additional_model_uuids: list[str] = field(default_factory=list[str])
    characters: int | None = None
    project_id: str | None = None
    pronunciations_applied: int | None = None
    breaks_applied: int | None = None
    pronunciation_warnings: int | None = None
    warnings: list[str] = field(default_factory=list[str])
    date: str | None = None
    transfer_encoding: str | None = None


class _Message(Model, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """A message whose field ``type`` is the name of its class."""


class Metadata(_Message, frozen=True, kw_only=True, gc=False):
    """The request and the voice, sent once per connection, before everything else.

    Attributes:
        model_name: The voice.
        additional_model_uuids: Only when several models speak.
    """

    request_id: str
    model_name: str | None = None
    model_version: str | None = None
    model_uuid: str | None = None
    additional_model_uuids: list[str] | None = None


class Flushed(_Message, frozen=True, kw_only=True, gc=False):
    """All audio for the text before a flush has been sent.

    Attributes:
        sequence_id: Number of the confirmation on the present connection; what is counted is not
            documented.
    """

    sequence_id: float | None = None


class Cleared(_Message, frozen=True, kw_only=True, gc=False):
    """The text that was waiting is dropped, and no more audio for it follows.

    Attributes:
        sequence_id: Number of the confirmation on the present connection; what is counted is not
            documented.
    """

    sequence_id: float | None = None


class Warning(_Message, frozen=True, kw_only=True, gc=False):  # noqa: A001 - the name on the wire
    """Something was not done as asked, such as a flush beyond the limit; the stream goes on.

    Attributes:
        code: The reason, for programs.
        description: The reason, for people.
        warn_code: What older servers send instead of `code`.
        warn_msg: What older servers send instead of `description`.
    """

    code: str | None = None
    description: str | None = None
    warn_code: str | None = None
    warn_msg: str | None = None


class Error(_Message, frozen=True, kw_only=True, gc=False):
    """The service could not act on a message; it may close the stream after it.

    Attributes:
        description: What is wrong.
        message: More words about it.
        variant: Kind of error.
        code: The reason, for programs.
    """

    description: str | None = None
    message: str | None = None
    variant: str | None = None
    code: str | None = None


SpeakMessage: TypeAlias = Metadata | Flushed | Cleared | Warning | Error
"""Every message that this release knows, told apart by the field ``type`` when decoding."""

SpeakEvent: TypeAlias = bytes | SpeakMessage | Unknown | Malformed | Reconnecting | Reconnected
"""Everything that iterating over a speaking stream can yield; ``bytes`` are audio."""
