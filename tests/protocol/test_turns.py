from itertools import product
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgram_async._protocol.turns import TURNS, Turns, TurnState
from deepgram_async.models.flux import FluxMessage, TurnInfo
from tests.support.flux import Flux

EVENTS = ["Update", "StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"]
# A way to each state, and the transcript that is current there.
WAYS: dict[TurnState, tuple[list[tuple[str, str]], str]] = {
    TurnState.IDLE: ([], ""),
    TurnState.SPEAKING: ([("StartOfTurn", "Hi")], "Hi"),
    TurnState.EAGER: ([("StartOfTurn", "Hi"), ("EagerEndOfTurn", "Hi")], "Hi"),
}
# The example of the documentation.
DOCUMENTED = [
    ("Update", ""),
    ("Update", ""),
    ("StartOfTurn", "Hi I"),
    ("Update", "Hi I need"),
    ("Update", "Hi I need to"),
    ("EagerEndOfTurn", "Hi I need to"),
    ("TurnResumed", "Hi I need to"),
    ("Update", "Hi I need to cancel"),
    ("EagerEndOfTurn", "Hi I need to cancel."),
    ("Update", "Hi I need to cancel."),
    ("EndOfTurn", "Hi I need to cancel."),
]


def read(text: str) -> Any:
    return msgspec.json.decode(text, type=FluxMessage)


def after(*events: tuple[str, str]) -> tuple[Turns, Flux]:
    """Return the turns after some events, and the server that goes on."""
    turns, flux = Turns(), Flux()
    for text in flux.turns(*events):
        turns.see(read(text))
    return turns, flux


def rules(turns: Turns) -> list[str]:
    return [irregularity.rule for irregularity in turns.irregularities]


def test_the_table_has_exactly_the_documented_steps() -> None:
    assert {(state.name, event): target.name for (state, event), target in TURNS.items()} == {
        ("IDLE", "Update"): "IDLE",
        ("IDLE", "StartOfTurn"): "SPEAKING",
        ("SPEAKING", "Update"): "SPEAKING",
        ("SPEAKING", "EagerEndOfTurn"): "EAGER",
        ("SPEAKING", "EndOfTurn"): "IDLE",
        ("EAGER", "Update"): "EAGER",
        ("EAGER", "TurnResumed"): "SPEAKING",
        ("EAGER", "EndOfTurn"): "IDLE",
    }


@pytest.mark.parametrize(("state", "event"), list(product(TurnState, EVENTS)))
def test_every_event_in_every_state_is_judged_by_the_table(state: TurnState, event: str) -> None:
    way, transcript = WAYS[state]
    turns, flux = after(*way)
    assert (turns.state, rules(turns)) == (state, [])

    turns.see(read(flux.turn(event, transcript or ("" if event == "Update" else "Hi"))))

    if (state, event) in TURNS:
        assert (turns.state, rules(turns)) == (TURNS[state, event], [])
    else:
        assert any(f"{event} does not come while {state.value}" == rule for rule in rules(turns))


def test_the_documented_example_is_regular() -> None:
    turns, _ = after(*DOCUMENTED, *DOCUMENTED)
    assert rules(turns) == []
    assert turns.state is TurnState.IDLE


@pytest.mark.parametrize("event", ["StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"])
def test_after_an_event_out_of_order_the_next_one_is_judged_by_itself(event: str) -> None:
    for state, (way, _) in WAYS.items():
        if (state, event) in TURNS:
            continue
        turns, flux = after(*way, (event, "Hi"))
        count = len(turns.irregularities)
        assert count > 0
        following = next(name for (now, name) in TURNS if now is turns.state and name != "Update")
        turns.see(read(flux.turn(following, "Hi")))
        assert len(turns.irregularities) == count


@pytest.mark.parametrize("event", ["StartOfTurn", "EagerEndOfTurn"])
def test_some_events_have_words(event: str) -> None:
    way = [] if event == "StartOfTurn" else [("StartOfTurn", "Hi")]
    turns, _ = after(*way, (event, ""))
    assert rules(turns) == [f"{event} comes with a transcript"]


@pytest.mark.parametrize("event", ["Update", "EndOfTurn"])
def test_the_text_of_an_eager_turn_does_not_change(event: str) -> None:
    turns, _ = after(("StartOfTurn", "Hi"), ("EagerEndOfTurn", "Hi"), (event, "Hi there"))
    assert rules(turns) == ["the transcript of an EagerEndOfTurn stays until TurnResumed"]


@pytest.mark.parametrize("index", [0, 2, 7])
def test_the_number_of_the_turn_rises_by_one(index: int) -> None:
    turns, flux = after(("StartOfTurn", "Hi"), ("EndOfTurn", "Hi"))
    turns.see(read(flux.turn("Update", turn_index=index)))
    assert rules(turns) == ["turn_index rises by one after EndOfTurn; expected was 1"]
    turns.see(read(flux.turn("StartOfTurn", "Go", turn_index=index)))
    assert len(rules(turns)) == 1


def test_a_gap_in_the_numbers_of_messages_is_noted_once() -> None:
    turns, flux = after(("Update", ""))
    flux.turn("Update")
    turns.see(read(flux.turn("Update")))
    turns.see(read(flux.turn("Update")))
    (irregularity,) = turns.irregularities
    assert irregularity.sequence_id == 2
    assert irregularity.rule.endswith("expected was 1")


def test_a_message_that_could_not_be_read_had_a_number_too() -> None:
    turns, flux = after(("Update", ""))
    flux.message("Applause")
    turns.skip()
    turns.see(read(flux.turn("Update")))
    assert rules(turns) == []


def test_other_messages_count_and_change_no_state() -> None:
    turns, flux = after(("StartOfTurn", "Hi"))
    for text in (
        flux.message("ConfigureSuccess", thresholds={}, keyterms=[]),
        flux.message("ConfigureFailure"),
        flux.message("Warning", code="FORCE_END_TURN_NO_ACTIVE_TURN"),
    ):
        turns.see(read(text))
    assert (turns.state, rules(turns)) == (TurnState.SPEAKING, [])


def test_an_event_that_is_newer_than_this_release_changes_nothing() -> None:
    turns, _ = after(("StartOfTurn", "Hi"), ("SpeakerChanged", "Hi"), ("EndOfTurn", "Hi"))
    assert (turns.state, rules(turns)) == (TurnState.IDLE, [])


def test_only_the_last_irregularities_are_kept() -> None:
    turns, _ = after(*[("EndOfTurn", "Hi")] * 150)
    assert len(turns.irregularities) == 100
    assert turns.irregularities[-1].sequence_id == 149


kinds = st.sampled_from([*EVENTS, "NotInventedYet"])
infos = st.builds(
    TurnInfo,
    request_id=st.just("r-1"),
    sequence_id=st.integers(0, 5),
    event=kinds,
    turn_index=st.integers(0, 3),
    audio_window_start=st.just(0.0),
    audio_window_end=st.just(0.0),
    transcript=st.sampled_from(["", "Hi", "Hi there"]),
    end_of_turn_confidence=st.just(0.5),
)


@given(st.lists(infos))
def test_no_sequence_of_messages_is_refused(messages: list[TurnInfo]) -> None:
    turns = Turns()
    for message in messages:
        turns.see(message)
    assert turns.state in TurnState


def test_every_documented_event_is_in_the_table() -> None:
    # The literal is the first half of the open set.
    assert {event for _, event in TURNS} == set(EVENTS)
    assert set(get_args(get_args(TurnInfo.__annotations__["event"])[0])) == set(EVENTS)
