"""What commands print: results on standard output, everything else on standard error."""

import os
import re
import sys
import tempfile
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Self

import click

from deepgram_async.errors import DeepgramError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

__all__ = ["Spinner", "growing_file", "print_json", "print_table", "printable", "warn", "warning"]

# Control codes without tabs and line breaks. What joins letters in many writings stays.
_STEERING: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def warn(message: str) -> None:
    """Say what is not as it should be, and go on nevertheless."""
    click.echo(warning(message), err=True)


def warning(message: str) -> str:
    """Return the line that says what is not as it should be."""
    return f"{click.style('Warning:', fg='yellow')} {printable(message)}"


def printable(text: str) -> str:
    """Return a text without the codes that steer a terminal; it may come from anybody."""
    return _STEERING.sub(" ", text)


def print_json(value: object) -> None:
    """Print a value on one line, or indented for the eyes on a terminal."""
    import msgspec  # with the models, not before

    line = msgspec.json.encode(value)
    if sys.stdout.isatty():
        line = msgspec.json.format(line, indent=2)
    click.echo(line)


def print_table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows: in columns on a terminal, with tabs between them elsewhere."""
    cells = [[_cell(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        for row in [list(names), *cells]:
            click.echo("\t".join(row))
        return
    from rich.box import SIMPLE_HEAD  # slow to load, as the rest of it
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*names, box=SIMPLE_HEAD, pad_edge=False)
    for row in cells:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    Console(highlight=False).print(table)


def _cell(value: object) -> str:
    """Return a value as one line without tabs."""
    return " ".join(printable("" if value is None else str(value)).split())


class Spinner:
    """Shows on a terminal that something is going on; elsewhere it does nothing.

    As a context manager it runs; `say` changes the words, `hidden` makes room for other lines.
    """

    def __init__(self, words: str) -> None:
        self._live: Live | None = None
        self._words = words

    def say(self, words: str) -> None:
        """Show other words."""
        self._words = words
        if self._live is not None:
            self._live.update(_turning(words))

    @contextmanager
    def hidden(self) -> Generator[None, None, None]:
        """Take it away, and let it come again behind what is printed meanwhile."""
        if self._live is None:
            yield
            return
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console  # slow to load
            from rich.live import Live

            self._live = Live(
                _turning(self._words),
                console=Console(stderr=True),
                refresh_per_second=12.5,
                transient=True,
                # It would print on standard error what is for standard output.
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def _turning(words: str) -> "RenderableType":
    from rich.spinner import Spinner as Turning  # loaded with the terminal
    from rich.text import Text

    return Turning("dots", Text(printable(words), overflow="ellipsis", no_wrap=True))


@contextmanager
def growing_file(path: Path) -> Generator[IO[bytes], None, None]:
    """Open a file that appears under its name when the block ends well, and not at all otherwise.

    Raises:
        click.ClickException: It cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as device:  # a pipe, or a file that stands for one
                yield device
            return
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            try:
                yield file.file
                file.close()
                # As if it had been opened by its name; `tempfile` lets nobody else read.
                os.chmod(file.name, 0o666 & ~_umask())
                os.replace(file.name, path)
            except BaseException:
                file.close()
                with suppress(OSError):
                    os.unlink(file.name)
                raise
    except OSError as exc:
        if isinstance(exc, DeepgramError):
            raise  # a connection that was lost is an OSError, too
        raise click.ClickException(f"cannot write {path}: {exc.strerror or exc}") from None


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
