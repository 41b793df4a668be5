"""The detector of turns alone: audio in, turns out, no event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepgram_async._protocol.turns import Turns
from deepgram_async.emulator import Hints, RecognizedWord, ScriptedRecognizer
from deepgram_async.emulator._flux.turns import (
    Turn,
    TurnDetector,
    TurnSteps,
    TurnTaking,
    end_of_turn_confidence,
)
from deepgram_async.models.flux import TurnInfo

from .helpers import RATE, silence

if TYPE_CHECKING:
    from collections.abc import Sequence

Script = list[tuple[str, float, float]]
QUESTION: Script = [("Are", 0.5, 0.8), ("you", 0.8, 1.0), ("there?", 1.0, 1.5)]


class Conversation:
    """Drives a detector with a script for its recogniser."""

    def __init__(self, words: Sequence[tuple[str, float, float]], **taking: Any) -> None:
        self.recognizer = ScriptedRecognizer(words)
        self.turns: list[Turn] = []
        self.decoded = 0
        self.is_busy = False
        detector = self.recognizer.voice_detector(RATE, 0)
        self.detector = TurnDetector(TurnTaking(**taking), detector, rate=RATE)

    def hear(self, seconds: float, chunk_s: float = 0.1) -> list[Turn]:
        before = len(self.turns)
        for _ in range(round(seconds / chunk_s)):
            self._run(self.detector.feed(silence(chunk_s)))
        return self.turns[before:]

    def force_end(self) -> list[Turn]:
        before = len(self.turns)
        self._run(self.detector.force_end())
        return self.turns[before:]

    def finish(self) -> list[Turn]:
        before = len(self.turns)
        self._run(self.detector.finish())
        return self.turns[before:]

    def _run(self, steps: TurnSteps) -> None:
        words: list[RecognizedWord] | None = None
        while True:
            try:
                step = steps.send(words)
            except StopIteration:
                return
            words = None
            if isinstance(step, Turn):
                self.turns.append(step)
                continue
            self.decoded += 1
            if step.is_final or not self.is_busy:
                words = list(self.recognizer.recognize(step.audio, Hints()))


def text(turn: Turn) -> str:
    return " ".join(word.text for word in turn.words)


def changes(turns: list[Turn]) -> list[tuple[str, str]]:
    return [(turn.event, text(turn)) for turn in turns if turn.event != "Update"]


def irregularities(turns: list[Turn]) -> list[str]:
    """Return what the client's own table of events finds wrong."""
    rules = Turns()
    for number, turn in enumerate(turns):
        rules.see(
            TurnInfo(
                request_id="r",
                sequence_id=number,
                event=turn.event,
                turn_index=turn.index,
                audio_window_start=turn.window_start,
                audio_window_end=turn.window_end,
                transcript=text(turn),
                end_of_turn_confidence=turn.confidence,
                trigger=turn.trigger,
            )
        )
    return [irregularity.rule for irregularity in rules.irregularities]


def test_a_turn_starts_with_words_and_ends_after_silence() -> None:
    turns = Conversation(QUESTION).hear(3.0)
    assert changes(turns) == [("StartOfTurn", "Are"), ("EndOfTurn", "Are you there?")]
    assert turns[-1].index == 1
    end = next(turn for turn in turns if turn.event == "EndOfTurn")
    assert end.trigger == "model"
    assert end.confidence >= 0.7
    assert end.window_end == pytest.approx(1.5 + 0.7, abs=0.03)


def test_there_are_four_updates_a_second_even_without_speech() -> None:
    turns = Conversation([]).hear(2.6)
    assert {(turn.event, text(turn), turn.confidence) for turn in turns} == {("Update", "", 0.0)}
    assert len(turns) == 10


def test_an_unfinished_sentence_is_waited_for_longer() -> None:
    finished = end_of_turn_confidence([RecognizedWord("there?", 0, 1)], 0.7)
    unfinished = end_of_turn_confidence([RecognizedWord("there", 0, 1)], 0.7)
    trailing = end_of_turn_confidence([RecognizedWord("there...", 0, 1)], 0.7)
    assert finished == pytest.approx(0.7)
    assert unfinished == trailing == pytest.approx(0.5)


def test_a_pause_makes_an_eager_end_and_more_speech_resumes_the_turn() -> None:
    words = [*QUESTION, ("Hello?", 2.0, 2.4)]
    turns = Conversation(words, eager_eot_threshold=0.5).hear(4.0)
    assert changes(turns) == [
        ("StartOfTurn", "Are"),
        ("EagerEndOfTurn", "Are you there?"),
        ("TurnResumed", "Are you there?"),
        ("EagerEndOfTurn", "Are you there? Hello?"),
        ("EndOfTurn", "Are you there? Hello?"),
    ]


def test_without_an_eager_threshold_there_are_no_drafts() -> None:
    words = [*QUESTION, ("Hello?", 2.0, 2.4)]
    events = {turn.event for turn in Conversation(words).hear(4.0)}
    assert events == {"Update", "StartOfTurn", "EndOfTurn"}


