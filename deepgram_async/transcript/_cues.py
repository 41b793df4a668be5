"""Captions: which words are shown together, from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Final, Unpack

from msgspec.structs import replace

from deepgram_async._documented import takes_options
from deepgram_async.models import Model
from deepgram_async.options import TranscriptOptions
from deepgram_async.transcript._assembly import (
    Assembly,
    FinalWords,
    TranscriptChange,
    TranscriptEvent,
)
from deepgram_async.transcript._cutting import best_cuts
from deepgram_async.transcript._lines import Unit, balanced_lines, may_begin_line, text_width
from deepgram_async.transcript._sentences import ends_sentence
from deepgram_async.transcript._style import Style
from deepgram_async.transcript._transcript import Transcript
from deepgram_async.transcript._words import Word, silence_between

__all__ = ["Cue", "CueStream", "LiveCues", "cues", "styled_cues"]

# So many captions are looked ahead before the first of them is cut off.
_CUES_AHEAD: Final = 2
# And so many units, whatever the style says.
_UNITS_AHEAD: Final = 200
# A sentence that fills a caption to a third has one for itself.
_ENOUGH: Final = 1 / 3
# Inside of a sentence a caption survives a silence that is so many times as long.
_INSIDE_SENTENCE: Final = 2
# A word may begin that much earlier than the silence before it seemed to last.
_NOISE_S: Final = 0.1
# A channel that says nothing does not hold up the others for longer.
_LONGEST_HELD_S: Final = 30.0
# Captions are timed in milliseconds.
_DIGITS: Final = 3
_SHORTEST_S: Final = 0.001


class Cue(Model, frozen=True, kw_only=True, gc=False):
    """One caption.

    Attributes:
        start: When it appears, in seconds from the start of the audio.
        end: When it disappears.
        channel: Number of the channel, counted from 0.
        speaker: Number of the speaker in the channel, with diarization.
        name: How the speaker is called, where speakers or channels are told apart.
        lines: The text as it is shown, at least one line.
        words: The words that are shown.
    """

    start: float
    end: float
    channel: int
    speaker: int | None = None
    name: str | None = None
    lines: tuple[str, ...]
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The lines, with line breaks between them."""
        return "\n".join(self.lines)


@takes_options(TranscriptOptions)
def cues(transcript: Transcript, **options: Unpack[TranscriptOptions]) -> list[Cue]:
    """Return the captions of a transcript, by the time at which they appear.

    Captions of one channel follow each other; those of several channels may overlap.

    Raises:
        OptionError: An option is unknown, has the wrong type or makes no sense.
    """
    return styled_cues(transcript, Style.of(options))


def styled_cues(transcript: Transcript, style: Style, *, names_in_text: bool = False) -> list[Cue]:
    """Return the captions of a transcript, perhaps with the names of speakers in their texts."""
    merger = _Merger(style, names_in_text=names_in_text)
    merger.channel_count = transcript.channels
    for utterance in transcript.utterances:
        merger.add(utterance.words)
    return list(merger.finish())


class CueStream:
    """Makes captions of the events of a stream."""

    def __init__(self, style: Style, *, names_in_text: bool = False) -> None:
        self._assembly = Assembly(makes_utterances=False)
        self._merger = _Merger(style, names_in_text=names_in_text)

    def add(self, event: TranscriptEvent) -> list[Cue]:
        """Take an event, whatever it is, and return the captions that are complete now."""
        self._take(self._assembly.add(event))
        for number, channel in self._assembly.channels.items():
            self._merger.advance(number, channel.settled_s)
        return list(self._merger.ready())

    def finish(self) -> list[Cue]:
        """End the captions with the stream, and return those that are left.

        Interim words for which no final ones came are taken as they stand.
        """
        self._take(self._assembly.finish())
        return list(self._merger.finish())

    def _take(self, changes: Iterable[TranscriptChange]) -> None:
        for change in changes:
            self._merger.channel_count = self._assembly.channel_count
            if isinstance(change, FinalWords):
                self._merger.add(change.words)


class LiveCues(CueStream):
    """Makes captions of a stream as soon as they cannot change any more.

    ::

        captions = LiveCues(line_length=32)
        async for event in live.transcribe(audio):
            for cue in captions.add(event):
                show(cue)
        for cue in captions.finish():
            show(cue)

    They are the same as those of the finished transcript, wherever the service's results begin and
    end, and come in the order of time. A caption comes when the words after it are settled, or a
    silence. Nothing that was returned is kept.

    Raises:
        OptionError: An option is unknown, has the wrong type or makes no sense.
    """

    def __init__(self, **options: Unpack[TranscriptOptions]) -> None:
        super().__init__(Style.of(options))


class _Merger:
    """The captions of all channels in the order of time."""

    def __init__(self, style: Style, *, names_in_text: bool) -> None:
        self.channel_count = 1
        self._style = style
        self._names_in_text = names_in_text
        self._tracks: dict[int, _Track] = {}
        self._waiting: list[tuple[float, int, int, Cue]] = []
        self._made = 0
        self._heard_s = 0.0

    def add(self, words: Iterable[Word]) -> None:
        """Take settled words of one channel, in the order of time."""
        for word in words:
            self._track(word.channel).add(word, self.channel_count)
        self._collect()

    def advance(self, channel: int, time: float) -> None:
        """Take note that all words of a channel before a time are known."""
        self._heard_s = max(self._heard_s, time)
        self._track(channel).advance(time)
        self._collect()

    def ready(self) -> Iterator[Cue]:
        """Yield the captions before which no other one can come."""
        while self._waiting:
            start, number, _, cue = self._waiting[0]
            others = [track for channel, track in self._tracks.items() if channel != number]
            is_first = len(self._tracks) >= self.channel_count and all(
                start < track.earliest_s for track in others
            )
            if not is_first and self._heard_s - cue.end < _LONGEST_HELD_S:
                return
            heappop(self._waiting)
            yield cue

    def finish(self) -> Iterator[Cue]:
        """Yield all that is left."""
        for track in self._tracks.values():
            track.finish()
        self._collect()
        while self._waiting:
            yield heappop(self._waiting)[-1]

    def _track(self, channel: int) -> _Track:
        if channel not in self._tracks:
            self._tracks[channel] = _Track(self._style, names_in_text=self._names_in_text)
        return self._tracks[channel]

    def _collect(self) -> None:
        for track in self._tracks.values():
            for cue in track.take():
                self._made += 1
                heappush(self._waiting, (cue.start, cue.channel, self._made, cue))


