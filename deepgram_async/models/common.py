"""Values that several answers and messages of the service share.

Times are seconds from the start of the audio, confidences run from 0 to 1. Numbers may carry the
noise of 32-bit floats, such as ``0.79999995``.
"""

from typing import Literal, TypeAlias

from msgspec import field

from deepgram_async.models._base import Model

__all__ = [
    "Alternative",
    "AverageSentiment",
    "DiarizeInfo",
    "Entity",
    "Hit",
    "IntelligenceInfo",
    "Intent",
    "IntentSegment",
    "Intents",
    "ModelInfo",
    "ParameterWarning",
    "Search",
    "Sentiment",
    "SentimentSegment",
    "Sentiments",
    "Topic",
    "TopicSegment",
    "Topics",
    "Word",
    "WordIndex",
]

Sentiment: TypeAlias = Literal["positive", "neutral", "negative"] | str
"""How a stretch of text sounds; an open set."""

# Some servers write word positions as 12.0: an `int` alone would refuse the whole answer.
WordIndex: TypeAlias = int | float
"""Position in the words of the transcript; wrap it in `int` to use it as an index."""


class Word(Model, frozen=True, kw_only=True, gc=False):
    """One recognised word.

    Attributes:
        word: The word in lower case, without punctuation.
        punctuated_word: The word as it stands in the formatted transcript.
        speaker: Number of the speaker, counted from 0, with diarization.
        speaker_confidence: How sure the diarizer is of the speaker; prerecorded audio only.
        language: BCP-47 tag, with ``language="multi"``.
        sentiment_score: From -1 (negative) to 1 (positive).
    """

    word: str
    start: float
    end: float
    confidence: float
    punctuated_word: str | None = None
    speaker: int | None = None
    speaker_confidence: float | None = None
    language: str | None = None
    sentiment: Sentiment | None = None
    sentiment_score: float | None = None


class Alternative(Model, frozen=True, kw_only=True, gc=False):
    """One reading of the audio, the best one first.

    Attributes:
        transcript: The text; empty for silence.
        words: Empty for silence.
        languages: BCP-47 tags by number of words, with ``language="multi"``.
        languages_hinted: The hints that were taken up; empty when none were given.
    """

    transcript: str
    confidence: float
    words: list[Word] = field(default_factory=list[Word])
    languages: list[str] | None = None
    languages_hinted: list[str] | None = None


class Entity(Model, frozen=True, kw_only=True, gc=False):
    """A name, number or other entity found with ``detect_entities``.

    Attributes:
        label: Kind of entity, such as ``"NAME"`` or ``"PHONE_NUMBER"``.
        value: The formatted text.
        raw_value: The words as spoken, when formatting changed them.
        start_word: Position of its first word.
        end_word: Position after its last word.
    """

    label: str
    value: str
    confidence: float
    start_word: WordIndex
    end_word: WordIndex
    raw_value: str | None = None


class Hit(Model, frozen=True, kw_only=True, gc=False):
    """A place in the audio that may contain a searched phrase.

    Attributes:
        snippet: What the transcript says at that place.
    """

    confidence: float
    start: float
    end: float
    snippet: str | None = None


class Search(Model, frozen=True, kw_only=True, gc=False):
    """The hits of one phrase of the option ``search``."""

    query: str
    hits: list[Hit] = field(default_factory=list[Hit])


class ModelInfo(Model, frozen=True, kw_only=True, gc=False):
    """The speech model behind a transcript.

    Attributes:
        name: Full name, such as ``"general-nova-3"``.
        version: Release of the model, such as ``"2024-12-20.0"``.
        arch: Family of the model, such as ``"nova-3"``.
    """

    name: str
    version: str | None = None
    arch: str | None = None


class DiarizeInfo(Model, frozen=True, kw_only=True, gc=False):
    """The model that told the speakers apart; present only when a diarizer ran."""

    model_uuid: str | None = None
    arch: str | None = None


class IntelligenceInfo(Model, frozen=True, kw_only=True, gc=False):
    """The language model behind a summary, sentiments, topics or intents, and what it consumed."""

    model_uuid: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class ParameterWarning(Model, frozen=True, kw_only=True, gc=False):
    """An option that the service did not apply as asked.

    Attributes:
        parameter: Name of the option.
        type: Kind of problem, such as ``"unsupported_language"``.
        message: The service's explanation.
    """

    parameter: str | None = None
    type: str | None = None
    message: str | None = None


class Topic(Model, frozen=True, kw_only=True, gc=False):
    """One topic of a segment."""

    topic: str
    confidence_score: float


class TopicSegment(Model, frozen=True, kw_only=True, gc=False):
    """A stretch of the text and its topics."""

    text: str
    start_word: WordIndex
    end_word: WordIndex
    topics: list[Topic]


class Topics(Model, frozen=True, kw_only=True, gc=False):
    """What ``topics=True`` found."""

    segments: list[TopicSegment]


class Intent(Model, frozen=True, kw_only=True, gc=False):
    """One intention of a speaker."""

    intent: str
    confidence_score: float


class IntentSegment(Model, frozen=True, kw_only=True, gc=False):
    """A stretch of the text and the intentions in it."""

    text: str
    start_word: WordIndex
    end_word: WordIndex
    intents: list[Intent]


class Intents(Model, frozen=True, kw_only=True, gc=False):
    """What ``intents=True`` found."""

    segments: list[IntentSegment]


class SentimentSegment(Model, frozen=True, kw_only=True, gc=False):
    """A stretch of the text with one sentiment, scored from -1 to 1."""

    text: str
    start_word: WordIndex
    end_word: WordIndex
    sentiment: Sentiment
    sentiment_score: float | None = None


class AverageSentiment(Model, frozen=True, kw_only=True, gc=False):
    """The sentiment of the whole text, scored from -1 to 1."""

    sentiment: Sentiment
    sentiment_score: float | None = None


class Sentiments(Model, frozen=True, kw_only=True, gc=False):
    """What ``sentiment=True`` found."""

    segments: list[SentimentSegment]
    average: AverageSentiment | None = None
