"""The command that transcribes recordings."""

import asyncio
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, Unpack

import click

from deepgram_async import DeepgramSession
from deepgram_async.audio import piped
from deepgram_async.cli._connection import Connection, call
from deepgram_async.cli._failures import tell
from deepgram_async.cli._options import SpeechFlags, collect_options, collect_query, speech_flags
from deepgram_async.cli._output import Spinner
from deepgram_async.cli._outputs import (
    Outputs,
    PageFlags,
    formats_of,
    output_flags,
    page_flags,
    sound_of,
    style_of,
)
from deepgram_async.cli._texts import URL_SCHEMES, open_stdin
from deepgram_async.errors import (
    AudioSourceError,
    AuthenticationError,
    ConfigurationError,
    DeepgramError,
    PaymentRequiredError,
    PermissionDeniedError,
)
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.options import ListenOptions

__all__ = ["transcribe"]

# What one source is refused for, all are.
_HOPELESS: Final = (
    AuthenticationError,
    ConfigurationError,
    PaymentRequiredError,
    PermissionDeniedError,
)
# Exit code when sources failed and the command went on.
_SOME_FAILED: Final = 3


class _Flags(SpeechFlags, PageFlags):
    pass


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE|URL|-...")
@output_flags
@click.option("--multichannel", is_flag=True, help="Transcribe every channel on its own.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 100),
    default=4,
    show_default=True,
    metavar="N",
    help="Sources that are transcribed at the same time.",
)
@speech_flags
@page_flags
@click.pass_obj
def transcribe(
    connection: Connection,
    sources: Sequence[str],
    formats: str | None,
    output: str | None,
    force: bool,
    multichannel: bool,
    jobs: int,
    **flags: Unpack[_Flags],
) -> int:
    """Transcribe recordings and print their text.

    FILE may be of any audio or video format; a URL is fetched by Deepgram; - is standard input. A
    source whose files are there already is skipped. One that fails does not stop the others.
    """
    sources = list(dict.fromkeys(sources))
    outputs = Outputs(
        sources,
        formats_of(formats, as_json=flags["as_json"]),
        output,
        force=force,
        style=style_of(flags),
        sound=sound_of(flags, is_source=True),
    )
    options = collect_options(ListenOptions, flags, multichannel=multichannel)
    query = collect_query(flags)

    with Spinner("Transcribing") as spinner:

        async def work(session: DeepgramSession) -> int:
            async def transcribe_one(source: str) -> Transcription:
                audio = _audio_of(source)
                return await session.listen.transcribe(audio, extra_query=query, **options)

            if len(sources) == 1 and not outputs.is_done(sources[0]):
                answer = await transcribe_one(sources[0])
                with spinner.hidden():
                    outputs.write(sources[0], answer)
                return 0
            return await _Several(outputs, transcribe_one, spinner, jobs).run(sources)

        return call(connection, work, emulator=flags["emulator"], keep_raw=outputs.keeps_answers)


class _Several:
    """The transcription of several sources."""

    def __init__(
        self,
        outputs: Outputs,
        transcribe_one: Callable[[str], Awaitable[Transcription]],
        spinner: Spinner,
        jobs: int,
    ) -> None:
        self._outputs = outputs
        self._transcribe_one = transcribe_one
        self._spinner = spinner
        self._limit = asyncio.Semaphore(jobs)
        self._audio_s = 0.0
        self._done = 0
        self._failed = 0

    async def run(self, sources: Sequence[str]) -> int:
        """Transcribe all of them and return the exit code."""
        started_at = time.monotonic()
        wanted = [source for source in sources if not self._outputs.is_done(source)]
        self._tell_progress(len(wanted))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    (source, group.create_task(self._one(source, len(wanted)))) for source in wanted
                ]
                # In the order of the sources; files are written at once.
                for source, task in tasks:
                    answer = await task
                    if answer is not None:
                        self._write(source, answer)
        except* (DeepgramError, click.ClickException) as failures:
            raise failures.exceptions[0] from None
        words = [f"{self._done} transcribed ({_length(self._audio_s)} of audio)"]
        if len(wanted) < len(sources):
            words.append(f"{len(sources) - len(wanted)} skipped, because their files are there")
        if self._failed:
            words.append(f"{self._failed} failed")
        with self._spinner.hidden():
            click.echo(f"{', '.join(words)}, in {time.monotonic() - started_at:.1f} s", err=True)
        return _SOME_FAILED if self._failed else 0

    async def _one(self, source: str, count: int) -> Transcription | None:
        """Transcribe one, and return the answer if it has to be printed."""
        async with self._limit:
            try:
                answer = await self._transcribe_one(source)
            except DeepgramError as error:
                if isinstance(error, _HOPELESS):
                    raise
                self._failed += 1
                with self._spinner.hidden():
                    tell(error, source)
                return None
        self._done += 1
        self._audio_s += answer.duration
        self._tell_progress(count)
        if self._outputs.are_printed:
            return answer
        self._write(source, answer)
        return None

    def _write(self, source: str, answer: Transcription) -> None:
        with self._spinner.hidden():
            self._outputs.write(source, answer)

    def _tell_progress(self, count: int) -> None:
        self._spinner.say(f"Transcribing, {self._done + self._failed} of {count} done")


def _length(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _audio_of(source: str) -> str | Path | AsyncIterable[bytes]:
    if source == "-":
        return piped(open_stdin())
    if source.startswith(URL_SCHEMES):
        return source
    path = Path(source)
    if path.is_dir():
        raise AudioSourceError(f"{source} is a directory, which the command batch takes")
    return path
