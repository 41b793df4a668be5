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
    """Silence after which a new caption begins, inside of a sentence only after twice as much; 1
    second by default."""
    title: str
    """Headline of a page; ``Transcript`` by default."""
    audio_url: str
    """Where a page finds the audio: a URL, absolute or relative to the page; quote the names of
    files. Without it a page has no sound until its reader opens a file."""
    audio_data: bytes
    """A WAV, MP3, Ogg, FLAC, MP4, WebM or AAC file to put into a page, instead of `audio_url`; the
    page grows by four thirds of its length."""
    uncertain_below: float
    """A page marks words with a lower confidence; 0.7 by default."""
