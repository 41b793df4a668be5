"""The short cuts of a WebSocket give what websockets gives without them.

Both ways take the same bytes, in the same pieces; messages, the end, and what is written back must
be the same. The bytes are those of well-behaved and of broken servers.
"""

import asyncio
import logging
import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.uri import parse_uri
from websockets.utils import accept_key

from deepgram_async._io.fast_websocket import FastWebSocket
from deepgram_async._io.handshake import Handshake
from deepgram_async._io.plain_websocket import PlainConnection, PlainWebSocket
from deepgram_async._protocol.sockets import Close

LARGEST: Final = 1 << 20
LARGEST_READ: Final = 64 << 10
PATIENCE_S: Final = 60.0
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


class FakeTransport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.was_closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self.was_closed

    def close(self) -> None:
        self.was_closed = True

    def abort(self) -> None:
        self.was_closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Listener:
    """Takes what a WebSocket brings."""

    def __init__(self) -> None:
        self.frames: list[str | bytes] = []
        self.end: Close | None = None
        self.rooms = 0

    def frame_received(self, frame: str | bytes) -> None:
        assert self.end is None
        self.frames.append(frame)

    def room_came(self) -> None:
        self.rooms += 1

    def socket_ended(self, close: Close) -> None:
        assert self.end is None
        self.end = close


class Told(NamedTuple):
    """All that can be seen of a WebSocket."""

    messages: list[str | bytes]
    end: Close | None
    closes: list[tuple[int, bytes, bool]]
    pongs: list[tuple[int, bytes, bool]]


class Link:
    """A WebSocket without a network."""

    def __init__(self, *, is_fast: bool) -> None:
        uri = parse_uri("ws://localhost/")
        self.transport = FakeTransport()
        self.listener = Listener()
        self.websocket: FastWebSocket | PlainWebSocket
        self.carrier: FastWebSocket | PlainConnection
        if is_fast:
            self.websocket = self.carrier = FastWebSocket(
                Handshake(uri, {}),
                close_timeout_s=PATIENCE_S,
                max_size=LARGEST,
                logger=logging.getLogger(),
            )
            self.carrier.connection_made(self.transport)
            opening = self.carrier.handshake()
        else:
            self.carrier = PlainConnection(
                ClientProtocol(uri, max_size=LARGEST),
                ping_interval=None,
                close_timeout=PATIENCE_S,
                max_queue=None,
            )
            self.carrier.connection_made(self.transport)
            self.websocket = PlainWebSocket(self.carrier)
            opening = self.carrier.handshake({})
        self.opening = asyncio.create_task(opening)

    def feed(self, data: bytes) -> None:
        """Hand over what came, as the transports do; the buffer is used again for what follows."""
        if not isinstance(self.carrier, FastWebSocket):
            self.carrier.data_received(data)
            return
        for start in range(0, len(data), LARGEST_READ):
            piece = data[start : start + LARGEST_READ]
            buffer = self.carrier.get_buffer(-1)
            buffer[: len(piece)] = piece
            self.carrier.buffer_updated(len(piece))
            buffer[: len(piece)] = b"\xff" * len(piece)

    async def asked(self) -> "Link":
        await settled()
        return self

    async def opened(self) -> "Link":
        await settled()
        self.feed(self.answer)
        await self.opening
        self.websocket.attach(self.listener)
        await settled()
        return self

    async def ended(self) -> "Link":
        self.carrier.connection_lost(None)
        await settled()
        await self.websocket.aclose(1)
        return self

    @property
    def answer(self) -> bytes:
        (key,) = [
            line.partition(b": ")[2].decode()
            for line in self.transport.written[0].split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key")
        ]
        return (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n"
        ).encode()

    def sent_frames(self) -> list[tuple[int, bytes, bool]]:
        """Return what a server reads of all that was written after the handshake."""
        server = ServerProtocol(max_size=None)
        request, *written = self.transport.written
        server.receive_data(request)
        (event,) = server.events_received()
        assert isinstance(event, Request)
        server.send_response(server.accept(event))
        server.receive_data(b"".join(written))
        frames = [event for event in server.events_received() if isinstance(event, Frame)]
        return [(int(frame.opcode), bytes(frame.data), frame.fin) for frame in frames]


