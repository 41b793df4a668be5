"""Services for code that brings an event loop of its own."""

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

from deepgram_async.emulator import Emulator

__all__ = ["in_background", "serving"]

T = TypeVar("T")


@contextmanager
def in_background(service: AbstractAsyncContextManager[T]) -> Generator[T, None, None]:
    """Keep a service open in a thread and yield what it yields."""
    loop = asyncio.new_event_loop()
    opened: Future[T] = Future()
    stop = asyncio.Event()

    async def serve() -> None:
        try:
            async with service as value:
                opened.set_result(value)
                await stop.wait()
        except Exception as error:
            if opened.done():
                raise
            opened.set_exception(error)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        yield opened.result(10)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@contextmanager
def serving(emulator: Emulator) -> Generator[str, None, None]:
    """Serve a local Deepgram in a thread and yield its base URL."""
    with in_background(emulator) as local:
        yield local.base_url
