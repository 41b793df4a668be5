"""What a stream remembers, so that another connection can go on where one was lost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec

__all__ = ["CannotResume", "Memory", "Rewind"]

E = TypeVar("E")


class CannotResume(Exception):  # noqa: N818 - an answer between two layers, not an error for users
    """The stream cannot be continued on another connection; the text tells why.

    Attributes:
        hint: What would make it possible.
    """

    hint: str | None

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.hint = hint


class Rewind(msgspec.Struct, frozen=True):
    """Where a new connection begins.

    Attributes:
        offset_s: Time of the stream at which the clock of the connection begins.
        dropped_s: Audio before it that was not heard and is kept no more.
    """

    offset_s: float
    dropped_s: float


class Memory(ABC, Generic[E]):
    """What was said on a stream and not settled yet, and how events are told on one clock.

    It is *level* while the present connection has all that was said: what is added then counts as
    sent, because it is written at once. After ``rewind`` it is *behind*: ``next`` returns frame
    after frame, in the order in which they were added, until the new connection has all of it.
    Time comes in as an argument, in seconds of any clock that runs evenly.
    """

    is_behind: bool = False
    """Whether the present connection has not been told all that was said."""
    wants_handover: bool = False
    """Whether the service has said that it will end the present connection soon."""
    is_over: bool = False
    """Whether the service has said something that makes the present connection useless."""

    # What the user says.

    @abstractmethod
    def add(self, frame: str | bytes, now: float) -> None:
        """Remember a frame; while level it goes out now, while behind in its turn.

        A frame that must not go out yet, or not as it is, leaves the memory behind: ``is_behind``
        tells after the call which of the two it is.
        """

    @property
    def remember_audio(self) -> Callable[[bytes], None] | None:
        """What does as ``add`` for audio while level, by a shorter way; ``None`` if nothing."""
        return None

    # What is never sent, because more was said than the network takes.

    def leave_out(self, chunk: bytes) -> None:
        """Take that a chunk which was added while level is not sent; time runs on over it."""

    def leave_out_next(self) -> bytes | None:
        """Leave out the oldest audio while behind, and return it; ``None`` if there is none."""
        return None

    def skip(self, size: int) -> None:
        """Take that there was audio of this size that is neither kept nor sent."""

    # What the service says.

    @abstractmethod
    def place(self, event: E) -> E | None:
        """Return an event as it is for the user, or ``None`` if the user knows all of it.

        What the event settles is let go.
        """

    @abstractmethod
    def is_progress(self, event: E) -> bool:
        """Return whether the connection was worth it, so that attempts are counted anew."""

    # From one connection to the next.

    @abstractmethod
    def rewind(self) -> Rewind:
        """Go back to what is settled: the connection is lost. From here on it is behind.

        Raises:
            CannotResume: It cannot be said again.
        """

    @abstractmethod
    def restart(self, now: float) -> None:
        """Begin a new connection, at the place of the last ``rewind``: events are of it now."""

    @abstractmethod
    def wait_s(self, now: float) -> float:
        """Return the seconds to wait before ``next``; 0 for none."""

    @abstractmethod
    def next(self, now: float) -> str | bytes | None:
        """Return the next frame, which goes out now.

        ``None`` says that there is nothing to send: the memory is level, or, if it is still
        behind, it waits for an event.
        """

    # Public attributes.

    @property
    @abstractmethod
    def options(self) -> Mapping[str, object]:
        """The options that the next connection is to be opened with."""

    @abstractmethod
    def change(self, options: Mapping[str, object]) -> None:
        """Take options that the user has changed for the next connection."""

    @property
    @abstractmethod
    def unsent_bytes(self) -> int:
        """Bytes that the present connection has not got yet."""

    @property
    @abstractmethod
    def unsent_s(self) -> float:
        """Seconds of audio that it has not got yet; 0 where there are no such seconds."""

    @property
    @abstractmethod
    def is_full(self) -> bool:
        """Whether as much waits to be sent as may be kept."""

    @property
    @abstractmethod
    def is_quiet(self) -> bool:
        """Whether the service owes nothing: a good moment to change the connection."""

    @property
    def dropped_s(self) -> float:
        """Seconds of audio that nobody will hear, since the last ``rewind``; may grow."""
        return 0.0

    @property
    def sent_bytes(self) -> int:
        """Bytes of audio that the present connection has, or that were settled before it."""
        return 0

    @property
    def left_out_s(self) -> float:
        """Seconds of audio that were left out on the present connection."""
        return 0.0
