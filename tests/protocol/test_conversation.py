import json

import pytest

from deepgram_async._protocol.conversation import ConversationMemory
from deepgram_async._protocol.dialogue import UNANSWERED
from deepgram_async._protocol.memory import CannotResume
from deepgram_async.errors import OptionError
from deepgram_async.models.agent import (
    AgentAudioDone,
    AgentEvent,
    AgentStartedSpeaking,
    Audio,
    CancelledFunction,
    EndOfThought,
    Error,
    FunctionCallCancelled,
    FunctionCallResponse,
    History,
    HistoryFunctionCall,
    InjectionRefused,
    SettingsApplied,
    SpeakUpdated,
    ThinkUpdated,
    UserStartedSpeaking,
    Welcome,
)
from deepgram_async.models.agent import Warning as AgentWarning
from tests.support.conversation import (
    RATE,
    SETTINGS,
    STORED,
    again,
    agent,
    answer,
    begun,
    context,
    frame,
    inject,
    request,
    rest,
    tell,
    user,
    written,
)

# The beginning of a connection.


def test_the_first_connection_is_left_to_the_stream() -> None:
    memory = begun()
    assert not memory.is_behind
    assert memory.next(0.0) is None
    assert (memory.unsent_bytes, memory.unsent_s, memory.wait_s(0.0)) == (0, 0.0, 0.0)
    assert memory.options == {}
    assert not memory.is_full


def test_a_conversation_that_never_began_cannot_be_resumed() -> None:
    memory = ConversationMemory(SETTINGS)
    memory.place(Welcome())
    with pytest.raises(CannotResume, match="never applied"):
        memory.rewind()


def test_settings_that_json_cannot_hold_are_refused() -> None:
    with pytest.raises(OptionError):
        ConversationMemory({"type": "Settings", "agent": object()})


def test_nothing_is_said_before_the_settings_are_applied_again() -> None:
    memory = begun()
    memory.add(inject("Hi"), 0.0)
    settings = written(memory)
    assert memory.unsent_bytes == len(inject("Hi"))
    assert again(memory) == [inject("Hi")]
    assert not memory.is_behind
    assert settings["tags"] == ["test"]
    assert settings["agent"]["think"]["functions"] == [{"name": "add"}]


def test_a_connection_that_is_lost_before_the_settings_are_applied_is_begun_anew() -> None:
    memory = begun()
    tell(memory, user("Hi"))
    first = written(memory)
    assert written(memory) == first
    assert again(memory) == [inject("Hi")]


def test_an_agent_that_has_not_spoken_greets_on_the_next_connection() -> None:
    assert written(begun())["agent"]["greeting"] == "Hello!"


@pytest.mark.parametrize(
    "event", [Audio(b"\0\0"), agent("Hello!"), user("Hi"), agent("Hm", "filler")]
)
def test_an_agent_greets_once(event: AgentEvent) -> None:
    memory = begun()
    tell(memory, event)
    assert "greeting" not in written(memory)["agent"]


@pytest.mark.parametrize(
    "settings", [{"type": "Settings"}, {"type": "Settings", "agent": {"context": None}}]
)
def test_settings_without_a_context_get_one(settings: dict[str, object]) -> None:
    memory = begun(settings)
    tell(memory, user("Hi"), agent("Hello."))
    assert written(memory)["agent"]["context"]["messages"] == [
        {"type": "History", "role": "user", "content": "Hi"},
        {"type": "History", "role": "assistant", "content": "Hello."},
    ]


# The context, and the words that wait for an answer.


def test_what_was_said_is_the_context_of_the_next_agent() -> None:
    memory = begun()
    tell(
        memory,
        agent("Hello!"),
        History(role="assistant", content="Hello!"),
        AgentStartedSpeaking(),
        Audio(b"\0\0"),
        AgentAudioDone(),
        user("Add"),
        History(role="user", content="Add"),
        EndOfThought(),
        agent("Hm.", "filler"),
        request("c1"),
    )
    memory.add(answer("c1", "3"), 0.0)
    called = HistoryFunctionCall(
        id="c1", name="add", client_side=True, arguments="{}", response="3"
    )
    tell(memory, History(function_calls=[called]), agent("It is"), agent("three."))
    assert context(written(memory)) == [
        "assistant: Hello!",
        "user: Add",
        "c1 -> 3",
        "assistant: It is three.",
    ]
    assert again(memory) == []


