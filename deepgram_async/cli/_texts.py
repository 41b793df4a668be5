"""Texts that a command works on: typed, from a file, or from standard input."""

import sys
from pathlib import Path
from typing import Final

import click

__all__ = ["URL_SCHEMES", "read_text"]

URL_SCHEMES: Final = ("http://", "https://")


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
