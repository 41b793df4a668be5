import pytest
from msgspec.structs import replace

from deepgram_async._protocol.heard_again import HeardAgain
from deepgram_async._protocol.timelines import FluxTimeline
from deepgram_async.models.flux import TurnInfo, Word


def turn(event: str, end: float, *words: float, start: float = 0.0, index: int = 0) -> TurnInfo:
    """Return a message with a word of a second at each of the times."""
    said = [Word(word=f"w{at:g}", confidence=1, start=at, end=at + 1) for at in words]
    return TurnInfo(
        request_id="r",
        sequence_id=1,
        event=event,
        turn_index=index,
        audio_window_start=start,
        audio_window_end=end,
        transcript=" ".join(word.word for word in said),
        end_of_turn_confidence=0.5,
        words=said,
        trigger="model" if event == "EndOfTurn" else None,
    )


def seen(heard_again: HeardAgain, *turns: TurnInfo) -> list[tuple[str, str]]:
    placed = [heard_again.without_known(each) for each in turns]
    return [(each.event, each.transcript) for each in placed]


def test_a_turn_begins_with_its_first_word_that_is_new() -> None:
    assert seen(
        HeardAgain(2.0),
        turn("StartOfTurn", 1, 0),
        turn("Update", 2, 0, 1),
        turn("Update", 3, 0, 1, 2),
        turn("Update", 4, 0, 1, 2, 3),
        turn("EndOfTurn", 5, 0, 1, 2, 3, 4),
    ) == [
        ("Update", ""),
        ("Update", ""),
        ("StartOfTurn", "w2"),
        ("Update", "w2 w3"),
        ("EndOfTurn", "w2 w3 w4"),
    ]


def test_a_draft_counts_when_its_turn_has_begun() -> None:
    assert seen(
        HeardAgain(2.0),
        turn("StartOfTurn", 1, 0),
        turn("EagerEndOfTurn", 2, 0, 1),
        turn("TurnResumed", 3, 0, 1, 2),
        turn("EagerEndOfTurn", 4, 0, 1, 2, 3),
        turn("TurnResumed", 5, 0, 1, 2, 3),
        turn("EndOfTurn", 5, 0, 1, 2, 3),
    ) == [
        ("Update", ""),
        ("Update", ""),
        ("StartOfTurn", "w2"),
        ("EagerEndOfTurn", "w2 w3"),
        ("TurnResumed", "w2 w3"),
        ("EndOfTurn", "w2 w3"),
    ]


def test_a_draft_that_became_the_beginning_is_not_resumed() -> None:
    assert seen(
        HeardAgain(2.0),
        turn("StartOfTurn", 2, 1),
        turn("EagerEndOfTurn", 3, 1, 2),
        turn("TurnResumed", 4, 1, 2, 3),
    ) == [("Update", ""), ("StartOfTurn", "w2"), ("Update", "w2 w3")]


def test_the_window_begins_where_known_words_end() -> None:
    heard_again = HeardAgain(2.0)
    early = heard_again.without_known(turn("StartOfTurn", 1, 0))
    assert (early.audio_window_start, early.audio_window_end) == (2.0, 2.0)
    ended = heard_again.without_known(turn("EndOfTurn", 1, 0))
    assert ended.trigger is None
    late = heard_again.without_known(turn("EndOfTurn", 4, 2))
    assert (late.audio_window_start, late.audio_window_end) == (2.0, 4.0)
    assert late.trigger == "model"


def test_words_without_times_are_new() -> None:
    timeless = replace(turn("StartOfTurn", 3, 2), words=[Word(word="Hi", confidence=1)])
    assert seen(HeardAgain(2.0), replace(timeless, transcript="Hi!")) == [("StartOfTurn", "Hi!")]
    assert seen(HeardAgain(2.0), replace(timeless, words=[], transcript="Hi!")) == [
        ("StartOfTurn", "Hi!")
    ]


@pytest.mark.parametrize("known", [False, True])
def test_a_turn_without_a_new_word_does_not_count(known: bool) -> None:
    timeline = FluxTimeline()
    timeline.place(turn("EndOfTurn", 3.5, 0, 1, 2))
    timeline.restart(2.5)  # a page begins a second before the end of the turn
    events: list[TurnInfo] = []
    if known:
        events += [turn("StartOfTurn", 0.9, -0.5), turn("EndOfTurn", 1.5, -0.5)]
    start = events[-1].audio_window_end if events else 0.0
    index = len(events) // 2
    events.append(turn("StartOfTurn", 2.5, 1.5, start=start, index=index))
    events.append(turn("EndOfTurn", 3.0, 1.5, start=start, index=index))
    placed = [timeline.place(event) for event in events]
    turns = [each for each in placed if isinstance(each, TurnInfo)]
    assert [(each.event, each.turn_index) for each in turns[-2:]] == [
        ("StartOfTurn", 1),
        ("EndOfTurn", 1),
    ]
    assert all(each.turn_index == 1 for each in turns)
    assert timeline.covered_s == 5.5
