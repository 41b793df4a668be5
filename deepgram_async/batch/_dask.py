"""A batch on a Dask cluster, chunk by chunk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from deepgram_async.batch._chunks import OutcomeRow, unsent_row
from deepgram_async.batch._dask_gate import import_distributed
from deepgram_async.batch._items import BatchSources, Item, as_item
from deepgram_async.batch._sources import each_source
from deepgram_async.errors import ConfigurationError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["dask_rows"]

# Chunks for each thread of the cluster: while one is worked on, the next one is there.
_CHUNKS_PER_THREAD: Final = 2


async def dask_rows(
    client: Client,
    sources: BatchSources,
    work: Callable[[Sequence[Item]], list[OutcomeRow]],
    *,
    chunk_size: int = 50,
    chunks_at_once: int | None = None,
) -> AsyncGenerator[OutcomeRow]:
    """Yield a row for each recording, as the chunks are completed on a Dask cluster.

    ::

        work = partial(transcribe_chunk, gate=partial(DaskGate, limit=50), model="nova-3")
        async with Client("tcp://scheduler:8786", asynchronous=True) as client:
            async for row in dask_rows(client, Path("calls").rglob("*.wav"), work):
                print(row["source"], row["status"])

    Every item has exactly one row, whatever happens to the workers. A chunk whose worker died is
    given to another one, from its beginning: what was done of it is paid twice. One that has
    killed several workers (``distributed.scheduler.allowed-failures``) is given up, and its rows
    tell so. Leaving the loop cancels what has not begun.

    Args:
        client: The cluster; asynchronous or not.
        sources: The recordings, as for `Batch`; they are taken as there is room.
        work: What each chunk is given to: `transcribe_chunk` with its arguments.
        chunk_size: Recordings in a chunk.
        chunks_at_once: Chunks on the cluster; two for each of its threads if left out.

    Raises:
        ConfigurationError: A source is of an unknown kind, or a number below one.
        MissingDependencyError: The extra ``dask`` is not installed.
        Exception: What the sources raised, or a cluster that takes no work any more.
    """
    import_distributed()
    if chunk_size < 1 or (chunks_at_once is not None and chunks_at_once < 1):
        raise ConfigurationError("a chunk has one recording at least, and there is one chunk")
    cluster: Any = client  # it has no types
    if chunks_at_once is None:
        threads: dict[str, int] = await _call(cluster, cluster.nthreads)
        chunks_at_once = max(1, sum(threads.values())) * _CHUNKS_PER_THREAD
    loop = asyncio.get_running_loop()
    finished = asyncio.Queue[Any]()
    chunks: dict[Any, list[Item]] = {}
    try:
        async with aclosing(_chunks(sources, chunk_size)) as coming:
            has_more = True
            while has_more or chunks:
                if has_more and len(chunks) < chunks_at_once:
                    chunk = await anext(coming, None)
                    if chunk is None:
                        has_more = False
                        continue
                    future = cluster.submit(work, chunk, pure=False)
                    chunks[future] = chunk
                    future.add_done_callback(_note_on(loop, finished))
                    continue
                future = await finished.get()
                chunk = chunks.pop(future)
                for row in await _rows_of(cluster, future, chunk):
                    yield row
    finally:
        if chunks:
            await _call(cluster, cluster.cancel, list(chunks))


async def _chunks(sources: BatchSources, size: int) -> AsyncGenerator[list[Item]]:
    chunk: list[Item] = []
    async with aclosing(each_source(sources)) as each:
        async for source in each:
            chunk.append(as_item(source))
            if len(chunk) == size:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


def _note_on(
    loop: asyncio.AbstractEventLoop, finished: asyncio.Queue[Any]
) -> Callable[[Any], None]:
    """Return what tells the loop of a finished chunk, from whatever thread."""

    def note(future: Any) -> None:
        try:
            loop.call_soon_threadsafe(finished.put_nowait, future)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    return note


async def _rows_of(cluster: Any, future: Any, chunk: list[Item]) -> list[OutcomeRow]:
    try:
        rows: list[OutcomeRow] = await _call(cluster, future.result)
    except Exception as error:  # of the cluster: the chunk was given up
        rows = [unsent_row(item, error) for item in chunk]
        for row in rows:
            row["status"] = "failed"
    return rows


async def _call(cluster: Any, method: Callable[..., Any], *args: Any) -> Any:
    """Ask the cluster something; a client that is not asynchronous blocks until it knows."""
    if cluster.asynchronous:
        return await method(*args)
    return await asyncio.to_thread(method, *args)
