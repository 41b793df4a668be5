# ruff: noqa: RUF001 - punctuation of many writings, some of which look like others
"""Where sentences and clauses end, as far as the writing tells."""

from __future__ import annotations

from typing import Final

from deepgram_async.transcript._words import Word

__all__ = ["ends_clause_text", "ends_sentence", "ends_sentence_text"]

# Of the writings of the service's languages.
_SENTENCE_ENDS: Final = tuple(".!?…。！？।॥؟۔")
_CLAUSE_ENDS: Final = tuple(",;:–—、，；：،؛")
_CLOSING: Final = "\"'”’»›)]}」』）】》"
_OPENING: Final = "\"'“‘«([{「『（【《¿¡"
_ABBREVIATIONS: Final = frozenset(
    "dr mr mrs ms prof st sr jr vs etc e.g i.e no gen col sgt capt lt rev hon mt ft inc ltd".split()
)


def ends_sentence(word: Word, following: Word | None = None) -> bool:
    """Tell whether a sentence ends with a word.

    Args:
        word: The word.
        following: The word after it, which tells the end of a sentence from an abbreviation.
    """
    if following is not None and following.text.lstrip(_OPENING)[:1].islower():
        return False
    return ends_sentence_text(word.text)


def ends_sentence_text(text: str) -> bool:
    """Tell whether a sentence ends with a word, as far as the word alone tells."""
    text = text.rstrip(_CLOSING)
    if not text.endswith(_SENTENCE_ENDS):
        return False
    if not text.endswith("."):
        return True
    stem = text.rstrip(".").lstrip(_OPENING).casefold()
    is_initial = len(stem) == 1 and stem.isalpha() and stem != "i"
    return text.endswith("..") or not (is_initial or stem in _ABBREVIATIONS)


def ends_clause_text(text: str) -> bool:
    """Tell whether a clause ends with a word: at a comma and its like."""
    return text.rstrip(_CLOSING).endswith(_CLAUSE_ENDS)
