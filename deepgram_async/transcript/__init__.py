"""Transcripts: what was said, put together from answers and events, and written in many formats.

::

    from deepgram_async.transcript import LiveTranscript, Transcript, render

    transcript = Transcript.from_answer(answer)  # or a LiveTranscript, fed with events
    for turn in transcript.turns:
        print(turn.start, turn.speaker, turn.text)
    captions = render(transcript, "vtt", line_length=32, speaker_names={0: "Ann"})

`LiveTranscript` tells settled words from those that may still change; `LiveCaptions` and `LiveCues`
make captions while a stream runs. Nothing here does input or output.
"""

from deepgram_async.options import TranscriptOptions
from deepgram_async.transcript._assembly import (
    FinalWords,
    InterimWords,
    TranscriptChange,
    TranscriptEvent,
)
from deepgram_async.transcript._captions import CaptionFormat, LiveCaptions
from deepgram_async.transcript._cues import Cue, LiveCues, cues
from deepgram_async.transcript._formats import FORMATS, Format, FormatName, find_format, render
from deepgram_async.transcript._live import LiveTranscript
from deepgram_async.transcript._style import Style
from deepgram_async.transcript._transcript import AudioGap, Transcript
from deepgram_async.transcript._words import Segment, Utterance, Word

__all__ = [
    "AudioGap",
    "CaptionFormat",
    "Cue",
    "FORMATS",
    "FinalWords",
    "Format",
    "FormatName",
    "InterimWords",
    "LiveCaptions",
    "LiveCues",
    "LiveTranscript",
    "Segment",
    "Style",
    "Transcript",
    "TranscriptChange",
    "TranscriptEvent",
    "TranscriptOptions",
    "Utterance",
    "Word",
    "cues",
    "find_format",
    "render",
]
