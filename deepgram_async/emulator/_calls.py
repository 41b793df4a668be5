"""How every endpoint is served: login, scope, faults, limits and the log, in one place.

An endpoint is a function that gets the request and its `Call`, tells the call what was used, and
returns the answer. `route` makes a route of it: it logs in, checks the scope, counts the request
against its project's limit, applies the faults and records the request when it is over. Its module
is listed in `_server`.

    async def speak(request: web.Request, call: Call) -> web.StreamResponse:
        call.used.characters = 5
        async with accept(request, call) as socket:        # a WebSocket, limits and faults included
            ...
        return socket                    # or web.Response, or respond_slowly(request, call, {...})

    route(services, "GET", "/v1/speak", speak, product="speak", is_streaming=True)
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from aiohttp import web
from yarl import URL

from ._auth import NOBODY
from ._errors import METHOD_NOT_ALLOWED, Refusal
from ._faulty_answers import FaultyBody, answer_wrongly, disturb
from ._faulty_socket import FaultySocket
from ._manage.records import FEATURES, LoggedRequest
from ._secrets import without_password
from ._services import PROJECT_ID, REQUEST_ID

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from aiohttp.typedefs import Handler
    from multidict import MultiMapping

    from ._auth import Caller
    from ._faults import ServiceFault
    from ._manage.records import Method, UsedModel
    from ._services import Services
    from ._watch import Body

__all__ = ["Call", "Endpoint", "Product", "Used", "accept", "respond_slowly", "route"]

Product = Literal["agent", "listen", "manage", "read", "speak"]
"""What a request is counted as; `manage` is neither limited nor logged."""


@dataclass(slots=True)
class Used:
    """What a request used; its endpoint fills it in while it knows more and more."""

    audio_s: float = 0.0
    """Seconds of audio heard or spoken, of one channel."""
    channels: int = 1
    agent_s: float = 0.0
    """Seconds of conversation."""
    characters: int = 0
    """Characters turned into speech."""
    tokens_in: int = 0
    tokens_out: int = 0
    models: Sequence[UsedModel] = ()
    features: Sequence[str] = ()
    """Names of the options that were on; `route` has read them, the tags and the callback."""
    tags: Sequence[str] = ()
    callback: str | None = None
    """Where the answer is delivered, which makes the request an asynchronous one."""


@dataclass(slots=True)
class Call:
    """One request while it is served."""

    services: Services
    caller: Caller
    request_id: str
    product: Product
    is_streaming: bool
    faults: Sequence[ServiceFault]
    path: str
    created: float
    used: Used = field(default_factory=Used)
    status: int = 200
    message: str = ""
    """Why it failed."""

    def record(self) -> None:
        """Write down what is known by now; `route` does so when the endpoint has answered."""
        if self.product != "manage":
            self.services.log.record(self._logged(self.services.account.clock()))

    def _logged(self, now: float) -> LoggedRequest:
        used = self.used
        method: Method = "sync" if used.callback is None else "async"
        return LoggedRequest(
            request_id=self.request_id,
            project_id=self.caller.project_id,
            accessor=self.caller.accessor,
            product=self.product,
            method="streaming" if self.is_streaming else method,
            path=self.path,
            created=self.created,
            completed=now,
            status=self.status,
            message=self.message,
            audio_s=used.audio_s,
            channels=used.channels,
            characters=used.characters,
            agent_s=used.agent_s,
            tokens_in=used.tokens_in,
            tokens_out=used.tokens_out,
            models=tuple(used.models),
            features=tuple(used.features),
            tags=tuple(used.tags),
            callback=None if used.callback is None else without_password(used.callback),
        )


Endpoint: TypeAlias = "Callable[[web.Request, Call], Awaitable[web.StreamResponse]]"
"""What answers a request."""


def route(
    services: Services,
    method: str,
    path: str,
    endpoint: Endpoint,
    *,
    product: Product,
    scope: str | None = "usage:write",
    is_streaming: bool = False,
) -> web.RouteDef:
    """Return the route of an endpoint.

    Args:
        services: What it is served with.
        method: HTTP method; of a WebSocket, `GET`.
        path: Path, with `{names}`.
        endpoint: What answers.
        product: What it counts as.
        scope: What the credential must allow; None asks for no credential.
        is_streaming: Whether it is a WebSocket, which is limited once it is accepted.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        caller = NOBODY if scope is None else services.access.authenticate(request)
        PROJECT_ID.set(caller.project_id or None)
        faults = services.faults.take(
            request.path,
            request.method,
            caller.project_id,
            request.headers,
            is_socket=is_streaming,
        )
        call = Call(
            services=services,
            caller=caller,
            request_id=REQUEST_ID.get(),
            product=product,
            is_streaming=is_streaming,
            faults=faults,
            path=_without_secrets(request.rel_url),
            created=services.account.clock(),
            used=_asked_for(request.query),
        )
        return await _serve(request, call, endpoint, scope)

    options = {"allow_head": False} if method == "GET" else {}
    return web.RouteDef(method, path, cast("Handler", handle), options)


