"""Requests."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
import urllib.request
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.contestants import Contestant
from benchmarks.payloads import LARGE_WORDS, RECORDING
from benchmarks.work.checks import check_words
from benchmarks.work.process import Heartbeat, cpu_of

_FILE: Final = bytes(16_000)
_BATCH_SLOTS: Final = 64
_JOB_SLOTS: Final = 50
_SLOTS: Final = 100


async def rest(client: Contestant, size: int) -> dict[str, float]:
    """Send requests one after the other, and many at the same time."""

    async def request() -> None:
        check_words(await client.transcribe())

    await request()
    return {
        "rest_sequential": await cpu_of(size // 4, request),
        "rest_64": await _cpu_in_flight(client, size, 64),
        "rest_256": await _cpu_in_flight(client, size, 256),
    }


async def batch(client: Contestant, size: int) -> dict[str, float]:
    """Transcribe many small recordings, also with a server that takes 50 ms for each."""
    return {
        "batch": await _cpu_in_flight(client, size, _BATCH_SLOTS, _FILE),
        "batch_after_50_ms": await _cpu_in_flight(client, size, _BATCH_SLOTS, _FILE, "after50"),
    }


async def job(client: Contestant, size: int) -> dict[str, float]:
    """Transcribe many files, as a batch is written, with a server that takes 100 ms for each."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, f"{number}.wav") for number in range(size)]
        for file in files:
            file.write_bytes(_FILE)
        check_words(await client.transcribe(mode="after100"))  # makes what all share
        began, cpu_began, found = time.monotonic(), time.process_time(), 0
        async for transcription in client.transcribe_all(files, _JOB_SLOTS, "after100"):
            check_words(transcription)
            found += 1
        cpu_s, seconds = time.process_time() - cpu_began, time.monotonic() - began
    assert found == size, f"{found} transcriptions of {size} files"
    return {"job": cpu_s / size, "job_wall": seconds / size}


async def connections(client: Contestant, size: int) -> dict[str, float]:
    """Count the connections for requests of which a hundred are in flight."""
    before = await _connections(client.url)
    check_words(await client.transcribe(mode="after200"))  # makes what all share
    await _in_flight(client, size, _SLOTS, mode="after200")
    return {"connections": (await _connections(client.url) - before) / _SLOTS}


async def large(client: Contestant, size: int) -> dict[str, float]:
    """Receive the answer for an hour of speech, and note how long the loop stands still."""

    async def receive() -> None:
        check_words(await client.transcribe(mode="large"), LARGE_WORDS)

    await receive()
    cost = await cpu_of(size, receive)
    gaps: list[float] = []
    for _ in range(size):
        async with Heartbeat() as heartbeat:
            await receive()
        gaps.append(heartbeat.longest_gap_s)
    return {"large": cost, "large_stall": statistics.median(gaps)}


async def _cpu_in_flight(
    client: Contestant, size: int, slots: int, audio: bytes = RECORDING, mode: str = ""
) -> float:
    """Return the CPU seconds of a request, when every slot has had one."""
    check_words(await client.transcribe(audio, mode))  # makes what all share
    await _in_flight(client, slots, slots, audio, mode)
    began = time.process_time()
    await _in_flight(client, size, slots, audio, mode)
    return (time.process_time() - began) / size


async def _in_flight(
    client: Contestant, size: int, slots: int, audio: bytes = RECORDING, mode: str = ""
) -> None:
    waiting = iter(range(size))

    async def work() -> None:
        for _ in waiting:
            check_words(await client.transcribe(audio, mode))

    await asyncio.gather(*(work() for _ in range(slots)))


async def _connections(url: str) -> int:
    with await asyncio.to_thread(partial(urllib.request.urlopen, f"{url}/connections")) as answer:
        return int(json.load(answer))
