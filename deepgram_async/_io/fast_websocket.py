"""A WebSocket over the sans-I/O part of websockets, with short cuts for the common frames."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from struct import Struct
from typing import Final, cast

from websockets.exceptions import ProtocolError
from websockets.frames import Close as ClosePayload
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import Protocol, Side, State

try:
    from websockets.speedups import apply_mask
except ImportError:  # the package was built without its C part
    from websockets.utils import apply_mask

from deepgram_async._io.handshake import Handshake
from deepgram_async._io.shared_buffer import BufferedReader
from deepgram_async._io.sockets import Receiver, WebSocket
from deepgram_async._protocol.sockets import Close

__all__ = ["FastWebSocket"]

_ABNORMAL: Final = 1006
_END_OF_HEAD: Final = b"\r\n\r\n"
# An answer with longer headers is left to websockets, which has bounds for everything.
_LONGEST_HEAD: Final = 16 << 10
_REQUEST_ID: Final = "dg-request-id"
_WHOLE_TEXT: Final = 0x81
_WHOLE_BINARY: Final = 0x82
_WHOLE_CLOSE: Final = 0x88
_WHOLE_PING: Final = 0x89
_WHOLE_PONG: Final = 0x8A
_WHOLE: Final = frozenset((_WHOLE_TEXT, _WHOLE_BINARY))
_SHORT_CUTS: Final = frozenset((_WHOLE_CLOSE, _WHOLE_PONG))
_REGULAR_CLOSE: Final = ClosePayload(CloseCode.NORMAL_CLOSURE, "").serialize()
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


class FastWebSocket(BufferedReader, WebSocket):
    """A WebSocket that builds and reads the common frames by itself.

    The common frames are text and binary ones that are whole - a message in one frame of at most
    64 KiB -, pongs, and a Close, if no other frame came before it. Every other frame - pings,
    fragments, long ones, broken ones - goes through websockets, with all of its bytes, and then
    the end does, too. So this class has to know where each frame begins, and little else of the
    protocol; and a connection that has common frames only needs no protocol of websockets.
    """

    __slots__ = (
        "_abort_reason",
        "_close_timeout_s",
        "_early",
        "_end",
        "_farewell",
        "_fragments",
        "_handshake",
        "_has_failed",
        "_head",
        "_held",
        "_in_fragments",
        "_is_open",
        "_is_paused",
        "_is_plain",
        "_is_text",
        "_keys",
        "_leavers",
        "_leaving",
        "_logger",
        "_max_size",
        "_missing",
        "_next_key",
        "_protocol",
        "_receiver",
        "_said_goodbye",
        "_shaken",
        "_to_pass_on",
        "_transport",
        "_written",
        "is_writable",
        "request_id",
        "was_heard",
        "was_used",
    )

    def __init__(
        self,
        handshake: Handshake,
        *,
        close_timeout_s: float,
        max_size: int,
        logger: logging.Logger,
    ) -> None:
        self.request_id: str | None = None
        self.is_writable = False
        self.was_heard = self.was_used = False
        self._close_timeout_s = close_timeout_s
        self._max_size = max_size
        self._logger = logger
        self._protocol: Protocol | None = None
        """What websockets knows of the connection; made when a frame is left to it."""
        self._transport: asyncio.Transport
        self._receiver: Receiver | None = None
        self._early: list[str | bytes] = []
        """What came before there was a receiver."""
        self._is_open = False
        self._abort_reason: str | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._leavers: list[asyncio.Future[None]] = []
        self._said_goodbye = False
        """Whether a Close was sent without websockets."""
        self._farewell: Close | None = None
        """The Close that was received without websockets."""
        self._end: Close | None = None
        # Of the handshake.
        self._handshake: Handshake | None = handshake
        self._head = b""
        self._shaken: asyncio.Future[None] | None = None
        """Done when the answer has come, or the connection is lost."""
        # Of what comes.
        self._is_plain = False
        """Whether everything that comes is left to websockets."""
        self._held = b""
        """The beginning of a frame that is not complete."""
        self._missing = 0
        """How many bytes of its header, or, if that is complete, of the frame are missing."""
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

    async def handshake(self) -> None:
        """Ask for the WebSocket, and return when it was granted.

        Raises:
            InvalidHandshake: It was refused, or the connection ended.
        """
        assert self._handshake is not None, "called once"
        self._shaken = asyncio.get_running_loop().create_future()
        self._write(self._handshake.request)
        await self._shaken
        self._shaken = None
        if self._protocol is not None and self._protocol.handshake_exc is not None:
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
        framed = [
            self._framed(_WHOLE_TEXT, frame.encode())
            if isinstance(frame, str)
            else self._framed(_WHOLE_BINARY, frame)
            for frame in frames
        ]
        self._write(framed[0] if len(framed) == 1 else b"".join(framed))

    def write_audio(self, frame: bytes) -> None:
        """Write one frame of audio; only while ``is_writable``."""
        self._write(self._framed(_WHOLE_BINARY, frame))

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        if self._is_open:
            self._write(self._framed(_WHOLE_PING, b""))

    def start_closing(self) -> None:
        """Say goodbye with code 1000; what was written before still goes out."""
        if not self._is_open:
            return
        if self._protocol is None:
            self._say_goodbye(_REGULAR_CLOSE)
        else:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._flush()
            self._look_at_state()

    async def aclose(self, timeout_s: float) -> None:
        """Close with code 1000, by force when the peer does not answer in time."""
        self.start_closing()
        timer = asyncio.get_running_loop().call_later(timeout_s, self.abort, "closed")
        try:
            await self._until_lost()
        finally:
            timer.cancel()
            self.abort("closed")
            # The loop calls ``connection_lost`` in one of its next turns.
            await self._until_lost()

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
        self.is_writable = self._is_open
        if self.is_writable and self._receiver is not None:
            self._receiver.room_came()

    def data_received(self, data: bytes | memoryview) -> None:
        """Take what has come."""
        self.was_heard = True
        if self._is_plain:
            self._pass_on(data)
        elif self._farewell is not None:
            pass  # nothing counts after the Close
        elif self._handshake is not None:
            self._receive_head(self._handshake, data)
        elif self._held:
            self._receive_rest(data)
        else:
            self._receive_frames(data)

    def eof_received(self) -> None:
        """Take the end of what comes; the transport closes then."""
        if self._is_left_to_websockets:
            self._leave_to_websockets()
        else:
            self._is_open = self.is_writable = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        noticed = self._abort_reason or ""
        if self._is_left_to_websockets:
            end = self._leave_to_websockets().close_exc
            if end.rcvd is not None:
                self._farewell = Close(end.rcvd.code, end.rcvd.reason)
            elif end.sent is not None:
                noticed = noticed or end.sent.reason
        self._is_open = self.is_writable = False
        if self._leaving is not None:
            self._leaving.cancel()
        self._shake()
        # Where no Close was received, the reason is what was noticed on this side.
        self._end = self._farewell or Close(_ABNORMAL, noticed)
        for leaver in self._leavers:
            if not leaver.done():
                leaver.set_result(None)
        if self._receiver is not None:
            self._receiver.socket_ended(self._end)

    # Private methods for receiving.

    def _receive_head(self, handshake: Handshake, data: bytes | memoryview) -> None:
        """Read the answer to the handshake; frames may come with its end."""
        self._head += data
        found = self._head.find(_END_OF_HEAD)
        if found < 0 and len(self._head) <= _LONGEST_HEAD:
            return
        end = found + len(_END_OF_HEAD)
        headers = None if found < 0 else handshake.granted(self._head[:end])
        rest, self._head = (self._head if headers is None else self._head[end:]), b""
        if headers is None:
            self._go_plain(rest)  # websockets says what is wrong
            return
        self._handshake = None
        self.request_id = headers.get(_REQUEST_ID)
        self._is_open = self.is_writable = True
        self._shake()
        if rest:
            self._receive_frames(rest)

    def _receive_rest(self, data: bytes | memoryview) -> None:
        """Complete the frame that is held back, and go on with what follows it."""
        while self._held:
            piece, data = data[: self._missing], data[self._missing :]
            self._held += piece
            self._missing -= len(piece)
            if self._missing:
                return
            held, self._held = self._held, b""
            self._receive_frames(held)  # which may have learned only how long it is
        if data:
            self.data_received(data)

    def _receive_frames(self, data: bytes | memoryview) -> None:
        """Read whole frames and pass the others on."""
        position, end = 0, len(data)
        deliver = self._early.append if self._receiver is None else self._receiver.frame_received
        while position < end:
            if self._to_pass_on:
                piece = data[position : position + self._to_pass_on]
                self._to_pass_on -= len(piece)
                position += len(piece)
                self._pass_on(piece)
                if not self._is_open:
                    self._go_plain(data[position:])
                    return
                continue
            start = position + 2
            if start > end:
                self._hold(data[position:], start - end)
                return
            first, length = data[position], data[position + 1]
            if first not in _KNOWN or length & _MASKED:
                self._go_plain(data[position:])  # websockets ends the connection, and says why
                return
            if length >= _TWO_BYTES_OF_LENGTH:
                width = 2 if length == _TWO_BYTES_OF_LENGTH else 8
                start += width
                if start > end:
                    self._hold(data[position:], start - end)
                    return
                length = int.from_bytes(data[start - width : start], "big")
            stop = start + length
            is_whole = stop <= end
            is_data = first in _WHOLE and length <= _LONGEST_MEDIUM and not self._in_fragments
            is_control = first in _SHORT_CUTS and length < _TWO_BYTES_OF_LENGTH
            if is_data and is_whole:
                if first == _WHOLE_BINARY:
                    deliver(bytes(data[start:stop]))
                else:
                    try:
                        text = str(data[start:stop], "utf-8")
                    except UnicodeDecodeError:
                        self._go_plain(data[position:])  # websockets ends the connection
                        return
                    deliver(text)
                position = stop
            elif (is_data or is_control) and not is_whole and length <= _LONGEST_HELD:
                self._hold(data[position:], stop - end)
                return
            elif is_control and first == _WHOLE_PONG:
                position = stop  # the sign of life was seen
            elif is_control and self._received_close(bytes(data[start:stop])):
                return
            else:
                self._note_fragment(first)
                self._to_pass_on = stop - position

    def _hold(self, beginning: bytes | memoryview, missing: int) -> None:
        self._held = bytes(beginning)
        self._missing = missing

    def _received_close(self, payload: bytes) -> bool:
        """Take the Close of the peer, unless it is for websockets to judge."""
        if self._protocol is not None:
            return False
        try:
            close = ClosePayload.parse(payload)
        except (ProtocolError, UnicodeDecodeError):
            return False
        if not self._said_goodbye:
            self._say_goodbye(payload)
        self._farewell = Close(close.code, close.reason)
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

    # What is left to websockets.

    def _websockets(self) -> Protocol:
        """Return the protocol of websockets, at the place where it has to go on."""
        if self._protocol is None:
            size, logger = self._max_size, self._logger
            if self._handshake is None:
                self._protocol = Protocol(Side.CLIENT, max_size=size, logger=logger)
            else:
                self._protocol = self._handshake.judge(size, logger)
            if self._said_goodbye:
                self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
                self._protocol.data_to_send()  # it was sent already
        return self._protocol

    @property
    def _is_left_to_websockets(self) -> bool:
        """Whether websockets has to judge how the connection ends."""
        return self._protocol is not None or self._handshake is not None

    def _go_plain(self, data: bytes | memoryview) -> None:
        """Leave this and all that follows to websockets."""
        self._is_plain = True
        rest, self._held = self._held + data, b""
        if rest:
            self._pass_on(rest)

    def _leave_to_websockets(self) -> Protocol:
        """Let websockets know of the end of what comes."""
        head, self._head = self._head, b""
        self._go_plain(head)
        protocol = self._websockets()
        protocol.receive_eof()
        self._take_events(protocol)
        return protocol

    def _pass_on(self, data: bytes | memoryview) -> None:
        protocol = self._websockets()
        protocol.receive_data(bytes(data))
        self._take_events(protocol)

    def _take_events(self, protocol: Protocol) -> None:
        events = protocol.events_received()
        self._flush()
        for event in events:
            if isinstance(event, Frame):
                self._take_frame(event)
            elif isinstance(event, Response):
                self.request_id = event.headers.get(_REQUEST_ID)
                self._is_open = protocol.state is State.OPEN
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
        self._websockets().fail(code, reason)
        self._flush()

    def _flush(self) -> None:
        """Write what websockets wants written."""
        for data in self._websockets().data_to_send():
            if data:
                self._write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()

    # Beginning and end.

    def _shake(self) -> None:
        if self._shaken is not None and not self._shaken.done():
            self._shaken.set_result(None)

    def _look_at_state(self) -> None:
        """Do what follows from the beginning and the end of the WebSocket."""
        protocol = self._protocol
        if protocol is None or protocol.state is State.OPEN:
            self.is_writable = self._is_open and not self._is_paused
            return
        self._is_open = self.is_writable = False
        if protocol.close_expected():
            self._leave_soon()

    def _say_goodbye(self, payload: bytes) -> None:
        """Send a Close; nothing follows it."""
        self._write(self._framed(_WHOLE_CLOSE, payload))
        self._said_goodbye = True
        self._is_open = self.is_writable = False
        self._leave_soon()

    def _leave_soon(self) -> None:
        """Bound the time: a peer that said goodbye, or was told to go, may stay for ever."""
        if self._leaving is None and self._end is None:
            self._leaving = asyncio.get_running_loop().call_later(
                self._close_timeout_s, self._transport.abort
            )

    async def _until_lost(self) -> None:
        if self._end is None:
            leaver: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._leavers.append(leaver)
            await leaver

    # Private methods for sending.

    def _write(self, data: bytes) -> None:
        self.was_used = True
        self._written += len(data)
        if not self._transport.is_closing():  # if it is, the end is on its way
            self._transport.write(data)

    def _framed(self, first: int, payload: bytes) -> bytes:
        """Return a frame."""
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
        return header + apply_mask(payload, key)
