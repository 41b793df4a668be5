"""Connections of the websockets package, with short cuts for the most common frames."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from struct import Struct
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConcurrencyError
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State
from websockets.version import version

try:
    from websockets.speedups import apply_mask
except ImportError:  # the package was built without its C part
    from websockets.utils import apply_mask

__all__ = ["FastConnection", "PlainConnection", "connection_class"]

# The short cuts rely on what happens in ``data_received`` and ``process_event`` of these versions;
# the tests compare both ways in each. Any other version goes the plain way.
TESTED_VERSIONS: Final = ("15.", "16.", "17.")

_END_OF_HEAD: Final = b"\r\n\r\n"
_WHOLE_TEXT: Final = 0x81
_WHOLE_BINARY: Final = 0x82
_WHOLE: Final = frozenset((_WHOLE_TEXT, _WHOLE_BINARY))
_CONTINUATION: Final = 0x00
_FIRST_CONTROL: Final = 0x08
# First bytes of frames that can be valid: fragments, whole messages, Close, Ping and Pong.
_KNOWN: Final = frozenset((0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8A))
_FIN: Final = 0x80
_OPCODE: Final = 0x0F
_MASKED: Final = 0x80
_TWO_BYTES_OF_LENGTH: Final = 126
_EIGHT_BYTES_OF_LENGTH: Final = 127

_LONGEST_MEDIUM: Final = 0xFFFF
_SHORT_HEADER: Final = Struct("!BB4s")
_MEDIUM_HEADER: Final = Struct("!BBH4s")
_LONG_HEADER: Final = Struct("!BBQ4s")

# Keys of masks are drawn for so many frames at a time: each draw is a call of the system.
_KEYS: Final = 128
_KEY_BYTES: Final = 4

# Reading stops while more messages than this wait, and goes on when a quarter of them is left.
_MOST_WAITING: Final = 64


def connection_class() -> type[FastConnection | PlainConnection]:
    """Return the class for the version of websockets that is installed."""
    return FastConnection if version.startswith(TESTED_VERSIONS) else PlainConnection


class _LeavingConnection(ClientConnection):
    """A connection that does not wait for a peer that said goodbye and then does not leave.

    The package bounds that wait only where it closes by itself: after a close of the peer, reading
    would go on for as long as TCP does.
    """

    _is_left = False

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        super().data_received(data)
        if self.protocol.close_rcvd is not None and not self._is_left:
            self._is_left = True
            self.loop.call_later(self.close_timeout or 0, self.transport.abort)


class PlainConnection(_LeavingConnection):
    """A connection as it comes, with the names of the fast one."""

    async def receive(self) -> str | bytes:
        """Return the next message.

        Raises:
            ConnectionClosed: The connection has ended, and all that came before it was taken.
        """
        return await self.recv()

    async def send_all(self, messages: Sequence[str | bytes]) -> None:
        """Send messages in their order, waiting while the peer takes nothing.

        Raises:
            ConnectionClosed: The connection has ended.
        """
        for message in messages:
            await self.send(message)

    def send_now(self, message: str | bytes) -> bool:
        """Return that nothing was sent: sending may have to wait."""
        return False


class FastConnection(_LeavingConnection):
    """A connection that builds and reads the common frames by itself.

    The common frames are text and binary ones that are whole: a message in one frame, which one
    call of ``data_received`` brings from its first to its last byte. Every other frame - control
    frames, fragments, frames in pieces, long ones, broken ones - goes through websockets, with all
    of its bytes. As soon as the connection is closing, everything does.

    So this class has to know where each frame begins, and nothing else of the protocol. Messages
    keep their order: one that websockets puts together is marked in the queue of those that were
    read here. Messages longer than 64 KiB are left to websockets, too, which bounds them.

    ``receive`` takes the place of ``recv``, ``recv_streaming`` and iteration, which know nothing of
    the messages that are read here.
    """

    def __init__(self, protocol: ClientProtocol, **settings: Any) -> None:
        super().__init__(protocol, **settings)
        # Of what has come.
        self._is_plain = False
        """Whether everything that comes is left to websockets."""
        self._head_tail: bytes | None = b""
        """The last bytes of the handshake's answer so far; ``None`` after its end."""
        self._held = b""
        """The beginning of a header that is not complete."""
        self._to_pass_on = 0
        """How many bytes of the current frame are left to websockets."""
        self._in_fragments = False
        # The queue of messages; ``None`` stands for one that websockets has.
        self._messages: deque[str | bytes | None] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._reading_is_paused = False
        self._is_lost = False
        # Of what is sent.
        self._keys = b""
        self._next_key = 0

    # Public methods.

    async def receive(self) -> str | bytes:
        """Return the next message; cancelling loses none.

        Raises:
            ConnectionClosed: The connection has ended, and all that came before it was taken.
        """
        while not self._messages:
            if self._is_lost:
                return await self.recv()  # which raises what ended the connection
            if self._waiter is not None:
                raise ConcurrencyError("another task is receiving already")
            self._waiter = self.loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        message = self._messages.popleft()
        if self._reading_is_paused and len(self._messages) <= _MOST_WAITING // 4:
            self._reading_is_paused = False
            self.transport.resume_reading()
        if message is not None:
            return message
        try:
            return await self.recv()
        except asyncio.CancelledError:
            self._messages.appendleft(None)  # websockets has kept what came of it
            raise

    async def send_all(self, messages: Sequence[str | bytes]) -> None:
        """Send messages in their order and one write, waiting while the peer takes nothing.

        Raises:
            ConnectionClosed: The connection has ended.
        """
        if self._may_write():
            parts: list[bytes] = []
            for message in messages:
                parts += self._framed(message)
            self.transport.write(b"".join(parts))
            if self.paused:
                await self.drain()
        else:
            for message in messages:
                await self.send(message)

    def send_now(self, message: str | bytes) -> bool:
        """Send a message if that can be done without waiting, and return whether it was."""
        if self.paused or not self._may_write():
            return False
        self.transport.write(b"".join(self._framed(message)))
        return True

    # What the transport and websockets call.

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        if self._is_plain:
            super().data_received(data)
        elif self._head_tail is not None:
            self._receive_head(data, self._head_tail)
        elif self.protocol.state is not State.OPEN:
            self._go_plain(data)
        else:
            if self._held:
                data, self._held = self._held + data, b""
            self._receive_frames(data)

    def eof_received(self) -> None:
        """Take the end of what comes."""
        self._go_plain(b"")
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        super().connection_lost(exc)
        self._is_lost = True
        self._wake()

    def process_event(self, event: Event) -> None:
        """Take what websockets has read."""
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._put(None)

    # Private methods for receiving.

    def _receive_head(self, data: bytes, tail: bytes) -> None:
        """Pass on the answer to the handshake; frames may come with its end."""
        seen = tail + data
        found = seen.find(_END_OF_HEAD)
        if found < 0:
            self._head_tail = seen[1 - len(_END_OF_HEAD) :]
            super().data_received(data)
            return
        self._head_tail = None
        end = found + len(_END_OF_HEAD) - len(tail)
        super().data_received(data[:end])
        # A refusal is no WebSocket: its body is read by websockets, as are frames with extensions.
        self._is_plain = self.protocol.state is not State.OPEN or bool(self.protocol.extensions)
        if end < len(data):
            self.data_received(data[end:])

    def _receive_frames(self, data: bytes) -> None:
        """Read whole frames and pass the others on."""
        position, end = 0, len(data)
        while position < end:
            if self._to_pass_on:
                piece = data[position : position + self._to_pass_on]
                self._to_pass_on -= len(piece)
                position += len(piece)
                super().data_received(piece)
                if self.protocol.state is not State.OPEN:
                    self._go_plain(data[position:])
                    return
                continue
            start = position + 2
            if start > end:
                self._held = data[position:]
                return
            first, length = data[position], data[position + 1]
            if first not in _KNOWN or length & _MASKED:
                self._go_plain(data[position:])  # websockets ends the connection, and says why
                return
            if length >= _TWO_BYTES_OF_LENGTH:
                width = 2 if length == _TWO_BYTES_OF_LENGTH else 8
                start += width
                if start > end:
                    self._held = data[position:]
                    return
                length = int.from_bytes(data[start - width : start], "big")
            stop = start + length
            is_common = first in _WHOLE and length <= _LONGEST_MEDIUM and not self._in_fragments
            if is_common and stop <= end:
                if first == _WHOLE_BINARY:
                    self._put(data[start:stop])
                else:
                    self._put_text(data, position, start, stop)
                position = stop
            else:
                self._note_fragment(first)
                self._to_pass_on = stop - position

    def _put_text(self, data: bytes, position: int, start: int, stop: int) -> None:
        try:
            self._put(data[start:stop].decode())
        except UnicodeDecodeError:
            # websockets ends the connection, when its turn to be received has come.
            super().data_received(data[position:stop])

    def _note_fragment(self, first: int) -> None:
        if first & _OPCODE == _CONTINUATION:
            self._in_fragments = self._in_fragments and not first & _FIN
        elif first & _OPCODE < _FIRST_CONTROL:
            self._in_fragments = self._in_fragments or not first & _FIN

    def _go_plain(self, data: bytes) -> None:
        """Leave this and all that follows to websockets."""
        self._is_plain = True
        rest, self._held = self._held + data, b""
        if rest:
            super().data_received(rest)

    def _put(self, message: str | bytes | None) -> None:
        self._messages.append(message)
        if len(self._messages) > _MOST_WAITING:
            self._reading_is_paused = True
            self.transport.pause_reading()  # again, in case websockets has resumed it
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # Private methods for sending.

    def _may_write(self) -> bool:
        protocol = self.protocol
        return (
            protocol.state is State.OPEN
            and not protocol.expect_continuation_frame  # of a message sent in fragments
            and not protocol.extensions
            and not self.transport.is_closing()
        )

    def _framed(self, message: str | bytes) -> tuple[bytes, bytes]:
        """Return the header of a frame with its key, and the masked payload."""
        if isinstance(message, str):
            first, payload = _WHOLE_TEXT, message.encode()
        else:
            first, payload = _WHOLE_BINARY, message
        at = self._next_key
        if at == len(self._keys):
            self._keys = os.urandom(_KEYS * _KEY_BYTES)
            at = 0
        self._next_key = at + _KEY_BYTES
        key = self._keys[at : at + _KEY_BYTES]
        length = len(payload)
        if length < _TWO_BYTES_OF_LENGTH:
            header = _SHORT_HEADER.pack(first, _MASKED | length, key)
        elif length <= _LONGEST_MEDIUM:
            header = _MEDIUM_HEADER.pack(first, _MASKED | _TWO_BYTES_OF_LENGTH, length, key)
        else:
            header = _LONG_HEADER.pack(first, _MASKED | _EIGHT_BYTES_OF_LENGTH, length, key)
        return header, apply_mask(payload, key)
