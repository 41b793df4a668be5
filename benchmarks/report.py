"""The table and the chart of the README, made of the figures."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks import chart
from benchmarks.figures import Figures, Row

_FOLDER: Final = Path(__file__).resolve().parent
FIGURES: Final = _FOLDER / "figures.json"
_README: Final = _FOLDER / "README.md"
_CHART: Final = _FOLDER / "figures.svg"
# Anything above leaves too little of two cores to a client and its server.
_BUSY: Final = 1.0
_BEGIN: Final = "<!-- figures: written by python -m benchmarks --report -->\n"
_END: Final = "<!-- end of figures -->\n"


def write(figures: Figures) -> None:
    """Write the chart, and the table between its two marks."""
    _CHART.write_text(chart.drawn(figures.rows()))
    before, begin, rest = _README.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    assert begin, f"{_README.name} has lost the beginning of its table"
    assert end, f"{_README.name} has lost the end of its table"
    _README.write_text(f"{before}{begin}{_table(figures)}{end}{after}")


def machine_line(figures: Figures) -> str:
    """Return what the figures depend on, as a sentence."""
    machine = figures.machine
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    rounds = "one round" if figures.rounds == 1 else f"{figures.rounds} rounds"
    if figures.is_quick:
        rounds = "one quick, rough round"
    busy = " (a busy machine: take these figures again)" if machine["load"] > _BUSY else ""
    return (
        f"{machine['cores']} cores, load average {machine['load']} at the start{busy}, "
        f"Python {machine['python']}, {packages}; {rounds}."
    )


def _table(figures: Figures) -> str:
    lines = [
        machine_line(figures),
        "",
        "| | ours | deepgram-sdk | plain | ratio | must | goal | |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
        *(_line(row) for row in figures.rows()),
    ]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    metric = row.metric
    values = (f"{_number(v)} {metric.unit}".strip() for v in (row.ours, row.official, row.plain))
    verdict = "**missed**" if row.verdict == "missed" else row.verdict
    cells = (
        *(metric.title, *values, f"{row.ratio:.3f}"),
        *(row.limit(metric.must), row.limit(metric.goal), verdict),
    )
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"
