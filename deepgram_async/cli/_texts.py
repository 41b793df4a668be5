"""Texts that a command works on: typed, from a file, or from standard input."""

import re
import sys
from io import FileIO
from pathlib import Path
from typing import Final

import click

__all__ = ["URL_SCHEMES", "named", "open_stdin", "read_text"]

URL_SCHEMES: Final = ("http://", "https://")
_USER: Final = re.compile(r"//[^/]*@")


def named(source: str) -> str:
    """Return how a source is called in messages: a URL without what may be secret in it."""
    if not source.startswith(URL_SCHEMES):
        return source
    return _USER.sub("//", source.partition("?")[0])


def open_stdin() -> FileIO:
    """Return standard input without a buffer, as `audio.piped` and `audio.paced` want it.

    Closing it leaves standard input open.
    """
    return open(0, "rb", buffering=0, closefd=False)


def read_text(path: str) -> str:
    """Return the text of a file, or of standard input for ``-``.

    Raises:
        click.UsageError: There is none.
    """
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except OSError as exc:
        raise click.UsageError(f"cannot read {path}: {exc.strerror or exc}") from None
    except UnicodeDecodeError:
        raise click.UsageError(f"{path} is no text in UTF-8") from None
    if not text.strip():
        raise click.UsageError("standard input is empty" if path == "-" else f"{path} is empty")
    return text
