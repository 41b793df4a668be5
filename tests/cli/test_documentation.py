"""The examples of the documentation are calls that the commands take."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from deepgram_async.cli._app import app
from deepgram_async.cli._commands import SECTIONS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs" / "cli.md"]
COMMANDS = [name for section in SECTIONS.values() for name in section]


def examples() -> Iterator[list[str]]:
    """Yield the words behind every `dga` or `deepgram-async` of the console blocks."""
    for page in PAGES:
        for block in re.findall(r"^```console\n(.*?)^```$", page.read_text(), re.DOTALL | re.M):
            for line in block.splitlines():
                words: list[str] = []
                lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="|;>")
                lexer.whitespace_split = True
                for word in [*lexer, ";"]:
                    if word in ("|", ";", ">", ">>"):
                        if words and words[0] in ("dga", "deepgram-async"):
                            yield words[1:]
                        words = []
                    else:
                        words.append(word)


@pytest.mark.parametrize("words", [pytest.param(words, id=" ".join(words)) for words in examples()])
def test_example_is_a_call_that_is_taken(words: list[str]) -> None:
    name = "dga"
    command: click.Command | None = app
    context: click.Context | None = None
    while isinstance(command, click.Group):
        settings = command.context_settings
        context = click.Context(command, info_name=name, parent=context, **settings)
        name, *words = words
        command = command.get_command(context, name)
    assert command is not None
    with command.make_context(name, words, parent=context) as made:
        assert not made.args


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(command: str) -> None:
    assert any(words[:1] == [command] for words in examples())
