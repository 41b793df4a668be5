"""Random streams that say known words, with everything that a service does on the way."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from hypothesis import strategies as st
from msgspec.structs import replace

from deepgram_async.models.common import Word
from deepgram_async.models.events import Reconnected, Reconnecting, Stalled
from deepgram_async.models.live import Results, SpeechStarted
from deepgram_async.transcript import TranscriptEvent
from tests.support.transcripts import recorded_answers, result, utterance_end

__all__ = ["Stream", "streams"]

VOCABULARY: Final = (
    "a and but can't Dr. etc. extraordinarily Ann, however, I it. no. of said; so? that the 3:30 "
    "über wait! yes, 日本 &amp <b> -->"
).split()
# How far a channel may be ahead, in seconds of audio.
_SKEW_S: Final = 5.0
RECORDED_WORDS: Final = [found.words for _, found in recorded_answers()[:4]]


class Stream(NamedTuple):
    """A stream and what is said in it.

    Attributes:
        words: The words of each channel.
        events: What the service says.
    """

    words: list[list[Word]]
    events: list[TranscriptEvent]


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """A live transcription with one or two channels."""
    begin = draw(st.sampled_from([0.0, 0.5, 90_000.0]))
    words = [_words(draw, begin) for _ in range(draw(st.integers(1, 2)))]
    end = max([begin, *(said[-1].end for said in words if said)]) + 4.0
    waiting = [
        list(_channel(draw, said, (begin, end), (channel, len(words))))
        for channel, said in enumerate(words)
    ]
    events: list[TranscriptEvent] = []
    heard = [begin for _ in words]
    while any(waiting):
        # The channels are heard at the same time, more or less.
        slowest = min(time for time, left in zip(heard, waiting, strict=True) if left)
        ready = [
            channel
            for channel, left in enumerate(waiting)
            if left and heard[channel] <= slowest + _SKEW_S
        ]
        channel = draw(st.sampled_from(ready))
        event = waiting[channel].pop(0)
        if isinstance(event, Results) and event.is_final:
            heard[channel] = max(heard[channel], event.end)
        events.append(event)
    return Stream(words, events)


def _words(draw: st.DrawFn, time: float) -> list[Word]:
    """Draw the words of one channel, or those of a recorded answer, with pauses in between."""
    if RECORDED_WORDS and not time and draw(st.integers(0, 3)) == 3:
        return draw(st.sampled_from(RECORDED_WORDS))
    speakers = st.none() | st.integers(0, 2)
    speaker = draw(speakers)
    words: list[Word] = []
    for text in draw(st.lists(st.sampled_from(VOCABULARY), max_size=40)):
        time = round(time + draw(st.sampled_from([0.0, 0.0, 0.05, 0.4, 1.1, 2.6])), 3)
        end = round(time + draw(st.sampled_from([0.1, 0.3, 0.9])), 3)
        if draw(st.integers(0, 5)) == 5:
            speaker = draw(speakers)
        words.append(
            Word(
                word=text.lower(),
                punctuated_word=text,
                start=time,
                end=end,
                confidence=0.5,
                speaker=speaker,
            )
        )
        time = end
    return words


def _channel(
    draw: st.DrawFn, words: list[Word], span: tuple[float, float], channel: tuple[int, int]
) -> Iterator[TranscriptEvent]:
    """Yield what is said about a channel: slices of its words, each changing until it is final."""
    done = 0
    start, last = span
    while done < len(words):
        said = words[done : done + draw(st.integers(0, 5))]
        after = words[done + len(said) :]
        spoken_until = max([start, *(word.end for word in said)])
        silent_until = max(spoken_until, after[0].start if after else last)
        # A slice ends anywhere in the silence between two words.
        end = spoken_until + draw(st.sampled_from([0.0, 0.5, 1.0])) * (silent_until - spoken_until)
        for _ in range(draw(st.integers(0, 2))):
            yield draw(_interims(words[done:], start, channel))
        # Some slices say again what the last one said.
        known = words[max(0, done - 3) : done] if draw(st.integers(0, 4)) == 4 else []
        begin = known[0].start if known else start
        speech_final = draw(st.integers(0, 3)) == 3
        yield result([*known, *said], begin, end, channel=channel, speech_final=speech_final)
        if draw(st.integers(0, 4)) == 4:
            yield result([*known, *said], begin, end, channel=channel)
        if said and draw(st.integers(0, 3)) == 3:
            yield utterance_end(said[-1].end, channel=channel)
        if draw(st.integers(0, 6)) == 6:
            yield from _trouble(channel)
        done += len(said)
        start = end
    while start < last:
        end = min(last, start + _SKEW_S)
        yield result([], start, end, channel=channel)
        start = end


def _interims(
    words: list[Word], start: float, channel: tuple[int, int]
) -> st.SearchStrategy[TranscriptEvent]:
    """What may still change: some of the words, perhaps misheard, perhaps beyond the slice."""

    def heard(count: int, misheard: bool) -> TranscriptEvent:
        shown = [
            replace(word, punctuated_word="huh") if misheard else word for word in words[:count]
        ]
        end = shown[-1].end if shown else start
        return result(shown, start, max(end, start), channel=channel, is_final=False)

    return st.builds(heard, st.integers(0, 10), st.booleans())


def _trouble(channel: tuple[int, int]) -> Iterator[TranscriptEvent]:
    yield Stalled(silent_s=10.0, audio_s=10.0)
    yield Reconnecting(attempt=1, delay_s=0.1, reason="1006")
    yield Reconnected(gap_s=0.1, replayed_s=0.5, dropped_s=0.0, attempts=1, request_id="r2")
    yield SpeechStarted(channel=list(channel), timestamp=0.0)
