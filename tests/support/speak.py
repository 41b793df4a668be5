"""Speaking servers, as they talk on a socket."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from websockets.asyncio.server import ServerConnection

__all__ = ["Frames", "account", "aura", "flux", "message", "read_messages", "speak_turn"]

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


def flux(seen: Frames) -> Callable[[ServerConnection], Any]:
    """Return a `/v2/speak` server whose audio is the text it was sent."""

    async def handle(connection: ServerConnection) -> None:
        await connection.send(
            message(
                "Connected",
                request_id="r-2",
                model_name="flux-alexis-en",
                model_version="1",
                model_uuids=["m-2"],
            )
        )
        waiting = ""
        number = 0
        async for said in read_messages(connection, seen):
            match said["type"]:
                case "Speak":
                    waiting += said["text"]
                case "Flush":
                    await speak_turn(connection, waiting, number)
                    waiting = ""
                    number += 1
                case "Interrupt":
                    waiting = ""
                    await connection.send(
                        message("Warning", code="NO_ACTIVE_SPEECH", description="nothing")
                    )
                case "Configure":
                    await connection.send(
                        message("ConfigureSuccess", applied={"speed": said["speed"]})
                    )
                case _:
                    if waiting:
                        await speak_turn(connection, waiting, number)
                    await connection.send(message("SessionMetadata", total_audio_duration_ms=1))
                    return

    return handle


async def speak_turn(connection: ServerConnection, text: str, number: int) -> None:
    """Say a whole turn."""
    speech_id = f"dg_sp_{number:012x}"
    await connection.send(message("SpeechStarted", speech_id=speech_id))
    await connection.send(text.encode())
    await connection.send(message("SpeechMetadata", speech_id=speech_id, **account(text)))
    await connection.send(message("Flushed", speech_id=speech_id))


def account(text: str) -> dict[str, object]:
    """Return what a turn is charged for."""
    return {
        "audio_duration_ms": 100,
        "input_character_count": len(text),
        "billable_character_count": len(text),
        "controls_applied": {"pronunciations_applied": 0, "pronunciation_warnings": 0},
    }
