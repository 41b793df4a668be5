"""Signals that end what a command does instead of the program."""

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

__all__ = ["on_interrupt", "on_signals"]


@contextmanager
def on_signals(call: Callable[[], None], *numbers: signal.Signals) -> Generator[None, None, None]:
    """Let signals call a function, where the loop can be told of them."""
    loop = asyncio.get_running_loop()
    told: list[signal.Signals] = []
    # Windows has none, and only the main thread has them: they then end the command at once.
    with suppress(NotImplementedError, RuntimeError, ValueError):
        for number in numbers:
            loop.add_signal_handler(number, call)
            told.append(number)
    try:
        yield
    finally:
        for number in told:
            loop.remove_signal_handler(number)


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

    with on_signals(interrupt, signal.SIGINT):
        yield seen
