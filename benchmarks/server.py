"""A server that costs little, in a process of its own: it answers, counts, and checks nothing.

The first part of a path chooses what it does. Requests: ``/large`` answers with a long
transcription, ``/count`` with the number of bytes that came, ``/after200`` after 200 ms. Streams:
``/echo`` sends a result for every chunk, ``/paced`` one for every 25 chunks, ``/count`` none. A
text to speak is a number: that of megabytes over HTTP, that of messages over a WebSocket.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import hashlib
import json
import re
import resource
from itertools import count
from pathlib import Path
from struct import Struct
from typing import Final, cast

from benchmarks import payloads
from benchmarks.certificates import server_context

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY: Final = re.compile(rb"^sec-websocket-key:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_LENGTH: Final = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)
_CHUNKED: Final = re.compile(rb"^transfer-encoding:\s*chunked", re.IGNORECASE | re.MULTILINE)
_AFTER: Final = re.compile(rb"/after(\d+)/")
_SHORT: Final = Struct("!H")
_CHUNKS_PER_EVENT: Final = {b"echo": 1, b"paced": 25}
_CHUNK_S: Final = 0.02
# What is kept of a body: a text to speak is short.
_KEPT: Final = 1024
# Deepgram sends speech without a length, while it is being made.
_SPEECH_BLOCK: Final = 32 * 1024


def main() -> None:
    """Serve until the process is ended; the two ports are printed first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("certificates", type=Path)
    asyncio.run(serve(parser.parse_args().certificates))


async def serve(certificates: Path) -> None:
    """Serve on two free ports of this machine, without and with TLS."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    payloads.answer(payloads.LARGE_WORDS)
    gc.freeze()
    loop = asyncio.get_running_loop()
    context = server_context(certificates)
    plain = await loop.create_server(Peer, "127.0.0.1", 0, backlog=2048)
    secured = await loop.create_server(Peer, "127.0.0.1", 0, backlog=2048, ssl=context)
    ports = [server.sockets[0].getsockname()[1] for server in (plain, secured)]
    print(*ports, flush=True)
    await asyncio.Event().wait()


class SizedBody:
    """A body whose length the headers tell."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.kept = b""
        self._left = size

    def take(self, data: bytes) -> bytes | None:
        """Take what has come; return what is behind the body, or ``None`` until it is whole."""
        if len(self.kept) < _KEPT:
            self.kept += data[: min(self._left, _KEPT)]
        if len(data) < self._left:
            self._left -= len(data)
            return None
        return data[self._left :]


class ChunkedBody:
    """A body in chunks."""

    def __init__(self) -> None:
        self.size = 0
        self.kept = b""
        self._left = 0
        self._unread = b""
        self._is_last = False

    def take(self, data: bytes) -> bytes | None:
        """Take what has come; return what is behind the body, or ``None`` until it is whole."""
        data = self._unread + data if self._unread else data
        at = 0
        while True:
            step = min(self._left, len(data) - at)
            at += step
            self._left -= step
            self._unread = b""
            if self._left:
                return None
            if self._is_last:
                return data[at:]
            end = data.find(b"\r\n", at)
            if end < 0:
                self._unread = data[at:]
                return None
            size = int(data[at:end], 16)
            at = end + 2
            self.size += size
            self._left = size + 2
            self._is_last = size == 0


