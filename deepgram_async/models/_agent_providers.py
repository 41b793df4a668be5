"""Providers of a voice agent: who listens, who thinks, who speaks."""

from typing import Literal, TypeAlias

from msgspec import field

from deepgram_async.models._base import Model
from deepgram_async.models.voices import AuraVoice, FluxVoice

__all__ = [
    "AnthropicThinkProvider",
    "AwsBedrockThinkProvider",
    "AwsCredentials",
    "AwsPollySpeakProvider",
    "CartesiaSpeakProvider",
    "CartesiaVoice",
    "DeepgramListenProviderV1",
    "DeepgramListenProviderV2",
    "DeepgramSpeakProvider",
    "DeepgramThinkProvider",
    "ElevenLabsSpeakProvider",
    "GoogleThinkProvider",
    "GroqThinkProvider",
    "ListenProvider",
    "OpenAiSpeakProvider",
    "OpenAiThinkProvider",
    "SpeakProvider",
    "ThinkProvider",
]

ReasoningMode: TypeAlias = Literal["none", "minimal", "low", "medium", "high"] | str


class AwsCredentials(Model, frozen=True, kw_only=True, gc=False):
    """Credentials for Amazon; `repr` shows kind and region only.

    Attributes:
        type: ``sts`` for short-lived ones, which need `session_token`; ``iam`` for lasting ones.
    """

    type: Literal["sts", "iam"] | str
    region: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return f"AwsCredentials(type={self.type!r}, region={self.region!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("type", self.type), ("region", self.region)]


class DeepgramListenProviderV1(
    Model, frozen=True, kw_only=True, gc=False, tag_field="version", tag="v1"
):
    """Deepgram's Nova models.

    Attributes:
        model: Such as ``nova-3``.
        language: Such as ``en``, or ``multi`` for several in one conversation.
        keyterms: Words to listen for.
        smart_format: Whether numbers, dates and the like are written in figures.
    """

    type: Literal["deepgram"] = field(default_factory=lambda: "deepgram")
    model: str | None = None
    language: str | None = None
    keyterms: list[str] | None = None
    smart_format: bool | None = None


class DeepgramListenProviderV2(
    Model, frozen=True, kw_only=True, gc=False, tag_field="version", tag="v2"
):
    """Deepgram's Flux models, which know when a turn is over.

    Attributes:
        model: Such as ``flux-general-en``.
        language_hints: Languages to expect; with ``flux-general-multi`` only.
        eot_threshold: Certainty that ends a turn, from 0.5 to 0.9.
        eager_eot_threshold: Certainty that lets the agent think ahead, from 0.3 to 0.9.
        eot_timeout_ms: Silence that ends a turn in any case.
        keyterms: Words to listen for.
    """

    model: Literal["flux-general-en", "flux-general-multi"] | str
    type: Literal["deepgram"] = field(default_factory=lambda: "deepgram")
    language_hints: list[str] | None = None
    eot_threshold: float | None = None
    eager_eot_threshold: float | None = None
    eot_timeout_ms: int | None = None
    keyterms: list[str] | None = None


ListenProvider: TypeAlias = DeepgramListenProviderV1 | DeepgramListenProviderV2
"""Who turns the user's speech into text."""


class OpenAiThinkProvider(
    Model, frozen=True, kw_only=True, gc=False, tag_field="type", tag="open_ai"
):
    """A model of OpenAI.

    Attributes:
        temperature: From 0 to 2.
        reasoning_mode: How much the model thinks before it answers.
    """

    model: (
        Literal[
            "gpt-5",
            "gpt-5-mini",
            "gpt-5-nano",
            "gpt-4.1",
            "gpt-4.1-mini",
            "gpt-4.1-nano",
            "gpt-4o",
            "gpt-4o-mini",
        ]
        | str
    )
    version: Literal["v1"] | str | None = None
    temperature: float | None = None
    reasoning_mode: ReasoningMode | None = None


class AnthropicThinkProvider(
    Model, frozen=True, kw_only=True, gc=False, tag_field="type", tag="anthropic"
):
    """A model of Anthropic.

    Attributes:
        temperature: From 0 to 1.
    """

    model: Literal["claude-3-5-haiku-latest", "claude-sonnet-4-20250514"] | str
    version: Literal["v1"] | str | None = None
    temperature: float | None = None


class GoogleThinkProvider(
    Model, frozen=True, kw_only=True, gc=False, tag_field="type", tag="google"
):
    """A model of Google.

    Attributes:
        temperature: From 0 to 2.
    """

    model: Literal["gemini-2.0-flash", "gemini-2.0-flash-lite", "gemini-2.5-flash"] | str
    version: Literal["ai-studio-v1beta", "gemini-enterprise-agent-v1", "v1beta"] | str | None = None
    temperature: float | None = None


