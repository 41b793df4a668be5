import json
from collections.abc import Callable
from typing import Any

import pytest

from deepgram_async._protocol.agent import AgentCore, Stage
from deepgram_async._protocol.sockets import Close, State
from deepgram_async.errors import AudioSourceError, InvalidStateError, OptionError
from deepgram_async.models.agent import (
    Audio,
    CancelledFunction,
    Error,
    FunctionCall,
    FunctionCallCancelled,
    FunctionCallRequest,
    SettingsApplied,
    UserStartedSpeaking,
    Welcome,
)
from deepgram_async.models.agent_settings import Audio as AudioSettings
from deepgram_async.models.agent_settings import (
    DeepgramListenProviderV1,
    DeepgramSpeakProvider,
    Function,
    Input,
    Listen,
    OpenAiThinkProvider,
    Settings,
    Speak,
    Think,
    ThinkLive,
    ThinkLiveProvider,
)
from deepgram_async.models.events import Malformed, Unknown

WELCOME = '{"type":"Welcome","request_id":"r-2"}'
APPLIED = '{"type":"SettingsApplied"}'
REQUEST = (
    '{"type":"FunctionCallRequest","functions":['
    '{"id":"c1","name":"add","arguments":"{}","client_side":true,"thought_signature":"t"},'
    '{"id":"c2","name":"far","arguments":"{}","client_side":false}]}'
)
ADD = Function(name="add", description="Add.", parameters={"type": "object"})


def core(stage: Stage = Stage.OPEN, *, keepalive_s: float | None = 8.0) -> AgentCore:
    """Return a core that has come to a stage the regular way, at second 100."""
    made = AgentCore(now=100.0, keepalive_s=keepalive_s, request_id="r-1")
    if stage is not Stage.CONNECTED:
        made.receive(WELCOME)
    if stage not in (Stage.CONNECTED, Stage.WELCOMED):
        made.frame_sent(made.send_settings(Settings()), 100.0)
    if stage in (Stage.OPEN, Stage.CLOSING, Stage.CLOSED):
        made.receive(APPLIED)
    if stage in (Stage.CLOSING, Stage.CLOSED):
        made.end()
    if stage is Stage.CLOSED:
        made.receive_close(Close(1000, ""))
    assert made.stage is stage
    return made


def waiting(stage: Stage = Stage.OPEN) -> tuple[AgentCore, FunctionCall]:
    made = core(stage)
    request = made.receive(REQUEST)
    assert isinstance(request, FunctionCallRequest)
    return made, request.functions[0]


# What may be sent, and when: every operation at every stage.

OPERATIONS: dict[str, Callable[[AgentCore], object]] = {
    "send audio": lambda made: made.send_audio(b"\0\0"),
    "keep alive": lambda made: made.keep_alive(),
    "update prompt": lambda made: made.update_prompt("Hi"),
    "update think": lambda made: made.update_think(Think()),
    "update speak": lambda made: made.update_speak({"provider": {}}),
    "update listen": lambda made: made.update_listen({"provider": {}}),
    "update think live": lambda made: made.update_think_live(ThinkLive()),
    "inject user message": lambda made: made.inject_user_message("Hi"),
    "inject agent message": lambda made: made.inject_agent_message("Hi", None),
    "force end turn": lambda made: made.force_end_turn(),
    "send to think provider": lambda made: made.send_to_think_provider(1),
}


@pytest.mark.parametrize("stage", Stage, ids=lambda stage: stage.name)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_conversation_waits_for_the_settings_to_be_applied(
    operation: str, stage: Stage
) -> None:
    made = core(stage)
    if stage is Stage.OPEN:
        OPERATIONS[operation](made)
        assert made.stage is Stage.OPEN
        return
    with pytest.raises(InvalidStateError, match=f"^cannot {operation}: stream is {stage.value}$"):
        OPERATIONS[operation](made)
    assert made.stage is stage


@pytest.mark.parametrize("stage", Stage, ids=lambda stage: stage.name)
def test_settings_are_sent_once_and_after_the_welcome(stage: Stage) -> None:
    made = core(stage)
    if stage is Stage.WELCOMED:
        made.send_settings(Settings())
        assert made.stage is Stage.CONFIGURING
        return
    with pytest.raises(InvalidStateError, match=f"^cannot send settings: stream is {stage.value}$"):
        made.send_settings(Settings())


