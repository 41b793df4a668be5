import json
from typing import Any

import msgspec
import pytest

from deepgram_async.models import Model
from deepgram_async.models.agent import History, HistoryFunctionCall
from deepgram_async.models.agent_settings import (
    Agent,
    AnthropicThinkProvider,
    Audio,
    AwsBedrockThinkProvider,
    AwsCredentials,
    AwsPollySpeakProvider,
    CartesiaSpeakProvider,
    CartesiaVoice,
    Context,
    DeepgramListenProviderV1,
    DeepgramListenProviderV2,
    DeepgramSpeakProvider,
    DeepgramThinkProvider,
    ElevenLabsSpeakProvider,
    Endpoint,
    Flags,
    Function,
    FunctionEndpoint,
    GoogleThinkProvider,
    GroqThinkProvider,
    Input,
    Listen,
    OpenAiSpeakProvider,
    OpenAiThinkProvider,
    Output,
    Settings,
    Speak,
    Think,
    ThinkLive,
    ThinkLiveProvider,
)

AWS = AwsCredentials(
    type="sts",
    region="eu-west-1",
    access_key_id="AKIA",
    secret_access_key="hidden",
    session_token="hidden too",
)
AWS_FIELDS = {
    "type": "sts",
    "region": "eu-west-1",
    "access_key_id": "AKIA",
    "secret_access_key": "hidden",
    "session_token": "hidden too",
}
ENDPOINT = Endpoint(url="https://host.example/v1", headers={"Authorization": "Bearer hidden"})
ENDPOINT_FIELDS = {
    "url": "https://host.example/v1",
    "headers": {"Authorization": "Bearer hidden"},
}


def test_the_defaults_are_a_conversation_that_works() -> None:
    assert Settings().to_dict() == {
        "type": "Settings",
        "audio": {
            "input": {"encoding": "linear16", "sample_rate": 24000},
            "output": {"encoding": "linear16", "sample_rate": 24000, "container": "none"},
        },
        "agent": {"think": {"provider": {"type": "open_ai", "model": "gpt-4o-mini"}}},
    }


def test_a_stored_agent_is_named_by_its_id() -> None:
    assert Settings(agent="0a1b").to_dict()["agent"] == "0a1b"


def test_required_fields_of_the_input_are_sent_even_with_the_service_s_defaults() -> None:
    audio = Audio(input=Input(encoding="linear16", sample_rate=24000))
    assert audio.to_dict()["input"] == {"encoding": "linear16", "sample_rate": 24000}


def test_the_whole_tree_is_written_and_read() -> None:
    settings = Settings(
        tags=["nightly"],
        experimental=True,
        mip_opt_out=True,
        flags=Flags(history=False),
        audio=Audio(
            input=Input(encoding="mulaw", sample_rate=8000),
            output=Output(encoding="mp3", bitrate=48000),
        ),
        agent=Agent(
            language="en",
            greeting="Hello!",
            context=Context(
                messages=[
                    History(role="user", content="Hi"),
                    History(
                        function_calls=[
                            HistoryFunctionCall(
                                id="c1", name="add", client_side=True, arguments="{}", response="3"
                            )
                        ]
                    ),
                ]
            ),
            listen=Listen(provider=DeepgramListenProviderV1(model="nova-3")),
            think=[
                Think(
                    provider=OpenAiThinkProvider(model="gpt-5", reasoning_mode="low"),
                    endpoint=ENDPOINT,
                    prompt="Be brief.",
                    context_length="max",
                    functions=[
                        Function(
                            name="book",
                            description="Book a table.",
                            parameters={"type": "object"},
                            endpoint=FunctionEndpoint(url="https://host.example", method="post"),
                            defer_until_eot=True,
                            initial_agent_filler=True,
                            agent_filler_max_count=2,
                            agent_filler_interval_ms=2000,
                        )
                    ],
                )
            ],
            think_live=ThinkLive(
                provider=ThinkLiveProvider(
                    agent_backchannel_sensitivity=0.5,
                    presence_check_max_count=2,
                    presence_check_interval_ms=5000,
                    frustration_max_count=3,
                    restricted_terms=["damn"],
                )
            ),
            speak=[Speak(provider=DeepgramSpeakProvider(model="flux-kit-en", expressivity=1))],
        ),
    )

    fields: Any = settings.to_dict()

    assert msgspec.json.decode(settings.to_json(), type=Settings) == settings
    assert fields["audio"]["output"] == {"encoding": "mp3", "bitrate": 48000, "container": "none"}
    assert fields["agent"]["context"]["messages"] == [
        {"type": "History", "role": "user", "content": "Hi"},
        {
            "type": "History",
            "function_calls": [
                {
                    "id": "c1",
                    "name": "add",
                    "client_side": True,
                    "arguments": "{}",
                    "response": "3",
                }
            ],
        },
    ]
    (think,) = fields["agent"]["think"]
    assert think["endpoint"] == ENDPOINT_FIELDS
    assert think["functions"][0]["endpoint"] == {"url": "https://host.example", "method": "post"}
    assert fields["agent"]["think_live"]["provider"]["type"] == "deepgram"
    assert fields["flags"] == {"history": False}


