"""Text that is to be spoken, cut where a speaker would pause."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from deepgram_async.errors import OptionError

__all__ = ["MARK", "SentenceBuffer", "require_text", "split_text"]

MARK: Final = re.compile(r"\\\{(.*?)\\\}", re.DOTALL)
"""A pronunciation or a pause inside a text."""

# The white space behind an end belongs to it: the pieces together are the text to the letter.
_SENTENCE_END: Final = re.compile(r"[.!?…]+[\"'”’)\]]*\s+|[。！？]+[”’」』）]*\s*|\n+")  # noqa: RUF001
_CLAUSE_END: Final = re.compile(r"[,;:–—]\s+|[，、；：]\s*")  # noqa: RUF001
_SPACE: Final = re.compile(r"\s+")
# A full stop behind these ends no sentence: titles, initials, numbers of a list.
_ABBREVIATION: Final = re.compile(
    r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|vs|approx|e\.g|i\.e)|(?:^|\n)\s*\d{1,2})$"
)

# Looking further back would make long texts slow.
_LONGEST_ABBREVIATION: Final = 16


def require_text(text: str) -> None:
    """Refuse what cannot be spoken.

    Raises:
        OptionError: It is no text, or empty.
    """
    if not isinstance(text, str):
        # For callers without a type checker.
        kind = type(text).__name__  # type: ignore[unreachable]
        raise OptionError(f"text must be a str, not {kind}", option="text")
    if not text:
        raise OptionError("text is empty", option="text")


def split_text(text: str, limit: int) -> list[str]:
    """Return the text in pieces of at most ``limit`` characters, whose sum is the text.

    It is cut at the last end of a sentence that fits, else of a clause, else between words. A
    mark stays whole unless it is longer than the limit.
    """
    pieces: list[str] = []
    while len(text) > limit:
        cut = _cut(text[:limit])
        pieces.append(text[:cut])
        text = text[cut:]
    if text:
        pieces.append(text)
    return pieces


class SentenceBuffer:
    """Collects text that comes in small parts, and gives it out sentence by sentence."""

    def __init__(self, limit: int) -> None:
        """Prepare a buffer.

        Args:
            limit: The most characters of one piece.
        """
        self._limit = limit
        self._text = ""

    def add(self, part: str) -> list[str]:
        """Take more text and return the sentences that are complete now."""
        self._text += part
        cut = max(_ends(_SENTENCE_END, self._text), default=0)
        if not cut and len(self._text) > self._limit:
            cut = _cut(self._text[: self._limit])
        complete, self._text = self._text[:cut], self._text[cut:]
        return [piece for one in _sentences(complete) for piece in split_text(one, self._limit)]

    def rest(self) -> list[str]:
        """Return what is left when no more text comes."""
        text, self._text = self._text, ""
        return split_text(text, self._limit)


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in _ends(_SENTENCE_END, text):
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


def _cut(window: str) -> int:
    for pattern in (_SENTENCE_END, _CLAUSE_END, _SPACE):
        cut = max(_ends(pattern, window), default=0)
        if cut:
            return cut
    return _open_mark(window) or len(window)


def _ends(pattern: re.Pattern[str], text: str) -> Iterator[int]:
    """Yield where the matches end that are not inside a mark."""
    marks = [found.span() for found in MARK.finditer(text)]
    opened = _open_mark(text)
    if opened is not None:
        marks.append((opened, len(text) + 1))
    for found in pattern.finditer(text):
        end = found.end()
        if any(start < end < stop for start, stop in marks):
            continue
        before = text[max(0, found.start() - _LONGEST_ABBREVIATION) : found.start()]
        if pattern is _SENTENCE_END and _ABBREVIATION.search(before):
            continue
        yield end


def _open_mark(text: str) -> int | None:
    """Return where a mark begins that has no end yet."""
    start = text.rfind("\\{")
    return start if start >= 0 and "\\}" not in text[start:] else None
