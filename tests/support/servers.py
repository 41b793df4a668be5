"""Small scripted servers on loopback: one for HTTP, one for WebSockets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

__all__ = ["http_server", "websocket_server"]

HttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SocketHandler = Callable[[ServerConnection], Awaitable[None]]
HandshakeHook = Callable[[ServerConnection, Request], Response | None]


@asynccontextmanager
async def http_server(handler: HttpHandler) -> AsyncIterator[str]:
    """Answer every request by the handler; yield the base URL."""
    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(application)
    await server.start_server()
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


@asynccontextmanager
async def websocket_server(
    handler: SocketHandler, *, handshake: HandshakeHook | None = None
) -> AsyncIterator[str]:
    """Talk to every WebSocket by the handler; yield the base URL.

    A handler that returns closes the connection with code 1000.
    """
    async with serve(handler, "127.0.0.1", 0, process_request=handshake) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
