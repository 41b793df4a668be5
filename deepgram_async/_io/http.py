"""REST over aiohttp: one request, and every way it can end."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, Final, Self
from weakref import WeakSet

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from deepgram_async._io import words
from deepgram_async._io.attempts import CURRENT, Attempt
from deepgram_async._io.short_requests import ShortRequests, are_possible
from deepgram_async._io.uploads import Upload
from deepgram_async._io.words import USER_AGENT, merged_headers
from deepgram_async._protocol.answers import HttpAnswer
from deepgram_async._protocol.requests import Request
from deepgram_async._protocol.settings import Timeouts
from deepgram_async._protocol.sources import ProgressHook
from deepgram_async.errors import (
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    InvalidStateError,
    OperationTimeoutError,
    ProtocolError,
    TransportError,
)

__all__ = ["HttpClient", "HttpPool", "HttpStream"]

# What is read of a body at once. aiohttp joins what has come, and larger pieces in memory that the
# system has to make anew each time.
_PIECE: Final = 64 << 10

HttpClient = aiohttp.ClientSession

# Whatever aiohttp ends with.
_FAILURES: Final = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError, RuntimeError)

# A call may be silent for minutes while the service works; without these probes a NAT or a load
# balancer forgets the connection. Not every system has every option.
_KEEPALIVE_OPTIONS: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 5))


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
        client: HttpClient | None,
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=timeouts.connect_s)
        self._proxy = proxy
        self._connector: _Connector | None = None
        if client is None:
            self._connector = _Connector(
                limit=limit,
                limit_per_host=limit_per_host,
                ssl=ssl_context or True,
                socket_factory=_keepalive_socket,
            )
            client = aiohttp.ClientSession(
                connector=self._connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT},
                timeout=self._timeout,
                trust_env=trust_env,
            )
        self._client = client
        self._short: ShortRequests | None = None
        if self._connector is not None and proxy is None and not trust_env and are_possible(client):
            self._short = ShortRequests(client, self._connector, self._timeout)
        self._answers: WeakSet[aiohttp.ClientResponse] = WeakSet()

    async def aclose(self) -> None:
        """Close the connections, unless the client session belongs to the caller."""
        # aiohttp 3.14 does not wake up who reads from a connection that is closed with the pool.
        for answer in tuple(self._answers):
            answer.close()
        if self._short is not None:
            self._short.close()
        if self._connector is not None:
            await self._client.close()

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
        data: bytes | _Body | None = request.content
        headers = [request.headers, secret_headers]
        if upload is not None:
            headers = [{"Content-Type": upload.content_type}, *headers]
            if upload.length is not None:
                headers.append({"Content-Length": str(upload.length)})
            # What is whole needs no task that writes it, and no deadline that follows it.
            data = upload.whole
            if data is None or progress is not None:
                data = _Body(upload, attempt, timeouts.upload_idle_s, response_s, progress)
        body = data if isinstance(data, _Body) else None
        try:
            with attempt:
                if body is None:
                    attempt.answer_within_s = response_s
                return await self._exchange(request, headers, data, timeouts, attempt)
        except _FAILURES as error:
            failure = self._failure(error, request.operation, timeouts, attempt, body)
        finally:
            if body is not None:
                await body.aclose()
        # Raised out here, because ``from None`` hides a context and keeps it: exceptions of aiohttp
        # hold the request headers, so the repr of the context would show the credentials.
        raise failure

    async def open(
        self,
        request: Request,
        secret_headers: Mapping[str, str],
        timeouts: Timeouts,
        *,
        attempt: Attempt,
    ) -> HttpStream:
        """Send one request and return its answer when it begins, whatever its status.

        Raises:
            ConnectError: The connection could not be made.
            ConnectionLostError: It ended before the answer began.
            OperationTimeoutError: A phase took longer than its deadline.
            ProtocolError: What came back is not HTTP.
        """
        headers = merged_headers(request.headers, secret_headers)
        attempt.answer_within_s = timeouts.response_s or request.response_s

        def fail(error: Exception, attempt: Attempt) -> Exception:
            return self._failure(error, request.operation, timeouts, attempt, None)

        try:
            with attempt:
                response = await self._answer(request, headers, request.content, timeouts, attempt)
                return HttpStream(response, timeouts.download_idle_s, fail)
        except _FAILURES as error:
            failure = fail(error, attempt)
        raise failure  # out here to be free of a context, as in `fetch`

    def _failure(
        self,
        error: Exception,
        operation: str,
        timeouts: Timeouts,
        attempt: Attempt,
        body: _Body | None,
    ) -> Exception:
        """Return what the caller is told about a request that ended without an answer."""
        if body is not None and body.error is not None:
            return body.error
        if attempt.is_expired:
            return _deadline(attempt, operation)
        if self._client.closed:
            return InvalidStateError(
                "the session was closed during the request", operation=operation
            )
        return _translated(error, operation, timeouts)

    async def _exchange(
        self,
        request: Request,
        headers: Iterable[Mapping[str, str]],
        data: bytes | _Body | None,
        timeouts: Timeouts,
        attempt: Attempt,
    ) -> HttpAnswer:
        if self._short is not None and not isinstance(data, _Body):
            url = URL(request.url, encoded=True)
            message = self._short.message(request.method, url, headers, data)
            if message is not None:
                return await self._short.fetch(url, message, attempt, timeouts.download_idle_s)
        merged = merged_headers(*headers)
        async with await self._answer(request, merged, data, timeouts, attempt) as response:
            parts: list[bytes] = []
            attempt.enter("download", timeouts.download_idle_s)
            async for part in response.content.iter_any():
                attempt.enter("download", timeouts.download_idle_s)
                parts.append(part)
        return HttpAnswer(response.status, _lowered(response), b"".join(parts))

    async def _answer(
        self,
        request: Request,
        headers: Mapping[str, str],
        data: bytes | _Body | None,
        timeouts: Timeouts,
        attempt: Attempt,
    ) -> aiohttp.ClientResponse:
        """Return the answer when its headers have come."""
        if self._connector is None and attempt.answer_within_s is not None:
            # Nobody tells when a client session of the caller has a connection.
            attempt.enter("response", attempt.answer_within_s + timeouts.connect_s)
        token = CURRENT.set(attempt)
        try:
            response = await self._client.request(
                request.method,
                URL(request.url, encoded=True),
                headers=headers,
                data=data,
                timeout=self._timeout,
                allow_redirects=False,
                proxy=self._proxy,
            )
        finally:
            CURRENT.reset(token)
        attempt.is_answered = True
        self._answers.add(response)
        return response


class HttpStream:
    """An answer whose headers have come, and whose body is read while it comes.

    Whoever stops before the end closes it, and with it the connection; an answer that was read
    to its end has given the connection back already.
    """

    status: int
    headers: Mapping[str, str]
    """With names in lower case."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        idle_s: float,
        fail: Callable[[Exception, Attempt], Exception],
    ) -> None:
        self.status = response.status
        self.headers = _lowered(response)
        self._response = response
        self._idle_s = idle_s
        self._fail = fail

    async def read(self) -> bytes:
        """Return the next piece of the body, whatever has come, and nothing at the end.

        Raises:
            ConnectionLostError: The connection ended before the answer was complete.
            OperationTimeoutError: Nothing came for the time that the settings allow.
        """
        attempt = Attempt()  # a clock for this piece: none runs while nobody reads
        try:
            with attempt:
                attempt.enter("download", self._idle_s)
                return await self._response.content.read(_PIECE)
        except _FAILURES as error:
            failure = self._fail(error, attempt)
        self.close()
        raise failure  # out here to be free of a context, as in `fetch`

    def close(self) -> None:
        """Drop what has not been read; safe to repeat."""
        self._response.close()


