import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import AgentStream, DeepgramSession, Injection, StreamSettings
from deepgram_async.errors import (
    AgentError,
    ConnectionLostError,
    InvalidStateError,
    OperationTimeoutError,
    OptionError,
)
from deepgram_async.models.agent import (
    AgentAudioDone,
    AgentEvent,
    Audio,
    ConversationText,
    EndOfThought,
    FunctionCallRequest,
    PromptUpdated,
    SettingsApplied,
    UserStartedSpeaking,
    Welcome,
)
from deepgram_async.models.agent import Warning as AgentWarning
from deepgram_async.models.agent_settings import (
    Agent,
    DeepgramListenProviderV2,
    DeepgramSpeakProvider,
    Function,
    Listen,
    Output,
    Settings,
    Speak,
    Think,
    ThinkLive,
    ThinkLiveProvider,
)
from deepgram_async.models.agent_settings import Audio as AudioSettings
from deepgram_async.models.events import Unknown
from tests.support.agent import Peer, call, conversation, request
from tests.support.servers import websocket_server

QUICK = StreamSettings(confirm_timeout_s=0.2, drain_timeout_s=0.5, dead_peer_s=1.0)
CHUNK = b"\1\2" * 160


async def nothing(peer: Peer) -> None:
    """Say nothing after the beginning."""


async def until(agent: AgentStream, kind: type[Any]) -> list[AgentEvent]:
    """Return the events up to the first of a kind."""
    events: list[AgentEvent] = []
    async with asyncio.timeout(3):
        async for event in agent:
            events.append(event)
            if isinstance(event, kind):
                return events
    pytest.fail(f"{kind.__name__} did not come, but {events}")


# The beginning.


async def test_a_conversation_begins_with_the_settings() -> None:
    seen: list[Peer] = []

    async def script(peer: Peer) -> None:
        seen.append(peer)

    settings = Settings(agent=Agent(greeting="Hello!"), tags=["test"])
    async with conversation(script, settings=settings) as agent:
        assert agent.request_id == "r-1"
        assert isinstance(await anext(agent), Welcome)
        assert isinstance(await anext(agent), SettingsApplied)
    assert seen[0].settings == settings.to_dict()
    request_line = seen[0].connection.request
    assert request_line is not None
    assert request_line.path == "/v1/agent/converse"


async def test_settings_may_be_a_mapping_for_a_newer_service() -> None:
    seen: list[Peer] = []

    async def script(peer: Peer) -> None:
        seen.append(peer)

    fields: dict[str, object] = {"audio": {}, "agent": {"think": {"provider": {"type": "new"}}}}
    async with conversation(script, settings=fields):
        pass
    assert seen[0].settings == {"type": "Settings", **fields}


async def test_refused_settings_raise_the_reason_and_close() -> None:
    closed = asyncio.Event()

    async def refuse(connection: ServerConnection) -> None:
        peer = Peer(connection)
        await peer.say("Welcome", request_id="r-1")
        await peer.hear("Settings")
        await peer.say("Error", code="INVALID_SETTINGS", description="No such voice.")
        await peer.listen()
        closed.set()

    async with websocket_server(refuse) as url, DeepgramSession("sentinel", base_url=url) as dg:
        agent = dg.agent.converse()
        with pytest.raises(AgentError, match="No such voice") as caught:
            async with agent:
                pytest.fail("the settings were not refused")
        assert caught.value.code == "INVALID_SETTINGS"
        assert caught.value.request_id == "r-1"
        assert not caught.value.retryable
        assert not agent.is_open
        async with asyncio.timeout(3):
            await closed.wait()


@pytest.mark.parametrize("greeted", [False, True])
async def test_a_service_that_is_silent_at_the_beginning_is_left(greeted: bool) -> None:
    async def silent(connection: ServerConnection) -> None:
        if greeted:
            await connection.send('{"type":"Welcome"}')
        await Peer(connection).listen()

    settings = StreamSettings(open_timeout_s=0.2)
    async with (
        websocket_server(silent) as url,
        DeepgramSession("sentinel", base_url=url, stream=settings) as dg,
    ):
        with pytest.raises(OperationTimeoutError):
            await dg.agent.converse().open()


async def test_a_close_at_the_beginning_raises() -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.close(1011, "out of order")

    async with websocket_server(leave) as url, DeepgramSession("sentinel", base_url=url) as dg:
        with pytest.raises(ConnectionLostError, match="out of order"):
            await dg.agent.converse().open()


