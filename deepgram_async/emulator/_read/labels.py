"""Labels of sentences: their topics and intents."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .passage import content_words

if TYPE_CHECKING:
    from .passage import Passage, Sentence

__all__ = ["Custom", "Labelled", "intents", "topics"]

# Topics in one text, and content words in one topic.
_MOST_TOPICS: Final = 10
_LONGEST_TOPIC: Final = 3
_LONGEST_INTENT: Final = 4
_ARTICLES: Final = frozenset({"a", "an", "the", "my", "our", "your"})
# With these begins what is not the wish itself.
_CIRCUMSTANCES: Final = frozenset(
    "after and as at because before but by for from if in of on or since so that until when where"
    " while with".split()
)
_PHRASE_ENDS: Final = re.compile(r"[.,;:!?()\"\u201c\u201d]+")

# How people ask for what they want; what follows is the intent.
_WISHES: Final = re.compile(
    r"\b(?:i|we)(?:'d| would| do)? (?:really |just |also )?"
    r"(?:want|wanted|like|love|need|wish|plan|hope|intend)(?: you)? to (?P<wish>[^.,;!?]+)"
    r"|\b(?:can|could|will|would) (?:you|we|i)(?: please)? (?P<request>[^.,;!?]+)"
    r"|\bplease (?P<order>[^.,;!?]+)"
    r"|\bhow (?:do|can|could|should|would) (?:i|we|you) (?P<question>[^.,;!?]+)"
    r"|\b(?:i'm|we're|i am|we are) (?:calling|looking|trying|here|going) to (?P<plan>[^.,;!?]+)"
    r"|\blet me (?P<offer>[^.,;!?]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Custom:
    """Labels that the client gave, and whether there may be others."""

    labels: tuple[str, ...] = ()
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence with its labels, the surest first."""

    sentence: Sentence
    labels: tuple[tuple[str, float], ...]


def topics(passage: Passage, custom: Custom) -> list[Labelled]:
    """Return the sentences that have one of the text's topics."""
    phrases = [] if custom.is_strict else _phrases(passage)
    found: list[Labelled] = []
    for sentence in passage.sentences:
        labels = _given(sentence, custom)
        own = Counter(_phrases_of(sentence))
        labels += [(name.title(), score) for name, score in phrases if own[name]]
        if labels:
            found.append(Labelled(sentence, tuple(labels)))
    return found


def _phrases(passage: Passage) -> list[tuple[str, float]]:
    """Return the phrases that the text is about, by how much of it has their words."""
    words = Counter(content_words(passage.text))
    phrases = Counter(phrase for sentence in passage.sentences for phrase in _phrases_of(sentence))
    weights = {
        phrase: count * sum(words[word] for word in phrase.split())
        for phrase, count in phrases.items()
    }
    best = sorted(weights, key=lambda phrase: (-weights[phrase], phrase))[:_MOST_TOPICS]
    most = max((weights[phrase] for phrase in best), default=1)
    # What comes once in a text of many topics is none of them.
    return [(it, round(weights[it] / most, 4)) for it in best if weights[it] * 10 >= most]


def _phrases_of(sentence: Sentence) -> list[str]:
    """Return the runs of content words between the others."""
    phrases: list[str] = []
    for clause in _PHRASE_ENDS.split(sentence.text):
        run: list[str] = []
        for word in [*clause.split(), ""]:
            content = content_words(word)
            if content and len(run) < _LONGEST_TOPIC:
                run += content
            elif run:
                phrases.append(" ".join(run))
                run = content
    return phrases


def intents(passage: Passage, custom: Custom) -> list[Labelled]:
    """Return the sentences in which somebody says what they want."""
    found: list[Labelled] = []
    for sentence in passage.sentences:
        labels = _given(sentence, custom)
        if not custom.is_strict:
            for match in _WISHES.finditer(sentence.text.replace("\u2019", "'")):
                phrase = next(group for group in match.groups() if group is not None)
                name = _intent(phrase)
                if name:
                    labels.append((name[0].upper() + name[1:], 0.5))
        if labels:
            found.append(Labelled(sentence, tuple(labels)))
    return found


def _intent(phrase: str) -> str:
    words: list[str] = []
    for word in phrase.split():
        if len(words) == _LONGEST_INTENT or (len(words) > 1 and word.lower() in _CIRCUMSTANCES):
            break
        if word.lower() not in _ARTICLES:
            words.append(word)
    return " ".join(words)


def _given(sentence: Sentence, custom: Custom) -> list[tuple[str, float]]:
    """Return the client's labels whose words the sentence has, by how many of them."""
    said = {_stem(word) for word in content_words(sentence.text)}
    labels: list[tuple[str, float]] = []
    for label in custom.labels:
        wanted = {_stem(word) for word in content_words(label)}
        share = len(wanted & said) / len(wanted) if wanted else 0.0
        if share >= 0.5:
            labels.append((label, round(share, 4)))
    return sorted(labels, key=lambda it: -it[1])


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ings", "ing", "ied", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
