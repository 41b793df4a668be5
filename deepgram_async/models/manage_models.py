"""Answers about the models of the service: for transcription, for speech, and for agents."""

from typing import Literal, TypeAlias

from deepgram_async.models._base import Answer, Model

__all__ = ["Provider", "SpeechModel", "SpeechModels", "ThinkModel", "ThinkModels", "VoiceMetadata"]

Provider: TypeAlias = (
    Literal["open_ai", "anthropic", "google", "groq", "aws_bedrock", "deepgram"] | str
)
"""Who runs a language model; an open set."""


class VoiceMetadata(Model, frozen=True, kw_only=True, gc=False):
    """How a voice sounds and what it suits.

    Attributes:
        color: Colour that stands for the voice.
        image: URL of a picture.
        sample: URL of a recording.
        tags: Such as ``"masculine"`` or ``"warm"``.
    """

    accent: str | None = None
    age: str | None = None
    color: str | None = None
    image: str | None = None
    sample: str | None = None
    tags: list[str] | None = None
    use_cases: list[str] | None = None


class SpeechModel(Answer, frozen=True, kw_only=True):
    """A model that transcribes, or a voice.

    Attributes:
        canonical_name: The name for the option ``model``.
        languages: BCP-47 tags.
        batch: Whether it transcribes recordings; ``None`` for a voice.
        streaming: Whether it transcribes live audio; ``None`` for a voice.
        formatted_output: Whether its text can be formatted; ``None`` for a voice.
        metadata: What is known of a voice; ``None`` for transcription.
    """

    name: str
    uuid: str
    canonical_name: str | None = None
    architecture: str | None = None
    languages: list[str] | None = None
    version: str | None = None
    batch: bool | None = None
    streaming: bool | None = None
    formatted_output: bool | None = None
    metadata: VoiceMetadata | None = None


class SpeechModels(Answer, frozen=True, kw_only=True):
    """The models that can be used.

    Attributes:
        stt: Those that transcribe.
        tts: The voices.
    """

    stt: list[SpeechModel]
    tts: list[SpeechModel]


class ThinkModel(Model, frozen=True, kw_only=True, gc=False):
    """A language model that an agent can think with."""

    id: str
    name: str
    provider: Provider


class ThinkModels(Answer, frozen=True, kw_only=True):
    """The language models that the service runs for agents."""

    models: list[ThinkModel]
