"""The commands together, and what happens when one of them fails."""

from collections.abc import Sequence

import click

from deepgram_async import __version__
from deepgram_async.cli._commands import Commands
from deepgram_async.cli._connection import Connection

__all__ = ["run"]


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
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


def run(args: Sequence[str] | None) -> int:
    """Run the command line; every failure becomes a message and an exit code."""
    try:
        result = app.main(
            args=None if args is None else list(args),
            prog_name="deepgram-async",
            standalone_mode=False,
        )
    except BaseException as exc:  # raised again if it is no way for a command to end
        from deepgram_async.cli._failures import report  # not needed for --help

        return report(exc)
    return result if isinstance(result, int) else 0
