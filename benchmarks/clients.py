"""The same few operations with this package, with deepgram-sdk, and with the plain libraries."""

from __future__ import annotations

import importlib
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from benchmarks.payloads import RECORDING

if TYPE_CHECKING:
    from deepgram_async import DeepgramSession

PREPARE: Final = {
    "ours": "import deepgram_async\n"
    "deepgram_async.DeepgramSession('key', base_url='http://127.0.0.1:1')",
    "official": "import deepgram\ndeepgram.AsyncDeepgramClient(api_key='key')",
    "plain": "import aiohttp, msgspec, websockets.asyncio.client\n",
}
"""What a program does before its first call."""
OPTIONS: Final[dict[str, Any]] = {
    "model": "nova-3",
    "encoding": "linear16",
    "sample_rate": 16000,
    "interim_results": True,
}


class Stream(NamedTuple):
    """A live stream, as the methods of the client with nothing in between."""

    send: Callable[[bytes], Awaitable[None]]
    end: Callable[[], Awaitable[None]]
    events: Callable[[], AsyncIterator[Any]]


class Client(ABC):
    """One of the contestants."""

    decode_answer: Callable[[bytes], Any]
    """What the client does to the body of a transcription."""
    decode_event: Callable[[str], Any]
    """What the client does to a text frame of a stream."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @abstractmethod
    async def _open(self) -> None: ...

    @abstractmethod
    async def transcribe(self) -> Any:
        """Send a recording and return the transcription."""

    @abstractmethod
    def live(self, mode: str) -> Any:
        """Return an asynchronous context manager for a ``Stream``."""

    @abstractmethod
    async def connect_and_close(self) -> None:
        """Open a stream and close it at once."""


class Ours(Client):
    """This package."""

    async def _open(self) -> None:
        from deepgram_async import DeepgramSession
        from deepgram_async._protocol.answers import HttpAnswer, decipher
        from deepgram_async._protocol.listen_v1 import ListenV1Core
        from deepgram_async.models.prerecorded import Transcription

        async def close() -> None:
            for session in self._sessions.values():
                await session.aclose()

        self._sessions: dict[str, DeepgramSession] = {}
        self._make = DeepgramSession
        self._stack.push_async_callback(close)
        self._session = self._session_for("")
        core = ListenV1Core({}, now=0.0, keepalive_s=None)
        self.decode_event = core.receive
        self.decode_answer = lambda body: decipher(
            HttpAnswer(200, {}, body), Transcription, "POST /v1/listen", now=0.0
        )

    async def transcribe(self) -> Any:
        return await self._session.listen.transcribe(RECORDING, model="nova-3", smart_format=True)

    @asynccontextmanager
    async def live(self, mode: str) -> AsyncGenerator[Stream]:
        async with self._session_for(mode).listen.live(**OPTIONS) as stream:
            yield Stream(stream.send_audio, stream.close_stream, lambda: aiter(stream))

    def _session_for(self, mode: str) -> DeepgramSession:
        if mode not in self._sessions:
            self._sessions[mode] = self._make("key", base_url=f"{self._url}/{mode}")
        return self._sessions[mode]

    async def connect_and_close(self) -> None:
        stream = self._session.listen.live(**OPTIONS)
        await stream.open()
        await stream.aclose()


class Official(Client):
    """deepgram-sdk, as its documentation uses it."""

    async def _open(self) -> None:
        self._deepgram: Any = importlib.import_module("deepgram")
        models: Any = importlib.import_module("deepgram.core.unchecked_base_model")
        answers: Any = importlib.import_module("deepgram.listen.v1.media.types")
        events: Any = importlib.import_module("deepgram.listen.v1.socket_client")
        self.decode_answer = lambda body: models.construct_type(
            type_=answers.MediaTranscribeResponse, object_=json.loads(body)
        )
        self.decode_event = lambda text: models.construct_type(
            type_=events.V1SocketClientResponse, object_=json.loads(text)
        )
        self._made: dict[str, Any] = {}
        self._client = self._client_for("")

    def _client_for(self, mode: str) -> Any:
        if mode in self._made:
            return self._made[mode]
        url = f"{self._url}/{mode}".rstrip("/")
        socket = url.replace("http", "ws", 1)
        environment: Any = importlib.import_module("deepgram.environment")
        self._made[mode] = self._deepgram.AsyncDeepgramClient(
            api_key="key",
            environment=environment.DeepgramClientEnvironment(
                base=url, production=socket, agent=socket, agent_rest=url
            ),
        )
        return self._made[mode]

    async def transcribe(self) -> Any:
        return await self._client.listen.v1.media.transcribe_file(
            request=RECORDING, model="nova-3", smart_format=True
        )

    @asynccontextmanager
    async def live(self, mode: str) -> AsyncGenerator[Stream]:
        async with self._client_for(mode).listen.v1.connect(**_as_text(OPTIONS)) as stream:
            yield Stream(stream.send_media, stream.send_close_stream, lambda: aiter(stream))

    async def connect_and_close(self) -> None:
        async with self._client.listen.v1.connect(**_as_text(OPTIONS)):
            pass


class Plain(Client):
    """aiohttp, websockets and msgspec with nothing on top, not even the handling of errors."""

    async def _open(self) -> None:
        import aiohttp
        import msgspec

        from deepgram_async.models.live import ListenMessage
        from deepgram_async.models.prerecorded import Transcription

        self.decode_answer = msgspec.json.Decoder(Transcription).decode
        decoder: Any = msgspec.json.Decoder(ListenMessage)
        self.decode_event = decoder.decode
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )

    async def transcribe(self) -> Any:
        async with self._session.post(
            f"{self._url}/v1/listen?model=nova-3&smart_format=true",
            data=RECORDING,
            headers={"Authorization": "Token key", "Content-Type": "audio/wav"},
        ) as response:
            return self.decode_answer(await response.read())

    @asynccontextmanager
    async def live(self, mode: str) -> AsyncGenerator[Stream]:
        async with self._connect(mode) as connection:

            async def end() -> None:
                await connection.send('{"type":"CloseStream"}')

            async def events() -> AsyncIterator[Any]:
                async for message in connection:
                    yield self.decode_event(message)

            yield Stream(connection.send, end, events)

    async def connect_and_close(self) -> None:
        async with self._connect("count"):
            pass

    def _connect(self, mode: str) -> Any:
        from websockets.asyncio.client import connect

        query = "&".join(f"{name}={value}" for name, value in _as_text(OPTIONS).items())
        return connect(
            f"{self._url}/{mode}/v1/listen?{query}".replace("http", "ws", 1),
            additional_headers={"Authorization": "Token key"},
            compression=None,
            proxy=None,
        )


CLIENTS: Final[dict[str, type[Client]]] = {"ours": Ours, "official": Official, "plain": Plain}


def _as_text(options: dict[str, Any]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in options.items()
    }
