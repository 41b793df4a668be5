"""A spoken answer as its user sees it: audio while it is still being made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Self

from deepgram_async._protocol.speech_headers import speech_info
from deepgram_async._stream.files import GrowingFile
from deepgram_async.errors import InvalidStateError
from deepgram_async.models.speak import SpeechInfo

if TYPE_CHECKING:
    from deepgram_async._io.http import HttpStream

__all__ = ["Opener", "Speech"]

Opener = Callable[[], "Awaitable[HttpStream]"]
"""Sends a request and returns its answer as soon as the headers are there."""


class Speech(AsyncIterator[bytes]):
    """A spoken answer, made by ``dg.speak.generate(...)`` and opened by ``async with``.

    ::

        async with dg.speak.generate("Hello.", model="aura-2-thalia-en") as speech:
            async for audio in speech:
                player.write(audio)

    The request is sent when it is opened. Audio is yielded as it comes, the first of it while the
    service is still speaking; of ``linear16`` always whole samples. It can be taken once, by
    iterating, ``read`` or ``save``. Leaving the ``async with`` early drops the rest.
    """

    def __init__(self, open_stream: Opener, *, sample_bytes: int = 1) -> None:
        self._open_stream = open_stream
        self._sample_bytes = sample_bytes
        self._stream: HttpStream | None = None
        self._info: SpeechInfo | None = None
        self._part_of_sample = b""

    async def __aenter__(self) -> Self:
        if self._info is not None:
            raise InvalidStateError("a spoken answer can be opened once")
        self._stream = await self._open_stream()
        self._info = speech_info(self._stream.headers)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    async def __anext__(self) -> bytes:
        if self._stream is None:
            raise InvalidStateError("the spoken answer is not open")
        while True:
            block = await self._stream.read()
            if not block:
                block, self._part_of_sample = self._part_of_sample, b""
                if not block:
                    raise StopAsyncIteration
                return block
            audio = self._part_of_sample + block
            whole = len(audio) - len(audio) % self._sample_bytes
            self._part_of_sample = audio[whole:]
            if whole:
                return audio[:whole]

    async def read(self) -> bytes:
        """Return all audio that has not been taken yet.

        Raises:
            TransportError: The answer did not come to its end.
            InvalidStateError: It is not open.
        """
        return b"".join([audio async for audio in self])

    async def save(self, path: str | PathLike[str]) -> SpeechInfo:
        """Write all audio to a file and return what is known of it.

        The file appears when it is complete: a failure leaves what was there before.

        Raises:
            TransportError: The answer did not come to its end.
            InvalidStateError: It is not open.
            OSError: The file cannot be written.
        """
        file = await asyncio.to_thread(GrowingFile, path)
        try:
            async for audio in self:
                await asyncio.to_thread(file.write, audio)
            await asyncio.to_thread(file.finish)
        except BaseException:
            file.abandon()
            raise
        return self.info

    # Public attributes.

    @property
    def info(self) -> SpeechInfo:
        """What the headers of the answer tell.

        Raises:
            InvalidStateError: It was never opened.
        """
        if self._info is None:
            raise InvalidStateError("the spoken answer is not open")
        return self._info

    @property
    def request_id(self) -> str | None:
        """The id that Deepgram's support asks for."""
        return self.info.request_id

    @property
    def model_name(self) -> str | None:
        """The voice."""
        return self.info.model_name

    @property
    def characters(self) -> int | None:
        """How many characters were counted."""
        return self.info.characters

    @property
    def content_type(self) -> str | None:
        """Media type of the audio, such as ``"audio/mpeg"``."""
        return self.info.content_type

    @property
    def warnings(self) -> list[str]:
        """Codes such as ``PRON-001``; empty when all is well."""
        return self.info.warnings

    def __repr__(self) -> str:
        state = "new" if self._info is None else "closed" if self._stream is None else "open"
        request_id = None if self._info is None else self._info.request_id
        return f"<Speech {state} request_id={request_id}>"
