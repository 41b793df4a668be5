"""Speech as values: answers, results and turns from a line of text.

A text such as ``"Hello there. ~2 Good bye."`` is spoken at one word in 0.4 seconds; ``~2`` is a
silence of two seconds.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from deepgram_async.models import flux
from deepgram_async.models.common import Alternative, Word
from deepgram_async.models.live import Channel, Results, ResultsMetadata, UtteranceEnd
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.transcript import FinalWords, InterimWords, TranscriptChange, Utterance

__all__ = [
    "RECORDED",
    "answer",
    "final",
    "interim",
    "recorded",
    "recorded_answers",
    "result",
    "spoken",
    "told",
    "turn",
    "utterance_end",
]

RECORDED: Final = Path(__file__).parents[3] / "shared" / "recorded"
WORD_S: Final = 0.4


def spoken(text: str, *, start: float = 0.0, speaker: int | None = None) -> list[Word]:
    """Return the words of a text with their times."""
    words: list[Word] = []
    for token in text.split():
        if token.startswith("~"):
            start += float(token[1:])
            continue
        words.append(
            Word(
                word=token.strip(".,?!").lower(),
                punctuated_word=token,
                start=round(start, 3),
                end=round(start + WORD_S, 3),
                confidence=0.9,
                speaker=speaker,
            )
        )
        start += WORD_S
    return words


def alternative(words: Sequence[Word], separator: str = " ") -> Alternative:
    """Return the reading that words make."""
    return Alternative(
        transcript=separator.join(word.punctuated_word or word.word for word in words),
        confidence=0.9 if words else 0.0,
        words=list(words),
    )


def answer(
    *channels: Iterable[Word], utterances: Sequence[dict[str, Any]] | None = None, **best: object
) -> Transcription:
    """Return the answer for a recording with the words of each channel.

    Args:
        *channels: The words.
        utterances: What the service made of them.
        **best: More fields of each alternative, such as ``paragraphs``.
    """
    spoken_in = [list(words) for words in channels]
    ends = [word.end for words in spoken_in for word in words]
    document = {
        "metadata": {
            "request_id": "r1",
            "sha256": "00",
            "created": "2026-01-01T00:00:00Z",
            "duration": max(ends, default=1.0),
            "channels": len(spoken_in),
        },
        "results": {
            "channels": [
                {"alternatives": [{**alternative(words).to_dict(), **best}]} for words in spoken_in
            ],
            "utterances": utterances,
        },
    }
    return msgspec.convert(document, Transcription)


def result(
    words: Sequence[Word] | str,
    start: float | None = None,
    end: float | None = None,
    *,
    channel: tuple[int, int] = (0, 1),
    is_final: bool = True,
    speech_final: bool = False,
) -> Results:
    """Return a result; a text is spoken from its beginning."""
    if isinstance(words, str):
        words = spoken(words, start=start or 0.0)
    if start is None:
        start = words[0].start if words else 0.0
    if end is None:
        end = words[-1].end if words else start
    return Results(
        channel_index=list(channel),
        start=start,
        duration=end - start,
        channel=Channel(alternatives=[alternative(words)]),
        metadata=ResultsMetadata(request_id="r1"),
        is_final=is_final,
        speech_final=speech_final,
    )


def interim(
    words: Sequence[Word] | str,
    start: float | None = None,
    end: float | None = None,
    *,
    channel: tuple[int, int] = (0, 1),
) -> Results:
    """Return a result that may change."""
    return result(words, start, end, channel=channel, is_final=False)


def final(
    words: Sequence[Word] | str,
    start: float | None = None,
    end: float | None = None,
    *,
    channel: tuple[int, int] = (0, 1),
    speech_final: bool = False,
) -> Results:
    """Return a result that stays."""
    return result(words, start, end, channel=channel, speech_final=speech_final)


def utterance_end(last_word_end: float, *, channel: tuple[int, int] = (0, 1)) -> UtteranceEnd:
    """Return the message that an utterance has ended."""
    return UtteranceEnd(channel=list(channel), last_word_end=last_word_end)


def turn(event: str, text: str = "", end: float = 0.0, index: int = 0) -> flux.TurnInfo:
    """Return a message about a turn whose words end at a time."""
    words = spoken(text, start=end - WORD_S * len(text.split()))
    return flux.TurnInfo(
        request_id="r1",
        sequence_id=0,
        event=event,
        turn_index=index,
        audio_window_start=0.0,
        audio_window_end=end,
        transcript=text,
        end_of_turn_confidence=0.5,
        words=[
            flux.Word(
                word=word.punctuated_word or "", confidence=0.9, start=word.start, end=word.end
            )
            for word in words
        ],
    )


def told(changes: Iterable[TranscriptChange]) -> list[str]:
    """Return changes as short lines: ``final``, ``interim``, ``utterance`` or ``gap`` and words."""
    lines: list[str] = []
    for change in changes:
        match change:
            case FinalWords():
                lines.append("final " + " ".join(word.text for word in change.words))
            case InterimWords():
                kind = "eager" if change.has_perhaps_ended else "interim"
                lines.append(f"{kind} {' '.join(word.text for word in change.words)}".strip())
            case Utterance():
                lines.append(f"utterance {change.text}")
            case _:
                lines.append(f"gap {change.start:g} {change.duration:g}")
    return lines


def recorded_answers() -> list[tuple[str, Transcription]]:
    """Return the real answers with their ids; none where they are not there."""
    path = RECORDED / "rest-listen.jsonl"
    if not path.exists():
        return []
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [(entry["id"], msgspec.convert(entry["msg"], Transcription)) for entry in entries]


def recorded() -> list[Any]:
    """Return the real answers as parameters, or one that is skipped where there are none."""
    answers = [pytest.param(found, id=name) for name, found in recorded_answers()]
    skip = pytest.mark.skip(reason="the recorded answers are not here")
    return answers or [pytest.param(None, id="recorded", marks=skip)]
