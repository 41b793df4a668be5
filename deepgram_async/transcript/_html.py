"""A transcript as a page: one file that plays the audio, and needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final
from urllib.parse import urlsplit

from deepgram_async.errors import OptionError
from deepgram_async.transcript._parts import Part, clock_time
from deepgram_async.transcript._style import Style
from deepgram_async.transcript._transcript import Transcript, parts_of
from deepgram_async.transcript._words import Segment, Word

__all__ = ["write_html"]

_COLORS: Final = 8
_LANE_HEIGHT: Final = 10
_LANE_GAP: Final = 3
_FEWEST_LANES: Final = 3
# The timeline is so wide in units of its own, and stretched to the page.
_WIDTH: Final = 1000
# What is shorter would not be seen; a pause that is shorter is drawn over.
_SHORTEST_MARK: Final = 1.0
_NOTHING: Final = '<p class="nothing">Nothing was said.</p>'
_PLACE: Final = re.compile(r"\{\{(\w+)\}\}")
_SCHEMES: Final = frozenset({"", "data", "file", "http", "https"})
# How files begin that browsers play.
_SIGNATURES: Final = (
    (re.compile(rb"RIFF....WAVE", re.DOTALL), "audio/wav"),
    (re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"), "audio/aac"),
    (re.compile(rb"ID3|\xff[\xe2-\xfb]"), "audio/mpeg"),
    (re.compile(rb"OggS"), "audio/ogg"),
    (re.compile(rb"fLaC"), "audio/flac"),
    (re.compile(rb"....ftyp", re.DOTALL), "audio/mp4"),
    (re.compile(rb"\x1aE\xdf\xa3"), "audio/webm"),
)


class _Voices:
    """Whoever is told apart, in the order of their first words, with a colour each."""

    def __init__(self, transcript: Transcript, style: Style) -> None:
        self.names: dict[tuple[int, int | None], str] = {}
        for said in transcript.utterances:
            name = style.name_of(
                speaker=said.speaker, channel=said.channel, channels=transcript.channels
            )
            if name is not None:
                self.names.setdefault((said.channel, said.speaker), name)
        self._numbers = {voice: number for number, voice in enumerate(self.names)}

    @property
    def lanes(self) -> int:
        """How many lanes the timeline has."""
        return min(max(len(self.names), 1), _COLORS)

    def color_of(self, said: Segment | Word) -> int | None:
        """Return the number of a colour, ``None`` for a voice without a name."""
        number = self._numbers.get((said.channel, said.speaker))
        return None if number is None else number % _COLORS


def write_html(transcript: Transcript, style: Style) -> str:
    """Return a page that shows a transcript and plays its audio.

    Raises:
        OptionError: The audio is given twice, or is none that plays in a page.
    """
    source = _source_of(style)
    voices = _Voices(transcript, style)
    parts = parts_of(transcript, style)
    words = [word for part in parts for word in part.words]
    turns = [_turn(part, voices, style.uncertain_below) for part in parts]
    duration = max([transcript.duration, *(word.end for word in words)])
    script = _read("page.js")
    return _filled(
        _read("page.html"),
        {
            "policy": escape(_policy(source, script)),
            "title": escape(style.title),
            "style": _read("page.css"),
            "facts": escape(" · ".join(_facts(duration, len(words), len(voices.names)))),
            "legend": _legend(transcript, voices),
            "layout": "named" if voices.names else "unnamed",
            "language": _language_of(words),
            "turns": "\n".join(turns) or _NOTHING,
            "about": escape(_about(transcript)),
            "timeline": _timeline(transcript, voices, duration),
            "duration": f"{duration:.3f}",
            "length": clock_time(duration),
            "sound": "" if source else " script-only",
            "source": f' src="{escape(source)}"' if source else "",
            "times": _times(words),
            "script": script,
        },
    )


@cache
def _read(name: str) -> str:
    return files("deepgram_async.transcript").joinpath("_page", name).read_text("utf-8")


def _filled(template: str, values: dict[str, str]) -> str:
    # In one pass: what is filled in may contain whatever looks like a place.
    return _PLACE.sub(lambda place: values[place[1]], template)


# The audio, and what the page may do.


def _source_of(style: Style) -> str | None:
    """Return the URL of the audio, if there is any."""
    url, data = style.audio_url, style.audio_data
    if data is None:
        if url is not None and _scheme_of(url) not in _SCHEMES:
            raise OptionError(f"audio_url: a page cannot play {url[:80]!r}", option="audio_url")
        return url
    if url is not None:
        raise OptionError("audio_url and audio_data exclude each other", option="audio_url")
    media_type = next((kind for start, kind in _SIGNATURES if start.match(data)), None)
    if media_type is None:
        raise OptionError("audio_data: no kind of file that browsers play", option="audio_data")
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _scheme_of(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:
        raise OptionError(f"audio_url: {url[:80]!r} is no URL", option="audio_url") from None


def _policy(source: str | None, script: str) -> str:
    """Allow the one script, the styles and the sound; a page of untrusted words needs no more."""
    scheme = _scheme_of(source) if source else None
    allowed = {None: "", "": " 'self' file:"}.get(scheme, f" {scheme}:")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        # A file that the reader chooses comes as a blob.
        f"media-src blob:{allowed}; base-uri 'none'; form-action 'none'"
    )


# The parts of the page.


def _facts(duration: float, words: int, voices: int) -> Iterator[str]:
    minutes, seconds = divmod(int(duration), 60)
    if minutes >= 60:
        yield f"{minutes // 60} h {minutes % 60} min"
    else:
        yield f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    if voices > 1:
        yield _counted(voices, "voice")
    yield _counted(words, "word")


def _about(transcript: Transcript) -> str:
    return f"Request id {transcript.request_id}" if transcript.request_id else ""


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _legend(transcript: Transcript, voices: _Voices) -> str:
    """Tell how long each voice was heard."""
    if len(voices.names) < 2:
        return ""
    heard = dict.fromkeys(voices.names, 0.0)
    for said in transcript.utterances:
        if (voice := (said.channel, said.speaker)) in heard:
            heard[voice] += said.end - said.start
    total = sum(heard.values()) or 1.0
    items = [
        f'<li class="s{number % _COLORS}"><b>{escape(voices.names[voice])}</b> '
        f"<span>{seconds / total:.0%}</span></li>"
        for number, (voice, seconds) in enumerate(heard.items())
    ]
    return f'<ul class="legend" aria-label="Share of the speaking time">{"".join(items)}</ul>'


def _turn(part: Part, voices: _Voices, uncertain_below: float) -> str:
    if part.is_note:
        return f'<p class="gap">{escape(part.text)}</p>'
    first = part.words[0]
    color = voices.color_of(first)
    colored = "" if color is None else f" s{color}"
    heading = f"<h2>{escape(part.name)}</h2>" if part.name else ""
    return (
        f'<article class="turn{colored}" data-channel="{first.channel}"><header>{heading}'
        f'<a href="#t={part.start:.2f}">{clock_time(part.start)}</a></header>'
        f'<p dir="auto">{_spans(part.words, uncertain_below)}</p></article>'
    )


def _spans(words: Iterable[Word], uncertain_below: float) -> str:
    spans: list[str] = []
    for word in words:
        mark = ""
        if word.confidence < uncertain_below:
            mark = f' class="u" title="{word.confidence:.0%} sure"'
        space = "" if word.is_joined else " "
        spans.append(f"{space}<span{mark}>{escape(word.text)}</span>")
    return "".join(spans).lstrip()


def _timeline(transcript: Transcript, voices: _Voices, duration: float) -> str:
    """Draw who speaks when, a lane for each voice."""
    scale = _WIDTH / duration if duration else 0.0
    lanes: dict[int, list[tuple[float, float]]] = {lane: [] for lane in range(voices.lanes)}
    for said in transcript.utterances:
        marks = lanes[voices.color_of(said) or 0]
        start, end = said.start * scale, said.end * scale
        if marks and start - marks[-1][1] < _SHORTEST_MARK:
            marks[-1] = (marks[-1][0], max(marks[-1][1], end))
        else:
            marks.append((start, max(end, start + _SHORTEST_MARK)))
    height = max(_top(len(lanes)), _top(_FEWEST_LANES)) - _LANE_GAP
    # One lane alone is not as high as all of them.
    first = (height + _LANE_GAP - _top(len(lanes))) // 2
    drawn = "".join(
        f'<g class="{f"s{lane}" if voices.names else ""}">'
        f'<rect class="ground" y="{first + _top(lane)}" width="{_WIDTH}" height="{_LANE_HEIGHT}"/>'
        + "".join(
            f'<rect x="{start:.1f}" y="{first + _top(lane)}" width="{end - start:.1f}" '
            f'height="{_LANE_HEIGHT}"/>'
            for start, end in marks
        )
        + "</g>"
        for lane, marks in lanes.items()
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" preserveAspectRatio="none" aria-hidden="true">'
        f"{drawn}</svg>"
    )


def _top(lane: int) -> int:
    return lane * (_LANE_HEIGHT + _LANE_GAP)


def _times(words: Iterable[Word]) -> str:
    """Write the times as the script reads them: start after the word before, and length, in ms."""
    numbers: list[int] = []
    before = 0
    for word in words:
        start = round(word.start * 1000)
        numbers += (start - before, max(round(word.end * 1000) - start, 0))
        before = start
    return f"[{','.join(map(str, numbers))}]"


def _language_of(words: Sequence[Word]) -> str:
    """Return the attribute that says which language most words have, where that is known."""
    counts: dict[str, int] = {}
    for word in words:
        if word.language:
            counts[word.language] = counts.get(word.language, 0) + 1
    return f' lang="{escape(max(counts, key=counts.__getitem__))}"' if counts else ""
