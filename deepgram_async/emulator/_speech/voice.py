"""The thread that speaks, shared by all requests and streams."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from .markup import has_words
from .synthesizers import load_synthesizer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from .formats import Encoder
    from .markup import Script
    from .synthesizers import Synthesizer

__all__ = ["Piece", "Voice"]


class Piece(NamedTuple):
    """A part of a spoken text."""

    audio: bytes
    """As the encoder wrote it; may be empty."""
    seconds: float


class Voice:
    """Runs a synthesiser so that the event loop never waits for it.

    There is one thread, which speaks far faster than anybody listens; texts take turns sentence by
    sentence, so that a long one does not hold up the others.
    """

    def __init__(self, synthesizer: Synthesizer | None) -> None:
        self._synthesizer = synthesizer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="synthesizer")
        self._loading = asyncio.Lock()

    async def synthesizer(self) -> Synthesizer:
        """Return who speaks; real speech is loaded when it is first wanted.

        Raises:
            SynthesizerUnavailableError: The optional packages are missing.
        """
        async with self._loading:
            if self._synthesizer is None:
                loop = asyncio.get_running_loop()
                self._synthesizer = await loop.run_in_executor(
                    self._thread, load_synthesizer, "hibari"
                )
            return self._synthesizer

    async def speak(
        self, script: Script, encoder: Encoder, *, rate: int, speed: float
    ) -> AsyncGenerator[Piece]:
        """Yield the audio of a text, as it is made.

        The caller finishes the encoder, which may go on with another text.

        Raises:
            SynthesizerUnavailableError: The optional packages are missing.
        """
        synthesizer = await self.synthesizer()
        pieces = _pieces(synthesizer, script, encoder, rate, speed)
        if not synthesizer.blocking:
            for piece in pieces:
                yield piece
            return
        loop = asyncio.get_running_loop()
        while True:
            found = await loop.run_in_executor(self._thread, _next, pieces)
            if found is None:
                return
            yield found

    def close(self) -> None:
        """Let the thread end after the sentence it is at."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _next(pieces: Iterator[Piece]) -> Piece | None:
    return next(pieces, None)


def _pieces(
    synthesizer: Synthesizer, script: Script, encoder: Encoder, rate: int, speed: float
) -> Iterator[Piece]:
    for part in script.parts:
        if isinstance(part, str):
            if not has_words(part):
                continue
            for samples in synthesizer.synthesize(part, rate=rate, speed=speed):
                yield Piece(encoder.encode(samples), len(samples) / 2 / rate)
        else:
            yield Piece(encoder.encode(bytes(2 * round(part * rate))), part)
