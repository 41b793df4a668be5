"""Deepgram's own Python SDK, led through all sockets and through speech and recognition by request.

What it decodes into its own types is what it takes for an answer of the service.
"""

from __future__ import annotations

import importlib
import io
import wave
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from deepgram_async.emulator import Emulator, EmulatorSettings, ScriptedRecognizer, ToneSynthesizer

from .helpers import bounded, silence, wav

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

deepgram: Any = pytest.importorskip("deepgram")
# It uses old names of websockets.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

HEARD = ScriptedRecognizer(
    [("What", 0.3, 0.5), ("is", 0.5, 0.7), ("the", 0.7, 0.8), ("weather", 0.8, 1.2),
     ("in", 1.2, 1.3), ("Oslo?", 1.3, 1.8)]
)  # fmt: skip
WORDS = "What is the weather in Oslo?"
RAW = {"encoding": "linear16", "sample_rate": 8000}


def types_of(module: str) -> Any:
    return importlib.import_module(f"deepgram.{module}.types")


@pytest_asyncio.fixture
async def sdk() -> AsyncGenerator[Any]:
    strict = EmulatorSettings(strict=True)
    async with Emulator(HEARD, strict, synthesizer=ToneSynthesizer()) as emulator:
        sockets = emulator.base_url.replace("http", "ws")
        environment = importlib.import_module("deepgram.environment").DeepgramClientEnvironment(
            base=emulator.base_url,
            production=sockets,
            agent=sockets,
            agent_rest=emulator.base_url,
        )
        httpx = importlib.import_module("httpx")
        async with httpx.AsyncClient() as http:
            yield deepgram.AsyncDeepgramClient(
                api_key="a-key", environment=environment, httpx_client=http
            )
        assert emulator.deviations == ()


async def rest(messages: AsyncIterator[Any]) -> list[Any]:
    return [message async for message in messages]


def kinds(messages: list[Any]) -> list[str]:
    """Return the names of the types, frames of audio in a row as one."""
    names: list[str] = []
    for message in messages:
        name = type(message).__name__
        if name != "bytes" or names[-1:] != ["bytes"]:
            names.append(name)
    return names


@bounded
async def test_a_recording_is_transcribed(sdk: Any) -> None:
    answer = await sdk.listen.v1.media.transcribe_file(
        request=wav(silence(2.5)), model="nova-3", smart_format=True
    )
    assert type(answer).__name__ == "ListenV1Response"
    (channel,) = answer.results.channels
    assert channel.alternatives[0].transcript == WORDS
    assert channel.alternatives[0].words[-1].word == "oslo"


@pytest.mark.parametrize(("version", "voice"), [("v1", "aura-2-thalia-en"), ("v2", "flux-kit-en")])
@bounded
async def test_a_text_is_spoken(sdk: Any, version: str, voice: str) -> None:
    speak = getattr(sdk.speak, version).audio.generate
    audio = await rest(speak(text="Hello, world.", encoding="linear16", model=voice))
    with wave.open(io.BytesIO(b"".join(audio))) as file:
        assert (file.getframerate(), file.getnchannels()) == (24000, 1)


@bounded
async def test_live_speech_is_transcribed(sdk: Any) -> None:
    options = {**RAW, "interim_results": True, "vad_events": True, "utterance_end_ms": 1000}
    async with sdk.listen.v1.connect(model="nova-3", punctuate=True, **options) as live:
        for _ in range(40):
            await live.send_media(silence(0.1))
        await live.send_keep_alive()
        await live.send_finalize()
        await live.send_close_stream()
        messages = await rest(live)
    assert set(kinds(messages)) == {
        "ListenV1Results",
        "ListenV1Metadata",
        "ListenV1SpeechStarted",
        "ListenV1UtteranceEnd",
    }
    finals = [m for m in messages if type(m).__name__ == "ListenV1Results" and m.is_final]
    assert finals[0].channel.alternatives[0].transcript == WORDS
    assert finals[0].speech_final
    assert kinds(messages)[-1] == "ListenV1Metadata"