async def test_opening_can_be_cancelled() -> None:
    async def silent(connection: ServerConnection) -> None:
        await Peer(connection).listen()

    async with websocket_server(silent) as url, DeepgramSession("sentinel", base_url=url) as dg:
        agent = dg.agent.converse()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await agent.open()
        assert not agent.is_open


async def test_audio_waits_until_the_settings_are_in_force() -> None:
    may_apply = asyncio.Event()
    frames: list[str | bytes] = []

    async def slow(connection: ServerConnection) -> None:
        peer = Peer(connection)
        await peer.say("Welcome")
        await peer.hear("Settings")
        await may_apply.wait()
        await peer.say("SettingsApplied")
        frames.extend(await peer.listen())

    async with websocket_server(slow) as url, DeepgramSession("sentinel", base_url=url) as dg:
        agent = dg.agent.converse()
        opening = asyncio.create_task(agent.open())
        while agent.request_id is None and not agent.is_open:
            await asyncio.sleep(0.01)
        sending = asyncio.create_task(agent.send_audio(CHUNK))
        await asyncio.sleep(0.05)
        assert not sending.done()
        may_apply.set()
        await opening
        await sending
        await agent.finish()
        await agent.aclose()
    assert frames == [CHUNK]


async def test_audio_that_waits_for_settings_that_are_refused_raises() -> None:
    may_refuse = asyncio.Event()

    async def refuse(connection: ServerConnection) -> None:
        peer = Peer(connection)
        await peer.say("Welcome")
        await peer.hear("Settings")
        await may_refuse.wait()
        await peer.say("Error", code="INVALID_SETTINGS", description="No.")
        await peer.listen()

    async with websocket_server(refuse) as url, DeepgramSession("sentinel", base_url=url) as dg:
        agent = dg.agent.converse()
        opening = asyncio.create_task(agent.open())
        while not agent.is_open:
            await asyncio.sleep(0.01)
        sending = asyncio.create_task(agent.send_audio(CHUNK))
        await asyncio.sleep(0.01)
        may_refuse.set()
        with pytest.raises(AgentError):
            await opening
        with pytest.raises(AgentError):
            await sending


async def test_rules_are_checked_before_anything_is_sent() -> None:
    settings = Settings(
        audio=AudioSettings(output=Output(encoding="mp3")),
        agent=Agent(speak=Speak(provider=DeepgramSpeakProvider(model="flux-kit-en"))),
    )
    async with DeepgramSession("sentinel", base_url="http://127.0.0.1:1") as dg:
        with pytest.raises(OptionError, match="linear16, mulaw or alaw"):
            dg.agent.converse(settings)
        dg.with_options(validate=False).agent.converse(settings)


async def test_settings_of_the_wrong_type_are_refused_before_anything_is_sent() -> None:
    tags: Any = "one"
    async with DeepgramSession("sentinel", base_url="http://127.0.0.1:1") as dg:
        with pytest.raises(OptionError, match=r"at `\$\.tags`"):
            await dg.agent.converse(Settings(tags=tags)).open()


# Listening and speaking.


async def test_a_source_is_sent_and_speech_comes_back_in_order() -> None:
    async def script(peer: Peer) -> None:
        heard = await peer.frame()
        await peer.say("ConversationText", role="assistant", content="Hello.")
        assert isinstance(heard, bytes)
        await peer.speak(heard, b"more")
        await peer.say("AgentAudioDone")

    async with conversation(script) as agent:
        agent.start([CHUNK])
        events = await until(agent, AgentAudioDone)
    assert events[2:] == [
        ConversationText(role="assistant", content="Hello."),
        Audio(CHUNK),
        Audio(b"more"),
        AgentAudioDone(),
    ]


async def test_the_conversation_goes_on_after_the_end_of_the_source() -> None:
    async def script(peer: Peer) -> None:
        assert await peer.frame() == CHUNK
        await peer.hear("UpdatePrompt")
        await peer.say("PromptUpdated")

    ended = asyncio.Event()

    async def short() -> AsyncIterator[bytes]:
        yield CHUNK
        ended.set()

    async with conversation(script) as agent:
        agent.start(short())
        await ended.wait()
        await agent.update_prompt("Go on.")
        assert agent.is_open


async def test_what_a_source_raises_ends_the_conversation() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield CHUNK
        raise OSError("unplugged")

    async with conversation(nothing) as agent:
        agent.start(broken())
        with pytest.raises(OSError, match="unplugged"):
            async for _ in agent:
                pass


async def test_a_second_source_is_refused() -> None:
    async with conversation(nothing) as agent:
        agent.start([CHUNK])
        with pytest.raises(InvalidStateError, match="has a source already"):
            agent.start([CHUNK])


