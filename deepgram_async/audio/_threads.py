"""Blocking calls in threads that nobody has to wait for."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

__all__ = ["in_daemon_thread"]

_T = TypeVar("_T")


async def in_daemon_thread(work: Callable[[], _T]) -> _T:
    """Run a blocking call in a thread of its own and return its result.

    When the caller is cancelled, the thread is left behind. It is a daemon, unlike the workers of
    asyncio and anyio: a read from a silent pipe never ends, and must not keep the program alive.
    """
    outcome: Future[_T] = Future()
    # A running future cannot be cancelled any more: cancelling the caller ends the waiting only.
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as exc:  # raised again in the task that waits
            outcome.set_exception(exc)

    threading.Thread(target=run, name="deepgram_async.audio", daemon=True).start()
    return await asyncio.wrap_future(outcome)
