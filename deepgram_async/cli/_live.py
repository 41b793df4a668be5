"""The command that transcribes audio while it arrives."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, Final, TypeAlias, Unpack

import click

from deepgram_async import DeepgramSession, FluxStream, LiveStream, StreamStats
from deepgram_async.audio import AudioOptions
from deepgram_async.cli._connection import Connection, open_session
from deepgram_async.cli._devices import sound_flag
from deepgram_async.cli._interrupts import on_interrupt
from deepgram_async.cli._options import (
    SpeechFlags,
    collect_options,
    collect_query,
    options_of,
    speech_flags,
)
from deepgram_async.cli._output import warning
from deepgram_async.cli._outputs import (
    StyleFlags,
    complete_formats,
    formats_of,
    style_flags,
    style_of,
)
from deepgram_async.cli._screen import Screen, make_screen, make_terminal
from deepgram_async.cli._sources import AudioFlags, open_source
from deepgram_async.cli._troubles import trouble_of
from deepgram_async.errors import AudioSourceError
from deepgram_async.options import FluxOptions, LiveOptions
from deepgram_async.transcript import FORMATS, Style, find_format

__all__ = ["live"]

_FLUX: Final = "flux-"

_Maker: TypeAlias = Callable[[DeepgramSession, AudioOptions], LiveStream | FluxStream]


class _Flags(SpeechFlags, StyleFlags, AudioFlags):
    interim: bool | None
    multichannel: bool
    formats: str | None
    output: Path | None
    force: bool
    stats: bool


class _File:
    """A file that appears with the first text, and grows, so that it survives all that happens."""

    def __init__(self, path: Path | None, *, force: bool) -> None:
        self.path = path
        self._force = force
        self._file: IO[str] | None = None
        if path is None:
            return
        if path.exists() and not force:
            raise click.UsageError(f"{path} is there already: --force writes it anew")
        if not path.parent.is_dir():
            raise click.UsageError(f"cannot write {path}: there is no directory {path.parent}")

    def write(self, text: str) -> None:
        """Append a text.

        Raises:
            click.ClickException: It cannot be written.
        """
        assert self.path is not None, "only a file with a path is written"
        try:
            if self._file is None:
                self._file = self.path.open("w" if self._force else "x", encoding="utf-8")
            self._file.write(text)
            self._file.flush()
        except OSError as exc:
            raise click.ClickException(f"cannot write {self.path}: {exc.strerror}") from None

    def close(self) -> None:
        """Close it; it may never have been opened."""
        if self._file is not None:
            self._file.close()


@click.command()
@click.argument("source", metavar="[FILE|URL|-]", required=False)
@click.option("--mic", is_flag=True, help="Listen to the microphone instead of a source.")
@click.option("--device", metavar="NAME", help="Microphone to listen to; see the command devices.")
@sound_flag
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
@click.option(
    "-f",
    "--format",
    "formats",
    metavar="NAME",
    shell_complete=complete_formats,
    help=f"Format: {', '.join(FORMATS)}. Default: that of --output, or text.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to this file as results come; a terminal shows the text meanwhile.",
)
@click.option("--force", is_flag=True, help="Write a file anew that is there already.")
@click.option("--stats", is_flag=True, help="Tell at the end how the stream went.")
@speech_flags
@style_flags
@click.pass_obj
def live(connection: Connection, source: str | None, **flags: Unpack[_Flags]) -> None:
    """Transcribe audio live and print results as they come.

    FILE is sent at the pace at which it was recorded; URL is a file or the stream of a station; -
    is standard input: any audio file, or raw audio with --encoding and --sample-rate. Flux models
    hear turns. The first Ctrl-C ends the audio and waits for the last results, the second gives
    up. With --json every message of the service is one line.
    """
    if (source is not None) == (flags["mic"] or flags["device"] is not None):
        raise click.UsageError("give either a source or --mic")
    if source is not None and flags["encoding"] is None and flags["sample_rate"] is not None:
        raise click.UsageError("--sample-rate describes raw audio, which needs --encoding too")
    screens, file = _screens_of(flags)
    make = _maker_of(flags, interim=any(screen.wants_interim_results for screen in screens))
    asyncio.run(_transcribe(connection, source, make, screens, file, flags))


def _screens_of(flags: _Flags) -> tuple[list[Screen], _File]:
    """Return where events are shown, the first of them for warnings, too, and the file."""
    style, file = style_of(flags), _File(flags["output"], force=flags["force"])
    Style.of(style)
    formats = formats_of(flags["formats"], as_json=flags["as_json"])
    if len(formats) > 1:
        raise click.UsageError("a stream is written in one format: render makes others of --json")
    made = formats[0] if formats else find_format(file.path.suffix if file.path else "text")
    terminal = make_terminal(style, interim=flags["interim"])
    screens: list[Screen] = []
    if terminal is not None and (file.path is not None or made.name == "text"):
        screens.append(terminal)
    if file.path is not None or not screens:
        write = file.write if file.path is not None else None
        screens.append(make_screen(made.name, style, interim=flags["interim"], write=write))
    return screens, file


async def _transcribe(
    connection: Connection,
    source: str | None,
    make: _Maker,
    screens: list[Screen],
    file: _File,
    flags: _Flags,
) -> None:
    async with (
        open_session(connection, emulator=flags["emulator"]) as session,
        open_source(source, flags) as audio,
        make(session, audio.options) as stream,
    ):
        with closing(file), ExitStack() as stack, on_interrupt(audio.stop) as interrupts:
            for screen in screens:
                stack.enter_context(screen)
            async for event in stream.transcribe(audio):
                message = trouble_of(event)
                if message is not None:
                    screens[0].tell(warning(message))
                for screen in screens:
                    screen.show(event)
    if flags["stats"]:
        click.echo(_summary(stream.stats()), err=True)
    # A microphone has no other end.
    if interrupts and source is not None:
        raise click.Abort


def _maker_of(flags: _Flags, *, interim: bool) -> _Maker:
    """Return what makes the stream, for the audio that it is told."""
    query = collect_query(flags)
    if not flags["model"].startswith(_FLUX):
        options = collect_options(
            LiveOptions, flags, multichannel=flags["multichannel"], interim_results=interim
        )

        def make_live(session: DeepgramSession, audio: AudioOptions) -> LiveStream:
            described: LiveOptions = {**audio, **options}
            return session.listen.live(extra_query=query, **described)

        return make_live
    for name in ("diarize", "multichannel"):
        if flags[name]:
            raise click.UsageError(f"Flux knows no --{name}")
    turns = options_of(
        FluxOptions,
        flags["params"],
        model=flags["model"],
        keyterm=list(flags["keyterms"]),
        language_hint=flags["language"],
    )

    def make_flux(session: DeepgramSession, audio: AudioOptions) -> FluxStream:
        if audio["channels"] != 1:
            raise AudioSourceError(f"Flux hears one channel, and the audio has {audio['channels']}")
        described: FluxOptions = {
            "encoding": audio["encoding"],
            "sample_rate": audio["sample_rate"],
            **turns,
        }
        return session.listen.flux(extra_query=query, **described)

    return make_flux


def _summary(stats: StreamStats) -> str:
    """Return in words how a stream went."""
    words = [f"Open for {stats.open_s:.1f} s"]
    if stats.audio_sent_s is not None:
        words.append(f"{stats.audio_sent_s:.1f} s of audio sent")
    if stats.transcribed_s is not None:
        words.append(f"{stats.transcribed_s:.1f} s transcribed")
    if stats.first_result_s is not None:
        words.append(f"first words after {stats.first_result_s:.2f} s")
    words.append(f"{stats.reconnects} connections replaced")
    if stats.dropped_s:
        words.append(f"{stats.dropped_s:.1f} s of audio lost")
    if stats.request_id is not None:
        words.append(f"request id {stats.request_id}")
    return ", ".join(words) + "."
