import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import AgentStream, DeepgramSession, StreamSettings
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
    SettingsApplied,
    UserStartedSpeaking,
    Welcome,
)
from deepgram_async.models.agent import Warning as AgentWarning
from deepgram_async.models.agent_settings import (
    Agent,
    DeepgramSpeakProvider,
    Output,
    Settings,
    Speak,
)
from deepgram_async.models.agent_settings import Audio as AudioSettings
from tests.support.agent import Peer, call, conversation, happens, request, until
from tests.support.servers import websocket_server

CHUNK = b"\1\2" * 160
ONCE = StreamSettings(reconnect=None)


async def nothing(peer: Peer) -> None:
    """Say nothing after the beginning."""


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
        await happens(closed)


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
        await happens(may_apply)
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
        await happens(may_refuse)
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

    async with conversation(script, stream=ONCE) as agent:
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

    async with conversation(script, stream=ONCE) as agent:
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
        await happens(left)
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
        await happens(closed)
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
