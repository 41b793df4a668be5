import pytest

from deepgram_async._protocol.agent import AgentCore
from deepgram_async._protocol.conversation import ConversationMemory
from deepgram_async._protocol.dialogue import UNANSWERED
from deepgram_async.models.agent import (
    AgentAudioDone,
    AgentEvent,
    AgentStartedSpeaking,
    Audio,
    CancelledFunction,
    EndOfThought,
    Error,
    FunctionCallCancelled,
    SettingsApplied,
    SpeakUpdated,
    UserStartedSpeaking,
    Welcome,
)
from deepgram_async.models.agent import Warning as AgentWarning
from tests.support.conversation import (
    SETTINGS,
    again,
    agent,
    answer,
    begun,
    context,
    request,
    tell,
    user,
    written,
)

# What the engine wants to know.


def test_a_conversation_is_quiet_when_nobody_owes_anything() -> None:
    memory = ConversationMemory(SETTINGS)
    assert not memory.is_quiet
    memory = begun()
    course: list[tuple[AgentEvent, bool]] = [
        (EndOfThought(), True),
        (Audio(b"\0\0"), False),
        (AgentAudioDone(), True),
        (UserStartedSpeaking(), False),
        (user("Add"), False),
        (request("c1"), False),
        (FunctionCallCancelled(functions=[CancelledFunction(id="c1")]), False),
        (agent("Three."), True),
        (AgentStartedSpeaking(), False),
        (UserStartedSpeaking(), False),
        (AgentStartedSpeaking(), False),
        (AgentAudioDone(), True),
        (request("c2"), False),
        (agent("Well."), False),
    ]
    for event, is_quiet in course:
        tell(memory, event)
        assert (event, memory.is_quiet) == (event, is_quiet)
    memory.add(answer("c2", "3"), 0.0)
    assert memory.is_quiet
    memory.rewind()
    assert not memory.is_quiet


def test_open_calls_owe_an_answer_however_long_they_take() -> None:
    memory = begun()
    tell(memory, user("Add"), request("c1"))
    memory.add(bytes(2), 100.0)
    assert context(written(memory, 100.0)) == [f"c1 -> {UNANSWERED}"]


def verdict(memory: ConversationMemory) -> tuple[bool, bool]:
    return memory.wants_handover, memory.is_over


def test_the_end_of_a_long_conversation_is_announced() -> None:
    memory = begun()
    tell(memory, AgentWarning(code="PROMPT_TOO_LONG"))
    assert verdict(memory) == (False, False)
    tell(memory, AgentWarning(code="MAXIMUM_SESSION_LENGTH_APPROACHING"))
    tell(memory, AgentWarning(code="SLOW_THINK_REQUEST"))
    assert verdict(memory) == (True, False)
    memory.rewind()
    assert verdict(memory) == (True, False)
    memory.restart(0.0)
    assert verdict(memory) == (False, False)


def test_a_passing_error_is_a_loss() -> None:
    memory = begun()
    assert memory.place(Error(code="SERVER_GOING_AWAY")) is None
    assert verdict(memory) == (False, True)
    memory.rewind()
    memory.restart(0.0)
    assert verdict(memory) == (False, False)
    assert memory.place(Error(code="MAXIMUM_SESSION_LENGTH_REACHED")) is None
    assert verdict(memory) == (False, True)


def test_other_errors_and_those_of_a_beginning_are_for_the_user() -> None:
    memory = ConversationMemory(SETTINGS)
    tell(memory, Error(code="SERVER_GOING_AWAY"))
    assert verdict(memory) == (False, False)
    memory = begun()
    tell(memory, Error(code="INVALID_SETTINGS"), Error())
    assert verdict(memory) == (False, False)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (agent("Hello!"), True),
        (Audio(b"\0\0"), True),
        (UserStartedSpeaking(), True),
        (request("c1"), True),
        (SpeakUpdated(), False),
        (EndOfThought(), False),
        (Error(), False),
    ],
)
def test_only_what_an_agent_does_is_progress(event: AgentEvent, expected: bool) -> None:
    memory = begun()
    assert memory.is_progress(event) is expected
    written(memory)
    assert not memory.is_progress(event)
    memory.place(SettingsApplied())
    assert memory.is_progress(event) is expected


def test_the_frames_are_those_of_the_protocol() -> None:
    core = AgentCore(now=0.0, keepalive_s=None)
    core.receive('{"type":"Welcome"}')
    settings = core.send_settings(SETTINGS)
    core.receive('{"type":"SettingsApplied"}')
    memory = ConversationMemory(SETTINGS)
    memory.place(Welcome())
    memory.add(settings, 0.0)
    memory.place(SettingsApplied())
    kept = [
        core.update_speak({"provider": {}}),
        core.update_listen({"provider": {}}),
        core.update_prompt("Hi"),
        core.update_think({}),
        core.update_think_live({}),
        core.inject_user_message("Hi"),
        core.inject_agent_message("Hi", "queue"),
        core.inject_agent_message(None, None),
    ]
    for said in (*kept, core.keep_alive(), core.force_end_turn()):
        memory.add(said, 0.0)
    written(memory)
    assert again(memory) == kept


def test_a_conversation_has_no_options_to_change() -> None:
    memory = begun()
    memory.change({"model": "nova-3"})
    assert memory.options == {}


def test_the_audio_that_the_agent_has_is_counted_over_all_connections() -> None:
    memory = begun()
    memory.add(b"\0\0" * 10, 0.0)
    assert memory.sent_bytes == 20
    memory.rewind()
    memory.add(b"\0\0" * 5, 0.0)
    assert (memory.sent_bytes, memory.unsent_bytes) == (0, 30)
