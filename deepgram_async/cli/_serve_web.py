"""The web server of the page of live captions: for this machine, and for this page alone."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Final, TypeAlias
from weakref import WeakSet

import aiohttp
from aiohttp import web

__all__ = ["Conversation", "serving"]

Conversation: TypeAlias = Callable[
    [AsyncIterator[str | bytes], Callable[[str], Awaitable[None]]], Awaitable[None]
]
"""Takes what a page says, and a function that tells the page."""

_HOST: Final = "127.0.0.1"
_FILES: Final = {
    "": ("index.html", "text/html"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
    "page.js": ("page.js", "text/javascript"),
    "style.css": ("style.css", "text/css"),
    "worklet.js": ("worklet.js", "text/javascript"),
}
# Nothing but the files of the page and its socket, in no frame, kept nowhere.
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# The page sends 50 ms of sound at a time: 19 KB at the highest rate.
_LARGEST_FRAME: Final = 1 << 16
_CLOSE_S: Final = 1.0
# What works for a page that has gone ends by itself before.
_SHUTDOWN_S: Final = 5.0


@asynccontextmanager
async def serving(converse: Conversation, *, port: int) -> AsyncGenerator[str, None]:
    """Serve the page and yield its address, which holds a secret.

    Args:
        converse: Called for every page that is opened, and cancelled if it does not return within
            five seconds after the server has ended.
        port: Port to listen on; 0 takes a free one.

    Raises:
        OSError: The port cannot be listened on.
    """
    server = _Server(converse)
    runner = web.AppRunner(server.app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, port).start()
        yield server.open_to(int(runner.addresses[0][1]))
    finally:
        await runner.cleanup()


class _Server:
    def __init__(self, converse: Conversation) -> None:
        self._converse = converse
        self._token = secrets.token_urlsafe(24)
        self._hosts: frozenset[str] = frozenset()
        self._sockets: WeakSet[web.WebSocketResponse] = WeakSet()
        self.app = web.Application(middlewares=[self._guard])
        self.app.add_routes(
            [
                web.get("/{token}/live", self._talk),
                web.get("/{token}/{name:[a-z.]*}", self._file),
            ]
        )
        self.app.on_response_prepare.append(_add_headers)
        self.app.on_shutdown.append(self._hang_up)

    def open_to(self, port: int) -> str:
        """Let requests in that were meant for this port, and return the address of the page."""
        names = (_HOST, "localhost")
        self._hosts = frozenset(f"{name}:{port}" for name in names) | (
            frozenset(names) if port == 80 else frozenset()
        )
        return f"http://{_HOST}:{port}/{self._token}/"

    @web.middleware
    async def _guard(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        # A foreign page that has made its own name mean this machine still sends that name.
        if request.host not in self._hosts:
            raise web.HTTPForbidden(text="This address is not served here.\n")
        token = request.match_info.get("token", "")
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            raise web.HTTPForbidden(text="Open the address that deepgram-async has printed.\n")
        return await handler(request)

    async def _file(self, request: web.Request) -> web.Response:
        name, media_type = _FILES.get(request.match_info["name"], ("", ""))
        if not name:
            raise web.HTTPNotFound
        content = files("deepgram_async.cli").joinpath("_captions_page", name).read_text("utf-8")
        return web.Response(text=content, content_type=media_type)

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        # Browsers let any page open a socket to any address, and say which page it was.
        if request.headers.get("Origin") != f"http://{request.host}":
            raise web.HTTPForbidden(text="This page may not listen here.\n")
        socket = web.WebSocketResponse(
            timeout=_CLOSE_S, heartbeat=20.0, compress=False, max_msg_size=_LARGEST_FRAME
        )
        await socket.prepare(request)
        self._sockets.add(socket)

        async def send(text: str) -> None:
            with suppress(ConnectionError):  # the page has gone, which the messages tell
                await socket.send_str(text)

        await self._converse(_messages(socket), send)
        await socket.close()
        return socket

    async def _hang_up(self, _: web.Application) -> None:
        goodbyes = (socket.close(code=aiohttp.WSCloseCode.GOING_AWAY) for socket in self._sockets)
        await asyncio.gather(*goodbyes, return_exceptions=True)


async def _messages(socket: web.WebSocketResponse) -> AsyncIterator[str | bytes]:
    async for message in socket:
        match message.type:
            case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                yield message.data
            case _:
                return


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
