"""The audio of transcripts that are written as pages."""

import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import click

from deepgram_async.cli._texts import URL_SCHEMES
from deepgram_async.options import TranscriptOptions

__all__ = ["Sound"]


class Sound(NamedTuple):
    """What pages play.

    Attributes:
        given: A file or URL that was named for it.
        is_embedded: Whether the file is put into the page.
        is_source: Whether sources are audio, to be played where none was named.
    """

    given: str | None
    is_embedded: bool
    is_source: bool

    def audio_of(self, source: str) -> str | None:
        """Return the file or URL that the page of a source plays, if there is one.

        Raises:
            click.UsageError: It is to be put into the page and is no file.
        """
        audio = self.given or (source if self.is_source and source != "-" else None)
        if self.is_embedded and not (audio and Path(audio).is_file()):
            raise click.UsageError(f"--embed-audio needs a file of audio, not {audio or source}")
        return audio

    def options_for(self, source: str, page: Path | None) -> TranscriptOptions:
        """Return the options of the page of a source.

        Args:
            source: A file, a URL, or ``-``.
            page: Where the page is written, or ``None`` for standard output.

        Raises:
            click.UsageError: The audio is to be put into the page and is no file.
        """
        audio = self.audio_of(source)
        if audio is None:
            return {}
        if self.is_embedded:
            return {"audio_data": Path(audio).read_bytes()}
        if audio.startswith(URL_SCHEMES):
            return {"audio_url": audio}
        return {"audio_url": _url_of(Path(audio), Path() if page is None else page.parent)}


def _url_of(audio: Path, directory: Path) -> str:
    """Return the URL of a file as pages in a directory see it."""
    try:
        path = os.path.relpath(audio, directory)
    except ValueError:  # on another drive
        return audio.absolute().as_uri()
    return quote(Path(path).as_posix())
