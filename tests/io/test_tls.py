"""TLS of WebSockets: whatever is written comes out as it was, and every end is told."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from deepgram_async._io.shared_buffer import BufferedReader
from deepgram_async._io.tls import TlsConnection
from deepgram_async.testing import Fault, FaultProxy
from tests.support.certificates import tls_contexts

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SOON_S = 10.0
SIZES = [1, 100, 16_383, 16_384, 16_385, 70_000, 1 << 20]


class Reader(BufferedReader):
    """Keeps what comes."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.transport: Any = None
        self.calls: list[str] = []
        self.came = asyncio.Event()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes | memoryview) -> None:
        self.data += data
        self.came.set()

    def eof_received(self) -> None:
        self.calls.append("eof")

    def pause_writing(self) -> None:
        self.calls.append("pause")

    def resume_writing(self) -> None:
        self.calls.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)

    async def until(self, size: int) -> None:
        async with asyncio.timeout(SOON_S):
            while len(self.data) < size:
                self.came.clear()
                await self.came.wait()


@asynccontextmanager
async def serving(handler: Handler, *faults: Fault) -> AsyncGenerator[tuple[int, ssl.SSLContext]]:
    """Serve TLS on loopback, behind a proxy; yield its port and what a client trusts."""
    server_context, client_context = tls_contexts()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=server_context)
    port = server.sockets[0].getsockname()[1]
    async with server, FaultProxy(f"http://127.0.0.1:{port}", faults) as proxy:
        yield int(proxy.base_url.rpartition(":")[2]), client_context


async def connected(
    port: int, context: ssl.SSLContext, name: str = "127.0.0.1"
) -> TlsConnection[Reader]:
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: TlsConnection(Reader, context, name), "127.0.0.1", port
    )
    async with asyncio.timeout(SOON_S):
        await connection.handshake()
    return connection


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


async def ended(connection: TlsConnection[Reader]) -> Exception | None:
    async with asyncio.timeout(SOON_S):
        return await connection.inner.lost


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_written_comes_back_as_it_was(size: int) -> None:
    sent = bytes(number % 251 for number in range(size))
    async with serving(echo) as (port, context):
        connection = await connected(port, context)
        connection.write(sent)
        await connection.inner.until(size)
        assert connection.inner.data == sent
        connection.close()
        assert await ended(connection) is None


async def test_many_small_writes_keep_their_order() -> None:
    async with serving(echo) as (port, context):
        connection = await connected(port, context)
        for number in range(1000):
            connection.write(number.to_bytes(2, "big"))
        await connection.inner.until(2000)
        assert connection.inner.data == b"".join(n.to_bytes(2, "big") for n in range(1000))
        connection.abort()
        await ended(connection)


async def test_a_peer_that_reads_nothing_pauses_and_resumes_the_writer() -> None:
    go_on = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        await echo(reader, writer)

    async with serving(slow) as (port, context):
        connection = await connected(port, context)
        connection.set_write_buffer_limits(1 << 14)
        while "pause" not in connection.inner.calls:
            connection.write(bytes(1 << 16))
            await asyncio.sleep(0)
        assert connection.get_write_buffer_size() > 0
        go_on.set()
        async with asyncio.timeout(SOON_S):
            while "resume" not in connection.inner.calls:
                await asyncio.sleep(0.001)
        connection.abort()
        await ended(connection)


async def test_the_goodbye_of_the_server_is_the_end_of_what_comes() -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"bye")
        await writer.drain()

    async with serving(leave) as (port, context):
        connection = await connected(port, context)
        await ended(connection)
        assert connection.inner.data == b"bye"
        assert connection.inner.calls == ["eof"]


async def test_bytes_that_were_changed_on_the_way_end_the_connection() -> None:
    sent = bytes(number % 251 for number in range(100_000))

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await reader.read()

    fault = Fault("corrupt", "down", after_bytes=60_000, counting="down")
    async with serving(tell, fault) as (port, context):
        connection = await connected(port, context)
        await ended(connection)
        assert len(connection.inner.data) < 60_000
        assert sent.startswith(bytes(connection.inner.data))


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncGenerator[int]:
    """Serve without TLS: answer the first bytes with some, and reset; ``None`` never answers."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
            await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("answer", [b"", b"\x16\x03\x03", b"\x16\x03\x03\x00\x10half"])
async def test_a_handshake_that_is_cut_raises(answer: bytes) -> None:
    _, context = tls_contexts()
    async with answering(answer) as port:
        with pytest.raises(ConnectionError):
            await connected(port, context)


async def test_an_answer_that_is_no_tls_raises() -> None:
    _, context = tls_contexts()
    async with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        with pytest.raises(ssl.SSLError):
            await connected(port, context)


async def test_a_handshake_that_is_given_up_leaves_nothing_open() -> None:
    _, context = tls_contexts()
    async with answering(None) as port:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: TlsConnection(Reader, context, "127.0.0.1"), "127.0.0.1", port
        )
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await connection.handshake()
        assert connection.is_closing()
