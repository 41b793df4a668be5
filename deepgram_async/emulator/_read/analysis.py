"""A text analysed as the options want it, in the shape of the wire."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from deepgram_async.emulator._errors import bad_request
from deepgram_async.emulator._manage.records import UsedModel

from .labels import Custom, intents, topics
from .sentiment import name_of, score_sentences, sentiment_is_available
from .summary import summarize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepgram_async.emulator._wire import Json

    from .labels import Labelled
    from .passage import Passage

__all__ = ["Analysis", "Wanted", "analyze", "sentiment_of"]

# Stable, so that the id of a method is the same in every run.
_IDS: Final = uuid.UUID("f1a3f5de-0a8f-4c09-b2a4-5fd6a6a5c1c0")
# What really answers, as the answer says it.
_METHODS: Final = {
    "summary": "emulator-frequent-sentences",
    "topics": "emulator-frequent-phrases",
    "intents": "emulator-phrases-of-wishes",
    "sentiment": "vader-lexicon",
}
_NO_SENTIMENT: Final = (
    "Bad Request: sentiment is not served: pip install 'deepgram-async[emulator]'"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be found out about a text."""

    summary: bool = False
    topics: bool = False
    intents: bool = False
    sentiment: bool = False
    custom_topics: Custom = field(default_factory=Custom)
    custom_intents: Custom = field(default_factory=Custom)

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is wanted."""
        return not (self.summary or self.topics or self.intents or self.sentiment)


@dataclass(slots=True)
class Analysis:
    """What was found out: parts of `results` and of `metadata`."""

    summary: str | None = None
    results: dict[str, Json] = field(default_factory=dict[str, "Json"])
    """`topics`, `intents` and `sentiments`."""
    metadata: dict[str, Json] = field(default_factory=dict[str, "Json"])
    """`summary_info`, `topics_info`, `intents_info` and `sentiment_info`."""
    word_scores: Sequence[float] = ()
    """The sentiment of each word, if it was wanted: that of its sentence."""
    tokens_in: int = 0
    tokens_out: int = 0
    models: list[UsedModel] = field(default_factory=list[UsedModel])


def analyze(passage: Passage, wanted: Wanted) -> Analysis:
    """Find out what is wanted; this computes, better not in the event loop.

    Raises:
        Refusal: A package is missing.
    """
    found = Analysis()
    if wanted.summary:
        found.summary = summarize(passage)
        # A text that is its own summary was not given to a model.
        is_copied = found.summary == passage.text
        words = 0 if is_copied else len(found.summary.split())
        _note(found, "summary", 0 if is_copied else len(passage.words), words)
    if wanted.topics:
        labelled = topics(passage, wanted.custom_topics)
        found.results["topics"] = _segments(labelled, "topics", "topic")
        _note(found, "topics", len(passage.words), _count(labelled))
    if wanted.intents:
        labelled = intents(passage, wanted.custom_intents)
        found.results["intents"] = _segments(labelled, "intents", "intent")
        _note(found, "intents", len(passage.words), _count(labelled))
    if wanted.sentiment:
        _add_sentiment(found, passage)
    return found


def _note(found: Analysis, feature: str, tokens_in: int, tokens_out: int) -> None:
    name = _METHODS[feature]
    model_id = str(uuid.uuid5(_IDS, name))
    found.metadata[f"{feature}_info"] = {
        "model_uuid": model_id,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "name": name,
    }
    found.tokens_in += tokens_in
    found.tokens_out += tokens_out
    found.models.append(UsedModel(name, model_id, "1", "en"))


def _segments(labelled: Sequence[Labelled], many: str, one: str) -> Json:
    return {
        "segments": [
            {
                "text": it.sentence.text,
                "start_word": it.sentence.start_word,
                "end_word": it.sentence.end_word,
                many: [{one: name, "confidence_score": score} for name, score in it.labels],
            }
            for it in labelled
        ]
    }


def _count(labelled: Sequence[Labelled]) -> int:
    return sum(len(it.labels) for it in labelled)


def _add_sentiment(found: Analysis, passage: Passage) -> None:
    if not sentiment_is_available():
        raise bad_request(_NO_SENTIMENT)
    scores = score_sentences(passage)
    segments: list[Json] = []
    by_word: list[float] = []
    start = 0
    for at, (sentence, score) in enumerate(zip(passage.sentences, scores, strict=True)):
        by_word += [score] * len(sentence.words)
        is_last = at == len(scores) - 1
        # Sentences of one sentiment in a row are one segment.
        if is_last or name_of(scores[at + 1]) != name_of(score):
            part = by_word[start:]
            segments.append(
                {
                    "text": " ".join(passage.words[start : len(by_word)]),
                    "start_word": start,
                    "end_word": len(by_word) - 1,
                    **sentiment_of(part),
                }
            )
            start = len(by_word)
    found.word_scores = by_word
    found.results["sentiments"] = {"segments": segments, "average": sentiment_of(by_word)}
    _note(found, "sentiment", len(passage.words), len(segments))


def sentiment_of(scores: Sequence[float]) -> dict[str, Json]:
    """Return the sentiment of some words together."""
    score = sum(scores) / len(scores) if scores else 0.0
    return {"sentiment": name_of(score), "sentiment_score": round(score, 6)}
