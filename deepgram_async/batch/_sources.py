"""The sources of a batch, one by one."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from typing import Final

import anyio.to_thread

from deepgram_async.batch._items import BatchSource, BatchSources

__all__ = ["each_source"]

# One trip to a thread takes sources for so long: what is there already costs one trip, what has to
# be waited for is worked on without delay.
_TRIP_S: Final = 0.005
_MOST_OF_A_TRIP: Final = 256


async def each_source(sources: BatchSources) -> AsyncGenerator[BatchSource]:
    """Yield the sources; what may block while it is iterated is iterated in threads."""
    if isinstance(sources, AsyncIterable):
        async for source in sources:
            yield source
    elif isinstance(sources, list | tuple):
        for source in sources:
            yield source
    else:
        iterator = iter(sources)
        while trip := await anyio.to_thread.run_sync(_take_some, iterator, abandon_on_cancel=True):
            for source in trip:
                yield source


def _take_some(iterator: Iterator[BatchSource]) -> list[BatchSource]:
    until = time.monotonic() + _TRIP_S
    taken: list[BatchSource] = []
    for source in iterator:
        taken.append(source)
        if len(taken) == _MOST_OF_A_TRIP or time.monotonic() > until:
            break
    return taken
