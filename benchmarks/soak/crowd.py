"""Hundreds of streams at once, in real time, of which some lose their connection each second.

The service runs in a process of its own, so that the memory is that of the streams alone::

    python -m benchmarks.soak --crowd
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.soak.judge import FluxJudge, Judge, ListenJudge, Verdict
from benchmarks.soak.service import Service, serving
from benchmarks.soak.speech import Speech
from deepgram_async import (
    DeepgramSession,
    ReconnectPolicy,
    StreamSettings,
)

__all__ = ["Crowd", "CrowdOutcome", "disturbed_crowd", "service_of"]

# As many bytes a second as linear16 has at 16 kHz.
_RATE: Final = 8000
_CHUNK_S: Final = 0.1
# Every fourth stream is a conversation with Flux.
_FLUX_SHARE: Final = 4
_CUT_EVERY_S: Final = 0.5
_LOOK_EVERY_S: Final = 2.0
# What has to be said again is as much as it will ever be by then.
_WARM_UP: Final = 1 / 3
# Slower, and streams that are cut as often never get level: what they keep would grow for minutes.
_REPLAY_SPEED: Final = 4.0


class Crowd(NamedTuple):
    """What is done at once.

    Attributes:
        streams: How many.
        seconds: How long.
        cut_per_s: Share of the connections that end in each second.
        seed: Beginning of all random numbers.
    """

    streams: int = 200
    seconds: float = 60.0
    cut_per_s: float = 0.05
    seed: int = 1


class CrowdOutcome(NamedTuple):
    """What came out of it.

    Attributes:
        verdicts: One for each stream.
        memory: Seconds since the beginning and bytes of resident memory.
        growth_per_s: Bytes that the memory grew by in a second, after the warm-up.
        cpu_s: CPU time of the streams.
        wall_s: Time from the first connection to the last end.
    """

    verdicts: list[Verdict]
    memory: list[tuple[float, int]]
    growth_per_s: float
    cpu_s: float
    wall_s: float

    @property
    def is_good(self) -> bool:
        """Whether no stream can be told from an undisturbed one by its finals."""
        return not any(
            each.lost or each.repeated or each.complaints or each.largest_error_s > 0.05
            for each in self.verdicts
        )


async def disturbed_crowd(crowd: Crowd, url: str) -> CrowdOutcome:
    """Run the streams against a service that breaks their connections."""
    policy = ReconnectPolicy(
        attempts=100, first_delay_s=0.1, longest_delay_s=1.0, replay_speed=_REPLAY_SPEED
    )
    memory: list[tuple[float, int]] = []
    began, cpu = time.monotonic(), time.process_time()
    looking = asyncio.create_task(_look(memory))
    try:
        async with DeepgramSession(
            "any-key", base_url=url, stream=StreamSettings(reconnect=policy)
        ) as dg:
            verdicts = await asyncio.gather(
                *(_stream(dg, crowd, number) for number in range(crowd.streams))
            )
    finally:
        looking.cancel()
    wall_s = time.monotonic() - began
    # The end frees more than it takes, and does not count.
    steady = [entry for entry in memory if _WARM_UP * crowd.seconds < entry[0] < crowd.seconds]
    return CrowdOutcome(verdicts, memory, _slope(steady), time.process_time() - cpu, wall_s)


async def _stream(dg: DeepgramSession, crowd: Crowd, number: int) -> Verdict:
    is_flux = number % _FLUX_SHARE == 0
    speech = _speech(crowd)
    judge: Judge[Any] = FluxJudge(speech) if is_flux else ListenJudge(speech)
    # As speakers do, they begin one after the other.
    await asyncio.sleep(number / crowd.streams)
    audio: dict[str, Any] = {"encoding": "linear32", "sample_rate": _RATE}
    # Each judge sees the events of its own kind of stream.
    stream: Any = (
        dg.listen.flux(model="flux-general-en", **audio)
        if is_flux
        else dg.listen.live(model="nova-3", interim_results=True, **audio)
    )
    async with stream:
        async for event in stream.transcribe(_paced(speech)):
            judge.see(event)
    if stream.drain_timed_out:
        judge.complain("the end timed out")
    return judge.verdict()


def _speech(crowd: Crowd) -> Speech:
    return Speech(crowd.seconds, _RATE)


async def _paced(speech: Speech) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    began, size = loop.time(), round(_CHUNK_S * speech.rate) * speech.frame_bytes
    for position in range(0, speech.size, size):
        due_at = began + (position + size) / (speech.rate * speech.frame_bytes)
        await asyncio.sleep(due_at - loop.time())
        yield speech.piece(position, position + size)


async def _look(memory: list[tuple[float, int]]) -> None:
    began = time.monotonic()
    trim: Callable[[int], object] = getattr(ctypes.CDLL(None), "malloc_trim", bool)
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        # What only waits for the collector, or is free and scattered, is no leak.
        gc.collect()
        trim(0)
        memory.append((time.monotonic() - began, _resident_bytes()))


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except FileNotFoundError:  # the peak is all that other systems tell
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * os.sysconf("SC_PAGE_SIZE")


def _slope(entries: list[tuple[float, int]]) -> float:
    """Return the growth in a second, by least squares."""
    if len(entries) < 2:
        return 0.0
    count = len(entries)
    middle_s, middle = (
        sum(at for at, _ in entries) / count,
        sum(size for _, size in entries) / count,
    )
    spread = sum((at - middle_s) * (at - middle_s) for at, _ in entries)
    return sum((at - middle_s) * (size - middle) for at, size in entries) / spread


# The service, in its own process.


@contextmanager
def service_of(crowd: Crowd) -> Generator[str]:
    """Run the service and yield its URL."""
    arguments = [str(crowd.seconds), str(crowd.cut_per_s), str(crowd.seed)]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.soak.crowd", *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


async def _serve(crowd: Crowd) -> None:
    service, numbers = Service(_speech(crowd), crowd.seed), random.Random(crowd.seed)
    async with serving(service) as url:
        print(url, flush=True)
        while True:
            await asyncio.sleep(_CUT_EVERY_S)
            for connection in tuple(service.hearing):
                if numbers.random() < crowd.cut_per_s * _CUT_EVERY_S:
                    connection.transport.abort()


if __name__ == "__main__":
    seconds, cut_per_s, seed = sys.argv[1:]
    asyncio.run(_serve(Crowd(0, float(seconds), float(cut_per_s), int(seed))))
