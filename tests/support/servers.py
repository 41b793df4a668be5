"""Small scripted servers on loopback: HTTP, WebSockets, bare TCP, and a proxy."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.test_utils import TestServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

__all__ = [
    "Proxy",
    "RawHandler",
    "http_proxy",
    "http_server",
    "raw_server",
    "read_request",
    "reset",
    "websocket_server",
]

HttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SocketHandler = Callable[[ServerConnection], Awaitable[None]]
HandshakeHook = Callable[[ServerConnection, Request], Response | None]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def http_server(
    handler: HttpHandler, *, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[str]:
    """Answer every request by the handler; yield the base URL."""
    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(application)
    await server.start_server(ssl=tls)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


@asynccontextmanager
async def websocket_server(
    handler: SocketHandler,
    *,
    handshake: HandshakeHook | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[str]:
    """Talk to every WebSocket by the handler; yield the base URL.

    A handler that returns closes the connection with code 1000.
    """
    async with serve(handler, "127.0.0.1", 0, process_request=handshake, ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{port}"


@asynccontextmanager
async def raw_server(handler: RawHandler) -> AsyncGenerator[str]:
    """Hand every TCP connection to the handler, and close it after it; yield the base URL."""
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Peers go away in these tests; whoever is still talking at the end is cancelled.
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                await handler(reader, writer)
            finally:
                writer.close()
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(talk(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            assert ended is None or isinstance(ended, asyncio.CancelledError), ended


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Return head and body of the next request of a connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    fields = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
    }
    if "content-length" in fields:
        return head, await reader.readexactly(int(fields["content-length"]))
    body = b""
    if "transfer-encoding" not in fields:
        return head, body
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return head, body


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection with a TCP reset instead of closing it."""
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    writer.transport.abort()


@dataclass
class Proxy:
    """An HTTP proxy and what it was asked."""

    url: str = ""
    requests: list[str] = field(default_factory=list[str])
    heads: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def http_proxy(refusal: str | None = None) -> AsyncGenerator[Proxy]:
    """Forward requests and tunnel connections.

    Args:
        refusal: Status line to answer every request with instead.
    """
    proxy = Proxy()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, rest = head.split("\r\n", 1)
        method, target, version = request.split()
        proxy.requests.append(f"{method} {target}")
        proxy.heads.append(head)
        if refusal is not None:
            writer.write(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        tunnel = method == "CONNECT"
        parts = urlsplit(f"//{target}" if tunnel else target)
        onward = await asyncio.open_connection(parts.hostname, parts.port)
        if tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            onward[1].write(f"{method} {path} {version}\r\n{rest}".encode())
        try:
            await asyncio.gather(_copy(reader, onward[1]), _copy(onward[0], writer))
        finally:
            onward[1].close()
            with suppress(OSError):
                await onward[1].wait_closed()

    async with raw_server(handle) as url:
        proxy.url = url
        yield proxy


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(65536):
        writer.write(block)
        await writer.drain()
    writer.close()
