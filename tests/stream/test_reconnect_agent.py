"""A lost conversation goes on with another agent: nothing is lost that was said, and nothing is
told twice."""

import asyncio
import json

import msgspec
import pytest

from deepgram_async import Injection, Reconnected, Reconnecting, StreamSettings
from deepgram_async.models.agent import (
    AgentAudioDone,
    AgentEvent,
    Audio,
    ConversationText,
    FunctionCallCancelled,
    FunctionCallRequest,
    History,
    UserStartedSpeaking,
)
from deepgram_async.models.agent_settings import (
    Agent,
    Context,
    OpenAiThinkProvider,
    Settings,
    Think,
)
from tests.support.agent import Peer, call, happens, request, until
from tests.support.resumed_agent import FAST, Service, lose, opened, silence, talking

SETTINGS = Settings(
    tags=["test"],
    agent=Agent(
        greeting="Hello!",
        context=Context(messages=[History(role="user", content="Long ago")]),
        think=Think(provider=OpenAiThinkProvider(model="gpt-4o-mini"), prompt="Be kind."),
    ),
)


async def said(peer: Peer, role: str, content: str) -> None:
    await peer.say("ConversationText", role=role, content=content)


def kinds(events: list[AgentEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


async def bye(peer: Peer) -> None:
    """Say the last words of a test."""
    await said(peer, "assistant", "Bye.")
    await peer.say("AgentAudioDone")


# Where it is lost.


async def test_an_idle_conversation_goes_on() -> None:
    async def first(peer: Peer) -> None:
        await peer.greet()
        await lose(peer)

    async def second(peer: Peer) -> None:
        await peer.greet()
        await bye(peer)

    service = Service(first, second)
    async with opened(service, settings=SETTINGS) as agent:
        events = await until(agent, AgentAudioDone)
        assert agent.request_id == "r-1"
    assert kinds(events) == [
        *("Welcome", "SettingsApplied"),
        *("Reconnecting", "Reconnected"),
        *("ConversationText", "AgentAudioDone"),
    ]
    # Nobody has heard the greeting.
    assert service.settings[0] == service.settings[1]


async def test_the_next_agent_is_told_everything_but_not_to_greet() -> None:
    async def add(a: int, b: int) -> int:
        return a + b

    async def first(peer: Peer) -> None:
        await peer.greet()
        await said(peer, "assistant", "Hello!")
        await peer.say("AgentAudioDone")
        await said(peer, "user", "What is one and two?")
        await peer.send(request(call("c1", "add", '{"a":1,"b":2}')))
        await peer.hear("FunctionCallResponse")
        await said(peer, "assistant", "It is three.")
        await peer.say("AgentAudioDone")
        await lose(peer)

    async def second(peer: Peer) -> None:
        await peer.greet()
        await bye(peer)

    service = Service(first, second)
    async with opened(service, settings=SETTINGS, tools=[add]) as agent:
        await until(agent, Reconnected)
        await until(agent, AgentAudioDone)
    before, after = service.settings
    agent_before, agent_after = before.pop("agent"), after.pop("agent")
    assert before == after
    assert agent_before.pop("greeting") == "Hello!"
    assert agent_after.pop("context") == {
        "messages": [
            {"type": "History", "role": "user", "content": "Long ago"},
            {"type": "History", "role": "assistant", "content": "Hello!"},
            {"type": "History", "role": "user", "content": "What is one and two?"},
            {
                "type": "History",
                "function_calls": [
                    {
                        "id": "c1",
                        "name": "add",
                        "client_side": True,
                        "arguments": '{"a":1,"b":2}',
                        "response": "3",
                    }
                ],
            },
            {"type": "History", "role": "assistant", "content": "It is three."},
        ]
    }
    del agent_before["context"]
    assert agent_before == agent_after
    assert [function["name"] for function in agent_after["think"]["functions"]] == ["add"]


async def test_what_the_user_was_saying_is_said_again_in_order() -> None:
    speaks, is_lost = asyncio.Event(), asyncio.Event()
    chunks = [bytes([number]) * 960 for number in range(1, 6)]

    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.say("UserStartedSpeaking")
        for chunk in chunks[:3]:
            assert await peer.frame() == chunk
        await lose(peer)

    async def second(peer: Peer) -> None:
        await peer.greet()
        assert [await peer.frame() for _ in chunks] == chunks
        await said(peer, "user", "one two three four five")

    async with opened(Service(first, second)) as agent:
        await until(agent, UserStartedSpeaking)
        speaks.set()
        for chunk in chunks[:3]:
            await agent.send_audio(chunk)
        await until(agent, Reconnecting)
        is_lost.set()
        for chunk in chunks[3:]:
            await agent.send_audio(chunk)
        again, text = (await until(agent, ConversationText))[-2:]
    assert isinstance(again, Reconnected)
    assert again.replayed_s == pytest.approx(0.1)
    assert again.dropped_s == 0.0
    assert text == ConversationText(role="user", content="one two three four five")


async def test_words_that_were_not_answered_are_injected_and_not_told_again() -> None:
    async def first(peer: Peer) -> None:
        await peer.greet()
        await said(peer, "user", "Are you there?")
        await peer.say("AgentThinking", content="")
        await lose(peer)

    async def second(peer: Peer) -> None:
        await peer.greet()
        assert (await peer.hear("InjectUserMessage"))["content"] == "Are you there?"
        await peer.say("History", role="user", content="Are you there?")
        await said(peer, "user", "Are you there?")
        await said(peer, "assistant", "Yes.")
        await peer.say("AgentAudioDone")

    service = Service(first, second)
    async with opened(service) as agent:
        events = await until(agent, AgentAudioDone)
    assert kinds(events[2:]) == [
        *("ConversationText", "AgentThinking", "Reconnecting", "Reconnected"),
        *("ConversationText", "AgentAudioDone"),
    ]
    assert service.settings[1]["agent"]["context"]["messages"] == []


async def test_speech_that_came_before_the_loss_is_played_and_the_rest_is_not_said() -> None:
    heard = asyncio.Event()

    async def first(peer: Peer) -> None:
        await peer.greet()
        await said(peer, "user", "Tell me a story.")
        await said(peer, "assistant", "Once upon a time")
        await peer.speak(b"once", b"upon")
        await lose(peer)

    async def second(peer: Peer) -> None:
        await peer.greet()
        # Nothing is said again: the next words are new.
        assert (await peer.hear("InjectUserMessage"))["content"] == "And then?"
        heard.set()

    service = Service(first, second)
    async with opened(service) as agent:
        while len(service.peers) < 2 or not service.peers[1].settings:
            await asyncio.sleep(0.01)
        await agent.inject_user_message("And then?")
        await happens(heard)
        events = await until(agent, Reconnected)
    assert [event.data for event in events if isinstance(event, Audio)] == [b"once", b"upon"]
    assert service.settings[1]["agent"]["context"]["messages"] == [
        {"type": "History", "role": "user", "content": "Tell me a story."},
        {"type": "History", "role": "assistant", "content": "Once upon a time"},
    ]


async def test_a_function_that_ends_without_a_connection_answers_in_the_context() -> None:
    may_end = asyncio.Event()

    async def look_up() -> str:
        await happens(may_end)
        return "found"

    async def first(peer: Peer) -> None:
        await peer.greet()
        await said(peer, "user", "Look it up.")
        await peer.send(request(call("c1", "look_up")))
        await lose(peer)

    async def second(peer: Peer) -> None:
        await peer.say("Welcome", request_id="r-2")
        await asyncio.sleep(0.05)
        may_end.set()
        peer.settings = await peer.hear("Settings")
        await peer.say("SettingsApplied")
        assert (await peer.hear("InjectUserMessage"))["content"] == "Look it up."
        await bye(peer)

    service = Service(first, second)
    async with opened(service, settings=SETTINGS, tools=[look_up]) as agent:
        events = await until(agent, AgentAudioDone)
        assert agent.request_id == "r-2"
    calls = service.settings[1]["agent"]["context"]["messages"][-1]["function_calls"]
    assert [(each["id"], each["response"]) for each in calls] == [("c1", "found")]
    assert not any(isinstance(event, FunctionCallCancelled) for event in events)


async def test_a_function_that_does_not_end_is_cancelled_after_a_little_time() -> None:
    was_cancelled = asyncio.Event()

    async def look_up() -> str:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            was_cancelled.set()
            raise
        return "found"

    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.send(request(call("c1", "look_up")))
        await lose(peer)

    async def second(peer: Peer) -> None:
        await peer.say("Welcome")
        peer.settings = json.loads(await peer.connection.recv())
        await peer.say("SettingsApplied")

    service = Service(first, second)
    async with opened(service, settings=SETTINGS, tools=[look_up]) as agent:
        await until(agent, FunctionCallRequest)
        async for event in agent:
            if isinstance(event, FunctionCallCancelled):
                assert [cancelled.id for cancelled in event.functions] == ["c1"]
                break
        await happens(was_cancelled)
    calls = service.settings[1]["agent"]["context"]["messages"][-1]["function_calls"]
    assert calls[0]["response"] == "The connection was lost before the function answered."


async def test_a_change_that_was_not_confirmed_is_made_again_and_confirmed_once() -> None:
    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.hear("UpdatePrompt")
        await lose(peer)

    async def second(peer: Peer) -> None:
        await peer.greet()
        assert (await peer.hear("UpdatePrompt"))["prompt"] == "Be brief."
        await peer.say("PromptUpdated")
        await lose(peer)

    async def third(peer: Peer) -> None:
        await peer.greet()
        await peer.hear("UpdatePrompt")
        await peer.say("PromptUpdated")
        await bye(peer)

    async with opened(Service(first, second, third)) as agent:
        await agent.update_prompt("Be brief.")
        events = await until(agent, AgentAudioDone)
    assert kinds(events).count("PromptUpdated") == 1
    assert kinds(events).count("Reconnected") == 2


async def test_an_injected_message_that_nobody_has_said_is_injected_again() -> None:
    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.hear("InjectAgentMessage")
        await lose(peer)

    async def second(peer: Peer) -> None:
        await peer.greet()
        assert (await peer.hear("InjectAgentMessage"))["message"] == "Time is up."
        await said(peer, "assistant", "Time is up.")

    async with opened(Service(first, second)) as agent:
        assert await agent.inject_agent_message("Time is up.") == Injection("spoken")


async def test_the_time_for_an_answer_does_not_run_without_a_connection() -> None:
    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.hear("UpdatePrompt")
        await peer.hear("InjectAgentMessage")
        await lose(peer)

    async def second(peer: Peer) -> None:
        await peer.greet()
        await peer.hear("UpdatePrompt")
        await peer.say("PromptUpdated")
        await peer.hear("InjectAgentMessage")
        await said(peer, "assistant", "Time is up.")

    async def pause(_: object) -> None:
        await asyncio.sleep(0.6)

    policy = msgspec.structs.replace(FAST, on_loss=pause)
    stream = StreamSettings(confirm_timeout_s=0.4, close_timeout_s=0.2)
    async with opened(Service(first, second), policy=policy, stream=stream) as agent:
        update = asyncio.create_task(agent.update_prompt("Be brief."))
        await asyncio.sleep(0)
        injection = await agent.inject_agent_message("Time is up.", timeout_s=0.4)
        assert injection == Injection("spoken")
        await update


# The beginning of the next connection.


async def test_a_connection_that_is_lost_in_its_beginning_is_replaced() -> None:
    async def first(peer: Peer) -> None:
        await peer.greet()
        await said(peer, "user", "Are you there?")
        await lose(peer)

    async def unwelcome(peer: Peer) -> None:
        await lose(peer)

    async def unapplied(peer: Peer) -> None:
        await peer.say("Welcome")
        peer.settings = await peer.hear("Settings")
        await lose(peer)

    async def last(peer: Peer) -> None:
        await peer.greet()
        assert (await peer.hear("InjectUserMessage"))["content"] == "Are you there?"
        await bye(peer)

    service = Service(first, unwelcome, unapplied, last)
    async with opened(service) as agent:
        events = await until(agent, AgentAudioDone)
    assert kinds(events).count("Welcome") == kinds(events).count("SettingsApplied") == 1
    assert kinds(events).count("Reconnected") == 3
    assert service.settings[2] == service.settings[3]


async def test_a_connection_that_is_never_welcomed_is_replaced_although_the_user_talks() -> None:
    async def first(peer: Peer) -> None:
        await peer.greet()
        await lose(peer)

    async def silent(peer: Peer) -> None:
        await peer.connection.wait_closed()

    async def last(peer: Peer) -> None:
        await peer.greet()
        assert isinstance(await peer.frame(), bytes)
        await bye(peer)

    stream = StreamSettings(open_timeout_s=0.2, close_timeout_s=0.2)
    async with opened(Service(first, silent, last), stream=stream) as agent:
        agent.start(talking())
        events = await until(agent, AgentAudioDone)
    reasons = [event.reason for event in events if isinstance(event, Reconnecting)]
    assert len(reasons) == 2
    assert "did not answer in time" in reasons[1]


async def test_audio_goes_on_and_pauses_are_filled_on_the_next_connection() -> None:
    frames: list[str | bytes] = []

    async def first(peer: Peer) -> None:
        await peer.greet()
        await lose(peer)

    async def second(peer: Peer) -> None:
        await peer.greet()
        while '{"type":"KeepAlive"}' not in frames:
            frames.append(await peer.frame())
        await bye(peer)

    stream = StreamSettings(agent_keepalive_s=0.1, dead_peer_s=0.8, close_timeout_s=0.2)
    async with opened(Service(first, second), stream=stream) as agent:
        await until(agent, Reconnecting)
        await agent.send_audio(silence())
        await until(agent, AgentAudioDone)
    assert frames == [silence(), '{"type":"KeepAlive"}']


async def test_audio_that_is_dropped_while_there_is_no_connection_is_told() -> None:
    async def first(peer: Peer) -> None:
        await peer.greet()
        await lose(peer)

    goes_on = asyncio.Event()

    async def wait(_: object) -> None:
        await happens(goes_on)

    policy = msgspec.structs.replace(FAST, on_loss=wait, replay_s=0.1)

    async def second(peer: Peer) -> None:
        await peer.greet()
        assert [await peer.frame() for _ in range(5)] == [silence()] * 5
        await bye(peer)

    async with opened(Service(first, second), policy=policy) as agent:
        await until(agent, Reconnecting)
        for _ in range(10):
            await agent.send_audio(silence())
        goes_on.set()
        again = (await until(agent, Reconnected))[-1]
        await until(agent, AgentAudioDone)
        stats = agent.stats()
    assert isinstance(again, Reconnected)
    assert (again.replayed_s, again.dropped_s) == (0.1, 0.1)
    assert (stats.reconnects, stats.dropped_s, stats.audio_sent_s) == (1, 0.1, 0.2)
