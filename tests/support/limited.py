"""A service that takes so many requests at a time, refuses the others, and counts both."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.callbacks.answers import transcription
from tests.support.servers import http_server

__all__ = ["Limited", "limited_service"]


@dataclass
class Limited:
    """What the service has seen."""

    url: str = ""
    in_flight: int = 0
    most_in_flight: int = 0
    refused: int = 0
    bodies: list[bytes] = field(default_factory=list[bytes])
    """The body of every request that was answered."""


@asynccontextmanager
async def limited_service(limit: int, *, took_s: float = 0.02) -> AsyncGenerator[Limited]:
    """Serve `/v1/listen`; every answer takes a while, so that requests meet."""
    seen = Limited()

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        if seen.in_flight >= limit:
            seen.refused += 1
            return web.json_response({"err_code": "TOO_MANY_REQUESTS"}, status=429)
        seen.in_flight += 1
        seen.most_in_flight = max(seen.most_in_flight, seen.in_flight)
        try:
            await asyncio.sleep(took_s)
        finally:
            seen.in_flight -= 1
        seen.bodies.append(body)
        answer = transcription(body.decode(), request_id=f"request-{len(seen.bodies)}")
        return web.Response(body=answer, content_type="application/json")

    async with http_server(handle) as url:
        seen.url = url
        yield seen