class Peer(asyncio.BufferedProtocol):
    """One connection, REST or WebSocket."""

    # One for all: what came is taken out before anybody else can write into it.
    buffer: Final = memoryview(bytearray(256 * 1024))
    numbers = count()
    delayed_connections = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._data: bytes = b""
        self._is_socket = False
        self._was_delayed = False
        self._path = b""
        self._body: SizedBody | ChunkedBody | None = None
        self._chunks_per_event = 0
        self._until_event = 0
        self._audio_bytes = 0
        self._chunks = 0
        self._frames = 0

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes go."""
        return Peer.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Answer whatever is complete."""
        data = bytes(Peer.buffer[:nbytes])
        if self._is_socket:
            self._data = self._data + data if self._data else data
            self._read_frames()
        else:
            self._read_requests(data)

    # Requests.

    def _read_requests(self, data: bytes) -> None:
        while data or self._body is not None:
            if self._body is None:
                data, self._data = self._data + data, b""
                end = data.find(b"\r\n\r\n")
                if end < 0:
                    self._data = data
                    return
                head, data = data[:end], data[end + 4 :]
                self._path = head.split(b" ", 2)[1]
                key = _KEY.search(head)
                if key is not None:
                    self._data = data
                    self._upgrade(key.group(1))
                    return
                length = _LENGTH.search(head)
                is_chunked = _CHUNKED.search(head) is not None
                size = int(length.group(1)) if length else 0
                self._body = ChunkedBody() if is_chunked else SizedBody(size)
            rest = self._body.take(data)
            if rest is None:
                return
            body, self._body, data = self._body, None, rest
            self._answer(body)

    def _answer(self, body: SizedBody | ChunkedBody) -> None:
        path, delay = self._path, _AFTER.match(self._path)
        if path == b"/connections":
            self._write(json.dumps(Peer.delayed_connections).encode())
        elif path.startswith(b"/v1/speak"):
            self._speak(int(json.loads(body.kept)["text"]))
        elif delay is not None:
            if not self._was_delayed:
                self._was_delayed = True
                Peer.delayed_connections += 1
            text = payloads.answer(payloads.SMALL_WORDS)
            loop = asyncio.get_running_loop()
            loop.call_later(int(delay.group(1)) / 1000, self._write, text)
        elif path.startswith(b"/count/"):
            self._write(payloads.answer_of(payloads.SMALL_WORDS, body.size))
        else:
            is_large = path.startswith(b"/large/")
            words = payloads.LARGE_WORDS if is_large else payloads.SMALL_WORDS
            self._write(payloads.answer(words))

    def _write(self, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ndg-request-id: 8e4b5e0c\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )

    def _speak(self, megabytes: int) -> None:
        block = b"%x\r\n%b\r\n" % (_SPEECH_BLOCK, payloads.SPEECH[:_SPEECH_BLOCK])
        blocks = block * (len(payloads.SPEECH) // _SPEECH_BLOCK)
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: audio/l16\r\ndg-request-id: 8e4b5e0c\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % (blocks * megabytes)
        )

    # Streams.

    def _upgrade(self, key: bytes) -> None:
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        self._is_socket = True
        self._chunks_per_event = _CHUNKS_PER_EVENT.get(self._path.split(b"/")[1], 0)
        # The streams do not get their results all at once.
        phase = next(Peer.numbers) % self._chunks_per_event if self._chunks_per_event else 0
        self._until_event = self._chunks_per_event - phase
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
                length = int.from_bytes(data[position + 2 : start - 4])
            elif length == 127:
                start += 8
                if len(data) < start:
                    break
                length = int.from_bytes(data[position + 2 : start - 4])
            if len(data) < start + length:
                break
            if opcode == 2:
                chunks = length // len(payloads.AUDIO)  # a frame may have several
                self._chunks += chunks
                self._audio_bytes += length
                self._until_event -= chunks
                if self._chunks_per_event and self._until_event <= 0:
                    answers.append(self._event())
            else:
                answers += self._control(opcode, data, start, length)
            position = start + length
        self._data = data[position:]
        if answers:
            self._transport.write(b"".join(answers))

    def _event(self) -> bytes:
        """Return a result that ends with the chunk that came last."""
        self._until_event += self._chunks_per_event
        end = self._chunks * _CHUNK_S
        start = max(0.0, end - self._chunks_per_event * _CHUNK_S)
        return _frame(0x81, payloads.event(start, end - start))

    def _control(self, opcode: int, data: bytes, start: int, length: int) -> list[bytes]:
        key = data[start - 4 : start]
        payload = bytes(data[start + at] ^ key[at % 4] for at in range(length))
        if opcode == 8:
            self._transport.write(_frame(0x88, payload[:2]))
            self._transport.close()
        if opcode == 9:
            return [_frame(0x8A, payload)]
        return self._message(json.loads(payload)) if opcode == 1 else []

    def _message(self, message: dict[str, str]) -> list[bytes]:
        match message["type"]:
            case "CloseStream":
                last = payloads.last_event(self._audio_bytes)
                return [_frame(0x81, last), _frame(0x88, _SHORT.pack(1000))]
            case "Speak":
                self._frames += int(message["text"])
                return []
            case "Flush":
                frames, self._frames = self._frames, 0
                flushed = _frame(0x81, b'{"type":"Flushed","sequence_id":0}')
                return [_frame(0x82, payloads.FRAME) * frames, flushed]
            case "Close":
                return [_frame(0x88, _SHORT.pack(1000))]
            case _:
                return []


def _frame(first: int, payload: bytes) -> bytes:
    if len(payload) < 126:
        return bytes((first, len(payload))) + payload
    return bytes((first, 126)) + _SHORT.pack(len(payload)) + payload


if __name__ == "__main__":
    main()