async def test_finishing_while_a_source_runs_ends_the_conversation_regularly() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield CHUNK
            await asyncio.sleep(0.001)

    async with conversation(nothing) as agent:
        agent.start(endless())
        await asyncio.sleep(0.02)
        await agent.finish()
        assert [type(event) async for event in agent] == [Welcome, SettingsApplied]


async def test_barge_in_drops_the_speech_that_was_not_taken() -> None:
    async def script(peer: Peer) -> None:
        await peer.say("ConversationText", role="assistant", content="Once upon a time")
        await peer.speak(*[b"old"] * 50)
        await peer.say("UserStartedSpeaking")
        await peer.speak(b"new")
        await peer.say("AgentAudioDone")
        await peer.hear("UpdatePrompt")
        await peer.say("PromptUpdated")

    async with conversation(script) as agent:
        await agent.update_prompt("wait until all is here")
        events = await until(agent, AgentAudioDone)
    assert [type(event) for event in events[2:]] == [
        ConversationText,
        UserStartedSpeaking,
        Audio,
        AgentAudioDone,
    ]
    assert events[-2] == Audio(b"new")


# KeepAlives.


async def test_keepalives_are_sent_while_no_audio_is() -> None:
    frames: list[str | bytes] = []
    settings = StreamSettings(agent_keepalive_s=0.15, dead_peer_s=0.4)

    async def script(peer: Peer) -> None:
        frames.extend(await peer.listen())

    async with conversation(script, stream=settings) as agent:
        for _ in range(30):
            await agent.send_audio(CHUNK)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
    kinds = [frame if isinstance(frame, str) else "audio" for frame in frames]
    assert kinds[:30] == ["audio"] * 30
    assert set(kinds[30:]) == {'{"type":"KeepAlive"}'}
    assert 2 <= len(kinds[30:]) <= 4


async def test_a_keepalive_can_be_sent_by_hand() -> None:
    async def script(peer: Peer) -> None:
        await peer.hear("KeepAlive")
        await peer.say("EndOfThought")

    async with conversation(script) as agent:
        await agent.keep_alive()
        await until(agent, EndOfThought)


# Changes.


async def test_changes_return_when_they_are_confirmed() -> None:
    heard: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        for change, confirmation in [
            ("UpdatePrompt", "PromptUpdated"),
            ("UpdateThink", "ThinkUpdated"),
            ("UpdateSpeak", "SpeakUpdated"),
            ("UpdateListen", "ListenUpdated"),
            ("UpdateThink_Live", "ThinkLiveUpdated"),
        ]:
            heard.append(await peer.hear(change))
            await peer.say(confirmation)

    async with conversation(script) as agent:
        await agent.update_prompt("Be brief.")
        await agent.update_think(Think(prompt="Be kind."))
        await agent.update_speak(Speak(provider=DeepgramSpeakProvider(model="aura-2-thalia-en")))
        await agent.update_listen(
            Listen(provider=DeepgramListenProviderV2(model="flux-general-en"))
        )
        await agent.update_think_live(ThinkLive())
    assert heard[0]["prompt"] == "Be brief."
    assert heard[1]["think"]["prompt"] == "Be kind."
    assert heard[2]["speak"]["provider"]["model"] == "aura-2-thalia-en"
    assert heard[3]["listen"]["provider"]["version"] == "v2"


async def test_a_change_that_is_not_confirmed_times_out() -> None:
    async with conversation(nothing, stream=QUICK) as agent:
        with pytest.raises(OperationTimeoutError, match=r"did not confirm for 0\.2 s"):
            await agent.update_prompt("Hi")


async def test_a_change_that_is_refused_ends_the_conversation() -> None:
    async def script(peer: Peer) -> None:
        await peer.hear("UpdateSpeak")
        await peer.say("Error", code="UNPARSABLE_CLIENT_MESSAGE", description="No such field.")

    async with conversation(script) as agent:
        with pytest.raises(AgentError, match="No such field"):
            await agent.update_speak({"voice": 5})
        with pytest.raises(AgentError):
            await agent.send_audio(CHUNK)


async def test_the_confirmation_of_a_cancelled_change_is_not_that_of_the_next() -> None:
    may_confirm = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.hear("UpdatePrompt")
        await peer.hear("UpdatePrompt")
        await peer.say("PromptUpdated")
        await may_confirm.wait()
        await peer.say("PromptUpdated")

    async with conversation(script) as agent:
        first = asyncio.create_task(agent.update_prompt("one"))
        await asyncio.sleep(0.05)
        first.cancel()
        second = asyncio.create_task(agent.update_prompt("two"))
        await until(agent, PromptUpdated)
        assert not second.done()
        may_confirm.set()
        async with asyncio.timeout(3):
            await second


