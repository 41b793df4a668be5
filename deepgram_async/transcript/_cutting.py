"""Where a run of words is cut into captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from deepgram_async.transcript._lines import Unit, filled_lines
from deepgram_async.transcript._sentences import Joint, ends_sentence, joint_after
from deepgram_async.transcript._style import Style

__all__ = ["best_cuts"]

# What a caption costs.
_PER_CUE: Final = 1.0
_UNEVEN: Final = 0.6
# What it costs to cut there.
_COSTS: Final = {
    Joint.SENTENCE: 0.0,
    Joint.CLAUSE: 0.3,
    Joint.WORD: 1.0,
    Joint.CLINGING: 1.3,
}
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
    behind = [_cost_behind(last, following, style) for last, following in pairwise(units)]
    best: list[tuple[float, int]] = [(0.0, 0)] * (len(units) + 1)
    for begin in range(len(units) - 1, -1, -1):
        best[begin] = min(
            (cost + best[end][0], end)
            for end, cost in _captions_from(
                begin, units, behind, style, label if repeats_label or not begin else None
            )
        )
    cuts: list[int] = []
    while not cuts or cuts[-1] < len(units):
        cuts.append(best[cuts[-1] if cuts else 0][1])
    return cuts


def _cost_behind(last: Unit, following: Unit, style: Style) -> float:
    """Return what it costs to cut between two units, whatever else is in the captions."""
    silent_s = max(0.0, following.start - last.end)
    pause = min(1.0, silent_s / style.pause_s) if style.pause_s else 1.0
    return _COSTS[joint_after(last.text)] * max(_AT_PAUSE, 1 - pause)


def _captions_from(
    begin: int, units: Sequence[Unit], behind: Sequence[float], style: Style, label: Unit | None
) -> Iterator[tuple[int, float]]:
    """Yield where a caption may end that begins at a place, and what it costs."""
    shown = units[begin:] if label is None else [label, *units[begin:]]
    lines = filled_lines(shown, style.line_length)
    if label is not None:
        next(lines)
    room = style.line_length * style.lines_per_cue
    start = units[begin].start
    width = 0
    is_torn = False
    for end, needed in enumerate(lines, begin + 1):
        unit = units[end - 1]
        fits = needed <= style.lines_per_cue and unit.end - start <= style.max_duration_s
        if not fits and end > begin + 1:
            return
        width += unit.width + (not unit.is_joined)
        cost = _PER_CUE + _UNEVEN * max(0.0, 1 - width / room) ** 2
        if end == len(units):
            yield end, cost
            return
        is_sentence = ends_sentence(unit.text)
        if is_torn and not is_sentence:
            cost += _TORN_SENTENCE
        stays_s = units[end].start - start
        if stays_s < style.min_duration_s:
            cost += _TOO_SHORT * (1 - stays_s / style.min_duration_s)
        yield end, cost + behind[end - 1]
        is_torn = is_torn or is_sentence
