"""Everything that can happen to a connection, at random moments of a stream."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Literal, get_args

from websockets.exceptions import ConnectionClosed

from benchmarks.soak.service import Refusal, Service, close_without_code
from deepgram_async.testing import Direction, Fault, FaultProxy

__all__ = ["Disturber", "Trouble", "schedule"]

Trouble = Literal[
    "reset",
    "cut",
    "half-close",
    "corrupt",
    "delay",
    "throttle",
    "stop reading",
    "swallow",
    "close",
    "abort",
    "refuse handshakes",
    "refuse connections",
]
"""What can happen. ``swallow`` is a network that takes everything, and a reset at its end."""

_TROUBLES: Final[tuple[Trouble, ...]] = get_args(Trouble)
_DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)
_CLOSES: Final[tuple[tuple[int, str], ...]] = (
    (1000, ""),
    (1001, "going away"),
    (1005, ""),
    (1011, "Deepgram did not provide a response message. See https://dpgr.am/net0000"),
    (1011, "Deepgram did not receive audio data. See https://dpgr.am/net0001"),
    (1011, ""),
    (1012, "service restart"),
    (1013, "try again later"),
    (4000, "something new"),
)
_REFUSALS: Final = (408, 429, 429, 500, 502, 503, 503, 504)
# A fault with so little time to the one before hits the back-off, the handshake or the replay.
_CLUSTERED: Final = 0.3
_CLUSTER_S: Final = 1.5
_LONGEST_S: Final = 4.0
_LOOK_S: Final = 0.01


def schedule(numbers: random.Random, count: int, seconds: float) -> list[tuple[float, Trouble]]:
    """Return so many troubles, each kind about as often, and when they are due."""
    troubles: list[Trouble] = [_TROUBLES[number % len(_TROUBLES)] for number in range(count)]
    numbers.shuffle(troubles)
    moments: list[float] = []
    last = 0.95 * seconds
    for moment in sorted(numbers.uniform(0, last) for _ in range(count)):
        if moments and numbers.random() < _CLUSTERED:
            moment = min(moments[-1] + numbers.uniform(0, _CLUSTER_S), last)
        moments.append(moment)
    return list(zip(sorted(moments), troubles, strict=True))


class Disturber:
    """Lets troubles happen.

    Attributes:
        happened: How many of each kind there were.
    """

    def __init__(
        self, proxy: FaultProxy, service: Service, numbers: random.Random, bytes_per_s: float
    ) -> None:
        self.happened: Counter[Trouble] = Counter()
        self._proxy = proxy
        self._service = service
        self._numbers = numbers
        self._bytes_per_s = bytes_per_s
        self._is_swallowing = False
        self._acts: dict[Trouble, Callable[[], Awaitable[None]]] = {
            "reset": self._reset,
            "cut": self._cut,
            "half-close": self._half_close,
            "corrupt": self._corrupt,
            "delay": self._delay,
            "throttle": self._throttle,
            "stop reading": self._stop_reading,
            "swallow": self._swallow,
            "close": self._close,
            "abort": self._abort,
            "refuse handshakes": self._refuse_handshakes,
            "refuse connections": self._refuse_connections,
        }

    async def disturb(
        self, plan: list[tuple[float, Trouble]], until: Callable[[float], Awaitable[None]]
    ) -> None:
        """Let everything happen.

        Args:
            plan: Moments and troubles.
            until: Waits for a moment.
        """
        for moment, trouble in plan:
            await until(moment)
            await self._acts[trouble]()
            self.happened[trouble] += 1

    # What happens once.

    async def _reset(self) -> None:
        await self._inject("reset", "both")

    async def _cut(self) -> None:
        await self._inject("cut", "both")

    async def _half_close(self) -> None:
        await self._inject("cut", self._numbers.choice(("up", "down")))

    async def _inject(self, kind: Literal["reset", "cut"], direction: Direction) -> None:
        """Let a fault happen now, or at a byte of the near future."""
        await self._connected()
        after = self._numbers.choice((None, self._numbers.randint(1, int(self._bytes_per_s))))
        self._proxy.inject(Fault(kind, direction, after_bytes=after, after_s=after and 5.0))

    async def _corrupt(self) -> None:
        # Not in a handshake: no answer of HTTP at all is not worth another attempt.
        while not self._service.hearing or self._proxy.connections_open > 1:
            await asyncio.sleep(_LOOK_S)
        self._proxy.inject(Fault("corrupt", self._numbers.choice(_DIRECTIONS)))

    async def _connected(self) -> None:
        while not self._proxy.connections_open:
            await asyncio.sleep(_LOOK_S)

    # What lasts for a while.

    async def _delay(self) -> None:
        await self._last(Fault("delay", self._direction(), delay_s=self._numbers.uniform(0.05, 2)))

    async def _throttle(self) -> None:
        rate = self._bytes_per_s * self._numbers.uniform(0.2, 2)
        await self._last(Fault("throttle", self._direction(), bytes_per_s=rate))

    async def _stop_reading(self) -> None:
        await self._last(Fault("stop_reading", self._direction()))

    async def _swallow(self) -> None:
        self._is_swallowing = True
        await self._last(Fault("stop_forwarding", self._direction()))

    async def _last(self, fault: Fault) -> None:
        self._proxy.inject(fault)
        await asyncio.sleep(self._numbers.uniform(0.1, _LONGEST_S))
        if self._is_swallowing:
            # A connection does not survive that something is missing in the middle.
            self._proxy.inject(Fault("reset"))
            self._is_swallowing = False
        self._proxy.heal()

    def _direction(self) -> Direction:
        return self._numbers.choice(_DIRECTIONS)

    # What the service does.

    async def _close(self) -> None:
        code, reason = self._numbers.choice(_CLOSES)
        for connection in tuple(self._service.hearing):
            if code == 1005:
                await close_without_code(connection)
                continue
            with suppress(ConnectionClosed):
                await connection.close(code, reason)

    async def _abort(self) -> None:
        for connection in tuple(self._service.hearing):
            connection.transport.abort()

    async def _refuse_handshakes(self) -> None:
        for _ in range(self._numbers.randint(1, 4)):
            status = self._numbers.choice(_REFUSALS)
            seconds = self._numbers.choice((None, 1, 3)) if status in (429, 503) else None
            self._service.refusals.append(Refusal(status, seconds))
        await self._abort()

    async def _refuse_connections(self) -> None:
        await self._proxy.refuse_connections()
        self._proxy.inject(Fault("reset"))
        await asyncio.sleep(self._numbers.uniform(0.1, _LONGEST_S))
        self._proxy.accept_connections()
