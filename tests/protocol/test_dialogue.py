from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deepgram_async._protocol.dialogue import UNANSWERED, Dialogue
from deepgram_async.models.agent import FunctionCall, HistoryFunctionCall

PLENTY = 1 << 20


def wanted(call_id: str, *, client_side: bool = True, name: str = "add") -> FunctionCall:
    return FunctionCall(id=call_id, name=name, arguments="{}", client_side=client_side)


def told(dialogue: Dialogue) -> list[str]:
    """Return the messages as short words: who said what, and what came of which call."""
    lines: list[str] = []
    for message in dialogue.messages():
        assert message.pop("type") == "History"
        calls: Any = message.pop("function_calls", [])
        lines += [f"{call['id']} -> {call['response']}" for call in calls]
        lines += [f"{message['role']}: {message['content']}"] if message else []
    return lines


def size(message: dict[str, Any]) -> int:
    """Return what a message counts; an answer that is not there counts nothing."""
    calls = message.get("function_calls")
    if calls is None:
        return 50 + len(message["content"])
    return sum(52 + len(call["response"].replace(UNANSWERED, "")) for call in calls)


def test_sentences_of_one_answer_are_one_message() -> None:
    dialogue = Dialogue(PLENTY)
    dialogue.say("assistant", "Hello!")
    dialogue.end_turn()
    dialogue.say("assistant", "Injected.")
    dialogue.say("user", "Hi")
    dialogue.say("user", "there")
    dialogue.say("assistant", "One.")
    dialogue.say("assistant", "Two.")
    assert told(dialogue) == [
        "assistant: Hello!",
        "assistant: Injected.",
        "user: Hi",
        "user: there",
        "assistant: One. Two.",
    ]


def test_the_end_of_an_old_answer_does_not_cut_the_new_one() -> None:
    dialogue = Dialogue(PLENTY)
    dialogue.say("assistant", "Old.")
    dialogue.say("user", "Stop")
    dialogue.end_turn()
    dialogue.say("assistant", "One.")
    dialogue.say("assistant", "Two.")
    assert told(dialogue)[-1] == "assistant: One. Two."


@pytest.mark.parametrize(("role", "content"), [("system", "Hi"), ("user", " "), ("assistant", "")])
def test_words_of_nobody_and_no_words_are_not_remembered(role: str, content: str) -> None:
    dialogue = Dialogue(PLENTY)
    dialogue.say(role, content)
    assert told(dialogue) == []


def test_calls_are_messages_with_their_answers() -> None:
    dialogue = Dialogue(PLENTY)
    call = FunctionCall(
        id="c1", name="add", arguments='{"a":1}', client_side=True, thought_signature="t"
    )
    dialogue.call([call, wanted("c2")])
    dialogue.answer("3", call_id="c1", name="add")
    assert [call.id for call in dialogue.open_calls] == ["c2"]
    assert dialogue.messages() == [
        {
            "type": "History",
            "function_calls": [
                {
                    "id": "c1",
                    "name": "add",
                    "arguments": '{"a":1}',
                    "client_side": True,
                    "response": "3",
                    "thought_signature": "t",
                },
                {
                    "id": "c2",
                    "name": "add",
                    "arguments": "{}",
                    "client_side": True,
                    "response": UNANSWERED,
                },
            ],
        }
    ]


def test_an_empty_request_is_no_message() -> None:
    dialogue = Dialogue(PLENTY)
    dialogue.call([])
    assert told(dialogue) == []


def test_an_answer_without_an_id_is_that_of_the_oldest_call_of_its_name() -> None:
    dialogue = Dialogue(PLENTY)
    dialogue.call([wanted("c1", name="far"), wanted("c2"), wanted("c3"), wanted("c4")])
    dialogue.answer("3", call_id=None, name="add")
    dialogue.answer("4", call_id=None, name="add")
    dialogue.answer("5", call_id=None, name="unheard of")
    assert told(dialogue) == [f"c1 -> {UNANSWERED}", "c2 -> 3", "c3 -> 4", f"c4 -> {UNANSWERED}"]


def test_the_first_answer_counts() -> None:
    dialogue = Dialogue(PLENTY)
    dialogue.call([wanted("c1")])
    dialogue.answer("3", call_id="c1", name="add")
    dialogue.answer("4", call_id="c1", name="add")
    assert told(dialogue) == ["c1 -> 3"]


def test_an_id_may_be_used_again() -> None:
    dialogue = Dialogue(PLENTY)
    for answer in ("3", "4"):
        dialogue.call([wanted("c1")])
        dialogue.answer(answer, call_id="c1", name="add")
    assert told(dialogue) == ["c1 -> 3", "c1 -> 4"]


def test_history_fills_in_what_is_missing_and_repeats_nothing() -> None:
    dialogue = Dialogue(PLENTY)
    dialogue.call([wanted("c1"), wanted("c2", client_side=False)])
    dialogue.answer("3", call_id="c1", name="add")
    for call_id in ("c1", "c2", "c3"):
        entry = HistoryFunctionCall(
            id=call_id, name="add", client_side=False, arguments="{}", response="4"
        )
        dialogue.report(entry)
        dialogue.report(entry)
    assert told(dialogue) == ["c1 -> 3", "c2 -> 4", "c3 -> 4"]


def test_cancelled_calls_are_forgotten_unless_they_are_over() -> None:
    dialogue = Dialogue(PLENTY)
    dialogue.say("user", "Add")
    dialogue.call([wanted("c1")])
    dialogue.call([wanted("c2"), wanted("c3")])
    dialogue.answer("3", call_id="c2", name="add")
    dialogue.cancel({"c1", "c2", "unheard of"})
    assert told(dialogue) == ["user: Add", "c2 -> 3", f"c3 -> {UNANSWERED}"]


