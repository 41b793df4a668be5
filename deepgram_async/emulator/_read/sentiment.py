"""Sentiment, by the lexicon of VADER."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from .passage import Passage

__all__ = ["name_of", "score_sentences", "sentiment_is_available"]

# Documented ("Sentiment analysis"): where a score becomes positive or negative.
_BREAK: Final = 1 / 3


class _Analyzer(Protocol):
    """What is used of `SentimentIntensityAnalyzer`, which has no types."""

    def polarity_scores(self, text: str) -> dict[str, float]: ...


_lock = threading.Lock()
_analyzer: list[_Analyzer] = []


def sentiment_is_available() -> bool:
    """Tell whether the optional package is there; it is loaded, better not in the event loop."""
    try:
        _load()
    except ImportError:
        return False
    return True


def score_sentences(passage: Passage) -> list[float]:
    """Return a score from -1 to 1 for each sentence.

    Raises:
        ImportError: The extra `emulator` is not installed.
    """
    analyzer = _load()
    return [analyzer.polarity_scores(it.text)["compound"] for it in passage.sentences]


def name_of(score: float) -> str:
    """Return the sentiment of a score."""
    if score >= _BREAK:
        return "positive"
    return "negative" if score <= -_BREAK else "neutral"


def _load() -> _Analyzer:
    # It reads its lexicon for a tenth of a second: once is enough.
    with _lock:
        if not _analyzer:
            from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

            _analyzer.append(SentimentIntensityAnalyzer())
        return _analyzer[0]