def test_silence_ends_a_turn_that_no_confidence_ends() -> None:
    turns = Conversation(QUESTION, eot_threshold=1.0, eot_timeout_s=2.0).hear(4.0)
    end = next(turn for turn in turns if turn.event == "EndOfTurn")
    assert end.trigger == "timeout"
    assert end.window_end == pytest.approx(3.5, abs=0.03)


def test_turns_are_counted_and_begin_empty() -> None:
    turns = Conversation([*QUESTION, ("Yes.", 3.0, 3.5)]).hear(5.0)
    assert [(t.index, text(t)) for t in turns if t.event == "EndOfTurn"] == [
        (0, "Are you there?"),
        (1, "Yes."),
    ]
    second = [turn for turn in turns if turn.index == 1]
    assert text(second[0]) == ""
    assert {turn.window_start for turn in second} == {
        next(turn.window_end for turn in turns if turn.event == "EndOfTurn")
    }


def test_a_turn_can_be_forced_to_end() -> None:
    conversation = Conversation(QUESTION)
    conversation.hear(1.3)
    (end,) = conversation.force_end()
    assert (end.event, text(end), end.trigger) == ("EndOfTurn", "Are you there?", "manual")
    assert conversation.force_end() == []


def test_the_end_of_the_stream_ends_no_turn_but_tells_all_words() -> None:
    conversation = Conversation(QUESTION)
    conversation.hear(1.4)
    (last,) = conversation.finish()
    assert (last.event, text(last)) == ("Update", "Are you there?")


def test_the_first_words_are_told_even_if_the_stream_ends_right_behind_them() -> None:
    conversation = Conversation([("Hi.", 0.5, 0.7)])
    assert changes(conversation.hear(0.7, 0.1)) == []
    assert changes(conversation.finish()) == [("StartOfTurn", "Hi.")]


def test_sound_without_words_starts_no_turn() -> None:
    conversation = Conversation([("", 0.5, 1.5)])
    conversation.recognizer = ScriptedRecognizer()
    turns = conversation.hear(4.0)
    assert {turn.event for turn in turns} == {"Update"}
    # It is forgotten, not listened to again and again.
    assert conversation.decoded < 15


def test_a_busy_recognizer_delays_words_but_loses_none() -> None:
    conversation = Conversation(QUESTION)
    conversation.is_busy = True
    turns = conversation.hear(4.0)
    assert changes(turns) == [("StartOfTurn", "Are you there?"), ("EndOfTurn", "Are you there?")]


def test_a_long_turn_is_not_recognised_from_its_beginning_again() -> None:
    words = [(f"w{i}", 0.5 + 0.3 * i, 0.75 + 0.3 * i) for i in range(100)]
    conversation = Conversation(words, longest_segment_s=5.0, eot_threshold=0.9)
    longest = 0.0
    recognize = conversation.recognizer.recognize

    class Measured(ScriptedRecognizer):
        def recognize(self, audio: Any, hints: Hints) -> Any:
            nonlocal longest
            longest = max(longest, audio.duration_s)
            return recognize(audio, hints)

    conversation.recognizer = Measured()
    turns = conversation.hear(42.0)
    end = next(turn for turn in turns if turn.event == "EndOfTurn")
    assert text(end) == " ".join(word for word, _, _ in words)
    assert longest < 6.0


@st.composite
def scripts(draw: st.DrawFn) -> tuple[Script, float]:
    words: Script = []
    at = 0.0
    for _ in range(draw(st.integers(0, 12))):
        at += draw(st.sampled_from([0.0, 0.1, 0.4, 0.8, 1.7, 3.0]))
        end = at + draw(st.sampled_from([0.1, 0.3, 0.6]))
        words.append((draw(st.sampled_from(["one", "two.", "three?", "four,"])), at, end))
        at = end
    return words, at


@settings(max_examples=40, deadline=None)
@given(
    scripts(),
    st.sampled_from([0.02, 0.07, 0.5]),
    st.sampled_from([0.5, 0.7, 0.9, 1.0]),
    st.sampled_from([None, 0.3, 0.5]),
    st.sampled_from([0.5, 2.0]),
)
def test_whatever_is_said_the_order_is_kept_and_no_word_is_lost(
    script: tuple[Script, float],
    chunk_s: float,
    threshold: float,
    eager: float | None,
    timeout_s: float,
) -> None:
    words, length_s = script
    conversation = Conversation(
        words, eot_threshold=threshold, eager_eot_threshold=eager, eot_timeout_s=timeout_s
    )
    conversation.hear(length_s + 6.0, chunk_s)
    conversation.finish()
    assert irregularities(conversation.turns) == []
    ends = [turn for turn in conversation.turns if turn.event == "EndOfTurn"]
    told = [word.text for turn in ends for word in turn.words]
    assert told == [word for word, _, _ in words]
