from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from deepgram_async._protocol.timelines import FluxTimeline, ListenTimeline
from deepgram_async.models import flux, live
from deepgram_async.models.common import Alternative, Entity, Hit, Search, Word
from deepgram_async.models.events import Unknown
from deepgram_async.models.flux import TurnInfo
from deepgram_async.models.live import ListenEvent, Results, SpeechStarted, UtteranceEnd


def result(
    start: float,
    end: float,
    *,
    is_final: bool = True,
    channel: tuple[int, int] = (0, 1),
    **fields: Any,
) -> Results:
    """Return a result with one word for each second."""
    seconds = [start + number for number in range(int(end - start))]
    words = [Word(word=f"w{at:g}", start=at, end=at + 1, confidence=1) for at in seconds]
    alternative = Alternative(
        transcript=" ".join(word.word for word in words), confidence=1, words=words
    )
    return Results(
        channel_index=list(channel),
        start=start,
        duration=end - start,
        channel=live.Channel(alternatives=[alternative], search=fields.pop("search", None)),
        metadata=live.ResultsMetadata(request_id="r"),
        is_final=is_final,
        **fields,
    )


def turn(event: str, index: int, window: tuple[float, float], transcript: str = "") -> TurnInfo:
    return TurnInfo(
        request_id="r",
        sequence_id=1,
        event=event,
        turn_index=index,
        audio_window_start=window[0],
        audio_window_end=window[1],
        transcript=transcript,
        end_of_turn_confidence=0.5,
        words=[flux.Word(word="w", confidence=1, start=window[0], end=window[1])],
    )


# Live transcription.


def test_the_first_connection_passes_everything_as_it_is() -> None:
    timeline = ListenTimeline()
    # Finals that overlap, or an interim one that goes back, are the service's to send.
    events: list[ListenEvent] = [result(0, 3), result(2, 4), Unknown("New", b"{}")]
    events.append(result(1, 2, is_final=False))
    assert [timeline.place(event) for event in events] == events
    assert all(timeline.place(event) is event for event in events)
    assert timeline.covered_s == 4


def test_interims_settle_nothing() -> None:
    timeline = ListenTimeline()
    timeline.place(result(0, 3, is_final=False))
    assert timeline.covered_s == 0


def test_every_time_is_moved() -> None:
    timeline = ListenTimeline()
    timeline.restart(10.1)
    hits = [Hit(confidence=1, start=0.2, end=0.4)]
    moved = timeline.place(result(0.2, 2.2, search=[Search(query="q", hits=hits)]))
    assert isinstance(moved, Results)
    assert (moved.start, moved.duration, moved.end) == (10.3, 2.0, 12.3)
    assert [(word.start, word.end) for word in moved.words] == [(10.3, 11.3), (11.3, 12.3)]
    assert moved.channel.search == [
        Search(query="q", hits=[Hit(confidence=1, start=10.3, end=10.5)])
    ]
    assert timeline.place(SpeechStarted(channel=[0, 1], timestamp=0.2)) == SpeechStarted(
        channel=[0, 1], timestamp=10.3
    )
    assert timeline.place(UtteranceEnd(channel=[0, 1], last_word_end=0.2)) == UtteranceEnd(
        channel=[0, 1], last_word_end=10.3
    )
    wordless = UtteranceEnd(channel=[0, 1], last_word_end=-1)
    assert timeline.place(wordless) is wordless
    metadata = live.Metadata(request_id="r", sha256="", created="", duration=5.0, channels=1)
    placed = timeline.place(metadata)
    assert isinstance(placed, live.Metadata)
    assert placed.duration == 15.1


def test_channels_are_settled_each_on_its_own() -> None:
    timeline = ListenTimeline()
    timeline.place(result(0, 8, channel=(0, 2)))
    assert timeline.covered_s == 0
    timeline.place(result(0, 5, channel=(1, 2)))
    assert timeline.covered_s == 5
    timeline.restart(5.0)
    # The first channel hears three seconds again.
    assert timeline.place(result(0, 3, channel=(0, 2))) is None
    assert timeline.place(result(0, 2, channel=(0, 2), is_final=False)) is None
    trimmed = timeline.place(result(0, 5, channel=(0, 2)))
    assert isinstance(trimmed, Results)
    assert (trimmed.start, trimmed.end, trimmed.transcript) == (8.0, 10.0, "w3 w4")
    whole = timeline.place(result(0, 2, channel=(1, 2)))
    assert isinstance(whole, Results)
    assert (whole.start, whole.transcript) == (5.0, "w0 w1")


def test_entities_follow_the_words_that_are_left() -> None:
    timeline = ListenTimeline()
    timeline.place(result(0, 2))
    timeline.restart(0.0)
    names = [
        Entity(label="NAME", value=str(at), confidence=1, start_word=at, end_word=at + 1)
        for at in range(4)
    ]
    trimmed = timeline.place(result(0, 4, entities=names))
    assert isinstance(trimmed, Results)
    assert trimmed.entities is not None
    assert [(each.value, each.start_word) for each in trimmed.entities] == [("2", 0), ("3", 1)]


def test_audio_that_was_dropped_is_settled() -> None:
    timeline = ListenTimeline()
    timeline.place(result(0, 2))
    timeline.restart(7.0)
    assert timeline.covered_s == 7.0


@given(
    st.lists(st.lists(st.floats(0.2, 5), min_size=1, max_size=5), min_size=1, max_size=6),
    st.floats(0, 1),
)
def test_finals_of_any_connections_come_once_and_in_order(
    connections: list[list[float]], back_s: float
) -> None:
    """A connection begins up to a second before what was settled, as pages of Ogg may make it."""
    timeline = ListenTimeline()
    ends = [0.0]
    for lengths in connections:
        offset = max(0.0, timeline.covered_s - back_s)
        timeline.restart(offset)
        start = 0.0
        for length in lengths:
            placed = timeline.place(result(start, start + length))
            start += length
            if placed is not None:
                assert isinstance(placed, Results)
                assert placed.start == pytest.approx(ends[-1], abs=0.006)
                assert all(word.end > ends[-1] for word in placed.words)
                ends.append(placed.end)
    assert ends == sorted(ends)


