"""One measurement of one client, in a process of its own.

It prints the CPU seconds that this process took for each operation, as a JSON number. Every
operation checks the count of what it got: work that was dropped ends the process with an error.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from benchmarks.clients import CLIENTS, Client, Stream
from benchmarks.payloads import AUDIO, LARGE_WORDS, SMALL_WORDS, answer, event

_IN_FLIGHT: Final = 64
_WINDOW: Final = 32
_STREAMS: Final = 200
_CHUNK_S: Final = 0.02
_CHUNKS_PER_EVENT: Final = 25
_PAGE: Final = 4096


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("client", choices=sorted(CLIENTS))
    parser.add_argument("work", choices=sorted(WORKS))
    parser.add_argument("url")
    parser.add_argument("size", type=int)
    arguments = parser.parse_args()
    print(
        json.dumps(
            asyncio.run(measure(arguments.client, arguments.work, arguments.url, arguments.size))
        )
    )


async def measure(client: str, work: str, url: str, size: int) -> float:
    """Return the cost of one operation, after a warm-up."""
    async with CLIENTS[client](url) as contestant:
        return await WORKS[work](contestant, size)


# Decoding.


async def decode_small(client: Client, size: int) -> float:
    """Decode an answer of 2 kB."""
    body = answer(SMALL_WORDS)
    return await repeated(lambda: check_words(client.decode_answer(body), SMALL_WORDS), size)


async def decode_large(client: Client, size: int) -> float:
    """Decode the answer for an hour of speech."""
    body = answer(LARGE_WORDS)
    return await repeated(lambda: check_words(client.decode_answer(body), LARGE_WORDS), size)


async def decode_event(client: Client, size: int) -> float:
    """Decode a result of a live stream."""
    text = event().decode()
    return await repeated(lambda: check_event(client.decode_event(text)), size)


async def repeated(operation: Callable[[], None], size: int) -> float:
    """Return the cost of something that needs no loop."""
    operation()
    began = time.process_time()
    for _ in range(size):
        operation()
    return (time.process_time() - began) / size


# REST.


async def rest_sequential(client: Client, size: int) -> float:
    """Send requests one after the other."""
    check_words(await client.transcribe(), SMALL_WORDS)
    began = time.process_time()
    for _ in range(size):
        check_words(await client.transcribe(), SMALL_WORDS)
    return (time.process_time() - began) / size


async def rest_in_flight(client: Client, size: int) -> float:
    """Send requests, 64 at the same time."""
    waiting = iter(range(size))

    async def work() -> None:
        for _ in waiting:
            check_words(await client.transcribe(), SMALL_WORDS)

    check_words(await client.transcribe(), SMALL_WORDS)
    began = time.process_time()
    await asyncio.gather(*(work() for _ in range(_IN_FLIGHT)))
    return (time.process_time() - began) / size


# Streams.


async def connect(client: Client, size: int) -> float:
    """Open and close streams one after the other."""
    await client.connect_and_close()
    began = time.process_time()
    for _ in range(size):
        await client.connect_and_close()
    return (time.process_time() - began) / size


async def chunk(client: Client, size: int) -> float:
    """Send chunks as fast as they go."""
    async with client.live("count") as stream:
        began = time.process_time()
        for _ in range(size):
            await stream.send(AUDIO)
        await stream.end()
        await check_end(stream, 0, size)
        return (time.process_time() - began) / size


async def receive(client: Client, size: int) -> float:
    """Send chunks and receive an event for each, 32 at a time."""
    async with client.live("echo") as stream:
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


async def paced(client: Client, seconds: int) -> float:
    """Run 200 streams in real time; the cost is that of one second of one stream.

    One task sends for all of them, a few streams each millisecond, so that little of the cost is
    the pacing.
    """
    chunks = round(seconds / _CHUNK_S)
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(client.live("paced")) for _ in range(_STREAMS)]
        results = chunks // _CHUNKS_PER_EVENT
        taking = [asyncio.create_task(check_end(stream, results, chunks)) for stream in streams]
        loop = asyncio.get_running_loop()
        at, began = loop.time(), time.process_time()
        for _ in range(chunks):
            for first in range(0, _STREAMS, _STREAMS // 20):
                for stream in streams[first : first + _STREAMS // 20]:
                    await stream.send(AUDIO)
                at += _CHUNK_S / 20
                await asyncio.sleep(at - loop.time())
        for stream in streams:
            await stream.end()
        await asyncio.gather(*taking)
        cost = (time.process_time() - began) / (seconds * _STREAMS)
        late = (loop.time() - at) / seconds
        assert late < 0.2, f"the streams ended {late:.0%} late"
        return cost


async def memory(client: Client, size: int) -> float:
    """Hold streams open; the cost is the resident memory of one, in bytes."""
    leave = asyncio.Event()
    ready = asyncio.Semaphore(0)

    async def hold() -> None:
        async with client.live("count") as stream:
            await stream.send(AUDIO)
            ready.release()
            await leave.wait()
            await stream.end()
            await check_end(stream, 0, 1)

    async def held(count: int) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(hold()) for _ in range(count)]
        for _ in tasks:
            await ready.acquire()
        return tasks

    tasks = await held(_STREAMS)
    gc.collect()
    before = resident_bytes()
    tasks += await held(size)
    gc.collect()
    each = (resident_bytes() - before) / size
    leave.set()
    await asyncio.gather(*tasks)
    return each


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


# What must have come.


def check_words(transcription: Any, words: int) -> None:
    """Fail if a transcription lacks words."""
    found = len(transcription.results.channels[0].alternatives[0].words)
    assert found == words, f"{found} words instead of {words}"


def check_event(result: Any) -> None:
    """Fail if an event is not the result that was sent."""
    assert len(result.channel.alternatives[0].words) == 10


async def check_end(stream: Stream, results: int, chunks: int) -> None:
    """Take all events, and fail if one of them or one chunk was lost."""
    found, audio_bytes = 0, 0.0
    async for received in stream.events():
        if hasattr(received, "channel"):
            found += 1
        else:
            audio_bytes = received.duration
            break
    assert found == results, f"{found} results instead of {results}"
    expected = chunks * len(AUDIO)
    assert audio_bytes == expected, f"{audio_bytes} bytes arrived instead of {expected}"


WORKS: Final[dict[str, Callable[[Client, int], Awaitable[float]]]] = {
    "decode_small": decode_small,
    "decode_large": decode_large,
    "decode_event": decode_event,
    "rest_sequential": rest_sequential,
    "rest_in_flight": rest_in_flight,
    "connect": connect,
    "chunk": chunk,
    "event": receive,
    "paced": paced,
    "memory": memory,
}


if __name__ == "__main__":
    main()
