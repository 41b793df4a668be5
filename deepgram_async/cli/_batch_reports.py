"""What a batch prints when nothing is sent, and at its end."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Final, TypeVar

import click

from deepgram_async.batch import (
    BatchStats,
    Item,
    Measured,
    Survey,
    journal_entries,
    journal_status,
    measure,
)
from deepgram_async.cli._batch_screen import duration
from deepgram_async.cli._output import Spinner, print_json, print_table, printable

__all__ = ["interruptible", "print_status", "print_summary", "print_survey"]

T = TypeVar("T")

# Reading headers waits for the disk.
_THREADS: Final = 8
_AT_ONCE: Final = 256
_SHOWN: Final = 20


def print_survey(
    items: Iterable[Item], price: float | None, *, multichannel: bool, as_json: bool
) -> None:
    """Measure items and print what was found."""
    survey = Survey()
    with Spinner("Measuring") as spinner:

        def add_all() -> None:
            for measured in _measured(iter(items)):
                survey.add(measured)
                if survey.items % 100 == 0:
                    spinner.say(f"Measuring, {survey.items} files")

        interruptible(add_all)
    # Each channel is paid for if each is transcribed on its own.
    paid_s = survey.channel_s if multichannel else survey.audio_s
    usd = None if price is None else price * paid_s / 60
    if as_json:
        print_json(
            {
                "items": survey.items,
                "bytes": survey.bytes,
                "audio_s": survey.audio_s,
                "channel_s": survey.channel_s,
                "unknown": survey.unknown,
                "usd": usd,
                "usd_per_minute": price,
                "largest": [_told(measured) for measured in survey.largest],
                "odd_items": survey.odd_items,
                "odd": [_told(measured) for measured in survey.odd],
            }
        )
        return
    _print_figures(survey, usd, price)
    if survey.largest:
        click.echo("\nLargest")
        for measured in survey.largest:
            length = "" if measured.audio_s is None else duration(measured.audio_s)
            click.echo(
                f"  {_size(measured.bytes or 0):>9}  {length:>9}  {printable(measured.source)}"
            )
    if survey.odd_items:
        click.echo(f"\nOdd ({survey.odd_items})")
        for measured in survey.odd[:_SHOWN]:
            click.echo(f"  {printable(measured.source)}: {printable(measured.oddity or '')}")
        if survey.odd_items > _SHOWN:
            click.echo(f"  and {survey.odd_items - _SHOWN} more; --json lists them")


def interruptible(function: Callable[[], T]) -> T:
    """Return what a function returns that may wait for minutes where Ctrl-C is not heard.

    Object stores that cannot be reached are such a place.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:  # raised by whoever waits for the outcome
            outcome.set_exception(error)

    # The end of the program waits for no thread that is a daemon.
    Thread(target=run, name="batch sources", daemon=True).start()
    return outcome.result()


def print_status(journal: Path, *, as_json: bool) -> None:
    """Print how far the batch of a journal is, and what failed."""
    status = journal_status(journal)
    failed = journal_entries(journal, "failed")
    if as_json:
        entries = [
            {
                "source": entry.source,
                "error": entry.error,
                "error_kind": entry.error_kind,
                "status": entry.status,
                "attempts": entry.attempts,
                "request_id": entry.request_id,
            }
            for entry in failed
        ]
        print_json(
            {
                "done": status.done,
                "failed": status.failed,
                "unfinished": status.unfinished,
                "audio_s": status.audio_s,
                "changed_at": status.changed_at,
                "is_in_use": status.is_in_use,
                "failures": entries,
            }
        )
        return
    figures = {"done": status.done, "failed": status.failed, "unfinished": status.unfinished}
    click.echo(", ".join(f"{count} {name}" for name, count in figures.items()))
    click.echo(f"{duration(status.audio_s)} of audio")
    if status.changed_at is not None:
        ago = duration(time.time() - status.changed_at)
        click.echo("running now" if status.is_in_use else f"not running; last change {ago} ago")
    if status.failed:
        click.echo("")
        print_table(
            ["failed", "attempts", "error"],
            [(entry.source, entry.attempts, entry.error) for entry in islice(failed, _SHOWN)],
        )
        if status.failed > _SHOWN:
            click.echo(f"and {status.failed - _SHOWN} more; --json lists them")


def print_summary(
    stats: BatchStats,
    seconds: float,
    price: float | None,
    reasons: Counter[str],
    *,
    as_json: bool,
) -> None:
    """Print what a batch has done."""
    usd = None if price is None else price * stats.audio_s / 60
    if as_json:
        print_json(
            {
                "done": stats.done,
                "failed": stats.failed,
                "done_before": stats.done_before,
                "failed_before": stats.failed_before,
                "repeated": stats.repeated,
                "requests": stats.requests,
                "refused": stats.gate.refused,
                "audio_s": stats.audio_s,
                "seconds": seconds,
                "usd": usd,
                "reasons": dict(reasons),
            }
        )
        return
    words = [f"{stats.done} done ({duration(stats.audio_s)} of audio)"]
    for count, what in (
        (stats.done_before, "done before"),
        (stats.failed, "failed"),
        (stats.failed_before, "failed before"),
        (stats.repeated, "given twice"),
    ):
        if count:
            words.append(f"{count} {what}")
    click.echo(f"{', '.join(words)}, in {duration(seconds)}")
    rate = f", {stats.done / seconds:.1f} files/s" if stats.done and seconds else ""
    cost = f", about ${usd:.2f}" if usd else ""
    click.echo(f"{stats.requests} requests, {stats.gate.refused} of them refused (429){rate}{cost}")
    for reason, count in reasons.most_common():
        click.echo(f"  {count} x {reason}")
    if stats.failed or stats.failed_before:
        click.echo("--status lists what failed, --retry-failed sends it again")


def _measured(items: Iterator[Item]) -> Iterator[Measured]:
    with ThreadPoolExecutor(_THREADS) as threads:
        while some := list(islice(items, _AT_ONCE)):
            yield from threads.map(measure, some)


def _print_figures(survey: Survey, usd: float | None, price: float | None) -> None:
    click.echo(f"{survey.items} files, {_size(survey.bytes)}, {duration(survey.audio_s)} of audio")
    if survey.unknown:
        click.echo(f"{survey.unknown} of unknown length, which the figures leave out")
    if usd is None:
        click.echo("no price is known for this model: --prices gives yours")
    else:
        click.echo(f"about ${usd:.2f}, at ${price} a minute; --prices gives yours")


def _told(measured: Measured) -> Mapping[str, object]:
    return {
        "source": measured.source,
        "bytes": measured.bytes,
        "audio_s": measured.audio_s,
        "channels": measured.channels,
        "oddity": measured.oddity,
    }


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