def test_what_the_service_has_heard_is_progress() -> None:
    assert ListenTimeline.is_progress(result(0, 1, is_final=False))
    assert not ListenTimeline.is_progress(Unknown("New", b"{}"))
    assert FluxTimeline.is_progress(turn("Update", 0, (0, 1)))
    assert not FluxTimeline.is_progress(flux.Connected(request_id="r", sequence_id=0))


# What answers what, and what is in force after it.

CONFIGURE = (
    '{"type":"Configure","keyterms":["a"],'
    '"features":{"numerals":true,"newer":true,"dictation":false}}'
)


def test_a_change_that_was_confirmed_becomes_an_option() -> None:
    success = live.ConfigureSuccess(request_id="r")
    failure = live.ConfigureFailure(request_id="r", code="x")
    error = live.Error(message=CONFIGURE)
    for event in (success, failure, error):
        assert ListenTimeline.answers(event, CONFIGURE)
    assert not ListenTimeline.answers(success, '{"type":"Finalize"}')
    assert ListenTimeline.options_of(success, CONFIGURE) == {
        "keyterm": ["a"],
        "numerals": True,
        "dictation": False,
    }
    assert ListenTimeline.options_of(failure, CONFIGURE) == {}
    assert ListenTimeline.options_of(success, '{"type":"Configure","keyterms":[]}') == {
        "keyterm": None
    }


def test_a_finalize_is_answered_by_its_result() -> None:
    assert ListenTimeline.answers(result(0, 1, from_finalize=True), '{"type":"Finalize"}')
    assert not ListenTimeline.answers(result(0, 1), '{"type":"Finalize"}')
    assert not ListenTimeline.answers(result(0, 1, from_finalize=True), CONFIGURE)


def test_a_change_of_flux_that_was_confirmed_becomes_an_option() -> None:
    frame = (
        '{"type":"Configure","thresholds":{"eot_threshold":0.8},"keyterms":[],'
        '"language_hints":["en"],"numerals":false}'
    )
    success = flux.ConfigureSuccess(request_id="r", sequence_id=1, thresholds=flux.Thresholds())
    failure = flux.ConfigureFailure(request_id="r", sequence_id=1)
    assert FluxTimeline.answers(success, frame)
    assert FluxTimeline.answers(failure, frame)
    assert FluxTimeline.options_of(failure, frame) == {}
    assert FluxTimeline.options_of(success, frame) == {
        "eot_threshold": 0.8,
        "keyterm": None,
        "language_hint": ["en"],
        "numerals": False,
    }


def test_a_forced_end_is_answered_by_the_end_or_by_a_warning() -> None:
    frame = '{"type":"ForceEndTurn"}'
    ended = turn("EndOfTurn", 0, (0, 1), "w")
    assert not FluxTimeline.answers(ended, frame)
    manual = flux.Warning(request_id="r", sequence_id=1, code="FORCE_END_TURN_NO_ACTIVE_TURN")
    assert FluxTimeline.answers(manual, frame)
    assert not FluxTimeline.answers(flux.Warning(request_id="r", sequence_id=1, code="x"), frame)


# Flux.


def test_ended_turns_are_settled_and_silence_is_after_a_while() -> None:
    timeline = FluxTimeline()
    timeline.place(turn("Update", 0, (0, 1.5)))
    assert timeline.covered_s == 0
    timeline.place(turn("Update", 0, (0, 5)))
    assert timeline.covered_s == 3
    timeline.place(turn("StartOfTurn", 0, (0, 6), "w"))
    timeline.place(turn("Update", 0, (0, 9), "w"))
    assert timeline.covered_s == 3
    timeline.place(turn("EndOfTurn", 0, (0, 10), "w"))
    assert timeline.covered_s == 10


def test_a_turn_that_was_under_way_begins_anew_under_its_number() -> None:
    timeline = FluxTimeline()
    timeline.place(turn("EndOfTurn", 0, (0, 4), "w"))
    timeline.place(turn("StartOfTurn", 1, (4, 6), "w"))
    timeline.restart(4.0)
    again = timeline.place(turn("StartOfTurn", 0, (0.5, 1.0), "w"))
    assert isinstance(again, TurnInfo)
    assert (again.turn_index, again.audio_window_start, again.audio_window_end) == (1, 4.5, 5.0)
    assert [(word.start, word.end) for word in again.words] == [(4.5, 5.0)]
    timeline.place(turn("EndOfTurn", 0, (0, 3), "w"))
    assert timeline.covered_s == 7
    timeline.restart(7.0)
    following = timeline.place(turn("StartOfTurn", 0, (0, 1), "w"))
    assert isinstance(following, TurnInfo)
    assert following.turn_index == 2


def test_words_without_times_stay_without() -> None:
    timeline = FluxTimeline()
    timeline.restart(4.0)
    timeless = turn("Update", 0, (0, 1), "w")
    timeless = replace(timeless, words=[flux.Word(word="w", confidence=1)])
    placed = timeline.place(timeless)
    assert isinstance(placed, TurnInfo)
    assert placed.words == timeless.words


def test_the_first_connection_of_flux_passes_everything_as_it_is() -> None:
    timeline = FluxTimeline()
    for event in (turn("Update", 0, (0, 1)), flux.Connected(request_id="r", sequence_id=0)):
        assert timeline.place(event) is event
