"""The thread that speaks, shared by all requests and streams."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from .synthesizers import load_synthesizer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from typing import TypeVar

    from .formats import Encoder, SpeechFormat
    from .markup import Script
    from .synthesizers import Synthesizer

    T = TypeVar("T")

__all__ = ["Voice"]


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
                self._synthesizer = await self._run(load_synthesizer, "hibari")
            return self._synthesizer

    async def speak(
        self, script: Script, form: SpeechFormat, encoder: Encoder, *, speed: float
    ) -> AsyncGenerator[bytes]:
        """Yield the audio of a text, as it is made.

        The caller finishes the encoder, which may go on with another text.
        """
        synthesizer = await self.synthesizer()
        pieces = _pieces(synthesizer, script, form, encoder, speed)
        if not synthesizer.blocking:
            for piece in pieces:
                yield piece
            return
        while True:
            piece = await self._run(next, pieces, None)
            if piece is None:
                return
            yield piece

    def close(self) -> None:
        """Let the thread end after the sentence it is at."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)


def _pieces(
    synthesizer: Synthesizer, script: Script, form: SpeechFormat, encoder: Encoder, speed: float
) -> Iterator[bytes]:
    rate = form.sample_rate
    for part in script.parts:
        if isinstance(part, str):
            for samples in synthesizer.synthesize(part, rate=rate, speed=speed):
                yield encoder.encode(samples)
        else:
            yield encoder.encode(bytes(2 * round(part * rate)))
