"""Transcripts in the formats and places that were asked for."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple, TypedDict, TypeVar
from urllib.parse import unquote, urlsplit

import click
from click.shell_completion import CompletionItem

from deepgram_async.cli._output import growing_file, printable
from deepgram_async.cli._sound import Sound
from deepgram_async.cli._texts import URL_SCHEMES, named
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.options import TranscriptOptions
from deepgram_async.transcript import (
    FORMATS,
    Format,
    LiveTranscript,
    Transcript,
    find_format,
    render,
)

__all__ = [
    "Outputs",
    "PageFlags",
    "StyleFlags",
    "complete_formats",
    "formats_of",
    "output_flags",
    "page_flags",
    "sound_of",
    "style_flags",
    "style_of",
]

_Command = TypeVar("_Command", bound=Callable[..., object])

# Formats of which several can follow each other on standard output.
_PRINTABLE: Final = ("json", "text")


class StyleFlags(TypedDict):
    """What `style_flags` adds to a command."""

    speakers: bool
    speaker_names: Sequence[str]
    line_length: int | None
    lines_per_cue: int | None
    title: str | None


class PageFlags(StyleFlags):
    """What `page_flags` adds to a command."""

    audio: str | None
    embed_audio: bool


class _Target(NamedTuple):
    format: Format
    path: Path | None
    """The file, or ``None`` for standard output."""


def complete_formats(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the formats that begin like the last one of a list."""
    before, comma, last = incomplete.rpartition(",")
    return [
        CompletionItem(f"{before}{comma}{made.name}", help=made.description)
        for made in FORMATS.values()
        if made.name.startswith(last)
    ]


_OUTPUT_FLAGS: Final = (
    click.option(
        "-f",
        "--format",
        "formats",
        metavar="NAME,...",
        shell_complete=complete_formats,
        help=f"Formats: {', '.join(FORMATS)}. Default: that of --output, or text.",
    ),
    click.option(
        "-o",
        "--output",
        metavar="FILE|DIR",
        help="Write to this file, or into this directory a file for each source and format.",
    ),
    click.option("--force", is_flag=True, help="Write files anew that are there already."),
)
_STYLE_FLAGS: Final = (
    click.option(
        "--speakers/--no-speakers", default=True, help="Name speakers where they are told apart."
    ),
    click.option(
        "--speaker-name",
        "speaker_names",
        multiple=True,
        metavar="NUMBER=NAME",
        help="Name of a speaker. Repeatable.",
    ),
    click.option("--line-length", type=int, metavar="N", help="Columns of a line of a caption."),
    click.option("--lines-per-cue", type=int, metavar="N", help="Lines of a caption."),
    click.option(
        "--title", metavar="TEXT", help="Headline of a page. Default: name of the source."
    ),
)
_PAGE_FLAGS: Final = (
    click.option(
        "--audio",
        metavar="FILE|URL",
        help="What a page plays. Default: what was transcribed, if it is known.",
    ),
    click.option("--embed-audio", is_flag=True, help="Put the audio into the page."),
)


def output_flags(command: _Command) -> _Command:
    """Add the flags for formats and files."""
    for flag in reversed(_OUTPUT_FLAGS):
        command = flag(command)
    return command


def style_flags(command: _Command) -> _Command:
    """Add the flags for how transcripts are written."""
    for flag in reversed(_STYLE_FLAGS):
        command = flag(command)
    return command


def page_flags(command: _Command) -> _Command:
    """Add the flags for how transcripts are written, and what pages of them play."""
    for flag in reversed(_PAGE_FLAGS):
        command = flag(command)
    return style_flags(command)


def style_of(flags: StyleFlags) -> TranscriptOptions:
    """Return the options of `render`.

    Raises:
        click.BadParameter: A speaker has no number.
    """
    options: TranscriptOptions = {"speakers": flags["speakers"]}
    names: dict[int, str] = {}
    for item in flags["speaker_names"]:
        number, equals, name = item.partition("=")
        if not equals or not number.isdecimal() or not name:
            raise click.BadParameter(
                f"{item!r} is not of the form NUMBER=NAME", param_hint="--speaker-name"
            )
        names[int(number)] = name
    if names:
        options["speaker_names"] = names
    if flags["line_length"] is not None:
        options["line_length"] = flags["line_length"]
    if flags["lines_per_cue"] is not None:
        options["lines_per_cue"] = flags["lines_per_cue"]
    if flags["title"] is not None:
        options["title"] = flags["title"]
    return options


def sound_of(flags: PageFlags, *, is_source: bool) -> Sound:
    """Return what pages play.

    Args:
        flags: The flags as given.
        is_source: Whether sources are audio.
    """
    return Sound(flags["audio"], flags["embed_audio"], is_source)


