"""Memory and event-loop gaps of a large upload, beside the same upload by plain aiohttp.

Each upload runs in a fresh process against a server in another one; the kinds take turns, so that
a busy machine treats them alike. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from deepgram_async import DeepgramSession

MEGABYTE: Final = 1 << 20
LARGEST_MB: Final = 20.0
LONGEST_GAP_MS: Final = 50.0
KINDS: Final = ("path", "iterator", "aiohttp")
ANSWER: Final[dict[str, Any]] = {
    "metadata": {"request_id": "r", "sha256": "", "created": "", "duration": 1, "channels": 1},
    "results": {"channels": []},
}


def main() -> None:
    """Measure, print a table, and with ``--check`` fail above the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", action="store_true", help="fail above the limits")
    parser.add_argument("--role", choices=["server", *KINDS], help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role == "server":
        asyncio.run(serve())
    elif arguments.role is not None:
        print(json.dumps(asyncio.run(measure(arguments.role, arguments.url, arguments.file))))
    else:
        compare(arguments.megabytes, arguments.rounds, check=arguments.check)


# The parent: starts the processes and sums up.


def compare(megabytes: int, rounds: int, *, check: bool) -> None:
    """Upload with every kind in turn, and print the figures."""
    figures: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    load = Path("/proc/loadavg").read_text().split()[0]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "audio.wav")
        with file.open("wb") as target:
            for _ in range(megabytes):
                target.write(bytes(MEGABYTE))
        with subprocess.Popen(command("server"), stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            try:
                for _ in range(rounds):
                    for kind in KINDS:
                        figures[kind].append(run_client(kind, url, file))
            finally:
                server.terminate()
    print(f"{megabytes} MB, {rounds} rounds, load average {load} at the start")
    print(f"{'':10}{'extra memory':>22}{'loop gap':>22}{'time':>12}")
    print(f"{'':10}{'median':>11}{'worst':>11}{'median':>11}{'worst':>11}{'median':>12}")
    for kind in KINDS:
        memory, gap, seconds = (
            [figure[name] for figure in figures[kind]] for name in ("extra_mb", "gap_ms", "seconds")
        )
        print(
            f"{kind:10}{statistics.median(memory):8.1f} MB{max(memory):8.1f} MB"
            f"{statistics.median(gap):8.1f} ms{max(gap):8.1f} ms"
            f"{statistics.median(seconds):10.2f} s"
        )
    if check:
        check_limits({kind: figures[kind] for kind in KINDS if kind != "aiohttp"})


def check_limits(figures: dict[str, list[dict[str, float]]]) -> None:
    """Exit with an error if a figure of this package is above its limit."""
    for kind, rounds in figures.items():
        memory = max(figure["extra_mb"] for figure in rounds)
        # One long gap may be the machine's; a gap in every other round is ours.
        gap = statistics.median(figure["gap_ms"] for figure in rounds)
        if memory >= LARGEST_MB or gap >= LONGEST_GAP_MS:
            limits = f"limits: {LARGEST_MB} MB and {LONGEST_GAP_MS} ms"
            sys.exit(f"{kind}: {memory:.1f} MB and {gap:.1f} ms ({limits})")


def command(role: str, *more: str) -> list[str]:
    """Return the command line of a process of this benchmark."""
    return [sys.executable, "-m", "benchmarks.upload_memory", "--role", role, *more]


def run_client(kind: str, url: str, file: Path) -> dict[str, float]:
    """Return what one upload in a fresh process measured."""
    arguments = command(kind, "--url", url, "--file", str(file))
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


# The server.


async def serve() -> None:
    """Take uploads and throw them away; print the URL first."""

    async def take(request: web.Request) -> web.Response:
        async for _ in request.content.iter_any():
            pass
        return web.json_response(ANSWER)

    application = web.Application()
    application.router.add_post("/v1/listen", take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


# The client.


async def measure(kind: str, url: str, file: Path) -> dict[str, float]:
    """Return peak memory beyond that before the upload, the longest gap of the loop, and time."""
    async with DeepgramSession(base_url=url) as dg, aiohttp.ClientSession() as plain:

        async def by_path() -> None:
            await dg.listen.transcribe(file)

        async def by_iterator() -> None:
            await dg.listen.transcribe(blocks(file))

        async def by_aiohttp() -> None:
            with file.open("rb") as opened:
                async with plain.post(f"{url}/v1/listen", data=opened) as response:
                    await response.read()

        uploads: dict[str, Callable[[], Awaitable[None]]] = {
            "path": by_path,
            "iterator": by_iterator,
            "aiohttp": by_aiohttp,
        }
        # Imports, threads and connections are not the upload's.
        await dg.listen.transcribe(b"warm up")
        async with plain.post(f"{url}/v1/listen", data=b"warm up") as response:
            await response.read()
        before_kb = reset_peak()
        gaps: list[float] = []
        heartbeat = asyncio.create_task(beat(gaps))
        began = time.perf_counter()
        await uploads[kind]()
        seconds = time.perf_counter() - began
        await asyncio.sleep(0)
        heartbeat.cancel()
    return {
        "extra_mb": (memory_kb("VmHWM") - before_kb) / 1024,
        "gap_ms": max(gaps) * 1000,
        "seconds": seconds,
    }


async def blocks(file: Path) -> AsyncIterator[bytes]:
    """Yield a file as a caller's own code would, from a thread."""
    with await asyncio.to_thread(file.open, "rb") as opened:
        while block := await asyncio.to_thread(opened.read, 65536):
            yield block


async def beat(gaps: list[float]) -> None:
    """Note how much longer than asked each short sleep takes."""
    pause = 0.002
    while True:
        began = time.perf_counter()
        await asyncio.sleep(pause)
        gaps.append(time.perf_counter() - began - pause)


def reset_peak() -> int:
    """Let the peak of resident memory begin anew; return the memory of now in kB (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory_kb("VmRSS")


def memory_kb(name: str) -> int:
    """Return a line of the kernel's account of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)


if __name__ == "__main__":
    main()
