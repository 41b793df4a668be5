"""What each contestant can do."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from benchmarks.payloads import RECORDING

OPTIONS: Final[dict[str, Any]] = {
    "model": "nova-3",
    "encoding": "linear16",
    "sample_rate": 16000,
    "interim_results": True,
}
VOICE: Final = "aura-2-thalia-en"


class Stream(NamedTuple):
    """A live stream, as the methods of the client with nothing in between."""

    send: Callable[[bytes], Awaitable[None]]
    end: Callable[[], Awaitable[None]]
    events: Callable[[], AsyncIterator[Any]]


class Contestant(ABC):
    """A client of the server, whose modes are the first part of a path."""

    decode_answer: Callable[[bytes], Any]
    """What the client does to the body of a transcription."""
    decode_event: Callable[[str], Any]
    """What the client does to a text frame of a stream."""

    def __init__(self, url: str) -> None:
        self.url = url
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
    async def transcribe(self, audio: bytes = RECORDING, mode: str = "") -> Any:
        """Send a recording and return the transcription."""

    @abstractmethod
    async def transcribe_file(self, file: Path, mode: str) -> Any:
        """Send a file without reading the whole of it, and return the transcription."""

    async def transcribe_all(
        self, files: Sequence[Path], slots: int, mode: str
    ) -> AsyncGenerator[Any]:
        """Transcribe files, so many at a time, and yield the transcriptions.

        This is how a batch is written without help: a task for each file, and a semaphore.
        """
        semaphore = asyncio.Semaphore(slots)

        async def transcribe(file: Path) -> Any:
            async with semaphore:
                return await self.transcribe(await asyncio.to_thread(file.read_bytes), mode)

        for transcription in await asyncio.gather(*map(transcribe, files)):
            yield transcription

    @abstractmethod
    def live(self, mode: str) -> AbstractAsyncContextManager[Stream]:
        """Return an asynchronous context manager for a stream."""

    def live_joined(self, mode: str) -> AbstractAsyncContextManager[Stream]:
        """The same for one that joins chunks, where the client can do that by itself."""
        return self.live(mode)

    @abstractmethod
    async def connect_and_close(self) -> None:
        """Open a stream and close it at once."""

    @abstractmethod
    async def speak(self, text: str) -> int:
        """Return the bytes of audio for a text, taken as they come over HTTP."""

    @abstractmethod
    def speaking(self) -> AbstractAsyncContextManager[Callable[[str], Awaitable[int]]]:
        """Open a WebSocket that takes texts; each returns the bytes of its audio."""


def as_text(options: dict[str, Any]) -> dict[str, str]:
    """Return options as they stand in a URL."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in options.items()
    }
