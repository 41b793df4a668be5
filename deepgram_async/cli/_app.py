"""The commands together, and what happens when one of them fails."""

import asyncio
import sys
import traceback
from collections.abc import Sequence

import click

from deepgram_async import __version__
from deepgram_async.cli._connection import Connection, is_debugging
from deepgram_async.cli._emulator import emulator
from deepgram_async.cli._live import live
from deepgram_async.cli._transcribe import transcribe
from deepgram_async.errors import AudioSourceError, ConfigurationError, DeepgramError

__all__ = ["run"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="deepgram-async")
@click.option(
    "--api-key",
    metavar="KEY",
    help="API key. Better set DEEPGRAM_API_KEY: other users of this machine can see arguments.",
)
@click.option(
    "--base-url",
    metavar="URL",
    help="Where the service is. Default: DEEPGRAM_BASE_URL, or Deepgram's global host.",
)
@click.option(
    "--allow-insecure", is_flag=True, help="Permit plain HTTP to a host that is not this machine."
)
@click.pass_context
def app(
    context: click.Context, api_key: str | None, base_url: str | None, allow_insecure: bool
) -> None:
    """Speech to text with Deepgram, from files, URLs and live audio.

    Every command that talks to the service takes --emulator to use a local one instead, which needs
    neither a key nor the internet.
    """
    context.obj = Connection(api_key=api_key, base_url=base_url, allow_insecure=allow_insecure)


app.add_command(emulator)
app.add_command(live)
app.add_command(transcribe)


def run(args: Sequence[str] | None) -> int:
    """Run the command line; every failure becomes a message and an exit code."""
    try:
        result = app.main(
            args=None if args is None else list(args),
            prog_name="deepgram-async",
            standalone_mode=False,
        )
    except click.ClickException as exc:
        exc.show()
        return exc.exit_code
    except (click.Abort, KeyboardInterrupt, asyncio.CancelledError):
        return 130
    except DeepgramError as exc:
        _report(str(exc).removesuffix(f" Hint: {exc.hint}"), exc.hint)
        return 2 if isinstance(exc, AudioSourceError | ConfigurationError) else 1
    except Exception as exc:  # a fault of this program must not look like one of the service
        _report(
            f"{type(exc).__name__}: {exc}",
            "This is a fault of deepgram-async. DEEPGRAM_LOG=debug shows where it happened.",
        )
        return 1
    return result if isinstance(result, int) else 0


def _report(story: str, hint: str | None) -> None:
    if is_debugging():
        traceback.print_exc(file=sys.stderr)
    click.echo(click.style("Error: ", fg="red") + story, err=True)
    if hint:
        click.echo(click.style("Hint:  ", fg="yellow") + hint, err=True)