def test_words_that_nobody_answered_are_said_again_and_their_echo_is_known() -> None:
    memory = begun()
    tell(memory, agent("Hello!"), AgentAudioDone(), user("Add"))
    assert context(written(memory)) == ["assistant: Hello!"]
    assert again(memory) == [inject("Add")]
    assert memory.place(user("Add ")) is None
    assert memory.place(History(role="user", content="Add")) is None
    tell(memory, EndOfThought(), agent("Three."), user("Add"), agent("Four."))
    assert context(written(memory)) == [
        "assistant: Hello!",
        "user: Add",
        "assistant: Three.",
        "user: Add",
        "assistant: Four.",
    ]


def test_other_words_are_no_echo() -> None:
    memory = begun()
    tell(memory, user("Add"))
    written(memory)
    again(memory)
    tell(memory, user("Stop"), History(role="user", content="Stop"), agent("Add"))
    tell(memory, History(role="assistant", content="Add"), user("Add"))
    assert context(written(memory)) == ["user: Add", "user: Stop", "assistant: Add"]


def test_calls_that_were_answered_stand_before_the_words_that_are_said_again() -> None:
    memory = begun()
    tell(memory, user("Add"), request("c1"))
    memory.add(answer("c1", "3"), 0.0)
    assert context(written(memory)) == ["c1 -> 3"]
    assert again(memory) == [inject("Add")]


def test_an_answer_that_was_begun_is_not_asked_for_again() -> None:
    memory = begun()
    tell(memory, user("Add"), agent("It is"), AgentStartedSpeaking(), Audio(b"\0\0"))
    assert context(written(memory)) == ["user: Add", "assistant: It is"]
    assert again(memory) == []


def test_an_agent_that_called_after_an_announcement_owes_the_rest() -> None:
    memory = begun()
    tell(memory, user("Add"), agent("Let me see."), request("c1"))
    memory.add(answer("c1", "3"), 0.0)
    assert context(written(memory)) == ["assistant: Let me see.", "c1 -> 3"]
    assert again(memory) == [inject("Add")]


def test_words_that_an_agent_left_unanswered_are_not_said_again() -> None:
    memory = begun()
    tell(memory, user("Okay."))
    memory.add(bytes(2), 60.0)
    assert context(written(memory, 60.0)) == ["user: Okay."]
    assert again(memory, 60.0) == [bytes(2)]
    assert context(written(memory, 61.0)) == ["user: Okay."]


def test_words_wait_through_a_long_gap() -> None:
    memory = begun()
    tell(memory, user("Add"))
    memory.rewind()
    memory.add(bytes(2), 100.0)
    memory.restart(120.0)
    memory.place(Welcome())
    memory.next(120.0)
    assert again(memory, 120.0) == [inject("Add"), bytes(2)]


def test_words_that_end_every_connection_are_not_said_for_ever() -> None:
    memory = begun()
    tell(memory, user("Add"))
    for number in range(2):
        written(memory)
        assert again(memory) == [inject("Add")]
        tell(memory, request(f"c{number}"))
        memory.add(answer(f"c{number}", "3"), 0.0)
        assert memory.place(Error(code="INTERNAL_SERVER_ERROR")) is None
    assert context(written(memory)) == ["c0 -> 3", "user: Add", "c1 -> 3"]
    assert again(memory) == []


def test_a_new_question_may_be_said_again_as_often() -> None:
    memory = begun()
    for words in ("One", "Two", "Three"):
        tell(memory, user(words))
        for _ in range(2):
            written(memory)
            assert again(memory) == [inject(words)]
        written(memory)
        assert again(memory) == []
        tell(memory, agent("Well."))


# Stored agents.


def test_a_stored_agent_begins_anew() -> None:
    memory = begun(STORED)
    tell(memory, agent("Hello!"), user("Add"))
    assert written(memory) == STORED
    assert again(memory) == [inject("Add")]


def test_a_stored_agent_is_not_made_to_call_again() -> None:
    memory = begun(STORED)
    tell(memory, user("Add"), request("c1"))
    memory.add(answer("c1", "3"), 0.0)
    assert written(memory) == STORED
    assert again(memory) == []


# Functions.