@pytest.mark.parametrize("stage", Stage, ids=lambda stage: stage.name)
def test_a_client_may_close_at_every_stage_once(stage: Stage) -> None:
    made = core(stage)
    if stage in (Stage.CLOSING, Stage.CLOSED):
        with pytest.raises(InvalidStateError, match=r"^cannot close: stream is (closing|closed)"):
            made.end()
        return
    made.end()
    assert made.stage is Stage.CLOSING


@pytest.mark.parametrize("stage", Stage, ids=lambda stage: stage.name)
def test_messages_of_the_beginning_change_nothing_out_of_turn(stage: Stage) -> None:
    made = core(stage)
    if stage is not Stage.CONFIGURING:
        assert isinstance(made.receive(APPLIED), SettingsApplied)
    if stage is not Stage.CONNECTED:
        assert isinstance(made.receive(WELCOME), Welcome)
    assert made.stage is stage


# Frames.


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (core().keep_alive(), {"type": "KeepAlive"}),
        (core().update_prompt("Be brief."), {"type": "UpdatePrompt", "prompt": "Be brief."}),
        (
            core().update_think(Think(prompt="Hi")),
            {
                "type": "UpdateThink",
                "think": {"provider": {"type": "open_ai", "model": "gpt-4o-mini"}, "prompt": "Hi"},
            },
        ),
        (
            core().update_think([Think(provider=OpenAiThinkProvider(model="gpt-5"))], [ADD]),
            {
                "type": "UpdateThink",
                "think": [
                    {
                        "provider": {"type": "open_ai", "model": "gpt-5"},
                        "functions": [ADD.to_dict()],
                    }
                ],
            },
        ),
        (
            core().update_think({"provider": {"type": "new"}}, [ADD]),
            {
                "type": "UpdateThink",
                "think": {"provider": {"type": "new"}, "functions": [ADD.to_dict()]},
            },
        ),
        (
            core().update_speak(Speak(provider=DeepgramSpeakProvider(model="flux-kit-en"))),
            {
                "type": "UpdateSpeak",
                "speak": {"provider": {"type": "deepgram", "model": "flux-kit-en"}},
            },
        ),
        (
            core().update_speak([Speak(provider=DeepgramSpeakProvider(model="flux-kit-en"))]),
            {
                "type": "UpdateSpeak",
                "speak": [{"provider": {"type": "deepgram", "model": "flux-kit-en"}}],
            },
        ),
        (
            core().update_listen(Listen(provider=DeepgramListenProviderV1(language="es"))),
            {
                "type": "UpdateListen",
                "listen": {"provider": {"version": "v1", "type": "deepgram", "language": "es"}},
            },
        ),
        (
            core().update_think_live(
                ThinkLive(provider=ThinkLiveProvider(frustration_max_count=2))
            ),
            {
                "type": "UpdateThink_Live",
                "think_live": {
                    "provider": {"type": "deepgram", "version": "v1", "frustration_max_count": 2}
                },
            },
        ),
        (core().inject_user_message("Hi"), {"type": "InjectUserMessage", "content": "Hi"}),
        (
            core().inject_agent_message("Hi", None),
            {"type": "InjectAgentMessage", "message": "Hi"},
        ),
        (
            core().inject_agent_message("Hi", "queue"),
            {"type": "InjectAgentMessage", "message": "Hi", "behavior": "queue"},
        ),
        (
            core().inject_agent_message(None, "interrupt"),
            {"type": "InjectAgentMessage", "is_dynamic": True, "behavior": "interrupt"},
        ),
        (core().force_end_turn(), {"type": "ForceEndTurn"}),
        (
            core().send_to_think_provider({"any": [1]}),
            {"type": "__customToThinkProvider", "content": {"any": [1]}},
        ),
    ],
)
def test_a_frame_is_what_the_service_expects(frame: str, message: object) -> None:
    assert json.loads(frame) == message


def test_audio_is_copied() -> None:
    chunk = bytearray(b"ab")
    frame = core().send_audio(memoryview(chunk))
    chunk[0] = 0
    assert frame == b"ab"


@pytest.mark.parametrize("chunk", ["text", b"", bytearray(), None])
def test_what_is_no_audio_is_refused(chunk: Any) -> None:
    with pytest.raises(AudioSourceError):
        core().send_audio(chunk)


