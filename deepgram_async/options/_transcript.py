"""Options of transcripts and captions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

__all__ = ["TranscriptOptions"]


class TranscriptOptions(TypedDict, total=False):
    """How a transcript is written; every format takes what concerns it and passes over the rest.

    Lengths of lines count columns: a letter takes one, a Chinese, Japanese or Korean character and
    an emoji take two.
    """

    speakers: bool
    """Whether speakers and channels are named where they are told apart; ``True`` by default."""
    speaker_names: Mapping[int, str]
    """Names for speaker numbers; ``Speaker 0`` and so on by default."""
    channel_names: Mapping[int, str]
    """Names for channel numbers, where there are several; ``Channel 0`` and so on by default."""
    line_length: int
    """Columns of a line of a caption; 42 by default. A longer word has a line for itself."""
    lines_per_cue: int
    """Lines of a caption at most; 2 by default."""
    min_duration_s: float
    """How long a caption stays at least, if nothing follows so soon; 1 second by default."""
    max_duration_s: float
    """How long a caption stays at most; 7 seconds by default."""
    characters_per_second: float
    """Reading speed in columns; a caption stays until it can be read, if nothing follows. 20 by
    default."""
    min_gap_s: float
    """Pause between the captions of a speaker or channel; 0.08 seconds by default, two pictures of
    a film."""
    pause_s: float
    """A silence after a sentence that ends a caption, or half of one inside a sentence; 1 second by
    default."""
