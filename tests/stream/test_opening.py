"""Opening a stream while another task opens or closes it."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import DeepgramSession
from deepgram_async.errors import InvalidStateError
from deepgram_async.testing import Fault, FaultProxy
from tests.support.servers import websocket_server

SOON_S = 5.0


async def polite(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def test_two_tasks_cannot_open_the_same_stream() -> None:
    async with websocket_server(polite) as url, DeepgramSession("key", base_url=url) as dg:
        live = dg.listen.live()
        opened = await asyncio.gather(live.open(), live.open(), return_exceptions=True)
        assert opened[0] is None
        assert isinstance(opened[1], InvalidStateError)
        assert live.is_open
        await live.aclose()


async def test_a_stream_whose_opening_failed_may_be_opened_again() -> None:
    async with websocket_server(polite) as url, DeepgramSession("key", base_url=url) as dg:
        live = dg.listen.live()
        opening = asyncio.create_task(live.open())
        await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])
        await live.open()
        await live.aclose()


async def test_closing_a_stream_that_is_being_opened_leaves_no_connection() -> None:
    ended = asyncio.Event()

    async def note_end(connection: ServerConnection) -> None:
        await connection.wait_closed()
        ended.set()

    async with (
        websocket_server(note_end) as url,
        FaultProxy(url, [Fault("stop_reading", "down")]) as proxy,
        DeepgramSession("key", base_url=proxy.base_url) as dg,
    ):
        live = dg.listen.live()
        opening = asyncio.create_task(live.open())
        async with asyncio.timeout(SOON_S):
            while not proxy.connections_open:
                await asyncio.sleep(0.01)
            await live.aclose()
            proxy.heal()
            with pytest.raises(InvalidStateError, match="closed while it was being opened"):
                await opening
            await ended.wait()
        assert not live.is_open
