"""Callbacks as Deepgram sends them."""

import base64
import json
from typing import Any

REQUEST_ID = "0193ca5e-0000-7000-8000-000000000001"
PASSWORD = "sentinel-password-4711"


def transcription(
    transcript: str = "hello", *, request_id: str = REQUEST_ID, **metadata: Any
) -> bytes:
    answer = {
        "metadata": {
            "request_id": request_id,
            "sha256": "0" * 64,
            "created": "2026-11-01T00:00:00Z",
            "duration": 1.0,
            "channels": 1,
            **metadata,
        },
        "results": {
            "channels": [{"alternatives": [{"transcript": transcript, "confidence": 0.9}]}]
        },
    }
    return json.dumps(answer).encode()


def failure(code: str = "Bad Request", *, request_id: str = REQUEST_ID) -> bytes:
    message = "Bad Request: failed to process audio: corrupt or unsupported data"
    return json.dumps({"err_code": code, "err_msg": message, "request_id": request_id}).encode()


def basic(password: str, username: str = "deepgram") -> dict[str, str]:
    credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {credentials}"}
