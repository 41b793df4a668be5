"""The command that transcribes audio while it arrives."""

import asyncio
import signal
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, TypedDict, Unpack

import click

from deepgram_async.audio import PacedAudio, paced
from deepgram_async.cli._connection import Connection, open_session
from deepgram_async.cli._options import SpeechFlags, collect_options, collect_query, speech_flags
from deepgram_async.cli._screen import Screen, open_screen
from deepgram_async.options import LiveOptions

__all__ = ["live"]


class _AudioFlags(TypedDict):
    encoding: str | None
    sample_rate: int | None
    channels: int
    realtime: float


class _LiveFlags(SpeechFlags, _AudioFlags):
    interim: bool | None
    multichannel: bool


@click.command()
@click.argument("source", metavar="FILE|-")
@click.option(
    "--interim/--no-interim",
    default=None,
    help="Show preliminary text too. Default: on a terminal and with --json.",
)
@click.option("--encoding", metavar="NAME", help="Of raw audio: linear16, linear32, mulaw, alaw.")
@click.option("--sample-rate", type=click.IntRange(min=1), metavar="HZ", help="Of raw audio.")
@click.option(
    "--channels", type=click.IntRange(min=1), default=1, metavar="N", help="Of raw audio."
)
@click.option("--multichannel", is_flag=True, help="Transcribe every channel on its own.")
@click.option(
    "--realtime",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    metavar="FACTOR",
    help="How much faster than recorded the audio is sent. Default: 1.",
)
@speech_flags
@click.pass_obj
def live(connection: Connection, source: str, **flags: Unpack[_LiveFlags]) -> None:
    """Transcribe audio live and print results as they come.

    FILE is sent at the pace at which it was recorded; - is standard input: any audio file, or raw
    audio with --encoding and --sample-rate. The first Ctrl-C ends the audio and waits for the last
    results, the second gives up. With --json every message of the service is one line.
    """
    if flags["encoding"] is None and flags["sample_rate"] is not None:
        raise click.UsageError("--sample-rate describes raw audio, which needs --encoding too")
    screen = open_screen(as_json=flags["as_json"], interim=flags["interim"])
    options = collect_options(
        LiveOptions,
        flags,
        multichannel=flags["multichannel"],
        interim_results=screen.wants_interim_results,
    )
    with ExitStack() as stack:
        file: str | BinaryIO = source
        if source == "-":
            # Unbuffered, as `paced` wants it, and left open.
            file = stack.enter_context(open(0, "rb", buffering=0, closefd=False))
        stack.enter_context(screen)
        asyncio.run(_transcribe(connection, file, screen, flags, options))


async def _transcribe(
    connection: Connection,
    source: str | BinaryIO,
    screen: Screen,
    flags: _LiveFlags,
    options: LiveOptions,
) -> None:
    async with (
        open_session(connection, emulator=flags["emulator"]) as session,
        paced(
            source,
            encoding=flags["encoding"],
            sample_rate=flags["sample_rate"],
            channels=flags["channels"],
            realtime=flags["realtime"],
        ) as audio,
        session.listen.live(
            extra_query=collect_query(flags), **_described(options, audio)
        ) as stream,
    ):
        with _stopped_by_interrupt(audio) as interrupts:
            async for event in stream.transcribe(audio):
                screen.show(event)
    if interrupts:
        raise click.Abort


def _described(options: LiveOptions, audio: PacedAudio) -> LiveOptions:
    return {**audio.options, **options}


@contextmanager
def _stopped_by_interrupt(audio: PacedAudio) -> Generator[list[int], None, None]:
    """Let the first Ctrl-C end the audio and the second cancel the command; yield those seen."""
    seen: list[int] = []
    task = asyncio.current_task()

    def interrupt() -> None:
        seen.append(signal.SIGINT)
        if len(seen) == 1:
            audio.stop()
        elif task is not None:
            task.cancel()

    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except (NotImplementedError, RuntimeError):
        # Windows, or not the main thread: Ctrl-C then ends the command at once.
        yield seen
        return
    try:
        yield seen
    finally:
        loop.remove_signal_handler(signal.SIGINT)
