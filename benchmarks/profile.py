"""Where the time of a chunk of audio and of a result goes, and whose it is.

``python -m benchmarks.profile`` runs this package against the server of the benchmarks below the
profiler of Python and prints two tables for each path: the share of each owner, and the functions
that take most. Calls into C are counted for whoever made them.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import deepgram_async
from benchmarks.contestants import contestant
from benchmarks.contestants.base import Contestant
from benchmarks.payloads import AUDIO
from benchmarks.serving import serving

_CHUNKS: Final = 5000
_SHOWN: Final = 12
_PACKAGE: Final = str(Path(deepgram_async.__file__).parent)
_OWNERS: Final = (
    (_PACKAGE, "deepgram_async"),
    ("/websockets/", "websockets"),
    ("/asyncio/", "asyncio"),
    ("/benchmarks/", "the benchmark"),
)
_SYSTEM_CALLS: Final = ("'send' of '_socket", "'recv' of '_socket", "'poll' of 'select")

Work = Callable[[Contestant], Awaitable[None]]
Function = tuple[str, int, str]
Numbers = tuple[int, int, float, float]
Entry = tuple[int, int, float, float, dict[Function, Numbers]]


def main() -> None:
    """Profile both paths and print where their time goes."""
    with serving() as peer:
        for title, path in (("a chunk", send_paced), ("a result", receive)):
            profile = cProfile.Profile(time.process_time)
            asyncio.run(measured(path, peer.url, profile))
            show(title, pstats.Stats(profile))


async def measured(path: Work, url: str, profile: cProfile.Profile) -> None:
    """Run a path once to warm up and once below the profiler."""
    async with contestant("ours", url) as client:
        await path(client)
        profile.enable()
        await path(client)
        profile.disable()


async def send_paced(client: Contestant) -> None:
    """Send chunks one at a time, as a microphone does: each is a write of its own."""
    async with client.live("count") as stream:
        for _ in range(_CHUNKS):
            await stream.send(AUDIO)
            await asyncio.sleep(0.0011)  # longer than what counts as a burst
        await stream.end()
        async for _ in stream.events():
            pass


async def receive(client: Contestant) -> None:
    """Send a chunk and take the result that comes for it."""
    async with client.live("echo") as stream:
        events = stream.events()
        for _ in range(_CHUNKS):
            await stream.send(AUDIO)
            await anext(events)
        await stream.end()
        async for _ in events:
            pass


def show(title: str, stats: pstats.Stats) -> None:
    """Print the own time of each owner and of the dearest functions, for one operation."""
    owners: dict[str, float] = defaultdict(float)
    functions: list[tuple[float, str]] = []
    total = 0.0
    entries: dict[Function, Entry] = vars(stats)["stats"]  # documented nowhere, used by everybody
    for (file, line, name), (_, calls, own, _, callers) in entries.items():
        owner = owner_of(file, name)
        if owner is None:  # C: whoever called it
            for (caller_file, _, caller_name), (_, _, own_of_call, _) in callers.items():
                owners[owner_of(caller_file, caller_name) or "Python"] += own_of_call
        else:
            owners[owner] += own
        total += own
        place = name if file == "~" else f"{Path(file).name}:{line} {name}"
        functions.append((own, f"{place} ({calls / _CHUNKS:.1f} calls)"))
    print(f"\n{title}, by owner:")
    for owner, own in sorted(owners.items(), key=lambda entry: -entry[1]):
        print(f"  {own / total:6.1%}  {owner}")
    print("  of it, by function:")
    for own, place in sorted(functions, reverse=True)[:_SHOWN]:
        print(f"  {own / total:6.1%}  {place}")


def owner_of(file: str, name: str) -> str | None:
    """Return whose a function is; ``None`` for a function in C that is nobody's."""
    if file == "~":
        if any(call in name for call in _SYSTEM_CALLS):
            return "the system"
        return "msgspec" if "msgspec" in name else None
    return next((owner for part, owner in _OWNERS if part in file), "Python")


if __name__ == "__main__":
    main()
