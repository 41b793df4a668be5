"""Messages of a live transcription (the `/v1/listen` socket).

A stream sends `Results` all the time, the other messages now and then, and `Metadata` last. What
arrives is matched by class:

    match event:
        case Results(is_final=True):
            print(event.transcript)
        case UtteranceEnd():
            print()
"""

from typing import Literal, TypeAlias

from msgspec import field

from deepgram_async.models._base import Model
from deepgram_async.models.common import (
    Alternative,
    DiarizeInfo,
    Entity,
    ModelInfo,
    Search,
    Word,
)
from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Stalled, Unknown

__all__ = [
    "Channel",
    "ConfigureFailure",
    "ConfigureSuccess",
    "Error",
    "ListenEvent",
    "ListenMessage",
    "Metadata",
    "Results",
    "ResultsMetadata",
    "SpeechStarted",
    "UtteranceEnd",
]


class _Message(Model, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """A message whose field ``type`` is the name of its class."""


class Results(_Message, frozen=True, kw_only=True, gc=False):
    """What was heard in a slice of the audio.

    Interim results (`is_final` false) of one slice share their `start` and grow until a final one
    settles the slice; the next slice starts where the final one ended, which may be earlier than
    the last interim one did. An utterance is the text of all final results up to and including the
    one with `speech_final`.

    Attributes:
        channel_index: Number of the channel, counted from 0, and the number of channels.
        start: Where the slice begins, in seconds of audio since the stream was opened.
        duration: Length of the slice in seconds.
        channel: What was heard.
        metadata: Request and model.
        is_final: Whether the text of this slice is settled.
        speech_final: Whether the speaker paused here, as far as ``endpointing`` can tell. Not every
            utterance ends with one.
        from_finalize: Whether a request to finalize is the reason for this result.
        entities: In final results with ``detect_entities``; empty when there are none.
    """

    channel_index: list[int]
    start: float
    duration: float
    channel: "Channel"
    metadata: "ResultsMetadata"
    is_final: bool = field(default_factory=bool)
    speech_final: bool = field(default_factory=bool)
    from_finalize: bool = field(default_factory=bool)
    entities: list[Entity] | None = None

    @property
    def transcript(self) -> str:
        """The text of the best alternative; empty for silence."""
        return self.channel.alternatives[0].transcript if self.channel.alternatives else ""

    @property
    def words(self) -> list[Word]:
        """The words of the best alternative; empty for silence."""
        return self.channel.alternatives[0].words if self.channel.alternatives else []

    @property
    def confidence(self) -> float:
        """The confidence of the best alternative; 0.0 for silence."""
        return self.channel.alternatives[0].confidence if self.channel.alternatives else 0.0

    @property
    def end(self) -> float:
        """Where the slice ends, in seconds of audio since the stream was opened."""
        return self.start + self.duration


class SpeechStarted(_Message, frozen=True, kw_only=True, gc=False):
    """Somebody began to speak. Sent with ``vad_events``, and paired with nothing.

    Attributes:
        channel: Number of the channel, counted from 0, and the number of channels.
        timestamp: Seconds of audio since the stream was opened.
    """

    channel: list[int]
    timestamp: float


class UtteranceEnd(_Message, frozen=True, kw_only=True, gc=False):
    """A gap of ``utterance_end_ms`` followed a word, whether or not there was a `speech_final`.

    It may arrive after results of the next utterance.

    Attributes:
        channel: Number of the channel, counted from 0, and the number of channels.
        last_word_end: Where the last word before the gap ended, in seconds of audio.
    """

    channel: list[int]
    last_word_end: float


class Metadata(_Message, frozen=True, kw_only=True, gc=False):
    """The account of the whole stream, sent once, after the last results.

    Attributes:
        sha256: Hash of the audio in hexadecimal digits, or the word ``incomplete``.
        created: ISO 8601 time, ending in ``Z`` or an offset, as sent.
        duration: Seconds of audio received.
        channels: Number of channels; 0 when no audio was received.
        models: Ids of the speech models; keys of `model_info`.
        extra: The pairs of the option ``extra``.
        transaction_key: The word ``deprecated``.
    """

    request_id: str
    sha256: str
    created: str
    duration: float
    channels: int
    models: list[str] | None = None
    model_info: dict[str, ModelInfo] | None = None
    diarize_info: DiarizeInfo | None = None
    tags: list[str] | None = None
    extra: dict[str, str] | None = None
    transaction_key: str | None = None


class ConfigureSuccess(_Message, frozen=True, kw_only=True, gc=False):
    """The service took over a change of the configuration.

    Attributes:
        keyterms: The list now in force, when it was replaced.
    """

    request_id: str
    keyterms: list[str] | None = None


class ConfigureFailure(_Message, frozen=True, kw_only=True, gc=False):
    """The service refused a change of the configuration; the stream goes on unchanged.

    Attributes:
        code: The reason, for programs.
        description: The reason, for people.
    """

    request_id: str
    code: (
        Literal[
            "CONFIGURE_KEYTERMS_NOT_SUPPORTED",
            "CONFIGURE_KEYTERM_LIMIT_EXCEEDED",
            "CONFIGURE_ALREADY_PENDING",
            "CONFIGURE_INTERNAL_ERROR",
        ]
        | str
    )
    description: str | None = None


class Error(_Message, frozen=True, kw_only=True, gc=False):
    """The service could not act on a message of the client; the stream is not necessarily over.

    Attributes:
        variant: Kind of error; ``"SchemaError"`` for a message it could not read.
        description: What is wrong.
        message: The text of the message it could not read.
        code: Sent by older servers.
    """

    variant: Literal["SchemaError"] | str | None = None
    description: str | None = None
    message: str | None = None
    code: str | None = None


class Channel(Model, frozen=True, kw_only=True, gc=False):
    """What was heard in one channel.

    Attributes:
        alternatives: The best one first.
        search: With ``search``, one per phrase.
    """

    alternatives: list[Alternative] = field(default_factory=list[Alternative])
    search: list[Search] | None = None


class ResultsMetadata(Model, frozen=True, kw_only=True, gc=False):
    """The request and the model that results belong to.

    Attributes:
        request_id: The same in all messages of a stream.
        extra: The pairs of the option ``extra``.
    """

    request_id: str
    model_uuid: str | None = None
    model_info: ModelInfo | None = None
    diarize_info: DiarizeInfo | None = None
    extra: dict[str, str] | None = None


ListenMessage: TypeAlias = (
    Results | SpeechStarted | UtteranceEnd | Metadata | ConfigureSuccess | ConfigureFailure | Error
)
"""Every message that this release knows, told apart by the field ``type`` when decoding."""

ListenEvent: TypeAlias = ListenMessage | Unknown | Malformed | Reconnecting | Reconnected | Stalled
"""Everything that iterating over a live transcription can yield."""
