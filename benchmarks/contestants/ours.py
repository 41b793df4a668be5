"""This package."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.contestants.base import OPTIONS, VOICE, Contestant, Stream
from benchmarks.payloads import RECORDING
from deepgram_async import DeepgramSession, StreamSettings
from deepgram_async._protocol.answers import HttpAnswer, decipher
from deepgram_async._protocol.listen_v1 import ListenV1Core
from deepgram_async.batch import AdaptiveGate, Batch, Done
from deepgram_async.models.prerecorded import Transcription


class Ours(Contestant):
    """This package, as its documentation uses it."""

    async def _open(self) -> None:
        self._sessions: dict[str, DeepgramSession] = {}
        self._stack.push_async_callback(self._close)
        core = ListenV1Core({}, now=0.0, keepalive_s=None)
        self.decode_event = core.receive
        self.decode_answer = lambda body: decipher(
            HttpAnswer(200, {}, body), Transcription, "POST /v1/listen", now=0.0
        )

    async def _close(self) -> None:
        for session in self._sessions.values():
            await session.aclose()

    def _session(self, mode: str = "") -> DeepgramSession:
        if mode not in self._sessions:
            # As many requests are in flight as a measurement starts.
            url = f"{self.url}/{mode}"
            self._sessions[mode] = DeepgramSession("key", base_url=url, pool_limit=0)
        return self._sessions[mode]

    async def transcribe(self, audio: bytes = RECORDING, mode: str = "") -> Any:
        listen = self._session(mode).listen
        return await listen.transcribe(audio, model="nova-3", smart_format=True)

    async def transcribe_file(self, file: Path, mode: str) -> Any:
        return await self._session(mode).listen.transcribe(file, model="nova-3", smart_format=True)

    async def transcribe_all(
        self, files: Sequence[Path], slots: int, mode: str
    ) -> AsyncGenerator[Any]:
        batch = Batch(
            self._session(mode),
            files,
            gate=AdaptiveGate(slots, start=slots),
            model="nova-3",
            smart_format=True,
        )
        async for outcome in batch:
            assert isinstance(outcome, Done), outcome
            yield outcome.answer

    @asynccontextmanager
    async def live(self, mode: str) -> AsyncGenerator[Stream]:
        async with self._session(mode).listen.live(**OPTIONS) as stream:
            yield Stream(stream.send_audio, stream.close_stream, lambda: aiter(stream))

    @asynccontextmanager
    async def live_joined(self, mode: str) -> AsyncGenerator[Stream]:
        joining = self._session(mode).with_options(stream=StreamSettings(join_audio_s=0.1))
        async with joining.listen.live(**OPTIONS) as stream:
            yield Stream(stream.send_audio, stream.close_stream, lambda: aiter(stream))

    async def connect_and_close(self) -> None:
        stream = self._session().listen.live(**OPTIONS)
        await stream.open()
        await stream.aclose()

    async def speak(self, text: str) -> int:
        total = 0
        async with self._session().speak.generate(
            text, model=VOICE, encoding="linear16", container="none"
        ) as speech:
            async for audio in speech:
                total += len(audio)
        return total

    @asynccontextmanager
    async def speaking(self) -> AsyncGenerator[Callable[[str], Awaitable[int]]]:
        async with self._session().speak.live(model=VOICE, encoding="linear16") as stream:

            async def speak(text: str) -> int:
                total = 0
                async for audio in stream.speak(text):
                    total += len(audio)
                return total

            yield speak
