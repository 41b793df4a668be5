"""Words with their places, and stretches of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Final, Self, TypeVar

from deepgram_async.models import Model, common, flux

__all__ = [
    "Segment",
    "Utterance",
    "Word",
    "by_speaker",
    "is_unspaced",
    "joined_text",
    "silence_between",
    "split_words",
    "spoken_words",
    "turn_words",
]

# How far the text of a transcript is searched for a word that does not stand where it should.
_SEARCHED_CHARACTERS: Final = 80

S = TypeVar("S", bound="Segment")


class Word(Model, frozen=True, kw_only=True, gc=False):
    """One word of a transcript, as it is written there.

    Attributes:
        text: The word, with capital letters and punctuation where the service made some.
        start: Seconds from the start of the audio.
        end: Seconds from the start of the audio.
        confidence: From 0 to 1.
        channel: Number of the channel, counted from 0.
        speaker: Number of the speaker in the channel, with diarization.
        language: BCP-47 tag, with ``language="multi"``.
        is_joined: Whether no space stands before it, as in Chinese and Japanese.
        starts_paragraph: Whether the service begins a paragraph here, where it was asked for any.
    """

    text: str
    start: float
    end: float
    confidence: float
    channel: int
    speaker: int | None = None
    language: str | None = None
    is_joined: bool = False
    starts_paragraph: bool = False


class Segment(Model, frozen=True, kw_only=True, gc=False):
    """What one speaker says without another in between, in one channel.

    Attributes:
        start: Where its first word starts, in seconds from the start of the audio.
        end: Where its last word ends.
        channel: Number of the channel, counted from 0.
        speaker: Number of the speaker in the channel, with diarization.
        text: The words as they are written, on one line.
        words: Its words, at least one.
    """

    start: float
    end: float
    channel: int
    speaker: int | None = None
    text: str
    words: tuple[Word, ...]

    @classmethod
    def of(cls, words: Iterable[Word]) -> Self:
        """Make a segment of words of one speaker in one channel.

        Raises:
            ValueError: There is no word.
        """
        words = tuple(words)
        if not words:
            raise ValueError("a segment has words")
        return cls(
            start=words[0].start,
            end=max(word.end for word in words),
            channel=words[0].channel,
            speaker=words[0].speaker,
            text=joined_text(words),
            words=words,
        )

    @property
    def confidence(self) -> float:
        """The mean confidence of the words."""
        return sum(word.confidence for word in self.words) / len(self.words)


class Utterance(Segment, frozen=True, kw_only=True, gc=False):
    """What one speaker says between two pauses.

    Of a live stream it is what was said up to a result with ``speech_final``, an ``UtteranceEnd``
    or the end of a turn; of a recording what the option ``utterances`` says, or what stands between
    pauses of 0.8 seconds, the service's default for ``utt_split``.
    """


def joined_text(words: Iterable[Word]) -> str:
    """Return words as they are written, on one line."""
    return "".join(word.text if word.is_joined else f" {word.text}" for word in words).strip()


def silence_between(word: Word, following: Word) -> float:
    """Return the seconds between two words, without the noise of floats."""
    return round(following.start - word.end, 3)


def by_speaker(words: Iterable[Word], kind: Callable[[Iterable[Word]], S]) -> list[S]:
    """Return stretches of words of one speaker in one channel each."""
    return [kind(run) for _, run in groupby(words, lambda word: (word.channel, word.speaker))]


def spoken_words(
    transcript: str,
    words: Sequence[common.Word],
    *,
    start: float,
    end: float,
    channel: int,
    confidence: float,
) -> list[Word]:
    """Return the words of an alternative.

    Whether a space stands before a word is found out from the transcript. A transcript without
    words is split, and its words share the time from ``start`` to ``end``.
    """
    texts = [_on_one_line(word.punctuated_word or word.word) for word in words]
    if not any(texts):
        return split_words(transcript, start=start, end=end, channel=channel, confidence=confidence)
    return [
        Word(
            text=text,
            start=word.start,
            end=max(word.start, word.end),
            confidence=word.confidence,
            channel=channel,
            speaker=word.speaker,
            language=word.language,
            is_joined=is_joined,
        )
        for word, text, is_joined in zip(words, texts, _joints(transcript, texts), strict=True)
        if text
    ]


def turn_words(turn: flux.TurnInfo) -> list[Word]:
    """Return the words of a turn; without times of their own they share that of the turn."""
    start, end = turn.audio_window_start, turn.audio_window_end
    if not turn.words:
        return split_words(turn.transcript, start=start, end=end, channel=0, confidence=1.0)
    texts = [_on_one_line(word.word) for word in turn.words]
    times = list(_shared_time(texts, start, end))
    return [
        Word(
            text=text,
            start=begun if word.start is None else word.start,
            end=ended if word.end is None else word.end,
            confidence=word.confidence,
            channel=0,
            is_joined=is_joined,
        )
        for word, text, (begun, ended), is_joined in zip(
            turn.words, texts, times, _joints(turn.transcript, texts), strict=True
        )
        if text
    ]


def split_words(
    text: str, *, start: float, end: float, channel: int, confidence: float
) -> list[Word]:
    """Return the words of a text; they share the time by their lengths."""
    pieces = [piece for chunk in text.split() for piece in _writing_units(chunk)]
    times = _shared_time(pieces, start, end)
    return [
        Word(
            text=piece,
            start=begun,
            end=ended,
            confidence=confidence,
            channel=channel,
            is_joined=is_joined,
        )
        for piece, (begun, ended), is_joined in zip(
            pieces, times, _joints(text, pieces), strict=True
        )
    ]


@lru_cache(maxsize=4096)
def is_unspaced(character: str) -> bool:
    """Tell whether a character belongs to a writing without spaces."""
    if not character or character < "\u0e00":
        return False
    if unicodedata.east_asian_width(character) in "WF":
        return not "\uac00" <= character <= "\ud7a3"  # Korean has spaces
    name = unicodedata.name(character, "")
    return name.startswith(("THAI ", "LAO ", "KHMER ", "MYANMAR "))


def _shared_time(texts: Sequence[str], start: float, end: float) -> Iterator[tuple[float, float]]:
    total = sum(map(len, texts)) or 1
    done = 0
    for text in texts:
        begun = done
        done += len(text)
        yield start + (end - start) * begun / total, start + (end - start) * done / total


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _joints(transcript: str, texts: Iterable[str]) -> Iterator[bool]:
    """Tell of each word whether it is written to the one before it without a space.

    The one before the first word is in another transcript; what they are written in decides.
    """
    has_spaces = len(transcript.split()) > 1
    position = 0
    previous = ""
    for text in texts:
        begin = position
        while begin < len(transcript) and transcript[begin].isspace():
            begin += 1
        if not transcript.startswith(text, begin):
            begin = transcript.find(text, position, position + _SEARCHED_CHARACTERS + len(text))
        if begin < 0:
            yield is_unspaced(previous[-1:]) and is_unspaced(text[:1])
        else:
            if begin > 0:
                yield not transcript[begin - 1].isspace()
            else:
                yield is_unspaced(text[:1]) and not has_spaces
            position = begin + len(text)
        previous = text


def _writing_units(chunk: str) -> Iterator[str]:
    """Split what has no spaces where a line may be broken: between Chinese characters and so on."""
    unit = ""
    for character in chunk:
        if unit and is_unspaced(character) and unicodedata.category(character)[0] in "LN":
            yield unit
            unit = ""
        unit += character
    if unit:
        yield unit
