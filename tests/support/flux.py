"""What a Flux server says, as values."""

import json
from typing import Any

from websockets.asyncio.server import ServerConnection

__all__ = ["Flux", "close_without_code"]


class Flux:
    """Numbers the messages of one connection, and the turns in them."""

    def __init__(self) -> None:
        self._sequence_id = -1
        self._turn_index = 0

    def message(self, kind: str, **fields: Any) -> str:
        """Return any message."""
        self._sequence_id += 1
        numbered = {"type": kind, "request_id": "r-1", "sequence_id": self._sequence_id}
        return json.dumps({**numbered, **fields})

    def connected(self) -> str:
        """Return the first message."""
        return self.message("Connected")

    def turn(self, event: str, transcript: str = "", **fields: Any) -> str:
        """Return a message of the current turn; ``EndOfTurn`` begins the next one."""
        index = self._turn_index
        if event == "EndOfTurn":
            self._turn_index += 1
            fields = {"trigger": "model", **fields}
        words = [{"word": word, "confidence": 0.9} for word in transcript.split()]
        return self.message(
            "TurnInfo",
            **{
                "event": event,
                "turn_index": index,
                "audio_window_start": 0.0,
                "audio_window_end": 1.7,
                "transcript": transcript,
                "words": words,
                "end_of_turn_confidence": 0.5,
                **fields,
            },
        )

    def turns(self, *events: tuple[str, str]) -> list[str]:
        """Return one message for each event and its transcript."""
        return [self.turn(event, transcript) for event, transcript in events]


async def close_without_code(connection: ServerConnection) -> None:
    """End a connection as Flux does; it arrives as 1005."""
    connection.protocol.send_close()
    for data in connection.protocol.data_to_send():
        connection.transport.write(data)
    await connection.wait_closed()