def test_a_new_connection_waits_a_little_for_open_calls() -> None:
    memory = begun(call_patience_s=5.0)
    tell(memory, user("Add"), request("c1", "c2"), request("far", client_side=False))
    assert [call.id for call in memory.open_calls] == ["c1", "c2"]
    memory.rewind()
    memory.restart(100.0)
    assert memory.wait_s(100.0) == 0.0
    memory.place(Welcome())
    assert memory.wait_s(101.0) == 4.0
    memory.add(answer("c1", "3"), 101.0)
    assert memory.wait_s(101.0) == 4.0
    memory.add(answer("c2", "4"), 102.0)
    assert memory.wait_s(102.0) == 0.0
    text = memory.next(102.0)
    assert isinstance(text, str)
    assert context(json.loads(text)) == ["c1 -> 3", "c2 -> 4", f"far -> {UNANSWERED}"]
    assert again(memory, 102.0) == [inject("Add")]


def test_calls_that_are_still_open_are_given_up_and_the_user_is_told() -> None:
    memory = begun(call_patience_s=5.0)
    tell(memory, user("Add"), request("c1", "c2"), request("far", client_side=False))
    memory.add(answer("c1", "3"), 0.0)
    assert context(written(memory, 100.0)) == [
        "c1 -> 3",
        f"c2 -> {UNANSWERED}",
        f"far -> {UNANSWERED}",
    ]
    assert memory.open_calls == []
    memory.rewind()  # before the settings were applied
    written(memory, 100.0)
    assert memory.place(SettingsApplied()) == FunctionCallCancelled(
        functions=[CancelledFunction(id="c2", name="add")]
    )
    assert rest(memory, 100.0) == [inject("Add")]
    written(memory)
    assert memory.place(SettingsApplied()) is None


def test_an_answer_that_comes_too_late_is_remembered_and_not_sent() -> None:
    memory = begun()
    tell(memory, user("Add"), request("c1"))
    written(memory)
    memory.add(answer("c1", "3"), 0.0)
    memory.place(SettingsApplied())
    assert rest(memory) == [inject("Add")]
    assert context(written(memory)) == ["c1 -> 3"]


def test_an_answer_to_the_present_agent_goes_before_the_audio_that_waits() -> None:
    memory = begun(replay_speed=1.0)
    tell(memory, UserStartedSpeaking())
    for _ in range(2):
        memory.add(bytes(RATE), 0.0)
    written(memory)
    memory.place(SettingsApplied())
    assert memory.next(0.0) == bytes(RATE)
    assert memory.wait_s(0.0) == 1.0
    tell(memory, request("c1"))
    memory.add(answer("c1", "3"), 0.0)
    assert memory.unsent_bytes == RATE + len(answer("c1", "3"))
    assert memory.wait_s(0.0) == 0.0
    assert memory.next(0.0) == answer("c1", "3")
    assert memory.next(1.0) == bytes(RATE)
    tell(memory, request("c2"))
    memory.add(answer("c2", "4"), 0.0)
    written(memory)
    assert again(memory) == [bytes(RATE), bytes(RATE)]


def test_calls_of_the_service_are_remembered_with_their_answers() -> None:
    memory = begun()
    tell(
        memory,
        user("Add"),
        request("c1", "c2", client_side=False),
        FunctionCallResponse(name="add", content="3"),
        FunctionCallCancelled(functions=[CancelledFunction(id="c2")]),
    )
    assert memory.open_calls == []
    assert context(written(memory)) == ["c1 -> 3"]


# Updates.


def test_updates_are_made_again_one_after_the_other_before_all_else() -> None:
    memory = begun()
    speak, think = frame("UpdateSpeak", speak={}), frame("UpdateThink", think={})
    memory.add(speak, 0.0)
    assert not memory.is_quiet
    tell(memory, SpeakUpdated(), user("Add"))
    memory.add(think, 0.0)
    memory.add(inject("Hi"), 0.0)
    written(memory)
    assert memory.unsent_bytes == len(speak + think + inject("Hi") + "Add")
    assert again(memory) == [speak]
    assert memory.is_behind
    assert memory.place(SpeakUpdated()) is None
    assert rest(memory) == [think, inject("Add"), inject("Hi")]
    tell(memory, ThinkUpdated())


# Injections and other messages.


@pytest.mark.parametrize(
    ("event", "is_kept"),
    [
        (agent("Good news"), False),
        (agent("Good\nnews everyone"), False),
        (agent("Good news everyone"), False),
        (agent("Good news", "filler"), False),
        (InjectionRefused(), False),
        (AgentWarning(code="INJECT_AGENT_MESSAGE_DURING_USER_SPEECH"), False),
        (AgentWarning(code="SLOW_THINK_REQUEST"), True),
        (agent("Bad news"), True),
        (user("Good news"), True),
    ],
)
def test_an_injected_message_is_repeated_unless_it_had_an_effect(
    event: AgentEvent, is_kept: bool
) -> None:
    memory = begun()
    message = frame("InjectAgentMessage", message="Good news everyone", behavior="queue")
    memory.add(message, 0.0)
    memory.add(frame("InjectUserMessage", content="Unheard"), 0.0)
    assert not memory.is_quiet
    tell(memory, event)
    written(memory)
    assert [said for said in again(memory) if said == message] == [message] * is_kept


