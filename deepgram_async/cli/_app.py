"""The commands together, and what happens when one of them fails."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from deepgram_async import __version__
from deepgram_async.cli._commands import Commands
from deepgram_async.cli._config import read_profile
from deepgram_async.cli._connection import Connection, Region
from deepgram_async.cli._values import complete_profiles

__all__ = ["run"]


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
    Exit codes: 0 success, 1 the service or the network failed, 2 the call, the
    configuration or the input is wrong, 3 some of several inputs failed, 130 Ctrl-C.
    """,
)
@click.version_option(__version__, prog_name="deepgram-async")
@click.option(
    "--api-key",
    metavar="KEY",
    help="API key. Better set DEEPGRAM_API_KEY: other users of this machine can see arguments.",
)
@click.option(
    "--profile",
    metavar="NAME",
    shell_complete=complete_profiles,
    help="Profile of the configuration file.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Configuration file. Default: DEEPGRAM_CONFIG, or the usual place of this system.",
)
@click.option(
    "--project", "project_id", metavar="ID", help="Project. Default: the only one of the key."
)
@click.option(
    "--base-url",
    metavar="URL",
    help="Where the service is. Default: DEEPGRAM_BASE_URL, or Deepgram's global host.",
)
@click.option(
    "--region",
    type=click.Choice(get_args(Region)),
    help="Region of Deepgram where the work is done.",
)
@click.option(
    "--allow-insecure", is_flag=True, help="Permit plain HTTP to a host that is not this machine."
)
@click.pass_context
def app(
    context: click.Context,
    api_key: str | None,
    profile: str | None,
    config: Path | None,
    project_id: str | None,
    base_url: str | None,
    region: Region | None,
    allow_insecure: bool,
) -> None:
    """Speech with Deepgram: to text, from text, and in conversation.

    Commands for speech take --emulator to use a local service instead, which needs neither a key
    nor the internet. A flag wins over the environment, which wins over the profile.
    """
    chosen = read_profile(config, profile)
    assert isinstance(context.command, Commands)
    context.default_map = context.command.defaults(context, chosen.defaults)
    context.obj = Connection(
        api_key=api_key,
        base_url=base_url,
        region=region,
        allow_insecure=allow_insecure,
        project_id=project_id,
        profile=chosen,
    )


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
