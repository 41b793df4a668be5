"""Audio from other threads: never waiting, in order, bounded."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from deepgram_async import DeepgramSession, ReconnectPolicy, StreamSettings, WhenFull
from deepgram_async._stream.live import LiveStream
from deepgram_async.errors import AudioSourceError
from tests.support.fake_websocket import FakeNetwork
from tests.support.recognizing import RATE, Recognizer, audio
from tests.support.servers import websocket_server

RAW = {"encoding": "mulaw", "sample_rate": RATE}
CHUNKS = [bytes([number]) * 10 for number in range(8)]


@asynccontextmanager
async def opened(
    when_full: WhenFull = "wait", *, reconnect: ReconnectPolicy | None = None
) -> AsyncGenerator[tuple[LiveStream, FakeNetwork]]:
    network = FakeNetwork()
    settings = StreamSettings(
        when_full=when_full,
        send_buffer_bytes=30,
        reconnect=reconnect,
        keepalive_s=None,
        close_timeout_s=0.2,
        drain_timeout_s=0.1,
    )
    live = LiveStream(network, RAW, settings)
    await live.open()
    try:
        yield live, network
    finally:
        await live.aclose()


def in_a_thread(work: Callable[[], Any]) -> Any:
    """Run something in another thread while the event loop stands still."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    thread.start()
    thread.join()
    return answers[0]


def pushed(live: LiveStream, *chunks: bytes) -> list[bool]:
    answers: list[bool] = in_a_thread(lambda: [live.push(chunk) for chunk in chunks])
    return answers


async def settled() -> None:
    await asyncio.sleep(0.005)


@pytest.mark.parametrize("reconnect", [ReconnectPolicy(), None], ids=["reconnecting", "once"])
async def test_what_a_thread_pushes_is_sent_in_its_order(
    reconnect: ReconnectPolicy | None,
) -> None:
    async with opened(reconnect=reconnect) as (live, network):
        assert pushed(live, *CHUNKS[:3]) == [True] * 3
        await settled()
        assert pushed(live, CHUNKS[3]) == [True]
        assert live.push(CHUNKS[4])
        await settled()
        assert network.latest.frames == CHUNKS[:5]
        assert live.stats().dropped_chunks == 0


async def test_what_the_loop_has_not_taken_over_is_bounded() -> None:
    async with opened() as (live, network):
        assert pushed(live, *CHUNKS[:5]) == [True, True, True, False, False]
        await settled()
        assert network.latest.frames == CHUNKS[:3]
        stats = live.stats()
        assert (stats.dropped_chunks, stats.dropped_bytes) == (2, 20)
        assert stats.dropped_s == pytest.approx(0.2)


async def test_a_full_queue_refuses_and_takes_again_when_there_is_room() -> None:
    async with opened() as (live, network):
        network.latest.is_writable = False
        for chunk in CHUNKS[:3]:
            assert live.push(chunk)
        await settled()
        assert pushed(live, CHUNKS[3]) == [False]
        network.latest.is_writable = True
        network.service.room_came()
        assert pushed(live, CHUNKS[4]) == [True]
        await settled()
        assert network.latest.frames == [*CHUNKS[:3], CHUNKS[4]]


@pytest.mark.parametrize("reconnect", [ReconnectPolicy(), None], ids=["reconnecting", "once"])
async def test_the_oldest_goes_where_it_is_to_be_dropped(
    reconnect: ReconnectPolicy | None,
) -> None:
    async with opened("drop_oldest", reconnect=reconnect) as (live, network):
        network.latest.is_writable = False
        for chunk in CHUNKS:
            assert live.push(chunk)
            await settled()
        network.latest.is_writable = True
        network.service.room_came()
        assert network.latest.frames == CHUNKS[5:]
        assert live.stats().dropped_chunks == 5
        assert live.stats().audio_sent_s == pytest.approx(0.8)


async def test_the_oldest_goes_also_when_the_loop_is_busy() -> None:
    async with opened("drop_oldest") as (live, network):
        assert all(pushed(live, *CHUNKS))
        await settled()
        assert network.latest.frames == CHUNKS[5:]
        stats = live.stats()
        assert stats.dropped_chunks == 5
        assert stats.audio_sent_s == pytest.approx(0.8)


async def test_audio_that_was_pushed_comes_before_the_end() -> None:
    async with opened() as (live, network):
        pushed(live, CHUNKS[0])
        await live.finalize()
        pushed(live, CHUNKS[1])
        await live.close_stream()
        await settled()
        finalize, close = '{"type":"Finalize"}', '{"type":"CloseStream"}'
        assert network.latest.frames == [CHUNKS[0], finalize, CHUNKS[1], close]
        assert pushed(live, CHUNKS[2]) == [False]


async def test_finishing_sends_what_was_pushed() -> None:
    async with opened() as (live, network):
        pushed(live, CHUNKS[0])
        finishing = asyncio.create_task(live.finish())
        await settled()
        assert network.latest.frames == [CHUNKS[0], '{"type":"CloseStream"}']
        finishing.cancel()


async def test_a_stream_that_is_not_open_takes_nothing() -> None:
    live = LiveStream(FakeNetwork(), RAW, StreamSettings())
    assert pushed(live, CHUNKS[0]) == [False]
    async with opened() as (live, network):
        pass
    assert pushed(live, CHUNKS[0]) == [False]
    await settled()
    assert network.latest.frames == []


async def test_what_was_pushed_just_before_the_end_counts_as_dropped() -> None:
    async with opened() as (live, _):
        assert pushed(live, CHUNKS[0]) == [True]
        await live.aclose()
        await settled()
        assert live.stats().dropped_chunks == 1


def test_a_loop_that_is_closed_takes_nothing() -> None:
    async def make() -> LiveStream:
        async with opened() as (live, _):
            return live

    assert not asyncio.run(make()).push(CHUNKS[0])


async def test_what_is_not_audio_is_an_error_and_no_audio_is_none() -> None:
    async with opened() as (live, network):
        with pytest.raises(AudioSourceError, match="not str"):
            live.push("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert live.push(b"")
        assert live.push(bytearray(CHUNKS[0]))
        assert live.push(memoryview(CHUNKS[1]))
        await settled()
        assert network.latest.frames == CHUNKS[:2]


async def test_a_thread_and_a_service_agree_on_every_sample() -> None:
    data = audio(20.0)
    server = Recognizer()
    server.break_after(0, 7.3)
    settings = StreamSettings(reconnect=ReconnectPolicy(first_delay_s=0.0, replay_speed=None))

    def record(live: LiveStream) -> None:
        for place in range(0, len(data), 10):
            while not live.push(data[place : place + 10]):
                pass

    async with (
        websocket_server(server) as url,
        DeepgramSession("key", base_url=url, stream=settings) as dg,
    ):
        live = dg.listen.live(encoding="mulaw", sample_rate=RATE)
        async with live:
            await asyncio.to_thread(record, live)
        events = [event async for event in live]
    assert events
    first, second = server.heard
    assert data.startswith(first)
    assert data.endswith(second)
    assert len(first) + len(second) >= len(data)
    assert live.stats().transcribed_s == pytest.approx(20.0)
