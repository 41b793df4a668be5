"""What a session holds while it is open on one event loop: the ways to REST and to sockets.

Both are loaded when they are first used, in a thread: a program that only streams does without
aiohttp, one that sends recordings without websockets, and both libraries are slow to import.
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deepgram_async._protocol.credentials import CredentialsSource
from deepgram_async._protocol.settings import CallSettings, NetworkSettings
from deepgram_async.errors import ConfigurationError, InvalidStateError

if TYPE_CHECKING:
    from deepgram_async._io.http import HttpClient
    from deepgram_async._io.rest import Rest
    from deepgram_async._io.sockets import WebSocket

__all__ = ["Transport", "open_transport"]


async def open_transport(
    settings: NetworkSettings,
    calls: CallSettings,
    client: HttpClient | None,
) -> Transport:
    """Return a transport for the running loop.

    Raises:
        ConfigurationError: The proxy is not the URL of an HTTP proxy.
    """
    _check_proxy(settings.proxy)
    context = settings.ssl_context
    if context is None and calls.endpoints.is_encrypted:
        # Loading the system's certificates takes about 20 ms of a blocked thread, so not this one;
        # REST and all sockets share the result.
        context = await asyncio.to_thread(ssl.create_default_context)
    transport = Transport(settings, calls, client, context)
    await transport.close_with_loop()
    return transport


def _check_proxy(url: str | None) -> None:
    if url is None:
        return
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        parts.port  # noqa: B018 - reading the property checks that the port is a number
    except ValueError:
        is_usable = False
    if not is_usable:
        # The URL itself, which may carry a password, is not shown.
        raise ConfigurationError("proxy must be a full URL such as http://proxy.example:3128")


class Transport:
    """The connections of one session on one loop; every request and socket passes here."""

    def __init__(
        self,
        settings: NetworkSettings,
        calls: CallSettings,
        client: HttpClient | None,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self._settings = settings
        self._calls = calls
        self._client = client
        self._ssl_context = ssl_context
        self._rest: Rest | None = None
        self._is_closed = False
        self._open_websocket: Callable[..., Awaitable[WebSocket]] | None = None
        self._guard = self._until_the_loop_ends()

    async def close_with_loop(self) -> None:
        """Arrange that the loop closes the connections when it ends before the session does."""
        await anext(self._guard)

    async def aclose(self) -> None:
        """Close the connections; safe to repeat."""
        await self._guard.aclose()

    async def _until_the_loop_ends(self) -> AsyncGenerator[None]:
        # asyncio.run() closes asynchronous generators that are still suspended when its main
        # function is done; so a session that nobody closed leaves no open socket behind.
        try:
            yield
        finally:
            self._is_closed = True
            if self._rest is not None:
                await self._rest.aclose()

    # Public methods.

    async def rest(self) -> Rest:
        """Return what sends calls, made when it is first needed.

        Raises:
            InvalidStateError: The session was closed in the meantime.
        """
        if self._rest is None:
            io = await asyncio.to_thread(importlib.import_module, "deepgram_async._io.rest")
            if self._is_closed:
                raise InvalidStateError("the session was closed during the request")
            if self._rest is None:  # no other task was faster
                self._rest = io.Rest(self._settings, self._calls, self._client, self._ssl_context)
        assert self._rest is not None
        return self._rest

    async def connect(
        self,
        path: str,
        query: str,
        calls: CallSettings,
        credentials: CredentialsSource,
        operation: str,
        *,
        is_agent: bool = False,
    ) -> WebSocket:
        """Return a new connected WebSocket, see ``open_websocket``."""
        open_websocket = self._open_websocket
        if open_websocket is None:
            io = await asyncio.to_thread(importlib.import_module, "deepgram_async._io.websocket")
            self._open_websocket = open_websocket = io.open_websocket
        endpoints = calls.endpoints
        url = f"{endpoints.agent_socket if is_agent else endpoints.socket}{path}"
        return await open_websocket(
            f"{url}?{query}" if query else url,
            headers=calls.extra_headers,
            secret_headers=(await credentials()).headers(),
            settings=calls.stream,
            operation=operation,
            proxy=self._settings.proxy,
            trust_env=self._settings.trust_env,
            ssl_context=self._ssl_context,
        )
