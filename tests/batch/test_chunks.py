import asyncio
import json
import pickle
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deepgram_async import DeepgramSession
from deepgram_async.batch import (
    BatchSource,
    FileSink,
    JsonLinesSink,
    OutcomeRow,
    RedisGate,
    transcribe_chunk,
)
from tests.support.batches import batch_service, items


async def rows_of(url: str, sources: Sequence[BatchSource], **settings: object) -> list[OutcomeRow]:
    session = partial(DeepgramSession, "any-key", base_url=url)
    work = partial(transcribe_chunk, session=session, **settings)  # type: ignore[arg-type]
    # Engines send it to other machines.
    there = pickle.loads(pickle.dumps(work))
    rows: list[OutcomeRow] = await asyncio.to_thread(there, sources)
    return rows


async def test_a_chunk_has_a_row_for_each_item_in_order() -> None:
    async with batch_service() as service:
        service.limit = 5
        rows = await rows_of(service.url, items(20), model="nova-3")
    assert [row["name"] for row in rows] == [f"item {n}" for n in range(20)]
    assert {row["status"] for row in rows} == {"done"}
    first = rows[0]
    assert first["audio_s"] == 1.5
    assert first["attempts"] >= 1
    assert len(first["key"]) == 32
    assert first["answer"] is not None
    assert json.loads(first["answer"])["metadata"]["request_id"] == first["request_id"]


async def test_an_item_that_fails_is_a_row_and_stops_nothing(tmp_path: Path) -> None:
    sources: list[BatchSource] = [b"one", tmp_path / "missing.wav", b"three"]
    async with batch_service() as service:
        rows = await rows_of(service.url, sources)
    assert [row["status"] for row in rows] == ["done", "failed", "done"]
    assert rows[1]["error"] == "AudioSourceError"
    assert str(tmp_path / "missing.wav") in (rows[1]["message"] or "")
    assert rows[1]["source"] == str(tmp_path / "missing.wav")


async def test_what_ends_the_chunk_is_told_for_every_item_that_is_left() -> None:
    secret = "https://example.com/a.wav?token=sentinel"
    gate = partial(RedisGate, "redis://127.0.0.1:9", patience_s=0.0)
    rows = await rows_of("http://127.0.0.1:9", [b"one", secret], gate=gate)
    assert [row["status"] for row in rows] == ["not_sent", "not_sent"]
    assert {row["error"] for row in rows} == {"GateError"}
    assert rows[1]["source"] == "https://example.com/a.wav"
    assert "sentinel" not in json.dumps(rows)


async def test_a_row_tells_no_password_of_what_was_not_sent() -> None:
    gate = partial(RedisGate, "redis://127.0.0.1:9", patience_s=0.0)
    sources: list[BatchSource] = ["https://user:sentinel@example.com/a.wav", "is it?.wav"]
    rows = await rows_of("http://127.0.0.1:9", sources, gate=gate)
    assert [row["source"] for row in rows] == ["https://example.com/a.wav", "is it?.wav"]
    assert "sentinel" not in json.dumps(rows)


async def test_what_is_no_source_is_told_in_its_row() -> None:
    sources: list[Any] = ["s3://calls/a.wav", 5]
    rows = await rows_of("http://127.0.0.1:9", sources)
    assert [(row["status"], row["source"]) for row in rows] == [
        ("not_sent", "s3://calls/a.wav"),
        ("not_sent", ""),
    ]


async def test_a_chunk_of_nothing_has_no_rows() -> None:
    assert await rows_of("http://127.0.0.1:9", []) == []


async def test_a_chunk_keeps_its_answers_in_files_as_well(tmp_path: Path) -> None:
    lines = tmp_path / "answers.jsonl"
    sinks = [partial(FileSink, tmp_path, ["json"]), partial(JsonLinesSink, lines)]
    async with batch_service() as service:
        [row] = await rows_of(service.url, [b"words"], sinks=sinks)
    assert (tmp_path / f"{row['name']}.json").read_text().strip() == row["answer"]
    assert json.loads(lines.read_text())["key"] == row["key"]


def test_an_option_that_does_not_exist_is_told_in_the_row() -> None:
    work = partial(transcribe_chunk, session=partial(DeepgramSession, "any-key"))
    [row] = work([b"audio"], quality="best")  # type: ignore[call-arg]
    assert row["error"] == "OptionError"
    assert "quality" in (row["message"] or "")


def test_rows_are_the_columns_of_a_table() -> None:
    rows = transcribe_chunk([b"audio"], session=partial(DeepgramSession, api_key=""))
    table: Any = pytest.importorskip("pyarrow").Table
    assert table.from_pylist(rows).column_names == list(OutcomeRow.__annotations__)
