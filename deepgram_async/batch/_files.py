"""Answers as files, one for each item and format."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, Unpack

from deepgram_async.batch._durable import write_durably
from deepgram_async.batch._grouped import GroupedWriter
from deepgram_async.batch._outcomes import Done, Failed
from deepgram_async.batch._threads import run_to_end
from deepgram_async.errors import ConfigurationError, ProtocolError
from deepgram_async.options import TranscriptOptions
from deepgram_async.transcript import FormatName, Transcript, find_format, render

__all__ = ["FileSink"]


# As many files the disk is waited for at a time. They do nothing else: memory that was used in many
# threads is lost to the others when it is free.
_THREADS: Final = 8


# File systems take 255 bytes in a name, some of which are for extensions and the temporary name.
_LONGEST: Final = 230
_DIGITS: Final = 16


class FileSink:
    """Writes the answer of each item into files of its own.

    An item named ``calls/monday.mp3`` gets ``calls/monday.mp3.json`` and ``calls/monday.mp3.srt``
    below the directory. A part of a name that is longer than 230 bytes is cut and ends in a hash of
    the whole, because no file system takes it. A file is there completely or not at all, whenever
    the machine stops; one that is there already is replaced.

    Args:
        directory: Where the files belong; it is made if need be.
        formats: Keys of ``deepgram_async.transcript.FORMATS``, or extensions. ``json`` is what the
            service said, to the letter.
        **options: How transcripts are written, see ``TranscriptOptions``.

    Raises:
        OptionError: There is no such format, or no such option.
        ConfigurationError: There is no format at all.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        formats: Sequence[FormatName | str] = ("json",),
        **options: Unpack[TranscriptOptions],
    ) -> None:
        if not formats:
            raise ConfigurationError("no format: nothing would be kept")
        self._directory = Path(directory)
        self._formats = [find_format(name) for name in formats]
        self._options = options
        # Their threads end with the sink.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="deepgram-fsync")
        self._writer: GroupedWriter[Done] = GroupedWriter(self._write, "deepgram-files", apart=True)
        for found in self._formats:
            render(
                Transcript(duration=0.0, channels=1), found.name, **options
            )  # what is wrong is told before any request

    async def write(self, outcome: Done) -> None:
        """Write the files of an answer.

        Raises:
            OSError: They cannot be written.
        """
        await self._writer.put(outcome)

    async def write_undecoded(self, outcome: Failed) -> Path | None:
        """Keep an answer that could not be decoded, which may have been paid for.

        It becomes ``calls/monday.mp3.undecoded``.

        Returns:
            The file, or ``None`` if the item failed in another way.

        Raises:
            OSError: It cannot be written.
        """
        if not isinstance(outcome.error, ProtocolError) or not outcome.error.body:
            return None
        path = self._directory / f"{_fitting(outcome.item.name)}.undecoded"
        await run_to_end(partial(write_durably, [(path, outcome.error.body)]))
        return path

    def paths(self, name: str) -> list[Path]:
        """Return the files of an item, in the order of the formats."""
        fitting = _fitting(name)
        return [self._directory / f"{fitting}.{found.extension}" for found in self._formats]

    def _write(self, outcomes: list[Done]) -> None:
        files = (file for outcome in outcomes for file in self._files(outcome))
        write_durably(files, self._threads)

    def _files(self, outcome: Done) -> Iterator[tuple[Path, bytes]]:
        answer = outcome.answer
        for found, path in zip(self._formats, self.paths(outcome.item.name), strict=True):
            if found.name == "json" and answer.raw is not None:
                yield path, answer.raw  # large, and there as bytes already
            else:
                yield path, render(answer, found.name, **self._options).encode()


def _fitting(name: str) -> str:
    """Return the name of an item in parts that a file system takes."""
    return "/".join(_cut(part) for part in name.split("/"))


def _cut(part: str) -> str:
    encoded = part.encode()
    if len(encoded) <= _LONGEST:
        return part
    kept = encoded[: _LONGEST - _DIGITS - 1].decode(errors="ignore")
    return f"{kept}-{hashlib.sha256(encoded).hexdigest()[:_DIGITS]}"
