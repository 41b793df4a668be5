"""One connection writes in order, at once where it can, and in few writes where it must wait."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from deepgram_async._protocol.listen_v1 import ListenV1Core
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._stream.connection import Connection
from deepgram_async.models.live import ListenEvent

LINEAR = {"encoding": "linear16", "sample_rate": 16000}


class FakeWebSocket:
    """Keeps what is written, and blocks where a test wants it to."""

    def __init__(self) -> None:
        self.writes: list[list[str | bytes]] = []
        self.takes_at_once = True
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def frames(self) -> list[str | bytes]:
        return [frame for write in self.writes for frame in write]

    def send_now(self, frame: str | bytes) -> bool:
        if self.takes_at_once:
            self.writes.append([frame])
        return self.takes_at_once

    async def send_all(self, frames: Sequence[str | bytes]) -> None:
        await self.gate.wait()
        self.writes.append(list(frames))

    async def aclose(self, timeout_s: float) -> None:
        pass

    def abort(self, reason: str) -> None:
        raise AssertionError(reason)


@asynccontextmanager
async def connected() -> AsyncGenerator[
    tuple[Connection[ListenEvent], FakeWebSocket, ListenV1Core]
]:
    core = ListenV1Core(LINEAR, now=0.0, keepalive_s=None)
    websocket = FakeWebSocket()
    connection = Connection(core, cast("Any", websocket), StreamSettings())
    try:
        yield connection, websocket, core
    finally:
        await connection.aclose()


async def pause() -> None:
    """Let more time pass than lies between the frames of a burst."""
    await asyncio.sleep(0.002)


async def until(websocket: FakeWebSocket, count: int) -> None:
    async with asyncio.timeout(5):
        while len(websocket.frames) < count:
            await asyncio.sleep(0)


async def test_a_frame_after_a_pause_is_written_before_put_returns() -> None:
    async with connected() as (connection, websocket, core):
        for number in range(3):
            connection.put(bytes([number]) * 3200)
            assert len(websocket.frames) == number + 1
            await pause()
        assert core.audio_sent_s == 0.3


async def test_a_burst_takes_few_writes_and_keeps_its_order() -> None:
    async with connected() as (connection, websocket, core):
        frames: list[str | bytes] = [bytes([number % 256]) * 32 for number in range(1000)]
        for frame in frames:
            connection.put(frame)
        await until(websocket, 1000)
        assert websocket.frames == frames
        assert len(websocket.writes) < 100
        assert core.audio_sent_s == 1.0


async def test_nothing_overtakes_what_is_being_written() -> None:
    async with connected() as (connection, websocket, _):
        websocket.gate.clear()
        websocket.takes_at_once = False
        connection.put(b"first")
        await pause()
        websocket.takes_at_once = True
        connection.put(b"second")
        await pause()
        connection.put(b"third")
        assert websocket.writes == []
        websocket.gate.set()
        await until(websocket, 3)
        assert websocket.frames == [b"first", b"second", b"third"]
