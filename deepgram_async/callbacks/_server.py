"""The inbox behind aiohttp: as a handler, or as a server of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from deepgram_async.callbacks._auth import challenge
from deepgram_async.callbacks._inbox import CallbackInbox
from deepgram_async.errors import InvalidStateError

if TYPE_CHECKING:
    from ssl import SSLContext

    from aiohttp import web

__all__ = ["CallbackServer", "aiohttp_handler"]

# Pieces of a body, as they are read.
_PIECE = 64 * 1024


def aiohttp_handler(
    inbox: CallbackInbox,
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return a handler for an application of aiohttp.

    ``app.router.add_route("*", "/deepgram", aiohttp_handler(inbox))``.
    """
    from aiohttp import web  # slow to import

    async def handle(request: web.Request) -> web.StreamResponse:
        # Read as a stream: the size is bounded by the inbox, not by the application.
        body = request.content.iter_chunked(_PIECE)
        status = await inbox.accept(request.method, request.headers, body)
        return web.Response(status=status, headers=challenge(status))

    return handle


class CallbackServer:
    """A web server that does nothing but take callbacks, at any path.

    Deepgram calls ports 80, 443, 8080 and 8443 (Deepgram docs, "STT Callback"); what it calls
    may be a proxy in front of this server.

    Args:
        inbox: Where the answers go.
        host: Address to listen on; all by default, because callbacks come from outside.
        port: Port to listen on; 0 takes a free one.
        tls: To serve ``https`` itself.
        shutdown_timeout_s: How long callbacks that are being taken may go on when it is stopped.
    """

    def __init__(
        self,
        inbox: CallbackInbox,
        *,
        host: str = "0.0.0.0",
        port: int = 8080,
        tls: SSLContext | None = None,
        shutdown_timeout_s: float = 5.0,
    ) -> None:
        self.inbox: CallbackInbox = inbox
        self._host = host
        self._wanted_port = port
        self._tls = tls
        self._shutdown_timeout_s = shutdown_timeout_s
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port listened on.

        Raises:
            InvalidStateError: The server is not started.
        """
        if self._runner is None:
            raise InvalidStateError("the callback server is not started")
        return int(self._runner.addresses[0][1])

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            InvalidStateError: It is started already.
            OSError: The address cannot be listened on.
        """
        from aiohttp import web  # slow to import

        if self._runner is not None:
            raise InvalidStateError("the callback server is started already")
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", aiohttp_handler(self.inbox))
        # No access log: a path may hold a secret.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=self._shutdown_timeout_s)
        try:
            await runner.setup()
            await web.TCPSite(runner, self._host, self._wanted_port, ssl_context=self._tls).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening, after callbacks that are being taken; twice is fine."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()
