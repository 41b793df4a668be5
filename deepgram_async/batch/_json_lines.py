"""Answers as JSON Lines, one file for a batch."""

from __future__ import annotations

import os
from functools import partial
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from deepgram_async.batch._durable import keep_others_out, make_directory, sync_directory, write_all
from deepgram_async.batch._grouped import GroupedWriter
from deepgram_async.batch._outcomes import Done
from deepgram_async.batch._threads import run_to_end
from deepgram_async.errors import InvalidStateError

__all__ = ["JsonLinesSink", "LineFile", "line_of"]

_LOOK_BACK: Final = 64 * 1024


class JsonLinesSink:
    """Adds one line for each answer to a file.

    ::

        async with JsonLinesSink("answers.jsonl") as lines:
            await Batch(dg, sources, sinks=[lines], model="nova-3").run()

    A line is an object with ``key``, ``source``, ``name``, ``attempts``, ``took_s`` and ``answer``,
    which is what the service said, to the letter. All lines that come while the disk is busy are
    kept together. A line that a crash has cut off is removed when the file is opened again. An item
    that was in flight then is sent again; if its line was complete it has two, with the same
    ``key``.

    Args:
        path: The file; it is made if need be, and else added to.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._file: LineFile | None = None
        self._writer: GroupedWriter[bytes] | None = None

    async def __aenter__(self) -> Self:
        """Open the file.

        Raises:
            OSError: It cannot be opened, or another batch writes to it.
        """
        if self._writer is not None:
            raise InvalidStateError("the file is open already")
        self._file = await run_to_end(partial(LineFile, self._path), LineFile.close)
        self._writer = GroupedWriter(self._file.add, "deepgram-json-lines")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        file, self._file = self._file, None
        writer, self._writer = self._writer, None
        if file is None or writer is None:
            return
        try:
            await writer.aclose()
        finally:
            await run_to_end(file.close)

    async def write(self, outcome: Done) -> None:
        """Add the line of an answer.

        Raises:
            OSError: The file cannot be written.
        """
        if self._writer is None:
            raise InvalidStateError("the file is not open: use `async with`")
        await self._writer.put(line_of(outcome))


def line_of(outcome: Done) -> bytes:
    """Return an answer as one line of JSON."""
    raw = outcome.answer.raw or outcome.answer.to_json().encode()
    if b"\n" in raw:
        raw = msgspec.json.format(raw, indent=-1)
    line = {
        "key": outcome.key,
        "source": outcome.item.source,
        "name": outcome.item.name,
        "attempts": outcome.attempts,
        "took_s": round(outcome.took_s, 3),
        "answer": msgspec.Raw(raw),
    }
    return msgspec.json.encode(line) + b"\n"


class LineFile:
    """A file of whole lines, which it keeps that way; its calls block."""

    def __init__(self, path: Path) -> None:
        make_directory(path.parent)
        is_new = not path.exists()
        self._file: FileIO = open(path, "a+b", buffering=0)
        try:
            keep_others_out(self._file.fileno(), path)
            self._cut(_end_of_lines(self._file))
        except BaseException:
            self._file.close()
            raise
        if is_new:
            sync_directory(path.parent)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._size

    def add(self, lines: list[bytes]) -> None:
        """Add lines that survive a crash of the machine, or none at all."""
        data = b"".join(lines)
        try:
            write_all(self._file, data)
            os.fsync(self._file.fileno())
        except OSError:
            self._cut(self._size)  # the disk is full, perhaps: no line without its end
            raise
        self._size += len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _cut(self, size: int) -> None:
        self._file.truncate(size)
        self._size = size


def _end_of_lines(file: FileIO) -> int:
    """Return where the last whole line ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _LOOK_BACK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