def formats_of(names: str | None, *, as_json: bool = False) -> list[Format]:
    """Return the formats of a list with commas, each once.

    Raises:
        OptionError: There is no such format.
    """
    wanted = [name.strip() for name in (names or "").split(",") if name.strip()]
    if as_json:
        wanted.append("json")
    return list({found.name: found for found in map(find_format, wanted)}.values())


class Outputs:
    """Where the transcripts of all sources go.

    Args:
        sources: Files, URLs, or ``-``.
        formats: What was asked for; if nothing, the suffix of the output decides.
        output: A file or a directory, or ``None`` for standard output.
        force: Whether files that are there already are written anew.
        style: How transcripts are written.
        sound: What pages play.

    Raises:
        click.UsageError: It does not go together.
        OptionError: The output has a suffix that no format has, or the style makes no sense.
    """

    def __init__(
        self,
        sources: Sequence[str],
        formats: Sequence[Format],
        output: str | None,
        *,
        force: bool,
        style: TranscriptOptions,
        sound: Sound,
    ) -> None:
        # A style that makes no sense is refused before anything is paid for.
        render(Transcript(duration=0.0, channels=1), "text", **style)
        if sound.given is not None and len(sources) > 1:
            raise click.UsageError("--audio belongs to one source")
        self._style = style
        self._sound = sound
        self._force = force
        self._has_headings = False
        self._is_first = True
        if output is None:
            formats = formats or [FORMATS["text"]]
            _check_printable(sources, formats)
            self._has_headings = len(sources) > 1 and formats[0].name == "text"
            self._targets = {source: [_Target(formats[0], None)] for source in sources}
            return
        path = Path(output)
        if path.is_dir() or output.endswith("/") or len(sources) > 1 or len(formats) > 1:
            formats = formats or [FORMATS["text"]]
            self._targets = _targets_in(path, sources, formats)
            _make_directory(path)
        else:
            chosen = formats[0] if formats else find_format(path.suffix or "text")
            self._targets = {sources[0]: [_Target(chosen, path)]}

        for source, targets in self._targets.items():
            if any(target.format.name == "html" for target in targets):
                sound.audio_of(source)

    @property
    def are_printed(self) -> bool:
        """Whether they go to standard output, where their order counts."""
        return any(target.path is None for target in self._all())

    @property
    def keeps_answers(self) -> bool:
        """Whether answers are wanted to the letter."""
        return any(target.format.name == "json" for target in self._all())

    def is_done(self, source: str) -> bool:
        """Whether all files of a source are there already."""
        return not self._missing(source)

    def write(self, source: str, made: Transcription | Transcript | LiveTranscript) -> None:
        """Write what was made of a source, to the files that are not there, or print it."""
        for target in self._missing(source):
            text = render(made, target.format.name, **self._options(source, target))
            if target.path is None:
                self._print(source, text)
                continue
            with growing_file(target.path) as file:
                file.write(text.encode())

    def _options(self, source: str, target: _Target) -> TranscriptOptions:
        if target.format.name != "html":
            return self._style
        page: TranscriptOptions = {"title": _stem_of(source)}
        return {**page, **self._sound.options_for(source, target.path), **self._style}

    def _print(self, source: str, text: str) -> None:
        if self._has_headings:
            click.echo(f"{'' if self._is_first else chr(10)}==> {printable(named(source))} <==")
        self._is_first = False
        click.echo(printable(text) if sys.stdout.isatty() else text, nl=False)

    def _missing(self, source: str) -> list[_Target]:
        return [
            target
            for target in self._targets[source]
            if self._force or target.path is None or not target.path.is_file()
        ]

    def _all(self) -> Iterator[_Target]:
        return chain.from_iterable(self._targets.values())


def _check_printable(sources: Sequence[str], formats: Sequence[Format]) -> None:
    if len(formats) > 1:
        raise click.UsageError("several formats need --output DIR")
    if len(sources) > 1 and formats[0].name not in _PRINTABLE:
        raise click.UsageError(f"{formats[0].name} of several sources needs --output DIR")


def _targets_in(
    directory: Path, sources: Iterable[str], formats: Sequence[Format]
) -> dict[str, list[_Target]]:
    owners: dict[Path, str] = {}
    targets: dict[str, list[_Target]] = {}
    for source in sources:
        targets[source] = [
            _Target(made, directory / f"{_stem_of(source)}.{made.extension}") for made in formats
        ]
        for target in targets[source]:
            assert target.path is not None, "it is in the directory"
            other = owners.setdefault(target.path, source)
            if other != source:
                raise click.UsageError(
                    f"{other} and {source} would both be written to {target.path}"
                )
    return targets


def _stem_of(source: str) -> str:
    if source == "-":
        return "stdin"
    if source.startswith(URL_SCHEMES):
        parts = urlsplit(source)
        return PurePosixPath(unquote(parts.path)).stem or parts.hostname or "url"
    return Path(source).stem


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise click.UsageError(f"cannot make {path}: {exc.strerror}") from None
