"""Half an hour of audio over connections that break hundreds of times: is every word heard once?

``python -m benchmarks.soak --seeds 20 --minutes 30 --faults 200``, or ``make soak``. Each seed
is three streams: live transcription, the same with two channels, and Flux. Real sockets carry them
through a ``FaultProxy``; only the waiting is left out. The command ends with an error when the
final results are not those of an undisturbed stream. ``--crowd`` has 200 streams at once, in real
time, and looks at the memory.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from benchmarks.soak.crowd import Crowd, disturbed_crowd, service_of
from benchmarks.soak.faults import Trouble
from benchmarks.soak.run import KINDS, Outcome, Task, watched

# What is kept to be said again goes up and down; a leak of a kilobyte for each reconnect shows.
_MOST_GROWTH: Final = 100_000


def main() -> None:
    """Disturb the streams, print the table, and check."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--minutes", type=float, default=30.0, help="audio of each stream")
    parser.add_argument("--faults", type=int, default=200, help="for each stream, at least")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--crowd", action="store_true", help="200 streams for a minute instead")
    arguments = parser.parse_args()
    if arguments.crowd:
        sys.exit(0 if _crowd(Crowd(seed=arguments.first)) else 1)
    tasks = [
        Task(seed, kind, arguments.minutes, arguments.faults)
        for seed in range(arguments.first, arguments.first + arguments.seeds)
        for kind in arguments.only
    ]
    outcomes: list[Outcome] = []
    print(_HEAD)
    for outcome in _outcomes(tasks, arguments.workers):
        outcomes.append(outcome)
        print(_row(outcome), flush=True)
    print(_summary(outcomes))
    sys.exit(0 if all(outcome.is_good for outcome in outcomes) else 1)


def _outcomes(tasks: list[Task], workers: int) -> Iterator[Outcome]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(watched, tasks)


def _crowd(crowd: Crowd) -> bool:
    with service_of(crowd) as url:
        outcome = asyncio.run(disturbed_crowd(crowd, url))
    verdicts = outcome.verdicts
    reconnects = sum(each.reconnects for each in verdicts)
    print(
        f"{crowd.streams} streams for {crowd.seconds:.0f} s, {reconnects} reconnects "
        f"({reconnects / crowd.streams / crowd.seconds:.1%} of the connections a second), "
        f"{sum(each.lost for each in verdicts)} words lost, "
        f"{sum(each.repeated for each in verdicts)} repeated, "
        f"largest error {max(each.largest_error_s for each in verdicts) * 1000:.1f} ms\n"
        f"wall {outcome.wall_s:.1f} s, CPU {outcome.cpu_s:.1f} s, "
        f"memory {outcome.memory[0][1] / 1e6:.0f} MB at the beginning, "
        f"{max(size for _, size in outcome.memory) / 1e6:.0f} MB at most, "
        f"growing by {outcome.growth_per_s / 1e3:.1f} kB/s (at most {_MOST_GROWTH / 1e3:.0f})"
    )
    for number, verdict in enumerate(verdicts):
        for complaint in verdict.complaints:
            print(f"      stream {number}: {complaint}")
    return outcome.is_good and outcome.growth_per_s <= _MOST_GROWTH


_HEAD: Final = (
    f"{'seed':>5} {'stream':13}{'faults':>7}{'reconnects':>11}{'attempts':>9}{'replayed':>9}"
    f"{'gap':>6}{'lost':>6}{'repeated':>9}{'error':>8}{'stream':>8}{'wall':>7}{'CPU':>7}"
)


def _row(outcome: Outcome) -> str:
    verdict, task = outcome.verdict, outcome.task
    stream, faults = f"{task.kind} {task.container}", outcome.happened.total()
    row = (
        f"{task.seed:>5} {stream:13}{faults:>7}{verdict.reconnects:>11}"
        f"{verdict.attempts:>9}{verdict.replayed_s:>7.0f} s{verdict.longest_gap_s:>4.0f} s"
        f"{verdict.lost:>6}{verdict.repeated:>9}{verdict.largest_error_s * 1000:>5.1f} ms"
        f"{outcome.stream_s:>6.0f} s{outcome.wall_s:>5.1f} s{outcome.cpu_s:>5.1f} s"
    )
    return "\n".join((row, *(f"      {complaint}" for complaint in verdict.complaints)))


def _summary(outcomes: list[Outcome]) -> str:
    happened: Counter[Trouble] = Counter()
    for outcome in outcomes:
        happened += outcome.happened
    faults = ", ".join(f"{count} {kind}" for kind, count in happened.most_common())
    verdicts = [outcome.verdict for outcome in outcomes]
    return (
        f"\n{len(outcomes)} streams, {happened.total()} faults: {faults}\n"
        f"{sum(each.reconnects for each in verdicts)} reconnects, "
        f"{sum(each.replayed_s for each in verdicts):.0f} s replayed, "
        f"{sum(each.lost for each in verdicts)} words lost, "
        f"{sum(each.repeated for each in verdicts)} repeated, "
        f"largest error {max(each.largest_error_s for each in verdicts) * 1000:.1f} ms, "
        f"CPU {sum(outcome.cpu_s for outcome in outcomes):.0f} s"
    )


if __name__ == "__main__":
    main()
