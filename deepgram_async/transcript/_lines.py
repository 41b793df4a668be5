# ruff: noqa: RUF001 - punctuation of many writings, some of which look like others
"""How wide texts are, and how words become the lines of a caption."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from deepgram_async.transcript._sentences import Joint, joint_after
from deepgram_async.transcript._words import Word, is_unspaced, joined_text

__all__ = ["Unit", "balanced_lines", "filled_lines", "may_begin_line", "text_width"]

_JOINER: Final = "\u200d"
_EMOJI_STYLE: Final = "\ufe0f"
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS: Final = range(0x1F1E6, 0x1F200)
# What a line does not begin with, in writings that may be broken anywhere.
_NEVER_FIRST: Final = frozenset(
    "、。，．・：；？！」』）】》〉ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
)

# What it costs to break a line there, in columns squared.
_COSTS: Final = {
    Joint.SENTENCE: 0.0,
    Joint.CLAUSE: 50.0,
    Joint.WORD: 150.0,
    Joint.CLINGING: 250.0,
}
# The last line may be the longer one.
_LAST_LINE: Final = 0.9


class Unit(NamedTuple):
    """What stays together in a line: a word, or several that are written without a space.

    Attributes:
        text: How it is written.
        is_joined: Whether no space stands before it, though a line may be broken there.
        width: Its columns, without the space.
        words: The words it is made of; a label has none.
    """

    text: str
    is_joined: bool
    width: int
    words: tuple[Word, ...] = ()

    @classmethod
    def of(cls, *words: Word) -> Unit:
        """Make a unit of words."""
        text = joined_text(words)
        return cls(text, words[0].is_joined, text_width(text), words)

    @property
    def start(self) -> float:
        """Where its first word starts, in seconds."""
        return self.words[0].start

    @property
    def end(self) -> float:
        """Where its last word ends, in seconds."""
        return self.words[-1].end


def may_begin_line(word: Word) -> bool:
    """Tell whether a line may be broken before a word."""
    first = word.text[0]
    return not word.is_joined or (is_unspaced(first) and first not in _NEVER_FIRST)


def text_width(text: str) -> int:
    """Return the columns that a text takes in a font of fixed width.

    Wide characters (East Asian Width W and F) and emoji take two, whatever an emoji is made of;
    marks above and below letters take none.
    """
    if text.isascii():
        return len(text)
    width = last = 0
    is_joining = False
    is_half_flag = False
    for character in text:
        if character == _EMOJI_STYLE and last == 1:
            width += 1
            last = 2
        own = 0 if is_joining else _character_width(character)
        # Between letters a joiner joins their shapes only.
        is_joining = character == _JOINER and last == 2
        if ord(character) in _FLAG_LETTERS:
            # Two of them are one flag.
            own = 0 if is_half_flag else 2
            is_half_flag = not is_half_flag
        else:
            is_half_flag = False
        width += own
        last = own or last
    return width


@lru_cache(maxsize=4096)
def _character_width(character: str) -> int:
    if ord(character) in _SKIN_TONES or unicodedata.category(character) in ("Mn", "Me", "Cf", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def filled_lines(units: Iterable[Unit], line_length: int) -> Iterator[int]:
    """Yield after each unit how many lines are needed so far; one too long has one for itself."""
    lines = width = 0
    for unit in units:
        wider = width + unit.width + (not unit.is_joined)
        if lines and wider <= line_length:
            width = wider
        else:
            lines += 1
            width = unit.width
        yield lines


def balanced_lines(units: Sequence[Unit], line_length: int) -> list[str]:
    """Return as few lines as possible, of about the same length, broken where the text allows.

    Lines are broken after sentences and clauses rather than inside of them, and the lower of two
    lines is the longer one where both are as good.
    """
    needed = max(filled_lines(units, line_length), default=0)
    if needed <= 1:
        return [_written(units)]
    # Cheapest way to write the units from each place on, by the number of lines it takes.
    best: dict[tuple[int, int], tuple[float, int]] = {(len(units), 0): (0.0, len(units))}
    for begin in range(len(units) - 1, -1, -1):
        for end, width in _possible_lines(units, begin, line_length):
            cost = _line_cost(units, end, line_length - width)
            for lines in range(1, needed + 1):
                rest = best.get((end, lines - 1))
                if rest is not None:
                    choice = (cost + rest[0], end)
                    best[begin, lines] = min(choice, best.get((begin, lines), choice))
    texts: list[str] = []
    begin = 0
    for lines in range(needed, 0, -1):
        end = best[begin, lines][1]
        texts.append(_written(units[begin:end]))
        begin = end
    return texts


def _possible_lines(
    units: Sequence[Unit], begin: int, line_length: int
) -> Iterator[tuple[int, int]]:
    """Yield where a line may end that begins at a place, and how wide it then is."""
    width = units[begin].width
    yield begin + 1, width
    for end in range(begin + 2, len(units) + 1):
        unit = units[end - 1]
        width += unit.width + (not unit.is_joined)
        if width > line_length:
            return
        yield end, width


def _line_cost(units: Sequence[Unit], end: int, slack: int) -> float:
    cost = float(slack * slack)
    if end == len(units):
        return cost * _LAST_LINE
    return cost + _COSTS[joint_after(units[end - 1].text)]


def _written(units: Iterable[Unit]) -> str:
    return "".join(unit.text if unit.is_joined else f" {unit.text}" for unit in units).strip()
