"""aiohttp, websockets and msgspec."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
from websockets.asyncio.client import connect

from benchmarks.contestants.base import OPTIONS, VOICE, Contestant, Stream, as_text
from benchmarks.payloads import RECORDING
from deepgram_async.models.live import ListenMessage
from deepgram_async.models.prerecorded import Transcription

_HEADERS: Final = {"Authorization": "Token key"}


class Plain(Contestant):
    """The three libraries with nothing on top, not even the handling of errors."""

    async def _open(self) -> None:
        self.decode_answer = msgspec.json.Decoder(Transcription).decode
        self._decoder: Any = msgspec.json.Decoder(ListenMessage)
        self.decode_event = self._decoder.decode
        self._ssl = ssl.create_default_context() if self.url.startswith("https") else None
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=_HEADERS)
        )

    async def transcribe(self, audio: bytes = RECORDING, mode: str = "") -> Any:
        return await self._transcribe(audio, mode)

    async def transcribe_file(self, file: Path, mode: str) -> Any:
        with file.open("rb") as opened:
            return await self._transcribe(opened, mode)

    async def _transcribe(self, data: Any, mode: str) -> Any:
        async with self._session.post(
            f"{self._address(mode)}/v1/listen?model=nova-3&smart_format=true",
            data=data,
            headers={"Content-Type": "audio/wav"},
        ) as response:
            return self.decode_answer(await response.read())

    @asynccontextmanager
    async def live(self, mode: str) -> AsyncGenerator[Stream]:
        async with self._connect(mode) as connection:

            async def end() -> None:
                await connection.send('{"type":"CloseStream"}')

            async def events() -> AsyncIterator[Any]:
                async for message in connection:
                    yield self._decoder.decode(message)

            yield Stream(connection.send, end, events)

    async def connect_and_close(self) -> None:
        async with self._connect():
            pass

    async def speak(self, text: str) -> int:
        total = 0
        async with self._session.post(
            f"{self.url}/v1/speak?model={VOICE}&encoding=linear16&container=none",
            json={"text": text},
        ) as response:
            async for audio in response.content.iter_any():
                total += len(audio)
        return total

    @asynccontextmanager
    async def speaking(self) -> AsyncGenerator[Callable[[str], Awaitable[int]]]:
        async with self._socket(f"{self.url}/v1/speak?model={VOICE}&encoding=linear16") as stream:

            async def speak(text: str) -> int:
                total = 0
                await stream.send(json.dumps({"type": "Speak", "text": text}))
                await stream.send('{"type":"Flush"}')
                async for message in stream:
                    if not isinstance(message, bytes):
                        break
                    total += len(message)
                return total

            yield speak

    def _address(self, mode: str) -> str:
        return f"{self.url}/{mode}".rstrip("/")

    def _connect(self, mode: str = "") -> connect:
        query = "&".join(f"{name}={value}" for name, value in as_text(OPTIONS).items())
        return self._socket(f"{self._address(mode)}/v1/listen?{query}")

    def _socket(self, url: str) -> connect:
        return connect(
            url.replace("http", "ws", 1),
            additional_headers=_HEADERS,
            compression=None,
            proxy=None,
            ssl=self._ssl,
        )
