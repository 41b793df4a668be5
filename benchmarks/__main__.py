"""This package beside the newest deepgram-sdk and the plain libraries, on the same local server.

``make bench``, or ``python -m benchmarks``. Each figure is the CPU time (user and system) of the
client's process for one operation, or its resident memory. The clients take turns, so that a busy
machine treats them alike, and the ratio is that of the medians. With ``--check`` the command ends
with an error when a ratio is above its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.clients import PREPARE

_IMPORT: Final = "import"
_IMPORT_MEMORY: Final = "import_memory"
_LONGEST_S: Final = 300


class Metric(NamedTuple):
    """What is measured, and what the ratio to deepgram-sdk has to be."""

    name: str
    title: str
    unit: str
    scale: float
    size: int
    quick: int
    must: float
    goal: float


METRICS: Final = (
    Metric(_IMPORT, "import, session made", "ms", 1e3, 1, 1, 0.40, 0.27),
    Metric(_IMPORT_MEMORY, "memory of it", "MB", 1e-6, 1, 1, 0.60, 0.48),
    Metric("decode_small", "decode an answer of 2 kB", "us", 1e6, 5000, 500, 0.06, 0.037),
    Metric("decode_large", "decode an hour of speech", "ms", 1e3, 10, 2, 0.06, 0.042),
    Metric("decode_event", "decode a live result", "us", 1e6, 5000, 500, 0.05, 0.032),
    Metric("rest_sequential", "request, one at a time", "us", 1e6, 500, 100, 0.11, 0.075),
    Metric("rest_in_flight", "request, 64 in flight", "us", 1e6, 2000, 300, 0.07, 0.04),
    Metric("connect", "open and close a stream", "us", 1e6, 300, 50, 0.45, 0.25),
    Metric("chunk", "send 20 ms of audio, flat out", "us", 1e6, 20000, 5000, 0.50, 0.35),
    Metric("event", "send a chunk, receive a result", "us", 1e6, 6400, 960, 0.13, 0.07),
    Metric("paced", "one second of one of 200 streams", "ms", 1e3, 8, 2, 0.70, 0.45),
    Metric("memory", "memory of an open stream", "kB", 1e-3, 300, 100, 0.60, 0.40),
)
_QUICK_ROUNDS: Final = 1


def main() -> None:
    """Measure, print the table, write the JSON, and check."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and rough, about a minute")
    parser.add_argument("--check", action="store_true", help="fail above a limit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=[metric.name for metric in METRICS])
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    rounds = _QUICK_ROUNDS if arguments.quick else arguments.rounds
    metrics = [metric for metric in METRICS if metric.name in (arguments.only or metric.name)]
    figures: dict[str, dict[str, list[float]]] = {}
    with server() as url:
        for metric in metrics:
            size = metric.quick if arguments.quick else metric.size
            figures[metric.name] = taken_in_turns(metric, url, size, rounds)
            print(row(metric, figures[metric.name]), flush=True)
    if arguments.json is not None:
        report = {"machine": machine(), "rounds": rounds, "figures": figures}
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    if arguments.check:
        missed = [m.title for m in metrics if ratio(figures[m.name], "official") > m.must]
        sys.exit(f"above the limit: {', '.join(missed)}" if missed else 0)


@contextmanager
def server() -> Generator[str]:
    """Run the server in a process of its own and yield its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        print(machine())
        print(
            f"\n{'':34}{'ours':>10}{'official':>12}{'plain':>10}{'ratio':>10}{'must':>7}{'goal':>7}"
        )
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def taken_in_turns(metric: Metric, url: str, size: int, rounds: int) -> dict[str, list[float]]:
    """Return the figures of all clients, who begin in another order each round."""
    figures: dict[str, list[float]] = {client: [] for client in PREPARE}
    order = list(PREPARE)
    for _ in range(rounds):
        for client in order:
            figures[client].append(measured(metric, client, url, size))
        order = [*order[1:], order[0]]
    return figures


def measured(metric: Metric, client: str, url: str, size: int) -> float:
    """Return one figure, from a fresh process."""
    if metric.name in (_IMPORT, _IMPORT_MEMORY):
        return imported(client)[metric.name]
    command = [sys.executable, "-m", "benchmarks.work", client, metric.name, url, str(size)]
    return float(output(command))


def imported(client: str) -> dict[str, float]:
    """Return CPU seconds and bytes of memory that an import takes."""
    program = (
        "import json, time\n"
        "def memory(): return int(open('/proc/self/statm').read().split()[1]) * 4096\n"
        "bytes_before, began = memory(), time.process_time()\n"
        f"{PREPARE[client]}\n"
        f"print(json.dumps({{{_IMPORT!r}: time.process_time() - began, "
        f"{_IMPORT_MEMORY!r}: memory() - bytes_before}}))"
    )
    figures: dict[str, float] = json.loads(output([sys.executable, "-c", program]))
    return figures


def output(command: list[str]) -> str:
    """Return what a process prints; one that fails ends the whole."""
    # Without compiled modules an import would measure the compiler.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        command, stdout=subprocess.PIPE, check=True, text=True, timeout=_LONGEST_S, env=environment
    ).stdout


def ratio(figures: dict[str, list[float]], other: str) -> float:
    """Return our median divided by that of another client."""
    return statistics.median(figures["ours"]) / statistics.median(figures[other])


def row(metric: Metric, figures: dict[str, list[float]]) -> str:
    """Return a line of the table."""
    ours, official, plain = (
        f"{statistics.median(figures[client]) * metric.scale:.1f}" for client in PREPARE
    )
    share = ratio(figures, "official")
    verdict = " missed" if share > metric.must else " goal" if share <= metric.goal else ""
    return (
        f"{metric.title + ', ' + metric.unit:34}{ours:>10}{official:>12}{plain:>10}{share:>10.3f}"
        f"{metric.must:>7}{metric.goal:>7}{verdict}"
    )


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    versions: dict[str, str] = {}
    for name in ("deepgram-sdk", "aiohttp", "websockets", "msgspec", "uvloop"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        **versions,
    }


if __name__ == "__main__":
    main()
