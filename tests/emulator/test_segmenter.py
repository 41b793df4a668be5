"""The segmenter alone: audio in, steps out, no event loop."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from deepgram_async.emulator import Hints, RecognizedWord, ScriptedRecognizer
from deepgram_async.emulator._segmenter import (
    Decode,
    Segmentation,
    Segmenter,
    Slice,
    SpeechStarted,
    Step,
    Steps,
    UtteranceEnd,
)

from .helpers import RATE, silence

if TYPE_CHECKING:
    from collections.abc import Sequence


class Stream:
    """Drives a segmenter with a script for its recogniser."""

    def __init__(
        self,
        *words: tuple[str, float, float],
        interim_every_s: float | None = None,
        endpointing_s: float | None = 0.3,
        utterance_end_s: float | None = None,
        longest_segment_s: float = 12.0,
        longest_silence_s: float = 5.0,
        interims_skipped: bool = False,
    ) -> None:
        self.recognizer = ScriptedRecognizer(words)
        self.decoded: list[Decode] = []
        self._interims_skipped = interims_skipped
        self.segmenter = Segmenter(
            Segmentation(
                interim_every_s=interim_every_s,
                endpointing_s=endpointing_s,
                utterance_end_s=utterance_end_s,
                longest_segment_s=longest_segment_s,
                longest_silence_s=longest_silence_s,
            ),
            self.recognizer.voice_detector(RATE, 0),
            rate=RATE,
        )

    def feed(self, seconds: float) -> list[Step]:
        return self._run(self.segmenter.feed(silence(seconds)))

    def finalize(self) -> list[Step]:
        return self._run(self.segmenter.finalize())

    def finish(self) -> list[Step]:
        return self._run(self.segmenter.finish())

    def _run(self, steps: Steps) -> list[Step]:
        said: list[Step] = []
        words: list[RecognizedWord] | None = None
        while True:
            try:
                step = steps.send(words)
            except StopIteration:
                return said
            words = None
            if not isinstance(step, Decode):
                said.append(step)
                continue
            self.decoded.append(step)
            if step.is_final or not self._interims_skipped:
                words = list(self.recognizer.recognize(step.audio, Hints()))


def slices(steps: Sequence[Step]) -> list[Slice]:
    return [step for step in steps if isinstance(step, Slice)]


def finals(steps: Sequence[Step]) -> list[Slice]:
    return [piece for piece in slices(steps) if piece.is_final]


def texts(pieces: Sequence[Slice]) -> list[str]:
    return [" ".join(word.text for word in piece.words) for piece in pieces]


def assert_contiguous(pieces: Sequence[Slice]) -> None:
    assert pieces[0].start == 0.0
    for before, piece in pairwise(pieces):
        assert piece.start == pytest.approx(before.start + before.duration, abs=1e-5)


def test_silence_before_speech_says_nothing_without_interims() -> None:
    assert Stream(("late", 9.0, 9.5)).feed(2.0) == []


def test_speech_and_a_pause_make_a_speech_final() -> None:
    steps = Stream(("Hello,", 0.5, 0.8), ("world.", 0.8, 1.2)).feed(2.0)
    started, final = steps
    assert started == SpeechStarted(0.5)
    assert isinstance(final, Slice)
    assert texts([final]) == ["Hello, world."]
    assert (final.start, final.duration) == (0.0, 1.5)
    assert (final.is_final, final.speech_final, final.from_finalize) == (True, True, False)


def test_word_times_are_those_of_the_stream() -> None:
    (final,) = finals(Stream(("one", 3.0, 3.4)).feed(4.0))
    assert (final.words[0].start, final.words[0].end) == pytest.approx((3.0, 3.4))


def test_a_pause_shorter_than_endpointing_ends_nothing() -> None:
    stream = Stream(("one", 0.5, 0.8), ("two", 1.0, 1.3), endpointing_s=0.3)
    assert texts(finals(stream.feed(2.0))) == ["one two"]


def test_a_pause_as_long_as_endpointing_ends_the_utterance() -> None:
    stream = Stream(("one", 0.5, 0.8), ("two", 1.2, 1.5), endpointing_s=0.3)
    pieces = finals(stream.feed(2.0))
    assert texts(pieces) == ["one", "two"]
    assert all(piece.speech_final for piece in pieces)
    assert_contiguous(pieces)


def test_without_endpointing_a_final_comes_after_a_second_but_is_no_speech_final() -> None:
    stream = Stream(("one", 0.5, 0.8), endpointing_s=None)
    (final,) = finals(stream.feed(3.0))
    assert texts([final]) == ["one"]
    assert not final.speech_final
    assert final.duration == pytest.approx(1.8)


def test_interims_share_their_start_and_grow_once_a_second() -> None:
    stream = Stream(("a", 0.2, 1.0), ("b", 1.0, 2.0), ("c", 2.0, 3.3), interim_every_s=1.0)
    pieces = slices(stream.feed(3.4))
    assert texts(pieces) == ["a", "a b", "a b c"]
    assert [piece.duration for piece in pieces] == [1.0, 2.0, 3.0]
    assert {piece.start for piece in pieces} == {0.0}
    assert not any(piece.is_final for piece in pieces)


def test_a_skipped_interim_says_nothing_and_the_final_still_comes() -> None:
    stream = Stream(("long", 0.2, 2.9), interim_every_s=1.0, interims_skipped=True)
    assert texts(slices(stream.feed(3.5))) == ["long"]
    assert [decode.is_final for decode in stream.decoded] == [False, False, False, True]


def test_the_next_interim_comes_a_full_period_after_a_final() -> None:
    stream = Stream(("one", 0.1, 0.9), interim_every_s=1.0)
    pieces = slices(stream.feed(2.5))
    assert [(piece.duration, piece.is_final) for piece in pieces] == [
        (1.0, False),
        (1.2, True),
        (1.0, False),
    ]
    assert pieces[2].start == pytest.approx(1.2)


def test_silence_gives_empty_interims_and_empty_finals() -> None:
    stream = Stream(interim_every_s=1.0, longest_silence_s=3.0)
    pieces = slices(stream.feed(4.0))
    assert all(piece.words == () for piece in pieces)
    assert [(piece.duration, piece.is_final) for piece in pieces] == [
        (1.0, False),
        (2.0, False),
        (3.0, True),
        (1.0, False),
    ]
    assert not any(piece.speech_final for piece in pieces)
    assert stream.decoded == []


def test_long_speech_is_cut_between_two_words_before_the_end_of_the_last_interim() -> None:
    words = [(str(i), i * 0.4 + 0.1 * (i == 9), i * 0.4 + 0.4) for i in range(20)]
    stream = Stream(*words, interim_every_s=1.0, longest_segment_s=5.5)
    pieces = slices(stream.feed(8.5))
    cut = next(piece for piece in pieces if piece.is_final)
    assert not cut.speech_final
    assert cut.duration == pytest.approx(3.65)
    last_interim = pieces[pieces.index(cut) - 1]
    assert cut.start + cut.duration < last_interim.start + last_interim.duration
    assert_contiguous(finals(pieces + finals(stream.finish())))
    heard = " ".join(texts([piece for piece in pieces if piece.is_final]))
    assert heard.split() == [str(i) for i in range(20)]


def test_long_speech_in_which_nothing_is_heard_is_closed_whole() -> None:
    stream = Stream(("hmm", 0.0, 30.0), longest_segment_s=4.0)
    (final,) = finals(stream.feed(4.5))
    assert (final.start, final.duration, final.speech_final) == (0.0, 4.0, False)


def test_held_audio_is_bounded_by_the_longest_segment() -> None:
    stream = Stream(*((str(i), i * 0.5, i * 0.5 + 0.5) for i in range(100)), longest_segment_s=3.0)
    stream.feed(50.0)
    assert max(decode.audio.duration_s for decode in stream.decoded) <= 3.0


def test_speech_is_recognised_with_a_little_audio_before_it() -> None:
    stream = Stream(("one", 2.0, 2.5))
    stream.feed(3.0)
    (decode,) = stream.decoded
    assert decode.audio.start_s == pytest.approx(1.7)


def test_audio_in_odd_pieces_gives_the_same_steps() -> None:
    script = (("one", 0.5, 0.8), ("two", 1.5, 1.9))
    whole = Stream(*script, interim_every_s=0.5).feed(3.0)
    stream = Stream(*script, interim_every_s=0.5)
    pieces: list[Step] = []
    for _ in range(300):
        pieces += stream.feed(0.01)
    assert pieces == whole


# Finalize and the end.


def test_finalize_closes_the_open_utterance() -> None:
    stream = Stream(("one", 0.2, 0.6), ("two", 0.6, 1.4))
    stream.feed(0.9)
    (final,) = finals(stream.finalize())
    assert texts([final]) == ["one"]
    assert (final.from_finalize, final.speech_final) == (True, True)
    assert final.duration == pytest.approx(0.9)


def test_a_word_cut_by_finalize_comes_exactly_once() -> None:
    stream = Stream(("one", 0.2, 0.6), ("two", 0.6, 1.4))
    said = [*stream.feed(1.1), *stream.finalize(), *stream.feed(1.0), *stream.finish()]
    assert " ".join(texts(finals(said))).split() == ["one", "two"]


def test_finalize_with_nothing_buffered_says_nothing() -> None:
    stream = Stream()
    assert stream.finalize() == []
    stream.feed(0.5)
    stream.finalize()
    assert stream.finalize() == []


def test_finalize_in_silence_gives_an_empty_final_that_is_no_speech_final() -> None:
    stream = Stream()
    stream.feed(0.5)
    assert stream.finalize() == [Slice(0.0, 0.5, (), True, False, True)]


def test_the_end_gives_what_is_open_and_covers_all_audio() -> None:
    stream = Stream(("one", 0.2, 0.6))
    stream.feed(0.605)
    (final,) = finals(stream.finish())
    assert texts([final]) == ["one"]
    assert not final.from_finalize
    assert final.duration == pytest.approx(0.605)
    assert stream.segmenter.position_s == pytest.approx(0.605)


def test_the_end_without_audio_says_nothing() -> None:
    assert Stream().finish() == []


# UtteranceEnd.


def test_utterance_end_comes_once_after_the_gap() -> None:
    stream = Stream(("one", 0.5, 0.8), utterance_end_s=1.0)
    assert [s for s in stream.feed(1.7) if isinstance(s, UtteranceEnd)] == []
    assert stream.feed(0.2) == [UtteranceEnd(0.8)]
    assert stream.feed(3.0) == []


def test_utterance_end_follows_the_final_it_belongs_to() -> None:
    stream = Stream(("one", 0.5, 0.8), endpointing_s=1.5, utterance_end_s=1.0)
    assert [type(step) for step in stream.feed(4.0)] == [SpeechStarted, Slice, UtteranceEnd]


def test_utterance_end_can_come_from_an_interim_when_endpointing_is_late() -> None:
    stream = Stream(("one", 0.2, 0.5), endpointing_s=3.0, utterance_end_s=1.0, interim_every_s=1.0)
    kinds = [type(step).__name__ for step in stream.feed(4.0)]
    assert kinds == ["SpeechStarted", "Slice", "Slice", "UtteranceEnd", "Slice", "Slice"]


def test_a_second_utterance_has_its_own_end() -> None:
    stream = Stream(("one", 0.5, 0.8), ("two", 3.0, 3.3), utterance_end_s=1.0)
    ends = [step for step in stream.feed(6.0) if isinstance(step, UtteranceEnd)]
    assert ends == [UtteranceEnd(0.8), UtteranceEnd(3.3)]
