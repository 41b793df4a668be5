"""Settings of a voice agent: the tree that is sent when a conversation begins.

Everything has a default that works, and what is left out is not sent, so that the service's own
defaults hold:

    Settings(
        agent=Agent(
            greeting="Hello!",
            think=Think(
                provider=OpenAiThinkProvider(model="gpt-4o-mini"),
                prompt="You take orders in a coffee shop.",
            ),
        )
    )

Deepgram describes the fields on its page "Configure the Voice Agent".
"""

from typing import Literal

from msgspec import field

from deepgram_async.models._agent_providers import (
    AnthropicThinkProvider,
    AwsBedrockThinkProvider,
    AwsCredentials,
    AwsPollySpeakProvider,
    CartesiaSpeakProvider,
    CartesiaVoice,
    DeepgramListenProviderV1,
    DeepgramListenProviderV2,
    DeepgramSpeakProvider,
    DeepgramThinkProvider,
    ElevenLabsSpeakProvider,
    GoogleThinkProvider,
    GroqThinkProvider,
    ListenProvider,
    OpenAiSpeakProvider,
    OpenAiThinkProvider,
    SpeakProvider,
    ThinkProvider,
)
from deepgram_async.models._base import Model
from deepgram_async.models.agent import History

__all__ = [
    "Agent",
    "AnthropicThinkProvider",
    "Audio",
    "AwsBedrockThinkProvider",
    "AwsCredentials",
    "AwsPollySpeakProvider",
    "CartesiaSpeakProvider",
    "CartesiaVoice",
    "Context",
    "DeepgramListenProviderV1",
    "DeepgramListenProviderV2",
    "DeepgramSpeakProvider",
    "DeepgramThinkProvider",
    "ElevenLabsSpeakProvider",
    "Endpoint",
    "Flags",
    "Function",
    "FunctionEndpoint",
    "GoogleThinkProvider",
    "GroqThinkProvider",
    "Input",
    "Listen",
    "ListenProvider",
    "OpenAiSpeakProvider",
    "OpenAiThinkProvider",
    "Output",
    "Settings",
    "Speak",
    "SpeakProvider",
    "Think",
    "ThinkLive",
    "ThinkLiveProvider",
    "ThinkProvider",
]


class Flags(Model, frozen=True, kw_only=True, gc=False):
    """What the service reports.

    Attributes:
        history: Whether `History` messages are sent; they are, if left out.
    """

    history: bool | None = None


class Input(Model, frozen=True, kw_only=True, gc=False):
    """The user's audio.

    Attributes:
        encoding: 16 bit little-endian samples if left out.
        sample_rate: In hertz; 24000 if left out.
    """

    encoding: (
        Literal[
            "linear16",
            "linear32",
            "flac",
            "alaw",
            "mulaw",
            "amr-nb",
            "amr-wb",
            "opus",
            "ogg-opus",
            "speex",
            "g729",
        ]
        | str
    ) = field(default_factory=lambda: "linear16")
    sample_rate: int = field(default_factory=lambda: 24000)


class Output(Model, frozen=True, kw_only=True, gc=False):
    """The agent's audio. Flux voices need raw samples.

    Attributes:
        encoding: 16 bit little-endian samples if left out.
        sample_rate: In hertz.
        bitrate: In bits per second.
        container: ``none`` for raw audio.
    """

    encoding: Literal["linear16", "mulaw", "alaw", "mp3", "opus", "flac", "aac"] | str = field(
        default_factory=lambda: "linear16"
    )
    sample_rate: int | None = None
    bitrate: int | None = None
    container: Literal["none", "wav", "ogg"] | str = field(default_factory=lambda: "none")


def _default_output() -> Output:
    return Output(sample_rate=24000)


class Audio(Model, frozen=True, kw_only=True, gc=False):
    """The formats of both directions."""

    input: Input = field(default_factory=Input)
    output: Output = field(default_factory=_default_output)


class Endpoint(Model, frozen=True, kw_only=True, gc=False):
    """Where a model of another provider is reached.

    Attributes:
        url: ``https``, for Eleven Labs also ``wss``.
        headers: Sent with every request; `repr` shows only their names.
    """

    url: str
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def __repr__(self) -> str:
        return f"Endpoint(url={self.url!r}, headers=<{', '.join(self.headers)}>)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("url", self.url), ("headers", f"<{', '.join(self.headers)}>")]


class FunctionEndpoint(Model, frozen=True, kw_only=True, gc=False):
    """Where the service calls a function by itself.

    Attributes:
        url: Resolved while the settings are applied; an unknown host is an error.
        method: HTTP method.
        headers: Sent with every request; `repr` shows only their names.
    """

    url: str
    method: str | None = None
    headers: dict[str, str] | None = None

    def __repr__(self) -> str:
        names = ", ".join(self.headers or {})
        return f"FunctionEndpoint(url={self.url!r}, method={self.method!r}, headers=<{names}>)"

    def __rich_repr__(self) -> list[tuple[str, str | None]]:
        return [("url", self.url), ("method", self.method)]


