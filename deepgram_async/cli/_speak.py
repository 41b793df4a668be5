"""The command that speaks a text."""

import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import IO, Final, TypedDict, Unpack, cast

import click

from deepgram_async import DeepgramSession
from deepgram_async.audio import SoundBackend, Speaker, SpeakerEncoding, wav_header
from deepgram_async.cli._connection import Connection, call
from deepgram_async.cli._devices import sound_flag
from deepgram_async.cli._options import emulator_flag, options_of, param_flags, query_of
from deepgram_async.cli._output import growing_file, warn
from deepgram_async.cli._texts import read_text
from deepgram_async.cli._values import complete_models
from deepgram_async.options import FluxSpeakOptions, SpeakOptions

__all__ = ["speak"]

# Encoding and container by the suffix of a file. A WAV file is written here, because the header of
# a spoken answer cannot tell its length.
_FORMATS: Final[dict[str, dict[str, str]]] = {
    ".mp3": {"encoding": "mp3"},
    ".wav": {"encoding": "linear16", "container": "none"},
    ".raw": {"encoding": "linear16", "container": "none"},
    ".flac": {"encoding": "flac"},
    ".ogg": {"encoding": "opus", "container": "ogg"},
    ".opus": {"encoding": "opus", "container": "ogg"},
    ".aac": {"encoding": "aac"},
}
_RAW: Final = {"linear16": 24000, "mulaw": 8000, "alaw": 8000}
"""Encodings that can be played and put into WAV files, and the sample rates of the service."""
# Beside raw audio, pieces of these follow each other in one file.
_JOINABLE: Final = ("mp3", "aac")
# Characters of one request with an Aura voice (Deepgram docs, "TTS limits").
_LONGEST: Final = 2000
_SENTENCE_END: Final = re.compile(r"(?<=[.!?;])\s+")
_FLUX: Final = "flux-"


class _Flags(TypedDict):
    model: str
    output: str | None
    play: bool
    device: str | None
    sound: SoundBackend | None
    speed: float | None
    params: Sequence[str]
    extra_query: Sequence[str]
    emulator: bool


@click.command()
@click.argument("text", required=False)
@click.option("--file", metavar="FILE", help="Speak the text of this file.")
@click.option(
    "-o",
    "--output",
    metavar="FILE|-",
    help="Write the audio, in the format of the suffix: mp3, wav, flac, ogg, opus, aac or raw.",
)
@click.option("--play", is_flag=True, help="Play it while it comes.")
@click.option("--device", metavar="NAME", help="Speaker to play it on; see the command devices.")
@sound_flag
@click.option(
    "-m",
    "--model",
    default="aura-2-thalia-en",
    show_default=True,
    metavar="NAME",
    shell_complete=complete_models,
    help="The voice, of Aura or Flux.",
)
@click.option("--speed", type=float, metavar="FACTOR", help="How fast to speak. Default: 1.")
@param_flags
@emulator_flag
@click.pass_obj
def speak(
    connection: Connection, text: str | None, file: str | None, **flags: Unpack[_Flags]
) -> None:
    """Speak a text.

    TEXT - is standard input. Audio goes to standard output if that is no terminal, and neither
    --output nor --play is given. A long text is spoken piece by piece.
    """
    words = _words_of(text, file)
    output = flags["output"]
    if output is None and not flags["play"]:
        if sys.stdout.isatty():
            raise click.UsageError("say where the audio goes: --output FILE or --play")
        output = "-"
    voice = _Voice(flags, output)
    pieces = list(_pieces_of(words)) if voice.takes_pieces else [words]

    async def work(session: DeepgramSession) -> None:
        async with AsyncExitStack() as stack:
            audio = voice.spoken(session, pieces)
            if output is not None:
                file = stack.enter_context(_opened(output, voice))
                audio = _written(audio, file)
            if not flags["play"]:
                async for _ in audio:
                    pass
                return
            speaker = Speaker(
                encoding=voice.playable_encoding(),
                sample_rate=voice.sample_rate,
                device=flags["device"],
                backend=flags["sound"],
            )
            await (await stack.enter_async_context(speaker)).play(audio)

    call(connection, work, emulator=flags["emulator"])


