"""A stream tells how it is doing."""

import asyncio

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import DeepgramSession, ReconnectPolicy, StreamSettings, StreamStats
from tests.support.listen import final, interim
from tests.support.recognizing import RATE, Recognizer, audio
from tests.support.servers import websocket_server
from tests.support.speak import aura, message

FAST = ReconnectPolicy(first_delay_s=0.0, replay_speed=None)


@pytest.mark.parametrize("reconnect", [FAST, None], ids=["reconnecting", "once"])
async def test_a_transcription_tells_how_far_it_is(reconnect: ReconnectPolicy | None) -> None:
    server = Recognizer(final_s=1.0)
    settings = StreamSettings(reconnect=reconnect)
    async with (
        websocket_server(server) as url,
        DeepgramSession("key", base_url=url, stream=settings) as dg,
    ):
        live = dg.listen.live(encoding="mulaw", sample_rate=RATE)
        new = live.stats()
        assert (new.open_s, new.request_id, new.queued_bytes) == (0.0, None, 0)
        async with live:
            assert live.stats().first_result_s is None
            await live.send_audio(audio(2.5))
            while live.stats().transcribed_s != 2.0:
                await asyncio.sleep(0.001)
            stats = live.stats()
            assert (stats.queued_bytes, stats.queued_s) == (0, 0.0)
            assert (stats.audio_sent_s, stats.lag_s) == (2.5, 0.5)
            assert stats.first_result_s is not None
            assert 0 <= stats.first_result_s <= stats.open_s  # a loop may count milliseconds
            assert stats.waiting_events >= 2
            assert [stream.stats().audio_sent_s for stream in dg.streams] == [2.5]
        ended = live.stats()
        assert ended.transcribed_s == 2.5
        assert ended.lag_s == 0.0
        await asyncio.sleep(0.002)
        assert live.stats().open_s == ended.open_s
        assert not dg.streams


async def test_the_numbers_of_a_stream_outlive_its_connections() -> None:
    server = Recognizer()
    server.break_after(0, 1.5)
    async with (
        websocket_server(server) as url,
        DeepgramSession("key", base_url=url, stream=StreamSettings(reconnect=FAST)) as dg,
        dg.listen.live(encoding="mulaw", sample_rate=RATE) as live,
    ):
        await live.send_audio(audio(1.5))
        while live.stats().reconnects != 1:
            await asyncio.sleep(0.001)
        await live.send_audio(audio(1.5))
        await live.finish()
        stats = live.stats()
        assert stats.transcribed_s == stats.audio_sent_s == 3.0
        assert stats.first_result_s is not None
        assert stats.dropped_s == 0.0


async def test_only_raw_audio_has_seconds() -> None:
    async with (
        websocket_server(Recognizer()) as url,
        DeepgramSession("key", base_url=url) as dg,
        dg.listen.live() as live,
    ):
        await live.send_audio(bytes(100))
        stats = live.stats()
        assert (stats.queued_s, stats.audio_sent_s, stats.lag_s, stats.dropped_s) == (None,) * 4


async def test_interims_that_nobody_took_are_counted() -> None:
    async def chatty(connection: ServerConnection) -> None:
        for number in range(20):
            await connection.send(interim(f"word {number}"))
        await connection.send(final("words"))
        async for _ in connection:
            pass

    settings = StreamSettings(event_buffer=5, drain_timeout_s=0.1)
    async with (
        websocket_server(chatty) as url,
        DeepgramSession("key", base_url=url, stream=settings) as dg,
        dg.listen.live() as live,
    ):
        while live.stats().transcribed_s == 0.0:
            await asyncio.sleep(0.001)
        stats = live.stats()
        assert (stats.waiting_events, stats.dropped_interims) == (5, 16)


async def test_speech_has_no_seconds_of_audio() -> None:
    async with (
        websocket_server(aura([])) as url,
        DeepgramSession("key", base_url=url) as dg,
        dg.speak.live(model="aura-2-thalia-en") as stream,
    ):
        await stream.send_text("Hello.")
        await stream.flush()
        stats = stream.stats()
        assert (stats.queued_bytes, stats.audio_sent_s, stats.transcribed_s) == (0, None, None)
        assert stats.waiting_events == 3
        assert next(stream.stats() for stream in dg.streams).open_s > 0


async def test_an_agent_tells_what_it_was_sent() -> None:
    async def listening(connection: ServerConnection) -> None:
        await connection.send(message("Welcome", request_id="r-1"))
        await connection.recv()
        await connection.send(message("SettingsApplied"))
        async for _ in connection:
            pass

    async with (
        websocket_server(listening) as url,
        DeepgramSession("key", base_url=url) as dg,
        dg.agent.converse() as agent,
    ):
        assert agent.push(bytes(48000))
        assert agent.stats().queued_s == 1.0
        while agent.stats().queued_bytes:
            await asyncio.sleep(0.001)
        stats = agent.stats()
        assert (stats.audio_sent_s, stats.dropped_s, stats.transcribed_s) == (1.0, 0.0, None)
        assert stats.request_id == "r-1"


def test_stats_are_plain_values() -> None:
    stats = StreamStats(request_id="r-1", open_s=1.0, queued_bytes=0)
    assert msgspec.to_builtins(stats)["request_id"] == "r-1"
    assert stats == msgspec.convert(msgspec.to_builtins(stats), StreamStats)
