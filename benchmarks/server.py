"""A server that costs little, in a process of its own: it answers, counts, and checks nothing.

The first part of a path chooses what it does: ``/large`` answers with a long transcription,
``/echo`` sends an event for every chunk, ``/paced`` one for every 25 chunks, ``/count`` none.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import hashlib
import re
from struct import Struct
from typing import Final, cast

from benchmarks import payloads

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY: Final = re.compile(rb"^sec-websocket-key:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_LENGTH: Final = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)
_SHORT: Final = Struct("!H")
_LONG: Final = Struct("!Q")
_CHUNKS_PER_EVENT: Final = {b"echo": 1, b"paced": 25}


def main() -> None:
    """Serve until the process is ended; the port is printed first."""
    asyncio.run(serve())


async def serve() -> None:
    """Serve on a free port of this machine."""
    gc.freeze()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Peer, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Peer(asyncio.Protocol):
    """One connection, REST or WebSocket."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._data = b""
        self._is_socket = False
        self._chunks_per_event = 0
        self._audio_bytes = 0
        self._chunks = 0

    def data_received(self, data: bytes) -> None:
        """Answer whatever is complete."""
        self._data = self._data + data if self._data else data
        if self._is_socket:
            self._read_frames()
            return
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end]
            path = head.split(b" ", 2)[1]
            key = _KEY.search(head)
            if key is not None:
                self._data = self._data[end + 4 :]
                self._upgrade(key.group(1), path)
                return
            length = _LENGTH.search(head)
            stop = end + 4 + (int(length.group(1)) if length else 0)
            if len(self._data) < stop:
                return
            self._data = self._data[stop:]
            is_large = path.startswith(b"/large")
            self._answer(payloads.LARGE_WORDS if is_large else payloads.SMALL_WORDS)

    def _answer(self, words: int) -> None:
        body = payloads.answer(words)
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ndg-request-id: 8e4b5e0c\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )

    def _upgrade(self, key: bytes, path: bytes) -> None:
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        self._is_socket = True
        self._chunks_per_event = _CHUNKS_PER_EVENT.get(path.split(b"/")[1], 0)
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"dg-request-id: 8e4b5e0c\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept
        )
        if self._data:
            self._read_frames()

    def _read_frames(self) -> None:
        data, position, answers = self._data, 0, list[bytes]()
        while len(data) - position >= 6:
            opcode, length = data[position] & 0x0F, data[position + 1] & 0x7F
            start = position + 6
            if length == 126:
                start += 2
                if len(data) < start:
                    break
                (length,) = _SHORT.unpack_from(data, position + 2)
            elif length == 127:
                start += 8
                if len(data) < start:
                    break
                (length,) = _LONG.unpack_from(data, position + 2)
            if len(data) < start + length:
                break
            if opcode == 2:
                self._chunks += 1
                self._audio_bytes += length
                if self._chunks_per_event and self._chunks % self._chunks_per_event == 0:
                    answers.append(_frame(0x81, payloads.event()))
            else:
                answers += self._control(opcode, data, start, length)
            position = start + length
        self._data = data[position:]
        if answers:
            self._transport.write(b"".join(answers))

    def _control(self, opcode: int, data: bytes, start: int, length: int) -> list[bytes]:
        key = data[start - 4 : start]
        payload = bytes(data[start + at] ^ key[at % 4] for at in range(length))
        if opcode == 1 and b"CloseStream" in payload:
            last = payloads.last_event(self._audio_bytes)
            return [_frame(0x81, last), _frame(0x88, _SHORT.pack(1000))]
        if opcode == 8:
            self._transport.write(_frame(0x88, payload[:2]))
            self._transport.close()
        return [_frame(0x8A, payload)] if opcode == 9 else []


def _frame(first: int, payload: bytes) -> bytes:
    if len(payload) < 126:
        return bytes((first, len(payload))) + payload
    return bytes((first, 126)) + _SHORT.pack(len(payload)) + payload


if __name__ == "__main__":
    main()
