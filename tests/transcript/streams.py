"""Random streams that say known words, with everything that a service does on the way."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from hypothesis import strategies as st
from msgspec.structs import replace

from deepgram_async.models.common import Word
from deepgram_async.models.events import Reconnected, Reconnecting, Stalled
from deepgram_async.models.live import SpeechStarted
from deepgram_async.transcript import TranscriptEvent
from tests.support.transcripts import recorded_answers, result, utterance_end

__all__ = ["Stream", "streams", "word_lists"]

VOCABULARY: Final = (
    "a and but can't Dr. etc. extraordinarily Ann, however, I it. no. of said; so? that the 3:30 "
    "über wait! yes, 日本 &amp <b> -->"
).split()
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
def word_lists(draw: st.DrawFn, *, with_speakers: bool = True) -> list[Word]:
    """Words of one channel, generated or those of a recorded answer, with pauses in between."""
    if RECORDED_WORDS and draw(st.integers(0, 3)) == 3:
        return draw(st.sampled_from(RECORDED_WORDS))
    speakers = st.none() | st.integers(0, 2) if with_speakers else st.none()
    words: list[Word] = []
    time = draw(st.sampled_from([0.0, 0.5, 90_000.0]))
    speaker = draw(speakers)
    for text in draw(st.lists(st.sampled_from(VOCABULARY), max_size=40)):
        time = round(time + draw(st.sampled_from([0.0, 0.0, 0.05, 0.4, 1.1, 2.6])), 3)
        end = round(time + draw(st.sampled_from([0.1, 0.3, 0.9])), 3)
        if draw(st.integers(0, 5)) == 0:
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


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """A live transcription with one or two channels."""
    count = draw(st.integers(1, 2))
    words = [draw(word_lists()) for _ in range(count)]
    each = [list(_channel(draw, words[channel], (channel, count))) for channel in range(count)]
    events: list[TranscriptEvent] = []
    while any(each):
        channel = draw(st.sampled_from([number for number in range(count) if each[number]]))
        events.append(each[channel].pop(0))
    return Stream(words, events)


def _channel(
    draw: st.DrawFn, words: list[Word], channel: tuple[int, int]
) -> Iterator[TranscriptEvent]:
    """Yield what is said about a channel: slices of its words, each changing until it is final."""
    done = 0
    start = 0.0
    while done < len(words):
        count = draw(st.integers(0, 8))
        slice_words = words[done : done + count]
        after = words[done + count :]
        limit = after[0].start if after else words[-1].end + 3.0
        earliest = slice_words[-1].end if slice_words else start
        # A slice ends anywhere in the silence between two words.
        end = max(earliest, start) + draw(st.sampled_from([0.0, 0.5, 1.0])) * max(
            0.0, limit - max(earliest, start)
        )
        for _ in range(draw(st.integers(0, 2))):
            yield draw(_interims(words[done:], start, channel))
        if done and draw(st.integers(0, 4)) == 0:
            # It says again what the last one said.
            known = words[max(0, done - 3) : done]
            slice_start = known[0].start
        else:
            known, slice_start = [], start
        said = [*known, *slice_words]
        speech_final = draw(st.integers(0, 3)) == 0
        yield result(said, slice_start, end, channel=channel, speech_final=speech_final)
        if draw(st.integers(0, 4)) == 0:
            yield result(said, slice_start, end, channel=channel)
        if slice_words and draw(st.integers(0, 3)) == 0:
            yield utterance_end(slice_words[-1].end, channel=channel)
        if draw(st.integers(0, 6)) == 0:
            yield from _trouble(channel)
        done += len(slice_words)
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
