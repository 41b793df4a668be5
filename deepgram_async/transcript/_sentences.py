# ruff: noqa: RUF001 - punctuation of many writings, some of which look like others
"""Where sentences and clauses end, as far as a single word tells."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["ends_clause", "ends_sentence"]

# Of the writings of the service's languages.
_SENTENCE_ENDS: Final = tuple(".!?…。！？।॥؟۔")
_CLAUSE_ENDS: Final = tuple(",;:–—、，；：،؛")
_OPENING: Final = "\"'“‘«([{「『（【《¿¡"
_CLOSING: Final = "\"'”’»›)]}」』）】》"
# English ones that are written with a point and seldom end a sentence.
_ABBREVIATIONS: Final = frozenset(
    "capt col dept dr etc ft gen gov hon inc jr lt ltd mr mrs ms mt no ph.d prof rep rev sen sgt "
    "sr st vs".split()
)
# Initials, and abbreviations made of them: "J.", "U.S.", "p.m."; not the word "I".
_INITIALS: Final = re.compile(r"(?!i$)\w(\.\w)*")


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


def ends_clause(text: str) -> bool:
    """Tell whether a clause ends with a word: at a comma and its like."""
    return text.rstrip(_CLOSING).endswith(_CLAUSE_ENDS)