async def told(
    stream: bytes, cuts: Iterable[int], *, is_fast: bool, close_after: int | None = None
) -> Told:
    """Return what a WebSocket makes of a stream of bytes, cut in pieces at the given places."""
    link = await Link(is_fast=is_fast).asked()
    data = link.answer + stream
    places = sorted({cut % len(data) for cut in cuts} | {0, len(data)})
    is_attached = False
    for number, (start, stop) in enumerate(pairwise(places)):
        link.feed(data[start:stop])
        await settled()
        if link.opening.done() and not is_attached:
            is_attached = True
            link.websocket.attach(link.listener)
            await settled()
        if number == close_after and is_attached:
            link.websocket.start_closing()
            await settled()
    link.carrier.eof_received()
    await link.ended()
    sent = link.sent_frames()
    return Told(
        link.listener.frames,
        link.listener.end,
        [frame for frame in sent if frame[0] == CLOSE],
        [frame for frame in sent if frame[0] == PONG],
    )


async def settled() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


def assert_same(
    stream: bytes, cuts: Sequence[int], *, close_after: int | None = None, mistakes: int = 0
) -> Told:
    async def both() -> tuple[Told, Told]:
        return (
            await told(stream, cuts, is_fast=True, close_after=close_after),
            await told(stream, cuts, is_fast=False, close_after=close_after),
        )

    fast, plain = asyncio.run(both())
    if mistakes and has_failed(fast):
        # The plain way looks for mistakes in messages only after it has read all that came with
        # them, so it answers pings behind the first mistake, and may find another one before it.
        assert has_failed(plain)
        assert plain.pongs[: len(fast.pongs)] == fast.pongs
        plain = plain._replace(pongs=fast.pongs)
        if mistakes > 1:
            plain = plain._replace(closes=fast.closes, end=fast.end)
    assert fast == plain
    return fast


def has_failed(seen: Told) -> bool:
    return any(struct.unpack("!H", data[:2])[0] != 1000 for _, data, _ in seen.closes if data)


def frame(
    opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, key: bytes = b""
) -> bytes:
    """Return a frame as any server may send it, valid or not."""
    first = fin << 7 | rsv << 4 | opcode
    mask = 0x80 if key else 0
    length = len(payload)
    if length < 126:
        header = struct.pack("!BB", first, mask | length)
    elif length < 1 << 16:
        header = struct.pack("!BBH", first, mask | 126, length)
    else:
        header = struct.pack("!BBQ", first, mask | 127, length)
    masked = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload)) if key else payload
    return header + key + masked


LENGTHS = st.sampled_from([0, 1, 2, 125, 126, 127, 640, 2000, 65535, 65536, 70000])
TEXTS = st.one_of(
    st.text(max_size=20).map(str.encode), LENGTHS.map(lambda length: b"\xc3\xa4" * (length // 2))
)
DATA = st.one_of(st.binary(max_size=20), LENGTHS.map(bytes))
SHORT = st.binary(max_size=125)


@st.composite
def fragments(draw: st.DrawFn) -> bytes:
    """A message in fragments, with control frames between them."""
    opcode = draw(st.sampled_from([TEXT, BINARY]))
    payload = draw(TEXTS if opcode == TEXT else DATA)
    cuts = sorted(draw(st.lists(st.integers(0, len(payload)), min_size=1, max_size=4)))
    parts = [
        payload[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(payload)], strict=True)
    ]
    stream = frame(opcode, parts[0], fin=False)
    for number, part in enumerate(parts[1:], 2):
        if draw(st.booleans()):
            stream += frame(draw(st.sampled_from([PING, PONG])), draw(SHORT))
        stream += frame(CONTINUATION, part, fin=number == len(parts))
    return stream


COMMON = st.one_of(TEXTS.map(lambda text: frame(TEXT, text)), DATA.map(lambda d: frame(BINARY, d)))
CONTROL = st.builds(frame, st.sampled_from([PING, PONG]), SHORT)


def close_frame(code: int, reason: str) -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason.encode())


