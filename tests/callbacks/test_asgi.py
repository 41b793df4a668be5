import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from deepgram_async.callbacks import CallbackAuth, CallbackInbox, asgi_app
from tests.callbacks.answers import PASSWORD, REQUEST_ID, basic, transcription

Message = MutableMapping[str, Any]


async def call(
    inbox: CallbackInbox, *received: Message, headers: dict[str, str] | None = None, **scope: Any
) -> list[Message]:
    """Send an application the messages of a server, and return what it says."""
    coming = list(received)
    sent = list[Message]()

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    pairs = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    await asgi_app(inbox)(
        {"type": "http", "method": "POST", "path": "/", "headers": pairs} | scope, receive, send
    )
    return sent


def piece(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_callback_in_two_pieces_is_taken_and_acknowledged() -> None:
    inbox = CallbackInbox(CallbackAuth(password=PASSWORD))
    body = transcription()
    start, end = await call(
        inbox, piece(body[:40], more=True), piece(body[40:]), headers=basic(PASSWORD)
    )
    assert (start["type"], start["status"]) == ("http.response.start", 200)
    assert end["type"] == "http.response.body"
    assert inbox.unclaimed == [REQUEST_ID]


async def test_a_refusal_asks_for_credentials() -> None:
    start, _ = await call(CallbackInbox(CallbackAuth(password=PASSWORD)), piece(b"{}"))
    assert start["status"] == 401
    assert (b"www-authenticate", b'Basic realm="callbacks"') in start["headers"]


async def test_a_peer_that_goes_away_is_not_answered() -> None:
    inbox = CallbackInbox(None)
    cut = transcription()[:40]
    assert await call(inbox, piece(cut, more=True), {"type": "http.disconnect"}) == []
    assert inbox.unclaimed == []


async def test_a_server_that_serves_nothing_else_may_start_and_stop_it() -> None:
    sent = await call(
        CallbackInbox(None),
        {"type": "lifespan.startup"},
        {"type": "lifespan.shutdown"},
        type="lifespan",
    )
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_a_websocket_is_not_for_callbacks() -> None:
    with pytest.raises(ValueError, match="websocket"):
        await asyncio.wait_for(call(CallbackInbox(None), type="websocket"), 20)
