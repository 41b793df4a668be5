"""The command that transcribes many recordings, and goes on where it was ended."""

import asyncio
import signal
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Unpack

import click

from deepgram_async import DeepgramSession
from deepgram_async.batch import (
    PRICES,
    Batch,
    Failed,
    FileSink,
    Item,
    JsonLinesSink,
    ParquetSink,
    Redo,
    Sink,
    SqliteJournal,
    price_per_minute,
    read_prices,
)
from deepgram_async.cli._batch_reports import (
    interruptible,
    print_status,
    print_summary,
    print_survey,
)
from deepgram_async.cli._batch_scale import (
    ScaleFlags,
    gate_of,
    items_of,
    of_shard,
    scale_flags,
    transcriber_of,
)
from deepgram_async.cli._batch_screen import BatchScreen
from deepgram_async.cli._connection import Connection, call
from deepgram_async.cli._interrupts import on_signals
from deepgram_async.cli._options import SpeechFlags, collect_options, collect_query, speech_flags
from deepgram_async.cli._output import Spinner
from deepgram_async.cli._outputs import (
    StyleFlags,
    complete_formats,
    formats_of,
    style_flags,
    style_of,
)
from deepgram_async.errors import DeepgramError
from deepgram_async.options import ListenOptions
from deepgram_async.transcript import FORMATS

__all__ = ["batch"]

# Exit codes: some items failed and the command went on; it was ended from outside.
_SOME_FAILED: Final = 3
_INTERRUPTED: Final = 130


