# ruff: noqa: RUF001 - punctuation of many writings, some of which look like others
"""Where a text may be broken, as far as a single word tells."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from deepgram_async.transcript._words import is_unspaced

__all__ = ["Joint", "ends_sentence", "joint_after"]

# Of the writings of the service's languages.
_SENTENCE_ENDS: Final = tuple(".!?…。！？।॥؟۔")
_CLAUSE_ENDS: Final = tuple(",;:–—、，；：،؛")
_OPENING: Final = "\"'“‘«([{「『（【《¿¡"
_CLOSING: Final = "\"'”’»›)]}」』）】》"
# English ones that are written with a point and seldom end a sentence.
_ABBREVIATIONS: Final = frozenset(
    "capt col dept dr etc ft gen gov hon inc jr lt ltd mr mrs ms mt ph.d prof rep rev sen sgt "
    "sr st vs".split()
)
# Initials, and abbreviations made of them: "J.", "U.S.", "p.m."; not the word "I".
_INITIALS: Final = re.compile(r"(?!i$)\w(\.\w)*")
# Articles, prepositions and conjunctions of most European languages are no longer.
_SHORT_WORD: Final = 3


class Joint(Enum):
    """How well a text can be broken behind a word, the best first."""

    SENTENCE = auto()
    CLAUSE = auto()
    WORD = auto()
    CLINGING = auto()
    """The word belongs rather to the next one, as articles and numbers do."""


@lru_cache(maxsize=4096)
def ends_sentence(text: str) -> bool:
    """Tell whether a sentence ends with a word."""
    text = text.rstrip(_CLOSING)
    if not text.endswith(_SENTENCE_ENDS):
        return False
    if not text.endswith(".") or text.endswith(".."):
        return True
    stem = text[:-1].lstrip(_OPENING).casefold()
    is_initials = _INITIALS.fullmatch(stem) is not None and not stem.isdecimal()
    return not (is_initials or stem in _ABBREVIATIONS)


@lru_cache(maxsize=4096)
def joint_after(text: str) -> Joint:
    """Return what stands behind a word."""
    if ends_sentence(text):
        return Joint.SENTENCE
    if text.rstrip(_CLOSING).endswith(_CLAUSE_ENDS):
        return Joint.CLAUSE
    is_short = len(text) <= _SHORT_WORD and text.isalpha() and not is_unspaced(text[0])
    # A number belongs to what is counted.
    return Joint.CLINGING if is_short or text[0].isdigit() else Joint.WORD
