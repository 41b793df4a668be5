"""What becomes of audio when the network takes less of it than comes."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from deepgram_async import DeepgramSession, ReconnectPolicy, Results, StreamSettings, WhenFull
from deepgram_async._protocol.sockets import Close
from deepgram_async._stream.agent import AgentStream
from deepgram_async._stream.flux import FluxStream
from deepgram_async._stream.live import LiveStream
from deepgram_async._stream.tools import Tools
from deepgram_async.errors import ConfigurationError, ConnectionLostError, SendBufferFullError
from deepgram_async.models.flux import TurnInfo
from deepgram_async.models.live import Metadata
from tests.support.fake_websocket import FakeNetwork
from tests.support.flux import Flux
from tests.support.listen import metadata
from tests.support.speak import message

RATE = 100
RAW: Mapping[str, object] = {"encoding": "mulaw", "sample_rate": RATE}
FAST = ReconnectPolicy(first_delay_s=0.0, replay_speed=None)
CHUNKS = [bytes([number]) * 10 for number in range(8)]


def settings(when_full: WhenFull, reconnect: ReconnectPolicy | None = FAST) -> StreamSettings:
    return StreamSettings(
        when_full=when_full,
        send_buffer_bytes=30,
        reconnect=reconnect,
        keepalive_s=None,
        drain_timeout_s=0.2,
        close_timeout_s=0.2,
    )


def results(begin: float, end: float) -> str:
    """Return what the service says of a part of the audio of its connection: a word for 0.1 s."""
    words = [
        {"word": f"w{at}", "start": at / 10, "end": (at + 1) / 10, "confidence": 1}
        for at in range(round(begin * 10), round(end * 10))
    ]
    return json.dumps(
        {
            "type": "Results",
            "channel_index": [0, 1],
            "start": begin,
            "duration": end - begin,
            "is_final": True,
            "channel": {"alternatives": [{"transcript": "w", "confidence": 1, "words": words}]},
            "metadata": {"request_id": "r-1"},
        }
    )


@asynccontextmanager
async def opened(
    when_full: WhenFull, reconnect: ReconnectPolicy | None = FAST
) -> AsyncGenerator[tuple[LiveStream, FakeNetwork]]:
    network = FakeNetwork()
    live = LiveStream(network, RAW, settings(when_full, reconnect))
    await live.open()
    try:
        yield live, network
    finally:
        await live.aclose()


both = pytest.mark.parametrize("reconnect", [FAST, None], ids=["reconnecting", "once"])


async def next_result(live: LiveStream) -> Results:
    async for event in live:
        if isinstance(event, Results):
            return event
    raise AssertionError("no result came")


def start_of(words: Results) -> list[float]:
    return [word.start for word in words.words]


def sent(network: FakeNetwork) -> list[str | bytes]:
    return network.latest.frames


def unblock(network: FakeNetwork) -> None:
    network.latest.is_writable = True
    network.service.room_came()


# The policies.


@both
async def test_a_sender_waits_by_default(reconnect: ReconnectPolicy | None) -> None:
    async with opened("wait", reconnect) as (live, network):
        network.latest.is_writable = False
        for chunk in CHUNKS[:3]:
            await live.send_audio(chunk)
        waiting = asyncio.create_task(live.send_audio(CHUNKS[3]))
        await asyncio.sleep(0)
        assert not waiting.done()
        unblock(network)
        await waiting
        await asyncio.sleep(0.01)
        assert sent(network) == CHUNKS[:4]


@both
async def test_a_sender_that_does_not_want_to_wait_is_told(
    reconnect: ReconnectPolicy | None,
) -> None:
    async with opened("fail", reconnect) as (live, network):
        network.latest.is_writable = False
        for chunk in CHUNKS[:3]:
            await live.send_audio(chunk)
        with pytest.raises(SendBufferFullError, match="30 bytes of audio wait") as caught:
            await live.send_audio(CHUNKS[3])
        assert caught.value.retryable
        unblock(network)
        await live.send_audio(CHUNKS[4])
        await asyncio.sleep(0.01)
        assert sent(network) == [*CHUNKS[:3], CHUNKS[4]]


async def test_the_error_of_a_source_that_is_too_fast_is_raised_by_the_iteration() -> None:
    async with opened("fail") as (live, network):
        network.latest.is_writable = False
        live.start(CHUNKS)
        await asyncio.sleep(0.01)
        unblock(network)
        network.service.frame_received(results(0.0, 0.3))
        network.service.frame_received(metadata())
        network.service.socket_ended(Close(1000, ""))
        assert isinstance(await anext(live), Results)
        assert isinstance(await anext(live), Metadata)
        with pytest.raises(SendBufferFullError):
            await anext(live)
        assert sent(network)[:3] == CHUNKS[:3]


@both
async def test_the_oldest_audio_makes_room_and_no_message_does(
    reconnect: ReconnectPolicy | None,
) -> None:
    async with opened("drop_oldest", reconnect) as (live, network):
        network.latest.is_writable = False
        await live.send_audio(CHUNKS[0])
        await live.finalize()
        for chunk in CHUNKS[1:6]:
            await live.send_audio(chunk)
        unblock(network)
        assert sent(network) == ['{"type":"Finalize"}', *CHUNKS[4:6]]
        stats = live.stats()
        assert (stats.dropped_chunks, stats.dropped_bytes) == (4, 40)
        assert stats.dropped_s == pytest.approx(0.4)
        assert stats.audio_sent_s == pytest.approx(0.6)
        network.service.frame_received(results(0.0, 0.1))
        result = await next_result(live)
        assert (result.start, result.end) == (0.4, 0.5)


@both
async def test_times_count_what_was_left_out(reconnect: ReconnectPolicy | None) -> None:
    async with opened("drop_oldest", reconnect) as (live, network):
        await live.send_audio(CHUNKS[0])
        network.latest.is_writable = False
        for chunk in CHUNKS[1:6]:
            await live.send_audio(chunk)
        unblock(network)
        assert sent(network) == [CHUNKS[0], *CHUNKS[3:6]]
        network.service.frame_received(results(0.0, 0.4))
        result = await next_result(live)
        assert (result.start, result.end) == (0.0, 0.6)
        assert start_of(result) == [0.0, 0.3, 0.4, 0.5]
        stats = live.stats()
        assert stats.transcribed_s == stats.audio_sent_s == pytest.approx(0.6)
        assert stats.lag_s == 0.0


async def test_a_stream_that_may_not_reconnect_only_remembers() -> None:
    async with opened("drop_oldest", None) as (live, network):
        await live.send_audio(CHUNKS[0])
        network.service.socket_ended(Close(1011, "NET-0001"))
        with pytest.raises(ConnectionLostError, match="1011") as caught:
            await next_result(live)
        assert caught.value.attempts == 0
        assert len(network.connections) == 1


async def test_the_next_connection_is_told_the_same_times() -> None:
    async with opened("drop_oldest") as (live, network):
        await live.send_audio(CHUNKS[0])
        network.latest.is_writable = False
        for chunk in CHUNKS[1:6]:
            await live.send_audio(chunk)
        network.service.socket_ended(Close(1011, "NET-0001"))
        async with asyncio.timeout(5):
            while len(network.connections) < 2 or len(sent(network)) < 4:
                await asyncio.sleep(0.001)
        assert sent(network) == [CHUNKS[0], *CHUNKS[3:6]]
        network.service.frame_received(results(0.0, 0.4))
        assert start_of(await next_result(live)) == [0.0, 0.3, 0.4, 0.5]
        assert live.stats().reconnects == 1


async def test_while_there_is_no_connection_the_oldest_makes_room_in_the_memory() -> None:
    asked = asyncio.Event()
    go_on = asyncio.Event()

    async def hook(loss: object) -> None:
        asked.set()
        await go_on.wait()

    policy = ReconnectPolicy(first_delay_s=0.0, replay_speed=None, replay_bytes=30, on_loss=hook)
    async with opened("drop_oldest", policy) as (live, network):
        network.service.socket_ended(Close(1011, "NET-0001"))
        await asked.wait()
        for chunk in CHUNKS:
            await live.send_audio(chunk)
        assert live.stats().dropped_chunks == 5
        go_on.set()
        async with asyncio.timeout(5):
            while len(network.connections) < 2 or len(sent(network)) < 3:
                await asyncio.sleep(0.001)
        assert sent(network) == CHUNKS[5:]
        network.service.frame_received(results(0.0, 0.3))
        assert start_of(await next_result(live)) == [0.5, 0.6, 0.7]


async def test_samples_stay_whole_whatever_is_left_out() -> None:
    network = FakeNetwork()
    stereo = {"encoding": "linear16", "sample_rate": RATE, "channels": 2}
    live = LiveStream(network, stereo, settings("drop_oldest"))
    await live.open()
    network.latest.is_writable = False
    audio = bytes(range(200))
    for place in range(0, 200, 7):
        await live.send_audio(audio[place : place + 7])
    unblock(network)
    heard = b"".join(frame for frame in sent(network) if isinstance(frame, bytes))
    assert heard
    assert audio.endswith(heard)
    assert audio.index(heard) % 4 == 0
    await live.aclose()


async def test_turns_of_flux_count_what_was_left_out() -> None:
    network = FakeNetwork()
    flux = FluxStream(network, RAW, settings("drop_oldest"), validate=True)
    await flux.open()
    await flux.send_audio(CHUNKS[0])
    network.latest.is_writable = False
    for chunk in CHUNKS[1:6]:
        await flux.send_audio(chunk)
    unblock(network)
    said = json.loads(Flux().turn("EndOfTurn", "hello"))
    words = [{"word": "hello", "confidence": 1, "start": 0.2, "end": 0.4}]
    said |= {"audio_window_start": 0.0, "audio_window_end": 0.4, "words": words}
    network.service.frame_received(json.dumps(said))
    event = await anext(flux)
    assert isinstance(event, TurnInfo)
    assert (event.audio_window_start, event.audio_window_end) == (0.0, 0.6)
    assert (event.words[0].start, event.words[0].end) == (0.4, 0.6)
    await flux.aclose()


async def test_the_audio_for_an_agent_may_be_left_out_too() -> None:
    network = FakeNetwork()
    agent = AgentStream(
        network.connect,
        {"agent": {}, "audio": {"input": dict(RAW)}},
        Tools(),
        settings("drop_oldest"),
        validate=True,
    )
    opening = asyncio.create_task(agent.open())
    while not network.connections or network.latest.receiver is None:
        await asyncio.sleep(0)
    assert not agent.push(CHUNKS[0])
    network.service.frame_received(message("Welcome", request_id="r-1"))
    while not sent(network):
        await asyncio.sleep(0)
    network.service.frame_received(message("SettingsApplied"))
    await opening
    network.latest.is_writable = False
    for chunk in CHUNKS:
        await agent.send_audio(chunk)
    unblock(network)
    assert sent(network)[1:] == CHUNKS[5:]
    assert agent.stats().dropped_s == pytest.approx(0.5)
    await agent.aclose()


# What it is refused for.


@pytest.mark.parametrize("options", [{}, {"encoding": "opus", "sample_rate": 48000}])
async def test_audio_that_is_not_raw_is_never_left_out(options: dict[str, Any]) -> None:
    async with DeepgramSession("key", stream=settings("drop_oldest")) as dg:
        with pytest.raises(ConfigurationError, match="needs raw audio"):
            dg.listen.live(**options)


async def test_a_policy_that_does_not_exist_is_refused() -> None:
    broken = StreamSettings(when_full="drop_newest")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigurationError, match="when_full"):
        DeepgramSession("key", stream=broken)
