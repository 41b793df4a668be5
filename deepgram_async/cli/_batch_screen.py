"""What a batch shows while it runs: a line that moves on a terminal, lines of JSON elsewhere."""

import asyncio
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import click
import msgspec

from deepgram_async.batch import Batch, BatchStats, Failed
from deepgram_async.cli._output import printable
from deepgram_async.errors import DeepgramError

if TYPE_CHECKING:
    from rich.progress import TaskID

__all__ = ["BatchScreen", "duration"]

_REFRESH_S: Final = 0.25
_LINE_EVERY_S: Final = 10.0
# The rate is that of the last minute.
_RATE_OVER_S: Final = 60.0


class BatchScreen:
    """Shows on standard error how a batch goes, as long as it is entered.

    When nobody reads it any more, it goes on without a word: that is no reason to end a batch.

    Args:
        batch: The batch.
        total: Its items.
    """

    def __init__(self, batch: Batch, total: int) -> None:
        self._batch = batch
        self._total = total
        self._view: _Bar | _Lines = _Bar(total) if sys.stderr.isatty() else _Lines()
        self._rate = _Rate()
        self._began_at = time.monotonic()
        self._updating: asyncio.Task[None] | None = None
        self._is_read = True
        self.reasons: Counter[str] = Counter()
        """Why items failed, and how many of them."""

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self._began_at

    async def __aenter__(self) -> Self:
        self._tell(self._view.open)
        self._updating = asyncio.create_task(self._update(), name="batch screen")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._updating is not None
        self._updating.cancel()
        await asyncio.wait([self._updating])
        self._show()
        self._tell(self._view.close)

    def say(self, words: str) -> None:
        """Say something beside the figures."""
        self._tell(partial(self._view.say, words))

    def tell_failure(self, outcome: Failed, kept: Path | None) -> None:
        """Tell that an item failed, and where its answer is if it could not be decoded."""
        self.reasons[_reason(outcome.error)] += 1
        story = outcome.reason
        if kept is not None:
            story += f" (the answer is in {kept})"
        self._tell(partial(self._view.tell_failure, outcome.item.source, story))

    async def _update(self) -> None:
        while True:
            self._show()
            await asyncio.sleep(self._view.every_s)

    def _show(self) -> None:
        stats = self._batch.stats()
        rate = self._rate.after(stats.done + stats.failed)
        seen = stats.done + stats.failed + stats.done_before + stats.failed_before + stats.repeated
        left_s = (self._total - seen) / rate if rate else None
        figures = (stats, seen, self._total, rate, left_s, self.seconds)
        self._tell(partial(self._view.show, *figures))

    def _tell(self, words: Callable[[], None]) -> None:
        if self._is_read:
            try:
                words()
            except OSError:  # the pipe or the terminal is gone
                self._is_read = False


def duration(seconds: float) -> str:
    """Return a time as hours, minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _reason(error: Exception) -> str:
    status = error.status if isinstance(error, DeepgramError) else None
    return f"{status} {type(error).__name__}" if status else type(error).__name__


class _Rate:
    """Items a second, over the last minute."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def after(self, count: int) -> float:
        """Note how many there are now, and return the rate."""
        now = time.monotonic()
        self._seen.append((now, count))
        while now - self._seen[0][0] > _RATE_OVER_S:
            self._seen.popleft()
        began_at, count_then = self._seen[0]
        return (count - count_then) / (now - began_at) if now > began_at else 0.0


class _Bar:
    """A bar with figures, below the failures."""

    every_s = _REFRESH_S

    def __init__(self, total: int) -> None:
        # Slow to load, and needed on a terminal only.
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            auto_refresh=False,
            transient=True,
            expand=True,
            # It would print on standard error what is for standard output.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task: TaskID = self._progress.add_task("", total=total, figures="")
        self._words = ""

    def open(self) -> None:
        self._progress.start()

    def close(self) -> None:
        self._progress.stop()

    def say(self, words: str) -> None:
        self._words = words

    def tell_failure(self, source: str, story: str) -> None:
        from rich.text import Text  # loaded with the console

        line = Text.assemble(("Failed: ", "red"), printable(f"{source}: {story}"))
        self._console.print(line, soft_wrap=True)

    def show(
        self,
        stats: BatchStats,
        seen: int,
        total: int,
        rate: float,
        left_s: float | None,
        seconds: float,
    ) -> None:
        del total, seconds
        gate = stats.gate
        figures = [f"{rate:.1f}/s", f"{gate.in_flight} of {gate.limit} in flight"]
        if gate.refused:
            figures.append(f"{gate.refused} x 429")
        if stats.failed:
            figures.append(f"[red]{stats.failed} failed[/red]")
        if gate.pause_s > 1:
            figures.append(f"paused for {gate.pause_s:.0f} s")
        if self._words:
            figures.append(self._words)
        elif left_s is not None:
            figures.append(f"{duration(left_s)} left")
        self._progress.update(self._task, completed=seen, figures="  ".join(figures))
        self._progress.refresh()


class _Lines:
    """A line of JSON now and then, and one for each failure."""

    every_s = _LINE_EVERY_S

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def say(self, words: str) -> None:
        _write({"message": words})

    def tell_failure(self, source: str, story: str) -> None:
        _write({"failed": source, "error": story})

    def show(
        self,
        stats: BatchStats,
        seen: int,
        total: int,
        rate: float,
        left_s: float | None,
        seconds: float,
    ) -> None:
        _write(
            {
                "seen": seen,
                "total": total,
                "done": stats.done,
                "failed_items": stats.failed,
                "in_flight": stats.gate.in_flight,
                "limit": stats.gate.limit,
                "requests": stats.requests,
                "refused": stats.gate.refused,
                "audio_s": round(stats.audio_s, 1),
                "per_s": round(rate, 2),
                "left_s": None if left_s is None else round(left_s),
                "seconds": round(seconds, 1),
            }
        )


def _write(line: dict[str, object]) -> None:
    click.echo(msgspec.json.encode(line), err=True)
