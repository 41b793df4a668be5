"""One WebSocket over the websockets package, and every way it can end."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from websockets.asyncio.client import connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)

from deepgram_async._io.fast_connection import (
    FastConnection,
    PlainConnection,
    connection_class,
)
from deepgram_async._io.words import USER_AGENT, merged_headers, plain_words, refusal_of_proxy
from deepgram_async._protocol.answers import HttpAnswer, error_from_answer
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import Close, SocketClosed
from deepgram_async.errors import (
    ConfigurationError,
    ConnectError,
    DeepgramError,
    MissingDependencyError,
    OperationTimeoutError,
    ProtocolError,
)

__all__ = ["WebSocket", "open_websocket"]

# Far above any message of the service; the default of the package, 1 MiB, is not.
_LARGEST_MESSAGE: Final = 16 << 20
# Reading stops while this many messages wait; the reader of a stream never lets it come so far.
_RECEIVE_QUEUE: Final = 64
_ABNORMAL: Final = 1006


class WebSocket:
    """A connected WebSocket; frames go in and out, nothing is interpreted."""

    def __init__(
        self, connection: FastConnection | PlainConnection, request_id: str | None
    ) -> None:
        self._connection = connection
        self.request_id: str | None = request_id
        self._abort_reason: str | None = None

    async def send_all(self, frames: Sequence[str | bytes]) -> None:
        """Write frames in their order, waiting while the peer takes nothing.

        Raises:
            SocketClosed: The WebSocket has ended.
        """
        try:
            await self._connection.send_all(frames)
        except ConnectionClosed as error:
            raise SocketClosed(self._close_of(error)) from None

    def send_now(self, frame: str | bytes) -> bool:
        """Write a frame if that needs no waiting, and return whether it was written."""
        return self._connection.send_now(frame)

    async def receive(self) -> str | bytes:
        """Return the next frame.

        Raises:
            SocketClosed: The WebSocket has ended.
        """
        try:
            return await self._connection.receive()
        except ConnectionClosed as error:
            raise SocketClosed(self._close_of(error)) from None

    async def aclose(self, timeout_s: float) -> None:
        """Close with code 1000, by force when the peer does not answer in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._connection.close()
        except TimeoutError:
            pass  # the connection is dropped below
        finally:
            self.abort("closed")
            await self._connection.wait_closed()

    def abort(self, reason: str) -> None:
        """Drop the connection at once, whatever waits to be written."""
        if self._abort_reason is None:
            self._abort_reason = reason
        self._connection.transport.abort()

    def _close_of(self, error: ConnectionClosed) -> Close:
        if error.rcvd is not None:
            return Close(error.rcvd.code, error.rcvd.reason)
        # Nothing was received, so the reason is what was noticed on this side.
        noticed = self._abort_reason or (error.sent.reason if error.sent is not None else "")
        return Close(_ABNORMAL, noticed)


async def open_websocket(
    url: str,
    *,
    headers: Mapping[str, str],
    secret_headers: Mapping[str, str],
    settings: StreamSettings,
    operation: str,
    proxy: str | None,
    trust_env: bool,
    ssl_context: ssl.SSLContext | None,
) -> WebSocket:
    """Return a connected WebSocket.

    Raises:
        ApiError: The service refused the handshake; the class tells why.
        ConnectError: The connection could not be made.
        OperationTimeoutError: The handshake was not answered in time.
        ProtocolError: What came back is not a WebSocket handshake.
    """
    # A dead peer is noticed by a ping that is not answered: together the two take dead_peer_s.
    ping_s = settings.dead_peer_s / 2
    try:
        connection = await _Connect(
            url,
            additional_headers=merged_headers({"User-Agent": USER_AGENT}, headers, secret_headers),
            user_agent_header=None,
            # Speech does not shrink; compressing it only costs time.
            compression=None,
            proxy=proxy or (True if trust_env else None),
            ssl=ssl_context if url.startswith("wss:") else None,
            open_timeout=settings.open_timeout_s,
            ping_interval=ping_s,
            ping_timeout=ping_s,
            close_timeout=settings.close_timeout_s,
            max_size=_LARGEST_MESSAGE,
            max_queue=_RECEIVE_QUEUE,
            logger=_quiet_logger(),
            create_connection=connection_class(),
        )
    except (WebSocketException, OSError, ValueError, ImportError) as error:
        failure = _translated(error, operation, settings)
    else:
        assert isinstance(connection, FastConnection | PlainConnection)  # asked for above
        response = connection.response
        return WebSocket(connection, response.headers.get("dg-request-id") if response else None)
    # Raised out here to be free of a context: those of the package lead to headers and proxy URLs.
    raise failure


class _Connect(connect):
    """Follows no redirect, as requests do: audio goes to the host that was named."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _translated(error: Exception, operation: str, settings: StreamSettings) -> DeepgramError:
    if isinstance(error, InvalidStatus):
        response = error.response
        headers = {name.lower(): value for name, value in response.headers.raw_items()}
        answer = HttpAnswer(response.status_code, headers, bytes(response.body or b""))
        refused = error_from_answer(answer, operation, now=time.time())
        refused.attempts = 1
        return refused
    if isinstance(error, TimeoutError):
        return OperationTimeoutError(
            f"the handshake was not answered for {settings.open_timeout_s:g} s",
            phase="connect",
            timeout_s=settings.open_timeout_s,
            operation=operation,
            hint="check base_url, the network and the proxy",
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectError(
            f"the certificate is not trusted: {error.verify_message}",
            operation=operation,
            retryable=False,
            hint="pass ssl_context= with your certificate authority",
        )
    if isinstance(error, InvalidProxyStatus):
        return refusal_of_proxy(error.response.status_code, operation)
    if isinstance(error, ProxyError):
        return ConnectError("the proxy did not connect", operation=operation, hint="check proxy=")
    if isinstance(error, InvalidProxy):
        # Its words show the URL of the proxy, and with it the password.
        return ConfigurationError("the URL of the proxy cannot be used", hint="check proxy=")
    if isinstance(error, ImportError):
        return MissingDependencyError("a SOCKS proxy needs the package python-socks")
    if isinstance(error, InvalidURI | ValueError):
        return ConfigurationError(f"the URL or a header cannot be used: {error}")
    if isinstance(error, InvalidHandshake):
        cause = error.__cause__
        if isinstance(cause, EOFError | OSError):
            return ConnectError("the connection ended in the handshake", operation=operation)
        return ProtocolError(
            f"the answer is not a WebSocket handshake: {cause or error}",
            body=b"",
            operation=operation,
            hint="check that base_url leads to Deepgram",
        )
    return ConnectError(
        f"cannot connect: {plain_words(error)}",
        operation=operation,
        hint="check base_url, the network and the proxy",
    )


@cache
def _quiet_logger() -> logging.Logger:
    # At DEBUG the package prints headers and audio. Nobody can lower the level of this logger, as
    # it is in no registry; what it does say goes to the handlers of our own.
    logger = logging.Logger("deepgram_async.websocket", logging.WARNING)
    logger.parent = logging.getLogger("deepgram_async")
    return logger