class Context(Model, frozen=True, kw_only=True, gc=False):
    """What was said before, to resume a conversation.

    Attributes:
        messages: As they came in the earlier conversation.
    """

    messages: list[History] = field(default_factory=list[History])


class Listen(Model, frozen=True, kw_only=True, gc=False):
    """How the agent hears."""

    provider: ListenProvider


class Function(Model, frozen=True, kw_only=True, gc=False):
    """A function that the language model may call; `deepgram_async.Tools` writes these.

    Attributes:
        name: What the model calls it.
        description: When to use it, in words for the model.
        parameters: JSON Schema of the arguments.
        endpoint: Where the service calls it; without one, this side has to answer.
        defer_until_eot: Call it only when the user's turn is settled, for what cannot be undone.
        initial_agent_filler: Whether the agent says something while it waits; needs
            ``think_live``, as the next two do.
        agent_filler_max_count: How many times it says something more.
        agent_filler_interval_ms: How long it waits before, from 1000 to 60000.
    """

    name: str
    description: str | None = None
    parameters: dict[str, object] | None = None
    endpoint: FunctionEndpoint | None = None
    defer_until_eot: bool | None = None
    initial_agent_filler: bool | None = None
    agent_filler_max_count: int | None = None
    agent_filler_interval_ms: int | None = None


def _default_think_provider() -> ThinkProvider:
    return OpenAiThinkProvider(model="gpt-4o-mini")


class Think(Model, frozen=True, kw_only=True, gc=False):
    """How the agent finds its answers.

    Attributes:
        provider: The language model; ``gpt-4o-mini`` if left out.
        endpoint: Where it is reached; needed for models that Deepgram does not manage.
        prompt: Who the agent is and what it shall do; for managed models the first 25000
            characters count.
        context_length: Characters of the conversation to keep in mind, or ``max`` for all; only
            with an endpoint.
        functions: What it may call.
    """

    provider: ThinkProvider = field(default_factory=_default_think_provider)
    endpoint: Endpoint | None = None
    prompt: str | None = None
    context_length: Literal["max"] | float | None = None
    functions: list[Function] | None = None


class ThinkLiveProvider(Model, frozen=True, kw_only=True, gc=False):
    """Who decides what the agent does between the turns.

    Attributes:
        agent_backchannel_sensitivity: How readily it says "mhm" while it listens.
        presence_check_max_count: How many times it asks whether somebody is there.
        presence_check_interval_ms: Silence before it asks, 3000 at least.
        frustration_max_count: How many times the user may sound annoyed.
        restricted_terms: Words it must not say.
    """

    type: Literal["deepgram"] = field(default_factory=lambda: "deepgram")
    version: Literal["v1"] | str = field(default_factory=lambda: "v1")
    agent_backchannel_sensitivity: float | None = None
    presence_check_max_count: int | None = None
    presence_check_interval_ms: int | None = None
    frustration_max_count: int | None = None
    restricted_terms: list[str] | None = None


class ThinkLive(Model, frozen=True, kw_only=True, gc=False):
    """What the agent does between the turns (early access)."""

    provider: ThinkLiveProvider = field(default_factory=ThinkLiveProvider)


class Speak(Model, frozen=True, kw_only=True, gc=False):
    """How the agent speaks.

    Attributes:
        endpoint: Where the voice is reached; needed for those that Deepgram does not manage.
    """

    provider: SpeakProvider
    endpoint: Endpoint | None = None


class Agent(Model, frozen=True, kw_only=True, gc=False):
    """Who the user talks to.

    Attributes:
        listen: How it hears; the service chooses if left out.
        think: How it finds answers; in a list, each is the fallback of the one before.
        speak: How it speaks; a list as for `think`. A Flux voice if left out.
        greeting: What it says first.
        context: What was said before.
        think_live: What it does between the turns.
        language: Deprecated; providers have a language of their own.
    """

    listen: Listen | None = None
    think: Think | list[Think] = field(default_factory=Think)
    speak: Speak | list[Speak] | None = None
    greeting: str | None = None
    context: Context | None = None
    think_live: ThinkLive | None = None
    language: str | None = None


class Settings(Model, frozen=True, kw_only=True, gc=False, tag_field="type", tag="Settings"):
    """Everything about a conversation, sent once at its beginning.

    Attributes:
        audio: Formats of both directions; raw 24 kHz samples if left out.
        agent: The agent, or the id of one that is stored with Deepgram.
        tags: Words to find the conversation by in the usage of a project.
        flags: What the service reports.
        experimental: Whether features that are being tried are on.
        mip_opt_out: Keep the conversation out of Deepgram's model improvement program.
    """

    audio: Audio = field(default_factory=Audio)
    agent: Agent | str = field(default_factory=Agent)
    tags: list[str] | None = None
    flags: Flags | None = None
    experimental: bool | None = None
    mip_opt_out: bool | None = None