def _words_of(text: str | None, file: str | None) -> str:
    if file is not None and text is None:
        return read_text(file)
    if text is not None and file is None:
        return read_text("-") if text == "-" else text
    raise click.UsageError("give either a text or --file")


class _Voice:
    """How a text is spoken."""

    def __init__(self, flags: _Flags, output: str | None) -> None:
        suffix = Path(output or "").suffix.lower()
        if suffix and suffix not in _FORMATS:
            known = " ".join(_FORMATS)
            raise click.UsageError(f"no format for {suffix!r}; known are {known}")
        # What is played has to be raw; a pipe without a player takes what is smallest.
        form = _FORMATS[suffix or (".raw" if flags["play"] else ".mp3")]
        self.makes_wav = suffix == ".wav"
        self._is_flux = flags["model"].startswith(_FLUX)
        self._query = query_of(flags["extra_query"])
        given = {"model": flags["model"], "speed": flags["speed"], **form}
        self._flux = options_of(FluxSpeakOptions, flags["params"] if self._is_flux else (), **given)
        self._aura = options_of(SpeakOptions, () if self._is_flux else flags["params"], **given)
        options = self._flux if self._is_flux else self._aura
        self._encoding = options.get("encoding") or "mp3"
        self._has_container = options.get("container", "none") != "none"
        self.sample_rate: int = options.get("sample_rate") or _RAW.get(self._encoding, 0)
        if (self.makes_wav or flags["play"]) and not self._is_raw:
            asked = "a WAV file is made of" if self.makes_wav else "--play takes"
            raise click.UsageError(f"{asked} raw audio, not of {self._encoding}")

    @property
    def _is_raw(self) -> bool:
        return self._encoding in _RAW and not self._has_container

    @property
    def takes_pieces(self) -> bool:
        """Whether a long text has to be cut, and its pieces can follow each other in one file."""
        return not self._is_flux and (self._is_raw or self._encoding in _JOINABLE)

    def playable_encoding(self) -> SpeakerEncoding:
        """Return the encoding for a speaker."""
        # The constructor refuses to play anything else.
        return cast("SpeakerEncoding", self._encoding)

    def wav_header(self, data_bytes: int | None) -> bytes:
        """Return what stands in front of raw audio in a WAV file."""
        return wav_header(
            self.playable_encoding(), sample_rate=self.sample_rate, data_bytes=data_bytes
        )

    async def spoken(
        self, session: DeepgramSession, pieces: Sequence[str]
    ) -> AsyncGenerator[bytes, None]:
        """Yield the audio of the pieces, one after the other, as it comes."""
        for piece in pieces:
            if self._is_flux:
                speech = session.speak.flux.generate(piece, extra_query=self._query, **self._flux)
            else:
                speech = session.speak.generate(piece, extra_query=self._query, **self._aura)
            async with speech:
                for code in speech.warnings:
                    warn(f"the service says: {code}")
                async for audio in speech:
                    yield audio


async def _written(audio: AsyncIterator[bytes], file: IO[bytes]) -> AsyncGenerator[bytes, None]:
    """Write audio to a file, and yield it all the same."""
    async for block in audio:
        file.write(block)
        file.flush()
        yield block


@contextmanager
def _opened(output: str, voice: _Voice) -> Generator[IO[bytes], None, None]:
    """Open where the audio goes; a WAV file has its header when the block ends."""
    if output == "-":
        yield sys.stdout.buffer
        return
    with growing_file(Path(output)) as file:
        header = voice.wav_header(None) if voice.makes_wav else b""
        file.write(header)
        yield file
        if header and file.seekable():
            size = file.tell() - len(header)
            file.seek(0)
            file.write(voice.wav_header(size))


def _pieces_of(text: str) -> Iterator[str]:
    """Cut a text that is too long for one request, between sentences if there are any."""
    rest = text.strip()
    while len(rest) > _LONGEST:
        start = rest[: _LONGEST + 1]
        ends = [match.end() for match in _SENTENCE_END.finditer(start)]
        cut = ends[-1] if ends else start.rfind(" ") if " " in start.strip() else _LONGEST
        yield rest[:cut].strip()
        rest = rest[cut:].strip()
    yield rest
