from typing import Any

import pytest

from deepgram_async._protocol.rules_agent import (
    check_function,
    check_settings,
    check_speak,
    check_think,
)
from deepgram_async.errors import OptionError
from deepgram_async.models.agent_settings import (
    Agent,
    AnthropicThinkProvider,
    Audio,
    AwsBedrockThinkProvider,
    AwsCredentials,
    AwsPollySpeakProvider,
    CartesiaSpeakProvider,
    CartesiaVoice,
    DeepgramListenProviderV1,
    DeepgramListenProviderV2,
    DeepgramSpeakProvider,
    ElevenLabsSpeakProvider,
    Endpoint,
    Function,
    GroqThinkProvider,
    Listen,
    ListenProvider,
    OpenAiSpeakProvider,
    OpenAiThinkProvider,
    Output,
    Settings,
    Speak,
    SpeakProvider,
    Think,
    ThinkLive,
    ThinkLiveProvider,
)

STS = AwsCredentials(type="sts", region="r", access_key_id="a", secret_access_key="s")
IAM = AwsCredentials(type="iam", region="r", access_key_id="a", secret_access_key="s")
ENDPOINT = Endpoint(url="https://host.example")


def listening(provider: ListenProvider) -> Settings:
    return Settings(agent=Agent(listen=Listen(provider=provider)))


def thinking(**fields: Any) -> Settings:
    return Settings(agent=Agent(think=Think(**fields)))


def speaking(
    provider: SpeakProvider, *, url: str | None = None, output: Output | None = None
) -> Settings:
    endpoint = None if url is None else Endpoint(url=url)
    return Settings(
        audio=Audio() if output is None else Audio(output=output),
        agent=Agent(speak=Speak(provider=provider, endpoint=endpoint)),
    )


def flux(**fields: Any) -> DeepgramListenProviderV2:
    return DeepgramListenProviderV2(model="flux-general-en", **fields)


def polly(**fields: Any) -> AwsPollySpeakProvider:
    return AwsPollySpeakProvider(voice="Amy", engine="neural", **fields)


ELEVEN = ElevenLabsSpeakProvider(model_id="eleven_turbo_v2_5")
CARTESIA = CartesiaSpeakProvider(model_id="sonic-2", voice=CartesiaVoice(mode="id", id="v"))
FILLER = Function(name="add", initial_agent_filler=True)


@pytest.mark.parametrize(
    ("settings", "option", "rule"),
    [
        (listening(flux(eot_threshold=0.4)), "eot_threshold", "from 0.5 to 0.9, not 0.4"),
        (listening(flux(eager_eot_threshold=1)), "eager_eot_threshold", "from 0.3 to 0.9"),
        (listening(flux(language_hints=["es"])), "language_hints", "flux-general-multi"),
        (
            thinking(provider=OpenAiThinkProvider(model="gpt-5", temperature=2.1)),
            "temperature",
            "from 0 to 2, not 2.1",
        ),
        (
            thinking(provider=AnthropicThinkProvider(model="claude", temperature=1.1)),
            "temperature",
            "from 0 to 1",
        ),
        (thinking(provider=GroqThinkProvider(model="llama")), "endpoint", "Groq"),
        (
            thinking(provider=AwsBedrockThinkProvider(model="claude", credentials=STS)),
            "session_token",
            "sts",
        ),
        (thinking(context_length="max"), "context_length", "endpoint"),
        (thinking(functions=[FILLER]), "initial_agent_filler", "think_live"),
        (
            thinking(functions=[Function(name="add", agent_filler_interval_ms=999)]),
            "agent_filler_interval_ms",
            "from 1000 to 60000",
        ),
        (speaking(DeepgramSpeakProvider(model="aura-2-thalia-en", version="v2")), "version", "v1"),
        (speaking(DeepgramSpeakProvider(model="flux-kit-en", version="v1")), "version", "v2"),
        (
            speaking(DeepgramSpeakProvider(model="flux-kit-en"), output=Output(encoding="mp3")),
            "output",
            "linear16",
        ),
        (
            speaking(DeepgramSpeakProvider(model="flux-kit-en"), output=Output(container="wav")),
            "output",
            "without a container",
        ),
        (speaking(ELEVEN), "endpoint", "does not manage"),
        (speaking(OpenAiSpeakProvider(model="tts-1", voice="nova")), "endpoint", "needed"),
        (speaking(polly(language="en-US", credentials=IAM)), "endpoint", "needed"),
        (
            speaking(polly(language="en-US", credentials=STS), url="https://host.example"),
            "session_token",
            "sts",
        ),
        (speaking(polly(credentials=IAM), url="https://host.example"), "language", "Polly"),
        (speaking(CARTESIA, url="http://host.example"), "url", "https"),
        (speaking(CARTESIA, url="wss://host.example"), "url", "Eleven Labs"),
        (speaking(ELEVEN, url="wss://host.example?model_id=x"), "url", "no model_id"),
        (
            speaking(
                CartesiaSpeakProvider(
                    model_id="sonic-2", voice=CartesiaVoice(mode="id", id="v"), volume=3
                )
            ),
            "volume",
            "from 0.5 to 2",
        ),
        (
            Settings(
                agent=Agent(
                    think_live=ThinkLive(
                        provider=ThinkLiveProvider(presence_check_interval_ms=2999)
                    )
                )
            ),
            "presence_check_interval_ms",
            "at least 3000",
        ),
    ],
)
def test_settings_that_break_a_rule_are_refused(settings: Settings, option: str, rule: str) -> None:
    with pytest.raises(OptionError, match=rule) as caught:
        check_settings(settings)
    assert caught.value.option == option


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(agent="0a1b"),
        listening(DeepgramListenProviderV1(model="nova-3")),
        listening(flux(eot_threshold=0.9, eager_eot_threshold=0.3)),
        listening(DeepgramListenProviderV2(model="flux-general-multi", language_hints=["es"])),
        thinking(provider=GroqThinkProvider(model="llama"), endpoint=ENDPOINT, context_length=5),
        thinking(provider=AwsBedrockThinkProvider(model="claude", credentials=IAM)),
        Settings(agent=Agent(think=Think(functions=[FILLER]), think_live=ThinkLive())),
        speaking(DeepgramSpeakProvider(model="flux-kit-en", version="v2")),
        speaking(DeepgramSpeakProvider(model="aura-2-thalia-en"), output=Output(encoding="mp3")),
        speaking(CARTESIA),
        speaking(ELEVEN, url="wss://host.example"),
        speaking(polly(language="en-US", credentials=IAM), url="https://host.example"),
    ],
)
def test_settings_that_break_no_rule_pass(settings: Settings) -> None:
    check_settings(settings)


def test_every_fallback_is_looked_at() -> None:
    with pytest.raises(OptionError):
        check_think([Think(), Think(context_length="max")], has_think_live=False)
    with pytest.raises(OptionError):
        check_speak([Speak(provider=CARTESIA), Speak(provider=ELEVEN)], None)


def test_fillers_go_with_think_live() -> None:
    check_function(FILLER, has_think_live=True)
    with pytest.raises(OptionError, match=r"needs agent\.think_live"):
        check_function(FILLER, has_think_live=False)
