"""What a stream sees of a WebSocket, whichever way it is carried."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from deepgram_async._protocol.sockets import Close

__all__ = ["Receiver", "WebSocket"]


class Receiver(Protocol):
    """Who takes what a WebSocket brings; the methods are called on the event loop."""

    def frame_received(self, frame: str | bytes) -> None:
        """Take a message."""

    def room_came(self) -> None:
        """Go on writing: ``is_writable`` was false and is true now."""

    def socket_ended(self, close: Close) -> None:
        """Take the end, once, after the last message."""


class WebSocket(ABC):
    """A connected WebSocket; frames go in and out, nothing is interpreted.

    Nothing here waits: what comes is handed to the receiver as it comes, and what is written goes
    to the network or into a buffer of bounded size. ``aclose`` alone waits, in a bound.
    """

    request_id: str | None
    """The id of the service for this connection."""
    is_writable: bool
    """Whether frames may be written: the peer takes them, and neither side is closing."""
    was_heard: bool
    """Set with everything that comes, to be cleared by whoever watches."""
    was_used: bool
    """Set with everything that is written, to be cleared by whoever watches."""

    @abstractmethod
    def attach(self, receiver: Receiver) -> None:
        """Hand over what has come so far, and all that follows."""

    @abstractmethod
    def write(self, frames: Sequence[str | bytes]) -> None:
        """Write frames in their order; only while ``is_writable``."""

    def write_audio(self, frame: bytes) -> None:
        """Write one frame of audio; only while ``is_writable``."""
        self.write((frame,))

    @abstractmethod
    def ping(self) -> None:
        """Ask the peer for a sign of life."""

    @abstractmethod
    def start_closing(self) -> None:
        """Say goodbye with code 1000; what was written before still goes out."""

    @abstractmethod
    async def aclose(self, timeout_s: float) -> None:
        """Close with code 1000, by force when the peer does not answer in time."""

    @abstractmethod
    def abort(self, reason: str) -> None:
        """Drop the connection at once, whatever waits to be written."""

    @property
    @abstractmethod
    def taken_bytes(self) -> int:
        """How many of the bytes that were written the network has taken."""

    @property
    @abstractmethod
    def waiting_bytes(self) -> int:
        """How many it has not."""
