"""One run of a batch: who takes the items, who works, and how it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, cast

from deepgram_async.batch._items import BatchSources, Item, as_item, checked_name
from deepgram_async.batch._journals import Journal, Redo
from deepgram_async.batch._keys import key_of
from deepgram_async.batch._outcomes import Done, Failed, Outcome
from deepgram_async.batch._requests import (
    EndOfBatchError,
    ItemRequests,
    Sending,
    StoppedError,
    Transcriber,
)
from deepgram_async.batch._sinks import Sink
from deepgram_async.batch._sources import each_source
from deepgram_async.errors import AudioSourceError

__all__ = ["Counts", "Run", "RunSettings"]

# Workers for each request in flight: while one waits for the disk, another has its place. What they
# hold is sent again after a crash, so there are no more.
_WORKERS_PER_PLACE: Final = 2


@dataclass(slots=True)
class Counts:
    """What a run counts."""

    done: int = 0
    failed: int = 0
    done_before: int = 0
    failed_before: int = 0
    repeated: int = 0
    taken: int = 0
    audio_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What becomes of the items of a run, besides sending them."""

    journal: Journal | None
    sinks: Sequence[Sink]
    redo: Redo
    in_order: bool
    window: int
    transcriber: Transcriber
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class _Job:
    """An item that was taken; ``number`` counts those that were, ``position`` all sources."""

    item: Item
    key: str
    position: int
    number: int
    taken_at: float