class _Flags(SpeechFlags, StyleFlags, ScaleFlags):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What is to be done, as the flags say."""

    places: Sequence[str]
    lists: Sequence[Path]
    formats: Sequence[str]
    directory: Path
    json_lines: Path | None
    parquet: Path | None
    limit: int
    redo: Redo
    scale: ScaleFlags

    @property
    def journal(self) -> Path:
        """What is done, beside what came of it."""
        return of_shard(self.directory / "batch.journal", self.scale)

    def items(self) -> Iterable[Item]:
        """Return what is to be transcribed; blocks while it is iterated."""
        return items_of(self.places, self.lists, self.scale)


@click.command()
@click.argument("places", nargs=-1, metavar="[DIR|PATTERN|FILE|URL|s3://...]...")
@click.option(
    "--list",
    "lists",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Take paths and URLs from the lines of a file, or objects from a .jsonl. Repeatable.",
)
@click.option(
    "-f",
    "--format",
    "formats",
    default="json",
    show_default=True,
    metavar="NAME,...",
    shell_complete=complete_formats,
    help=f"Formats of the files of each recording: {', '.join(FORMATS)}; none for no files.",
)
@click.option(
    "-o",
    "--output",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("transcripts"),
    show_default=True,
    metavar="DIR",
    help="Directory of the results and of the journal, which remembers what is done.",
)
@click.option(
    "--jsonl",
    "json_lines",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Add each answer as a line to this file, too.",
)
@click.option(
    "--parquet",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the answers as Parquet files in this directory, too.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    metavar="N",
    help="Requests in flight at most. Fewer, as long as the service refuses some.",
)
@scale_flags
@click.option("--resume", is_flag=True, help="Send only what is not done yet. This is the default.")
@click.option("--retry-failed", is_flag=True, help="Send what failed, too.")
@click.option("--force", is_flag=True, help="Send everything again.")
@click.option("--dry-run", is_flag=True, help="Send nothing: count files, hours and their price.")
@click.option("--status", is_flag=True, help="Send nothing: tell how far the batch is.")
@click.option(
    "--prices",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help='Your prices, TOML with lines such as "nova-3" = 0.0043, in US dollars a minute.',
)
@click.option("--multichannel", is_flag=True, help="Transcribe every channel on its own.")
@speech_flags
@style_flags
@click.pass_obj
def batch(
    connection: Connection,
    places: Sequence[str],
    lists: Sequence[Path],
    formats: str,
    directory: Path,
    json_lines: Path | None,
    parquet: Path | None,
    limit: int,
    resume: bool,
    retry_failed: bool,
    force: bool,
    dry_run: bool,
    status: bool,
    prices: Path | None,
    multichannel: bool,
    **flags: Unpack[_Flags],
) -> int:
    """Transcribe many recordings, none of them twice.

    The same command goes on where it was ended, in whatever way. A file that changed, or other
    options, count as new. Ctrl-C finishes what is in flight; a second one does not.

    \b
    Exit codes:
      0    everything is done
      1    the service, the network or the disk ended it early
      2    a flag, the configuration or a place is wrong
      3    it came to its end, and some recordings failed
      130  it was interrupted
    """  # noqa: D301 - the backspace is one, and tells click to leave the lines as they are
    job = _Job(
        places=places,
        lists=lists,
        formats=[] if formats == "none" else [found.name for found in formats_of(formats)],
        directory=directory,
        json_lines=json_lines and of_shard(json_lines, flags),
        parquet=parquet and of_shard(parquet, flags),
        limit=limit,
        redo=_redo(resume=resume, retry_failed=retry_failed, force=force),
        scale=flags,
    )
    if status:
        print_status(job.journal, as_json=flags["as_json"])
        return 0
    if not places and not lists:
        raise click.UsageError("nothing to transcribe: give a directory, a pattern or --list")
    options = collect_options(ListenOptions, flags, multichannel=multichannel)
    table = PRICES if prices is None else read_prices(prices)
    price = price_per_minute(table, options.get("model") or "", options.get("language"))
    if dry_run:
        print_survey(job.items(), price, multichannel=multichannel, as_json=flags["as_json"])
        return 0
    # How many channels were paid for is not told.
    return _transcribe(connection, job, options, None if multichannel else price, flags)


def _redo(*, resume: bool, retry_failed: bool, force: bool) -> Redo:
    if resume + retry_failed + force > 1:
        raise click.UsageError("--resume, --retry-failed and --force exclude each other")
    return "everything" if force else "failed" if retry_failed else "unfinished"


def _transcribe(
    connection: Connection,
    job: _Job,
    options: ListenOptions,
    price: float | None,
    flags: _Flags,
) -> int:
    files = FileSink(job.directory, job.formats, **style_of(flags)) if job.formats else None
    if files is None and job.json_lines is None and job.parquet is None:
        raise click.UsageError("nothing would be kept: give --format, --jsonl or --parquet")
    with Spinner("Counting"):
        total = interruptible(lambda: sum(1 for _ in job.items()))

    async def work(session: DeepgramSession) -> int:
        async with AsyncExitStack() as stack:
            journal = await stack.enter_async_context(SqliteJournal(job.journal))
            sinks = await _sinks(stack, job, files)
            batch = Batch(
                session,
                job.items(),
                gate=await gate_of(stack, job.limit, job.scale),
                journal=journal,
                sinks=sinks,
                redo=job.redo,
                transcriber=await transcriber_of(stack, job.scale),
                extra_query=collect_query(flags),
                **options,
            )
            return await _run(batch, files, total, price, as_json=flags["as_json"])

    try:
        return call(connection, work, emulator=flags["emulator"], pool_limit=job.limit)
    except OSError as error:
        if isinstance(error, DeepgramError | BrokenPipeError):
            raise  # a connection that was lost, or whoever read the summary
        raise click.ClickException(f"cannot keep the results: {error}") from None


async def _sinks(stack: AsyncExitStack, job: _Job, files: FileSink | None) -> list[Sink]:
    sinks: list[Sink] = [] if files is None else [files]
    if job.json_lines is not None:
        sinks.append(await stack.enter_async_context(JsonLinesSink(job.json_lines)))
    if job.parquet is not None:
        sinks.append(await stack.enter_async_context(ParquetSink(job.parquet)))
    return sinks


async def _run(
    batch: Batch, files: FileSink | None, total: int, price: float | None, *, as_json: bool
) -> int:
    """Run a batch to its end and return the exit code."""
    screen = BatchScreen(batch, total)
    ending = _Ending(batch, screen)
    try:
        async with screen:
            with ending.on_signals():
                async for outcome in batch:
                    if isinstance(outcome, Failed):
                        kept = await files.write_undecoded(outcome) if files else None
                        screen.tell_failure(outcome, kept)
    finally:
        stats = batch.stats()
        print_summary(stats, screen.seconds, price, screen.reasons, as_json=as_json)
    if ending.is_wanted:
        return _INTERRUPTED
    return _SOME_FAILED if stats.failed or stats.failed_before else 0


class _Ending:
    """Ends a batch from outside: what is in flight is finished, unless it is wanted twice."""

    def __init__(self, batch: Batch, screen: BatchScreen) -> None:
        self.is_wanted = False
        self._batch = batch
        self._screen = screen
        self._task = asyncio.current_task()

    def on_signals(self) -> AbstractContextManager[None]:
        """Let Ctrl-C and the wish of the system end it, where the loop can be told of them."""
        return on_signals(self._end, signal.SIGINT, signal.SIGTERM)

    def _end(self) -> None:
        if self.is_wanted and self._task is not None:
            self._task.cancel()
        self.is_wanted = True
        self._batch.stop()
        in_flight = self._batch.stats().gate.in_flight
        self._screen.say(f"finishing {in_flight} in flight; Ctrl-C again stops at once")
