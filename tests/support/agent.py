"""A scripted voice agent service."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from deepgram_async import AgentStream, DeepgramSession, StreamSettings, Tools
from deepgram_async._stream.tools import ToolFunction
from deepgram_async.models.agent import AgentEvent
from deepgram_async.models.agent_settings import Settings
from tests.support.servers import websocket_server

__all__ = ["Peer", "Script", "call", "conversation", "happens", "request", "until"]


def call(call_id: str, name: str, arguments: str = "{}", **more: object) -> dict[str, object]:
    """Return one call of a function, to be run by the client."""
    return {"id": call_id, "name": name, "arguments": arguments, "client_side": True, **more}


def request(*calls: dict[str, object]) -> dict[str, object]:
    """Return the message that asks for calls."""
    return {"type": "FunctionCallRequest", "functions": list(calls)}


async def happens(event: asyncio.Event) -> None:
    """Wait for an event, for as long as a test may take."""
    async with asyncio.timeout(5):
        await event.wait()


async def until(agent: AgentStream, kind: type[Any]) -> list[AgentEvent]:
    """Return the events up to the first of a kind."""
    events: list[AgentEvent] = []
    async with asyncio.timeout(3):
        async for event in agent:
            events.append(event)
            if isinstance(event, kind):
                return events
    pytest.fail(f"{kind.__name__} did not come, but {events}")


class Peer:
    """The service's end of a conversation; a step that does not come in time fails the test."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.settings: dict[str, Any] = {}

    async def say(self, kind: str, **fields: object) -> None:
        """Send a message."""
        await self.send({"type": kind, **fields})

    async def send(self, message: dict[str, object]) -> None:
        """Send a message as it is."""
        await self.connection.send(json.dumps(message))

    async def speak(self, *chunks: bytes) -> None:
        """Send audio."""
        for chunk in chunks:
            await self.connection.send(chunk)

    async def hear(self, kind: str) -> dict[str, Any]:
        """Return the next message, which has to be of a kind."""
        frame = await self.frame()
        assert isinstance(frame, str), f"audio came instead of {kind}"
        message: dict[str, Any] = json.loads(frame)
        assert message["type"] == kind, frame
        return message

    async def frame(self) -> str | bytes:
        """Return the next frame."""
        async with asyncio.timeout(3):
            return await self.connection.recv()

    async def greet(self) -> None:
        """Go through the beginning of a conversation."""
        await self.say("Welcome", request_id="r-1")
        self.settings = await self.hear("Settings")
        await self.say("SettingsApplied")

    async def listen(self) -> list[str | bytes]:
        """Return all frames until the connection ends, in whatever way."""
        frames: list[str | bytes] = []
        with suppress(ConnectionClosed):
            async for frame in self.connection:
                frames.append(frame)  # noqa: PERF401 - what came before the end counts
        return frames


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def conversation(
    script: Script,
    *,
    settings: Settings | dict[str, object] | None = None,
    tools: Tools | list[ToolFunction] | None = None,
    stream: StreamSettings | None = None,
) -> AsyncGenerator[AgentStream]:
    """Open a conversation with a service that begins one regularly and goes on by a script.

    What goes wrong in the script is raised at the end.
    """
    failures: list[BaseException] = []

    async def handle(connection: ServerConnection) -> None:
        peer = Peer(connection)
        try:
            await peer.greet()
            async with asyncio.timeout(5):  # a test that has failed sets no more events
                await script(peer)
            await peer.listen()
        except Exception as error:
            failures.append(error)
            raise

    async with (
        websocket_server(handle) as url,
        DeepgramSession("sentinel", base_url=url, stream=stream) as dg,
    ):
        async with dg.agent.converse(settings, tools=tools or ()) as agent:
            yield agent
    if failures:
        raise failures[0]
