"""The figures of a measurement, and what they say."""

from __future__ import annotations

import json
import os
import platform
import statistics
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.contestants import NAMES
from benchmarks.metrics import METRICS, Metric

_PACKAGES: Final = ("deepgram-sdk", "httpx", "pydantic", "aiohttp", "websockets", "msgspec")


class Row(NamedTuple):
    """The medians of one metric, in its unit."""

    metric: Metric
    ours: float
    official: float
    plain: float

    @property
    def ratio(self) -> float:
        """Ours divided by that of deepgram-sdk."""
        return self.ours / self.official

    @property
    def judged(self) -> float:
        """What the limits are compared with."""
        return self.ours if self.metric.is_absolute else self.ratio

    @property
    def verdict(self) -> str:
        """``"missed"`` above what must be, ``"goal"`` where we want to be, or nothing."""
        must, goal = self.metric.must, self.metric.goal
        if must is not None and self.judged > must:
            return "missed"
        return "goal" if goal is not None and self.judged <= goal else ""

    def limit(self, limit: float | None) -> str:
        """Return a limit as text, with the unit if it is absolute."""
        if limit is None:
            return ""
        return f"{limit:g} {self.metric.unit}".strip() if self.metric.is_absolute else f"{limit:g}"


class Figures(NamedTuple):
    """All figures: for each metric those of each contestant, one for each round."""

    machine: dict[str, Any]
    rounds: int
    is_quick: bool
    values: dict[str, dict[str, list[float]]]

    def rows(self) -> list[Row]:
        """Return the medians of what was measured, in the order of the metrics."""
        return [self.row(metric) for metric in METRICS if metric.name in self.values]

    def row(self, metric: Metric) -> Row:
        """Return the medians of one metric."""
        ours, official, plain = (
            statistics.median(self.values[metric.name][name]) * metric.scale for name in NAMES
        )
        return Row(metric, ours, official, plain)

    def save(self, path: Path) -> None:
        """Write the figures to a file."""
        path.write_text(json.dumps(self._asdict(), indent=1) + "\n")


def load(path: Path) -> Figures:
    """Return the figures in a file."""
    return Figures(**json.loads(path.read_text()))


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    versions: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "packages": versions,
    }
