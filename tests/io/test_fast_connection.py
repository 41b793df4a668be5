"""The short cuts of a connection give what websockets gives without them.

Both ways take the same bytes, in the same pieces; messages, the end, and what is written back must
be the same. The bytes are those of well-behaved and of broken servers.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConcurrencyError, ConnectionClosed
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri
from websockets.utils import accept_key

from deepgram_async._io import fast_connection
from deepgram_async._io.fast_connection import FastConnection, PlainConnection, connection_class

LARGEST = 1 << 20
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


class FakeTransport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.reading: list[str] = []
        self.was_closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self.was_closed

    def close(self) -> None:
        self.was_closed = True

    def abort(self) -> None:
        self.was_closed = True

    def pause_reading(self) -> None:
        self.reading.append("pause")

    def resume_reading(self) -> None:
        self.reading.append("resume")


class Told(NamedTuple):
    """All that can be seen of a connection."""

    messages: list[str | bytes]
    state: State
    close_code: int | None
    close_reason: str | None
    ended_with: str
    written: list[tuple[int, bytes, bool]]


class Link:
    """A connection after its handshake, without a network."""

    def __init__(self, kind: type[FastConnection | PlainConnection]) -> None:
        protocol = ClientProtocol(parse_uri("ws://localhost/"), max_size=LARGEST)
        self.transport = FakeTransport()
        self.connection = kind(protocol, ping_interval=None, close_timeout=None)
        self.connection.connection_made(self.transport)
        self.request = protocol.connect()
        protocol.send_request(self.request)
        self.connection.send_data()

    @property
    def answer(self) -> bytes:
        accept = accept_key(self.request.headers["Sec-WebSocket-Key"])
        return (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n"
        ).encode()

    def opened(self) -> "Link":
        self.connection.data_received(self.answer)
        assert self.connection.protocol.state is State.OPEN
        return self

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
    kind: type[FastConnection | PlainConnection],
    stream: bytes,
    cuts: Iterable[int],
    *,
    close_after: int | None = None,
) -> Told:
    """Return what a connection makes of a stream of bytes, cut in pieces at the given places."""
    link = Link(kind)
    connection = link.connection
    data = link.answer + stream
    places = sorted({cut % len(data) for cut in cuts} | {0, len(data)})
    messages: list[str | bytes] = []

    async def take() -> str:
        try:
            while True:
                messages.append(await connection.receive())
        except ConnectionClosed as error:
            return f"{type(error).__name__}: {error}; {error.rcvd}; {error.sent}"

    taking = asyncio.create_task(take())
    closing = None
    for number, (start, stop) in enumerate(pairwise(places)):
        connection.data_received(data[start:stop])
        await settled()
        if number == close_after and connection.protocol.state is State.OPEN:
            closing = asyncio.create_task(connection.close())
            await settled()
    connection.eof_received()
    connection.connection_lost(None)
    ended_with = await taking
    if closing is not None:
        await closing
    protocol = connection.protocol
    return Told(
        messages,
        protocol.state,
        protocol.close_code,
        protocol.close_reason,
        ended_with,
        link.sent_frames(),
    )


async def settled() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


def assert_same(stream: bytes, cuts: Sequence[int], *, close_after: int | None = None) -> Told:
    async def both() -> tuple[Told, Told]:
        return (
            await told(FastConnection, stream, cuts, close_after=close_after),
            await told(PlainConnection, stream, cuts, close_after=close_after),
        )

    fast, plain = asyncio.run(both())
    assert fast == plain
    return fast


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
    assert_same(b"".join(frames), cuts)


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
    assert (whole.close_code, whole.close_reason) == (1000, "bye")
    assert [opcode for opcode, _, _ in whole.written] == [PONG, PONG, CLOSE]
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
    seen = assert_same(before + stream + after, [])
    assert seen.messages[0] == "before"
    assert [struct.unpack("!H", data[:2])[0] for op, data, _ in seen.written if op == CLOSE] == [
        code
    ]


# Sending.

MESSAGES = st.lists(
    st.one_of(st.text(max_size=20), LENGTHS.map(lambda n: "é" * (n // 2)), DATA), max_size=200
)


@given(MESSAGES)
@settings(max_examples=50, deadline=None)
def test_what_is_sent_is_read_as_it_was_meant(messages: list[str | bytes]) -> None:
    async def sent() -> list[tuple[int, bytes, bool]]:
        link = Link(FastConnection).opened()
        await link.connection.send_all(messages)
        return link.sent_frames()

    assert asyncio.run(sent()) == [
        (TEXT, message.encode(), True) if isinstance(message, str) else (BINARY, message, True)
        for message in messages
    ]


async def test_messages_are_sent_in_one_write_and_masked_with_fresh_keys() -> None:
    link = Link(FastConnection).opened()
    del link.transport.written[1:]
    await link.connection.send_all([bytes(100)] * 300)
    (written,) = link.transport.written[1:]
    keys = {written[at + 2 : at + 6] for at in range(0, len(written), 106)}
    assert len(keys) == 300


async def test_sending_waits_while_the_peer_takes_nothing() -> None:
    link = Link(FastConnection).opened()
    link.connection.pause_writing()
    sending = asyncio.create_task(link.connection.send_all([b"audio"]))
    await settled()
    assert not sending.done()
    link.connection.resume_writing()
    await sending
    assert link.sent_frames() == [(BINARY, b"audio", True)]


async def test_what_would_have_to_wait_is_not_sent_now() -> None:
    link = Link(FastConnection).opened()
    assert link.connection.send_now(b"one")
    link.connection.pause_writing()
    assert not link.connection.send_now(b"two")
    link.connection.resume_writing()
    assert link.connection.send_now("three")
    link.transport.abort()
    assert not link.connection.send_now(b"four")
    assert link.sent_frames() == [(BINARY, b"one", True), (TEXT, b"three", True)]
    assert not Link(PlainConnection).opened().connection.send_now(b"one")


async def test_a_message_waits_for_one_that_is_sent_in_fragments() -> None:
    link = Link(FastConnection).opened()
    gate = asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        yield b"one "
        await gate.wait()
        yield b"two"

    first = asyncio.create_task(link.connection.send(parts()))
    await settled()
    second = asyncio.create_task(link.connection.send_all([b"three"]))
    await settled()
    gate.set()
    await asyncio.gather(first, second)
    assert b"".join(data for _, data, _ in link.sent_frames()) == b"one twothree"


async def test_sending_after_the_end_raises() -> None:
    link = Link(FastConnection).opened()
    link.connection.data_received(frame(CLOSE, struct.pack("!H", 1011)))
    link.connection.connection_lost(None)
    with pytest.raises(ConnectionClosed):
        await link.connection.send_all([b"late"])


# Receiving.


async def test_reading_stops_while_many_messages_wait() -> None:
    link = Link(FastConnection).opened()
    link.connection.data_received(frame(TEXT, b"x") * 64)
    assert link.transport.reading == []
    link.connection.data_received(frame(TEXT, b"x"))
    assert link.transport.reading == ["pause"]
    for _ in range(48):
        await link.connection.receive()
    assert link.transport.reading == ["pause"]
    await link.connection.receive()
    assert link.transport.reading == ["pause", "resume"]


async def test_cancelling_while_a_message_comes_in_fragments_loses_none() -> None:
    link = Link(FastConnection).opened()
    link.connection.data_received(frame(TEXT, b"first "[:5], fin=False))
    waiting = asyncio.create_task(link.connection.receive())
    await settled()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    link.connection.data_received(frame(CONTINUATION, b" half") + frame(TEXT, b"next"))
    assert [await link.connection.receive() for _ in range(2)] == ["first half", "next"]


async def test_one_task_receives() -> None:
    link = Link(FastConnection).opened()
    waiting = asyncio.create_task(link.connection.receive())
    await settled()
    with pytest.raises(ConcurrencyError):
        await link.connection.receive()
    link.connection.data_received(frame(TEXT, b"for the first"))
    assert await waiting == "for the first"


async def test_a_refused_handshake_is_left_to_websockets() -> None:
    link = Link(FastConnection)
    link.connection.data_received(b"HTTP/1.1 401 Unauthorized\r\nContent-Le")
    link.connection.data_received(b"ngth: 4\r\n\r\n\x81\x02no")
    assert link.connection.response is not None
    assert link.connection.response.status_code == 401
    assert link.connection.response.body == b"\x81\x02no"


def test_another_version_of_websockets_goes_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert issubclass(connection_class(), ClientConnection)
    monkeypatch.setattr(fast_connection, "version", "17.9")
    assert connection_class() is FastConnection
    monkeypatch.setattr(fast_connection, "version", "170.0")
    assert connection_class() is PlainConnection