def test_calls_of_the_service_are_over_when_the_agent_speaks() -> None:
    dialogue = Dialogue(PLENTY)
    dialogue.call([wanted("c1", client_side=False), wanted("c2")])
    dialogue.say("assistant", "Three.")
    assert [call.id for call in dialogue.open_calls] == ["c2"]
    assert told(dialogue) == [f"c2 -> {UNANSWERED}", "assistant: Three."]


def test_abandoned_calls_are_those_of_this_side_and_may_be_answered_late() -> None:
    dialogue = Dialogue(PLENTY)
    dialogue.call([wanted("c1", client_side=False), wanted("c2"), wanted("c3")])
    dialogue.answer("3", call_id="c3", name="add")
    assert [call.id for call in dialogue.abandon_calls()] == ["c2"]
    assert dialogue.open_calls == []
    assert dialogue.abandon_calls() == []
    dialogue.answer("late", call_id="c2", name="add")
    dialogue.answer("nobody's", call_id=None, name="add")
    assert told(dialogue) == [f"c1 -> {UNANSWERED}", "c2 -> late", "c3 -> 3"]


# What is owed, in the words U, A and C for the user, the agent and calls.


@pytest.mark.parametrize(
    ("course", "owed", "has_called", "after"),
    [
        ("", False, False, ""),
        ("A", False, False, "A"),
        ("AU", True, False, "AU"),
        ("AUA", False, False, "AUA"),
        ("AUC", True, True, "ACU"),
        ("AUCC", True, True, "ACCU"),
        ("AUAC", True, True, "AACU"),
        ("AUCA", False, False, "AUCA"),
        ("AUCU", True, False, "AUCU"),
        ("UCUC", True, True, "UCCU"),
        ("AC", False, False, "AC"),
    ],
)
def test_words_without_an_answer_can_be_taken_back(
    course: str, owed: bool, has_called: bool, after: str
) -> None:
    dialogue = Dialogue(PLENTY)
    for step in course:
        match step:
            case "U":
                dialogue.say("user", "Add")
            case "A":
                dialogue.say("assistant", "Well.")
            case _:
                dialogue.call([wanted("c1")])
    assert (dialogue.owes_answer, dialogue.has_called) == (owed, has_called)
    assert dialogue.repeat() == ("Add" if owed else None)
    letters = {"user": "U", "assistant": "A", None: "C"}
    roles: list[Any] = [message.get("role") for message in dialogue.messages()]
    assert "".join(letters[role] for role in roles) == after


# The bound.


def test_the_oldest_turns_go_first_with_all_that_belongs_to_them() -> None:
    dialogue = Dialogue(300)
    dialogue.say("assistant", "Hello!")
    dialogue.say("user", "One")
    dialogue.call([wanted("c1")])
    dialogue.answer("1", call_id="c1", name="add")
    dialogue.say("assistant", "1")
    dialogue.say("user", "Two")
    dialogue.say("assistant", "2")
    dialogue.say("user", "Three")
    assert told(dialogue) == ["user: Two", "assistant: 2", "user: Three"]


def test_what_is_under_way_stays() -> None:
    dialogue = Dialogue(10)
    dialogue.call([wanted("c1")])
    dialogue.say("assistant", "Hello!")
    dialogue.say("user", "Add them")
    dialogue.call([wanted("c2")])
    dialogue.answer("2", call_id="c2", name="add")
    dialogue.call([wanted("c3")])
    assert told(dialogue) == [f"c1 -> {UNANSWERED}", "user: Add them", f"c3 -> {UNANSWERED}"]


def test_an_agent_that_talks_for_ever_is_remembered_by_its_last_words() -> None:
    dialogue = Dialogue(300)
    dialogue.say("user", "Go on")
    for number in range(100):
        dialogue.say("assistant", str(number))
        dialogue.end_turn()
    assert told(dialogue) == [f"assistant: {number}" for number in range(95, 100)]
    for _ in range(100):
        dialogue.say("assistant", "and so on")
    dialogue.say("user", "x" * 1000)
    assert told(dialogue) == ["user: " + "x" * 300]


@example([("user", "1"), ("assistant", "0"), ("call", "a")], 102)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=60)),
            st.tuples(st.sampled_from(["call", "answer", "cancel"]), st.sampled_from("abc")),
            st.just(("end", "")),
        ),
        max_size=60,
    ),
    st.integers(1, 600),
)
def test_however_long_it_gets_it_stays_within_its_bound_and_makes_sense(
    steps: list[tuple[str, str]], most: int
) -> None:
    dialogue = Dialogue(most)
    last_words, is_the_agent = "", False
    for kind, value in steps:
        match kind:
            case "call":
                dialogue.call([wanted(value)])
            case "answer":
                dialogue.answer("x" * 40, call_id=value, name="add")
            case "cancel":
                dialogue.cancel({value})
            case "end":
                dialogue.end_turn()
            case _:
                dialogue.say(kind, value)
                if value.strip():
                    last_words, is_the_agent = value, kind == "assistant"
        messages = dialogue.messages()
        if sum(map(size, messages)) > most:
            for message in messages[:-1]:
                is_owed = message.get("role") == "user" and dialogue.owes_answer
                assert is_owed or UNANSWERED in str(message)
        words = [message["content"] for message in messages if "content" in message]
        # What an agent said on the way to an answer is less than the question.
        if last_words and words and not (is_the_agent and dialogue.owes_answer):
            assert str(words[-1]).endswith(last_words[-most:])
