"""What is steered from outside while the emulator runs: its faults and its limits.

These paths are the emulator's own, the service has none like them. They are open to programs of
this machine alone: not to other machines, and not to pages of other sites in a browser here.
"""

from __future__ import annotations

import functools
import ipaddress
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web
from yarl import URL

from ._bodies import json_answer, read_json
from ._errors import NOT_LOCAL, Refusal
from ._faults import ServiceFault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._services import Services

__all__ = ["PREFIX", "local_only", "routes"]

PREFIX: Final = "/_emulator"


def local_only(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Let a handler serve programs of this machine alone."""

    @functools.wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        if not _is_local(request):
            raise Refusal(*NOT_LOCAL)
        return await handler(request)

    return guarded


def routes(services: Services) -> list[web.RouteDef]:
    """Return the routes of faults and limits."""
    control = _Control(services)
    faults, limits = f"{PREFIX}/faults", f"{PREFIX}/limits"
    return [
        web.get(faults, local_only(control.list_faults), allow_head=False),
        web.post(faults, local_only(control.add_fault)),
        web.delete(faults, local_only(control.clear_faults)),
        web.get(limits, local_only(control.show_limits), allow_head=False),
        web.put(limits, local_only(control.set_limits)),
    ]


class _Limits(msgspec.Struct, forbid_unknown_fields=True):
    max_requests: int | None = None
    max_streams: int | None = None


class _Control:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def list_faults(self, request: web.Request) -> web.Response:
        """Answer with the faults that are not over."""
        del request
        waiting = self._services.faults.waiting
        return json_answer({"faults": [msgspec.to_builtins(fault) for fault in waiting]})

    async def add_fault(self, request: web.Request) -> web.Response:
        """Plan one more."""
        self._services.faults.add([await read_json(request, ServiceFault)])
        return await self.list_faults(request)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Plan nothing any more."""
        self._services.faults.clear()
        return await self.list_faults(request)

    async def show_limits(self, request: web.Request) -> web.Response:
        """Answer with how much runs at a time."""
        del request
        gates = self._services.gates
        return json_answer({"max_requests": gates.requests, "max_streams": gates.streams})

    async def set_limits(self, request: web.Request) -> web.Response:
        """Change how much runs at a time."""
        limits = await read_json(request, _Limits)
        gates = self._services.gates
        gates.requests, gates.streams = limits.max_requests, limits.max_streams
        return await self.show_limits(request)


def _is_local(request: web.Request) -> bool:
    peer = request.transport and request.transport.get_extra_info("peername")
    if not peer or not ipaddress.ip_address(peer[0]).is_loopback:
        return False
    # A name of somebody else's that was made to point here is no name of this machine.
    host = request.headers.get("Host", "")
    if not _is_loopback_name(_name_of(f"http://{host}")):
        return False
    # Browsers say which page asks. One of another site may ask for nothing here.
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        return False
    return request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")


def _name_of(url: str) -> str:
    try:
        return URL(url).host or ""
    except ValueError:
        return ""


def _is_loopback_name(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
