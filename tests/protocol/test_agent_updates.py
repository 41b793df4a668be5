import json
from typing import Any

import pytest

from deepgram_async._protocol.agent_updates import UPDATES, Updates
from deepgram_async.models.agent import (
    AgentEvent,
    EndOfThought,
    ListenUpdated,
    PromptUpdated,
    SpeakUpdated,
    ThinkLiveUpdated,
    ThinkUpdated,
)

CONFIRMATIONS: dict[str, AgentEvent] = {
    "UpdateListen": ListenUpdated(),
    "UpdatePrompt": PromptUpdated(),
    "UpdateSpeak": SpeakUpdated(),
    "UpdateThink": ThinkUpdated(),
    "UpdateThink_Live": ThinkLiveUpdated(),
}
SHORT = {
    "L": "UpdateListen",
    "P": "UpdatePrompt",
    "S": "UpdateSpeak",
    "T": "UpdateThink",
    "V": "UpdateThink_Live",
}


def frame(name: str, **provider: object) -> tuple[str, str]:
    """Return the kind and the frame of an update that its short name and number tell apart."""
    kind = SHORT[name[0]]
    message: dict[str, Any] = {"type": kind, "name": name}
    if name[0] == "L":
        message["listen"] = {"provider": provider or {"model": name}}
    return kind, json.dumps(message)


def made(updates: Updates, *names: str) -> None:
    """Make updates that are confirmed at once."""
    for name in names:
        kind, text = frame(name)
        updates.add(kind, text, is_said=True)
        assert updates.place(CONFIRMATIONS[kind]) is CONFIRMATIONS[kind]


def again(updates: Updates) -> list[str]:
    """Return the names of the updates that another connection is told."""
    updates.rewind()
    names: list[str] = []
    while updates.has_unsaid:
        text = updates.next()
        assert text is not None
        message = json.loads(text)
        names.append(message["name"])
        updates.place(CONFIRMATIONS[message["type"]])
    return names


def test_every_update_has_its_confirmation() -> None:
    assert set(CONFIRMATIONS) == UPDATES


@pytest.mark.parametrize(
    ("course", "in_force"),
    [
        ("T1 T2", "T2"),
        ("P1 T1", "T1"),
        ("P1 T1 P2 P3", "T1 P2 P3"),
        ("T1 P1 T2", "T2"),
        ("S1 T1 S2 V1 V2", "T1 S2 V2"),
        ("L1 S1 L2", "S1 L2"),
        ("P1 P2 S1 P3", "P1 P2 S1 P3"),
    ],
)
def test_what_is_superseded_is_not_made_again(course: str, in_force: str) -> None:
    updates = Updates()
    made(updates, *course.split())
    assert updates.is_settled
    assert again(updates) == in_force.split()
    assert again(updates) == in_force.split()


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        ({"eot_threshold": 0.7}, {"eot_threshold": 0.8, "model": "m"}, 1),
        ({"eot_threshold": 0.7}, {"keyterms": ["a"]}, 2),
        ({"model": "m", "language_hints": ["en"]}, {"model": "n"}, 1),
        ({"model": "m"}, {"language_hints": ["en"]}, 2),
    ],
)
def test_a_partial_change_stays_unless_all_it_names_is_changed(
    first: dict[str, object], second: dict[str, object], count: int
) -> None:
    updates = Updates()
    for provider in (first, second):
        updates.add(*frame("L", **provider), is_said=True)
        updates.place(ListenUpdated())
    assert len(again(updates)) == count


def test_a_way_of_listening_without_a_provider_is_kept() -> None:
    updates = Updates()
    text = '{"type":"UpdateListen","name":"L1","listen":{}}'
    updates.add("UpdateListen", text, is_said=True)
    updates.place(ListenUpdated())
    made(updates, "L2")
    assert again(updates) == ["L2"]


def test_prompts_that_add_up_are_bounded() -> None:
    updates = Updates()
    made(updates, "T1", *(f"P{number}" for number in range(50)))
    assert again(updates) == ["T1", *(f"P{number}" for number in range(34, 50))]


def test_each_is_confirmed_before_the_next_is_made() -> None:
    updates = Updates()
    made(updates, "S1", "T1")
    updates.rewind()
    assert updates.unsaid_bytes == len(frame("S1")[1]) * 2
    assert updates.next() == frame("S1")[1]
    assert updates.next() is None
    assert updates.place(ThinkUpdated()) == ThinkUpdated()  # not what it waits for
    assert updates.next() is None
    assert updates.place(SpeakUpdated()) is None
    assert updates.next() == frame("T1")[1]
    assert not updates.has_unsaid
    assert not updates.is_settled
    assert updates.place(ThinkUpdated()) is None
    assert updates.is_settled


def test_only_the_confirmation_of_an_update_that_is_new_is_news() -> None:
    updates = Updates()
    made(updates, "S1")
    updates.add(*frame("S2"), is_said=True)
    updates.rewind()
    assert updates.next() == frame("S1")[1]
    assert updates.place(SpeakUpdated()) is None
    assert updates.next() == frame("S2")[1]
    assert updates.place(SpeakUpdated()) == SpeakUpdated()
    assert again(updates) == ["S2"]


def test_other_events_are_none_of_its_business() -> None:
    updates = Updates()
    updates.add(*frame("S1"), is_said=True)
    assert updates.place(EndOfThought()) == EndOfThought()
    assert not updates.is_settled


def test_an_update_that_is_never_confirmed_holds_nothing_up_and_is_given_up() -> None:
    updates = Updates()
    updates.add(*frame("V1"), is_said=True)
    made(updates, "S1")
    for _ in range(2):
        updates.rewind()
        assert updates.next() == frame("V1")[1]
        assert updates.next() == frame("S1")[1]
        assert updates.place(SpeakUpdated()) is None
    updates.rewind()
    assert updates.next() == frame("S1")[1]
    assert not updates.has_unsaid


def test_updates_that_were_never_said_are_not_given_up() -> None:
    updates = Updates()
    updates.add(*frame("S1"), is_said=False)
    for _ in range(10):
        updates.rewind()
    assert updates.next() == frame("S1")[1]
