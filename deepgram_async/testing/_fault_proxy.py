"""A TCP proxy on loopback that disturbs the connections it carries."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import msgspec

from ._carried import BUFFER_BYTES, CarriedConnection
from ._faults import Fault

__all__ = ["FaultProxy"]

_HOST: Final = "127.0.0.1"
_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class FaultProxy:
    """A TCP proxy on loopback between a client and a service, with faults on demand.

    It knows nothing of HTTP: give ``base_url`` to the client in place of the address of the
    service. Until a fault is asked for, everything passes as it is.

    Faults can be injected while connections are open::

        proxy.inject(Fault("stop_forwarding", "down"))
        ...
        proxy.heal()

    or be planned, for exact places that no test could hit by hand::

        FaultProxy(url, [Fault("cut", after_bytes=1000, counting="up", connection=0)])

    Leaving the ``async with`` closes all connections. All methods belong to the loop and the
    thread of the ``async with``.

    Args:
        target: Address of the service; path and scheme are kept. TLS passes through untouched.
        plan: What happens to connections, counted from the beginning of each.

    Attributes:
        base_url: The address for the client; known inside of the ``async with``.
        happened: The faults so far, each with the number of its connection.
        connections_made: How many connections were accepted.
    """

    base_url: str
    happened: list[Fault]
    connections_made: int

    def __init__(self, target: str, plan: Iterable[Fault] = ()) -> None:
        parts = urlsplit(target)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"target must be an address such as http://127.0.0.1:8080: {target!r}")
        self.base_url = ""
        self.happened = []
        self.connections_made = 0
        self._parts = parts
        self._target = (parts.hostname, parts.port or _PORTS[parts.scheme])
        self._plan = tuple(plan)
        self._standing: list[Fault] = []
        self._carried: set[CarriedConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    # Public methods.

    def inject(self, fault: Fault) -> None:
        """Let something happen to the open connections, or to the one that the fault names.

        A fault that stays, and waits for nothing, holds for later connections too.
        """
        if fault.stays and fault.is_immediate:
            self._standing.append(fault)
        for carried in tuple(self._carried):
            if fault.connection in (None, carried.number):
                carried.plan(fault)

    def heal(self) -> None:
        """End all faults that stay; those that are planned for later still happen."""
        self._standing.clear()
        for carried in self._carried:
            carried.heal()

    async def refuse_connections(self) -> None:
        """Refuse new connections (``ECONNREFUSED``); those that are open go on."""
        if self._accepting is not None and self._listener is not None:
            port = self._listener.getsockname()[1]
            await self._stop_accepting()
            # Bound and not listening: nobody else gets the port, and who connects is refused.
            self._listener = _bound(port)

    def accept_connections(self) -> None:
        """Accept connections again."""
        if self._accepting is None and self._listener is not None:
            self._listener.listen()
            self._accepting = asyncio.get_running_loop().create_task(self._accept(self._listener))

    @property
    def connections_open(self) -> int:
        """How many connections have not ended on both sides."""
        return len(self._carried)

    async def __aenter__(self) -> Self:
        if self._listener is not None:
            raise RuntimeError("the proxy is running already")
        self._listener = _bound(0)
        netloc = f"{_HOST}:{self._listener.getsockname()[1]}"
        self.base_url = self._parts._replace(netloc=netloc).geturl()
        self.accept_connections()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stop_accepting()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def __repr__(self) -> str:
        return f"<FaultProxy {self.base_url or 'new'} open={self.connections_open}>"

    # Connections.

    async def _stop_accepting(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
            self._accepting = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listener)
            number = self.connections_made
            self.connections_made += 1
            task = loop.create_task(self._carry(client, number), name=f"fault proxy {number}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, client: socket.socket, number: int) -> None:
        with contextlib.closing(client):
            try:
                service = await self._connected()
            except OSError:
                return  # a service that cannot be reached looks like one that closes
            with contextlib.closing(service):
                carried = CarriedConnection(number, client, service, self._note)
                for fault in (*self._standing, *self._plan):
                    if fault.connection in (None, number):
                        carried.plan(fault)
                self._carried.add(carried)
                try:
                    await carried.carry()
                finally:
                    self._carried.discard(carried)

    async def _connected(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(*self._target, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        service = _prepared(socket.socket(family, kind, protocol))
        try:
            await loop.sock_connect(service, address)
        except BaseException:
            service.close()
            raise
        return service

    def _note(self, fault: Fault, number: int) -> None:
        self.happened.append(msgspec.structs.replace(fault, connection=number))


def _bound(port: int) -> socket.socket:
    made = _prepared(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((_HOST, port))
    return made


def _prepared(made: socket.socket) -> socket.socket:
    made.setblocking(False)
    # Small buffers, so that a peer that stops reading is felt soon; accepted sockets inherit them.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
