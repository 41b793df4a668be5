"""What a live transcription server says, as values."""

import json

from websockets.asyncio.server import ServerConnection

__all__ = ["final", "interim", "metadata", "read_until_close_stream", "results"]


def results(text: str, *, start: float = 0.0, duration: float = 1.0, is_final: bool = True) -> str:
    """Return a ``Results`` message with one word of a second per word of the text."""
    words = [
        {"word": word, "start": start + index, "end": start + index + 1, "confidence": 0.9}
        for index, word in enumerate(text.split())
    ]
    return json.dumps(
        {
            "type": "Results",
            "channel_index": [0, 1],
            "start": start,
            "duration": duration,
            "is_final": is_final,
            "speech_final": is_final,
            "channel": {"alternatives": [{"transcript": text, "confidence": 0.9, "words": words}]},
            "metadata": {"request_id": "r-1", "model_uuid": "m-1"},
        }
    )


def final(text: str) -> str:
    """Return a result that stays."""
    return results(text)


def interim(text: str) -> str:
    """Return a result that a later one supersedes."""
    return results(text, is_final=False)


def metadata() -> str:
    """Return the last message of a stream."""
    return json.dumps(
        {
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": "r-1",
            "sha256": "0" * 64,
            "created": "2026-01-01T00:00:00.000Z",
            "duration": 1.0,
            "channels": 1,
        }
    )


async def read_until_close_stream(connection: ServerConnection) -> list[str | bytes]:
    """Return the frames of the client up to its ``CloseStream``, which is left out."""
    frames: list[str | bytes] = []
    async for frame in connection:
        if isinstance(frame, str) and json.loads(frame)["type"] == "CloseStream":
            break
        frames.append(frame)
    return frames
