"""Summaries: the sentences that say most of what is said often."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from .passage import content_words

if TYPE_CHECKING:
    from .passage import Passage

__all__ = ["summarize"]

# Documented: a shorter text is its own summary.
_SHORT: Final = 50
_LONGEST: Final = 4
# One sentence of a summary for so many words of the text.
_WORDS_PER_SENTENCE: Final = 60


def summarize(passage: Passage) -> str:
    """Return a few sentences of the text, in their order."""
    if len(passage.words) < _SHORT:
        return passage.text
    frequency = Counter(content_words(passage.text))
    scores: list[tuple[float, int]] = []
    for number, sentence in enumerate(passage.sentences):
        words = content_words(sentence.text)
        # Long sentences would win by their length, and those of a word or two by chance.
        weight = sum(frequency[word] for word in set(words)) / (len(words) + 5)
        scores.append((-weight, number))
    wanted = min(max(len(passage.words) // _WORDS_PER_SENTENCE, 1), _LONGEST)
    chosen = sorted(number for _, number in sorted(scores)[:wanted])
    return " ".join(passage.sentences[number].text for number in chosen)
