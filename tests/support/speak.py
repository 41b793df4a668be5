"""Speaking servers, as they talk on a socket."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from websockets.asyncio.server import ServerConnection

__all__ = ["Frames", "aura", "message", "read_messages"]

Frames = list[dict[str, Any]]


def message(kind: str, **fields: object) -> str:
    """Return a message of the service."""
    return json.dumps({"type": kind, **fields})


async def read_messages(
    connection: ServerConnection, seen: Frames
) -> AsyncIterator[dict[str, Any]]:
    """Yield what the client says, and note it."""
    async for frame in connection:
        assert isinstance(frame, str), "a client sends no binary frames here"
        said = json.loads(frame)
        seen.append(said)
        yield said


def aura(seen: Frames) -> Callable[[ServerConnection], Any]:
    """Return a `/v1/speak` server whose audio is the text it was sent."""

    async def handle(connection: ServerConnection) -> None:
        await connection.send(
            message(
                "Metadata",
                request_id="r-1",
                model_name="aura-2-thalia-en",
                model_version="1",
                model_uuid="m-1",
            )
        )
        waiting = ""
        number = 0
        async for said in read_messages(connection, seen):
            match said["type"]:
                case "Speak":
                    waiting += said["text"]
                case "Flush":
                    if waiting:
                        await connection.send(waiting.encode())
                    await connection.send(message("Flushed", sequence_id=number))
                    waiting = ""
                    number += 1
                case "Clear":
                    waiting = ""
                    await connection.send(message("Cleared", sequence_id=number))
                case _:
                    if waiting:
                        await connection.send(waiting.encode())
                    return

    return handle
