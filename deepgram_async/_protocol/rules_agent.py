"""What the documentation of the voice agent rules out (Deepgram docs, "Configure the Voice Agent").

Only what was given as structs is looked at: a mapping is the way past these rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs, urlsplit

from deepgram_async.errors import OptionError
from deepgram_async.models.agent_settings import (
    Agent,
    AnthropicThinkProvider,
    AwsBedrockThinkProvider,
    AwsCredentials,
    AwsPollySpeakProvider,
    CartesiaSpeakProvider,
    DeepgramListenProviderV2,
    DeepgramSpeakProvider,
    ElevenLabsSpeakProvider,
    Function,
    GroqThinkProvider,
    Listen,
    OpenAiSpeakProvider,
    Output,
    Settings,
    Speak,
    Think,
    ThinkLive,
)

__all__ = [
    "check_function",
    "check_listen",
    "check_settings",
    "check_speak",
    "check_think",
    "check_think_live",
]

_RAW: Final = frozenset({"linear16", "mulaw", "alaw"})
_NEEDS_ENDPOINT: Final = (ElevenLabsSpeakProvider, OpenAiSpeakProvider, AwsPollySpeakProvider)
_SET_BY_ELEVEN_LABS: Final = ("output_format", "model_id")


def check_settings(settings: Settings) -> None:
    """Check all settings of a conversation.

    Raises:
        OptionError: The service refuses this; the message is the rule.
    """
    agent = settings.agent
    if not isinstance(agent, Agent):
        return
    if agent.listen is not None:
        check_listen(agent.listen)
    check_think(agent.think, has_think_live=agent.think_live is not None)
    if agent.speak is not None:
        check_speak(agent.speak, settings.audio.output)
    if agent.think_live is not None:
        check_think_live(agent.think_live)


def check_listen(listen: Listen) -> None:
    """Check how the agent hears.

    Raises:
        OptionError: The service refuses this; the message is the rule.
    """
    provider = listen.provider
    if isinstance(provider, DeepgramListenProviderV2):
        _range("eot_threshold", provider.eot_threshold, 0.5, 0.9)
        _range("eager_eot_threshold", provider.eager_eot_threshold, 0.3, 0.9)
        if provider.language_hints and provider.model == "flux-general-en":
            raise _refused("language_hints", "goes with flux-general-multi only")


def check_think(think: Think | Sequence[Think], *, has_think_live: bool) -> None:
    """Check how the agent finds its answers.

    Raises:
        OptionError: The service refuses this; the message is the rule.
    """
    for one in [think] if isinstance(think, Think) else think:
        provider = one.provider
        most = 1 if isinstance(provider, AnthropicThinkProvider) else 2
        _range("temperature", provider.temperature, 0, most)
        if isinstance(provider, GroqThinkProvider) and one.endpoint is None:
            raise _refused("endpoint", "is needed for a model at Groq")
        if isinstance(provider, AwsBedrockThinkProvider) and provider.credentials is not None:
            _check_credentials(provider.credentials)
        if one.context_length is not None and one.endpoint is None:
            raise _refused("context_length", "needs an endpoint of one's own")
        for function in one.functions or []:
            check_function(function, has_think_live=has_think_live)


def check_function(function: Function, *, has_think_live: bool) -> None:
    """Check the description of a function.

    Raises:
        OptionError: The service refuses this; the message is the rule.
    """
    _range("agent_filler_interval_ms", function.agent_filler_interval_ms, 1000, 60000)
    for name in ("initial_agent_filler", "agent_filler_max_count", "agent_filler_interval_ms"):
        if getattr(function, name) is not None and not has_think_live:
            raise _refused(name, "needs agent.think_live")


def check_think_live(think_live: ThinkLive) -> None:
    """Check what the agent does between the turns.

    Raises:
        OptionError: The service refuses this; the message is the rule.
    """
    interval = think_live.provider.presence_check_interval_ms
    if interval is not None and interval < 3000:
        raise _refused("presence_check_interval_ms", f"is at least 3000, not {interval}")


def check_speak(speak: Speak | Sequence[Speak], output: Output | None) -> None:
    """Check how the agent speaks.

    Raises:
        OptionError: The service refuses this; the message is the rule.
    """
    for one in [speak] if isinstance(speak, Speak) else speak:
        provider = one.provider
        if isinstance(provider, DeepgramSpeakProvider):
            _check_voice(provider, output)
        if isinstance(provider, _NEEDS_ENDPOINT) and one.endpoint is None:
            raise _refused("endpoint", "is needed for a voice that Deepgram does not manage")
        if isinstance(provider, CartesiaSpeakProvider):
            _range("volume", provider.volume, 0.5, 2)
        if isinstance(provider, AwsPollySpeakProvider):
            _check_credentials(provider.credentials)
            if provider.language is None and provider.language_code is None:
                raise _refused("language", "is needed for a voice of Amazon Polly")
        if one.endpoint is not None:
            _check_url(one.endpoint.url, is_eleven_labs=isinstance(provider, _NEEDS_ENDPOINT[0]))


def _check_voice(provider: DeepgramSpeakProvider, output: Output | None) -> None:
    if provider.model.startswith("aura") and provider.version == "v2":
        raise _refused("version", "is v1 for Aura voices")
    if not provider.model.startswith("flux-"):
        return
    if provider.version == "v1":
        raise _refused("version", "is v2 for Flux voices")
    if output is not None and (output.encoding not in _RAW or output.container != "none"):
        raise _refused("output", "is linear16, mulaw or alaw without a container for a Flux voice")


def _check_url(url: str, *, is_eleven_labs: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (is_eleven_labs and parts.scheme == "wss"):
        raise _refused("url", "of a voice begins with https, for Eleven Labs also with wss")
    if is_eleven_labs and any(name in parse_qs(parts.query) for name in _SET_BY_ELEVEN_LABS):
        raise _refused("url", "of Eleven Labs has no output_format and no model_id")


def _check_credentials(credentials: AwsCredentials) -> None:
    if credentials.type == "sts" and credentials.session_token is None:
        raise _refused("session_token", "is needed for credentials of the type sts")


def _range(name: str, value: float | None, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        raise _refused(name, f"is from {least:g} to {most:g}, not {value:g}")


def _refused(name: str, rule: str) -> OptionError:
    return OptionError(f"{name} {rule}", option=name)
