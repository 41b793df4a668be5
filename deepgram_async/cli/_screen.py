"""How live results are shown: rewritten on a terminal, as plain lines or as JSON elsewhere."""

import sys
from collections.abc import Iterator
from itertools import groupby
from types import TracebackType
from typing import Protocol, Self

import click
import msgspec

from deepgram_async.cli._output import warn
from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Stalled, Unknown
from deepgram_async.models.live import Error, ListenEvent, Results

__all__ = ["Screen", "open_screen"]


class Screen(Protocol):
    """Where events are shown; a context manager, because a terminal has to be tidied up."""

    wants_interim_results: bool

    def show(self, event: ListenEvent) -> None:
        """Show an event, or nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


def open_screen(*, as_json: bool, interim: bool | None) -> Screen:
    """Return the screen for this standard output."""
    if as_json:
        return _Json(wants_interim_results=interim is not False)
    if sys.stdout.isatty():
        return _Terminal(wants_interim_results=interim is not False)
    return _Lines(wants_interim_results=interim is True)


class _Lines:
    """One line for each final result, and for each interim one if they are wanted."""

    def __init__(self, *, wants_interim_results: bool) -> None:
        self.wants_interim_results = wants_interim_results

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the lines as they are."""

    def show(self, event: ListenEvent) -> None:
        match event:
            case Results():
                for line in _lines_of(event):
                    click.echo(line if event.is_final else f"~ {line}")
            case Error():
                warn(f"the service says: {event.description or event.message or event.variant}")
            case Unknown():
                warn(f"message of the unknown type {event.type!r}")
            case Malformed():
                warn(f"unreadable message: {event.reason}")
            case Reconnecting():
                warn(f"the connection was lost, attempt {event.attempt} follows: {event.reason}")
            case Reconnected(dropped_s=dropped_s) if dropped_s:
                warn(f"{dropped_s:.1f} s of audio were lost with the connection")
            case Stalled():
                warn(f"the service has said nothing for {event.silent_s:.0f} s")
            case _:
                pass


class _Json(_Lines):
    """One line of JSON for each message, unknown ones to the letter."""

    def show(self, event: ListenEvent) -> None:
        match event:
            case Unknown():
                click.echo(msgspec.json.encode(msgspec.json.decode(event.raw)))
            case Malformed() | Reconnecting() | Reconnected() | Stalled():
                super().show(event)
            case _:
                click.echo(event.to_json())


class _Terminal(_Lines):
    """Final results stay; below them one interim result is rewritten until it is final."""

    def __init__(self, *, wants_interim_results: bool) -> None:
        super().__init__(wants_interim_results=wants_interim_results)
        # Slow to load, and needed on a terminal only.
        from rich.console import Console
        from rich.live import Live

        self._console = Console(highlight=False)
        self._interims: dict[int, str] = {}
        self._live: Live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, event: ListenEvent) -> None:
        if not isinstance(event, Results):
            super().show(event)
            return
        channel = event.channel_index[0]
        lines = list(_lines_of(event))
        if event.is_final:
            self._interims.pop(channel, None)
            for line in lines:
                self._console.print(line, markup=False, soft_wrap=True)
        else:
            self._interims[channel] = "\n".join(lines)
        self._rewrite()

    def _rewrite(self) -> None:
        from rich.text import Text  # loaded with the console

        interim = "\n".join(text for _, text in sorted(self._interims.items()) if text)
        self._live.update(Text(interim, style="dim"), refresh=True)


def _lines_of(results: Results) -> Iterator[str]:
    """Yield the text, by channel and speaker where these are told apart."""
    if not results.transcript:
        return
    channel, channels = results.channel_index[0], results.channel_index[-1]
    prefix = f"Channel {channel}: " if channels > 1 else ""
    if not results.words or results.words[0].speaker is None:
        yield prefix + results.transcript
        return
    for speaker, words in groupby(results.words, key=lambda word: word.speaker):
        text = " ".join(word.punctuated_word or word.word for word in words)
        yield f"{prefix}Speaker {speaker}: {text}"
