"""A batch as a program of its own, so that it can be killed: URL, directory, items, most."""

import asyncio
import sys
from pathlib import Path

from deepgram_async import DeepgramSession
from deepgram_async.batch import AdaptiveGate, Batch, FileSink, JsonLinesSink, SqliteJournal
from tests.support.batches import items


async def run(url: str, directory: Path, count: int, most: int) -> None:
    async with (
        DeepgramSession("key", base_url=url) as dg,
        SqliteJournal(directory / "journal") as journal,
        JsonLinesSink(directory / "answers.jsonl") as lines,
    ):
        await Batch(
            dg,
            items(count),
            gate=AdaptiveGate(most),
            journal=journal,
            sinks=[FileSink(directory / "out"), lines],
            model="nova-3",
        ).run()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
