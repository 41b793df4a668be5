"""A peer that stops answering is found in bounded time, and never delays a close."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import DeepgramSession, LiveStream, StreamSettings
from deepgram_async.errors import ConnectionLostError, OperationTimeoutError
from tests.support.servers import websocket_server
from tests.support.sink import sink_process

BLOCK = b"\1" * 65536
# Far below the default of 15 s; the tests allow two seconds more for a busy machine.
SETTINGS = StreamSettings(dead_peer_s=1.0, close_timeout_s=0.5, open_timeout_s=0.5, reconnect=None)


def session(url: str) -> DeepgramSession:
    return DeepgramSession(api_key="sentinel", base_url=url, stream=SETTINGS)


async def send_until_it_blocks(live: LiveStream) -> None:
    while True:
        await live.send_audio(BLOCK)


async def test_an_idle_stream_notices_a_frozen_peer() -> None:
    async with sink_process() as sink, session(sink.url) as dg:
        with pytest.raises(ConnectionLostError) as caught:
            async with dg.listen.live() as live:
                sink.stop()
                async with asyncio.timeout(SETTINGS.dead_peer_s + SETTINGS.close_timeout_s + 2):
                    async for _ in live:
                        pass
        assert caught.value.close_code == 1006
        assert "ping" in caught.value.close_reason


async def test_a_sending_stream_notices_a_frozen_peer() -> None:
    async with sink_process() as sink, session(sink.url) as dg:
        with pytest.raises(ConnectionLostError) as caught:
            async with dg.listen.live() as live:
                sink.stop()
                async with asyncio.timeout(SETTINGS.dead_peer_s + SETTINGS.close_timeout_s + 2):
                    await send_until_it_blocks(live)
        assert caught.value.close_code == 1006


@pytest.mark.parametrize("is_sending", [False, True])
async def test_a_cancelled_user_of_a_frozen_peer_is_free_at_once(is_sending: bool) -> None:
    frozen = asyncio.Event()

    async def use(url: str) -> None:
        async with session(url) as dg, dg.listen.live() as live:
            sink.stop()
            frozen.set()
            if is_sending:
                await send_until_it_blocks(live)
            async for _ in live:
                pass

    async with sink_process() as sink:
        user = asyncio.create_task(use(sink.url))
        await frozen.wait()
        await asyncio.sleep(0.2)  # the socket's buffers fill
        user.cancel()
        async with asyncio.timeout(2):
            await asyncio.wait([user])
        assert user.cancelled()


async def test_leaving_a_frozen_peer_regularly_ends_in_the_drain_timeout() -> None:
    settings = StreamSettings(dead_peer_s=30, drain_timeout_s=0.5, close_timeout_s=0.5)
    async with (
        sink_process() as sink,
        DeepgramSession(api_key="sentinel", base_url=sink.url, stream=settings) as dg,
    ):
        async with asyncio.timeout(0.5 + 0.5 + 1):
            async with dg.listen.live() as live:
                await live.send_audio(BLOCK)
                sink.stop()
        assert live.drain_timed_out


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_a_handshake_that_is_not_answered_ends_in_the_open_timeout(silent_port: int) -> None:
    async with session(f"http://127.0.0.1:{silent_port}") as dg, asyncio.timeout(2.5):
        with pytest.raises(OperationTimeoutError, match=r"handshake was not answered for 0\.5 s"):
            await dg.listen.live().open()


async def test_cancelling_a_handshake_leaves_nothing(silent_port: int) -> None:
    async with session(f"http://127.0.0.1:{silent_port}") as dg:
        opening = asyncio.create_task(dg.listen.live().open())
        await asyncio.sleep(0.1)
        opening.cancel()
        async with asyncio.timeout(2):
            await asyncio.wait([opening])
        assert opening.cancelled()


async def test_a_peer_that_closes_and_stays_is_left_after_the_close_timeout() -> None:
    is_left = asyncio.Event()

    async def linger(connection: ServerConnection) -> None:
        connection.protocol.send_close(1011, "bye")
        for data in connection.protocol.data_to_send():
            connection.transport.write(data)
        connection.transport.pause_reading()
        await is_left.wait()
        connection.transport.abort()

    async with websocket_server(linger) as url, session(url) as dg:
        with pytest.raises(ConnectionLostError, match="bye") as caught:
            async with dg.listen.live() as live, asyncio.timeout(SETTINGS.close_timeout_s + 2):
                async for _ in live:
                    pass
        is_left.set()
        assert caught.value.close_code == 1011