def test_settings_of_the_wrong_type_are_refused_with_the_place() -> None:
    made = core(Stage.WELCOMED)
    rate: Any = 24000.5
    with pytest.raises(OptionError, match=r"Expected `int`.*at `\$\.audio\.input\.sample_rate`"):
        made.send_settings(Settings(audio=AudioSettings(input=Input(sample_rate=rate))))
    assert made.stage is Stage.WELCOMED


def test_what_json_cannot_hold_is_refused() -> None:
    made = core()
    with pytest.raises(OptionError, match="send_to_think_provider"):
        made.send_to_think_provider(object())
    with pytest.raises(OptionError, match="inject_user_message"):
        made.inject_user_message("\ud800")


# Functions.


def test_a_call_is_answered_with_what_the_request_said_about_it() -> None:
    made, call = waiting()
    assert made.is_waiting(call)
    assert json.loads(made.answer_function_call("c1", "3")) == {
        "type": "FunctionCallResponse",
        "id": "c1",
        "name": "add",
        "content": "3",
        "thought_signature": "t",
    }
    assert not made.is_waiting(call)


def test_a_call_is_answered_once() -> None:
    made, _ = waiting()
    made.answer_function_call("c1", "3")
    with pytest.raises(InvalidStateError, match="no function call 'c1' waits for an answer"):
        made.answer_function_call("c1", "3")


def test_a_call_that_the_service_makes_by_itself_is_not_answered() -> None:
    made, _ = waiting()
    with pytest.raises(InvalidStateError, match="'c2'"):
        made.answer_function_call("c2", "3")


def test_a_cancelled_call_is_not_answered() -> None:
    made, call = waiting()
    made.receive('{"type":"FunctionCallCancelled","functions":[{"id":"c1","name":"add"}]}')
    assert not made.is_waiting(call)
    with pytest.raises(InvalidStateError):
        made.answer_function_call("c1", "3")


def test_a_call_that_is_repeated_replaces_the_first() -> None:
    made, call = waiting()
    made.receive(REQUEST)
    assert not made.is_waiting(call)
    made.answer_function_call("c1", "3")


def test_no_call_waits_after_the_end() -> None:
    made, call = waiting()
    made.end()
    assert not made.is_waiting(call)
    made, call = waiting()
    made.receive_close(Close(1006, ""))
    assert not made.is_waiting(call)


# Time.


def test_a_keepalive_is_due_after_a_pause_of_the_audio() -> None:
    made = core()
    assert made.on_deadline(107.9) is None
    assert made.on_deadline(108.0) == '{"type":"KeepAlive"}'
    made.frame_sent('{"type":"KeepAlive"}', 108.0)
    assert made.deadline == 116.0
    made.frame_sent(b"audio", 110.0)
    assert made.deadline == 118.0


def test_what_is_said_beside_the_audio_puts_off_no_keepalive() -> None:
    made = core()
    made.frame_sent(made.update_prompt("Hi"), 105.0)
    assert made.deadline == 108.0


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.OPEN])
def test_no_keepalive_is_due_outside_of_the_conversation(stage: Stage) -> None:
    assert core(stage).deadline is None
    assert core(stage).on_deadline(1000.0) is None


def test_keepalives_can_be_turned_off() -> None:
    assert core(keepalive_s=None).deadline is None


# Receiving.


def test_the_request_id_is_that_of_the_welcome() -> None:
    assert core(Stage.CONNECTED).request_id == "r-1"
    assert core().request_id == "r-2"


def test_a_welcome_without_request_id_keeps_that_of_the_handshake() -> None:
    made = core(Stage.CONNECTED)
    made.receive('{"type":"Welcome"}')
    assert (made.request_id, made.stage) == ("r-1", Stage.WELCOMED)


def test_binary_frames_are_audio() -> None:
    assert core().receive(b"\1\2") == Audio(b"\1\2")


def test_what_cannot_be_read_is_handed_over() -> None:
    assert isinstance(core().receive('{"type":"BrandNew"}'), Unknown)
    assert isinstance(core().receive('{"type":"AgentThinking"}'), Malformed)
    assert isinstance(core().receive("nonsense"), Malformed)


