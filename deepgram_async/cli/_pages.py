"""Transcripts that are written as pages: their headlines and their audio."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, TypedDict, TypeVar
from urllib.parse import quote

import click

from deepgram_async.cli._texts import URL_SCHEMES
from deepgram_async.options import TranscriptOptions

__all__ = ["PageFlags", "Pages", "page_flags", "pages_of"]

_Command = TypeVar("_Command", bound=Callable[..., object])


class PageFlags(TypedDict):
    """What `page_flags` adds to a command."""

    title: str | None
    audio: str | None
    embed_audio: bool


_FLAGS: Final = (
    click.option("--title", metavar="TEXT", help="Headline of a page. Default: the source."),
    click.option(
        "--audio",
        metavar="FILE|URL",
        help="What a page plays. Default: what was transcribed, if it is known.",
    ),
    click.option("--embed-audio", is_flag=True, help="Put the audio into the page."),
)


def page_flags(command: _Command) -> _Command:
    """Add the flags for transcripts as pages."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command


class Pages(NamedTuple):
    """What is shown and played beside a transcript.

    Attributes:
        title: The headline; ``None`` takes the name of the source.
        audio: A file or URL that was named.
        is_embedded: Whether the audio is put into the page.
        is_source: Whether sources are audio, to be played where none was named.
    """

    title: str | None
    audio: str | None
    is_embedded: bool
    is_source: bool

    def audio_of(self, source: str) -> str | None:
        """Return the file or URL that the page of a source plays, if there is one.

        Raises:
            click.UsageError: It is to be put into the page and is no file.
        """
        audio = self.audio or (source if self.is_source and source != "-" else None)
        if self.is_embedded and not (audio and Path(audio).is_file()):
            raise click.UsageError(f"--embed-audio needs a file of audio, not {audio or source}")
        return audio

    def options_for(self, source: str, name: str, page: Path | None) -> TranscriptOptions:
        """Return the options of the page of a source.

        Args:
            source: A file, a URL, or ``-``.
            name: The name of the source.
            page: Where the page is written, or ``None`` for standard output.

        Raises:
            click.UsageError: The audio is to be put into the page and is no file.
        """
        options: TranscriptOptions = {"title": self.title or name}
        audio = self.audio_of(source)
        if audio is None:
            return options
        if self.is_embedded:
            options["audio_data"] = Path(audio).read_bytes()
        elif audio.startswith(URL_SCHEMES):
            options["audio_url"] = audio
        else:
            options["audio_url"] = _url_of(Path(audio), Path() if page is None else page.parent)
        return options


def pages_of(flags: PageFlags, *, is_source: bool) -> Pages:
    """Return what pages show and play.

    Args:
        flags: The flags as given.
        is_source: Whether sources are audio.
    """
    return Pages(flags["title"], flags["audio"], flags["embed_audio"], is_source)


def _url_of(audio: Path, directory: Path) -> str:
    """Return the URL of a file as pages in a directory see it."""
    try:
        path = os.path.relpath(audio, directory)
    except ValueError:  # on another drive
        return audio.absolute().as_uri()
    return quote(Path(path).as_posix())
