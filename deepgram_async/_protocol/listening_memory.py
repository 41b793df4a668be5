"""What a stream that listens remembers: the audio that no final result has covered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Generic, TypeVar

from deepgram_async._protocol.audio_clocks import clock_for
from deepgram_async._protocol.listening import CLOSE_STREAM
from deepgram_async._protocol.memory import Memory, Rewind
from deepgram_async._protocol.reconnect import ReconnectPolicy
from deepgram_async._protocol.replay import Gap, ReplayLog
from deepgram_async._protocol.timelines import CONFIGURE, Timeline

__all__ = ["ListeningMemory"]

_KEEP_ALIVE: Final = '{"type":"KeepAlive"}'

E = TypeVar("E")


class ListeningMemory(Memory[E], Generic[E]):
    """The log of what was said and the timeline of what was heard, which settle each other."""

    def __init__(
        self,
        options: Mapping[str, object],
        timeline: Timeline[E],
        policy: ReconnectPolicy,
        *,
        least_bytes: int = 0,
    ) -> None:
        """Prepare a memory.

        Args:
            options: The options of the stream.
            timeline: Puts the messages of all connections on one clock.
            policy: How much is kept, and how fast it is said again.
            least_bytes: Bytes of audio to keep whatever the policy says.
        """
        self._options = dict(options)
        self._timeline = timeline
        self._speed = policy.replay_speed
        self._log = ReplayLog(
            clock_for(options),
            longest_s=policy.replay_s,
            most_bytes=policy.replay_bytes,
            least_bytes=least_bytes,
        )
        self._left_out_s = 0.0
        self._covered_s = 0.0
        self._offset_s = 0.0
        self._dropped_s = 0.0
        self._began = self._began_s = 0.0
        """When the present connection began, on both clocks."""

    def add(self, frame: str | bytes, now: float) -> None:
        """Remember a frame; a KeepAlive means nothing to another connection."""
        if isinstance(frame, bytes):
            self._log.add_audio(frame)
        elif frame != _KEEP_ALIVE:
            is_lasting = frame == CLOSE_STREAM or frame.startswith(CONFIGURE)
            self._log.add_control(frame, needs_answer=is_lasting)

    @property
    def remember_audio(self) -> Callable[[bytes], None]:
        """What does as ``add`` for audio while level, by a shorter way."""
        return self._log.add_audio

    def leave_out(self, chunk: bytes) -> None:
        """Take that a chunk which was added while level is not sent; time runs on over it."""
        self._pass_over(*self._log.leave_out(chunk))

    def leave_out_next(self) -> bytes | None:
        """Leave out the oldest audio while behind, and return it; ``None`` if there is none."""
        return self._log.leave_out_next()

    def skip(self, size: int) -> None:
        """Take that there was audio of this size that is neither kept nor sent."""
        times = self._log.add_gap(size)
        if not self._log.is_behind:
            self._pass_over(*times)

    def place(self, event: E) -> E | None:
        """Return an event on the clock of the stream, without what is settled."""
        timeline, log = self._timeline, self._log
        placed = timeline.place(event)
        if log.has_controls:
            answered = log.answer(partial(timeline.answers, event))
            if answered is not None:
                self._options |= timeline.options_of(event, answered)
        if timeline.covered_s > self._covered_s:
            self._covered_s = timeline.covered_s
            log.cover(self._covered_s)
        return placed

    def is_progress(self, event: E) -> bool:
        """Return whether the service has heard audio."""
        return self._timeline.is_progress(event)

    def rewind(self) -> Rewind:
        """Go back to the end of what is covered.

        Raises:
            CannotResume: The format does not allow it.
        """
        rewind = self._log.rewind()
        self._offset_s, self._dropped_s = rewind.offset_s, rewind.dropped_s
        self.is_behind = True
        return rewind

    def restart(self, now: float) -> None:
        """Begin a new connection, whose clock starts at the place of the last ``rewind``."""
        self._timeline.restart(self._offset_s)
        self._began, self._began_s = now, self._log.sent_s
        self._left_out_s = 0.0

    def wait_s(self, now: float) -> float:
        """Return the seconds to wait, so that audio is not sent much faster than it was spoken."""
        if self._speed is None:
            return 0.0
        ahead_s = (self._log.sent_s - self._began_s) / self._speed - (now - self._began)
        return max(0.0, ahead_s)

    def next(self, now: float) -> str | bytes | None:
        """Return the next frame; ``None`` when the memory is level."""
        log = self._log
        while isinstance(frame := log.next(), Gap):
            end_s = log.sent_s
            length_s = log.seconds_of(len(frame))
            self._pass_over(end_s - length_s, end_s)
            self._began_s += length_s  # it takes no time to say
        self.is_behind = log.is_behind
        return frame

    def change(self, options: Mapping[str, object]) -> None:
        """Take options that the user has changed for the next connection."""
        self._options |= options

    @property
    def options(self) -> Mapping[str, object]:
        """The options of the stream, with all changes that the service has confirmed."""
        return self._options

    @property
    def dropped_s(self) -> float:
        """Seconds of audio that no final result covers and nobody will hear."""
        return self._dropped_s

    @property
    def sent_bytes(self) -> int:
        """Bytes of audio that the present connection has, or that were settled before it."""
        return self._log.sent_bytes

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the present connection has not got yet."""
        return self._log.unsent_bytes

    @property
    def unsent_s(self) -> float:
        """Seconds of audio that it has not got yet; 0 where the format does not tell."""
        return self._log.unsent_s

    @property
    def left_out_s(self) -> float:
        """Seconds of audio that were left out on the present connection."""
        return self._left_out_s

    @property
    def is_full(self) -> bool:
        """Whether as much waits to be sent as may be kept."""
        return self._log.is_full

    @property
    def is_quiet(self) -> bool:
        """Whether a final result covers all audio, and every message is answered."""
        return not self._log.kept_bytes and not self._log.has_controls

    def _pass_over(self, begin_s: float, end_s: float) -> None:
        self._timeline.leave_out(begin_s, end_s)
        self._left_out_s += end_s - begin_s
