"""What a fault proxy can do to a connection, as values."""

from __future__ import annotations

import random
from typing import Final, Literal, get_args

import msgspec

__all__ = ["Direction", "Fault", "FaultKind", "random_faults"]

Direction = Literal["both", "down", "up"]
"""``up`` is from the client to the service, ``down`` from the service to the client."""

FaultKind = Literal[
    "corrupt", "cut", "delay", "reset", "stop_forwarding", "stop_reading", "throttle"
]
"""See ``Fault``."""

_DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)
_KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)


class Fault(msgspec.Struct, frozen=True):
    """One thing that happens to a connection, and when.

    These happen once:

    - ``cut``: what came so far is delivered, then the receiver gets an orderly end (FIN), and all
      that comes later is thrown away. With one direction the other goes on: a half-close.
    - ``reset``: both sides get a TCP reset at once; the direction does not matter.
    - ``corrupt``: all bits of the next byte are inverted. As the first byte of a WebSocket frame
      that is a broken protocol, inside a frame it is broken data.

    These stay until ``FaultProxy.heal``:

    - ``delay``: each byte arrives ``delay_s`` later.
    - ``throttle``: ``bytes_per_s`` pass.
    - ``stop_reading``: nothing is taken from the sender any more, so that its writes block when
      the buffers of the system are full.
    - ``stop_forwarding``: everything is taken and nothing delivered, not even an end: a network
      that swallows packets. What was swallowed is lost.

    Without ``after_bytes`` and ``after_s`` it happens at once: when it is injected, or when a
    connection begins.

    Attributes:
        kind: What happens.
        direction: To which direction.
        after_bytes: It happens when exactly so many bytes were delivered, counted in the
            directions of ``counting``. A fault that is injected counts from then on.
        counting: Whose bytes ``after_bytes`` means; ``both`` is the sum.
        after_s: It happens so long after the beginning of the connection, or after it was
            injected. With ``after_bytes``, whichever comes first.
        connection: Number of the connection that is meant, in the order in which they came,
            beginning with 0; ``None`` means each.
        delay_s: For ``delay``.
        bytes_per_s: For ``throttle``.
    """

    kind: FaultKind
    direction: Direction = "both"
    after_bytes: int | None = None
    counting: Direction = "both"
    after_s: float | None = None
    connection: int | None = None
    delay_s: float = 0.1
    bytes_per_s: float = 8000.0

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"kind must be one of {', '.join(_KINDS)}, not {self.kind!r}")
        for name, value in (("direction", self.direction), ("counting", self.counting)):
            if value not in _DIRECTIONS:
                raise ValueError(f"{name} must be one of {', '.join(_DIRECTIONS)}, not {value!r}")
        if self.bytes_per_s <= 0:
            raise ValueError("bytes_per_s must be above 0; stop_forwarding lets nothing pass")

    @property
    def is_immediate(self) -> bool:
        """Whether it waits for nothing."""
        return not self.after_bytes and self.after_s is None

    @property
    def stays(self) -> bool:
        """Whether it goes on until ``FaultProxy.heal``."""
        return self.kind in ("delay", "stop_forwarding", "stop_reading", "throttle")


def random_faults(seed: int, count: int, *, within_s: float) -> list[Fault]:
    """Return faults for the first connections, one for each, of any kind and at any moment.

    The same seed makes the same faults, so print it where a test fails.

    Args:
        seed: Beginning of the random numbers.
        count: How many connections are disturbed.
        within_s: The longest time that a connection is left in peace.
    """
    numbers = random.Random(seed)
    return [
        Fault(
            kind=numbers.choice(_KINDS),
            direction=numbers.choice(_DIRECTIONS),
            after_s=numbers.uniform(0, within_s),
            connection=number,
            delay_s=numbers.uniform(0.01, 1.0),
            bytes_per_s=numbers.uniform(1_000, 64_000),
        )
        for number in range(count)
    ]
