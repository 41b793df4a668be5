"""Words as the service writes them: the JSON that prerecorded and live answers share."""

from __future__ import annotations

import os
import string
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

if TYPE_CHECKING:
    from ._recognizers import RecognizedWord, Recognizer

__all__ = [
    "Json",
    "alternative",
    "confidence",
    "model",
    "new_request_id",
    "now",
    "read_message",
    "search",
    "words",
]

T = TypeVar("T")

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | msgspec.Raw

# Stable, so that the id of a recogniser is the same in every run.
_MODELS: Final = uuid.UUID("6f1cf6b4-3d8f-4c58-9d1f-4bb1dcb5f6f1")
# What is cut off a written word to get the bare one; apostrophes and hyphens inside it stay.
_PUNCTUATION: Final = (
    string.punctuation + "\u2026\u201c\u201d\u2018\u2019\u00ab\u00bb\u00bf\u00a1\u2014\u2013"
)


def new_request_id() -> str:
    """Return a UUID that begins with the time, as the service's do."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def now() -> str:
    """Return the time in the service's form."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_message(decoder: msgspec.json.Decoder[T], text: str) -> T:
    """Read a text message of a client.

    Raises:
        msgspec.DecodeError: It is no such message.
    """
    try:
        return decoder.decode(text)
    except RecursionError:
        raise msgspec.DecodeError("JSON is nested too deeply") from None


def model(recognizer: Recognizer) -> tuple[str, dict[str, Json]]:
    """Return the id and the description of what recognises here, by its true name."""
    name, version = recognizer.name, recognizer.version
    info: dict[str, Json] = {"name": name, "version": version, "arch": recognizer.architecture}
    return str(uuid.uuid5(_MODELS, f"{name} {version}")), info


def words(recognized: Sequence[RecognizedWord], *, punctuated: bool) -> list[dict[str, Json]]:
    """Return the `words` of an alternative."""
    answer: list[dict[str, Json]] = []
    for word in recognized:
        entry: dict[str, Json] = {
            "word": bare(word.text),
            "start": round(word.start, 6),
            "end": round(word.end, 6),
            "confidence": round(word.confidence, 7),
        }
        if punctuated:
            entry["punctuated_word"] = word.text
        answer.append(entry)
    return answer


def transcript(recognized: Sequence[RecognizedWord], *, punctuated: bool) -> str:
    """Return the running text: as written, or bare and in lower case."""
    return " ".join(word.text if punctuated else bare(word.text) for word in recognized)


def alternative(recognized: Sequence[RecognizedWord], *, punctuated: bool) -> dict[str, Json]:
    """Return an alternative of a channel."""
    return {
        "transcript": transcript(recognized, punctuated=punctuated),
        "confidence": confidence(recognized),
        "words": words(recognized, punctuated=punctuated),
    }


def confidence(recognized: Sequence[RecognizedWord]) -> float:
    """Return the upper median of the words' confidences, which is what recorded answers show."""
    ordered = sorted(word.confidence for word in recognized)
    return round(ordered[len(ordered) // 2], 7) if ordered else 0.0


def bare(text: str) -> str:
    """Return a written word without case and punctuation."""
    return text.strip(_PUNCTUATION).lower() or text


def search(recognized: Sequence[RecognizedWord], queries: Sequence[str]) -> list[Json]:
    """Return where the recognised words are those of a query; sounds alike is not found here."""
    heard = [bare(word.text) for word in recognized]
    answer: list[Json] = []
    for query in queries:
        wanted = [bare(part) for part in query.split()]
        hits: list[Json] = []
        for at in range(len(heard) - len(wanted) + 1):
            if wanted and heard[at : at + len(wanted)] == wanted:
                found = recognized[at : at + len(wanted)]
                hits.append(
                    {
                        "confidence": round(min(word.confidence for word in found), 7),
                        "start": round(found[0].start, 6),
                        "end": round(found[-1].end, 6),
                        "snippet": " ".join(wanted),
                    }
                )
        answer.append({"query": query, "hits": hits})
    return answer
