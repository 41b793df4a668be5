"""A service that hears and says nothing is told of, on every stream that takes audio."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import DeepgramSession, ReconnectPolicy, Stalled, StreamSettings
from tests.support.flux import Flux
from tests.support.servers import websocket_server
from tests.support.speak import message

FORMAT: dict[str, Any] = {"encoding": "linear16", "sample_rate": 16000}


async def silence() -> AsyncIterator[bytes]:
    while True:
        yield bytes(320)
        await asyncio.sleep(0.002)


async def speechless(connection: ServerConnection) -> None:
    """Greet as the protocol wants it, and hear whatever comes."""
    assert connection.request is not None
    path = connection.request.path
    if path.startswith("/v2/listen"):
        await connection.send(Flux().connected())
    elif path.startswith("/v1/agent"):
        await connection.send(message("Welcome", request_id="r-1"))
    async for frame in connection:
        if isinstance(frame, str) and json.loads(frame)["type"] == "Settings":
            await connection.send(message("SettingsApplied"))


@pytest.mark.parametrize("kind", ["live", "flux", "agent"])
@pytest.mark.parametrize("reconnect", [ReconnectPolicy(), None], ids=["reconnecting", "once"])
async def test_the_iteration_yields_stalled(kind: str, reconnect: ReconnectPolicy | None) -> None:
    settings = StreamSettings(
        stalled_after_s=0.04, agent_stalled_after_s=0.04, reconnect=reconnect, drain_timeout_s=0.1
    )
    async with (
        websocket_server(speechless) as url,
        DeepgramSession("key", base_url=url, stream=settings) as dg,
        asyncio.timeout(10),
    ):
        stream: Any
        match kind:
            case "live":
                stream = dg.listen.live(**FORMAT)
            case "flux":
                stream = dg.listen.flux(model="flux-general-en", **FORMAT)
            case _:
                stream = dg.agent.converse({"agent": {}, "audio": {"input": FORMAT}})
        await stream.open()
        stream.start(silence())
        async for event in stream:
            if isinstance(event, Stalled):
                assert event.audio_s is not None
                assert event.audio_s > 0
                break
        await stream.aclose()


async def test_an_agent_may_be_silent_by_default() -> None:
    settings = StreamSettings(stalled_after_s=0.02)
    async with (
        websocket_server(speechless) as url,
        DeepgramSession("key", base_url=url, stream=settings) as dg,
        dg.agent.converse({"agent": {}, "audio": {"input": FORMAT}}) as agent,
    ):
        for _ in range(50):
            await agent.send_audio(bytes(320))
            await asyncio.sleep(0.002)
        await agent.finish()
        assert not any([isinstance(event, Stalled) async for event in agent])
