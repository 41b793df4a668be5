"""Ctrl-C that ends a stream instead of the program."""

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["on_interrupt"]


@contextmanager
def on_interrupt(stop: Callable[[], None]) -> Generator[list[int], None, None]:
    """Let the first Ctrl-C call a function and the second cancel this task; yield those seen."""
    seen: list[int] = []
    task = asyncio.current_task()

    def interrupt() -> None:
        seen.append(signal.SIGINT)
        if len(seen) == 1:
            stop()
        elif task is not None:
            task.cancel()

    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except (NotImplementedError, RuntimeError):
        # Windows, or not the main thread: Ctrl-C then ends the command at once.
        yield seen
        return
    try:
        yield seen
    finally:
        loop.remove_signal_handler(signal.SIGINT)
