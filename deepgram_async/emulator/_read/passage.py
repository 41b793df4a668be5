"""A text as sentences and numbered words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Passage", "Sentence", "content_words", "ends_sentence"]

_ENDS: Final = (".", "?", "!")
_CLOSERS: Final = "\"'\u201d\u2019)]"
# A title is no end of a sentence: it comes before a name.
_TITLES: Final = frozenset({"Mr.", "Mrs.", "Ms.", "Dr.", "Prof.", "St.", "e.g.", "i.e.", "vs."})
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_STOP_WORDS: Final = frozenset(
    "a about above after again against all also am an and any are as at be because been before"
    " being below between both but by can could did do does doing done down during each else even"
    " ever every few for from further get gets getting go goes going gone got had has have having"
    " he her here hers herself him himself his how i if in into is it its itself just know let"
    " like lot made make makes making many may me might more most much must my myself no nor not"
    " now of off oh ok okay on once one only or other our ours ourselves out over own please quite"
    " really said same say says see shall she should so some still such take than that the their"
    " theirs them themselves then there these they thing things this those though through to too"
    " uh um under until up upon us very was way we well were what when where which while who whom"
    " whose why will with within without would yeah yes yet you your yours yourself i'm i've i'd"
    " i'll it's that's there's we're we've we'll you're you've you'll they're they've don't"
    " doesn't didn't isn't aren't wasn't weren't can't couldn't won't wouldn't shouldn't let's"
    " want wants wanted need needs hi hello thanks thank"
    " zero one two three four five six seven eight nine ten hundred thousand million".split()
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence; its last word is included."""

    words: tuple[str, ...]
    start_word: int

    @property
    def end_word(self) -> int:
        """Number of the last word."""
        return self.start_word + len(self.words) - 1

    @property
    def text(self) -> str:
        """The words as they are written."""
        return " ".join(self.words)


class Passage:
    """A text whose words are what white space separates."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.sentences = _split(self.words)

    @property
    def text(self) -> str:
        """The whole text, with single spaces."""
        return " ".join(self.words)


def ends_sentence(word: str) -> bool:
    """Tell whether a written word is the last of its sentence."""
    return word not in _TITLES and word.rstrip(_CLOSERS).endswith(_ENDS)


def content_words(text: str) -> list[str]:
    """Return the words that say what a text is about, in lower case."""
    found = (match[0].lower().replace("\u2019", "'") for match in _WORD.finditer(text))
    return [word for word in found if word not in _STOP_WORDS and not word.isdecimal()]


def _split(words: tuple[str, ...]) -> tuple[Sentence, ...]:
    sentences: list[Sentence] = []
    start = 0
    for at, word in enumerate(words):
        if ends_sentence(word) or at == len(words) - 1:
            sentences.append(Sentence(words[start : at + 1], start))
            start = at + 1
    return tuple(sentences)
