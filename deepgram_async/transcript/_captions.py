"""SubRip (SRT) and WebVTT."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias, Unpack

from deepgram_async.errors import OptionError
from deepgram_async.options import TranscriptOptions
from deepgram_async.transcript._assembly import TranscriptEvent
from deepgram_async.transcript._cues import Cue, CueStream, styled_cues
from deepgram_async.transcript._style import Style
from deepgram_async.transcript._transcript import Transcript

__all__ = ["CaptionFormat", "LiveCaptions", "write_srt", "write_vtt"]

CaptionFormat: TypeAlias = Literal["srt", "vtt"]
"""Formats that are written caption by caption."""

_VTT_HEADER: Final = "WEBVTT\n\n"


def write_srt(transcript: Transcript, style: Style) -> str:
    """Write SubRip: numbered captions, with names where another speaker begins."""
    captions = styled_cues(transcript, style, names_in_text=True)
    return "".join(_srt_cue(cue, number) for number, cue in enumerate(captions, 1))


def write_vtt(transcript: Transcript, style: Style) -> str:
    """Write WebVTT: captions with the name of the speaker as their voice."""
    captions = styled_cues(transcript, style)
    return _VTT_HEADER + "".join(_vtt_cue(cue, number) for number, cue in enumerate(captions, 1))


class LiveCaptions:
    """Writes the captions of a stream while it runs, each as soon as it cannot change any more.

    ::

        captions = LiveCaptions("vtt")
        async for event in live.transcribe(audio):
            file.write(captions.add(event))
        file.write(captions.finish())

    Together the pieces are what `render` makes of the finished transcript. `LiveCues` has the
    captions as values.

    Args:
        format_name: ``"srt"`` or ``"vtt"``.
        **options: See `TranscriptOptions`.

    Raises:
        OptionError: An option is unknown, has the wrong type or makes no sense.
    """

    def __init__(self, format_name: CaptionFormat, /, **options: Unpack[TranscriptOptions]) -> None:
        if format_name not in ("srt", "vtt"):
            raise OptionError(
                f"captions are 'srt' or 'vtt', not {format_name!r}", option="format_name"
            )
        is_srt = format_name == "srt"
        self._cues = CueStream(Style.of(options), names_in_text=is_srt)
        self._write: Callable[[Cue, int], str] = _srt_cue if is_srt else _vtt_cue
        self._header = "" if is_srt else _VTT_HEADER
        self._number = 0

    def add(self, event: TranscriptEvent) -> str:
        """Take an event, whatever it is, and return the text of the captions it completes."""
        return self._written(self._cues.add(event))

    def finish(self) -> str:
        """End the captions with the stream, and return the text of those that are left."""
        return self._written(self._cues.finish())

    def _written(self, captions: Iterable[Cue]) -> str:
        text, self._header = self._header, ""
        for cue in captions:
            self._number += 1
            text += self._write(cue, self._number)
        return text


def _srt_cue(cue: Cue, number: int) -> str:
    # There is no way to write an arrow that is none.
    text = cue.text.replace("-->", "->")
    return f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{text}\n\n"


def _vtt_cue(cue: Cue, number: int) -> str:
    voice = f"<v {_escaped(cue.name)}>" if cue.name is not None else ""
    times = f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}"
    return f"{number}\n{times}\n{voice}{_escaped(cue.text)}\n\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(seconds: float, point: str) -> str:
    """Write a time; hours are two digits or more."""
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"
