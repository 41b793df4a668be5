"""A whole transcript, however it came about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby
from operator import attrgetter
from typing import Final, Self

from msgspec.structs import replace

from deepgram_async.models import Model
from deepgram_async.models.prerecorded import Channel, Results, Transcription
from deepgram_async.transcript._notebook import notebook_html
from deepgram_async.transcript._parts import Part
from deepgram_async.transcript._sentences import ends_sentence
from deepgram_async.transcript._style import Style
from deepgram_async.transcript._words import (
    Segment,
    Utterance,
    Word,
    by_speaker,
    joined_text,
    silence_between,
    spoken_words,
)

__all__ = ["AudioGap", "Transcript", "in_notebook", "parts_of"]

# The service's default for `utt_split` (Deepgram docs, "Utterance split").
_UTTERANCE_PAUSE_S: Final = 0.8
# Who pauses that long after a sentence goes on to something else.
_PARAGRAPH_PAUSE_S: Final = 2.0
# A longer paragraph ends with its sentence or at a pause, in characters.
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
        return joined_text(word for utterance in self.utterances for word in utterance.words)

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
        """What a speaker says until another one speaks, whatever the pauses."""
        return [
            Segment.of(word for utterance in turn for word in utterance.words)
            for _, turn in groupby(self.utterances, lambda said: (said.channel, said.speaker))
        ]

    @property
    def paragraphs(self) -> list[Segment]:
        """The turns in paragraphs.

        They are the service's where it was asked for ``paragraphs`` or ``smart_format``. Otherwise
        a paragraph ends with a sentence before a pause of 2 seconds, and from 500 characters on
        with either. None goes on behind a gap.
        """
        knows = any(word.starts_paragraph for said in self.utterances for word in said.words)
        begins = _begins_told_paragraph if knows else _begins_own_paragraph
        gaps = [gap.start for gap in self.gaps]

        def begins_here(part: list[Word], word: Word) -> bool:
            return begins(part, word) or any(part[-1].start < gap <= word.start for gap in gaps)

        return [
            Segment.of(words) for turn in self.turns for words in _parted(turn.words, begins_here)
        ]

    def _repr_html_(self) -> str:
        return in_notebook(self)


def parts_of(transcript: Transcript, style: Style) -> list[Part]:
    """Return the paragraphs, and between them notes about lost audio."""
    notes = [
        Part(gap.start, None, f"[{gap.duration:.1f} seconds of audio were lost]", is_note=True)
        for gap in transcript.gaps
    ]
    paragraphs: list[Part] = []
    last: str | None = None
    for paragraph in transcript.paragraphs:
        name = style.name_of(
            speaker=paragraph.speaker, channel=paragraph.channel, channels=transcript.channels
        )
        shown = name if name != last else None
        paragraphs.append(Part(paragraph.start, shown, paragraph.text, paragraph.words))
        last = name
    return list(merge(notes, paragraphs, key=attrgetter("start")))


def in_notebook(
    transcript: Transcript, interim: Sequence[Word] = (), *, shows_end: bool = False
) -> str:
    """Return how a notebook shows a transcript, and interim words behind it."""
    return notebook_html(parts_of(transcript, Style()), interim, shows_end=shows_end)


def _utterances_of(results: Results, duration: float) -> list[Utterance]:
    said: list[Utterance] = []
    for number, channel in enumerate(results.channels):
        words = list(_with_paragraphs(channel, number, duration))
        ends = [found.end for found in results.utterances or () if found.channel == number]
        for run in _at(ends, words) if ends else _parted(words, _begins_utterance):
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


def _parted(
    words: Iterable[Word], begins: Callable[[list[Word], Word], bool]
) -> Iterator[list[Word]]:
    """Split words before each that begins a part, judged with the part so far."""
    part: list[Word] = []
    for word in words:
        if part and begins(part, word):
            yield part
            part = []
        part.append(word)
    if part:
        yield part


def _begins_utterance(part: list[Word], word: Word) -> bool:
    return silence_between(part[-1], word) >= _UTTERANCE_PAUSE_S


def _begins_told_paragraph(part: list[Word], word: Word) -> bool:
    return word.starts_paragraph


def _begins_own_paragraph(part: list[Word], word: Word) -> bool:
    ends = ends_sentence(part[-1].text)
    pauses = silence_between(part[-1], word) >= _PARAGRAPH_PAUSE_S
    if ends and pauses:
        return True
    return (ends or pauses) and len(joined_text(part)) >= _LONG_PARAGRAPH
