"""One WebSocket over the websockets package, and every way it can end."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final
from urllib.request import getproxies

from websockets.exceptions import (
    InvalidHandshake,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)
from websockets.uri import WebSocketURI, parse_uri
from websockets.version import version

from deepgram_async._io.fast_websocket import FastWebSocket
from deepgram_async._io.handshake import Handshake
from deepgram_async._io.plain_websocket import connected
from deepgram_async._io.sockets import WebSocket
from deepgram_async._io.tls import TlsConnection
from deepgram_async._io.words import USER_AGENT, merged_headers, plain_words, refusal_of_proxy
from deepgram_async._protocol.answers import HttpAnswer, error_from_answer
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async.errors import (
    ConfigurationError,
    ConnectError,
    DeepgramError,
    MissingDependencyError,
    OperationTimeoutError,
    ProtocolError,
)

__all__ = ["open_websocket"]

# The short cuts are compared with the plain way in these versions; any other one goes that way.
TESTED_VERSIONS: Final = ("15.", "16.", "17.")

# Far above any message of the service; the default of the package, 1 MiB, is not.
_LARGEST_MESSAGE: Final = 16 << 20
# Reading stops while this many messages wait; the reader of a stream never lets it come so far.
_RECEIVE_QUEUE: Final = 64


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
    all_headers = merged_headers({"User-Agent": USER_AGENT}, headers, secret_headers)
    context = ssl_context if url.startswith("wss:") else None
    try:
        is_direct = proxy is None and not (trust_env and getproxies())
        if is_direct and version.startswith(TESTED_VERSIONS):
            return await _direct(url, all_headers, settings, context)
        return await connected(
            url,
            additional_headers=all_headers,
            user_agent_header=None,
            # Speech does not shrink; compressing it only costs time.
            compression=None,
            proxy=proxy or (True if trust_env else None),
            ssl=context,
            open_timeout=settings.open_timeout_s,
            close_timeout_s=settings.close_timeout_s,
            max_size=_LARGEST_MESSAGE,
            max_queue=_RECEIVE_QUEUE,
            logger=_quiet_logger(),
        )
    except (WebSocketException, OSError, ValueError, ImportError) as error:
        failure = _translated(error, operation, settings)
    # Raised out here to be free of a context: those of the package lead to headers and proxy URLs.
    raise failure


async def _direct(
    url: str,
    headers: Mapping[str, str],
    settings: StreamSettings,
    context: ssl.SSLContext | None,
) -> FastWebSocket:
    uri = _parsed(url)
    handshake = Handshake(uri, headers)

    def make() -> FastWebSocket:
        return FastWebSocket(
            handshake,
            close_timeout_s=settings.close_timeout_s,
            max_size=_LARGEST_MESSAGE,
            logger=_quiet_logger(),
        )

    create_connection = asyncio.get_running_loop().create_connection
    async with asyncio.timeout(settings.open_timeout_s):
        if context is None:
            _, websocket = await create_connection(make, uri.host, uri.port)
        else:
            _, encrypted = await create_connection(
                lambda: TlsConnection(make, context, uri.host), uri.host, uri.port
            )
            websocket = await encrypted.handshake()
        try:
            await websocket.handshake()
        except BaseException:
            websocket.abort("the handshake failed")
            raise
    return websocket


@lru_cache(maxsize=64)
def _parsed(url: str) -> WebSocketURI:
    return parse_uri(url)


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
