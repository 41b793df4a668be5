"""Where on the clock of a stream the times of one connection are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final

__all__ = ["Shift", "rounded"]

# Sums of times are rounded to microseconds, so that 0.1 + 0.2 reads 0.3.
_PER_S: Final = 1e6
# A time of the service may miss the border of a chunk by so much.
_ROUNDING_S: Final = 0.0005
# Audio that was left out so long ago is nothing that the service still speaks of.
_MOST_JUMPS: Final = 1024


class Shift:
    """Moves times of a connection to the clock of the stream.

    The clock of a connection begins at 0, where the stream may be far already; and it stands still
    where audio of the stream is left out.
    """

    def __init__(self, offset_s: float = 0.0) -> None:
        """Begin a connection at a time of the stream."""
        self._offset_s = offset_s
        # What is left out, as times of the stream, in order and apart from each other.
        self._begins: list[float] = []
        self._ends: list[float] = []
        # The same as times of the connection at which its clock stands still.
        self._places: list[float] = []
        self._offsets: list[float] = []

    def __bool__(self) -> bool:
        """Return whether any time is moved."""
        return bool(self._offset_s or self._places)

    def leave_out(self, begin_s: float, end_s: float) -> None:
        """Let the clock of the connection stand still between two times of the stream."""
        first = bisect_left(self._ends, begin_s - _ROUNDING_S)
        last = bisect_right(self._begins, end_s + _ROUNDING_S)
        if first < last:
            begin_s = min(begin_s, self._begins[first])
            end_s = max(end_s, self._ends[last - 1])
        self._begins[first:last] = [begin_s]
        self._ends[first:last] = [end_s]
        if len(self._begins) > _MOST_JUMPS:
            self._offset_s += self._ends.pop(0) - self._begins.pop(0)
            first = 0
        del self._places[first:]
        del self._offsets[first:]
        offset_s = self._offsets[-1] if self._offsets else self._offset_s
        for begin, end in zip(self._begins[first:], self._ends[first:], strict=True):
            self._places.append(begin - offset_s)
            offset_s += end - begin
            self._offsets.append(offset_s)

    def begin(self, time_s: float) -> float:
        """Return the time of the stream at which something begins."""
        if not self._places:
            return rounded(time_s + self._offset_s)
        return self._moved(time_s, bisect_right(self._places, time_s + _ROUNDING_S))

    def end(self, time_s: float) -> float:
        """Return the time of the stream at which something ends: before what is left out there."""
        if not self._places:
            return rounded(time_s + self._offset_s)
        return self._moved(time_s, bisect_left(self._places, time_s - _ROUNDING_S))

    def span(self, begin_s: float, end_s: float) -> tuple[float, float]:
        """Return the times of the stream at which something begins and ends."""
        begin = self.begin(begin_s)
        return begin, max(begin, self.end(end_s))

    def _moved(self, time_s: float, jumps: int) -> float:
        return rounded(time_s + (self._offsets[jumps - 1] if jumps else self._offset_s))


def rounded(time_s: float) -> float:
    """Return a time, which is never negative, to the microsecond."""
    # A third of what `round` takes; it is done twice for every word.
    return int(time_s * _PER_S + 0.5) / _PER_S
