"""Speech on its way to one consumer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from deepgram_async._stream.buffers import EventBuffer
from deepgram_async.errors import SlowConsumerError

__all__ = ["Mark", "SpeechBuffer"]

E = TypeVar("E")

# A message counts like this much audio, so that one bound holds for both.
_MESSAGE_BYTES: Final = 1024


class Mark:
    """Something that travels with the events and has no size."""

    __slots__ = ()


class SpeechBuffer(EventBuffer[E]):
    """Audio and messages, bounded in bytes: the service speaks faster than anybody listens.

    While it is muted it takes messages and drops audio.
    """

    is_muted: bool
    waiting_bytes: int
    """Bytes of all that waits."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes, _never)
        self.is_muted = False
        self.waiting_bytes = 0
        self._limit_bytes = limit_bytes

    def put(self, event: E) -> None:
        """Add an event.

        Raises:
            SlowConsumerError: The buffer is full.
        """
        if isinstance(event, bytes):
            if self.is_muted:
                self.dropped += 1
                return
            waiting = self.waiting_bytes + len(event)
        else:
            waiting = self.waiting_bytes + _size(event)
        self.waiting_bytes = waiting
        if waiting > self._limit_bytes:
            raise SlowConsumerError(
                f"{self.waiting_bytes} bytes of speech wait and none was taken",
                hint="take audio faster, or raise audio_buffer_bytes in StreamSettings",
            )
        self._events.append(event)
        if self._waiter is not None:
            self._wake()

    def take_now(self) -> E | None:
        """Return the next event if one waits."""
        event = super().take_now()
        if event is not None:
            self.waiting_bytes -= _size(event)
        return event

    def take_audio(self) -> bytes | None:
        """Return the next event if it is audio, and leave any other."""
        events = self._events
        if events and isinstance(event := events[0], bytes):
            events.popleft()
            self.waiting_bytes -= len(event)
            return event
        return None

    async def get(self) -> E:
        """Return the next event; cancelling loses none."""
        event = await super().get()
        self.waiting_bytes -= _size(event)
        return event

    def discard(self, is_unwanted: Callable[[E], bool]) -> int:
        """Take back events that wait and nobody wants any more; return how many."""
        discarded = super().discard(is_unwanted)
        self.waiting_bytes = sum(_size(event) for event in self._events)
        return discarded


def _size(event: object) -> int:
    if isinstance(event, bytes):
        return len(event)
    return 0 if isinstance(event, Mark) else _MESSAGE_BYTES


def _never(event: object) -> bool:
    return False
