"""The chart of the figures: a plain SVG, readable on a light and on a dark page."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from benchmarks.figures import Row

_WIDTH: Final = 920
_LEFT: Final = 304
_RIGHT: Final = 100
_SPAN: Final = _WIDTH - _LEFT - _RIGHT
_STEP: Final = 22
_BAR: Final = 12
_HEAD: Final = 92
# The scale of the ratios: each factor has the same length, and twice as much is the worst shown.
_WORST: Final = 2.0
_BEST: Final = 0.01
_TICKS: Final = (2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
_STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.page { fill: #ffffff } .soft { fill: #59636e } .grid { stroke: #d1d9e0 }
.one { stroke: #59636e } .head { font-weight: 600; font-size: 14px }
.goal { fill: #1a7f37 } .met { fill: #0969da } .missed { fill: #d1242f }
.free { fill: #818b98 }
.mark-must { stroke: #1f2328; stroke-width: 2 } .mark-goal { fill: #1f2328 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .page { fill: #0d1117 } .soft { fill: #9198a1 } .grid { stroke: #3d444d }
.one { stroke: #9198a1 } .goal { fill: #3fb950 } .met { fill: #4493f8 } .missed { fill: #f85149 }
.mark-must { stroke: #f0f6fc } .mark-goal { fill: #f0f6fc }
}
"""


def drawn(rows: Sequence[Row]) -> str:
    """Return the chart: the ratios to deepgram-sdk, and below what has a limit of its own."""
    ratios = [row for row in rows if not row.metric.is_absolute]
    absolutes = [row for row in rows if row.metric.is_absolute]
    parts = _legend()
    top = _HEAD
    parts += _panel(ratios, top, _ratio_at, [(tick, _factor(tick)) for tick in _TICKS], 1.0)
    height = top + _height(ratios)
    if absolutes:
        top = height + 52
        parts.append(_text(16, top - 32, "Share of a limit of its own; shorter is better", "head"))
        ticks = [(share, f"{share:.0%}") for share in (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)]
        parts += _panel(absolutes, top, _share_at, ticks, 0.0)
        height = top + _height(absolutes)
    size = f'width="{_WIDTH}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {size}>',
        "<title>This package beside deepgram-sdk: cost of each operation</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="page" {size}/>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _legend() -> list[str]:
    y = 48
    return [
        _text(16, 26, "Cost of each operation, divided by that of deepgram-sdk", "head"),
        *(_swatch(16, "goal", "at the goal"), _swatch(118, "met", "as it must be")),
        *(_swatch(236, "missed", "missed"), _swatch(314, "free", "nothing demanded")),
        *(_must_mark(464, y - 10), _text(472, y, "must"), _goal_mark(526, y - 10)),
        *(_text(536, y, "goal"), _text(580, y, "longer is better, scale of factors", "soft")),
    ]


def _panel(
    rows: Sequence[Row],
    top: float,
    at: Callable[[float], float],
    ticks: Sequence[tuple[float, str]],
    origin: float,
) -> list[str]:
    """Return the bars from an origin on, over a grid with named lines."""
    bottom = top + len(rows) * _STEP
    parts: list[str] = []
    for value, name in ticks:
        kind = "one" if value == origin else "grid"
        parts.append(
            f'<line class="{kind}" x1="{at(value):.1f}" y1="{top - 6}" x2="{at(value):.1f}" '
            f'y2="{bottom}"/>'
        )
        parts.append(_text(at(value), top - 12, name, "soft", "middle"))
    for number, row in enumerate(rows):
        parts += _bar(row, top + number * _STEP + (_STEP - _BAR) / 2, at, origin)
    return parts


def _bar(row: Row, y: float, at: Callable[[float], float], origin: float) -> list[str]:
    metric = row.metric
    unit = metric.must if metric.is_absolute and metric.must is not None else 1.0
    begin, end = sorted((at(origin), at(row.judged / unit)))
    has_limit = metric.must is not None or metric.goal is not None
    kind = row.verdict or ("met" if has_limit else "free")
    shown = f"{row.ours:.3g} {metric.unit}" if metric.is_absolute else f"{row.ratio:.3f}"
    parts = [
        _text(_LEFT - 48, y + 10, metric.title, anchor="end"),
        _rectangle(kind, begin, y, max(end - begin, 1)),
        _text(_WIDTH - 14, y + 10, shown.strip(), "soft", "end"),
    ]
    if metric.must is not None:
        parts.append(_must_mark(at(metric.must / unit), y))
    if metric.goal is not None:
        parts.append(_goal_mark(at(metric.goal / unit), y))
    return parts


def _ratio_at(ratio: float) -> float:
    """Return where a ratio is: the less, the further to the right."""
    share = math.log(_WORST / min(max(ratio, _BEST), _WORST)) / math.log(_WORST / _BEST)
    return _LEFT + share * _SPAN


def _share_at(share: float) -> float:
    return _LEFT + min(share / 1.25, 1.0) * _SPAN


def _factor(ratio: float) -> str:
    if ratio > 1:
        return f"{ratio:g}x"
    return "deepgram-sdk" if ratio == 1 else f"1/{1 / ratio:g}"


def _height(rows: Sequence[Row]) -> int:
    return len(rows) * _STEP + 16


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def _swatch(x: float, kind: str, words: str) -> str:
    return _rectangle(kind, x, 38, 12) + _text(x + 18, 48, words)


def _rectangle(kind: str, x: float, y: float, width: float) -> str:
    size = f'x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}"'
    return f'<rect class="{kind}" {size} rx="2"/>'


def _must_mark(x: float, y: float) -> str:
    return f'<line class="mark-must" x1="{x:.1f}" y1="{y - 3}" x2="{x:.1f}" y2="{y + _BAR + 3}"/>'


def _goal_mark(x: float, y: float) -> str:
    middle = y + _BAR / 2
    return (
        f'<path class="mark-goal" d="M{x - 4:.1f} {middle} L{x:.1f} {middle - 5} '
        f'L{x + 4:.1f} {middle} L{x:.1f} {middle + 5} Z"/>'
    )