def test_a_message_of_the_agents_own_words_is_met_by_whatever_it_says() -> None:
    memory = begun()
    memory.add(frame("InjectAgentMessage", is_dynamic=True), 0.0)
    tell(memory, agent("I wonder."))
    written(memory)
    assert again(memory) == []


def test_an_injected_question_is_repeated_until_it_is_echoed_or_answered() -> None:
    memory = begun()
    memory.add(inject("Hi"), 0.0)
    written(memory)
    assert again(memory) == [inject("Hi")]
    tell(memory, user("Hi"))
    written(memory)
    assert again(memory) == [inject("Hi")]
    assert memory.place(user("Hi")) is None
    tell(memory, agent("Hello."))
    written(memory)
    assert again(memory) == []


def test_what_was_meant_for_a_moment_is_not_repeated() -> None:
    moments = [
        frame("KeepAlive"),
        frame("ForceEndTurn"),
        frame("__customToThinkProvider", content={"a": 1}),
    ]
    memory = begun()
    for moment in moments:
        memory.add(moment, 0.0)
    written(memory)
    for moment in moments:
        memory.add(moment, 0.0)
    assert again(memory) == moments[1:]
    written(memory)
    assert again(memory) == []


# Audio.


def test_speech_that_has_not_become_text_is_said_again_at_its_pace() -> None:
    memory = begun(replay_speed=1.25)
    memory.add(b"before", 0.0)
    tell(memory, UserStartedSpeaking(), user("Hi"), agent("Hello."), UserStartedSpeaking())
    memory.add(bytes(RATE), 1.0)
    rewind = memory.rewind()
    assert (rewind.offset_s, rewind.dropped_s) == (round(6 / RATE, 6), 0.0)
    memory.add(bytes(RATE), 2.0)
    assert memory.unsent_s == 2.0
    memory.restart(3.0)
    memory.place(Welcome())
    memory.next(3.0)
    memory.place(SettingsApplied())
    assert memory.next(3.0) == bytes(RATE)
    assert memory.wait_s(3.0) == 0.8
    assert memory.next(3.8) == bytes(RATE)
    assert memory.is_behind
    assert memory.next(3.8) is None
    assert not memory.is_behind


def test_the_echo_of_an_injected_question_is_not_what_was_spoken() -> None:
    memory = begun()
    tell(memory, UserStartedSpeaking())
    memory.add(b"speech", 0.0)
    memory.add(inject("Hi"), 0.0)
    tell(memory, user("Hi"), agent("Hello."))
    written(memory)
    assert again(memory) == [b"speech"]


def test_audio_that_is_too_late_is_dropped() -> None:
    memory = begun(audio_s=2.0)
    memory.rewind()
    for _ in range(5):
        memory.add(bytes(RATE), 0.0)
    assert memory.unsent_s == 2.0
    assert memory.dropped_s == 3.0
    assert not memory.is_full


@pytest.mark.parametrize(
    ("audio", "is_repeated"),
    [
        ({}, True),
        ({"input": {"encoding": "mulaw", "sample_rate": 8000}}, True),
        ({"input": {"encoding": "opus", "sample_rate": 48000}}, False),
        ({"input": {"encoding": "linear16", "sample_rate": 0}}, False),
        ({"input": "none of our business"}, False),
    ],
)
def test_only_raw_audio_is_said_again(audio: object, is_repeated: bool) -> None:
    memory = begun({"type": "Settings", "audio": audio})
    memory.add(b"sent", 0.0)
    memory.rewind()
    memory.add(b"not sent", 0.0)
    memory.rewind()
    written(memory)
    assert again(memory) == ([b"sent"] if is_repeated else []) + [b"not sent"]


@pytest.mark.parametrize("encoding", ["flac", "ogg-opus"])
def test_audio_with_a_header_cannot_be_resumed(encoding: str) -> None:
    memory = begun({"type": "Settings", "audio": {"input": {"encoding": encoding}}})
    memory.rewind()
    memory.add(b"audio", 0.0)
    with pytest.raises(CannotResume, match=encoding):
        memory.rewind()
