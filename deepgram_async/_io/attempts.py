"""One attempt at a request: the phase it is in, and the deadline of that phase."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from types import TracebackType
from typing import Final, Self

__all__ = ["CURRENT", "Attempt"]

# A pooled connection that has ended is noticed within a round trip; a connection that ends later
# may have carried a request whose work has begun, and is billed.
_STALE_WITHIN_S: Final = 5.0


class Attempt:
    """What is known of one attempt while it runs, and a deadline for whatever it waits for.

    ``with attempt:`` works as ``asyncio.timeout`` does, for a deadline that moves all the time:
    the one timer is not made anew for that, but sent to sleep again when it wakes up too early.
    """

    __slots__ = (
        "_cancelling",
        "_due",
        "_loop",
        "_task",
        "_timer",
        "answer_within_s",
        "connection_was_reused",
        "headers_sent_at",
        "is_answered",
        "is_expired",
        "is_over",
        "limit_s",
        "phase",
    )

    def __init__(self) -> None:
        self.answer_within_s: float | None = None
        """Deadline that begins with the headers; ``None`` if the body begins it."""
        self.connection_was_reused: bool = False
        self.headers_sent_at: float | None = None
        self.is_answered: bool = False
        self.is_expired: bool = False
        """Whether a deadline has passed."""
        self.is_over: bool = False
        self.phase: str = "connect"
        self.limit_s: float = 0.0
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._task = task = asyncio.current_task()
        assert task is not None
        self._cancelling = task.cancelling()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.is_over = True
        task, self._task = self._task, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.is_expired and task is not None:
            # A cancellation that came from elsewhere at the same time has to go on.
            is_ours_alone = task.uncancel() <= self._cancelling
            if is_ours_alone and isinstance(error, asyncio.CancelledError):
                raise TimeoutError

    def enter(self, phase: str, limit_s: float) -> None:
        """Begin a phase, or note progress in it: its deadline starts anew."""
        if self.is_over or self.is_expired:
            return  # the task that writes the body may be a step behind
        self.phase = phase
        self.limit_s = limit_s
        self._due = due = self._loop.time() + limit_s
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._wake_up)

    def headers_go_out(self) -> None:
        """Note that there is a connection, on which the headers are written now."""
        self.headers_sent_at = self._loop.time()
        if self.answer_within_s is not None:
            self.enter("response", self.answer_within_s)

    @property
    def was_stale(self) -> bool:
        """Whether a pooled connection seems to have ended before this request came to be read."""
        if not self.connection_was_reused or self.is_answered:
            return False
        since = self.headers_sent_at
        return since is None or self._loop.time() - since < _STALE_WITHIN_S

    def _wake_up(self) -> None:
        self._timer = None
        if self._due > self._loop.time():
            self._timer = self._loop.call_at(self._due, self._wake_up)
            return
        assert self._task is not None  # the timer is cancelled where the task is let go
        self.is_expired = True
        self._task.cancel()


CURRENT: Final = ContextVar[Attempt]("the attempt whose request is being sent")
"""Tells the pool which attempt a connection is for."""
