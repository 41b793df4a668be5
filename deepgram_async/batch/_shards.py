"""One batch divided among machines that do not know of each other."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Self

from deepgram_async.batch._items import BatchSources, Item, as_item
from deepgram_async.batch._sources import each_source
from deepgram_async.errors import ConfigurationError

__all__ = ["Shard"]


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several equal parts of a batch.

    Which part an item belongs to follows from a hash of its name alone: every machine that is
    given the same sources finds the same parts, in any order, today and tomorrow, also when the
    content of an item has changed since.

        sources = Shard.from_environment().of(Path("calls").rglob("*.wav"))

    Args:
        index: Which part, counted from 0.
        count: How many parts there are.

    Raises:
        ConfigurationError: There is no such part.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise ConfigurationError(
                f"there is no shard {self.index} of {self.count}: they are counted from 0"
            )

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @classmethod
    def parse(cls, text: str, environ: Mapping[str, str] | None = None) -> Self:
        """Return the shard that a text names: ``2/8``, ``auto`` or ``auto/8``.

        ``auto`` takes index and count from the variables of an array job, as `from_environment`
        does; ``auto/8`` the index alone.

        Raises:
            ConfigurationError: It names none, or the environment has no such variables.
        """
        index, _, count = text.partition("/")
        if index == "auto" and (not count or count.isdecimal()):
            return cls.from_environment(environ, count=int(count) if count else None)
        if not (index.isdecimal() and count.isdecimal()):
            raise ConfigurationError(f"{text!r} is no shard: write 0/8, auto or auto/8")
        return cls(int(index), int(count))

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, *, count: int | None = None
    ) -> Self:
        """Return the shard of this process in an array job.

        Read are, in this order:

        - AWS Batch: ``AWS_BATCH_JOB_ARRAY_INDEX`` and ``AWS_BATCH_JOB_ARRAY_SIZE``.
        - Slurm: ``SLURM_ARRAY_TASK_ID`` with ``_MIN``, ``_STEP`` and ``_COUNT``. With a
          ``count`` the task id is the index.
        - Kubernetes, an indexed Job: ``JOB_COMPLETION_INDEX``; Kubernetes tells no count, so
          ``count`` is needed.

        Args:
            environ: The variables; those of the process if left out.
            count: How many parts there are, if it is not what the environment says.

        Raises:
            ConfigurationError: The variables are missing, no numbers, or do not fit together.
        """
        given = os.environ if environ is None else environ
        if "AWS_BATCH_JOB_ARRAY_INDEX" in given:
            index = _number(given, "AWS_BATCH_JOB_ARRAY_INDEX")
            size = _number(given, "AWS_BATCH_JOB_ARRAY_SIZE") if count is None else count
            return cls(index, size)
        if "SLURM_ARRAY_TASK_ID" in given:
            index = _number(given, "SLURM_ARRAY_TASK_ID")
            return cls(*_slurm_place(given, index)) if count is None else cls(index, count)
        if "JOB_COMPLETION_INDEX" in given:
            index = _number(given, "JOB_COMPLETION_INDEX")
            if count is None:
                raise ConfigurationError(
                    "Kubernetes does not tell how many completions a Job has: write auto/8, "
                    "or pass count="
                )
            return cls(index, count)
        raise ConfigurationError(
            "this is no array job: none of AWS_BATCH_JOB_ARRAY_INDEX, SLURM_ARRAY_TASK_ID and "
            "JOB_COMPLETION_INDEX is set"
        )

    def holds(self, item: Item) -> bool:
        """Whether an item belongs to this part."""
        digest = hashlib.blake2b(item.name.encode("utf-8", "surrogateescape"), digest_size=8)
        return int.from_bytes(digest.digest(), "big") % self.count == self.index

    async def of(self, sources: BatchSources) -> AsyncGenerator[Item]:
        """Yield the items of this part, as they are found.

        Args:
            sources: As for `Batch`.
        """
        async for source in each_source(sources):
            item = as_item(source)
            if self.holds(item):
                yield item


def _slurm_place(given: Mapping[str, str], task: int) -> tuple[int, int]:
    first = _number(given, "SLURM_ARRAY_TASK_MIN")
    step = _number(given, "SLURM_ARRAY_TASK_STEP") if "SLURM_ARRAY_TASK_STEP" in given else 1
    count = _number(given, "SLURM_ARRAY_TASK_COUNT")
    last = _number(given, "SLURM_ARRAY_TASK_MAX")
    index, rest = divmod(task - first, max(1, step))
    if rest or first + (count - 1) * max(1, step) != last:
        raise ConfigurationError(
            "the Slurm array has gaps: number it from 0 and write auto/8, or pass count="
        )
    return index, count


def _number(given: Mapping[str, str], name: str) -> int:
    value = given.get(name, "")
    if not value.isdecimal():
        raise ConfigurationError(f"{name} is {value!r}, not a number")
    return int(value)
