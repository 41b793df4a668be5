"""A whole transcript, however it came about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final, Self

from msgspec.structs import replace

from deepgram_async.models import Model
from deepgram_async.models.prerecorded import Channel, Results, Transcription
from deepgram_async.transcript._sentences import ends_sentence
from deepgram_async.transcript._words import Segment, Utterance, Word, by_speaker, spoken_words

__all__ = ["AudioGap", "Transcript"]

# The service's default for `utt_split` (Deepgram docs, "Utterance split").
_UTTERANCE_PAUSE_S: Final = 0.8
# Who pauses that long after a sentence goes on to something else.
_PARAGRAPH_PAUSE_S: Final = 2.0
# A paragraph that is longer ends with its sentence, in characters.
_LONG_PARAGRAPH: Final = 500
# Less than the shortest word, more than a rounding error.
_TOLERANCE_S: Final = 0.005


class AudioGap(Model, frozen=True, kw_only=True, gc=False):
    """Audio that was lost with a connection and that nobody has heard.

    Attributes:
        start: Where it is missing, in seconds from the start of the audio.
        duration: Seconds of audio.
    """

    start: float
    duration: float


class Transcript(Model, frozen=True, kw_only=True, gc=False):
    """What was said in a recording or a live stream, in the order of time.

    `render` and the methods of `Transcription` write it in many formats. It can be stored with
    `to_json` and read again with ``msgspec.json.decode(text, type=Transcript)``.

    Attributes:
        duration: Length of the audio in seconds, as far as it was heard.
        channels: Number of channels of the audio that were transcribed each on its own.
        utterances: What was said, by the time at which it begins.
        gaps: What is missing, of live streams.
        request_id: The id that Deepgram's support asks for, if it is known.
    """

    duration: float
    channels: int
    utterances: tuple[Utterance, ...] = ()
    gaps: tuple[AudioGap, ...] = ()
    request_id: str | None = None

    @classmethod
    def from_answer(cls, answer: Transcription) -> Self:
        """Return the transcript of a recording.

        Where an answer has several alternatives, the first one is taken.
        """
        return cls(
            duration=answer.duration,
            channels=len(answer.results.channels),
            utterances=tuple(_utterances_of(answer.results, answer.duration)),
            request_id=answer.request_id,
        )

    @property
    def text(self) -> str:
        """The text on one line, without the names of speakers."""
        return " ".join(utterance.text for utterance in self.utterances)

    @property
    def words(self) -> list[Word]:
        """The words of all channels, by the time at which they begin."""
        words = [word for utterance in self.utterances for word in utterance.words]
        return sorted(words, key=lambda word: word.start)

    @property
    def has_speakers(self) -> bool:
        """Whether speakers or channels are told apart."""
        return self.channels > 1 or any(
            utterance.speaker is not None for utterance in self.utterances
        )

    @property
    def turns(self) -> list[Segment]:
        """What a speaker says until another one speaks, whatever pauses he makes."""
        return [
            Segment.of(word for utterance in turn for word in utterance.words)
            for _, turn in groupby(self.utterances, lambda said: (said.channel, said.speaker))
        ]

    @property
    def paragraphs(self) -> list[Segment]:
        """The turns in paragraphs.

        They are the service's where it was asked for ``paragraphs`` or ``smart_format``. Otherwise
        a paragraph ends with a sentence: at a pause of 2 seconds, or when it has grown long.
        """
        knows = any(word.starts_paragraph for said in self.utterances for word in said.words)
        return [
            Segment.of(words)
            for turn in self.turns
            for words in (_told_paragraphs(turn) if knows else _own_paragraphs(turn))
        ]


def _utterances_of(results: Results, duration: float) -> list[Utterance]:
    said: list[Utterance] = []
    for number, channel in enumerate(results.channels):
        words = list(_with_paragraphs(channel, number, duration))
        ends = [found.end for found in results.utterances or () if found.channel == number]
        for run in _at(ends, words) if ends else _at_pauses(words):
            said += by_speaker(run, Utterance.of)
    return sorted(said, key=lambda utterance: utterance.start)


def _with_paragraphs(channel: Channel, number: int, duration: float) -> Iterator[Word]:
    """Yield the words of a channel, marked where the service begins a paragraph."""
    for best in channel.alternatives[:1]:
        paragraphs = best.paragraphs.paragraphs if best.paragraphs else []
        starts = iter([paragraph.start for paragraph in paragraphs])
        start = next(starts, None)
        for word in spoken_words(
            best.transcript,
            best.words,
            start=0.0,
            end=duration,
            channel=number,
            confidence=best.confidence,
        ):
            if start is None or word.start < start - _TOLERANCE_S:
                yield word
                continue
            while start is not None and word.start >= start - _TOLERANCE_S:
                start = next(starts, None)
            yield replace(word, starts_paragraph=True)


def _at(ends: list[float], words: list[Word]) -> Iterator[list[Word]]:
    """Split words after times, so that each word belongs to one part."""
    times = iter(ends)
    end = next(times)
    part: list[Word] = []
    for word in words:
        while word.start >= end - _TOLERANCE_S:
            if part:
                yield part
                part = []
            end = next(times, float("inf"))
        part.append(word)
    if part:
        yield part


def _at_pauses(words: Iterable[Word]) -> Iterator[list[Word]]:
    part: list[Word] = []
    for word in words:
        if part and word.start - part[-1].end >= _UTTERANCE_PAUSE_S:
            yield part
            part = []
        part.append(word)
    if part:
        yield part


def _told_paragraphs(turn: Segment) -> Iterator[list[Word]]:
    part: list[Word] = []
    for word in turn.words:
        if part and word.starts_paragraph:
            yield part
            part = []
        part.append(word)
    yield part


def _own_paragraphs(turn: Segment) -> Iterator[list[Word]]:
    part: list[Word] = []
    length = 0
    for word in turn.words:
        if part and ends_sentence(part[-1].text):
            is_pause = word.start - part[-1].end >= _PARAGRAPH_PAUSE_S
            if is_pause or length >= _LONG_PARAGRAPH:
                yield part
                part, length = [], 0
        part.append(word)
        length += len(word.text) + (not word.is_joined)
    yield part
