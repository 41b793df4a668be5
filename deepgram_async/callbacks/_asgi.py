"""The inbox as an ASGI application, for FastAPI, Starlette, Django, Quart and their servers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import aclosing
from typing import Any, TypeAlias

from deepgram_async.callbacks._auth import challenge
from deepgram_async.callbacks._inbox import CallbackInbox

__all__ = ["asgi_app"]

_Message: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]
_App: TypeAlias = Callable[[_Message, _Receive, _Send], Awaitable[None]]


class _Disconnected(Exception):  # noqa: N818 - an ending, and nothing to report
    """The peer went away before its body was complete."""


def asgi_app(inbox: CallbackInbox) -> _App:
    """Return an ASGI application that takes callbacks at any path, for mounting at one.

    With FastAPI or Starlette: ``app.mount("/deepgram", asgi_app(inbox))``.
    """

    async def app(scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"callbacks come by http, not by {scope['type']}")
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        try:
            async with aclosing(_body(receive)) as body:
                status = await inbox.accept(scope["method"], headers, body)
        except _Disconnected:
            return
        answer = {"content-length": "0", **challenge(status)}
        pairs = [(name.encode(), value.encode()) for name, value in answer.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": b""})

    return app


async def _body(receive: _Receive) -> AsyncGenerator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def _live(receive: _Receive, send: _Send) -> None:
    """Tell a server that runs nothing but this application that there is nothing to prepare."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
