"""What a stream has said and no final result has settled: the part to say again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from deepgram_async._protocol.audio_clocks import AudioClock
from deepgram_async._protocol.memory import CannotResume, Rewind

__all__ = ["Gap", "ReplayLog"]

_HINT: Final = "send raw audio, WAV or Ogg with Opus to have lost connections replaced"


class _Control(msgspec.Struct, gc=False):
    frame: str
    position: int
    """Where in the audio it was said."""
    needs_answer: bool
    is_sent: bool


class Gap:
    """Stands in the place of audio that is never sent; its length is that of the audio."""

    __slots__ = ("_size",)

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size


class ReplayLog:
    """The audio and the messages of a stream, from the end of the last final result on.

    What is added while the log is *level* counts as sent. After ``rewind`` the log is *behind*:
    ``next`` returns frame after frame, in the order in which they were added, until all is sent
    and the log is level again. Audio is let go when a result has covered it. When more is kept
    than the bounds allow, the oldest audio is dropped while the log is level. A log that is behind
    drops nothing: it is full, and who adds to it waits.

    Audio that was never sent may be left out on purpose: a gap takes its place, so all positions
    stay what they were. Each connection that comes to the gap passes over it.
    """

    is_behind: bool

    def __init__(
        self, clock: AudioClock, *, longest_s: float, most_bytes: int, least_bytes: int = 0
    ) -> None:
        """Prepare a log.

        Args:
            clock: Tells the time of the audio.
            longest_s: Seconds of audio to keep at most.
            most_bytes: Bytes of audio to keep at most.
            least_bytes: Bytes of audio to keep whatever the other bounds say.
        """
        self.is_behind = False
        self._longest_s = longest_s
        self._most_bytes = most_bytes
        self._least_bytes = least_bytes
        self._clock = clock
        self._learns = clock.bytes_per_s is None
        self._limit = self._bytes_allowed()
        self._chunks: deque[bytes | Gap] = deque()
        self._left_out = self._left_out_ahead = 0
        """Bytes of the gaps that are kept; and of those that are not passed, while behind."""
        self._begin = 0
        """Position of the first byte that is kept."""
        self._end = 0
        self._sent = 0
        """Position up to which the present connection has it, while the log is behind."""
        self._next = 0
        """Index of the first chunk that is not sent, while the log is behind."""
        self._preface = b""
        self._controls: list[_Control] = []
        self._covered_s = 0.0

    # Public methods for what the user says.

    def add_audio(self, chunk: bytes) -> None:
        """Keep a chunk."""
        if self._learns:
            self._learn(chunk)
        self._chunks.append(chunk)
        self._end = end = self._end + len(chunk)
        is_over = self._learns or end - self._begin - self._left_out > self._limit
        if is_over and not self.is_behind:
            self._drop_oldest()

    def add_control(self, frame: str, *, needs_answer: bool) -> None:
        """Keep a message that has its place in the audio.

        Args:
            frame: The message.
            needs_answer: Whether it is kept until ``answer``, and not only until the audio before
                it is covered.
        """
        self._controls.append(_Control(frame, self._end, needs_answer, not self.is_behind))

    # Public methods for what is never sent.

    def leave_out(self, chunk: bytes) -> tuple[float, float]:
        """Put a gap in the place of a chunk that was added while the log was level.

        Returns:
            When it begins and ends.
        """
        position = self._begin
        for index, kept in enumerate(self._chunks):
            if kept is chunk:
                self._blank(index)
                return self._times(position, position + len(chunk))
            position += len(kept)
        return self._times(self._begin - len(chunk), self._begin)  # it was let go before

    def leave_out_next(self) -> bytes | None:
        """Put a gap in the place of the next chunk of a log that is behind, and return the chunk.

        ``None`` says that there is no more.
        """
        for index in range(self._next, len(self._chunks)):
            chunk = self._chunks[index]
            if isinstance(chunk, bytes):
                self._left_out_ahead += len(chunk)
                self._blank(index)
                return chunk
        return None

    def add_gap(self, size: int) -> tuple[float, float]:
        """Add audio that there was and is not kept; return when it begins and ends."""
        self._chunks.append(Gap(size))
        self._left_out += size
        self._end += size
        if self.is_behind:
            self._left_out_ahead += size
        self._join(len(self._chunks) - 1)
        return self._times(self._end - size, self._end)

    # Public methods for what the service says.

    def cover(self, until_s: float) -> None:
        """Let go of the audio before a time of the stream; never of what was not sent."""
        reached = self._sent_position
        until_s = min(until_s, self._clock.time_at(reached))
        if self._clock.reason is None and until_s <= self._covered_s:
            return
        self._covered_s = max(self._covered_s, until_s)
        # Where time is not known, a result says no more than that the beginning was heard.
        position = reached if self._clock.reason else self._clock.position_of(self._covered_s)
        self._let_go_until(position)
        self._clock.forget(self._begin)
        if self._controls:
            self._controls = [
                control
                for control in self._controls
                if control.needs_answer or not control.is_sent or control.position > position
            ]

    def answer(self, is_answered: Callable[[str], bool]) -> str | None:
        """Let go of the first message that was sent and is answered, and return it."""
        for control in self._controls:
            if control.is_sent and is_answered(control.frame):
                self._controls.remove(control)
                return control.frame
        return None

    # Public methods for saying it again.

    def rewind(self) -> Rewind:
        """Go back to the end of what is covered, for a new connection.

        Raises:
            CannotResume: The format does not allow it.
        """
        clock = self._clock
        if clock.reason is not None and (self._begin or self._covered_s):
            raise CannotResume(clock.reason, _HINT)
        # What tells nothing about time yet is said again as a whole.
        start = 0 if clock.reason is not None else clock.position_of(self._covered_s)
        if start < self._begin:
            start = min(clock.start_from(self._begin), self._end)
        self._let_go_until(start)
        if self._begin < start:
            self._cut_first(start - self._begin)
        self._preface = clock.header if start else b""
        self._sent, self._next, self.is_behind = start, 0, True
        self._left_out_ahead = self._left_out
        for control in self._controls:
            control.is_sent = False
        began_s = clock.time_at(start)
        dropped_s = max(0.0, round(began_s - self._covered_s, 6))
        self._covered_s = max(self._covered_s, began_s)
        # What a decoder leaves out of the first page was put there for it.
        return Rewind(began_s + (clock.lead_s if began_s else 0.0), dropped_s)

    def next(self) -> str | bytes | Gap | None:
        """Return the next frame to send, or the gap that is passed; ``None`` when level."""
        if not self.is_behind:
            return None
        if self._preface:
            preface, self._preface = self._preface, b""
            return preface
        for control in self._controls:
            if not control.is_sent and control.position <= self._sent:
                control.is_sent = True
                return control.frame
        if self._next < len(self._chunks):
            chunk = self._chunks[self._next]
            self._next += 1
            self._sent += len(chunk)
            if isinstance(chunk, Gap):
                self._left_out_ahead -= len(chunk)
            return chunk
        self.is_behind = False
        return None

    # Public attributes.

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the present connection has not got yet."""
        if not self.is_behind:
            return 0
        controls = sum(len(control.frame) for control in self._controls if not control.is_sent)
        return self._unsent_audio + controls

    @property
    def has_controls(self) -> bool:
        """Whether there are messages that are neither answered nor settled by a result."""
        return bool(self._controls)

    @property
    def is_full(self) -> bool:
        """Whether as much is kept as may be, while the log is behind."""
        if not self.is_behind:
            return False
        return self.kept_bytes >= self._limit or (self._learns and self._kept_s >= self._longest_s)

    @property
    def sent_s(self) -> float:
        """Time of the stream up to which the present connection has it."""
        return self._clock.time_at(self._sent_position)

    @property
    def end_s(self) -> float:
        """Time of the stream up to which there is audio."""
        return self._clock.time_at(self._end)

    @property
    def unsent_s(self) -> float:
        """Seconds of audio that the present connection has not got yet."""
        return self.end_s - self.sent_s - self.seconds_of(self._left_out_ahead)

    def seconds_of(self, size: int) -> float:
        """Return the seconds of a number of bytes; 0 where they do not run evenly."""
        rate = self._clock.bytes_per_s
        return 0.0 if rate is None else size / rate

    @property
    def sent_bytes(self) -> int:
        """Bytes of the stream that the present connection has, or that were settled before it."""
        return self._sent_position

    @property
    def kept_bytes(self) -> int:
        """Bytes of audio that are kept."""
        return self._end - self._begin - self._left_out

    @property
    def _unsent_audio(self) -> int:
        return self._end - self._sent - self._left_out_ahead

    @property
    def _sent_position(self) -> int:
        return self._sent if self.is_behind else self._end

    def _learn(self, chunk: bytes) -> None:
        self._clock = self._clock.learn(chunk)
        self._learns = self._clock.bytes_per_s is None
        self._limit = self._bytes_allowed()

    def _bytes_allowed(self) -> int:
        rate = self._clock.bytes_per_s
        if rate is None:
            return max(self._most_bytes, self._least_bytes)
        return max(self._least_bytes, min(self._most_bytes, int(self._longest_s * rate)))

    def _is_over(self) -> bool:
        # Only raw audio has its seconds in the limit.
        return self.kept_bytes > self._limit or (self._learns and self._kept_s > self._longest_s)

    @property
    def _kept_s(self) -> float:
        return self.end_s - self._clock.time_at(self._begin)

    def _drop_oldest(self) -> None:
        """Drop what the bounds ask for; the youngest chunk always stays."""
        while len(self._chunks) > 1 and self._is_over():
            self._let_go()

    def _let_go_until(self, position: int) -> None:
        chunks, begin = self._chunks, self._begin
        while chunks and (end := begin + len(chunks[0])) <= position:
            if type(chunks.popleft()) is Gap:
                self._left_out -= end - begin
            if self._next:
                self._next -= 1
            begin = end
        self._begin = begin

    def _let_go(self) -> None:
        chunk = self._chunks.popleft()
        self._begin += len(chunk)
        if isinstance(chunk, Gap):
            self._left_out -= len(chunk)
        if self._next:
            self._next -= 1

    def _cut_first(self, size: int) -> None:
        first = self._chunks[0]
        if isinstance(first, Gap):
            self._chunks[0] = Gap(len(first) - size)
            self._left_out -= size
        else:
            self._chunks[0] = first[size:]
        self._begin += size

    # Gaps.

    def _times(self, begin: int, end: int) -> tuple[float, float]:
        return self._clock.time_at(begin), self._clock.time_at(end)

    def _blank(self, index: int) -> None:
        size = len(self._chunks[index])
        self._chunks[index] = Gap(size)
        self._left_out += size
        self._join(index)

    def _join(self, index: int) -> None:
        """Make one of a gap and the one before it, unless that one is passed already."""
        first = self._next if self.is_behind else 0
        if index > first and isinstance(self._chunks[index - 1], Gap):
            joined = Gap(len(self._chunks[index - 1]) + len(self._chunks[index]))
            del self._chunks[index]
            self._chunks[index - 1] = joined
