"""The command that teaches a shell the names of the others."""

from typing import Final

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]

_NAMES: Final = ("deepgram-async", "dga")
# click derives it from the name under which `run` calls the application.
_VARIABLE: Final = "_DEEPGRAM_ASYNC_COMPLETE"


@click.command(
    epilog="""\b
    bash:  deepgram-async completion bash >> ~/.bashrc
    zsh:   deepgram-async completion zsh >> ~/.zshrc
    fish:  deepgram-async completion fish > ~/.config/fish/completions/deepgram-async.fish
    """
)
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands in a shell."""
    kind = get_completion_class(shell)
    assert kind is not None, "the choices are those of click"
    root = context.find_root().command
    for name in _NAMES:
        click.echo(kind(root, {}, name, _VARIABLE).source())
