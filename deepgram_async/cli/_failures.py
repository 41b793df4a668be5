"""What happens when a command fails; loaded only then."""

import asyncio
import sys
import traceback

import click

from deepgram_async.cli._connection import is_debugging
from deepgram_async.cli._output import printable
from deepgram_async.cli._texts import named
from deepgram_async.errors import (
    AudioDeviceError,
    AudioSourceError,
    ConfigurationError,
    DeepgramError,
)

__all__ = ["report", "tell"]


def report(error: BaseException) -> int:
    """Say on standard error what went wrong, and return the exit code.

    What is no failure of a command is raised again.
    """
    match error:
        case click.ClickException():
            error.show()
            return error.exit_code
        case click.Abort() | KeyboardInterrupt() | asyncio.CancelledError():
            return 130
        case DeepgramError():
            tell(error)
            is_ours = isinstance(error, AudioDeviceError | AudioSourceError | ConfigurationError)
            return 2 if is_ours else 1
        case OSError():  # standard output, on a disk that is full
            _say(error, error.strerror or str(error), None)
            return 1
        case Exception():  # a fault of this program must not look like one of the service
            _say(
                error,
                f"{type(error).__name__}: {error}",
                "This is a fault of deepgram-async. DEEPGRAM_LOG=debug shows where it happened.",
            )
            return 1
        case _:
            raise error


def tell(error: DeepgramError, source: str | None = None) -> None:
    """Say on standard error what went wrong, and with which source."""
    story = str(error).removesuffix(f" Hint: {error.hint}")
    _say(error, story if source is None else f"{printable(named(source))}: {story}", error.hint)


def _say(error: BaseException, story: str, hint: str | None) -> None:
    if is_debugging():
        traceback.print_exception(error, file=sys.stderr)
    click.echo(click.style("Error: ", fg="red") + story, err=True)
    if hint:
        click.echo(click.style("Hint:  ", fg="yellow") + hint, err=True)
