"""How live results are shown and written: rewritten on a terminal, as lines or files elsewhere."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Protocol, Self

import click
import msgspec

from deepgram_async.cli._output import printable
from deepgram_async.models import live
from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Stalled, Unknown
from deepgram_async.options import TranscriptOptions
from deepgram_async.transcript import (
    CaptionFormat,
    FinalWords,
    FormatName,
    InterimWords,
    LiveCaptions,
    LiveTranscript,
    Segment,
    Style,
    TranscriptChange,
    TranscriptEvent,
    Word,
    render,
)

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["Screen", "Write", "make_screen", "make_terminal"]

Write = Callable[[str], object]
"""Writes a text where it is wanted, at once."""


class Screen(Protocol):
    """Where events are shown or written; a context manager, because it has an end."""

    wants_interim_results: bool

    def show(self, event: TranscriptEvent) -> None:
        """Show an event, or nothing."""
        ...

    def tell(self, line: str) -> None:
        """Print a line on standard error, so that it does not disturb what is shown."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def make_terminal(style: TranscriptOptions, *, interim: bool | None) -> Screen | None:
    """Return the screen for the terminal of standard output, or ``None`` if it is none."""
    if not sys.stdout.isatty():
        return None
    from rich.console import Console  # slow to load

    if Console().is_dumb_terminal:
        return Lines(
            lambda text: _echo(printable(text)), style, wants_interim_results=interim is True
        )
    return Terminal(style, wants_interim_results=interim is not False)


def make_screen(
    name: FormatName, style: TranscriptOptions, *, interim: bool | None, write: Write | None = None
) -> Screen:
    """Return the screen that writes a format, to standard output if nothing else is said."""
    write = write or _echo
    match name:
        case "json":
            return Messages(write, wants_interim_results=interim is not False)
        case "text":
            return Lines(write, style, wants_interim_results=interim is True)
        case "srt" | "vtt":
            return Captions(write, name, style)
        case _:
            return Document(write, name, style)


def _echo(text: str) -> None:
    click.echo(text, nl=False)


class _Screen:
    """What all screens have in common."""

    wants_interim_results = False

    def tell(self, line: str) -> None:
        """Print a line on standard error."""
        click.echo(line, err=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave what was written as it is."""


class Messages(_Screen):
    """One line of JSON for each message, unknown ones to the letter."""

    def __init__(self, write: Write, *, wants_interim_results: bool) -> None:
        self.wants_interim_results = wants_interim_results
        self._write = write

    def show(self, event: TranscriptEvent) -> None:
        """Write a message, and pass over what the service did not say."""
        match event:
            case Unknown():
                line = msgspec.json.encode(msgspec.json.decode(event.raw)).decode()
                self._write(f"{line}\n")
            case Malformed() | Reconnecting() | Reconnected() | Stalled():
                pass
            case _:
                self._write(f"{event.to_json()}\n")


class Captions(_Screen):
    """Captions, each as soon as it cannot change any more."""

    def __init__(self, write: Write, name: CaptionFormat, style: TranscriptOptions) -> None:
        self._write = write
        self._captions = LiveCaptions(name, **style)

    def show(self, event: TranscriptEvent) -> None:
        """Write the captions that an event completes."""
        if text := self._captions.add(event):
            self._write(text)

    def __exit__(self, *_: object) -> None:
        self._write(self._captions.finish())


class Document(_Screen):
    """A transcript that is written at the end."""

    def __init__(self, write: Write, name: FormatName, style: TranscriptOptions) -> None:
        self._write = write
        self._name: FormatName = name
        self._style = style
        self._transcript = LiveTranscript()

    def show(self, event: TranscriptEvent) -> None:
        """Keep what an event says."""
        self._transcript.add(event)

    def __exit__(self, *_: object) -> None:
        self._transcript.finish()
        self._write(render(self._transcript, self._name, **self._style))


class Lines(_Screen):
    """One line for what is settled at a time, and for each interim text if it is wanted."""

    def __init__(
        self, write: Write, style: TranscriptOptions, *, wants_interim_results: bool
    ) -> None:
        self.wants_interim_results = wants_interim_results
        self._write = write
        self._style = Style.of(style)
        self._transcript = LiveTranscript()
        self._channels = 1

    def show(self, event: TranscriptEvent) -> None:
        """Write the lines that an event makes."""
        if isinstance(event, live.Results):
            self._channels = max(self._channels, event.channel_index[-1])
        self._change(self._transcript.add(event))

    def __exit__(self, *_: object) -> None:
        self._change(self._transcript.finish())

    def _change(self, changes: Sequence[TranscriptChange]) -> None:
        for change in changes:
            match change:
                case FinalWords():
                    for line in self._lines_of(change.words):
                        self._write(f"{line}\n")
                case InterimWords() if self.wants_interim_results:
                    for line in self._lines_of(change.words):
                        self._write(f"~ {line}\n")
                case _:
                    pass

    def _lines_of(self, words: Iterable[Word]) -> Iterator[str]:
        """Yield the text, by channel and speaker where these are told apart."""
        for _, spoken in groupby(words, lambda word: (word.channel, word.speaker)):
            said = Segment.of(spoken)
            name = self._style.name_of(
                speaker=said.speaker, channel=said.channel, channels=self._channels
            )
            yield f"{name}: {said.text}" if name else said.text


class Terminal(Lines):
    """Settled text stays; below it the interim text is rewritten until it is settled."""

    def __init__(self, style: TranscriptOptions, *, wants_interim_results: bool) -> None:
        super().__init__(_echo, style, wants_interim_results=wants_interim_results)
        from rich.console import Console  # slow to load, and needed on a terminal only
        from rich.live import Live

        self._console = Console(highlight=False)
        self._interims: dict[int, str] = {}
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._live.stop()

    def tell(self, line: str) -> None:
        """Print a line above the interim text, which may stand on the same terminal."""
        self._live.update(self._interim_text(hidden=True), refresh=True)
        super().tell(line)
        self._live.update(self._interim_text(), refresh=True)

    def _change(self, changes: Sequence[TranscriptChange]) -> None:
        if not changes:
            return
        lines: list[str] = []
        for change in changes:
            match change:
                case FinalWords():
                    self._interims.pop(change.channel, None)
                    lines += self._lines_of(change.words)
                case InterimWords():
                    self._interims[change.channel] = "\n".join(self._lines_of(change.words))
                case _:
                    pass
        with self._console:  # all at once, so that no text is seen twice or not at all
            self._live.update(self._interim_text(), refresh=True)
            for line in lines:
                self._console.print(printable(line), markup=False, emoji=False)

    def _interim_text(self, *, hidden: bool = False) -> "Text":
        """Return the end of what is not settled, as much as the terminal has lines for."""
        from rich.text import Text  # loaded with the console

        texts = [] if hidden else [text for _, text in sorted(self._interims.items()) if text]
        whole = Text(printable("\n".join(texts)), style="dim")
        lines = whole.wrap(self._console, self._console.width)
        return Text("\n").join(lines[-max(1, self._console.height - 1) :])