async def _serve(
    request: web.Request,
    call: Call,
    endpoint: Endpoint,
    scope: str | None,
) -> web.StreamResponse:
    try:
        async with AsyncExitStack() as inside:
            if scope is not None:
                call.caller.require(scope)
            if not call.is_streaming and call.product != "manage":
                gate = call.services.gates.enter(
                    call.caller.project_id, call.product, streaming=False
                )
                inside.enter_context(gate)
            await answer_wrongly(request, call.faults, is_socket=call.is_streaming)
            answer = await endpoint(request, call)
            if not call.is_streaming:
                call.status = answer.status
                answer = await disturb(request, answer, call.faults, _body(call))
            return answer
    except Refusal as refusal:
        call.status, call.message = refusal.status, refusal.message
        raise
    except asyncio.CancelledError:
        # The client has left: the status that logs have for it.
        call.status = 499
        raise
    except Exception:
        call.status = 500
        raise
    finally:
        call.record()


@asynccontextmanager
async def accept(request: web.Request, call: Call) -> AsyncGenerator[FaultySocket]:
    """Open the WebSocket that a request asks for, within the limits, for the block.

    Raises:
        Refusal: It asks for none, or the project has too many open.
    """
    settings = call.services.settings
    socket = FaultySocket(
        call.faults,
        call.services.watch,
        call.request_id,
        call.path,
        protocols=() if call.caller.protocol is None else (call.caller.protocol,),
        timeout=settings.close_timeout_s,
        max_msg_size=settings.max_frame_bytes,
        compress=False,
    )
    if not socket.can_prepare(request):
        raise Refusal(*METHOD_NOT_ALLOWED)
    open_sockets = call.services.open_sockets
    with call.services.gates.enter(call.caller.project_id, call.product, streaming=True):
        await socket.prepare(request)
        open_sockets.add(socket)
        try:
            async with socket.disturbed(request):
                yield socket
        finally:
            open_sockets.discard(socket)


async def respond_slowly(
    request: web.Request, call: Call, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Begin an answer whose body is written piece by piece; the call's faults apply to it."""
    answer = FaultyBody(call.faults, headers=headers, written=_body(call))
    await answer.prepare(request)
    return answer


def _body(call: Call) -> Body | None:
    watch = call.services.watch
    return watch.new_body() if watch.observers else None


def _asked_for(query: MultiMapping[str]) -> Used:
    features = (name for name in FEATURES & query.keys() if query[name] != "false")
    return Used(
        features=sorted(features), tags=query.getall("tag", []), callback=query.get("callback")
    )


def _without_secrets(url: URL) -> str:
    callback = url.query.get("callback")
    return str(url if callback is None else url.update_query(callback=without_password(callback)))
