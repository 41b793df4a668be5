"""Many live streams at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Final

from benchmarks.contestants import Contestant, Stream
from benchmarks.payloads import AUDIO
from benchmarks.work.checks import check_bytes, check_end, is_result
from benchmarks.work.process import resident_bytes

Live = Callable[[str], AbstractAsyncContextManager[Stream]]

_CHUNK_S: Final = 0.02
_CHUNKS_PER_RESULT: Final = 25
_STEPS: Final = 20
_PATIENCE_S: Final = 120.0
_FIRST: Final = 20


async def paced_200(client: Contestant, seconds: int) -> dict[str, float]:
    """Run 200 streams in real time."""
    return await _paced(client.live, 200, seconds)


async def joined_200(client: Contestant, seconds: int) -> dict[str, float]:
    """Run 200 streams in real time, with chunks of 20 ms joined to frames of 100 ms."""
    return await _paced(client.live_joined, 200, seconds)


async def paced_1000(client: Contestant, seconds: int) -> dict[str, float]:
    """Run 1000 streams in real time."""
    return await _paced(client.live, 1000, seconds)


async def _paced(live: Live, streams: int, seconds: int) -> dict[str, float]:
    """Run streams in real time: CPU of one second of one stream, lateness, latencies.

    One task sends for all of them, a few streams each millisecond, so that little of the cost is
    the pacing. Lateness is the time until all results came, divided by that of the audio. Latency
    is the time from sending the last chunk of a result until the caller has it.
    """
    chunks = round(seconds / _CHUNK_S)
    # The first stream and its first result make what all of them share.
    async with live("paced") as first_stream:
        for _ in range(_CHUNKS_PER_RESULT):
            await first_stream.send(AUDIO)
        await first_stream.end()
        await check_end(first_stream, 1, _CHUNKS_PER_RESULT)
    async with AsyncExitStack() as stack:
        race = _Race(chunks // _CHUNKS_PER_RESULT * streams)
        runners = [race.add(await stack.enter_async_context(live("paced"))) for _ in range(streams)]
        taking = [
            asyncio.create_task(
                check_end(runner.stream, chunks // _CHUNKS_PER_RESULT, chunks, runner.received)
            )
            for runner in runners
        ]
        loop = asyncio.get_running_loop()
        began, cpu_began = loop.time(), time.process_time()
        at = began
        for _ in range(chunks):
            for first in range(0, streams, streams // _STEPS):
                for runner in runners[first : first + streams // _STEPS]:
                    runner.sent_at.append(loop.time())
                    await runner.stream.send(AUDIO)
                at += _CHUNK_S / _STEPS
                await asyncio.sleep(at - loop.time())
        async with asyncio.timeout(_PATIENCE_S):
            await race.is_over.wait()
        cost = (time.process_time() - cpu_began) / (seconds * streams)
        lateness = (loop.time() - began) / seconds
        for runner in runners:
            await runner.stream.end()
        await asyncio.gather(*taking)
    return {
        "paced": cost,
        "paced_lateness": lateness,
        "paced_p50": _quantile(race.latencies, 0.5),
        "paced_p99": _quantile(race.latencies, 0.99),
    }


class _Race:
    """All streams that run at the same time."""

    def __init__(self, results: int) -> None:
        self.latencies: list[float] = []
        self.is_over = asyncio.Event()
        self._results = results

    def add(self, stream: Stream) -> _Runner:
        return _Runner(self, stream)

    def received(self, latency_s: float) -> None:
        self.latencies.append(latency_s)
        if len(self.latencies) == self._results:
            self.is_over.set()


class _Runner:
    """One stream, and when each of its chunks was sent."""

    def __init__(self, race: _Race, stream: Stream) -> None:
        self.stream = stream
        self.sent_at: list[float] = []
        self._race = race
        self._loop = asyncio.get_running_loop()

    def received(self, result: Any) -> None:
        chunks: int = round((result.start + result.duration) / _CHUNK_S)
        self._race.received(self._loop.time() - self.sent_at[chunks - 1])


async def memory(client: Contestant, size: int) -> dict[str, float]:
    """Hold streams open; the cost is the resident memory of one, in bytes.

    Each stream is in use: audio was sent, and the loop over its events has a result and waits for
    the next. They are opened one after the other, after some that do not count: what is freed in
    between would be taken for the memory of those that come later.
    """
    streams: list[Stream] = []
    has_result = asyncio.Semaphore(0)

    async def use() -> None:
        async with client.live("echo") as stream:
            await stream.send(AUDIO)
            streams.append(stream)
            async for event in stream.events():
                if not is_result(event):
                    check_bytes(round(event.duration), len(AUDIO))
                    return
                has_result.release()
        raise AssertionError("a stream ended without telling how much it heard")

    async def begin(count: int) -> list[asyncio.Task[None]]:
        tasks: list[asyncio.Task[None]] = []
        for _ in range(count):
            tasks.append(asyncio.create_task(use()))
            async with asyncio.timeout(_PATIENCE_S):
                await has_result.acquire()
        return tasks

    tasks = await begin(_FIRST)
    before = resident_bytes()
    tasks += await begin(size)
    each = (resident_bytes() - before) / size
    for stream in streams:
        await stream.end()
    await asyncio.gather(*tasks)
    return {"memory": each}


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]
