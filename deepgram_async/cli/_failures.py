"""What happens when a command fails; loaded only then."""

import asyncio
import sys
import traceback

import click

from deepgram_async.cli._connection import is_debugging
from deepgram_async.errors import AudioSourceError, ConfigurationError, DeepgramError

__all__ = ["report"]


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
            _tell(error, str(error).removesuffix(f" Hint: {error.hint}"), error.hint)
            return 2 if isinstance(error, AudioSourceError | ConfigurationError) else 1
        case Exception():  # a fault of this program must not look like one of the service
            _tell(
                error,
                f"{type(error).__name__}: {error}",
                "This is a fault of deepgram-async. DEEPGRAM_LOG=debug shows where it happened.",
            )
            return 1
        case _:
            raise error


def _tell(error: BaseException, story: str, hint: str | None) -> None:
    if is_debugging():
        traceback.print_exception(error, file=sys.stderr)
    click.echo(click.style("Error: ", fg="red") + story, err=True)
    if hint:
        click.echo(click.style("Hint:  ", fg="yellow") + hint, err=True)
