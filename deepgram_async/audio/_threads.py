"""Blocking calls in threads that nobody has to wait for."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

__all__ = ["in_daemon_thread", "opened_in_daemon_thread"]

_NAME: Final = "deepgram_async.audio"
_T = TypeVar("_T")


async def in_daemon_thread(work: Callable[[], _T]) -> _T:
    """Run a blocking call in a thread of its own and return its result.

    When the caller is cancelled, the thread is left behind. It is a daemon, unlike the workers of
    asyncio and anyio: a read from a silent pipe never ends, and must not keep the program alive.
    """
    return await asyncio.wrap_future(_started(work))


async def opened_in_daemon_thread(work: Callable[[], _T], close: Callable[[_T], None]) -> _T:
    """Run a blocking call as above, whose result has to be closed when nobody takes it.

    When the caller is cancelled, the thread that is left behind closes what it has opened.
    """
    outcome = _started(work)
    try:
        return await asyncio.wrap_future(outcome)
    except asyncio.CancelledError:

        def close_what_came() -> None:
            try:
                unwanted = outcome.result()
            except Exception:  # nothing was opened, and nobody asks any more
                return
            close(unwanted)

        threading.Thread(target=close_what_came, name=_NAME, daemon=True).start()
        raise


def _started(work: Callable[[], _T]) -> "Future[_T]":
    outcome: Future[_T] = Future()
    # A running future cannot be cancelled any more: cancelling the caller ends the waiting only.
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as exc:  # raised again in the task that waits
            outcome.set_exception(exc)

    threading.Thread(target=run, name=_NAME, daemon=True).start()
    return outcome
