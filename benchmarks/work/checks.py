"""What must have come: work that was dropped ends the process with an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.contestants import Stream
from benchmarks.payloads import AUDIO, SMALL_WORDS


def check_words(transcription: Any, words: int = SMALL_WORDS) -> None:
    """Fail if a transcription lacks words."""
    found = len(transcription.results.channels[0].alternatives[0].words)
    assert found == words, f"{found} words instead of {words}"


def check_upload(transcription: Any, size: int) -> None:
    """Fail if the server did not get every byte; it tells the number as the duration."""
    check_words(transcription)
    found = transcription.metadata.duration
    assert found == size, f"{found} bytes arrived instead of {size}"


def check_event(result: Any) -> None:
    """Fail if an event is not the result that was sent."""
    assert len(result.channel.alternatives[0].words) == 10


def check_bytes(found: int, expected: int) -> None:
    """Fail if audio is missing."""
    assert found == expected, f"{found} bytes of audio instead of {expected}"


def is_result(event: Any) -> bool:
    """Return whether an event is a result, and fail if it lacks words."""
    if not hasattr(event, "channel"):
        return False
    check_event(event)
    return True


async def check_end(
    stream: Stream, results: int, chunks: int, on_result: Callable[[Any], None] | None = None
) -> None:
    """Take all events, and fail if one of them or one chunk was lost."""
    found, audio_bytes = 0, 0.0
    async for event in stream.events():
        if not is_result(event):
            audio_bytes = event.duration
            break
        found += 1
        if on_result is not None:
            on_result(event)
    assert found == results, f"{found} results instead of {results}"
    check_bytes(round(audio_bytes), chunks * len(AUDIO))
