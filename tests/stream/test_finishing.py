"""Leaving a stream ends in its time, however much the service has to say."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import DeepgramSession, SocketStream, StreamSettings
from tests.support.flux import Flux
from tests.support.listen import interim
from tests.support.servers import websocket_server
from tests.support.speak import message

PATIENT = StreamSettings(drain_timeout_s=60.0, finish_timeout_s=0.2, close_timeout_s=0.2)
SOON_S = 10.0


async def talkative(connection: ServerConnection) -> None:
    """Go on talking for ever once the client has said its last word."""
    assert connection.request is not None
    path = connection.request.path
    said: str | bytes = interim("and another thing")
    if path.startswith("/v2/listen"):
        said = Flux().turn("Update", "and another thing")
    elif "speak" in path:
        said = message("Warning", code="and", description="another thing")
    async for frame in connection:
        if isinstance(frame, str) and json.loads(frame)["type"] in ("CloseStream", "Close"):
            break
    while True:
        await connection.send(said)
        await asyncio.sleep(0.005)


def made(kind: str, dg: DeepgramSession) -> SocketStream[Any, Any]:
    match kind:
        case "live":
            return dg.listen.live()
        case "flux":
            return dg.listen.flux(model="flux-general-en")
        case "speak":
            return dg.speak.live(model="aura-2-thalia-en")
        case _:
            return dg.speak.flux.live(model="flux-alexis-en")


@pytest.mark.parametrize("kind", ["live", "flux", "speak", "speak_flux"])
@pytest.mark.parametrize("leaves", [False, True], ids=["finish", "leave"])
async def test_a_service_that_never_stops_talking_is_left(kind: str, leaves: bool) -> None:
    async with (
        websocket_server(talkative) as url,
        DeepgramSession("key", base_url=url, stream=PATIENT) as dg,
        asyncio.timeout(SOON_S),
    ):
        async with made(kind, dg) as stream:
            if not leaves:
                await stream.finish()
                assert stream.drain_timed_out
        assert stream.drain_timed_out
        assert not stream.is_open
