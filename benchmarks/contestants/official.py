"""deepgram-sdk."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.cold import official_client
from benchmarks.contestants.base import OPTIONS, VOICE, Contestant, Stream, as_text
from benchmarks.payloads import RECORDING

_BLOCK: Final = 64 * 1024


class Official(Contestant):
    """deepgram-sdk, as its documentation uses it."""

    async def _open(self) -> None:
        self._deepgram: Any = importlib.import_module("deepgram")
        models: Any = importlib.import_module("deepgram.core.unchecked_base_model")
        answers: Any = importlib.import_module("deepgram.listen.v1.media.types")
        events: Any = importlib.import_module("deepgram.listen.v1.socket_client")
        speech: Any = importlib.import_module("deepgram.speak.v1.types")
        self._text = speech.SpeakV1Text
        self.decode_answer = lambda body: models.construct_type(
            type_=answers.MediaTranscribeResponse, object_=json.loads(body)
        )
        self.decode_event = lambda text: models.construct_type(
            type_=events.V1SocketClientResponse, object_=json.loads(text)
        )
        self._made: dict[str, Any] = {}

    def _client(self, mode: str = "") -> Any:
        if mode not in self._made:
            url = f"{self.url}/{mode}".rstrip("/")
            self._made[mode] = official_client(self._deepgram, url)
        return self._made[mode]

    async def transcribe(self, audio: bytes = RECORDING, mode: str = "") -> Any:
        return await self._client(mode).listen.v1.media.transcribe_file(
            request=audio, model="nova-3", smart_format=True
        )

    async def transcribe_file(self, file: Path, mode: str) -> Any:
        return await self._client(mode).listen.v1.media.transcribe_file(
            request=_blocks(file), model="nova-3", smart_format=True
        )

    @asynccontextmanager
    async def live(self, mode: str) -> AsyncGenerator[Stream]:
        async with self._client(mode).listen.v1.connect(**as_text(OPTIONS)) as stream:
            yield Stream(stream.send_media, stream.send_close_stream, lambda: aiter(stream))

    async def connect_and_close(self) -> None:
        async with self._client().listen.v1.connect(**as_text(OPTIONS)):
            pass

    async def speak(self, text: str) -> int:
        total = 0
        async for audio in self._client().speak.v1.audio.generate(
            text=text, model=VOICE, encoding="linear16", container="none"
        ):
            total += len(audio)
        return total

    @asynccontextmanager
    async def speaking(self) -> AsyncGenerator[Callable[[str], Awaitable[int]]]:
        async with self._client().speak.v1.connect(model=VOICE, encoding="linear16") as stream:
            messages = aiter(stream)

            async def speak(text: str) -> int:
                total = 0
                await stream.send_text(self._text(type="Speak", text=text))
                await stream.send_flush()
                async for message in messages:
                    if not isinstance(message, bytes):
                        break
                    total += len(message)
                return total

            yield speak


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
