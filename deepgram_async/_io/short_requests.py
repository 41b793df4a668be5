"""Requests that fit into one write, on the connections of aiohttp and past its client.

The client of aiohttp takes three quarters of the time of a small request: it looks for cookies,
redirects, proxies and encodings, makes objects for each, and writes the body in a task. A request
whose body is short and in memory needs nothing of that. It takes a connection from the same pool,
writes all at once, and lets the parser of aiohttp read the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Final

import aiohttp
from yarl import URL

from deepgram_async._io.attempts import CURRENT, Attempt
from deepgram_async._io.words import USER_AGENT, merged_headers
from deepgram_async._protocol.answers import HttpAnswer

__all__ = ["ShortRequests", "are_possible"]

# They rely on `connect` of the connector and on `set_response_params` and `read` of what it
# returns; with any other version of aiohttp all requests pass its client.
TESTED_VERSIONS: Final = ("3.14.",)

_SWITCHING_PROTOCOLS: Final = 101
_OK: Final = 200
# What these ask for is the client's to do.
_SPECIAL: Final = frozenset(("connection", "expect", "trailer", "transfer-encoding", "upgrade"))
# The client accepts what its parser can decompress.
_ENCODINGS: Final = aiohttp.ClientRequest.DEFAULT_HEADERS[aiohttp.hdrs.ACCEPT_ENCODING]


def are_possible(client: aiohttp.ClientSession) -> bool:
    """Whether aiohttp is as it was tested, and nobody wants to be told of each request."""
    return aiohttp.__version__.startswith(TESTED_VERSIONS) and not client.trace_configs


class ShortRequests:
    """Sends short requests on the connections of a connector."""

    def __init__(
        self,
        client: aiohttp.ClientSession,
        connector: aiohttp.BaseConnector,
        timeout: aiohttp.ClientTimeout,
    ) -> None:
        self._client = client
        self._connector = connector
        self._timeout = timeout
        self._targets: dict[str, aiohttp.ClientRequest] = {}
        self._unfinished: set[aiohttp.StreamReader] = set()

    def message(
        self, method: str, url: URL, headers: Iterable[Mapping[str, str]], content: bytes | None
    ) -> bytes | None:
        """Return a request as it is written, or ``None`` if it has to pass the client.

        That is what is unusual, or perhaps wrong: the client knows what to do or to say.
        """
        if _is_watched():
            return None
        usual = {
            "Host": url.host_port_subcomponent or "",
            "Accept-Encoding": _ENCODINGS,
            "User-Agent": USER_AGENT,
        }
        has_body = content is not None or method != "GET"
        length = {"Content-Length": str(len(content or b""))} if has_body else {}
        fields = merged_headers(usual, *headers, length)
        path = url.raw_path_qs
        text = "".join([path, *fields, *fields.values()])
        if not (text.isascii() and text.isprintable()) or " " in path:
            return None
        if not _SPECIAL.isdisjoint(map(str.lower, fields)):
            return None
        lines = [f"{name}: {value}" for name, value in fields.items()]
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "\r\n"]).encode()
        return head if content is None else head + content

    def close(self) -> None:
        """End the answers that are still being read."""
        for payload in self._unfinished:
            payload.set_exception(aiohttp.ClientConnectionError("Connection closed"))

    async def fetch(
        self, url: URL, message: bytes, attempt: Attempt, download_idle_s: float
    ) -> HttpAnswer:
        """Send a message and return the complete answer; it ends as the client's would.

        Raises:
            aiohttp.ClientError: There is no connection, or it ended.
            HttpProcessingError: What came back is not HTTP.
        """
        token = CURRENT.set(attempt)
        try:
            connection = await self._connector.connect(self._target(url), [], self._timeout)
        finally:
            CURRENT.reset(token)
        try:
            protocol = connection.protocol
            if protocol is None or protocol.transport is None:
                raise aiohttp.ServerDisconnectedError
            protocol.set_response_params(read_until_eof=True)
            protocol.transport.write(message)
            answer, payload = await protocol.read()
            while answer.code < _OK and answer.code != _SWITCHING_PROTOCOLS:
                answer, payload = await protocol.read()
            attempt.is_answered = True
            if payload.is_eof():
                body = payload.read_nowait()
            else:
                body = await self._rest(payload, attempt, download_idle_s)
        except BaseException:
            connection.close()
            raise
        connection.release()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return HttpAnswer(answer.code, headers, body)

    async def _rest(
        self, payload: aiohttp.StreamReader, attempt: Attempt, download_idle_s: float
    ) -> bytes:
        parts: list[bytes] = []
        self._unfinished.add(payload)
        try:
            attempt.enter("download", download_idle_s)
            async for part in payload.iter_any():
                attempt.enter("download", download_idle_s)
                parts.append(part)
        finally:
            self._unfinished.discard(payload)
        return b"".join(parts)

    def _target(self, url: URL) -> aiohttp.ClientRequest:
        """Return what the connector is asked with: it wants a request, and looks at its host."""
        origin = f"{url.scheme}://{url.host_port_subcomponent}"
        target = self._targets.get(origin)
        if target is None:
            loop = asyncio.get_running_loop()
            target = aiohttp.ClientRequest("GET", url.origin(), loop=loop, session=self._client)
            self._targets[origin] = target
        return target


def _is_watched() -> bool:
    """Whether the client was patched: mocks and recorders shall see every request."""
    method: object = vars(aiohttp.ClientSession)["_request"]  # what they all replace
    if type(method) is not FunctionType:
        return True
    return id(method.__globals__) != id(vars(aiohttp.client))
