"""What the protocols of all five sockets have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Generic, TypeVar

from deepgram_async._protocol.reconnect import FINAL_CLOSES
from deepgram_async._protocol.sockets import Close, Fatal, MessageDecoder, State, lost, step
from deepgram_async.errors import ConnectionLostError

__all__ = ["SocketCore"]

E = TypeVar("E")

_REGULAR_CLOSES: Final = frozenset({1000, 1001, 1005})


class SocketCore(ABC, Generic[E]):
    """The protocol of one WebSocket, from open to closed, without I/O.

    Every method that sends returns the frame to write. Time comes in as an argument, in seconds
    of any clock that runs evenly.
    """

    PATH: ClassVar[str]
    """Path below the base URL."""
    OPERATION: ClassVar[str]
    """The socket as messages call it."""
    TRANSITIONS: ClassVar[Mapping[tuple[State, str], State]]
    """What may be sent in which state, and the state after it."""
    KEEP_ALIVE: ClassVar[str | None] = None
    """The frame for a pause, where the protocol has one."""
    CLOSING: ClassVar[str | None] = None
    """The frame that ``end`` returns, where the protocol has one."""

    audio_bytes_sent: int = 0
    """Bytes of the user's audio that the service has; always 0 where the client sends none."""
    bytes_per_s: float | None = None
    """How fast the bytes of that audio run, where that is always the same."""
    first_audio_at: float | None = None
    """When the first of it was written."""
    state: State
    close_error: ConnectionLostError | None
    """Why the stream ended, if nobody asked for it; set by ``receive_close``."""
    request_id: str | None

    def __init__(
        self,
        decoder: MessageDecoder[Any],
        *,
        now: float,
        keepalive_s: float | None = None,
        request_id: str | None = None,
    ) -> None:
        self.state = State.OPEN
        self.close_error = None
        self.request_id = request_id
        self._decoder = decoder
        self._keepalive_s = None if self.KEEP_ALIVE is None else keepalive_s
        self._last_sent_at = now
        self._all_was_said = False
        """Set when the service has sent what is always its last message."""
        self._fatal: Fatal | None = None
        """Set when the service has said why it is going to close."""

    # What each protocol answers for itself.

    @abstractmethod
    def end(self) -> str | None:
        """Return the frame that asks the service to finish and close.

        ``None`` says that the protocol has none: the client closes.

        Raises:
            InvalidStateError: It was sent before, or the stream has ended.
        """

    @staticmethod
    @abstractmethod
    def is_expendable(event: E) -> bool:
        """Return whether a later event supersedes this one."""

    @property
    def audio_sent_s(self) -> float | None:
        """Seconds of audio sent, or ``None`` where that is unknown or has no meaning."""
        return None

    # Public methods for another connection of the same stream.

    def follow(self, previous: SocketCore[E], sent_bytes: int) -> None:
        """Go on where the protocol of the connection before was.

        Args:
            previous: The protocol as the user of the stream sees it.
            sent_bytes: Bytes of audio that need not be said on this connection.
        """

    def said(self, frame: str | bytes) -> None:
        """Note that a frame, which the protocol of another connection made, goes out here."""
        if frame == self.CLOSING and self.state is State.OPEN:
            self.end()

    # Public methods for sending.

    def frame_sent(self, frame: str | bytes, now: float) -> None:
        """Note that a frame was written."""
        self._last_sent_at = now

    def audio_sent(self, size: int, now: float) -> None:
        """Note that so much more audio was written, the last of it now; not the first."""
        self._last_sent_at = now
        self.audio_bytes_sent += size

    # Public methods for time.

    @property
    def deadline(self) -> float | None:
        """When ``on_deadline`` wants to be called; ``None`` for never."""
        if self._keepalive_s is None or self.state is not State.OPEN:
            return None
        return self._last_sent_at + self._keepalive_s

    def on_deadline(self, now: float) -> str | None:
        """Return the KeepAlive that is due, or ``None`` if something was sent meanwhile."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return None
        return self.KEEP_ALIVE

    # Public methods for receiving.

    def receive(self, frame: str | bytes) -> E:
        """Return the event in a frame of the service; never raises."""
        event: Any = self._decoder.decode(frame)
        return event  # type: ignore[no-any-return]  # E is what the decoder was made for

    def receive_close(self, close: Close, *, is_all_sent: bool = True) -> None:
        """Settle how the stream ended: ``close_error`` is ``None`` if it was asked for.

        After the closing message a close with 1000, 1001 or without a code is the regular end. So
        is any close once the service had said everything. No close is after a fatal error.

        Args:
            close: Code and reason.
            is_all_sent: Whether the closing message left; if it did not, nobody was asked.
        """
        asked = (
            self.state is State.CLOSING
            and self._fatal is None
            and (self._all_was_said or (is_all_sent and close.code in _REGULAR_CLOSES))
        )
        if not asked and self.close_error is None and self.state is not State.CLOSED:
            self.close_error = lost(
                close,
                operation=self.OPERATION,
                request_id=self.request_id,
                audio_sent_s=self.audio_sent_s,
                retryable=close.code not in FINAL_CLOSES,
                fatal=self._fatal,
            )
        self.state = State.CLOSED

    # Helpers of the protocols.

    def _step(self, operation: str) -> None:
        self.state = step(self.TRANSITIONS, self.state, operation)
