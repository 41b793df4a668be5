"""The worker threads that recognise, shared by all requests and streams."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._recognizers import Hints, Pcm, RecognizedWord, Recognizer
    from ._segmenter import Decode

__all__ = ["Engine"]


class Engine:
    """Runs a recogniser so that the event loop never waits for it.

    Finals wait for a free worker, first come, first served. Interim recognition never waits: while
    all workers are busy it is refused. Whole recordings leave one worker to the live streams.
    """

    def __init__(self, recognizer: Recognizer, workers: int) -> None:
        if workers < 1:
            msg = f"workers must be at least 1, not {workers}"
            raise ValueError(msg)
        self.recognizer = recognizer
        self._free = asyncio.Semaphore(workers)
        self._recordings = asyncio.Semaphore(max(workers - 1, 1))
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="recognizer")
        self._running: set[asyncio.Future[list[RecognizedWord]]] = set()
        self._closed = threading.Event()

    async def recognize_recording(self, audio: Pcm, hints: Hints) -> list[RecognizedWord]:
        """Return the words of one channel of a recording."""
        async with self._recordings:
            return await self.recognize(audio, hints)

    async def recognize(self, audio: Pcm, hints: Hints) -> list[RecognizedWord]:
        """Return the words of `audio`, however long it takes to get a worker."""
        if not self.recognizer.blocking:
            return list(self.recognizer.recognize(audio, hints))
        async with self._free:
            return await self._in_thread(audio, hints)

    async def decode(
        self, wanted: Decode, hints: Hints, *, is_behind: bool
    ) -> list[RecognizedWord] | None:
        """Return the words that a segmenter or a detector of turns asks for.

        None when it asks for an interim recognition and there is no time for it.

        Args:
            wanted: What it asks for.
            hints: What the client said about the speech.
            is_behind: Whether the stream has audio waiting that should be finished first.
        """
        if wanted.is_final:
            return await self.recognize(wanted.audio, hints)
        if is_behind and self.recognizer.blocking:
            return None
        return await self.recognize_if_free(wanted.audio, hints)

    async def recognize_if_free(self, audio: Pcm, hints: Hints) -> list[RecognizedWord] | None:
        """Return the words of `audio`, or None when every worker is busy."""
        if self.recognizer.blocking and self._free.locked():
            return None
        return await self.recognize(audio, hints)

    async def close(self, timeout_s: float) -> None:
        """Stop the workers after the word they are at; do not wait longer than the timeout."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._running:
            await asyncio.wait(self._running, timeout=timeout_s)

    async def _in_thread(self, audio: Pcm, hints: Hints) -> list[RecognizedWord]:
        abandoned = threading.Event()
        running = asyncio.get_running_loop().run_in_executor(
            self._threads, self._words, audio, hints, abandoned
        )
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            # The worker is free only when its thread has noticed.
            abandoned.set()
            await asyncio.wait([running])
            raise

    def _words(self, audio: Pcm, hints: Hints, abandoned: threading.Event) -> list[RecognizedWord]:
        words: list[RecognizedWord] = []
        for word in self.recognizer.recognize(audio, hints):
            if abandoned.is_set() or self._closed.is_set():
                break
            words.append(word)
        return words
