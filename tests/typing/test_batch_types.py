"""Read by the type checkers, for batches; nothing here is sent."""

from inspect import iscoroutinefunction
from pathlib import Path
from typing import assert_type

from deepgram_async import DeepgramSession
from deepgram_async.batch import (
    AdaptiveGate,
    Batch,
    BatchStats,
    BytesItem,
    Done,
    Failed,
    FileItem,
    FileSink,
    Gate,
    GateState,
    Item,
    ItemRequests,
    Journal,
    JsonLinesSink,
    Outcome,
    ParquetSink,
    Sink,
    SqliteJournal,
    Transcriber,
    UrlItem,
    recordings,
    transcribe_whole,
)
from deepgram_async.models.prerecorded import Transcription


async def outcomes(dg: DeepgramSession, journal: SqliteJournal) -> None:
    batch = Batch(dg, recordings("calls"), journal=journal, model="nova-3", keyterm=["a", "b"])
    async for outcome in batch:
        assert_type(outcome, Done | Failed)
        match outcome:
            case Done(item=item, answer=answer):
                assert_type(item, Item)
                assert_type(answer, Transcription)
                assert_type(outcome.request_id, str)
            case Failed(error=error):
                assert_type(error, Exception)
                assert_type(outcome.request_id, str | None)
    assert_type(await batch.run(), BatchStats)
    assert_type(batch.stats().gate, GateState)


def sources(dg: DeepgramSession) -> list[Batch]:
    return [
        Batch(dg, ["a.wav", Path("b.wav"), b"audio", UrlItem("https://example.com/c")], model="m"),
        Batch(dg, Path("calls").rglob("*.wav"), model="m"),
        Batch(dg, (BytesItem(b"audio", str(number)) for number in range(3)), model="m"),
        Batch(dg, ["a.wav"], modal="m"),  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ]


async def in_two_parts(item: Item, requests: ItemRequests) -> Transcription:
    await requests.transcribe(item.open)
    return await requests.transcribe(item.open, content_type=item.content_type)


# What is made here has all that is asked of it.
GATE: Gate = AdaptiveGate()
JOURNAL: Journal = SqliteJournal("journal")
ITEMS: list[Item] = [FileItem("a.wav"), BytesItem(b"audio"), UrlItem("https://example.com/a")]
TRANSCRIBERS: list[Transcriber] = [transcribe_whole, in_two_parts]


def sinks(files: FileSink, lines: JsonLinesSink, table: ParquetSink) -> list[Sink]:
    return [files, lines, table]


def is_done(outcome: Outcome) -> bool:
    return isinstance(outcome, Done)


def test_these_are_read_by_type_checkers() -> None:
    assert all(iscoroutinefunction(function) for function in (outcomes, in_two_parts))
