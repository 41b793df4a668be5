"""What the sockets share: states, decoding of text frames, and the meaning of a close."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Generic, TypeVar

import msgspec

from deepgram_async._protocol import hints
from deepgram_async._protocol.decoding import UNDECODABLE
from deepgram_async.errors import ConnectionLostError, InvalidStateError
from deepgram_async.models.events import Malformed, Unknown

__all__ = [
    "Close",
    "Fatal",
    "MessageDecoder",
    "SocketClosed",
    "State",
    "lost",
    "net_code_of",
    "step",
]

E = TypeVar("E")
S = TypeVar("S", bound=Enum)

_NET_CODE: Final = re.compile(r"\b(net|data)-?(\d{4})\b", re.IGNORECASE)


class State(Enum):
    """Where a socket stands; the value is how a message calls it."""

    OPEN = "open"
    CLOSING = "closing"
    """The closing message is sent; the service may still speak."""
    CLOSED = "closed"


class Close(msgspec.Struct, frozen=True):
    """How a WebSocket ended."""

    code: int
    """1005 without a code, 1006 without a closing handshake."""
    reason: str
    """What the service said, or what was noticed here."""


class Fatal(msgspec.Struct, frozen=True):
    """What the service said in a message before it closed a WebSocket by itself."""

    code: str | None
    description: str | None
    retryable: bool = True
    """Whether another connection would not meet the same error."""


class SocketClosed(Exception):  # noqa: N818 - an event between two layers, not an error for users
    """A WebSocket has ended.

    Attributes:
        close: Code and reason.
    """

    close: Close

    def __init__(self, close: Close) -> None:
        super().__init__(close.code)
        self.close = close


def step(transitions: Mapping[tuple[S, str], S], state: S, operation: str) -> S:
    """Return the state after an operation, by the table of its protocol.

    Raises:
        InvalidStateError: The table has no such step.
    """
    following = transitions.get((state, operation))
    if following is None:
        raise InvalidStateError(f"cannot {operation.replace('_', ' ')}: stream is {state.value}")
    return following


def net_code_of(reason: str) -> str | None:
    """Return Deepgram's code in a close reason, such as ``NET-0001``.

    On the wire the reason is a sentence with a link that ends in the code in lower case.
    """
    found = _NET_CODE.search(reason)
    return f"{found.group(1).upper()}-{found.group(2)}" if found else None


def lost(
    close: Close,
    *,
    operation: str,
    request_id: str | None,
    audio_sent_s: float | None,
    retryable: bool,
    fatal: Fatal | None = None,
) -> ConnectionLostError:
    """Return the error for a connection that ended although nobody asked for it."""
    net_code = net_code_of(close.reason)
    sent = "" if audio_sent_s is None else f" after {audio_sent_s:.2f} s of audio"
    said = [] if fatal is None else [fatal.code, fatal.description]
    reason = ": ".join(part for part in (*said, close.reason) if part)
    error = ConnectionLostError(
        f"the stream ended with close code {close.code}{sent}{': ' if reason else ''}{reason}",
        operation=operation,
        request_id=request_id,
        retryable=retryable and (fatal is None or fatal.retryable),
        hint=hints.for_close(close.code, net_code),
        close_code=close.code,
        close_reason=close.reason,
        net_code=net_code,
        audio_sent_s=audio_sent_s,
    )
    if fatal is not None:
        error.code = fatal.code
    return error


class _Peek(msgspec.Struct):
    type: str


class MessageDecoder(Generic[E]):
    """Decodes the text frames of one socket; what it does not know is an event too."""

    __slots__ = ("_known", "_message", "_peek")

    def __init__(self, messages: Any, known: frozenset[str]) -> None:
        """Prepare a decoder.

        Args:
            messages: Union of structs that are tagged with ``type``.
            known: The tags of that union.
        """
        self._message: msgspec.json.Decoder[E] = msgspec.json.Decoder(messages)
        self._peek = msgspec.json.Decoder(_Peek)
        self._known = known

    def decode(self, frame: str | bytes) -> E | Unknown | Malformed:
        """Return the event in a frame; never raises."""
        try:
            return self._message.decode(frame)
        except UNDECODABLE as error:
            return self._puzzle(frame, error)

    def _puzzle(self, frame: str | bytes, error: Exception) -> Unknown | Malformed:
        raw = frame.encode() if isinstance(frame, str) else bytes(frame)
        try:
            name = self._peek.decode(raw).type
        except UNDECODABLE:
            return Malformed(raw=raw, reason=str(error))
        if name in self._known:
            return Malformed(raw=raw, reason=str(error))
        return Unknown(type=name, raw=raw)
