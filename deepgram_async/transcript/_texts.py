"""Plain text, Markdown, TSV and JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from deepgram_async.transcript._style import Style
from deepgram_async.transcript._transcript import Transcript

__all__ = ["clock_time", "write_json", "write_markdown", "write_text", "write_tsv"]

_COLUMNS: Final = ("start", "end", "channel", "speaker", "confidence", "text")
# What Markdown takes for marks anywhere, and what only at the beginning of a line.
_MARKS: Final = re.compile(r"([\\`*_\[\]<>|~&$])")
_LEADING_MARKS: Final = re.compile(r"^(\d+(?=[.)])|)([.)#+=-])")


class _Part(NamedTuple):
    """A paragraph, or a note about what is missing.

    Attributes:
        start: Seconds from the start of the audio.
        name: Who speaks, where he begins and speakers are told apart.
        text: What is said.
        is_note: Whether the text is a note and was not said.
    """

    start: float
    name: str | None
    text: str
    is_note: bool = False


def write_text(transcript: Transcript, style: Style) -> str:
    """Write paragraphs with empty lines between them, and the name of each speaker who begins."""
    return _joined(
        f"{part.name}: {part.text}" if part.name else part.text
        for part in _parts(transcript, style)
    )


def write_markdown(transcript: Transcript, style: Style) -> str:
    """Write paragraphs, with the name of each speaker who begins and the time above them."""
    return _joined(_markdown_parts(transcript, style))


def write_tsv(transcript: Transcript, style: Style) -> str:
    """Write one row for each utterance, with times in seconds, below the names of the columns."""
    rows = ["\t".join(_COLUMNS)]
    for said in transcript.utterances:
        name = style.name_of(
            speaker=said.speaker, channel=said.channel, channels=transcript.channels
        )
        times = f"{said.start:.3f}\t{said.end:.3f}\t{said.channel}"
        rows.append(f"{times}\t{_cell(name or '')}\t{said.confidence:.3f}\t{_cell(said.text)}")
    return "".join(f"{row}\n" for row in rows)


def write_json(transcript: Transcript, style: Style) -> str:
    """Write all that is known, on one line."""
    return f"{transcript.to_json()}\n"


def clock_time(seconds: float) -> str:
    """Return a time as clocks show it: 1:05, or 1:00:05 from one hour on."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _parts(transcript: Transcript, style: Style) -> Iterator[_Part]:
    notes = iter(transcript.gaps)
    note = next(notes, None)
    last: str | None = None
    for paragraph in transcript.paragraphs:
        while note is not None and note.start <= paragraph.start:
            yield _Part(note.start, None, _told(note.duration), is_note=True)
            note = next(notes, None)
        name = style.name_of(
            speaker=paragraph.speaker, channel=paragraph.channel, channels=transcript.channels
        )
        yield _Part(paragraph.start, name if name != last else None, paragraph.text)
        last = name
    while note is not None:
        yield _Part(note.start, None, _told(note.duration), is_note=True)
        note = next(notes, None)


def _told(seconds: float) -> str:
    return f"[{seconds:.1f} seconds of audio were lost]"


def _markdown_parts(transcript: Transcript, style: Style) -> Iterator[str]:
    for part in _parts(transcript, style):
        if part.name is not None:
            yield f"**{_escaped(part.name)}** ({clock_time(part.start)})"
        yield f"*{_escaped(part.text)}*" if part.is_note else _escaped(part.text)


def _escaped(text: str) -> str:
    """Write a text so that Markdown shows it as it is."""
    return _LEADING_MARKS.sub(r"\1\\\2", _MARKS.sub(r"\\\1", text))


def _cell(text: str) -> str:
    """Write a value as spreadsheets and `csv` read it."""
    return '"' + text.replace('"', '""') + '"' if '"' in text else text


def _joined(parts: Iterator[str]) -> str:
    text = "\n\n".join(parts)
    return f"{text}\n" if text else ""
