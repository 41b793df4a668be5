"""Chunks of a batch, for engines that run plain functions on many machines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Literal, TypeAlias, TypedDict, Unpack

from deepgram_async import DeepgramSession, QueryValue
from deepgram_async.batch._batch import Batch
from deepgram_async.batch._gate import Gate
from deepgram_async.batch._items import BatchSource, as_item
from deepgram_async.batch._outcomes import Done, Outcome, reason_of
from deepgram_async.batch._sinks import Sink
from deepgram_async.errors import ConfigurationError, DeepgramError
from deepgram_async.options import ListenOptions

__all__ = [
    "GateMaker",
    "OutcomeRow",
    "SinkMaker",
    "outcome_row",
    "transcribe_chunk",
    "unsent_row",
]

GateMaker: TypeAlias = Callable[[], AbstractAsyncContextManager[Gate]]
"""Makes a gate, for example ``partial(RedisGate, "redis://cache.internal", limit=50)``."""

SinkMaker: TypeAlias = Callable[[], Sink | AbstractAsyncContextManager[Sink]]
"""Makes a sink, for example ``partial(FileSink, "/shared/results")``; it is opened if need be."""


class OutcomeRow(TypedDict):
    """What became of an item, as plain values: for tables, and for the way between machines."""

    status: Literal["done", "failed", "not_sent"]
    """``not_sent`` when the chunk ended before: for a reason that is not the item's."""
    source: str
    """What people call the item: a path or an address, without anything secret."""
    name: str
    """Where its results belong."""
    key: str
    """The item and the options, as a hash; empty when it was not sent."""
    request_id: str | None
    """The id to quote to Deepgram's support."""
    attempts: int
    """Requests sent for it."""
    took_s: float
    """Seconds from taking it until it was done with, waiting included."""
    audio_s: float | None
    """Seconds of audio."""
    transcript: str | None
    """The text."""
    answer: str | None
    """The whole answer, as JSON."""
    error: str | None
    """The class of the error, such as ``BadRequestError``."""
    message: str | None
    """What the error says."""
    error_status: int | None
    """The HTTP status of the error."""
    retryable: bool
    """Whether the same item may succeed later without any change."""


def transcribe_chunk(
    sources: Sequence[BatchSource],
    *,
    session: Callable[[], DeepgramSession] = DeepgramSession,
    gate: GateMaker | None = None,
    sinks: Sequence[SinkMaker] = (),
    extra_query: Mapping[str, QueryValue] | None = None,
    **options: Unpack[ListenOptions],
) -> list[OutcomeRow]:
    """Transcribe some recordings and return a row for each, in their order; never raise.

    A plain function with an event loop of its own, for engines that run functions: Dask, Ray,
    Spark, a pool of processes. All that it is given can be pickled. What it does not do is
    remember: run again, it sends everything again, so a chunk is what is paid twice when a machine
    dies in the middle of one.

    Args:
        sources: The recordings, as for `Batch`.
        session: Makes the session; ``DeepgramSession`` reads the key from the environment of the
            machine it runs on, so that no key travels with the work.
        gate: Makes the gate; without one, every chunk finds its own share of the limit.
        sinks: Make what keeps answers as well, such as files in a directory that all machines see;
            not one file of lines or one table, which one chunk at a time may write to.
        extra_query: Query keys that are newer than this release, sent as they are.
        **options: What the service shall do, as for ``dg.listen.transcribe``.
    """
    rows: dict[int, OutcomeRow] = {}

    async def run() -> None:
        async with session() as dg, AsyncExitStack() as stack:
            batch = Batch(
                dg,
                list(sources),
                gate=None if gate is None else await stack.enter_async_context(gate()),
                sinks=[await _opened(stack, make()) for make in sinks],
                extra_query=extra_query,
                **options,
            )
            async for outcome in batch:
                rows[outcome.position] = outcome_row(outcome)

    ending: Exception | None = None
    try:
        asyncio.run(run())
    except Exception as error:  # whatever ended the chunk: a row tells it for every item left
        ending = error
    return [
        rows.get(position) or unsent_row(source, ending) for position, source in enumerate(sources)
    ]


async def _opened(stack: AsyncExitStack, made: Sink | AbstractAsyncContextManager[Sink]) -> Sink:
    if isinstance(made, AbstractAsyncContextManager):
        return await stack.enter_async_context(made)
    return made


def outcome_row(outcome: Outcome) -> OutcomeRow:
    """Return an outcome as a row."""
    row = _row(outcome.item.source, outcome.item.name)
    row["key"] = outcome.key
    row["request_id"] = outcome.request_id
    row["attempts"] = outcome.attempts
    row["took_s"] = outcome.took_s
    if isinstance(outcome, Done):
        row["status"] = "done"
        row["audio_s"] = outcome.answer.duration
        row["transcript"] = outcome.answer.transcript
        row["answer"] = outcome.answer.to_json()
    else:
        row["status"] = "failed"
        _tell(row, outcome.error)
    return row


def unsent_row(source: BatchSource, error: Exception | None) -> OutcomeRow:
    """Return the row of an item that was not sent, or of which that is not known."""
    try:
        item = as_item(source)
    except ConfigurationError:  # perhaps it was this that ended the chunk
        row = _row(source if isinstance(source, str) else "", "")
    else:
        row = _row(item.source, item.name)
    if error is not None:
        _tell(row, error)
    return row


def _row(source: str, name: str) -> OutcomeRow:
    return {
        "status": "not_sent",
        "source": source,
        "name": name,
        "key": "",
        "request_id": None,
        "attempts": 0,
        "took_s": 0.0,
        "audio_s": None,
        "transcript": None,
        "answer": None,
        "error": None,
        "message": None,
        "error_status": None,
        "retryable": False,
    }


def _tell(row: OutcomeRow, error: Exception) -> None:
    row["error"] = type(error).__name__
    row["message"] = reason_of(error)
    if isinstance(error, DeepgramError):
        row["error_status"] = error.status
        row["retryable"] = error.retryable
