"""Everything that passes between clients and the local Deepgram, for whoever watches.

Nobody watches as a rule, and then nothing is made to be seen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ._errors import Refusal
    from ._strict.deviations import Deviation

__all__ = [
    "BODY",
    "HEAD",
    "Answered",
    "Asked",
    "Body",
    "Closed",
    "Frame",
    "Observer",
    "Seen",
    "Watch",
    "noted",
]

HEAD: Final = 256
"""So much of a body is kept where nobody wants all of it."""


class Body:
    """What a client has sent behind its headers.

    Args:
        limit: How much is kept; None keeps all.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self.kept = bytearray()
        self.size = 0

    @property
    def is_whole(self) -> bool:
        """Whether all of it is kept."""
        return self.size == len(self.kept)

    def add(self, data: bytes) -> None:
        """Count a piece, and keep what may be kept of it."""
        self.size += len(data)
        room = len(data) if self._limit is None else self._limit - len(self.kept)
        if room > 0:
            self.kept += data[:room]


BODY: Final = web.RequestKey("body", Body)
"""Where the body of a watched request is noted."""


async def noted(request: web.Request, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the pieces of a body, and note them where somebody watches."""
    body = request.get(BODY)
    async for piece in pieces:
        if body is not None:
            body.add(piece)
        yield piece


@dataclass(frozen=True, slots=True)
class Asked:
    """A request has come; its body has not."""

    at: float
    request_id: str
    request: web.Request


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a WebSocket has passed."""

    at: float
    request_id: str
    from_client: bool
    data: str | bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """One side has said goodbye on a WebSocket; without a code, no code was said."""

    at: float
    request_id: str
    from_client: bool
    code: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A request is over; of a WebSocket, everything."""

    at: float
    request_id: str
    request: web.Request
    answer: web.StreamResponse | None
    """None when the client was not answered."""
    refusal: Refusal | None


Seen: TypeAlias = "Asked | Frame | Closed | Answered | Deviation"
"""What observers are told."""


class Observer(Protocol):
    """Who is told what passes."""

    @property
    def body_limit(self) -> int | None:
        """How much of a body is to be kept for it; None wants all."""
        ...

    def notice(self, seen: Seen) -> None:
        """Take note; this must be quick."""
        ...


class Watch:
    """Tells observers what passes."""

    def __init__(self) -> None:
        self.observers: tuple[Observer, ...] = ()

    def add(self, observer: Observer) -> None:
        """Tell somebody from now on."""
        self.observers = (*self.observers, observer)

    def remove(self, observer: Observer) -> None:
        """Tell somebody no more."""
        self.observers = tuple(one for one in self.observers if one is not observer)

    def tell(self, seen: Seen) -> None:
        """Tell everybody."""
        for observer in self.observers:
            observer.notice(seen)

    def new_body(self) -> Body:
        """Return a place for a body, as large as somebody wants it."""
        limits = [one.body_limit for one in self.observers]
        return Body(None if None in limits else max(filter(None, limits), default=HEAD))

    def asked(self, request_id: str, request: web.Request) -> None:
        """Tell that a request has come."""
        if self.observers:
            request[BODY] = self.new_body()
            self.tell(Asked(time.time(), request_id, request))

    def answered(
        self,
        request_id: str,
        request: web.Request,
        answer: web.StreamResponse | None,
        refusal: Refusal | None,
    ) -> None:
        """Tell that a request is over."""
        if self.observers:
            self.tell(Answered(time.time(), request_id, request, answer, refusal))

    def passed(self, request_id: str, data: str | bytes, *, from_client: bool) -> None:
        """Tell that a frame has passed."""
        self.tell(Frame(time.time(), request_id, from_client, data))

    def closed(self, request_id: str, code: int | None, reason: str, *, from_client: bool) -> None:
        """Tell that one side has said goodbye."""
        if self.observers:
            self.tell(Closed(time.time(), request_id, from_client, code, reason))
