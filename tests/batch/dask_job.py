"""Batches on a Dask cluster of two worker processes, one of which is killed; run by a test.

The cluster needs a process of its own: it leaves threads and sockets until the end.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import distributed

from deepgram_async import DeepgramSession
from deepgram_async.batch import DaskGate, Item, OutcomeRow, dask_rows, transcribe_chunk
from tests.support.batches import items

dask: Any = distributed  # it has no types

LIMIT = 6
ITEMS = 60


def broken(chunk: Sequence[Item]) -> list[OutcomeRow]:
    raise ZeroDivisionError(f"no chunk of {len(chunk)}")


async def kill_a_worker(client: Any) -> int:
    """Kill the first worker that has work, and return how many chunks it had."""
    for address, chunks in (await client.processing()).items():
        if chunks:
            pids = await client.run(os.getpid, workers=[address])
            os.kill(pids[address], signal.SIGKILL)
            return len(chunks)
    return 0


async def main(url: str) -> dict[str, Any]:
    session = partial(DeepgramSession, "any-key", base_url=url)
    work = partial(transcribe_chunk, session=session, gate=partial(DaskGate, limit=LIMIT))
    sources = items(ITEMS)
    told: dict[str, Any] = {}
    cluster: Any
    async with (
        dask.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, asynchronous=True
        ) as cluster,
        dask.Client(cluster, asynchronous=True) as client,
    ):
        killed = told["killed"] = list[OutcomeRow]()
        async for row in dask_rows(client, sources, work, chunk_size=6):
            killed.append(row)
            if len(killed) == 6:
                told["chunks_of_the_killed"] = await kill_a_worker(client)
        told["broken"] = [row async for row in dask_rows(client, sources[:5], broken, chunk_size=3)]
        async with aclosing(dask_rows(client, sources, work, chunk_size=2)) as rows:
            told["left"] = await anext(rows)
        # The scheduler is served by this loop, so a client that blocks must not block it.
        blocking = await asyncio.to_thread(dask.Client, cluster.scheduler_address)
        told["blocking"] = [row async for row in dask_rows(blocking, sources[:5], work)]
        await asyncio.to_thread(blocking.close)
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(sys.argv[1]))))