def test_no_event_is_expendable() -> None:
    assert not AgentCore.is_expendable(UserStartedSpeaking())


# The end.


def test_every_close_is_regular_once_the_client_closed() -> None:
    made = core(Stage.CLOSING)
    made.receive_close(Close(1006, "gone"))
    assert made.close_error is None
    assert made.state is State.CLOSED


@pytest.mark.parametrize("stage", [Stage.CONNECTED, Stage.WELCOMED, Stage.CONFIGURING, Stage.OPEN])
def test_a_close_that_nobody_asked_for_is_an_error(stage: Stage) -> None:
    made = core(stage)
    made.receive_close(Close(1000, "bye"))
    assert made.close_error is not None
    assert made.close_error.close_reason == "bye"
    assert made.stage is Stage.CLOSED


RECONNECT = {
    "ASR_CONNECTION_CLOSED",
    "FAILED_TO_START_LISTENING",
    "INTERNAL_SERVER_ERROR",
    "MAXIMUM_SESSION_LENGTH_REACHED",
    "SERVER_GOING_AWAY",
}


@pytest.mark.parametrize(
    "code",
    [
        *sorted(RECONNECT),
        "AGENT_ID_NOT_SUPPORTED",
        "ASR_DRIVER_TIMEOUT",
        "CLIENT_MESSAGE_TIMEOUT",
        "FAILED_TO_SPEAK",
        "FAILED_TO_THINK",
        "INVALID_AGENT_ID",
        "INVALID_SETTINGS",
        "NON_EXISTENT_FUNCTION_CALLED",
        "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS",
        "SETTINGS_ALREADY_APPLIED",
        "UNPARSABLE_CLIENT_MESSAGE",
        "USER_AUDIO_FORMAT",
        "BRAND_NEW",
        None,
    ],
)
def test_an_error_tells_whether_a_new_conversation_is_worth_it(code: str | None) -> None:
    error = core().error_of(Error(code=code, description="It broke."))
    assert error.code == code
    assert error.message == "It broke."
    assert error.request_id == "r-2"
    assert error.retryable is (code in RECONNECT)


def test_an_error_of_an_older_service_has_its_words_elsewhere() -> None:
    assert core().error_of(Error(message="It broke.")).message == "It broke."
    assert core().error_of(Error()).message == "the service gave no reason"


def test_an_error_tells_why_the_connection_is_lost() -> None:
    for code, retryable in (("SERVER_GOING_AWAY", True), ("FAILED_TO_THINK", False)):
        made = core()
        made.receive(f'{{"type":"Error","code":"{code}","description":"It broke."}}')
        made.receive_close(Close(1011, ""))
        error = made.close_error
        assert error is not None
        assert (error.code, error.retryable) == (code, retryable)
        assert error.message == f"the stream ended with close code 1011: {code}: It broke."


def test_an_error_after_the_end_is_nobodys_loss() -> None:
    made = core(Stage.CLOSING)
    made.receive('{"type":"Error","code":"SERVER_GOING_AWAY"}')
    made.receive_close(Close(1011, ""))
    assert made.close_error is None


def test_events_of_another_connection_are_followed() -> None:
    made, call = waiting()
    made.note(FunctionCallCancelled(functions=[CancelledFunction(id=call.id)]))
    assert not made.is_waiting(call)
    made.note(Welcome(request_id="r-3"))
    assert made.request_id == "r-3"
    made.note(FunctionCallRequest(functions=[call]))
    assert made.is_waiting(call)
    assert made.stage is Stage.OPEN


def test_the_settings_that_another_core_has_made_begin_the_conversation_here() -> None:
    made = core(Stage.WELCOMED)
    made.said(core(Stage.WELCOMED).send_settings(Settings()))
    made.receive(APPLIED)
    assert made.stage is Stage.OPEN


@pytest.mark.parametrize("stage", [Stage.CONFIGURING, Stage.OPEN, Stage.CLOSED])
def test_other_frames_of_another_core_change_nothing(stage: Stage) -> None:
    made = core(stage)
    made.said(core().keep_alive())
    made.said(b"\0\0")
    assert made.stage is stage


def test_a_call_does_not_wait_when_the_stream_has_ended() -> None:
    made, call = waiting()
    made.state = State.CLOSED
    assert not made.is_waiting(call)
