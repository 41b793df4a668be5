"""Read by the type checkers, for what stands beside the calls; nothing here is sent."""

from collections.abc import AsyncGenerator, AsyncIterator
from inspect import isasyncgenfunction, iscoroutinefunction
from io import BytesIO
from typing import assert_type

from deepgram_async import (
    AgentStream,
    DeepgramSession,
    FluxStream,
    LiveStream,
    Speech,
    StreamStats,
    Tools,
)
from deepgram_async.audio import (
    AudioOptions,
    WavFormat,
    paced,
    piped,
    read_wav_format,
    wav_header,
)
from deepgram_async.emulator import (
    Emulator,
    OpenAiThinker,
    Recognizer,
    ScriptedRecognizer,
    Synthesizer,
    ThinkRequest,
    Thought,
    ToneSynthesizer,
    ToolCall,
    load_recognizer,
    load_synthesizer,
    think_by_rules,
)
from deepgram_async.models.agent import FunctionCall
from deepgram_async.models.agent_settings import Function


async def streams(live: LiveStream, flux: FluxStream, agent: AgentStream) -> None:
    assert_type(await live.open(), None)
    assert_type(live.is_open, bool)
    assert_type(live.audio_sent_s, float | None)
    assert_type(live.dropped_interims, int)
    assert_type(await flux.open(), None)
    assert_type(flux.is_open, bool)
    assert_type(flux.audio_sent_s, float | None)
    assert_type(flux.dropped_interims, int)
    assert_type(live.push(b"audio"), bool)
    assert_type(agent.push(b"audio"), bool)
    assert_type(live.stats(), StreamStats)
    assert_type(live.stats().lag_s, float | None)
    assert_type(await agent.open(), None)
    assert_type(agent.is_open, bool)
    assert_type(await agent.send_to_think_provider({"any": ["value"]}), None)


def open_streams(dg: DeepgramSession) -> list[StreamStats]:
    return [stream.stats() for stream in dg.streams]


async def answers(speech: Speech, tools: Tools, call: FunctionCall) -> None:
    assert_type(speech.model_name, str | None)
    assert_type(speech.content_type, str | None)
    assert_type(await tools.run(call), str)


async def audio(dg: DeepgramSession) -> None:
    async with paced("talk.wav", realtime=2.0) as source:
        assert_type(source.options, AudioOptions)
        assert_type(source.seconds_sent, float)
        assert_type(source.stop(), None)
        async for chunk in source:
            assert_type(chunk, bytes)
        async with dg.listen.live(model="nova-3", **source.options) as live:
            assert_type(live.transcribe(source), LiveStream)
    assert_type(piped(BytesIO()), AsyncGenerator[bytes, None])
    found = read_wav_format(BytesIO())
    assert_type(found, WavFormat)
    assert_type(found.duration_s, float | None)
    assert_type(wav_header(encoding="linear16", sample_rate=16000), bytes)


async def emulator() -> None:
    assert_type(load_recognizer("scripted"), Recognizer)
    recognizer = ScriptedRecognizer.from_text("Hello.")
    assert_type(recognizer, ScriptedRecognizer)
    assert_type(load_synthesizer("tone"), Synthesizer)
    async with Emulator(recognizer, synthesizer=ToneSynthesizer(), think=thinker) as local:
        assert_type(local, Emulator)
        assert_type(local.base_url, str)


async def thinker(request: ThinkRequest) -> AsyncIterator[str | ToolCall | Thought]:
    assert_type(request.prompt, str)
    assert_type(request.functions, list[Function])
    for thinking in (think_by_rules, OpenAiThinker("http://127.0.0.1/v1")):
        async for part in thinking(request):
            assert_type(part, str | ToolCall | Thought)
            yield part


def test_what_is_awaited_is_a_coroutine_function() -> None:
    assert iscoroutinefunction(LiveStream.open)
    assert iscoroutinefunction(Tools.run)
    assert isasyncgenfunction(piped)
