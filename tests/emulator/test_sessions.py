"""The SDK of this package, led through all sockets of the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from deepgram_async import DeepgramSession, ReconnectPolicy, StreamSettings, Tools
from deepgram_async.emulator import (
    Emulator,
    EmulatorSettings,
    ScriptedRecognizer,
    ServiceFault,
    ToneSynthesizer,
)
from deepgram_async.errors import AgentError, BadRequestError, ConfigureError
from deepgram_async.models.agent import (
    AgentAudioDone,
    Audio,
    ConversationText,
    UserStartedSpeaking,
)
from deepgram_async.models.agent_settings import (
    Agent,
    DeepgramListenProviderV2,
    Input,
    Listen,
    Settings,
    Think,
)
from deepgram_async.models.agent_settings import Audio as Formats
from deepgram_async.models.events import Reconnected
from deepgram_async.models.speak_flux import SpeechInterrupted

from .helpers import RATE, bounded, silence

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

RAW: dict[str, Any] = {"encoding": "linear16", "sample_rate": RATE}
HEARD = ScriptedRecognizer(
    [("What", 0.3, 0.5), ("is", 0.5, 0.7), ("the", 0.7, 0.8), ("weather", 0.8, 1.2),
     ("in", 1.2, 1.3), ("Oslo?", 1.3, 1.8), ("Hello?", 3.5, 4.0)]
)  # fmt: skip
WORDS = "What is the weather in Oslo?"
WRONG_ON_PURPOSE = (
    "400: Bad Request: there is no model flux-general-xx.",
    "UNPARSABLE_CLIENT_MESSAGE: Error parsing client message. Check the agent.tags field",
)


@pytest_asyncio.fixture
async def emulator() -> AsyncGenerator[Emulator]:
    settings = EmulatorSettings(agent_lead_s=None, strict=True)
    async with Emulator(HEARD, settings, synthesizer=ToneSynthesizer()) as running:
        yield running
    # What the tests do wrong on purpose, and nothing else.
    wrong = [it.what for it in running.deviations if not it.is_note]
    assert [what for what in wrong if not what.startswith(WRONG_ON_PURPOSE)] == []


@pytest_asyncio.fixture
async def dg(emulator: Emulator) -> AsyncGenerator[DeepgramSession]:
    soon = StreamSettings(reconnect=ReconnectPolicy(first_delay_s=0.01, longest_delay_s=0.05))
    async with DeepgramSession("a-key", base_url=emulator.base_url, stream=soon) as session:
        yield session


async def audio(seconds: float) -> AsyncIterator[bytes]:
    for _ in range(round(seconds / 0.1)):
        yield silence(0.1)


async def words(text: str) -> AsyncIterator[str]:
    for word in text.split(" "):
        yield f"{word} "


@bounded
async def test_flux_hears_turns_in_order(dg: DeepgramSession) -> None:
    async with dg.listen.flux(model="flux-general-en", eager_eot_threshold=0.5, **RAW) as flux:
        flux.start(audio(6.0))
        turns = [turn.transcript async for turn in flux.turns()]
    assert turns == [WORDS, "Hello?"]
    assert list(flux.irregularities) == []


@bounded
async def test_flux_is_configured_and_forced(dg: DeepgramSession) -> None:
    async with dg.listen.flux(model="flux-general-en", **RAW) as flux:
        with pytest.raises(BadRequestError):
            async with dg.listen.flux(model="flux-general-xx", **RAW):
                pass
        done = await flux.configure(eot_timeout_ms=700, keyterms=["Oslo"])
        assert done.keyterms == ["Oslo"]
        await flux.send_audio(silence(1.9))
        await flux.force_end_turn()
        await flux.close_stream()
        ends = [event async for event in flux if getattr(event, "event", "") == "EndOfTurn"]
    assert [(end.transcript, end.trigger) for end in ends] == [(WORDS, "manual")]  # type: ignore[union-attr]  # ends are turns


@bounded
async def test_a_flux_stream_outlives_its_connection(
    emulator: Emulator, dg: DeepgramSession
) -> None:
    emulator.inject(ServiceFault(kind="cut", path="/v2/listen", after_audio_bytes=8_000))
    async with dg.listen.flux(model="flux-general-en", **RAW) as flux:
        events = [event async for event in flux.transcribe(audio(3.0))]
    assert any(isinstance(event, Reconnected) for event in events)
    ends = [event for event in events if getattr(event, "event", "") == "EndOfTurn"]
    assert [end.transcript for end in ends] == [WORDS]  # type: ignore[union-attr]  # ends are turns


@pytest.mark.parametrize("kind", ["live", "flux"])
@bounded
async def test_speech_is_streamed(dg: DeepgramSession, kind: str) -> None:
    stream: Any = (
        dg.speak.live(model="aura-2-thalia-en")
        if kind == "live"
        else dg.speak.flux.live(model="flux-kit-en")
    )
    async with stream as speech:
        spoken = [part async for part in speech.speak(words("Hello there. How are you?"))]
    heard = b"".join(part for part in spoken if isinstance(part, bytes))
    assert len(heard) == len("Hello there. How are you? ") * 0.05 * 48000


@pytest.mark.parametrize("kind", ["live", "flux"])
@bounded
async def test_a_stream_of_speech_outlives_its_connection(
    emulator: Emulator, dg: DeepgramSession, kind: str
) -> None:
    stream: Any = (
        dg.speak.live(model="aura-2-thalia-en")
        if kind == "live"
        else dg.speak.flux.live(model="flux-kit-en")
    )
    emulator.inject(ServiceFault(kind="cut", after_messages=6))
    async with stream as speech:
        spoken = [part async for part in speech.speak(words("Hello there. How are you?"))]
    heard = b"".join(part for part in spoken if isinstance(part, bytes))
    assert len(heard) == len("Hello there. How are you? ") * 0.05 * 48000


@bounded
async def test_speech_is_cleared_interrupted_and_configured(dg: DeepgramSession) -> None:
    async with dg.speak.live(model="aura-2-thalia-en") as speech:
        await speech.send_text("Never mind")
        await speech.clear()
        await speech.send_text("Hello.")
        await speech.flush()
    async with dg.speak.flux.live(model="flux-kit-en") as turns:
        await turns.configure(speed=1.25)
        await turns.send_text("Never mind")
        assert isinstance(await turns.interrupt(), SpeechInterrupted)


@bounded
async def test_the_service_refuses_a_speed_that_was_not_checked(emulator: Emulator) -> None:
    async with DeepgramSession("a-key", base_url=emulator.base_url, validate=False) as dg:
        async with dg.speak.flux.live(model="flux-kit-en") as turns:
            with pytest.raises(ConfigureError, match=r"0\.5 to 1\.5"):
                await turns.configure(speed=3.0)


tools = Tools()


@tools.tool
async def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"It is sunny in {city}."


def agent_settings(**agent: Any) -> Settings:
    return Settings(
        audio=Formats(input=Input(encoding="linear16", sample_rate=RATE)),
        agent=Agent(think=Think(prompt="Be brief."), **agent),
    )


@bounded
async def test_an_agent_calls_a_function_of_this_program(dg: DeepgramSession) -> None:
    listen = Listen(provider=DeepgramListenProviderV2(model="flux-general-en"))
    async with dg.agent.converse(agent_settings(listen=listen), tools=tools) as agent:
        await agent.send_audio(silence(3.0))
        events: list[Any] = []
        async for event in agent:
            events.append(event)
            if isinstance(event, AgentAudioDone):
                break
    said = [(e.role, e.content) for e in events if isinstance(e, ConversationText)]
    assert said == [("user", WORDS), ("assistant", "It is sunny in Oslo.")]
    assert any(isinstance(event, UserStartedSpeaking) for event in events)
    assert sum(len(e.data) for e in events if isinstance(e, Audio)) == 20 * 0.05 * 48000


@bounded
async def test_an_agent_confirms_changes_and_injected_messages(dg: DeepgramSession) -> None:
    async with dg.agent.converse(agent_settings(greeting="Hi!"), tools=tools) as agent:
        await agent.update_prompt("Be kind.")
        await agent.update_think(Think(prompt="Be somebody else."))
        await agent.inject_user_message("Hello there.")
        async for event in agent:
            if isinstance(event, ConversationText) and event.content == "How can I help you?":
                break


@bounded
async def test_settings_that_are_refused_raise(dg: DeepgramSession) -> None:
    with pytest.raises(AgentError, match=r"agent\.tags") as refused:
        async with dg.agent.converse({"type": "Settings", "agent": {"tags": []}}):
            pass
    assert refused.value.code == "UNPARSABLE_CLIENT_MESSAGE"


@bounded
async def test_a_conversation_outlives_its_connection(
    emulator: Emulator, dg: DeepgramSession
) -> None:
    # Right behind the first answer.
    emulator.inject(ServiceFault(kind="cut", path="/v1/agent/converse", after_messages=13))
    async with dg.agent.converse(agent_settings(greeting="Hi!"), tools=tools) as agent:
        await agent.inject_user_message("Hello there.")
        events: list[Any] = []
        async for event in agent:
            events.append(event)
            if isinstance(event, Reconnected):
                await agent.inject_user_message("My dog is brown.")
            if isinstance(event, ConversationText) and event.content.startswith("You said"):
                break
    greetings = [e for e in events if isinstance(e, ConversationText) and e.content == "Hi!"]
    assert len(greetings) == 1
