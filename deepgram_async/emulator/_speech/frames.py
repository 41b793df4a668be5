"""Spoken pieces on their way to a client: cut into frames, and not faster than wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Pace", "cut"]

_FRAME_S: Final = 0.1


def cut(audio: bytes, bytes_per_second: int) -> Iterator[bytes]:
    """Yield raw audio in frames of a tenth of a second, whole samples each."""
    size = max(int(bytes_per_second * _FRAME_S) // 2 * 2, 2)
    for at in range(0, len(audio), size):
        yield audio[at : at + size]


class Pace:
    """Holds speech back that would run too far ahead of being played.

    Args:
        lead_s: How far it may; None for any.
    """

    def __init__(self, lead_s: float | None) -> None:
        self._lead_s = lead_s
        self._clock = asyncio.get_running_loop().time
        self._played_until = self._clock()

    def add(self, seconds: float) -> None:
        """Note that so much was sent, which a client plays behind what it has."""
        self._played_until = max(self._played_until, self._clock()) + seconds

    async def wait(self) -> None:
        """Wait until more may be sent, and in any case for a turn of the loop."""
        ahead_s = self._played_until - self._clock()
        await asyncio.sleep(0 if self._lead_s is None else max(ahead_s - self._lead_s, 0.0))

    def stop(self) -> None:
        """Note that the client has dropped what it had."""
        self._played_until = self._clock()
