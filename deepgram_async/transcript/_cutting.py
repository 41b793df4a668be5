"""Where a run of words is cut into captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from deepgram_async.transcript._lines import Unit, filled_lines
from deepgram_async.transcript._sentences import ends_clause, ends_sentence
from deepgram_async.transcript._style import Style

__all__ = ["best_cuts"]

# What a caption costs, and what the cut behind it costs by what it separates.
_PER_CUE: Final = 1.0
_UNEVEN: Final = 0.6
_AFTER_CLAUSE: Final = 0.3
_INSIDE_CLAUSE: Final = 1.0
# A pause makes a cut cheaper, down to this part of its cost.
_AT_PAUSE: Final = 0.2
# The beginning of a sentence that shares a caption with the end of another one.
_TORN_SENTENCE: Final = 0.6
_TOO_SHORT: Final = 1.0


def best_cuts(
    units: Sequence[Unit], style: Style, label: Unit | None = None, *, repeats_label: bool = False
) -> list[int]:
    """Return behind which unit each caption ends that the units fill, the last one included.

    Captions end with sentences, with clauses and at pauses rather than elsewhere, are about equally
    full, and long enough to be read. None has more lines or lasts longer than the style allows; a
    single unit always fits.

    Args:
        units: What one speaker says in one channel.
        style: The limits.
        label: What stands before the first unit.
        repeats_label: Whether it begins every caption.
    """
    best: list[tuple[float, int]] = [(0.0, 0)] * (len(units) + 1)
    for begin in range(len(units) - 1, -1, -1):
        best[begin] = min(
            (cost + best[end][0], end)
            for end, cost in _captions_from(
                begin, units, style, label if repeats_label or not begin else None
            )
        )
    cuts: list[int] = []
    while not cuts or cuts[-1] < len(units):
        cuts.append(best[cuts[-1] if cuts else 0][1])
    return cuts


def _captions_from(
    begin: int, units: Sequence[Unit], style: Style, label: Unit | None
) -> Iterator[tuple[int, float]]:
    """Yield where a caption may end that begins at a place, and what it costs."""
    shown = units[begin:] if label is None else [label, *units[begin:]]
    lines = filled_lines(shown, style.line_length)
    if label is not None:
        next(lines)
    room = style.line_length * style.lines_per_cue
    width = 0
    is_torn = False
    for end, needed in enumerate(lines, begin + 1):
        unit = units[end - 1]
        fits = needed <= style.lines_per_cue
        if end > begin + 1 and not (fits and unit.end - units[begin].start <= style.max_duration_s):
            return
        width += unit.width + (not unit.is_joined)
        cost = _PER_CUE + _UNEVEN * max(0.0, 1 - width / room) ** 2
        if end == len(units):
            yield end, cost
            return
        following = units[end]
        is_sentence = ends_sentence(unit.text)
        cost += _TORN_SENTENCE * (is_torn and not is_sentence)
        yield end, cost + _cut_cost(units[begin], unit, following, style)
        is_torn = is_torn or is_sentence


def _cut_cost(first: Unit, last: Unit, following: Unit, style: Style) -> float:
    cost = 0.0
    if not ends_sentence(last.text):
        cost = _AFTER_CLAUSE if ends_clause(last.text) else _INSIDE_CLAUSE
        silent_s = max(0.0, following.start - last.end)
        cost *= max(_AT_PAUSE, 1 - silent_s / style.pause_s) if style.pause_s else _AT_PAUSE
    stays_s = following.start - first.start
    if stays_s < style.min_duration_s:
        cost += _TOO_SHORT * (1 - stays_s / style.min_duration_s)
    return cost
