"""REST over aiohttp: one request, and every way it can end."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import aiohttp
from yarl import URL

from deepgram_async._io.uploads import Upload
from deepgram_async._protocol.answers import HttpAnswer
from deepgram_async._protocol.requests import Request
from deepgram_async._protocol.settings import Timeouts
from deepgram_async._protocol.sources import ProgressHook
from deepgram_async._version import __version__
from deepgram_async.errors import (
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    InvalidStateError,
    OperationTimeoutError,
    ProtocolError,
    TransportError,
)

__all__ = ["Attempt", "HttpPool", "USER_AGENT"]

USER_AGENT: Final = f"deepgram_async/{__version__}"

# A call may be silent for minutes while the service works; without these probes a NAT or a load
# balancer forgets the connection. Not every system has every option.
_KEEPALIVE_OPTIONS: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 5))


class Attempt:
    """What is known of one attempt while it runs: its phase, and whether its socket was pooled."""

    __slots__ = ("connection_was_reused", "is_answered", "is_over", "limit_s", "phase", "scope")

    def __init__(self) -> None:
        self.connection_was_reused: bool = False
        self.is_answered: bool = False
        self.is_over: bool = False
        self.phase: str = "connect"
        self.limit_s: float = 0.0
        self.scope: asyncio.Timeout = asyncio.timeout(None)

    def enter(self, phase: str, limit_s: float) -> None:
        """Begin a phase, or note progress in it: its deadline starts anew."""
        if self.is_over:
            return  # the task that writes the body may be a step behind
        self.phase = phase
        self.limit_s = limit_s
        self.scope.reschedule(asyncio.get_running_loop().time() + limit_s)

    @property
    def was_stale(self) -> bool:
        """Whether a pooled connection can have ended before this request reached the service."""
        return self.connection_was_reused and not self.is_answered


class HttpPool:
    """A pool of connections on one event loop; it sends requests that are ready to go.

    It is made inside the loop and closed in it. A client session that the caller owns is used as
    it is, and left open.
    """

    def __init__(
        self,
        *,
        timeouts: Timeouts,
        limit: int,
        limit_per_host: int,
        proxy: str | None,
        trust_env: bool,
        ssl_context: ssl.SSLContext | None,
        client: aiohttp.ClientSession | None,
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=timeouts.connect_s)
        self._proxy = proxy
        self._owned: aiohttp.ClientSession | None = None
        if client is None:
            self._owned = client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=limit,
                    limit_per_host=limit_per_host,
                    ssl=ssl_context or True,
                    socket_factory=_keepalive_socket,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT},
                timeout=self._timeout,
                trace_configs=[_tracing()],
                trust_env=trust_env,
            )
        self._client = client

    async def aclose(self) -> None:
        """Close the connections, unless the client session belongs to the caller."""
        if self._owned is not None:
            await self._owned.close()

    async def fetch(
        self,
        request: Request,
        secret_headers: Mapping[str, str],
        timeouts: Timeouts,
        *,
        attempt: Attempt,
        upload: Upload | None = None,
        progress: ProgressHook | None = None,
    ) -> HttpAnswer:
        """Send one request and return the complete answer, whatever its status.

        Raises:
            ConnectError: The connection could not be made.
            ConnectionLostError: It ended before the answer was complete.
            OperationTimeoutError: A phase took longer than its deadline.
            ProtocolError: What came back is not HTTP.
            Exception: What the source of the upload raised.
        """
        response_s = timeouts.response_s or request.response_s
        headers = {**request.headers, **secret_headers}
        data: bytes | AsyncIterator[bytes | memoryview] | None = request.json
        if upload is not None:
            headers.setdefault("Content-Type", upload.content_type)
            if upload.length is not None:
                headers["Content-Length"] = str(upload.length)
            data = _watched(upload, attempt, timeouts.upload_idle_s, response_s, progress)
        try:
            async with attempt.scope:
                return await self._exchange(request, headers, data, timeouts, attempt, response_s)
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            if upload is not None and upload.error is not None:
                raise upload.error from None
            if attempt.scope.expired():
                raise _deadline(attempt, request.operation) from None
            if self._client.closed:
                raise InvalidStateError("the session was closed during the request") from None
            # Exceptions of aiohttp hold the request headers, so their repr shows the credentials.
            raise _translated(error, request.operation, timeouts) from None
        finally:
            attempt.is_over = True

    async def _exchange(
        self,
        request: Request,
        headers: Mapping[str, str],
        data: bytes | AsyncIterator[bytes | memoryview] | None,
        timeouts: Timeouts,
        attempt: Attempt,
        response_s: float,
    ) -> HttpAnswer:
        if data is request.json:
            # Nothing else starts the clock of a request without an uploaded body.
            attempt.enter("response", response_s + timeouts.connect_s)
        async with self._client.request(
            request.method,
            URL(request.url, encoded=True),
            headers=headers,
            data=data,
            timeout=self._timeout,
            allow_redirects=False,
            proxy=self._proxy,
            trace_request_ctx=None if self._owned is None else attempt,
        ) as response:
            attempt.is_answered = True
            parts: list[bytes] = []
            attempt.enter("download", timeouts.download_idle_s)
            async for part in response.content.iter_any():
                attempt.enter("download", timeouts.download_idle_s)
                parts.append(part)
        lowered = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(response.status, lowered, b"".join(parts))


async def _watched(
    upload: Upload,
    attempt: Attempt,
    idle_s: float,
    response_s: float,
    progress: ProgressHook | None,
) -> AsyncIterator[bytes | memoryview]:
    """Yield an upload while its deadline moves with its progress."""
    sent = 0
    attempt.enter("upload", idle_s)
    async for block in upload.blocks():
        yield block
        sent += len(block)
        if not attempt.is_answered:
            attempt.enter("upload", idle_s)
        if progress is not None:
            progress(sent, upload.length)
    if not attempt.is_answered:
        attempt.enter("response", response_s)


def _deadline(attempt: Attempt, operation: str) -> OperationTimeoutError:
    waited_for = {
        "connect": "no connection was made",
        "upload": "the upload made no progress",
        "response": "no answer began",
        "download": "the answer stopped arriving",
    }[attempt.phase]
    return OperationTimeoutError(
        f"{waited_for} for {attempt.limit_s:g} s",
        phase=attempt.phase,
        timeout_s=attempt.limit_s,
        operation=operation,
        hint="raise the limit with timeouts=Timeouts(...), or use submit() for long files"
        if attempt.phase == "response"
        else None,
    )


def _translated(
    error: Exception, operation: str, timeouts: Timeouts
) -> TransportError | ProtocolError | ConfigurationError:
    """Return our error for one of aiohttp's; nothing of aiohttp's object is kept."""
    if isinstance(error, aiohttp.ServerTimeoutError | TimeoutError):
        return OperationTimeoutError(
            f"no connection was made for {timeouts.connect_s:g} s",
            phase="connect",
            timeout_s=timeouts.connect_s,
            operation=operation,
            hint="check base_url, the network and the proxy",
        )
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return ConnectError(
            f"the certificate of {error.host!r} is not trusted: {error.certificate_error}",
            operation=operation,
            retryable=False,
            hint="pass ssl_context= with your certificate authority",
        )
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return ConnectError("the proxy did not connect", operation=operation, hint="check proxy=")
    if isinstance(error, aiohttp.ClientConnectorError):
        return ConnectError(
            f"cannot connect to {error.host}:{error.port}: {_plain(error.os_error)}",
            operation=operation,
            hint="check base_url, the network and the proxy",
        )
    if isinstance(error, aiohttp.ClientPayloadError):
        return ConnectionLostError("the answer broke off", operation=operation)
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return ConnectionLostError(
            f"the connection ended before an answer came: {_plain(error)}", operation=operation
        )
    if isinstance(error, aiohttp.ClientResponseError):
        return ProtocolError(
            f"the answer is not HTTP: {error.message}",
            body=b"",
            operation=operation,
            hint="check that base_url leads to Deepgram",
        )
    if isinstance(error, aiohttp.InvalidURL):
        return ConfigurationError(f"the URL cannot be used: {error.description}")
    if isinstance(error, ValueError):
        return ConfigurationError(f"the request cannot be built: {error}")
    return ConnectionLostError(f"the request failed: {_plain(error)}", operation=operation)


def _plain(error: BaseException) -> str:
    """Return the words of an error, never its ``repr``, which may hold request headers."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _keepalive_socket(address: Any) -> socket.socket:
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, seconds in _KEEPALIVE_OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, seconds)
    return made


def _tracing() -> aiohttp.TraceConfig:
    """Return hooks that tell an attempt whether its connection came from the pool."""

    async def reused(
        client: aiohttp.ClientSession, context: Any, params: aiohttp.TraceConnectionReuseconnParams
    ) -> None:
        context.trace_request_ctx.connection_was_reused = True

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(reused)
    return tracing