class _Body(AsyncIterator[bytes | memoryview]):
    """An upload on its way in one attempt: it moves the deadline, and is closed with the request.

    aiohttp iterates in a task of its own and closes nothing that it stops reading, so this is no
    generator, which would be left to the garbage collector together with its open file.
    """

    def __init__(
        self,
        upload: Upload,
        attempt: Attempt,
        idle_s: float,
        response_s: float,
        progress: ProgressHook | None,
    ) -> None:
        self.error: Exception | None = None
        """What the source or the progress hook raised; aiohttp tells only that the body broke."""
        self._blocks = upload.blocks()
        self._length = upload.length
        self._sent = 0
        self._attempt = attempt
        self._idle_s = idle_s
        self._response_s = response_s
        self._progress = progress
        self._reader: asyncio.Task[Any] | None = None

    def __deepcopy__(self, memo: object) -> Self:
        # Tools that record requests in tests copy all that belongs to one (aioresponses 0.7.9).
        return self

    async def __anext__(self) -> bytes | memoryview:
        self._reader = asyncio.current_task()
        try:
            block = await self._next()
        except Exception as error:  # kept for the caller, whose source or hook has failed
            self.error = error
            raise
        finally:
            self._reader = None
        if block is None:
            raise StopAsyncIteration
        return block

    async def aclose(self) -> None:
        """Close the source, even in the middle of a step."""
        if self._reader is not None and self._reader is not asyncio.current_task():
            self._reader.cancel()
            await asyncio.wait([self._reader])
        await self._blocks.aclose()

    async def _next(self) -> bytes | memoryview | None:
        # aiohttp comes back when the block before is written.
        if self._sent and self._progress is not None:
            self._progress(self._sent, self._length)
        self._enter("upload", self._idle_s)
        block: bytes | memoryview | None = None
        # A last look for the end of a file would come after the answer, and cost the connection.
        if self._sent != self._length:
            block = await anext(self._blocks, None)
        if block is None:
            self._enter("response", self._response_s)
        else:
            self._sent += len(block)
        return block

    def _enter(self, phase: str, limit_s: float) -> None:
        if not self._attempt.is_answered:
            self._attempt.enter(phase, limit_s)


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
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return words.refusal_of_proxy(error.status, operation)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return ConnectError("the proxy did not connect", operation=operation, hint="check proxy=")
    if isinstance(error, aiohttp.ClientConnectorError):
        return ConnectError(
            f"cannot connect to {error.host}:{error.port}: {_plain_words(error.os_error)}",
            operation=operation,
            hint="check base_url, the network and the proxy",
        )
    if isinstance(error, aiohttp.ClientPayloadError):
        return ConnectionLostError("the answer broke off", operation=operation)
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return ConnectionLostError(
            f"the connection ended before an answer came: {_plain_words(error)}",
            operation=operation,
        )
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
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
    return ConnectionLostError(f"the request failed: {_plain_words(error)}", operation=operation)


def _lowered(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _plain_words(error: BaseException) -> str:
    """Return the words of the system for an error.

    The words of aiohttp are left out: they may show the URL, or the proxy with its password.
    """
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed it"
    if isinstance(error, aiohttp.ClientError) and not getattr(error, "errno", None):
        is_reset = isinstance(error, ConnectionResetError)
        return words.plain_words(ConnectionResetError()) if is_reset else type(error).__name__
    return words.plain_words(error)


class _Connector(aiohttp.TCPConnector):
    """Tells an attempt where its connection came from, and when it has one.

    The time in which a request waits for its turn in the pool belongs to no deadline.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[aiohttp.tracing.Trace],
        timeout: aiohttp.ClientTimeout,
    ) -> aiohttp.connector.Connection:
        """Return a connection from the pool, or a new one."""
        attempt = CURRENT.get()
        attempt.connection_was_reused = True  # unless a socket is made
        connection = await super().connect(req, traces, timeout)
        attempt.headers_go_out()
        return connection


def _keepalive_socket(address: Any) -> socket.socket:
    CURRENT.get().connection_was_reused = False
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, seconds in _KEEPALIVE_OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, seconds)
    return made
