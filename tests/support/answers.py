"""Answers of the service, as small as they can be."""

import json
from typing import Any, Final

from aiohttp import web

__all__ = ["ACCEPTED", "TRANSCRIPTION", "raw_answer", "transcription"]

TRANSCRIPTION: Final[dict[str, Any]] = {
    "metadata": {
        "request_id": "0f1e2d3c",
        "sha256": "5324da68",
        "created": "2025-06-22T16:50:02.280Z",
        "duration": 1.5,
        "channels": 1,
    },
    "results": {
        "channels": [
            {
                "alternatives": [
                    {
                        "transcript": "life moves pretty fast",
                        "confidence": 0.99,
                        "words": [{"word": "life", "start": 0.1, "end": 0.4, "confidence": 0.98}],
                    }
                ]
            }
        ]
    },
}
ACCEPTED: Final[dict[str, Any]] = {"request_id": "0f1e2d3c"}


def transcription() -> web.Response:
    """Return the answer that a transcription gets."""
    return web.json_response(TRANSCRIPTION)


def raw_answer(body: bytes | None = None, status: str = "200 OK", headers: str = "") -> bytes:
    """Return a whole answer as it goes over the wire; a transcription if no body is given."""
    content = json.dumps(TRANSCRIPTION).encode() if body is None else body
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
    return head.encode() + content
