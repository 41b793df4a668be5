"""A service on loopback that keeps what it is asked, and what an operation must look like there."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from deepgram_async import DeepgramSession
from deepgram_async.models import Model
from tests.support.servers import http_server

__all__ = ["Operation", "Received", "Service", "assert_on_the_wire", "service"]


@dataclass(frozen=True)
class Received:
    """A request as it arrived; path and query are still percent-encoded."""

    method: str
    path: str
    query: str
    authorization: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass
class Service:
    """Where the service is, and what it was asked."""

    url: str = ""
    received: list[Received] = field(default_factory=list[Received])

    def session(self, **settings: Any) -> DeepgramSession:
        return DeepgramSession("key", base_url=self.url, project_id="p-1", **settings)


@asynccontextmanager
async def service(*answers: object, status: int = 200) -> AsyncGenerator[Service]:
    """Answer each request with the next of the answers as JSON, and then always with the last."""
    own = Service()

    async def answer(request: web.Request) -> web.Response:
        own.received.append(
            Received(
                request.method,
                request.rel_url.raw_path,
                request.rel_url.raw_query_string,
                request.headers.get("Authorization", ""),
                await request.read(),
            )
        )
        position = min(len(own.received), len(answers)) - 1
        return web.json_response(answers[position], status=status)

    async with http_server(answer) as own.url:
        yield own


@dataclass(frozen=True)
class Operation:
    """A call, the request that it must send, and the answer that it must decode."""

    call: Callable[[DeepgramSession], Awaitable[Model]]
    method: str
    path: str
    kind: type[Model]
    answer: dict[str, Any]
    query: str = ""
    body: object = None


async def assert_on_the_wire(operation: Operation) -> None:
    """Make the call with the default project ``p-1``, and compare all that crosses the wire."""
    async with service(operation.answer) as own, own.session() as dg:
        answer = await operation.call(dg)
    (request,) = own.received
    assert (request.method, request.path) == (operation.method, operation.path)
    assert request.query == operation.query
    assert request.json == operation.body
    assert request.authorization == "Token key"
    assert type(answer) is operation.kind
    assert answer.to_dict() == operation.answer
