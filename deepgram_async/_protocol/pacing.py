"""Limits of the kind "so many in a minute", kept on the side of the sender."""

from __future__ import annotations

from collections import deque

__all__ = ["Pacer"]


class Pacer:
    """Tells how long to wait so that no window of time holds more than the limit."""

    __slots__ = ("_entries", "_limit", "_used", "_window_s")

    def __init__(self, limit: int, window_s: float | None) -> None:
        """Prepare a pacer.

        Args:
            limit: The most that one window may hold.
            window_s: Length of the window; ``None`` for no limit.
        """
        self._limit = limit
        self._window_s = window_s
        self._entries: deque[tuple[float, int]] = deque()
        self._used = 0

    def note(self, amount: int, now: float) -> None:
        """Count an amount that goes out now."""
        if self._window_s is not None:
            self._entries.append((now + self._window_s, amount))
            self._used += amount

    def delay(self, amount: int, now: float) -> float:
        """Return the seconds until the amount may go out; one above the limit waits for all."""
        while self._entries and self._entries[0][0] <= now:
            self._used -= self._entries.popleft()[1]
        excess = self._used + amount - self._limit
        wait_until = now
        for ends_at, counted in self._entries:
            if excess <= 0:
                break
            excess -= counted
            wait_until = ends_at
        return wait_until - now