class _Track:
    """The captions of one channel."""

    def __init__(self, style: Style, *, names_in_text: bool) -> None:
        self._style = style
        self._names_in_text = names_in_text
        self._channels = 1
        self._units: list[Unit] = []
        """What is not in a caption yet."""
        self._width = 0
        self._open: Cue | None = None
        """The last caption, which ends when the next one begins."""
        self._done: list[Cue] = []
        self._named: int | None = None
        self._room = style.line_length * style.lines_per_cue
        self._settled_s = 0.0

    @property
    def earliest_s(self) -> float:
        """The time before which no other caption can begin."""
        if self._open is not None:
            return self._open.start
        return round(self._units[0].start if self._units else self._settled_s, _DIGITS)

    def take(self) -> list[Cue]:
        """Return the captions that are complete now, once."""
        done, self._done = self._done, []
        return done

    def add(self, word: Word, channels: int) -> None:
        """Take the next word."""
        self._channels = channels
        unit = Unit.of(word)
        if self._units:
            last = self._units[-1].words[-1]
            if word.speaker != last.speaker or silence_between(last, word) >= self._silence_s(last):
                self._cut()
            elif not may_begin_line(word):
                unit = Unit.of(*self._units.pop().words, word)
        self._units.append(unit)
        self._width += text_width(word.text) + (not word.is_joined)
        if len(self._units) == 1:
            self._close_open(unit.start)
        ahead_s = unit.end - self._units[0].start
        if (
            self._width > _CUES_AHEAD * self._room
            or ahead_s > _CUES_AHEAD * self._style.max_duration_s
            or len(self._units) >= _UNITS_AHEAD
        ):
            self._cut_first()
        if self._width >= _ENOUGH * self._room and ends_sentence(word.text):
            self._cut()

    def advance(self, time: float) -> None:
        """Take note that all words before a time are known."""
        self._settled_s = max(self._settled_s, time)
        if self._units:
            last = self._units[-1].words[-1]
            if time - last.end >= self._silence_s(last) + _NOISE_S:
                self._cut()
        if (
            self._open is not None
            and not self._units
            and time >= self._open.end + self._style.min_gap_s + _NOISE_S
        ):
            self._close_open(None)

    def finish(self) -> None:
        """Complete what is left."""
        self._cut()
        self._close_open(None)

    def _silence_s(self, last: Word) -> float:
        """Return which silence after a word ends a caption."""
        factor = 1 if ends_sentence(last.text) else _INSIDE_SENTENCE
        return factor * self._style.pause_s

    def _cut(self) -> None:
        """Make captions of all units."""
        if not self._units:
            return
        begin = 0
        for end in self._cuts():
            self._show(self._units[begin:end])
            begin = end
        self._units = []
        self._width = 0

    def _cut_first(self) -> None:
        """Make a caption of the first units, with a view to those that follow."""
        end = self._cuts()[0]
        self._show(self._units[:end])
        self._units = self._units[end:]
        self._width = sum(unit.width + (not unit.is_joined) for unit in self._units)
        if self._units:
            self._close_open(self._units[0].start)

    def _cuts(self) -> list[int]:
        return best_cuts(
            self._units,
            self._style,
            self._label(self._units[0].words[0]),
            repeats_label=self._channels > 1,
        )

    def _show(self, units: list[Unit]) -> None:
        first = units[0].words[0]
        earliest = 0.0 if self._open is None else self._open.start
        start = max(earliest, round(first.start, _DIGITS))
        self._close_open(start)
        label = self._label(first)
        lines = balanced_lines([label, *units] if label else units, self._style.line_length)
        read_s = sum(map(text_width, lines)) / self._style.characters_per_second
        end = max(units[-1].end, start + max(self._style.min_duration_s, read_s))
        self._open = Cue(
            start=start,
            end=min(end, start + self._style.max_duration_s),
            channel=first.channel,
            speaker=first.speaker,
            name=self._name(first),
            lines=tuple(lines),
            words=tuple(word for unit in units for word in unit.words),
        )
        self._named = first.speaker

    def _close_open(self, next_start: float | None) -> None:
        """Complete the last caption; it gives way to the next one."""
        cue, self._open = self._open, None
        if cue is None:
            return
        end = cue.end
        if next_start is not None:
            # A caption that is shorter than the gap keeps half of its time.
            latest = max(next_start - self._style.min_gap_s, (cue.start + next_start) / 2)
            end = min(end, latest)
        end = round(max(end, cue.start + _SHORTEST_S), _DIGITS)
        self._done.append(replace(cue, end=end))

    def _label(self, word: Word) -> Unit | None:
        """Return what stands before a caption that begins with a word."""
        if not self._names_in_text or (self._channels == 1 and self._named == word.speaker):
            return None
        name = self._name(word)
        return None if name is None else Unit(f"{name}:", False, text_width(name) + 1)

    def _name(self, word: Word) -> str | None:
        return self._style.name_of(
            speaker=word.speaker, channel=word.channel, channels=self._channels
        )
