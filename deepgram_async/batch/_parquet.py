"""Answers as Parquet files, for analysis."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Final, Self

import msgspec

from deepgram_async.batch._durable import keep_others_out, make_directory, sync_directory
from deepgram_async.batch._grouped import GroupedWriter
from deepgram_async.batch._json_lines import LineFile, line_of
from deepgram_async.batch._outcomes import Done
from deepgram_async.batch._threads import run_to_end
from deepgram_async.errors import InvalidStateError, MissingDependencyError
from deepgram_async.models.prerecorded import Transcription

__all__ = ["ParquetSink"]

# What is decoded and written at once; the memory of a file is a few times this.
_GROUP_BYTES: Final = 8 << 20
_NAME: Final = re.compile(r"part-(\d+)\.(jsonl|parquet)")

_Row = dict[str, object]


class ParquetSink:
    """Keeps answers as the rows of Parquet files in a directory.

    ::

        async with ParquetSink("answers") as table:
            await Batch(dg, sources, sinks=[table], model="nova-3").run()

    A row has ``key``, ``source``, ``name``, ``request_id``, ``created``, ``audio_s``, ``channels``,
    ``transcript``, ``confidence``, the ``words`` (a list of structs with channel, speaker, start,
    end, confidence, word and punctuated_word), and ``answer``, which is what the service said, as
    JSON.

    A Parquet file can be read only when it is complete, so answers are added to a file of lines
    first, which survives a crash; when it is large enough, and at the end, it becomes
    ``part-00000.parquet`` and so on. What a crash has left as lines becomes Parquet when the
    directory is opened again. An item that was in flight then is sent again; if its line was
    complete it has two rows, with the same ``key``. Needs the extra:
    ``pip install 'deepgram-async[parquet]'``.

    Args:
        directory: Where the files are; it is made if need be.
        part_bytes: Size of the lines that become one file, which is about a fifth of it.

    Raises:
        MissingDependencyError: The extra is not installed.
    """

    def __init__(self, directory: str | os.PathLike[str], *, part_bytes: int = 256 << 20) -> None:
        self._parts = _Parts(Path(directory), part_bytes, _pyarrow())
        self._writer: GroupedWriter[bytes] | None = None

    async def __aenter__(self) -> Self:
        """Open the directory, and complete what a crash has left.

        Raises:
            OSError: It cannot be written, or another batch writes to it.
        """
        if self._writer is not None:
            raise InvalidStateError("the directory is open already")
        await run_to_end(self._parts.open, lambda _: self._parts.close())
        self._writer = GroupedWriter(self._parts.add, "deepgram-parquet")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            await writer.aclose()
        finally:
            await run_to_end(self._parts.close)

    async def write(self, outcome: Done) -> None:
        """Keep an answer.

        Raises:
            OSError: It cannot be written.
        """
        if self._writer is None:
            raise InvalidStateError("the directory is not open: use `async with`")
        await self._writer.put(line_of(outcome))


class _Parts:
    """The files of a directory: complete ones, and one of lines; its calls block."""

    def __init__(self, directory: Path, part_bytes: int, pyarrow: _PyArrow) -> None:
        self._directory = directory
        self._part_bytes = part_bytes
        self._pyarrow = pyarrow
        self._number = 0
        self._lines: LineFile | None = None
        self._lock: int | None = None

    def open(self) -> None:
        make_directory(self._directory)
        try:
            if os.name != "nt":  # Windows opens no directories
                self._lock = os.open(self._directory, os.O_RDONLY)
                keep_others_out(self._lock, self._directory)
            self._complete_all()
        except BaseException:
            self._unlock()
            raise

    def _complete_all(self) -> None:
        numbers = [-1]
        for path in sorted(self._directory.iterdir()):
            if name := _NAME.fullmatch(path.name):
                numbers.append(int(name[1]))
                if name[2] == "jsonl":
                    self._complete(path)
        self._number = max(numbers) + 1

    def add(self, lines: list[bytes]) -> None:
        if self._lines is None:
            self._lines = LineFile(self._path())
        self._lines.add(lines)
        if self._lines.size >= self._part_bytes:
            self._end_part()

    def close(self) -> None:
        try:
            self._end_part()
        finally:
            self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _end_part(self) -> None:
        if self._lines is not None:
            self._lines.close()
            self._lines = None
            lines = self._path()
            self._number += 1  # whatever fails now, no line is added to a part that may be complete
            self._complete(lines)

    def _path(self) -> Path:
        return self._directory / f"part-{self._number:05}.jsonl"

    def _complete(self, lines: Path) -> None:
        """Turn a file of lines into a Parquet file, unless that was done before a crash."""
        done = lines.with_suffix(".parquet")
        if not done.exists():
            LineFile(lines).close()  # without a line that was cut off
            part = lines.with_name(f".{done.name}.part")
            self._pyarrow.write(part, _groups(lines))
            os.replace(part, done)
            sync_directory(self._directory)
        lines.unlink()


class _Line(msgspec.Struct):
    key: str
    source: str
    name: str
    answer: msgspec.Raw


def _groups(path: Path) -> Iterator[list[_Row]]:
    """Yield the rows of a file of lines, some megabytes of them at a time."""
    rows, size = list[_Row](), 0
    with path.open("rb") as file:
        for line in file:
            rows.append(_row(line))
            size += len(line)
            if size >= _GROUP_BYTES:
                yield rows
                rows, size = [], 0
    yield rows


def _row(line: bytes) -> _Row:
    read = msgspec.json.decode(line, type=_Line)
    answer = msgspec.json.decode(read.answer, type=Transcription)
    words = [
        {
            "channel": number,
            "speaker": word.speaker,
            "start": word.start,
            "end": word.end,
            "confidence": word.confidence,
            "word": word.word,
            "punctuated_word": word.punctuated_word,
        }
        for number, channel in enumerate(answer.results.channels)
        for best in channel.alternatives[:1]
        for word in best.words
    ]
    return {
        "key": read.key,
        "source": read.source,
        "name": read.name,
        "request_id": answer.request_id,
        "created": answer.metadata.created,
        "audio_s": answer.duration,
        "channels": answer.metadata.channels,
        "transcript": answer.transcript,
        "confidence": answer.confidence,
        "words": words,
        "answer": bytes(read.answer).decode(),
    }


class _PyArrow:
    """The library, which tells type checkers nothing."""

    def __init__(self, arrow: ModuleType, parquet: ModuleType) -> None:
        self._arrow = arrow
        self._parquet = parquet
        text, number, float64 = arrow.string(), arrow.int32(), arrow.float64()
        word = arrow.struct(
            {
                "channel": number,
                "speaker": number,
                "start": float64,
                "end": float64,
                "confidence": float64,
                "word": text,
                "punctuated_word": text,
            }.items()
        )
        self._schema: Any = arrow.schema(
            {
                "key": text,
                "source": text,
                "name": text,
                "request_id": text,
                "created": text,
                "audio_s": float64,
                "channels": number,
                "transcript": text,
                "confidence": float64,
                "words": arrow.list_(word),
                "answer": text,
            }.items()
        )

    def write(self, path: Path, groups: Iterator[list[_Row]]) -> None:
        """Write a file that survives a crash of the machine."""
        with path.open("wb") as file:
            with self._parquet.ParquetWriter(file, self._schema, compression="zstd") as writer:
                for rows in groups:
                    writer.write_table(self._arrow.Table.from_pylist(rows, self._schema))
            file.flush()
            os.fsync(file.fileno())


def _pyarrow() -> _PyArrow:
    try:
        return _PyArrow(import_module("pyarrow"), import_module("pyarrow.parquet"))
    except ImportError:
        raise MissingDependencyError(
            "Parquet files need pyarrow: pip install 'deepgram-async[parquet]'"
        ) from None
