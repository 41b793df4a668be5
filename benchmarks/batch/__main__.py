"""Does a batch keep its promises, with thousands of items?

``python -m benchmarks.batch``, or ``make bench-batch``. Four drills against a service in a process
of its own that takes 50 requests at a time, and 200 ms for each unless it is told another time: ten
thousand items of which a twentieth fails, the memory of ten times as many, ten kills at random
moments, and three processes under one limit. The command ends with an error if a promise is broken.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.batch.service import FAULTS, PASSING
from deepgram_async.batch import journal_entries, journal_status

_LIMIT: Final = 50
_FAULTY: Final = 0.05
_PATIENCE_S: Final = 600.0
_DRILLS: Final = ("many", "memory", "kills", "three")


class Verdict(NamedTuple):
    """What a drill has seen, and whether the promise was kept."""

    promise: str
    seen: str
    is_kept: bool


def main() -> None:
    """Run the drills, print a table, and check."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    parser.add_argument("--items", type=int, default=10_000, help="of the large batch")
    parser.add_argument("--kills", type=int, default=10, help="moments at which a batch is killed")
    parser.add_argument("--takes-s", type=float, default=0.2, help="time of a request")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=_DRILLS, default=_DRILLS)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="batch-") as place:
        drills = {
            "many": many(Path(place), arguments.items, arguments.takes_s),
            "memory": memory(Path(place), arguments.items, arguments.takes_s),
            "kills": kills(Path(place), arguments.items // 5, arguments.takes_s, arguments.kills),
            "three": three_processes(Path(place), arguments.items // 3, arguments.takes_s),
        }
        for found in chain.from_iterable(drills[name] for name in arguments.only):
            verdicts.append(found)
            mark = "kept" if found.is_kept else "BROKEN"
            print(f"{mark:7} {found.promise}: {found.seen}", flush=True)
    sys.exit(0 if all(verdict.is_kept for verdict in verdicts) else 1)


# The drills.


def many(place: Path, count: int, takes_s: float) -> Generator[Verdict]:
    """Run a large batch of which a twentieth fails."""
    with serving(takes_s, _FAULTY) as url:
        took = finished(started(url, place / "many", 0, count))
        counted = report(url)
    status = journal_status(place / "many" / "journal")
    fault_every = round(1 / _FAULTY)
    lasting = sum(
        FAULTS[number // fault_every % len(FAULTS)] not in PASSING
        for number in range(0, count, fault_every)
    )
    yield Verdict(
        "every item is once in the journal",
        f"{status.done} done and {status.failed} failed of {count}",
        (status.done, status.failed, status.unfinished) == (count - lasting, lasting, 0),
    )
    yield Verdict(
        f"never more than {_LIMIT} are in flight", f"{counted['most']}", counted["most"] <= _LIMIT
    )
    refused = counted["refused"] / took["requests"]
    yield Verdict("under 0.5 % are refused", f"{refused:.2%}", refused < 0.005)
    ideal_s = counted["busy_s"] / _LIMIT
    share = ideal_s / took["seconds"]
    yield Verdict(
        "at least 90 % of what the limit permits",
        f"{share:.1%}, {count / took['seconds']:.0f} files/s, "
        f"{took['cpu_s'] / count * 1e6:.0f} us of CPU a file",
        share >= 0.9,
    )


def memory(place: Path, count: int, takes_s: float) -> Generator[Verdict]:
    """Compare the peaks of a batch and of one a tenth of its size."""
    with serving(takes_s, 0.0) as url:
        small = finished(started(url, place / "small", 0, count // 10))
        large = finished(started(url, place / "large", 0, count))
    ratio = large["peak_bytes"] / small["peak_bytes"]
    yield Verdict(
        f"{count} items take at most 1.1 times the memory of {count // 10}",
        f"{large['peak_bytes'] / 1e6:.1f} MB and {small['peak_bytes'] / 1e6:.1f} MB, {ratio:.3f}",
        ratio <= 1.1,
    )


def kills(place: Path, count: int, takes_s: float, times: int) -> Generator[Verdict]:
    """Kill a batch at random moments, each time a fresh one, and let it go on."""
    lost, again_most, in_flight_most, late = 0, 0, 0, 0
    longest_s = count * takes_s / _LIMIT
    with serving(takes_s, 0.0) as url:
        for kill in range(times):
            directory = place / f"kill-{kill}"
            report(url, forget=True)
            process = started(url, directory, 0, count)
            until_first_answer(url)
            time.sleep(random.uniform(0.0, 0.95) * longest_s)
            process.kill()
            process.communicate()
            counted = report(url)
            done = {
                int(entry.name[-6:]) for entry in journal_entries(directory / "journal", "done")
            }
            unsettled = {number for number, _ in counted["received"]} - done
            took = finished(started(url, directory, 0, count))
            counted = report(url)
            again = {number for number, received in counted["received"] if received > 1}
            late += len(again - unsettled)
            again_most = max(again_most, len(again))
            in_flight_most = max(in_flight_most, len(unsettled))
            files = {int(path.stem) for path in (directory / "out").rglob("*.json")}
            lost += len(set(range(count)) - files) + (took["done"] + took["done_before"] != count)
    yield Verdict("no result is lost to a kill", f"{lost} in {times} kills", lost == 0)
    yield Verdict(
        "what is sent again was in flight",
        f"at most {again_most} items of {count}, of {in_flight_most} that were sent and not noted",
        late == 0 and again_most <= 2 * _LIMIT,
    )


def three_processes(place: Path, count: int, takes_s: float) -> Generator[Verdict]:
    """Let three processes find their shares of one limit."""
    with serving(takes_s, 0.0) as url:
        began = time.monotonic()
        processes = [started(url, place / f"of-3-{n}", n * count, count) for n in range(3)]
        took = [finished(process) for process in processes]
        seconds = time.monotonic() - began
        counted = report(url)
    refused = counted["refused"] / sum(one["requests"] for one in took)
    share = counted["busy_s"] / _LIMIT / seconds
    yield Verdict(
        "three processes under one limit: under 1 % are refused",
        f"{refused:.2%}, at {share:.1%} of what the limit permits, start and end included",
        refused < 0.01 and counted["most"] <= _LIMIT,
    )


# Processes.


@contextmanager
def serving(takes_s: float, faulty: float) -> Generator[str]:
    """Start a service and yield its address."""
    command = [sys.executable, "-m", "benchmarks.batch.service"]
    command += [str(_LIMIT), str(takes_s), str(faulty)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            yield f"http://127.0.0.1:{int(service.stdout.readline())}"
        finally:
            service.kill()


def started(url: str, directory: Path, first: int, count: int) -> subprocess.Popen[str]:
    """Start a batch."""
    command = [sys.executable, "-m", "benchmarks.batch.job", url, str(directory)]
    command += [str(first), str(count), str(_LIMIT)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> dict[str, float]:
    """Wait for a batch and return what it took."""
    out, _ = process.communicate(timeout=_PATIENCE_S)
    assert process.returncode == 0, f"the batch ended with {process.returncode}"
    took: dict[str, float] = json.loads(out)
    return took


def report(url: str, *, forget: bool = False) -> dict[str, Any]:
    """Return what the service has counted."""
    request = urllib.request.Request(f"{url}/report", method="POST" if forget else "GET")
    with urllib.request.urlopen(request) as answer:
        counted: dict[str, Any] = json.load(answer)
    return counted


def until_first_answer(url: str) -> None:
    """Wait until a batch has begun."""
    until = time.monotonic() + _PATIENCE_S
    while not report(url)["answered"]:
        assert time.monotonic() < until, "nothing is answered"
        time.sleep(0.01)


if __name__ == "__main__":
    main()