@bounded
async def test_turns_are_heard(sdk: Any) -> None:
    types = types_of("listen.v2")
    connect = sdk.listen.v2.connect(model="flux-general-en", eager_eot_threshold=0.4, **RAW)
    async with connect as flux:
        await flux.send_configure(types.ListenV2Configure(type="Configure", keyterms=["Oslo"]))
        for _ in range(20):
            await flux.send_media(silence(0.1))
        await flux.send_force_end_turn()
        await flux.send_close_stream()
        messages = await rest(flux)
    assert set(kinds(messages)) == {
        "ListenV2Connected",
        "ListenV2ConfigureSuccess",
        "ListenV2TurnInfo",
    }
    turns = [message for message in messages if type(message).__name__ == "ListenV2TurnInfo"]
    end = next(turn for turn in turns if turn.event == "EndOfTurn")
    assert (end.transcript, end.trigger) == (WORDS, "manual")


@bounded
async def test_texts_are_spoken_live_by_an_aura_voice(sdk: Any) -> None:
    types = types_of("speak.v1")
    async with sdk.speak.v1.connect(model="aura-2-thalia-en", **RAW) as speech:
        await speech.send_text(types.SpeakV1Text(type="Speak", text="Hello, world."))
        await speech.send_flush()
        await speech.send_close()
        messages = await rest(speech)
    assert kinds(messages) == ["SpeakV1Metadata", "bytes", "SpeakV1Flushed"]
    audio = b"".join(message for message in messages if isinstance(message, bytes))
    assert len(audio) == 13 * 0.05 * 16000


@bounded
async def test_texts_are_spoken_live_by_a_flux_voice(sdk: Any) -> None:
    types = types_of("speak.v2")
    async with sdk.speak.v2.connect(model="flux-kit-en", **RAW) as speech:
        await speech.send_speak(types.SpeakV2Speak(type="Speak", text="Hello, world."))
        await speech.send_flush()
        await speech.send_close()
        messages = await rest(speech)
    assert kinds(messages) == [
        "SpeakV2Connected",
        "SpeakV2SpeechStarted",
        "bytes",
        "SpeakV2Flushed",
        "SpeakV2SpeechMetadata",
        "SpeakV2SessionMetadata",
    ]
    assert messages[-1].total_audio_duration_ms == 650


@bounded
async def test_an_agent_hears_calls_a_function_and_speaks(sdk: Any) -> None:
    types = types_of("agent.v1")
    function = {
        "name": "get_weather",
        "description": "Return the weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
    settings = {
        "type": "Settings",
        "audio": {
            "input": {"encoding": "linear16", "sample_rate": 8000},
            "output": {"encoding": "linear16", "sample_rate": 8000, "container": "none"},
        },
        "agent": {
            "listen": {"provider": {"type": "deepgram", "version": "v1", "model": "nova-3"}},
            "think": {
                "provider": {"type": "open_ai", "model": "gpt-4o-mini"},
                "prompt": "Be brief.",
                "functions": [function],
            },
            "speak": {"provider": {"type": "deepgram", "model": "aura-2-thalia-en"}},
        },
    }
    seen: list[Any] = []
    async with sdk.agent.v1.connect() as agent:
        await agent.send_settings(types.AgentV1Settings(**settings))
        for _ in range(30):
            await agent.send_media(silence(0.1))
        async for message in agent:
            seen.append(message)
            match type(message).__name__:
                case "AgentV1FunctionCallRequest":
                    (call,) = message.functions
                    await agent.send_function_call_response(
                        types.AgentV1SendFunctionCallResponse(
                            type="FunctionCallResponse",
                            id=call.id,
                            name=call.name,
                            content="It is sunny.",
                        )
                    )
                case "AgentV1AgentAudioDone":
                    break
                case _:
                    pass
    said = [(m.role, m.content) for m in seen if type(m).__name__ == "AgentV1ConversationText"]
    assert said == [("user", WORDS), ("assistant", "It is sunny.")]
    assert {
        "AgentV1Welcome",
        "AgentV1SettingsApplied",
        "AgentV1UserStartedSpeaking",
        "AgentV1AgentThinking",
        "AgentV1FunctionCallRequest",
        "AgentV1AgentStartedSpeaking",
        "bytes",
        "AgentV1AgentAudioDone",
    } <= set(kinds(seen))
