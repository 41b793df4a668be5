"""Live streams, one after the other."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from benchmarks.contestants import Contestant
from benchmarks.payloads import AUDIO
from benchmarks.work.checks import check_end, check_event
from benchmarks.work.process import cpu_of

_PATIENCE_S: Final = 60.0
_WINDOW: Final = 32
_CHUNKS_PER_CONNECT: Final = 100
_EVENTS_PER_CONNECT: Final = 32


async def live(client: Contestant, size: int) -> dict[str, float]:
    """Open and close streams, send chunks, and receive results."""
    await client.connect_and_close()
    return {
        "connect": await cpu_of(size, client.connect_and_close),
        "chunk": await _send(client, size * _CHUNKS_PER_CONNECT),
        "event": await _receive(client, size * _EVENTS_PER_CONNECT),
    }


async def _send(client: Contestant, size: int) -> float:
    """Send chunks as fast as they go."""
    async with client.live("count") as stream:
        began = time.process_time()
        for _ in range(size):
            await stream.send(AUDIO)
        await stream.end()
        await check_end(stream, 0, size)
        return (time.process_time() - began) / size


async def _receive(client: Contestant, size: int) -> float:
    """Send chunks and receive a result for each, 32 at a time."""
    # A result that does not come ends the wait, and the process with an error.
    async with asyncio.timeout(_PATIENCE_S), client.live("echo") as stream:
        events = stream.events()
        began = time.process_time()
        for _ in range(size // _WINDOW):
            for _ in range(_WINDOW):
                await stream.send(AUDIO)
            for _ in range(_WINDOW):
                check_event(await anext(events))
        cost = (time.process_time() - began) / (size // _WINDOW * _WINDOW)
        await stream.end()
        async for _ in events:
            pass
        return cost