CLOSES = st.builds(
    close_frame,
    st.sampled_from([1000, 1001, 1008, 1011, 1005, 4000, 999]),
    st.sampled_from(["", "bye", "NET-0001"]),
)
BROKEN = st.one_of(
    SHORT.map(lambda data: frame(TEXT, data)),  # often no UTF-8
    SHORT.map(lambda data: frame(TEXT, data, key=b"\x01\x02\x03\x04")),
    SHORT.map(lambda data: frame(CONTINUATION, data)),
    SHORT.map(lambda data: frame(BINARY, data, fin=False)),
    st.builds(frame, st.integers(0, 15), SHORT, fin=st.booleans(), rsv=st.integers(0, 7)),
    st.just(frame(PING, bytes(126))),
    st.just(frame(CLOSE, b"\x03")),
    st.just(frame(CLOSE, b"")),
    st.just(frame(BINARY, bytes(LARGEST + 1))[:20]),
    st.just(struct.pack("!BBH", 0x81, 126, 5) + b"short"),  # a length in more bytes than it needs
    st.binary(min_size=1, max_size=12),
)
WELL_BEHAVED = st.lists(st.one_of(COMMON, COMMON, fragments(), CONTROL), max_size=8)
CUTS = st.lists(st.integers(0, 1 << 20), max_size=12)


@given(WELL_BEHAVED, st.one_of(st.just(b""), CLOSES), CUTS, st.integers(-8, 8))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_both_ways_are_the_same_with_a_server_that_behaves(
    frames: list[bytes], close: bytes, cuts: list[int], close_after: int
) -> None:
    assert_same(b"".join(frames) + close, cuts, close_after=close_after)


@given(st.lists(st.one_of(COMMON, fragments(), CONTROL, BROKEN, CLOSES), max_size=8), CUTS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_both_ways_are_the_same_with_a_server_that_does_not(
    frames: list[bytes], cuts: list[int]
) -> None:
    assert_same(b"".join(frames), cuts, mistakes=len(frames))


EVERYTHING = b"".join(
    [
        frame(TEXT, '{"type":"Results","a":"ä"}'.encode()),
        frame(BINARY, bytes(range(200))),
        frame(PING, b"are you there"),
        frame(TEXT, b"one ", fin=False),
        frame(PING, b""),
        frame(CONTINUATION, b"two ", fin=False),
        frame(CONTINUATION, b"three"),
        frame(TEXT, b""),
        frame(PONG, b"nobody asked"),
        frame(BINARY, b"last"),
        frame(CLOSE, struct.pack("!H", 1000) + b"bye"),
    ]
)


def test_a_stream_may_be_cut_at_every_byte() -> None:
    whole = assert_same(EVERYTHING, [])
    assert whole.messages == [
        '{"type":"Results","a":"ä"}',
        bytes(range(200)),
        "one two three",
        "",
        b"last",
    ]
    assert whole.end == Close(1000, "bye")
    assert [data for _, data, _ in whole.pongs] == [b"are you there", b""]
    length = len(EVERYTHING) + 200  # the answer to the handshake is shorter
    assert assert_same(EVERYTHING, range(length)) == whole
    for place in range(0, length, 7):
        assert assert_same(EVERYTHING, [place]) == whole


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b"ok", rsv=4), 1002),
        (frame(3, b"?"), 1002),
        (frame(TEXT, b"ok", key=b"abcd"), 1002),
        (frame(CONTINUATION, b"of what"), 1002),
        (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
        (frame(PING, b"x", fin=False), 1002),
        (frame(BINARY, bytes(LARGEST + 1)), 1009),
    ],
    ids=["utf8", "reserved", "opcode", "masked", "continuation", "inside", "ping", "large"],
)
def test_a_broken_frame_ends_the_connection_with_its_code(stream: bytes, code: int) -> None:
    before, after = frame(TEXT, b"before"), frame(TEXT, b"after")
    seen = assert_same(before + stream + after, [], mistakes=1)
    assert seen.messages[0] == "before"
    assert [struct.unpack("!H", data[:2])[0] for _, data, _ in seen.closes] == [code]


