"""This package beside the newest deepgram-sdk and the plain libraries, on the same local server.

``make bench``, or ``python -m benchmarks``. A figure is the CPU time (user and system) of the
client's process for one operation, or its resident memory, or where ``wall`` is said a time of the
clock. The contestants take turns, so that a busy machine treats them alike, and the ratio is that
of the medians. With ``--check`` the command ends with an error when a figure is above its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks import report
from benchmarks.contestants import NAMES
from benchmarks.figures import Figures, Row, load, machine
from benchmarks.metrics import METRICS, RUNS, START, Run
from benchmarks.serving import Server, serving

_LONGEST_S: Final = 300
_HEADER: Final = (
    f"{'':42}{'ours':>10}{'official':>10}{'plain':>10}{'ratio':>8}{'must':>9}{'goal':>7}"
)


class Way(NamedTuple):
    """How all runs are made."""

    is_quick: bool
    on_uvloop: bool


def main() -> None:
    """Measure, print the table, write it, and check."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small, rough round")
    parser.add_argument("--check", action="store_true", help="fail above a limit")
    parser.add_argument("--rounds", type=int, default=5)
    names = [metric.name for metric in METRICS]
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="METRIC", help=f"of {', '.join(names)}"
    )
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument(
        "--report", action="store_true", help="measure nothing; write the table and the chart"
    )
    parser.add_argument(
        "--uvloop", action="store_true", help="run all contestants on uvloop, which is installed"
    )
    arguments = parser.parse_args()
    if arguments.report:
        report.write(load(report.FIGURES))
        return
    if (arguments.only or arguments.uvloop) and arguments.json:
        parser.error("--json takes the figures of all metrics, on the loop of asyncio")
    rounds = 1 if arguments.quick else arguments.rounds
    way = Way(arguments.quick, arguments.uvloop)
    figures = measure(rounds, arguments.only, way)
    if arguments.json is not None:
        figures.save(arguments.json)
        if arguments.json.resolve() == report.FIGURES:
            report.write(figures)
    missed = [row.metric.name for row in figures.rows() if row.verdict == "missed"]
    if arguments.check and missed:
        sys.exit(f"above the limit: {', '.join(missed)}")


def measure(rounds: int, only: list[str] | None, way: Way) -> Figures:
    """Return the figures of all runs that are asked for, and print each as it comes."""
    wanted = {metric.name for metric in METRICS} if only is None else set(only)
    figures = Figures(machine(), rounds, way.is_quick, {})
    print(f"{report.machine_line(figures)}\n\n{_HEADER}", flush=True)
    with serving() as server:
        for run in RUNS:
            metrics = [metric for metric in run.metrics if metric.name in wanted]
            if not metrics:
                continue
            taken = _taken_in_turns(run, server, rounds, way)
            for metric in metrics:
                figures.values[metric.name] = {
                    name: [figure[metric.name] for figure in taken[name]] for name in NAMES
                }
                print(_line(figures.row(metric)), flush=True)
    return figures


def _taken_in_turns(
    run: Run, server: Server, rounds: int, way: Way
) -> dict[str, list[dict[str, float]]]:
    """Return the figures of all contestants, who begin in another order each round."""
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in NAMES}
    order = list(NAMES)
    for _ in range(rounds):
        for name in order:
            taken[name].append(_figures(run, name, server, way))
        order = [*order[1:], order[0]]
    return taken


def _figures(run: Run, name: str, server: Server, way: Way) -> dict[str, float]:
    """Return what one contestant's run measures, in a fresh process."""
    url = server.tls_url if run.is_tls else server.url
    if run.work == START:
        program = f"from benchmarks.cold import measure; measure({name!r}, {url + '/echo'!r})"
        command = [sys.executable, "-c", program]
    else:
        size = run.quick if way.is_quick else run.size
        command = [sys.executable, "-m", "benchmarks.work", name, run.work, url, str(size)]
        command += ["--uvloop"] if way.on_uvloop else []
    # Without compiled modules an import would measure the compiler.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=_LONGEST_S,
        env=environment | {"SSL_CERT_FILE": str(server.trusted)},
    )
    measured: dict[str, float] = json.loads(done.stdout)
    return {f"{figure}{run.suffix}": value for figure, value in measured.items()}


def _line(row: Row) -> str:
    """Return a line of the table for the terminal."""
    metric = row.metric
    title = f"{metric.title}, {metric.unit}" if metric.unit else metric.title
    values = "".join(f"{value:10.2f}" for value in (row.ours, row.official, row.plain))
    limits = f"{row.limit(metric.must):>9}{row.limit(metric.goal):>7}"
    return f"{title:42}{values}{row.ratio:8.3f}{limits} {row.verdict}".rstrip()


if __name__ == "__main__":
    main()
