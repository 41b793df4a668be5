"""A stream that nobody closes is noticed, and frees what it holds."""

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import DeepgramSession, StreamSettings
from deepgram_async.errors import ConnectionLostError
from tests.support.flux import Flux
from tests.support.listen import final
from tests.support.servers import websocket_server

ROOT = Path(__file__).parents[2]
SOON_S = 5.0
MANY = 200


class Service:
    """Says something at the beginning, reads all, and counts the connections."""

    def __init__(self, *greeting: str) -> None:
        self.ended = asyncio.Event()
        self.open = 0
        self.most = 0
        self.codes: list[int | None] = []
        self._greeting = greeting

    async def __call__(self, connection: ServerConnection) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        for message in self._greeting:
            await connection.send(message)
        await connection.wait_closed()
        self.open -= 1
        self.codes.append(connection.close_code)
        self.ended.set()


@asynccontextmanager
async def serving(*greeting: str) -> AsyncGenerator[tuple[Service, DeepgramSession]]:
    service = Service(*greeting)
    async with (
        websocket_server(service) as url,
        DeepgramSession("key", base_url=url, stream=StreamSettings(dead_peer_s=30)) as dg,
    ):
        yield service, dg


def forget(streams: list[Any]) -> None:
    """Drop what nobody else refers to; objects in circles need the collector."""
    streams.clear()
    gc.collect()


async def test_a_forgotten_stream_warns_and_ends_its_connection() -> None:
    async with serving() as (service, dg):
        streams = [dg.listen.live()]
        await streams[0].open()
        with pytest.warns(ResourceWarning, match=r"<LiveStream open .*> was never closed"):
            forget(streams)
        await asyncio.wait_for(service.ended.wait(), SOON_S)
        assert dg.streams == ()
        assert service.open == 0


async def test_a_stream_is_forgotten_with_the_events_that_nobody_took() -> None:
    async with serving(*[final("word")] * 3) as (service, dg):
        streams = [dg.listen.live()]
        await streams[0].open()
        await anext(streams[0])
        with pytest.warns(ResourceWarning, match="never closed"):
            forget(streams)
        await asyncio.wait_for(service.ended.wait(), SOON_S)


async def test_a_stream_may_be_collected_in_another_thread() -> None:
    async with serving() as (service, dg):
        streams = [dg.listen.live()]
        await streams[0].open()
        with pytest.warns(ResourceWarning, match="never closed"):
            await asyncio.to_thread(streams.clear)
        await asyncio.wait_for(service.ended.wait(), SOON_S)


async def test_who_waits_for_a_draft_of_a_forgotten_stream_is_told() -> None:
    flux = Flux()
    eager = [flux.connected(), *flux.turns(("StartOfTurn", "so"), ("EagerEndOfTurn", "so it is"))]
    async with serving(*eager) as (_, dg):
        streams = [dg.listen.flux(model="flux-general-en")]
        await streams[0].open()
        async with aclosing(streams[0].turns()) as turns:
            draft = await anext(turns)
        del turns
        with pytest.warns(ResourceWarning, match="<FluxStream open .* was never closed"):
            forget(streams)
        with pytest.raises(ConnectionLostError, match="forgotten"):
            await asyncio.wait_for(draft.confirmed(), SOON_S)


async def test_a_stream_with_a_source_is_in_use() -> None:
    may_end = asyncio.Event()

    async def source() -> AsyncGenerator[bytes]:
        yield b"\1\2"
        await may_end.wait()

    async with serving() as (service, dg):
        live = dg.listen.live()
        await live.open()
        live.start(source())
        del live
        gc.collect()
        (stream,) = dg.streams
        assert service.open == 1
        may_end.set()
        await stream.aclose()


async def test_a_stream_that_was_finished_needs_no_close(recwarn: pytest.WarningsRecorder) -> None:
    async def ends(connection: ServerConnection) -> None:
        async for frame in connection:
            if isinstance(frame, str):
                return

    async with websocket_server(ends) as url, DeepgramSession("key", base_url=url) as dg:
        live = dg.listen.live()
        await live.open()
        await live.finish()
        del live
        gc.collect()
        assert not recwarn.list


PROGRAM = """
import asyncio, sys, time
from deepgram_async import DeepgramSession

ended_at = 0.0

async def use(dg):
    async with dg.listen.live() as live:
        async for _ in live:
            pass

async def main():
    global ended_at
    asyncio.get_running_loop().slow_callback_duration = 60  # a busy machine is no news
    dg = DeepgramSession("key", base_url=sys.argv[1])
    {keep}
    while len(dg.streams) < {many}:
        await asyncio.sleep(0.01)
    ended_at = time.monotonic()

asyncio.run(main())
took = time.monotonic() - ended_at
assert took < 5, took
"""
IN_TASKS = "tasks = [asyncio.create_task(use(dg)) for _ in range({many})]"
FORGOTTEN = (
    "streams = [dg.listen.live() for _ in range({many})]; "
    "await asyncio.gather(*(stream.open() for stream in streams))"
)


async def run(program: str, url: str, *flags: str) -> tuple[int | None, str]:
    """Return the exit code and what a fresh process writes to its standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *flags, "-X", "dev", "-c", program, url),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, written = await process.communicate()
    return process.returncode, written.decode()


async def test_the_end_of_the_loop_closes_many_streams_in_use_politely() -> None:
    service = Service()
    async with websocket_server(service) as url:
        program = PROGRAM.format(keep=IN_TASKS.format(many=MANY), many=MANY)
        assert await run(program, url, "-W", "error") == (0, "")
        async with asyncio.timeout(SOON_S):
            while service.open:
                await asyncio.sleep(0.01)
    assert service.most == MANY
    assert service.codes == [1000] * MANY


async def test_the_end_of_the_loop_frees_many_forgotten_streams_and_warns() -> None:
    service = Service()
    async with websocket_server(service) as url:
        program = PROGRAM.format(keep=FORGOTTEN.format(many=MANY), many=MANY)
        code, written = await run(program, url, "-W", "always")
        async with asyncio.timeout(SOON_S):
            while service.open:
                await asyncio.sleep(0.01)
    assert code == 0
    assert written.count("> was never closed") == MANY
    for sign in ("unclosed", "Task was destroyed", "Traceback", "exception"):
        assert sign not in written
