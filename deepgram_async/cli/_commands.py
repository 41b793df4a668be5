"""The table of commands, each loaded when it is called."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Final

import click
from click.shell_completion import CompletionItem

__all__ = ["Commands", "SECTIONS"]

# The command `name` is the function `name` of the module `_name`; the words beside it are the first
# sentence of its help, so that the list of commands is printed without loading any.
SECTIONS: Final[dict[str, dict[str, str]]] = {
    "Speech": {
        "transcribe": "Transcribe recordings and print their text.",
        "batch": "Transcribe many recordings, none of them twice.",
        "live": "Transcribe audio live and print results as they come.",
        "render": "Write saved answers as text, captions and documents.",
        "speak": "Speak a text.",
        "read": "Find out what a text is about.",
        "agent": "Talk to a voice agent.",
    },
    "Account": {
        "projects": "List the projects of the key.",
        "keys": "List, create and delete API keys.",
        "models": "List speech models and voices.",
        "usage": "Sum up what a project used.",
        "api": "Send any call to the service and print the answer.",
    },
    "This machine": {
        "serve": "Show live captions in the browser, of what its microphone hears.",
        "completion": "Print the script that completes commands in a shell.",
        "devices": "List the microphones and speakers of this machine.",
        "doctor": "Check key, network, service and microphone.",
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was called, or the one that was perhaps meant."""
        names = self.list_commands(ctx)
        if args[0] not in names and args[0][:1].isalpha() and not ctx.resilient_parsing:
            near = get_close_matches(args[0], names, n=1)
            advice = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{advice}")
        return super().resolve_command(ctx, args)

    def defaults(
        self, ctx: click.Context, tables: Mapping[str, Mapping[str, object]]
    ) -> dict[str, dict[str, object]]:
        """Return the defaults of a profile for the command that was called, as click knows them.

        Raises:
            click.UsageError: There is no such command, or it has no such option.
        """
        for table in tables:
            if table not in self.list_commands(ctx):
                raise click.UsageError(f"the profile has {table!r}, which is no command")
        name = ctx.invoked_subcommand or ""
        command = self.get_command(ctx, name)
        if command is None or name not in tables:
            return {}
        known = {
            option.removeprefix("--").replace("-", "_"): parameter.name
            for parameter in command.params
            for option in parameter.opts
            if option.startswith("--")
        }
        defaults: dict[str, object] = {}
        for key, value in tables[name].items():
            parameter = known.get(key.replace("-", "_"))
            if parameter is None:
                raise click.UsageError(f"the profile has {key!r}, which is no option of {name!r}")
            defaults[parameter] = value
        return {name: defaults}

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return commands and flags that begin like this."""
        commands = [
            CompletionItem(name, help=words)
            for section in SECTIONS.values()
            for name, words in section.items()
            if name.startswith(incomplete)
        ]
        # As a command, not as a group, which would load all commands for their words.
        return commands + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections of the help."""
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(section.items()))