class Run:
    """Works on the items of a batch, in tasks that one task owns."""

    def __init__(
        self, settings: RunSettings, sending: Sending, sources: BatchSources, counts: Counts
    ) -> None:
        self._settings = settings
        self._sending = sending
        self._sources = sources
        self._counts = counts
        self._workers = sending.gate.state().most * _WORKERS_PER_PLACE
        self._room = asyncio.Semaphore(max(self._workers, settings.window))
        self._jobs: asyncio.Queue[_Job | None] = asyncio.Queue()
        self._results: asyncio.Queue[Outcome | None] = asyncio.Queue()
        self._late: dict[int, Outcome] = {}
        self._next_number = 0
        self._error: BaseException | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._working: dict[asyncio.Task[None], ItemRequests | None] = {}
        sending.note_answer()  # patience begins now
        self._task = asyncio.create_task(self._main(), name="deepgram batch")
        self._task.add_done_callback(self._end)

    async def next_outcome(self) -> Outcome | None:
        """Return the next outcome, or ``None`` at the end.

        Raises:
            Exception: What ended the batch before its end.
        """
        if self._task.done() and self._results.empty():
            return None
        outcome = await self._results.get()
        if outcome is not None:
            self._room.release()
        elif self._error is not None:
            raise self._error
        return outcome

    def stop(self, error: Exception | None = None) -> None:
        """Begin nothing new, and finish what is in flight; the consumer gets the first error."""
        self._error = self._error or error
        self._sending.is_stopping = True
        if self._feeding is not None:
            self._feeding.cancel()
        for task, requests in self._working.items():
            is_idle = requests is None or requests.may_be_dropped
            if is_idle and task is not asyncio.current_task():
                task.cancel()

    def cancel(self) -> None:
        """Cancel everything at once: no worker shall take the end of another for a fault."""
        if not self._task.done() and not self._task.get_loop().is_closed():
            for task in (*self._working, self._feeding, self._task):
                if task is not None:
                    task.cancel()

    async def aclose(self) -> None:
        """Cancel everything and wait for it."""
        self.cancel()
        await asyncio.wait([self._task])

    # The tasks.

    async def _main(self) -> None:
        if self._sending.is_stopping:
            return
        async with asyncio.TaskGroup() as group:
            self._feeding = group.create_task(self._feed(), name="deepgram batch sources")
            for _ in range(self._workers):
                task = group.create_task(self._work(), name="deepgram batch worker")
                self._working[task] = None

    def _end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (defect := task.exception()) is not None:
            self._error = self._error or defect
        # Where items were dropped, those behind them have waited for nothing.
        for _, outcome in sorted(self._late.items()):
            self._results.put_nowait(outcome)
        self._results.put_nowait(None)

    async def _feed(self) -> None:
        position, has_room = 0, False
        try:
            async with aclosing(each_source(self._sources)) as sources:
                async for source in sources:
                    if not has_room:
                        await self._room.acquire()
                    has_room = not await self._take(as_item(source), position)
                    position += 1
        except Exception as error:  # of the sources or the journal: the consumer gets it
            self.stop(error)
        for _ in range(self._workers):
            self._jobs.put_nowait(None)

    async def _take(self, item: Item, position: int) -> bool:
        """Take an item, unless the journal says that it is not to be sent."""
        taken_at = time.monotonic()
        failure: Exception | None = None
        redo = self._settings.redo
        try:
            checked_name(item)
            identity = await item.identity()
        except Exception as error:  # of the user's code, or of what the item stands for
            failure = error
            identity = f"unreadable:{item.source}"
            redo = "everything"  # to look again costs nothing
        key = key_of(identity, self._settings.fingerprint)
        try:
            if not await self._may_send(key, item, redo):
                return False
        except AudioSourceError as error:
            failure = error
        job = _Job(item, key, position, self._counts.taken, taken_at)
        self._counts.taken += 1
        if failure is None:
            self._jobs.put_nowait(job)
        else:
            await self._settle(job, _failed(job, failure, attempts=0))
        return True

    async def _may_send(self, key: str, item: Item, redo: Redo) -> bool:
        if self._settings.journal is None:
            return True
        match await self._settings.journal.claim(key, item, redo):
            case "open":
                return True
            case "done":
                self._counts.done_before += 1
            case "failed":
                self._counts.failed_before += 1
            case "repeated":
                self._counts.repeated += 1
        return False

    async def _work(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        while (job := await self._jobs.get()) is not None:
            requests = ItemRequests(self._sending)
            self._working[task] = requests
            try:
                outcome = await self._outcome_of(job, requests)
                requests.is_over = True
                await self._settle(job, outcome)
            except StoppedError:
                pass
            except EndOfBatchError as end:
                self.stop(end.error)
            except Exception as error:  # of a sink or the journal: the consumer gets it
                self.stop(error)
            self._working[task] = None
            if self._sending.is_stopping:
                return

    async def _outcome_of(self, job: _Job, requests: ItemRequests) -> Outcome:
        try:
            answer = await self._settings.transcriber(job.item, requests)
        except Exception as error:  # whatever is wrong with one item stays with it
            causes = list(_causes(error))
            for cause in causes:
                if isinstance(cause, EndOfBatchError | StoppedError):
                    raise cause from None
            return _failed(job, causes[0], attempts=requests.attempts)
        return Done(
            item=job.item,
            key=job.key,
            position=job.position,
            answer=answer,
            attempts=requests.attempts,
            took_s=time.monotonic() - job.taken_at,
        )

    async def _settle(self, job: _Job, outcome: Outcome) -> None:
        """Keep an outcome for good, and only then let the consumer see it."""
        if isinstance(outcome, Done):
            for sink in self._settings.sinks:
                await sink.write(outcome)
        if self._settings.journal is not None:
            await self._settings.journal.settle(outcome)
        if isinstance(outcome, Done):
            self._counts.done += 1
            self._counts.audio_s += outcome.answer.duration
        else:
            self._counts.failed += 1
        if not self._settings.in_order:
            self._results.put_nowait(outcome)
            return
        self._late[job.number] = outcome
        while (due := self._late.pop(self._next_number, None)) is not None:
            self._next_number += 1
            self._results.put_nowait(due)


def _failed(job: _Job, error: Exception, *, attempts: int) -> Failed:
    return Failed(
        item=job.item,
        key=job.key,
        position=job.position,
        error=error,
        attempts=attempts,
        took_s=time.monotonic() - job.taken_at,
    )


def _causes(error: Exception) -> Iterator[Exception]:
    """Yield an error, or those of a group: a transcriber may have tasks."""
    if isinstance(error, ExceptionGroup):
        # `isinstance` tells nothing of what is in it.
        for inner in cast("ExceptionGroup[Exception]", error).exceptions:
            yield from _causes(inner)
    else:
        yield error
