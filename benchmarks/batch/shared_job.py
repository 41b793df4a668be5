"""One of the processes that share places through Redis.

With URL, Redis, first item and items: it transcribes them and prints what was done. With a Redis
alone: it takes every place, says so, and keeps them until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from functools import partial

from benchmarks.batch.job import items
from deepgram_async import DeepgramSession
from deepgram_async.batch import RedisGate, transcribe_chunk


def transcribe(url: str, redis: str, first: int, count: int) -> None:
    """Transcribe some items."""
    rows = transcribe_chunk(
        list(items(first, count)),
        session=partial(DeepgramSession, "key", base_url=url),
        gate=partial(RedisGate, redis, limit=50),
        model="nova-3",
    )
    print(json.dumps({"done": sum(row["status"] == "done" for row in rows)}))


async def hold(redis: str) -> None:
    """Take every place."""
    async with AsyncExitStack() as stack:
        gate = await stack.enter_async_context(RedisGate(redis, limit=50, lease_s=5.0))
        for _ in range(50):
            await stack.enter_async_context(gate.slot())
        print("taken", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        transcribe(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        asyncio.run(hold(sys.argv[1]))
