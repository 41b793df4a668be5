"""How many requests of a batch are in flight."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from deepgram_async.errors import ApiError, ConfigurationError, RateLimitError

__all__ = ["DOCUMENTED_LIMIT", "AdaptiveGate", "Gate", "GateState"]

# Prerecorded requests of a project at a time (Deepgram docs, "API Rate Limits").
DOCUMENTED_LIMIT: Final = 50

# Until the first refusal every answer adds half a place: the limit grows by half each round.
_FIRST_GROWTH: Final = 0.5
# After a refusal: the share of the places that worked. Little is lost, and several processes that
# share one limit still meet at equal shares.
_KEPT: Final = 0.9
# However many are refused at one moment, others may be gone the next.
_KEPT_AT_LEAST: Final = 0.5
# Near the number that was refused a place is added after so many rounds only: a refusal for
# hundreds of answers.
_PROBE_ROUNDS: Final = 20
# Pause after a refusal that names none; it doubles while nothing but refusals comes.
_SHORTEST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GateState:
    """A gate at one moment.

    Attributes:
        most: Requests in flight at most, ever.
        limit: Requests in flight at most, now.
        in_flight: Requests in flight.
        waiting: Requests that wait to be let in.
        refused: Answers 429 so far.
        pause_s: Seconds until the next request may begin, because the service asked for a pause.
    """

    most: int
    limit: int
    in_flight: int
    waiting: int
    refused: int
    pause_s: float


class Gate(Protocol):
    """Lets requests through, as many at a time as the service takes.

    Deepgram limits how many requests of a *project* are in flight, not how many begin in a second
    (Deepgram docs, "API Rate Limits"). One gate may be shared by many batches of one event loop,
    and an implementation may share its places with other processes and machines.
    """

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Return a place for one request: ``async with`` waits for it and gives it back.

        What leaves the block tells the gate how the request went. A ``RateLimitError`` lowers the
        limit, and every error with ``retry_after`` keeps everybody out for so long; an answer
        raises the limit; any other exception says nothing. Exceptions pass unchanged.

        Waiters are let in in the order in which they came. Cancelling is safe while waiting and
        inside.
        """
        ...

    def state(self) -> GateState:
        """Return what the gate knows now, without waiting for anybody."""
        ...


class AdaptiveGate:
    """Finds out how many requests the service takes, within one process.

    It begins with a few and lets more in with every answer, until the service refuses one or
    ``most`` is reached. After a refusal it goes on with nine tenths of what worked, comes back
    slowly, and tries one more than that only now and then. Several processes that share the limit
    of a project each find their share. A refusal also keeps all waiters out for a while: as long
    as the service asked (``Retry-After``), else a moment that doubles while only refusals come.

    Args:
        most: Requests in flight at most. A project may have 50 prerecorded requests in flight,
            3 with Whisper models (Deepgram docs, "API Rate Limits").
        start: Requests in flight at most, at the beginning.

    Raises:
        ConfigurationError: A number is below one, or ``start`` above ``most``.
    """

    def __init__(self, most: int = DOCUMENTED_LIMIT, *, start: int = 10) -> None:
        if most < 1 or start < 1:
            raise ConfigurationError(f"a gate for {min(most, start)} requests lets nothing through")
        self._most = most
        self._limit: float = min(start, most)
        self._worked = math.inf
        self._least = 1.0
        self._in_flight = 0
        self._refused = 0
        self._refused_in_a_row = 0
        self._generation = 0
        self._paused_until = 0.0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Wait for a place for one request; see ``Gate.slot``."""
        self._loop = asyncio.get_running_loop()
        await self._enter()
        generation = self._generation
        try:
            yield
        except RateLimitError as error:
            self._refuse(generation, error.retry_after)
            raise
        except ApiError as error:
            if error.retry_after is not None:
                self._pause(error.retry_after)
            raise
        else:
            self._grow()
        finally:
            self._leave()

    def state(self) -> GateState:
        """Return what the gate knows now."""
        now = self._paused_until if self._loop is None else self._loop.time()
        return GateState(
            most=self._most,
            limit=int(self._limit),
            in_flight=self._in_flight,
            waiting=len(self._waiters),
            refused=self._refused,
            pause_s=max(0.0, self._paused_until - now),
        )

    # The limit.

    def _grow(self) -> None:
        self._refused_in_a_row = 0
        if self._in_flight < int(self._limit):
            return  # it is not the limit that keeps requests out
        if self._worked == math.inf:
            growth = _FIRST_GROWTH
        elif self._limit < self._worked:
            growth = 1 / self._limit
        elif self._limit < self._worked + 2:
            growth = 1 / (self._limit * _PROBE_ROUNDS)
        else:  # the service takes more than it did
            growth = 1 / self._limit
        self._limit = min(self._most, self._limit + growth)

    def _refuse(self, generation: int, retry_after: float | None) -> None:
        self._refused += 1
        if generation == self._generation:
            self._generation += 1
            self._refused_in_a_row += 1
            self._least = self._limit * _KEPT_AT_LEAST
            self._worked = self._limit
        # Those who were let in before that moment are refused for the same reason. Each of them
        # leaves at once, so the last one knows best how many were not refused.
        self._worked = max(1.0, self._least, min(self._worked, self._in_flight - 1))
        self._limit = max(1.0, self._worked * _KEPT)
        if retry_after is None:
            longest = _SHORTEST_PAUSE_S * 2.0 ** (self._refused_in_a_row - 1)
            self._pause(min(_LONGEST_PAUSE_S, longest) * (0.5 + random.random() / 2))
        else:
            # A little later than asked, never sooner.
            self._pause(retry_after * (1 + 0.1 * random.random()))

    def _pause(self, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        self._paused_until = max(self._paused_until, until)

    # The places.

    async def _enter(self) -> None:
        if not self._waiters and self._has_room():
            self._in_flight += 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._let_in()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._leave()
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            raise

    def _leave(self) -> None:
        self._in_flight -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiters and self._has_room():
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._in_flight += 1
                waiter.set_result(None)
        loop = asyncio.get_running_loop()
        if self._waiters and self._timer is None and self._paused_until > loop.time():
            self._timer = loop.call_at(self._paused_until, self._end_pause)

    def _end_pause(self) -> None:
        self._timer = None
        self._let_in()

    def _has_room(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._in_flight < int(self._limit) and self._paused_until <= now
