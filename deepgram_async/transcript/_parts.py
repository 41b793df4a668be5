"""A paragraph as it is shown."""

from __future__ import annotations

from typing import NamedTuple

from deepgram_async.transcript._words import Word

__all__ = ["Part", "clock_time"]


class Part(NamedTuple):
    """A paragraph, or a note about what is missing.

    Attributes:
        start: Seconds from the start of the audio.
        name: Who speaks, where another speaker begins and speakers are told apart.
        text: What is said.
        words: What is said, word by word.
        is_note: Whether the text is a note and was not said.
    """

    start: float
    name: str | None
    text: str
    words: tuple[Word, ...] = ()
    is_note: bool = False


def clock_time(seconds: float) -> str:
    """Return a time as clocks show it: 1:05, or 1:00:05 from one hour on."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
