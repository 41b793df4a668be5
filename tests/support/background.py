"""A local Deepgram for code that brings an event loop of its own."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager

from deepgram_async.emulator import Emulator

__all__ = ["serving"]


@contextmanager
def serving(emulator: Emulator) -> Generator[str, None, None]:
    """Serve in a thread and yield the base URL."""
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        async with emulator:
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert started.wait(10)
        yield emulator.base_url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
