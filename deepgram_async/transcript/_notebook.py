"""How notebooks show a transcript."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from deepgram_async.transcript._parts import Part, clock_time
from deepgram_async.transcript._words import Word, joined_text

__all__ = ["notebook_html"]

# A cell is no reader: so many paragraphs are shown.
_SHOWN: Final = 20
_FAINT: Final = "opacity: 0.6"


def notebook_html(
    parts: Sequence[Part], interim: Sequence[Word] = (), *, shows_end: bool = False
) -> str:
    """Return small, escaped HTML of the beginning of a transcript, or of its end.

    Args:
        parts: What is settled.
        interim: What follows and may still change.
        shows_end: Whether the last paragraphs are worth more than the first ones.
    """
    shown = parts[-_SHOWN:] if shows_end else parts[:_SHOWN]
    more = len(parts) - len(shown)
    rows = [_row(part) for part in shown]
    if more:
        note = _faint(f"{more} paragraph{'s' if more > 1 else ''} not shown")
        rows.insert(0 if shows_end else len(rows), note)
    if interim:
        rows.append(_faint(joined_text(interim)))
    if not rows:
        rows.append(_faint("nothing was said"))
    return f"<div>{''.join(rows)}</div>"


def _row(part: Part) -> str:
    if part.is_note:
        return _faint(part.text)
    name = f"<b>{escape(part.name)}</b> " if part.name else ""
    time = f"<small>{clock_time(part.start)}</small>"
    return f"<p>{name}{time} {escape(part.text)}</p>"


def _faint(text: str) -> str:
    return f'<p style="{_FAINT}"><i>{escape(text)}</i></p>'