@pytest.mark.parametrize(
    ("provider", "fields"),
    [
        (
            DeepgramListenProviderV1(model="nova-3", language="multi", keyterms=["Kai"]),
            {
                "type": "deepgram",
                "version": "v1",
                "model": "nova-3",
                "language": "multi",
                "keyterms": ["Kai"],
            },
        ),
        (
            DeepgramListenProviderV2(model="flux-general-en", eot_threshold=0.8),
            {"type": "deepgram", "version": "v2", "model": "flux-general-en", "eot_threshold": 0.8},
        ),
        (
            AnthropicThinkProvider(model="claude-3-5-haiku-latest", temperature=0.5),
            {"type": "anthropic", "model": "claude-3-5-haiku-latest", "temperature": 0.5},
        ),
        (
            GoogleThinkProvider(model="gemini-2.5-flash", version="v1beta"),
            {"type": "google", "model": "gemini-2.5-flash", "version": "v1beta"},
        ),
        (
            GroqThinkProvider(model="openai/gpt-oss-20b", reasoning_mode="none"),
            {"type": "groq", "model": "openai/gpt-oss-20b", "reasoning_mode": "none"},
        ),
        (
            AwsBedrockThinkProvider(model="anthropic/claude", credentials=AWS),
            {"type": "aws_bedrock", "model": "anthropic/claude", "credentials": AWS_FIELDS},
        ),
        (
            DeepgramThinkProvider(model="think-fast", voice_prompt_opt_out=True),
            {"type": "deepgram", "model": "think-fast", "voice_prompt_opt_out": True},
        ),
        (
            ElevenLabsSpeakProvider(model_id="eleven_turbo_v2_5", language="en-US"),
            {"type": "eleven_labs", "model_id": "eleven_turbo_v2_5", "language": "en-US"},
        ),
        (
            CartesiaSpeakProvider(model_id="sonic-2", voice=CartesiaVoice(mode="id", id="v1")),
            {"type": "cartesia", "model_id": "sonic-2", "voice": {"mode": "id", "id": "v1"}},
        ),
        (
            OpenAiSpeakProvider(model="tts-1", voice="nova"),
            {"type": "open_ai", "model": "tts-1", "voice": "nova"},
        ),
        (
            AwsPollySpeakProvider(voice="Amy", engine="neural", language="en-GB", credentials=AWS),
            {
                "type": "aws_polly",
                "voice": "Amy",
                "engine": "neural",
                "language": "en-GB",
                "credentials": AWS_FIELDS,
            },
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_provider_is_told_apart_by_its_type(provider: Model, fields: dict[str, object]) -> None:
    assert provider.to_dict() == fields
    blocks: list[Any] = [Listen, Think, Speak]
    for block in blocks:
        try:
            read = msgspec.json.decode(json.dumps({"provider": fields}), type=block)
        except msgspec.ValidationError:
            continue
        if read.provider == provider:
            return
    pytest.fail(f"{fields} is not read back")


@pytest.mark.parametrize(
    "value", [AWS, ENDPOINT, FunctionEndpoint(url="https://h", headers={"X": "hidden"})]
)
def test_secrets_are_not_shown(value: Any) -> None:
    for shown in (repr(value), repr(value.__rich_repr__())):
        assert "hidden" not in shown
        assert "AKIA" not in shown
