"""The short way of audio: taken when nothing is in the way, and never past anything."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from deepgram_async import ReconnectPolicy, StreamSettings
from deepgram_async._protocol.listen_v1 import ListenV1Core
from deepgram_async._protocol.sockets import Close
from deepgram_async._stream.connection import Connection
from deepgram_async._stream.lane import BURST_S, Lane
from deepgram_async._stream.live import LiveStream
from deepgram_async.errors import AudioSourceError, InvalidStateError
from deepgram_async.models.events import Reconnected
from tests.support.fake_websocket import FakeNetwork, FakeWebSocket
from tests.support.listen import final

LINEAR = {"encoding": "linear16", "sample_rate": 16000}
CHUNK = bytes(640)
SOON_S = 10.0


@asynccontextmanager
async def opened(
    settings: StreamSettings | None = None,
) -> AsyncGenerator[tuple[LiveStream, FakeNetwork, Lane]]:
    network = FakeNetwork()
    stream = LiveStream(network, LINEAR, settings or StreamSettings(keepalive_s=None))
    await stream.open()
    try:
        yield stream, network, stream._lane  # pyright: ignore[reportPrivateUsage]
    finally:
        await stream.aclose()


async def pause() -> None:
    """Let more time pass than lies between the frames of a burst."""
    await asyncio.sleep(2 * BURST_S)


@pytest.mark.parametrize("reconnect", [None, ReconnectPolicy()])
async def test_the_lane_opens_behind_the_first_chunk(reconnect: ReconnectPolicy | None) -> None:
    async with opened(StreamSettings(reconnect=reconnect)) as (stream, network, lane):
        assert not lane.send(CHUNK)
        await stream.send_audio(CHUNK)
        await pause()
        assert lane.send(CHUNK)
        await pause()
        await stream.send_audio(CHUNK)
        assert network.latest.frames == [CHUNK] * 3
        assert stream.audio_sent_s == 0.06


async def test_a_burst_takes_the_long_way_and_shares_its_writes() -> None:
    async with opened() as (stream, network, _):
        for _ in range(100):
            await stream.send_audio(CHUNK)
        await pause()
        assert network.latest.frames == [CHUNK] * 100
        assert len(network.latest.writes) < 50


async def test_a_message_goes_out_between_the_chunks_it_was_put_between() -> None:
    async with opened() as (stream, network, lane):
        await stream.send_audio(b"first")
        await pause()
        await stream.send_audio(b"second")
        await stream.finalize()
        assert not lane.send(b"never")
        await pause()
        await stream.send_audio(b"third")
        await pause()
        assert lane.send(b"fourth")
        assert network.latest.frames == [
            b"first",
            b"second",
            '{"type":"Finalize"}',
            b"third",
            b"fourth",
        ]


async def test_no_chunk_overtakes_what_waits_for_the_peer() -> None:
    async with opened() as (stream, network, lane):
        await stream.send_audio(b"first")
        await pause()
        network.latest.is_writable = False
        assert not lane.send(b"never")
        await stream.send_audio(b"second")
        network.latest.is_writable = True
        await pause()
        assert not lane.send(b"never")
        network.service.room_came()
        await pause()
        assert lane.send(b"third")
        assert network.latest.frames == [b"first", b"second", b"third"]


async def test_what_is_no_audio_is_refused_as_on_the_long_way() -> None:
    async with opened() as (stream, network, _):
        await stream.send_audio(CHUNK)
        await pause()
        with pytest.raises(AudioSourceError, match="empty"):
            await stream.send_audio(b"")
        with pytest.raises(AudioSourceError, match="not str"):
            await stream.send_audio("words")  # type: ignore[arg-type]
        buffer = bytearray(CHUNK)
        await stream.send_audio(buffer)
        buffer[0] = 1
        assert network.latest.frames == [CHUNK] * 2


async def test_nothing_follows_the_closing_message() -> None:
    async with opened() as (stream, network, lane):
        await stream.send_audio(CHUNK)
        await pause()
        await stream.close_stream()
        await pause()
        assert not lane.send(CHUNK)
        with pytest.raises(InvalidStateError):
            await stream.send_audio(CHUNK)
        assert network.latest.frames == [CHUNK, '{"type":"CloseStream"}']


async def test_a_closed_stream_takes_nothing() -> None:
    async with opened() as (stream, network, lane):
        await stream.send_audio(CHUNK)
        await pause()
        await stream.aclose()
        assert not lane.send(CHUNK)
        with pytest.raises(InvalidStateError):
            await stream.send_audio(CHUNK)
        assert network.latest.frames == [CHUNK]


async def test_audio_of_the_lane_is_said_again_on_the_next_connection() -> None:
    policy = ReconnectPolicy(first_delay_s=0.001, replay_speed=None)
    settings = StreamSettings(keepalive_s=None, reconnect=policy)
    async with opened(settings) as (stream, network, lane):
        chunks = [bytes([number]) * 32000 for number in range(5)]
        await stream.send_audio(chunks[0])
        for chunk in chunks[1:3]:
            await pause()
            assert lane.send(chunk)
        network.service.frame_received(final("one"))  # it covers the first second
        network.service.socket_ended(Close(1011, "NET-0001"))
        assert not lane.send(chunks[3])
        await stream.send_audio(chunks[3])
        async with asyncio.timeout(SOON_S):
            async for event in stream:
                if isinstance(event, Reconnected):
                    break
            while not network.latest.frames[2:]:
                await asyncio.sleep(0)
        await pause()
        await stream.send_audio(chunks[4])
        assert len(network.connections) == 2
        assert network.latest.frames == chunks[1:]
        await pause()
        assert lane.send(CHUNK)
        assert stream.audio_sent_s == pytest.approx(5.02)


async def test_audio_of_the_lane_puts_the_keepalive_off() -> None:
    core = ListenV1Core(LINEAR, now=0.0, keepalive_s=4.0)
    settings = StreamSettings(keepalive_s=4.0)
    connection = Connection(core, FakeWebSocket(), settings, Silence())
    connection.start()
    assert connection.offer(CHUNK)
    await pause()
    before = core.deadline
    assert connection.lane.send(CHUNK)
    assert connection.audio_sent_s == 0.04
    assert before is not None
    assert core.deadline == connection.lane.put_at + 4.0 > before
    await connection.aclose()


class Silence:
    """Takes what a connection brings, which is nothing here."""

    def take(self, event: object) -> None:
        raise AssertionError(event)

    def ended(self, error: Exception | None) -> None:
        raise AssertionError(error)
