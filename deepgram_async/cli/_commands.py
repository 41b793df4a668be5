"""The table of commands, each loaded when it is called."""

from importlib import import_module
from typing import Final

import click

__all__ = ["Commands", "SECTIONS"]

# The command `name` is the function `name` of the module `_name`; the words beside it are the first
# sentence of its help, so that the list of commands is printed without loading any.
SECTIONS: Final[dict[str, dict[str, str]]] = {
    "Speech": {
        "transcribe": "Transcribe a recording and print its text.",
        "live": "Transcribe audio live and print results as they come.",
    },
    "This machine": {
        "emulator": "Serve a local Deepgram until Ctrl-C, and print its address.",
    },
}


class Commands(click.Group):
    """A group whose commands are those of the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, section by section."""
        return [name for section in SECTIONS.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = getattr(import_module(f"deepgram_async.cli._{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections of the help."""
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(section.items()))
