"""What the local server answers: the same bytes for every client."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

AUDIO: Final = bytes(640)
"""20 ms of 16 kHz linear16."""
RECORDING: Final = bytes(1600)
SMALL_WORDS: Final = 10
LARGE_WORDS: Final = 10_164
"""What is said in an hour."""

_TEXT: Final = "and so the meeting went on for another hour"


FRAME: Final = bytes(4096)
"""One message of speech over a WebSocket."""
SPEECH: Final = bytes(1 << 20)
"""A part of an answer with speech."""


@cache
def answer(words: int) -> bytes:
    """Return a transcription of so many words; the large one has paragraphs and utterances."""
    return answer_of(words, words * 0.35)


def answer_of(words: int, duration: float) -> bytes:
    """Return a transcription that tells a duration."""
    spoken = [_word(number) for number in range(words)]
    transcript = " ".join(word["punctuated_word"] for word in spoken)
    alternative: dict[str, Any] = {"transcript": transcript, "confidence": 0.99, "words": spoken}
    results: dict[str, Any] = {"channels": [{"alternatives": [alternative]}]}
    if words > SMALL_WORDS:
        parts = [spoken[at : at + 12] for at in range(0, words, 12)]
        alternative["paragraphs"] = {
            "transcript": transcript,
            "paragraphs": [_paragraph(part) for part in parts],
        }
        results["utterances"] = [_utterance(part) for part in parts]
    metadata = {
        "transaction_key": "deprecated",
        "request_id": "8e4b5e0c-53bd-4ee7-9d2a-1c2b3d4e5f60",
        "sha256": "0" * 64,
        "created": "2025-01-01T00:00:00.000Z",
        "duration": duration,
        "channels": 1,
        "models": ["30089e05-99d1-4376-b32e-c263170674af"],
        "model_info": {
            "30089e05-99d1-4376-b32e-c263170674af": {
                "name": "general-nova-3",
                "version": "2024-12-20.0",
                "arch": "nova-3",
            }
        },
    }
    return json.dumps({"metadata": metadata, "results": results}).encode()


def event(start: float = 0.0, duration: float = 0.5) -> bytes:
    """Return a final result of ten words, about 2 kB."""
    before, after = _event_parts()
    return b'%b"start": %.2f, "duration": %.2f%b' % (before, start, duration, after)


@cache
def _event_parts() -> tuple[bytes, bytes]:
    """Return what is before and behind the two times of a result."""
    words = [_word(number) for number in range(10)]
    text = json.dumps(
        {
            "type": "Results",
            "channel_index": [0, 1],
            "times": 0,
            "is_final": True,
            "speech_final": True,
            "from_finalize": False,
            "channel": {
                "alternatives": [{"transcript": _TEXT, "confidence": 0.99, "words": words}]
            },
            "metadata": {
                "request_id": "8e4b5e0c-53bd-4ee7-9d2a-1c2b3d4e5f60",
                "model_info": {
                    "name": "general-nova-3",
                    "version": "2024-12-20.0",
                    "arch": "nova-3",
                },
                "model_uuid": "30089e05-99d1-4376-b32e-c263170674af",
            },
        }
    ).encode()
    before, _, after = text.partition(b'"times": 0')
    return before, after


def last_event(audio_bytes: int) -> bytes:
    """Return the last message of a stream; its duration is the number of bytes that came."""
    return json.dumps(
        {
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": "8e4b5e0c-53bd-4ee7-9d2a-1c2b3d4e5f60",
            "sha256": "0" * 64,
            "created": "2025-01-01T00:00:00.000Z",
            "duration": float(audio_bytes),
            "channels": 1,
        }
    ).encode()


def _word(number: int) -> dict[str, Any]:
    word = _TEXT.split()[number % 9]
    return {
        "word": word,
        "start": round(number * 0.35, 3),
        "end": round(number * 0.35 + 0.3, 3),
        "confidence": 0.9873 - number % 7 / 100,
        "speaker": number // 12 % 2,
        "speaker_confidence": 0.73,
        "punctuated_word": word.capitalize() if number % 12 == 0 else word,
    }


def _paragraph(words: list[dict[str, Any]]) -> dict[str, Any]:
    start, end = words[0]["start"], words[-1]["end"]
    text = " ".join(word["punctuated_word"] for word in words)
    return {
        "sentences": [{"text": text, "start": start, "end": end}],
        "speaker": words[0]["speaker"],
        "num_words": len(words),
        "start": start,
        "end": end,
    }


def _utterance(words: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "start": words[0]["start"],
        "end": words[-1]["end"],
        "confidence": 0.98,
        "channel": 0,
        "transcript": " ".join(word["punctuated_word"] for word in words),
        "words": words,
        "speaker": words[0]["speaker"],
        "id": f"{words[0]['start']:036.3f}",
    }