class GroqThinkProvider(Model, frozen=True, kw_only=True, gc=False, tag_field="type", tag="groq"):
    """A model at Groq; it needs an endpoint.

    Attributes:
        temperature: From 0 to 2.
        reasoning_mode: How much the model thinks before it answers.
    """

    model: Literal["openai/gpt-oss-20b"] | str
    version: Literal["v1"] | str | None = None
    temperature: float | None = None
    reasoning_mode: ReasoningMode | None = None


class AwsBedrockThinkProvider(
    Model, frozen=True, kw_only=True, gc=False, tag_field="type", tag="aws_bedrock"
):
    """A model at Amazon Bedrock.

    Attributes:
        temperature: From 0 to 2.
        credentials: Of an Amazon account.
    """

    model: (
        Literal[
            "anthropic/claude-3-5-sonnet-20240620-v1:0",
            "anthropic/claude-3-5-haiku-20240307-v1:0",
        ]
        | str
    )
    temperature: float | None = None
    credentials: AwsCredentials | None = None


class DeepgramThinkProvider(
    Model, frozen=True, kw_only=True, gc=False, tag_field="type", tag="deepgram"
):
    """A model of Deepgram.

    Attributes:
        temperature: From 0 to 2.
        reasoning_mode: How much the model thinks before it answers.
        voice_prompt_opt_out: Do without the words on spoken style that the service adds to the
            prompt.
    """

    model: Literal["think-fast", "phonellm-mini-alpha-2-fp8"] | str
    version: Literal["v1"] | str | None = None
    temperature: float | None = None
    reasoning_mode: ReasoningMode | None = None
    voice_prompt_opt_out: bool | None = None


ThinkProvider: TypeAlias = (
    OpenAiThinkProvider
    | AnthropicThinkProvider
    | GoogleThinkProvider
    | GroqThinkProvider
    | AwsBedrockThinkProvider
    | DeepgramThinkProvider
)
"""Who runs the language model."""


class DeepgramSpeakProvider(
    Model, frozen=True, kw_only=True, gc=False, tag_field="type", tag="deepgram"
):
    """A voice of Deepgram.

    Attributes:
        model: The voice.
        version: ``v1`` for Aura voices, ``v2`` for Flux voices.
        speed: Multiplier of the pace.
        expressivity: How lively a Flux voice speaks.
    """

    model: AuraVoice | FluxVoice | str
    version: Literal["v1", "v2"] | str | None = None
    speed: float | None = None
    expressivity: int | None = None


class ElevenLabsSpeakProvider(
    Model, frozen=True, kw_only=True, gc=False, tag_field="type", tag="eleven_labs"
):
    """A voice of Eleven Labs; it needs an endpoint.

    Attributes:
        language: Such as ``en-US``.
        language_code: Older name of `language`.
    """

    model_id: Literal["eleven_turbo_v2_5", "eleven_monolingual_v1", "eleven_multilingual_v2"] | str
    version: Literal["v1"] | str | None = None
    language: str | None = None
    language_code: str | None = None


class CartesiaVoice(Model, frozen=True, kw_only=True, gc=False):
    """Which voice of Cartesia.

    Attributes:
        mode: Such as ``id``.
        id: Cartesia's id of the voice.
    """

    mode: str
    id: str


class CartesiaSpeakProvider(
    Model, frozen=True, kw_only=True, gc=False, tag_field="type", tag="cartesia"
):
    """A voice of Cartesia.

    Attributes:
        volume: From 0.5 to 2.
    """

    model_id: Literal["sonic-2", "sonic-multilingual"] | str
    voice: CartesiaVoice
    version: Literal["2025-03-17"] | str | None = None
    language: str | None = None
    volume: float | None = None


class OpenAiSpeakProvider(
    Model, frozen=True, kw_only=True, gc=False, tag_field="type", tag="open_ai"
):
    """A voice of OpenAI; it needs an endpoint."""

    model: Literal["tts-1", "tts-1-hd"] | str
    voice: Literal["alloy", "echo", "fable", "onyx", "nova", "shimmer"] | str
    version: Literal["v1"] | str | None = None


class AwsPollySpeakProvider(
    Model, frozen=True, kw_only=True, gc=False, tag_field="type", tag="aws_polly"
):
    """A voice of Amazon Polly; it needs an endpoint.

    Attributes:
        language: Such as ``en-US``; the service wants it, by this name or as `language_code`.
        language_code: Older name of `language`.
        credentials: Of an Amazon account.
    """

    voice: Literal["Matthew", "Joanna", "Amy", "Emma", "Brian", "Arthur", "Aria", "Ayanda"] | str
    engine: Literal["generative", "long-form", "standard", "neural"] | str
    credentials: AwsCredentials
    language: str | None = None
    language_code: str | None = None


SpeakProvider: TypeAlias = (
    DeepgramSpeakProvider
    | ElevenLabsSpeakProvider
    | CartesiaSpeakProvider
    | OpenAiSpeakProvider
    | AwsPollySpeakProvider
)
"""Who turns the agent's answers into speech."""
