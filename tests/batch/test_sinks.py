"""Where answers are kept: completely or not at all."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from deepgram_async import DeepgramSession
from deepgram_async.batch import (
    Batch,
    BytesItem,
    Done,
    FileSink,
    JsonLinesSink,
    ParquetSink,
    Sink,
)
from deepgram_async.errors import ConfigurationError, InvalidStateError, OptionError
from deepgram_async.models.prerecorded import Transcription
from tests.support.answers import TRANSCRIPTION
from tests.support.batches import batch_service, items
from tests.support.servers import http_server
from tests.support.wire import service

ANSWER = msgspec.convert(TRANSCRIPTION, Transcription)


def outcome(name: str, key: str = "") -> Done:
    return Done(
        item=BytesItem(b"audio", name),
        key=key or name,
        position=0,
        answer=ANSWER,
        attempts=1,
        took_s=0.25,
    )


async def run(sink: Sink, count: int) -> None:
    async with batch_service() as there, there.session() as dg:
        await Batch(dg, items(count), sinks=[sink], model="nova-3").run()


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def files_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


# Files.


async def test_each_item_has_a_file_in_each_format(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "out", ["json", "srt", "txt"])
    await sink.write(outcome("calls/monday.mp3"))
    directory = tmp_path / "out" / "calls"
    assert files_in(directory) == ["monday.mp3.json", "monday.mp3.srt", "monday.mp3.txt"]
    assert [path.parent for path in sink.paths("calls/monday.mp3")] == [directory] * 3
    assert json.loads((directory / "monday.mp3.json").read_text()) == ANSWER.to_dict()
    assert "-->" in (directory / "monday.mp3.srt").read_text()


async def test_json_is_what_the_service_said_to_the_letter(tmp_path: Path) -> None:
    newer = {**TRANSCRIPTION, "newer_field": [1.50, "x"]}
    async with service(newer) as there, there.session() as dg:
        sink = FileSink(tmp_path)
        await Batch(dg, [BytesItem(b"audio", "one")], sinks=[sink], model="nova-3").run()
    assert json.loads((tmp_path / "one.json").read_text()) == newer


async def test_a_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("what an earlier run wrote, and much longer than a line")
    await FileSink(tmp_path, ["text"], speakers=False).write(outcome("one"))
    assert (tmp_path / "one.txt").read_text() == "life\n"
    assert files_in(tmp_path) == ["one.txt"]


async def test_a_directory_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OSError, match="out"):
        await FileSink(tmp_path / "out").write(outcome("one"))


async def test_a_name_that_is_too_long_for_a_file_is_cut(tmp_path: Path) -> None:
    long = "ä" * 124 + ".wav"
    sink = FileSink(tmp_path, ["json"])
    for name in (f"{long}/a", f"{long}/{long}", f"{long}/{long[1:]}b"):
        await sink.write(outcome(name))
        assert sink.paths(name)[0].is_file()
    (directory,) = files_in(tmp_path)
    assert len(files_in(tmp_path / directory)) == 3


async def test_a_file_that_cannot_be_written_takes_no_other_with_it(tmp_path: Path) -> None:
    (tmp_path / "item 3.json").mkdir()
    sink = FileSink(tmp_path)
    writing = [sink.write(outcome(f"item {n}")) for n in range(8)]
    results = await asyncio.gather(*writing, return_exceptions=True)
    assert [n for n, result in enumerate(results) if result is not None] == [3]
    assert files_in(tmp_path) == [f"item {n}.json" for n in range(8)]


def test_wrong_formats_and_options_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no format 'docx'"):
        FileSink(tmp_path, ["docx"])
    with pytest.raises(OptionError):
        FileSink(tmp_path, ["srt"], line_length=-1)
    with pytest.raises(ConfigurationError, match="no format"):
        FileSink(tmp_path, [])


# JSON Lines.


async def test_a_line_for_each_item(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "answers.jsonl"
    async with JsonLinesSink(path) as sink:
        await run(sink, 40)
    lines = lines_of(path)
    assert sorted(line["name"] for line in lines) == sorted(f"item {n}" for n in range(40))
    assert set(lines[0]) == {"key", "source", "name", "attempts", "took_s", "answer"}
    assert all(line["answer"] == TRANSCRIPTION for line in lines)


async def test_an_answer_over_several_lines_becomes_one(tmp_path: Path) -> None:
    async def indented(request: web.Request) -> web.Response:
        await request.read()
        body = json.dumps(TRANSCRIPTION, indent=2)
        return web.Response(text=body, content_type="application/json")

    async with http_server(indented) as url, DeepgramSession("key", base_url=url) as dg:
        async with JsonLinesSink(tmp_path / "a.jsonl") as sink:
            await Batch(dg, items(2), sinks=[sink], model="nova-3").run()
    assert [line["answer"] for line in lines_of(tmp_path / "a.jsonl")] == [TRANSCRIPTION] * 2


async def test_lines_are_added_and_one_that_was_cut_off_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    async with JsonLinesSink(path) as sink:
        await sink.write(outcome("one"))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"key": "two", "answer": "' + b"x" * 200_000)
    async with JsonLinesSink(path) as sink:
        assert path.read_bytes() == whole
        await sink.write(outcome("three"))
    assert [line["name"] for line in lines_of(path)] == ["one", "three"]


async def test_a_file_of_nothing_but_a_cut_line_becomes_empty(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b"x" * 100)
    async with JsonLinesSink(path):
        pass
    assert path.read_bytes() == b""


# Parquet.


def rows_of(directory: Path) -> list[dict[str, Any]]:
    parquet = pytest.importorskip("pyarrow.parquet")
    rows: list[dict[str, Any]] = parquet.read_table(directory).to_pylist()
    return rows


async def test_a_row_for_each_item(tmp_path: Path) -> None:
    async with ParquetSink(tmp_path / "answers") as sink:
        await run(sink, 30)
    rows = rows_of(tmp_path / "answers")
    assert sorted(row["name"] for row in rows) == sorted(f"item {n}" for n in range(30))
    row = rows[0]
    assert (row["transcript"], row["audio_s"], row["channels"]) == (
        "life moves pretty fast",
        1.5,
        1,
    )
    assert row["words"] == [
        {
            "channel": 0,
            "speaker": None,
            "start": 0.1,
            "end": 0.4,
            "confidence": 0.98,
            "word": "life",
            "punctuated_word": None,
        }
    ]
    assert json.loads(row["answer"]) == TRANSCRIPTION
    assert files_in(tmp_path / "answers") == ["part-00000.parquet"]


async def test_a_large_table_has_several_files(tmp_path: Path) -> None:
    for first in (0, 3):
        async with ParquetSink(tmp_path, part_bytes=600) as sink:
            for number in range(first, first + 3):
                await sink.write(outcome(f"item {number}"))
    assert files_in(tmp_path) == [
        "part-00000.parquet",
        "part-00001.parquet",
        "part-00002.parquet",
        "part-00003.parquet",
    ]
    assert [row["name"] for row in rows_of(tmp_path)] == [f"item {n}" for n in range(6)]


async def crash(directory: Path, *names: str) -> None:
    """Leave what a crash leaves after some answers: their lines, and no table."""
    sink = ParquetSink(directory / "elsewhere")
    await sink.__aenter__()
    for name in names:
        await sink.write(outcome(name))
    lines = (directory / "elsewhere" / "part-00000.jsonl").read_bytes()
    await sink.__aexit__(None, None, None)
    (directory / "answers").mkdir(exist_ok=True)
    (directory / "answers" / "part-00000.jsonl").write_bytes(lines + b'{"key": "cut')


async def test_answers_survive_a_crash_before_their_file_was_complete(tmp_path: Path) -> None:
    await crash(tmp_path, "one", "two")
    async with ParquetSink(tmp_path / "answers") as sink:
        await sink.write(outcome("three"))
    assert [row["name"] for row in rows_of(tmp_path / "answers")] == ["one", "two", "three"]


async def test_a_crash_after_a_file_was_complete_doubles_nothing(tmp_path: Path) -> None:
    await crash(tmp_path, "one")
    complete = tmp_path / "elsewhere" / "part-00000.parquet"
    complete.rename(tmp_path / "answers" / "part-00000.parquet")
    async with ParquetSink(tmp_path / "answers"):
        pass
    assert [row["name"] for row in rows_of(tmp_path / "answers")] == ["one"]


async def test_no_answer_is_added_to_a_part_that_could_not_be_ended(tmp_path: Path) -> None:
    await crash(tmp_path, "one")
    directory = tmp_path / "answers"
    blocked = directory / ".part-00001.parquet.part"
    blocked.mkdir()
    async with ParquetSink(directory, part_bytes=1) as sink:
        with pytest.raises(IsADirectoryError):
            await sink.write(outcome("two"))
        blocked.rmdir()
        await sink.write(outcome("three"))
        assert "part-00001.jsonl" in files_in(directory)
    async with ParquetSink(directory):
        pass
    assert [row["name"] for row in rows_of(directory)] == ["one", "two", "three"]


async def test_a_table_without_rows_has_no_file(tmp_path: Path) -> None:
    async with ParquetSink(tmp_path / "answers"):
        pass
    assert files_in(tmp_path / "answers") == []


# Both.


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
@pytest.mark.parametrize("make", [JsonLinesSink, ParquetSink])
async def test_one_batch_at_a_time_writes_to_a_sink(
    make: type[JsonLinesSink | ParquetSink], tmp_path: Path
) -> None:
    async with make(tmp_path / "answers") as sink:
        await sink.write(outcome("one"))
        with pytest.raises(BlockingIOError, match="another batch writes to it"):
            async with make(tmp_path / "answers"):
                pass
        await sink.write(outcome("two"))
    async with make(tmp_path / "answers"):
        pass


@pytest.mark.parametrize("make", [JsonLinesSink, ParquetSink])
async def test_a_sink_that_is_not_open_keeps_nothing(
    make: type[JsonLinesSink | ParquetSink], tmp_path: Path
) -> None:
    sink = make(tmp_path / "answers")
    with pytest.raises(InvalidStateError, match="async with"):
        await sink.write(outcome("one"))
    async with sink:
        with pytest.raises(InvalidStateError, match="open already"):
            await sink.__aenter__()