async def test_changes_that_break_a_rule_are_refused_before_they_are_sent() -> None:
    settings = Settings(audio=AudioSettings(output=Output(encoding="mp3")))
    filler = Function(name="add", initial_agent_filler=True)
    async with conversation(nothing, settings=settings) as agent:
        with pytest.raises(OptionError, match="think_live"):
            await agent.update_think(Think(functions=[filler]))
        with pytest.raises(OptionError, match="linear16"):
            await agent.update_speak(Speak(provider=DeepgramSpeakProvider(model="flux-kit-en")))
        with pytest.raises(OptionError, match="eot_threshold"):
            await agent.update_listen(
                Listen(provider=DeepgramListenProviderV2(model="flux-general-en", eot_threshold=5))
            )
        with pytest.raises(OptionError, match="at least 3000"):
            await agent.update_think_live(
                ThinkLive(provider=ThinkLiveProvider(presence_check_interval_ms=1))
            )


# Injections.


async def test_a_user_message_starts_a_turn() -> None:
    async def script(peer: Peer) -> None:
        message = await peer.hear("InjectUserMessage")
        await peer.say("ConversationText", role="user", content=message["content"])

    async with conversation(script) as agent:
        await agent.inject_user_message("What time is it?")
        events = await until(agent, ConversationText)
    assert events[-1] == ConversationText(role="user", content="What time is it?")


async def test_an_agent_message_is_spoken() -> None:
    async def script(peer: Peer) -> None:
        await peer.hear("InjectAgentMessage")
        await peer.say("ConversationText", role="assistant", content="Something else.")
        await peer.say("ConversationText", role="user", content="Are you there?")
        await peer.say("ConversationText", role="assistant", content="Are you there?")

    async with conversation(script) as agent:
        message = "Are you  there? Hello?"
        assert await agent.inject_agent_message(message, "queue") == Injection("spoken")


async def test_an_agent_message_is_refused() -> None:
    async def script(peer: Peer) -> None:
        await peer.hear("InjectAgentMessage")
        await peer.say("InjectionRefused", message="The user is speaking.")
        await peer.hear("InjectAgentMessage")
        await peer.say(
            "Warning",
            code="INJECT_AGENT_MESSAGE_DURING_AGENT_SPEECH",
            description="The agent is speaking.",
        )

    async with conversation(script) as agent:
        refused = await agent.inject_agent_message("Hello?")
        assert refused == Injection("refused", "The user is speaking.")
        refused = await agent.inject_agent_message("Hello?")
        assert refused == Injection("refused", "The agent is speaking.")


async def test_an_agent_message_times_out() -> None:
    async with conversation(nothing) as agent:
        outcome = await agent.inject_agent_message("Hello?", timeout_s=0.1)
        assert outcome == Injection("timed_out")


async def test_a_refusal_is_not_that_of_a_message_that_cannot_be_refused() -> None:
    async def script(peer: Peer) -> None:
        await peer.hear("InjectAgentMessage")
        await peer.hear("InjectAgentMessage")
        await peer.say("InjectionRefused", message="Not now.")
        await peer.say("ConversationText", role="assistant", content="Fire!")

    async with conversation(script) as agent:
        urgent = asyncio.create_task(agent.inject_agent_message("Fire!", "interrupt"))
        await asyncio.sleep(0)
        assert (await agent.inject_agent_message("By the way")).outcome == "refused"
        assert (await urgent).outcome == "spoken"


async def test_a_message_in_the_agent_s_own_words_is_spoken() -> None:
    async def script(peer: Peer) -> None:
        assert (await peer.hear("InjectAgentMessage"))["is_dynamic"] is True
        await peer.say("ConversationText", role="assistant", content="Anything.")

    async with conversation(script) as agent:
        assert (await agent.inject_dynamic_message()).outcome == "spoken"


async def test_the_rest_of_the_messages_of_the_client() -> None:
    async def script(peer: Peer) -> None:
        await peer.hear("ForceEndTurn")
        assert (await peer.hear("__customToThinkProvider"))["content"] == {"x": 1}
        await peer.say("BrandNew")

    async with conversation(script) as agent:
        await agent.force_end_turn()
        await agent.send_to_think_provider({"x": 1})
        assert isinstance((await until(agent, Unknown))[-1], Unknown)


# Warnings and errors.


