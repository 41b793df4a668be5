"""A scripted voice agent service with a script for each of its connections."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from deepgram_async import AgentStream, DeepgramSession, ReconnectPolicy, StreamSettings, Tools
from deepgram_async._stream.tools import ToolFunction
from deepgram_async.models.agent_settings import Settings
from tests.support.agent import Peer, Script
from tests.support.servers import websocket_server

__all__ = ["FAST", "Service", "lose", "opened", "quiet", "silence", "talking"]

FAST = ReconnectPolicy(first_delay_s=0.01, longest_delay_s=0.05, replay_speed=None)


async def lose(peer: Peer) -> None:
    """Break the connection without a word."""
    peer.connection.transport.abort()
    await peer.connection.wait_closed()


async def quiet(peer: Peer) -> None:
    """Begin regularly and say nothing more."""
    await peer.greet()


def silence(count: int = 1) -> bytes:
    """Return chunks of 20 ms, in the format of the default settings."""
    return bytes(960) * count


async def talking(chunk: bytes = bytes(960)) -> AsyncIterator[bytes]:
    """Yield chunks as a microphone does, for ever."""
    while True:
        yield chunk
        await asyncio.sleep(0.02)


class Service:
    """Goes through one script with each connection; one connection more fails the test."""

    def __init__(self, *scripts: Script) -> None:
        self.peers: list[Peer] = []
        self.failures: list[BaseException] = []
        self.frames: list[list[str | bytes]] = []
        """What came on each connection after the end of its script."""
        self._scripts = scripts

    async def __call__(self, connection: ServerConnection) -> None:
        number = len(self.peers)
        peer = Peer(connection)
        self.peers.append(peer)
        self.frames.append([])
        try:
            assert number < len(self._scripts), "a connection too many"
            async with asyncio.timeout(9):
                await self._scripts[number](peer)
            with suppress(ConnectionClosed):
                async for frame in connection:
                    self.frames[number].append(frame)
        except Exception as error:
            self.failures.append(error)
            raise

    @property
    def settings(self) -> list[dict[str, Any]]:
        """The settings of each connection."""
        return [peer.settings for peer in self.peers]


@asynccontextmanager
async def opened(
    service: Service,
    *,
    policy: ReconnectPolicy | None = FAST,
    settings: Settings | dict[str, object] | None = None,
    tools: Tools | list[ToolFunction] | None = None,
    stream: StreamSettings = StreamSettings(close_timeout_s=0.2),  # noqa: B008 - immutable
) -> AsyncGenerator[AgentStream]:
    """Open a conversation with a service; what goes wrong there is raised at the end."""
    stream = msgspec.structs.replace(stream, reconnect=policy)
    async with (
        websocket_server(service) as url,
        DeepgramSession("sentinel", base_url=url, stream=stream) as dg,
        asyncio.timeout(10),
    ):
        async with dg.agent.converse(settings, tools=tools or ()) as agent:
            yield agent
    if service.failures:
        raise service.failures[0]
