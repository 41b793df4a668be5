"""Real speech out and in: what the emulator says is what it hears, and agents talk by ear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jiwer
import pytest
import pytest_asyncio

from deepgram_async import DeepgramSession, StreamSettings, Tools
from deepgram_async.audio import paced
from deepgram_async.emulator import Emulator, EmulatorSettings, HibariSynthesizer, WhisperRecognizer
from deepgram_async.models.agent import AgentAudioDone, Audio, ConversationText
from deepgram_async.models.agent_settings import Agent, Input, Settings, Think
from deepgram_async.models.agent_settings import Audio as Formats
from tests.support.speech import RECORDING, WORST, plain, word_error_rate

from .helpers import bounded, wav

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.real

TEXT = (
    "Good morning. The train to the mountains leaves at the usual time, and the weather will stay"
    " warm and dry for the rest of the week. Please bring your own lunch and a good book."
)
# Measured: 0 %. The bound leaves room for other builds of both engines.
WORST_ROUND_TRIP = 0.1


Engines = tuple[WhisperRecognizer, HibariSynthesizer]


@pytest.fixture(scope="module")
def engines() -> Engines:
    pytest.importorskip("faster_whisper")
    pytest.importorskip("hibari")
    return WhisperRecognizer(), HibariSynthesizer()


@pytest_asyncio.fixture
async def dg(
    engines: tuple[WhisperRecognizer, HibariSynthesizer],
) -> AsyncGenerator[DeepgramSession]:
    recognizer, synthesizer = engines
    settings = EmulatorSettings(agent_lead_s=None)
    # The last utterance may take long to recognise on a busy machine.
    patient = StreamSettings(drain_timeout_s=60)
    async with (
        Emulator(recognizer, settings, synthesizer=synthesizer) as emulator,
        DeepgramSession("any-key", base_url=emulator.base_url, stream=patient) as session,
    ):
        yield session


FORMS: list[dict[str, Any]] = [
    {"encoding": "linear16"},
    {"encoding": "mulaw", "sample_rate": 8000},
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["encoding"])
@bounded
async def test_what_is_spoken_is_heard(dg: DeepgramSession, form: dict[str, Any]) -> None:
    async with dg.speak.generate(TEXT, model="aura-2-thalia-en", **form) as speech:
        audio = await speech.read()
    answer = await dg.listen.transcribe(audio, model="nova-3", smart_format=True)
    assert jiwer.wer(plain(TEXT), plain(answer.transcript)) <= WORST_ROUND_TRIP


async def test_turns_of_a_recording_are_its_text(dg: DeepgramSession) -> None:
    async with (
        paced(RECORDING, realtime=4.0) as audio,
        dg.listen.flux(model="flux-general-en", encoding="linear16", sample_rate=16000) as flux,
    ):
        flux.start(audio)
        turns = [turn.transcript async for turn in flux.turns()]
    assert word_error_rate(" ".join(turns)) <= WORST
    assert list(flux.irregularities) == []


tools = Tools()


@tools.tool
async def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"The weather in {city} is sunny."


@bounded
async def test_an_agent_is_asked_by_voice_and_answers_by_voice(dg: DeepgramSession) -> None:
    async with dg.speak.generate(
        "What is the weather in London?",
        model="aura-2-thalia-en",
        encoding="linear16",
        container="none",
        sample_rate=16000,
    ) as speech:
        question = await speech.read()
    settings = Settings(
        audio=Formats(input=Input(encoding="linear16", sample_rate=16000)),
        agent=Agent(think=Think(prompt="Be brief.")),
    )
    answer = bytearray()
    said: list[tuple[str, str]] = []
    async with dg.agent.converse(settings, tools=tools) as agent:
        await agent.send_audio(question)
        await agent.send_audio(bytes(16000 * 2 * 3))
        async for event in agent:
            match event:
                case ConversationText():
                    said.append((event.role, event.content))
                case Audio():
                    answer += event.data
                case AgentAudioDone():
                    break
                case _:
                    pass
    assert [(role, plain(content)) for role, content in said] == [
        ("user", "what is the weather in london"),
        ("assistant", "the weather in london is sunny"),
    ]
    heard = await dg.listen.transcribe(wav(bytes(answer), rate=24000), model="nova-3")
    assert plain(heard.transcript) == "the weather in london is sunny"
