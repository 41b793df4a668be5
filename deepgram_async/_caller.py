"""What a session shares with its resources: the connections, the login, and the way to send."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from deepgram_async._protocol.credentials import Credentials, CredentialsSource
from deepgram_async._protocol.query import QueryValue, encode_query
from deepgram_async._protocol.requests import Route
from deepgram_async._protocol.settings import CallSettings, NetworkSettings, StreamSettings
from deepgram_async._protocol.sources import AudioSource, ProgressHook
from deepgram_async._stream.manager import SocketManager
from deepgram_async.errors import InvalidStateError, OptionError

if TYPE_CHECKING:
    from deepgram_async._io.http import HttpClient, HttpStream
    from deepgram_async._io.rest import Rest
    from deepgram_async._io.sockets import WebSocket
    from deepgram_async._io.transport import Transport
    from deepgram_async._stream.speech import Opener
    from deepgram_async._stream.stream import Connector, SocketStream

__all__ = ["Caller", "Connections", "Login"]

T = TypeVar("T")
S = TypeVar("S", bound="SocketStream[Any, Any]")

# Time for the streams that are still open when the session closes.
_CLOSE_STREAMS_S: Final = 5.0


class Connections:
    """The transport of the running loop, made when it is first needed."""

    def __init__(
        self,
        network: NetworkSettings,
        calls: CallSettings,
        http_client: HttpClient | None,
    ) -> None:
        self.sockets = SocketManager()
        self._network = network
        self._calls = calls
        self._http_client = http_client
        self._transport: Transport | None = None
        self._opening: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    async def transport(self) -> Transport:
        """Return the transport of the running loop.

        Raises:
            InvalidStateError: The session is in use on another loop.
        """
        transport = self._usable()
        if transport is not None:
            return transport
        loop = asyncio.get_running_loop()
        if self._opening is None or self._opening[0] is not loop:
            self._opening = loop, asyncio.Lock()
        async with self._opening[1]:  # the first one opens it for all who come meanwhile
            transport = self._usable()
            if transport is None:
                from deepgram_async._io.transport import open_transport

                transport = await open_transport(self._network, self._calls, self._http_client)
                self._transport = transport
            return transport

    async def rest(self) -> Rest:
        """Return what sends the calls of the running loop."""
        return await (await self.transport()).rest()

    async def aclose(self) -> None:
        """Close streams and pool of the running loop."""
        transport, self._transport = self._usable(), None
        if transport is not None:
            try:
                await self.sockets.aclose(_CLOSE_STREAMS_S)
            finally:
                await transport.aclose()

    def _usable(self) -> Transport | None:
        transport = self._transport
        if transport is None or transport.loop.is_closed():
            return None
        if transport.loop is not asyncio.get_running_loop():
            raise InvalidStateError(
                "this session is in use on another event loop; make one session for each loop"
            )
        return transport


class Login:
    """The credentials of a session, which can change while it is in use."""

    def __init__(self, source: CredentialsSource) -> None:
        self._source = source

    def change(self, source: CredentialsSource) -> None:
        """Take other credentials from now on."""
        self._source = source

    async def __call__(self) -> Credentials:
        return await self._source()


class Caller:
    """Sends the calls of one session; what the resources know as a ``Sender``."""

    def __init__(self, connections: Connections, calls: CallSettings, credentials: Login) -> None:
        self.calls = calls
        self.credentials = credentials
        self._connections = connections

    def query(
        self,
        options: Mapping[str, object],
        kind: type[Any],
        extra: Mapping[str, QueryValue] | None = None,
    ) -> str:
        return encode_query(options, kind, {**self.calls.extra_query, **(extra or {})})

    def project(self, project_id: str | None) -> str:
        chosen = project_id if project_id is not None else self.calls.project_id
        if chosen is None:
            raise OptionError(
                "no project: pass project_id= to the call or the session, or set "
                "DEEPGRAM_PROJECT_ID",
                option="project_id",
            )
        return chosen

    async def send(
        self,
        route: Route[T],
        *,
        ids: Mapping[str, str] | None = None,
        query: str = "",
        body: object = None,
    ) -> T:
        rest = await self._connections.rest()
        return await rest.send(route, self.calls, self.credentials, ids=ids, query=query, body=body)

    async def upload(
        self,
        route: Route[T],
        source: AudioSource,
        *,
        query: str,
        content_type: str | None,
        progress: ProgressHook | None,
    ) -> T:
        rest = await self._connections.rest()
        upload = await rest.open_upload(source, content_type)
        return await rest.send(
            route, self.calls, self.credentials, query=query, upload=upload, progress=progress
        )

    def opener(self, route: Route[bytes], *, query: str, body: object) -> Opener:
        async def open_stream() -> HttpStream:
            rest = await self._connections.rest()
            return await rest.open_stream(
                route, self.calls, self.credentials, query=query, body=body
            )

        return open_stream

    @property
    def validate(self) -> bool:
        return self.calls.validate

    @property
    def stream_settings(self) -> StreamSettings:
        return self.calls.stream

    def connector(
        self, path: str, query: str, operation: str, *, is_agent: bool = False
    ) -> Connector:
        async def connect() -> WebSocket:
            transport = await self._connections.transport()
            return await transport.connect(
                path, query, self.calls, self.credentials, operation, is_agent=is_agent
            )

        return connect

    def track(self, stream: S) -> S:
        return self._connections.sockets.track(stream)
