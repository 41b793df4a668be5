"""A batch in a process of its own: URL, directory, first item, items, most in flight.

It keeps answers in files and a journal, and prints what it took as a JSON object.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deepgram_async import DeepgramSession, RetryPolicy
from deepgram_async.batch import AdaptiveGate, Batch, BytesItem, FileSink, SqliteJournal

_AUDIO: Final = bytes(16_000)
_IN_A_DIRECTORY: Final = 1000


def items(first: int, count: int) -> Iterator[BytesItem]:
    """Yield recordings of 16 kB, each when it is asked for."""
    for number in range(first, first + count):
        name = f"{number // _IN_A_DIRECTORY:03}/{number:06}"
        yield BytesItem(b"%012d" % number + _AUDIO, name)


async def run(url: str, directory: Path, first: int, count: int, most: int) -> None:
    """Transcribe the items, and print what that took."""
    async with (
        DeepgramSession("key", base_url=url) as dg,
        SqliteJournal(directory / "journal") as journal,
    ):
        batch = Batch(
            dg,
            items(first, count),
            gate=AdaptiveGate(most),
            journal=journal,
            sinks=[FileSink(directory / "out")],
            retry=RetryPolicy(attempts=5, first_delay_s=0.2),
            model="nova-3",
        )
        began, cpu_began = time.monotonic(), time.process_time()
        stats = await batch.run()
        took = {
            "seconds": time.monotonic() - began,
            "cpu_s": time.process_time() - cpu_began,
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "done": stats.done,
            "failed": stats.failed,
            "done_before": stats.done_before,
            "requests": stats.requests,
        }
        print(json.dumps(took), flush=True)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:6])))
