"""A transcript as a page: one file that plays the audio, and needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final
from urllib.parse import urlsplit

from deepgram_async.errors import OptionError
from deepgram_async.transcript._style import Style
from deepgram_async.transcript._transcript import AudioGap, Transcript
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
_SCHEMES: Final = frozenset({"", "blob", "data", "file", "http", "https"})
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

    def color_of(self, said: Segment) -> int | None:
        """Return the number of a colour, ``None`` for a voice without a name."""
        number = self._numbers.get((said.channel, said.speaker))
        return None if number is None else number % _COLORS

    def name_of(self, said: Segment) -> str | None:
        """Return what a voice is called."""
        return self.names.get((said.channel, said.speaker))


def write_html(transcript: Transcript, style: Style) -> str:
    """Return a page that shows a transcript and plays its audio.

    Raises:
        OptionError: The audio is given twice, or is none that plays in a page.
    """
    source = _source_of(style)
    voices = _Voices(transcript, style)
    blocks = list(_blocks(transcript))
    words = [word for block in blocks if isinstance(block, Segment) for word in block.words]
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
            "turns": "\n".join(_turns(blocks, voices, style)) or _NOTHING,
            "about": escape(_about(transcript)),
            "timeline": _timeline(transcript, voices, duration),
            "duration": f"{duration:.3f}",
            "length": _clock(duration),
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
        heard[said.channel, said.speaker] += said.end - said.start
    total = sum(heard.values()) or 1.0
    items = [
        f'<li class="s{number % _COLORS}"><b>{escape(voices.names[voice])}</b> '
        f"<span>{seconds / total:.0%}</span></li>"
        for number, (voice, seconds) in enumerate(heard.items())
    ]
    return f'<ul class="legend" aria-label="Share of the speaking time">{"".join(items)}</ul>'


def _turns(blocks: Iterable[Segment | AudioGap], voices: _Voices, style: Style) -> Iterator[str]:
    before: tuple[int, int | None] | None = None
    for block in blocks:
        if isinstance(block, AudioGap):
            yield _gap(block)
            before = None
            continue
        voice = (block.channel, block.speaker)
        yield _turn(block, voices, style.uncertain_below, is_named=voice != before)
        before = voice


def _blocks(transcript: Transcript) -> Iterator[Segment | AudioGap]:
    """Yield the paragraphs, and what is missing where it is."""
    gaps = deque(transcript.gaps)
    for paragraph in transcript.paragraphs:
        words = paragraph.words
        while gaps and gaps[0].start <= words[-1].start:
            gap = gaps.popleft()
            first = bisect_left(words, gap.start, key=lambda word: word.start)
            if first:
                yield Segment.of(words[:first])
            yield gap
            words = words[first:]
        yield Segment.of(words)
    yield from gaps


def _turn(said: Segment, voices: _Voices, uncertain_below: float, *, is_named: bool) -> str:
    color, name = voices.color_of(said), voices.name_of(said)
    colored = "" if color is None else f" s{color}"
    heading = f"<h2>{escape(name)}</h2>" if name and is_named else ""
    return (
        f'<article class="turn{colored}" data-channel="{said.channel}"><header>{heading}'
        f'<a href="#t={said.start:.2f}">{_clock(said.start)}</a></header>'
        f'<p dir="auto">{_spans(said.words, uncertain_below)}</p></article>'
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


def _gap(gap: AudioGap) -> str:
    return (
        f'<p class="gap">{gap.duration:.1f} seconds of audio are missing here '
        f"({_clock(gap.start)})</p>"
    )


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


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minutes}:{second:02}"
