"""What is measured of this process."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_PAGE: Final = 4096
_BEAT_S: Final = 0.001


async def cpu_of(size: int, operation: Callable[[], Awaitable[None]]) -> float:
    """Return the CPU seconds of one of many operations, one after the other."""
    began = time.process_time()
    for _ in range(size):
        await operation()
    return (time.process_time() - began) / size


def resident_bytes() -> int:
    """Return the resident memory of this process, without garbage."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def reset_peak() -> int:
    """Let the peak of resident memory begin anew, and return the memory of now (Linux)."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return _status_bytes("VmRSS")


def peak_bytes() -> int:
    """Return the peak of resident memory."""
    return _status_bytes("VmHWM")


def _status_bytes(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


class Heartbeat:
    """Notes how much longer than asked each short sleep takes while it is entered."""

    def __init__(self) -> None:
        self.longest_gap_s: float = 0.0

    async def __aenter__(self) -> Self:
        self._beating = asyncio.create_task(self._beat())
        await asyncio.sleep(_BEAT_S)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.sleep(_BEAT_S)  # the gap that has just ended counts, too
        self._beating.cancel()

    async def _beat(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_BEAT_S)
            gap = time.perf_counter() - began - _BEAT_S
            self.longest_gap_s = max(self.longest_gap_s, gap)
