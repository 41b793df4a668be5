"""Do three processes keep one limit that they share, without a refusal?

``python -m benchmarks.batch.shared``, or ``make bench-shared``. Three processes send items through
gates of 50 places, in Redis and in a Dask cluster, to a service of its own that refuses the 51st
request. Then one of two holders of places in Redis is killed, and one of three Dask workers. The
command ends with an error if a promise is broken; without redis-server it leaves Redis out.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import distributed

from benchmarks.batch.__main__ import Verdict, finished, report, serving
from benchmarks.batch.job import items
from deepgram_async import DeepgramSession
from deepgram_async.batch import DaskGate, RedisGate, dask_rows, transcribe_chunk

_LIMIT: Final = 50
_LEASE_S: Final = 5.0

dask: Any = distributed  # it has no types


def main() -> None:
    """Run the drills, print what was seen, and check."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch.shared", description=__doc__)
    parser.add_argument("--items", type=int, default=3000, help="of all processes together")
    count = parser.parse_args().items
    verdicts: list[Verdict] = []
    if shutil.which("redis-server"):
        verdicts += through_redis(count, 0.15)
        verdicts += through_redis(count // 3, 2.0)
        verdicts += asyncio.run(a_killed_holder())
    verdicts += asyncio.run(on_a_cluster(count))
    for verdict in verdicts:
        print(f"{'kept' if verdict.is_kept else 'BROKEN':7} {verdict.promise}: {verdict.seen}")
    sys.exit(0 if all(verdict.is_kept for verdict in verdicts) else 1)


def through_redis(count: int, takes_s: float) -> Generator[Verdict]:
    """Let three processes share places through Redis."""
    with serving(takes_s, 0.0) as url, redis_server() as redis:
        began = time.monotonic()
        command = [sys.executable, "-m", "benchmarks.batch.shared_job", url, redis]
        processes = [
            subprocess.Popen(
                [*command, str(n * count // 3), str(count // 3)], stdout=subprocess.PIPE, text=True
            )
            for n in range(3)
        ]
        took = [finished(process) for process in processes]
        done = int(sum(one["done"] for one in took))
        who = f"Redis, {takes_s:g} s for each request,"
        yield judged(who, report(url), done, count // 3 * 3, began)


async def a_killed_holder() -> list[Verdict]:
    """Kill a process that holds every place."""
    with redis_server() as redis:
        async with RedisGate(redis, limit=_LIMIT, lease_s=_LEASE_S) as gate:
            holder = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.batch.shared_job", redis, stdout=subprocess.PIPE
            )
            assert holder.stdout is not None
            await holder.stdout.readline()
            taken = await gate.taken()
            holder.kill()
            await holder.wait()
            began = time.monotonic()
            async with gate.slot():
                free_s = time.monotonic() - began
    return [
        Verdict(
            f"places of a killed process come free within {_LEASE_S:g} s",
            f"{taken} places, after {free_s:.1f} s",
            taken == _LIMIT and free_s <= _LEASE_S + 1,
        )
    ]


async def on_a_cluster(count: int) -> list[Verdict]:
    """Let three workers share places through their scheduler, and kill one in mid-job."""
    with serving(0.15, 0.0) as url:
        work = partial(
            transcribe_chunk,
            session=partial(DeepgramSession, "key", base_url=url),
            gate=partial(DaskGate, limit=_LIMIT),
            model="nova-3",
        )
        cluster: Any
        async with (
            dask.LocalCluster(
                n_workers=3, threads_per_worker=1, dashboard_address=None, asynchronous=True
            ) as cluster,
            dask.Client(cluster, asynchronous=True) as client,
        ):
            began = time.monotonic()
            names = [row["name"] async for row in dask_rows(client, items(0, count), work)]
            first = judged("Dask", report(url), len(set(names)), count, began)
            report(url, forget=True)
            names.clear()
            async for row in dask_rows(client, items(0, count // 3), work):
                if not names:
                    pids = await client.run(os.getpid)
                    os.kill(next(iter(pids.values())), signal.SIGKILL)
                names.append(row["name"])
            again = sum(received > 1 for _, received in report(url)["received"])
    return [
        first,
        Verdict(
            "a killed worker costs no row, and none comes twice",
            f"{len(names)} rows, {len(set(names))} names of {count // 3}; {again} items sent again",
            len(names) == len(set(names)) == count // 3,
        ),
    ]


def judged(who: str, counted: dict[str, Any], done: int, count: int, began: float) -> Verdict:
    """Return whether one limit was kept."""
    seconds = time.monotonic() - began
    share = counted["busy_s"] / _LIMIT / seconds
    return Verdict(
        f"three processes share {_LIMIT} places through {who} without a refusal",
        f"{counted['refused']} refused, at most {counted['most']} in flight, {done} done of {count}"
        f" in {seconds:.1f} s, {share:.0%} of what the limit permits, start and end included",
        counted["refused"] == 0 and counted["most"] <= _LIMIT and done == count,
    )


@contextmanager
def redis_server() -> Generator[str]:
    """Start a Redis that keeps nothing, and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    command = ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            next(line for line in server.stdout if "Ready to accept connections" in line)
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
