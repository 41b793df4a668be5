"""One run of one contestant, in a process of its own.

It prints what it measured as a JSON object, every figure in seconds or bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import resource
from collections.abc import Awaitable, Callable
from typing import Final

from benchmarks.contestants import NAMES, Contestant, contestant
from benchmarks.work.decoding import decode
from benchmarks.work.live import live
from benchmarks.work.many import joined_200, memory, paced_200, paced_1000
from benchmarks.work.rest import batch, connections, job, large, rest
from benchmarks.work.speech import speech
from benchmarks.work.uploads import upload, upload_bytes

Work = Callable[[Contestant, int], Awaitable[dict[str, float]]]

WORKS: Final[dict[str, Work]] = {
    "batch": batch,
    "connections": connections,
    "decode": decode,
    "job": job,
    "joined_200": joined_200,
    "large": large,
    "live": live,
    "memory": memory,
    "paced_200": paced_200,
    "paced_1000": paced_1000,
    "rest": rest,
    "speech": speech,
    "upload": upload,
    "upload_bytes": upload_bytes,
}


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contestant", choices=NAMES)
    parser.add_argument("work", choices=sorted(WORKS))
    parser.add_argument("url")
    parser.add_argument("size", type=int)
    parser.add_argument("--uvloop", action="store_true")
    arguments = parser.parse_args()
    # A thousand streams need more files than a process has at first.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    client = contestant(arguments.contestant, arguments.url)
    with asyncio.Runner(loop_factory=_uvloop() if arguments.uvloop else None) as runner:
        print(json.dumps(runner.run(measure(client, WORKS[arguments.work], arguments.size))))


def _uvloop() -> Callable[[], asyncio.AbstractEventLoop]:
    make: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return make


async def measure(client: Contestant, work: Work, size: int) -> dict[str, float]:
    """Return what a run measured."""
    async with client:
        return await work(client, size)


if __name__ == "__main__":
    main()