async def test_a_warning_is_an_event_and_logged_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def script(peer: Peer) -> None:
        await peer.say("Warning", code="PROMPT_TOO_LONG", description="private words")

    with caplog.at_level(logging.WARNING, "deepgram_async"):
        async with conversation(script) as agent:
            events = await until(agent, AgentWarning)
    assert events[-1] == AgentWarning(code="PROMPT_TOO_LONG", description="private words")
    assert "PROMPT_TOO_LONG" in caplog.text
    assert "private words" not in caplog.text


@pytest.mark.parametrize(
    ("code", "retryable"), [("SERVER_GOING_AWAY", True), ("CLIENT_MESSAGE_TIMEOUT", False)]
)
async def test_an_error_ends_the_conversation_after_the_events_before_it(
    code: str, retryable: bool
) -> None:
    async def script(peer: Peer) -> None:
        await peer.say("ConversationText", role="assistant", content="Bye.")
        await peer.say("Error", code=code, description="It is over.")

    async with conversation(script) as agent:
        events: list[AgentEvent] = []
        with pytest.raises(AgentError) as caught:
            async for event in agent:
                events.append(event)  # noqa: PERF401 - what came before the error counts
        assert isinstance(events[-1], ConversationText)
        assert caught.value.code == code
        assert caught.value.retryable is retryable


async def test_a_close_that_nobody_asked_for_raises() -> None:
    async def script(peer: Peer) -> None:
        await peer.connection.close(1011, "tired")

    async with conversation(script) as agent:
        with pytest.raises(ConnectionLostError, match="tired"):
            async for _ in agent:
                pass


# The end.


async def test_the_client_closes_with_1000_after_all_that_was_queued() -> None:
    frames: list[str | bytes] = []
    codes: list[int | None] = []

    async def script(peer: Peer) -> None:
        frames.extend(await peer.listen())
        codes.append(peer.connection.close_code)

    async with conversation(script) as agent:
        for _ in range(50):
            await agent.send_audio(CHUNK)
        await agent.inject_user_message("Bye.")
    assert len(frames) == 51
    assert json.loads(frames[-1]) == {"type": "InjectUserMessage", "content": "Bye."}
    assert codes == [1000]


async def test_a_service_that_does_not_close_is_left() -> None:
    left = asyncio.Event()

    async def stuck(connection: ServerConnection) -> None:
        await Peer(connection).greet()
        connection.transport.pause_reading()
        await left.wait()
        connection.transport.resume_reading()

    settings = StreamSettings(close_timeout_s=0.2)
    async with (
        websocket_server(stuck) as url,
        DeepgramSession("sentinel", base_url=url, stream=settings) as dg,
        asyncio.timeout(2),
    ):
        async with dg.agent.converse():
            pass
        left.set()


async def test_nothing_is_possible_before_and_after() -> None:
    agent: AgentStream
    async with conversation(nothing) as agent:
        pass
    for late in (agent.send_audio(CHUNK), agent.update_prompt("Hi"), agent.keep_alive()):
        with pytest.raises(InvalidStateError):
            await late
    async with DeepgramSession("sentinel", base_url="http://127.0.0.1:1") as dg:
        with pytest.raises(InvalidStateError, match="not open"):
            await dg.agent.converse().send_audio(CHUNK)


async def test_a_session_closes_its_conversations() -> None:
    closed = asyncio.Event()

    async def serve(connection: ServerConnection) -> None:
        peer = Peer(connection)
        await peer.greet()
        await peer.listen()
        closed.set()

    async with websocket_server(serve) as url:
        async with DeepgramSession("sentinel", base_url=url) as dg:
            agent = dg.agent.converse()
            await agent.open()
            assert agent in dg.streams
        async with asyncio.timeout(3):
            await closed.wait()
        assert not agent.is_open


# Function calls by hand; those by tools are in test_tools.py.


async def test_without_tools_calls_are_answered_by_hand() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(request(call("c1", "add"), call("c2", "far", client_side=False)))
        assert await peer.hear("FunctionCallResponse") == {
            "type": "FunctionCallResponse",
            "id": "c1",
            "name": "add",
            "content": "3",
        }

    async with conversation(script) as agent:
        events = await until(agent, FunctionCallRequest)
        asked = events[-1]
        assert isinstance(asked, FunctionCallRequest)
        await agent.answer_function_call(asked.functions[0].id, "3")
        with pytest.raises(InvalidStateError):
            await agent.answer_function_call("c1", "3")
        with pytest.raises(InvalidStateError):
            await agent.answer_function_call("c2", "3")
