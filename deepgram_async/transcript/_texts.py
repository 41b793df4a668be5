"""Plain text, Markdown, TSV and JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from deepgram_async.transcript._parts import clock_time
from deepgram_async.transcript._style import Style
from deepgram_async.transcript._transcript import Transcript, parts_of

__all__ = ["write_json", "write_markdown", "write_text", "write_tsv"]

_COLUMNS: Final = ("start", "end", "channel", "speaker", "confidence", "text")
# What Markdown takes for a mark anywhere, and what only at the beginning of a line.
_MARKS: Final = re.compile(r"[\\`*_\[\]<~$]|&(?=#?\w+;)")
_LEADING_MARKS: Final = re.compile(r"^(?:\d+(?=[.)]\s)|(?=[#+=>-]))")


def write_text(transcript: Transcript, style: Style) -> str:
    """Write paragraphs with empty lines between them, and the name of each speaker who begins."""
    return _joined(
        f"{part.name}: {part.text}" if part.name else part.text
        for part in parts_of(transcript, style)
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


def _markdown_parts(transcript: Transcript, style: Style) -> Iterator[str]:
    for part in parts_of(transcript, style):
        if part.name is not None:
            yield f"**{_escaped(part.name)}** ({clock_time(part.start)})"
        yield f"*{_escaped(part.text)}*" if part.is_note else _escaped(part.text)


def _escaped(text: str) -> str:
    """Write a text so that Markdown shows it as it is."""
    return _LEADING_MARKS.sub(r"\g<0>\\", _MARKS.sub(r"\\\g<0>", text))


def _cell(text: str) -> str:
    """Write a value as spreadsheets and `csv` read it."""
    return '"' + text.replace('"', '""') + '"' if '"' in text else text


def _joined(parts: Iterator[str]) -> str:
    text = "\n\n".join(parts)
    return f"{text}\n" if text else ""