# Sending.

MESSAGES = st.lists(
    st.one_of(st.text(max_size=20), LENGTHS.map(lambda n: "é" * (n // 2)), DATA), max_size=200
)


@given(MESSAGES)
@settings(max_examples=50, deadline=None)
def test_what_is_sent_is_read_as_it_was_meant(messages: list[str | bytes]) -> None:
    async def sent() -> list[tuple[int, bytes, bool]]:
        link = await Link(is_fast=True).opened()
        link.websocket.write(messages)
        await link.ended()
        return link.sent_frames()

    assert asyncio.run(sent()) == [
        (TEXT, message.encode(), True) if isinstance(message, str) else (BINARY, message, True)
        for message in messages
    ]


async def test_messages_are_sent_in_one_write_and_masked_with_fresh_keys() -> None:
    link = await Link(is_fast=True).opened()
    link.websocket.write([bytes(100)] * 300)
    (written,) = link.transport.written[1:]
    keys = {written[at + 2 : at + 6] for at in range(0, len(written), 106)}
    assert len(keys) == 300
    assert link.websocket.taken_bytes == 300 * 106 + len(link.transport.written[0])
    await link.ended()


async def test_a_peer_that_takes_nothing_is_not_written_to() -> None:
    link = await Link(is_fast=True).opened()
    seen = [link.websocket.is_writable]
    link.carrier.pause_writing()
    seen.append(link.websocket.is_writable)
    link.carrier.resume_writing()
    seen.append(link.websocket.is_writable)
    assert seen == [True, False, True]
    assert link.listener.rooms == 1
    await link.ended()


async def test_nothing_is_written_once_either_side_is_closing() -> None:
    link = await Link(is_fast=True).opened()
    link.feed(frame(CLOSE, struct.pack("!H", 1011) + b"NET-0001"))
    assert not link.websocket.is_writable
    await link.ended()
    assert link.listener.end == Close(1011, "NET-0001")
    assert not link.websocket.is_writable


async def test_a_ping_is_answered_and_counts_as_a_sign_of_life() -> None:
    link = await Link(is_fast=True).opened()
    link.websocket.was_heard = link.websocket.was_used = False
    link.websocket.ping()
    seen = [(link.websocket.was_used, link.websocket.was_heard)]
    link.feed(frame(PONG, b""))
    seen.append((link.websocket.was_used, link.websocket.was_heard))
    assert seen == [(True, False), (True, True)]
    assert link.sent_frames() == [(PING, b"", True)]
    await link.ended()


async def test_frames_that_come_with_the_handshake_wait_for_whoever_takes_them() -> None:
    link = await Link(is_fast=True).asked()
    link.feed(link.answer + frame(TEXT, b"early") + frame(TEXT, b"bird"))
    await link.opening
    link.carrier.connection_lost(None)
    link.websocket.attach(link.listener)
    assert link.listener.frames == ["early", "bird"]
    assert link.listener.end == Close(1006, "")


async def test_too_many_fragments_end_the_connection() -> None:
    link = await Link(is_fast=True).opened()
    link.feed(frame(BINARY, b"", fin=False) + frame(CONTINUATION, b"", fin=False) * 4096)
    ((opcode, data, _),) = link.sent_frames()
    assert (opcode, struct.unpack("!H", data[:2])[0]) == (CLOSE, 1009)
    await link.ended()


async def test_a_refused_handshake_is_left_to_websockets() -> None:
    link = await Link(is_fast=True).asked()
    link.feed(b"HTTP/1.1 401 Unauthorized\r\nContent-Le")
    link.feed(b"ngth: 4\r\n\r\n\x81\x02no")
    with pytest.raises(InvalidStatus) as caught:
        await link.opening
    assert caught.value.response.status_code == 401
    assert caught.value.response.body == b"\x81\x02no"
    await link.ended()
