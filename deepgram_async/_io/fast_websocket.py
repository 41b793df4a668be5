"""A WebSocket over the sans-I/O part of websockets, with short cuts for the common frames."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from struct import Struct
from typing import Final, cast

from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State

try:
    from websockets.speedups import apply_mask
except ImportError:  # the package was built without its C part
    from websockets.utils import apply_mask

from deepgram_async._io.sockets import Receiver, WebSocket
from deepgram_async._protocol.sockets import Close

__all__ = ["FastWebSocket"]

_ABNORMAL: Final = 1006
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
# A frame of up to this length whose end has not come yet is held back here. A longer one that
# trickles in would be copied too often.
_LONGEST_HELD: Final = 8 << 10

_SHORT_HEADER: Final = Struct("!BB4s")
_MEDIUM_HEADER: Final = Struct("!BBH4s")
_LONG_HEADER: Final = Struct("!BBQ4s")

# Keys of masks are drawn for so many frames at a time: each draw is a call of the system.
_KEYS: Final = 32
_KEY_BYTES: Final = 4
# The transport takes this much before it asks to wait; what waits longer is kept by the stream.
_WRITE_BYTES: Final = 32 << 10
# As the package bounds it for its own connections: pieces without content would add up for ever.
_MOST_FRAGMENTS: Final = 4096


class FastWebSocket(asyncio.Protocol, WebSocket):
    """A WebSocket that builds and reads the common frames by itself.

    The common frames are text and binary ones that are whole: a message in one frame of at most
    64 KiB. Every other frame - control frames, fragments, long ones, broken ones - goes through
    websockets, with all of its bytes. As soon as the connection is closing, everything does.

    So this class has to know where each frame begins, and nothing else of the protocol.
    """

    def __init__(self, protocol: ClientProtocol, *, close_timeout_s: float) -> None:
        self.request_id = None
        self.is_writable = False
        self.was_heard = self.was_used = False
        self._protocol = protocol
        self._close_timeout_s = close_timeout_s
        self._transport: asyncio.Transport
        self._shaken: asyncio.Future[None] | None = None
        """Done when the answer to the handshake has come, or the connection is lost."""
        self._receiver: Receiver | None = None
        self._early: list[str | bytes] = []
        """What came before there was a receiver."""
        self._abort_reason: str | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._lost: asyncio.Future[None] | None = None
        self._end: Close | None = None
        # Of what comes.
        self._is_plain = False
        """Whether everything that comes is left to websockets."""
        self._head_tail: bytes | None = b""
        """The last bytes of the handshake's answer so far; ``None`` after its end."""
        self._held = b""
        """The beginning of a frame that is not complete."""
        self._to_pass_on = 0
        """How many bytes of the current frame are left to websockets."""
        self._in_fragments = False
        self._fragments: list[bytes] = []
        self._is_text = False
        self._has_failed = False
        """Whether the peer was told that it made a mistake; nothing of it counts any more."""
        # Of what is written.
        self._is_paused = False
        self._written = 0
        self._keys = b""
        self._next_key = 0

    # Public methods for opening.

    async def handshake(self, headers: Mapping[str, str]) -> None:
        """Ask for the upgrade, and return when it was granted.

        Raises:
            InvalidHandshake: It was refused, or the connection ended.
        """
        request = self._protocol.connect()
        request.headers.update(headers)
        self._protocol.send_request(request)
        self._shaken = asyncio.get_running_loop().create_future()
        self._flush()
        await self._shaken
        self._shaken = None
        if self._protocol.handshake_exc is not None:
            raise self._protocol.handshake_exc

    # Public methods of a WebSocket.

    def attach(self, receiver: Receiver) -> None:
        """Hand over what has come so far, and all that follows."""
        early, self._early = self._early, []
        self._receiver = receiver
        for frame in early:
            receiver.frame_received(frame)
        if self._end is not None:
            receiver.socket_ended(self._end)

    def write(self, frames: Sequence[str | bytes]) -> None:
        """Write frames in their order, in one piece; only while ``is_writable``."""
        if self._transport.is_closing():
            return  # the end is on its way
        parts: list[bytes] = []
        for frame in frames:
            parts += self._framed(frame)
        data = b"".join(parts)
        self._written += len(data)
        self.was_used = True
        self._transport.write(data)

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_ping(b"")
            self._flush()

    def start_closing(self) -> None:
        """Say goodbye with code 1000; what was written before still goes out."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._flush()
            self._look_at_state()

    async def aclose(self, timeout_s: float) -> None:
        """Close with code 1000, by force when the peer does not answer in time."""
        self.start_closing()
        if self._end is not None:
            return
        if self._lost is None:
            self._lost = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait([self._lost], timeout=timeout_s)
        finally:
            self.abort("closed")
            # The loop calls ``connection_lost`` in one of its next turns.
            await asyncio.wait([self._lost])

    def abort(self, reason: str) -> None:
        """Drop the connection at once, whatever waits to be written."""
        if self._abort_reason is None:
            self._abort_reason = reason
        self.is_writable = False
        self._transport.abort()

    @property
    def taken_bytes(self) -> int:
        """How many of the bytes that were written the network has taken."""
        return self._written - self.waiting_bytes

    @property
    def waiting_bytes(self) -> int:
        """How many it has not."""
        return self._transport.get_write_buffer_size()

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(_WRITE_BYTES)

    def pause_writing(self) -> None:
        """Take that the peer is slower than what is written."""
        self._is_paused = True
        self.is_writable = False

    def resume_writing(self) -> None:
        """Take that it has caught up."""
        self._is_paused = False
        self.is_writable = self._protocol.state is State.OPEN
        if self.is_writable and self._receiver is not None:
            self._receiver.room_came()

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        self.was_heard = True
        if self._is_plain:
            self._pass_on(data)
        elif self._head_tail is not None:
            self._receive_head(data, self._head_tail)
        elif self._protocol.state is not State.OPEN:
            self._go_plain(data)
        else:
            if self._held:
                data, self._held = self._held + data, b""
            self._receive_frames(data)

    def eof_received(self) -> None:
        """Take the end of what comes; the transport closes then."""
        self._go_plain(b"")
        self._protocol.receive_eof()
        self._take_events()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        self._protocol.receive_eof()
        self._take_events()
        if self._leaving is not None:
            self._leaving.cancel()
        self._shake()
        end = self._protocol.close_exc
        if end.rcvd is not None:
            self._end = Close(end.rcvd.code, end.rcvd.reason)
        else:
            # Nothing was received, so the reason is what was noticed on this side.
            noticed = self._abort_reason or (end.sent.reason if end.sent is not None else "")
            self._end = Close(_ABNORMAL, noticed)
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)
        if self._receiver is not None:
            self._receiver.socket_ended(self._end)

    # Private methods for receiving.

    def _receive_head(self, data: bytes, tail: bytes) -> None:
        """Pass on the answer to the handshake; frames may come with its end."""
        seen = tail + data
        found = seen.find(_END_OF_HEAD)
        if found < 0:
            self._head_tail = seen[1 - len(_END_OF_HEAD) :]
            self._pass_on(data)
            return
        self._head_tail = None
        end = found + len(_END_OF_HEAD) - len(tail)
        self._pass_on(data[:end])
        # A refusal is no WebSocket: its body is read by websockets.
        self._is_plain = self._protocol.state is not State.OPEN
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
                self._pass_on(piece)
                if self._protocol.state is not State.OPEN:
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
                    self._deliver(data[start:stop])
                elif not self._delivered_text(data, position, start, stop):
                    self._go_plain(data[stop:])
                    return
                position = stop
            elif is_common and length <= _LONGEST_HELD:
                self._held = data[position:]
                return
            else:
                self._note_fragment(first)
                self._to_pass_on = stop - position

    def _delivered_text(self, data: bytes, position: int, start: int, stop: int) -> bool:
        try:
            text = data[start:stop].decode()
        except UnicodeDecodeError:
            self._pass_on(data[position:stop])  # websockets ends the connection, and says why
            return False
        self._deliver(text)
        return True

    def _deliver(self, message: str | bytes) -> None:
        if self._receiver is None:
            self._early.append(message)
        else:
            self._receiver.frame_received(message)

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
            self._pass_on(rest)

    # What is left to websockets.

    def _pass_on(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._take_events()

    def _take_events(self) -> None:
        events = self._protocol.events_received()
        self._flush()
        for event in events:
            if isinstance(event, Frame):
                self._take_frame(event)
            elif isinstance(event, Response):
                self.request_id = event.headers.get("dg-request-id")
                self._shake()
        self._look_at_state()

    def _take_frame(self, frame: Frame) -> None:
        """Join the pieces of a message."""
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT) or self._has_failed:
            return
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._fragments.append(bytes(frame.data))
        if len(self._fragments) > _MOST_FRAGMENTS:
            self._fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
            return
        if not frame.fin:
            return
        message, self._fragments = b"".join(self._fragments), []
        if not self._is_text:
            self._deliver(message)
            return
        try:
            text = message.decode()
        except UnicodeDecodeError as error:
            self._fail(CloseCode.INVALID_DATA, f"{error.reason} at position {error.start}")
        else:
            self._deliver(text)

    def _fail(self, code: CloseCode, reason: str) -> None:
        self._fragments = []
        self._has_failed = True
        self._protocol.fail(code, reason)
        self._flush()

    def _flush(self) -> None:
        """Write what websockets wants written."""
        for data in self._protocol.data_to_send():
            if data:
                self._written += len(data)
                self.was_used = True
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()

    def _look_at_state(self) -> None:
        """Do what follows from the beginning and the end of the WebSocket."""
        if self._protocol.state is State.OPEN:
            self.is_writable = not self._is_paused
            return
        self.is_writable = False
        # A peer that said goodbye, or was told to go, may stay for ever.
        if self._leaving is None and self._protocol.close_expected() and self._end is None:
            self._leaving = asyncio.get_running_loop().call_later(
                self._close_timeout_s, self._transport.abort
            )

    def _shake(self) -> None:
        if self._shaken is not None and not self._shaken.done():
            self._shaken.set_result(None)

    # Private methods for sending.

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
