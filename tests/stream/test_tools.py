import asyncio
import json
import logging
from typing import Any

import pytest

from deepgram_async import Injection, StreamSettings, Tools
from deepgram_async.errors import InvalidStateError, OptionError
from deepgram_async.models.agent import (
    AgentAudioDone,
    Audio,
    ConversationText,
    FunctionCall,
    FunctionCallCancelled,
    UserStartedSpeaking,
)
from deepgram_async.models.agent_settings import Agent, Settings, ThinkLive
from tests.support.agent import Peer, call, conversation, happens, request, until


async def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


async def fail() -> None:
    """Do something that does not work."""
    raise RuntimeError("password=hunter2")


def asked(name: str, arguments: str = "{}") -> FunctionCall:
    return FunctionCall(id="c1", name=name, arguments=arguments, client_side=True)


# Describing.


def test_a_function_is_described_by_its_name_docstring_and_hints() -> None:
    (definition,) = Tools([add]).functions
    assert definition.to_dict() == {
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 2}},
            "required": ["a"],
            "additionalProperties": False,
        },
    }


def test_a_decorator_returns_the_function_unchanged() -> None:
    tools = Tools()
    assert tools.tool(add) is add
    assert tools.tool(name="sum")(add) is add
    assert [function.name for function in tools.functions] == ["add", "sum"]
    assert len(tools) == 2


def test_what_the_service_knows_about_a_function_can_be_set() -> None:
    tools = Tools()
    tools.tool(
        name="plus",
        description="Add carefully.",
        defer_until_eot=True,
        initial_agent_filler=True,
        agent_filler_max_count=2,
        agent_filler_interval_ms=3000,
    )(add)
    definition = tools.functions[0].to_dict()
    del definition["parameters"]
    assert definition == {
        "name": "plus",
        "description": "Add carefully.",
        "defer_until_eot": True,
        "initial_agent_filler": True,
        "agent_filler_max_count": 2,
        "agent_filler_interval_ms": 3000,
    }


def test_a_name_is_given_once() -> None:
    with pytest.raises(OptionError, match="there is a tool 'add' already"):
        Tools([add, add])


def test_a_function_that_is_not_async_is_refused() -> None:
    def plain() -> None: ...

    with pytest.raises(OptionError, match="the tool 'plain' is not an async function"):
        Tools().tool(plain)  # type: ignore[type-var]  # pyright: ignore[reportCallIssue, reportArgumentType]


# Answering: whatever happens, there is one answer.


async def test_text_is_answered_as_it_is_and_other_values_as_json() -> None:
    tools = Tools([add])

    @tools.tool
    async def greet(name: str) -> str:
        return f"Hello, {name}."

    @tools.tool
    async def find() -> dict[str, list[int]]:
        return {"rooms": [1, 2]}

    @tools.tool
    async def forget() -> None: ...

    assert await tools.run(asked("add", '{"a":1}')) == "3"
    assert await tools.run(asked("greet", '{"name":"Kai"}')) == "Hello, Kai."
    assert await tools.run(asked("find")) == '{"rooms":[1,2]}'
    assert await tools.run(asked("forget", "")) == "null"


async def test_arguments_that_do_not_fit_are_answered_with_the_place() -> None:
    answer = await Tools([add]).run(asked("add", '{"a":"one"}'))
    assert answer == ("The arguments of add do not fit: Expected `int`, got `str` - at `$.a`.")


async def test_a_function_that_does_not_exist_is_answered() -> None:
    assert await Tools([add]).run(asked("subtract")) == "There is no function subtract."


async def test_the_words_of_an_exception_are_logged_and_not_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, "deepgram_async"):
        answer = await Tools([fail]).run(asked("fail"))
    assert answer == "The function fail failed."
    assert "hunter2" in caplog.text


async def test_a_function_that_takes_too_long_is_stopped_and_answered() -> None:
    tools = Tools(timeout_s=0.05)
    stopped = asyncio.Event()

    @tools.tool
    async def sleep() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            stopped.set()

    answer = await tools.run(asked("sleep"))
    assert answer == "The function sleep took longer than 0.05 seconds."
    assert stopped.is_set()


async def test_a_timeout_of_the_function_s_own_is_a_failure() -> None:
    tools = Tools()

    @tools.tool(timeout_s=5)
    async def ask() -> None:
        raise TimeoutError

    assert await tools.run(asked("ask")) == "The function ask failed."


async def test_a_function_that_cancels_itself_is_answered() -> None:
    tools = Tools()

    @tools.tool
    async def give_up() -> None:
        raise asyncio.CancelledError

    assert await tools.run(asked("give_up")) == "The function give_up failed."


@pytest.mark.parametrize("result", [object(), {"x": "\ud800"}])
async def test_a_result_that_json_cannot_hold_is_answered(result: object) -> None:
    tools = Tools()

    @tools.tool
    async def find() -> object:
        return result

    assert await tools.run(asked("find")) == "The function find failed."


async def test_text_that_utf8_cannot_hold_is_answered() -> None:
    tools = Tools()

    @tools.tool
    async def find() -> str:
        return "a\ud800"

    assert await tools.run(asked("find")) == "a?"


# In a conversation.


async def answers(peer: Peer, *calls: dict[str, object]) -> dict[str, str]:
    """Ask for calls and return the contents of the answers by id, each of which comes once."""
    await peer.send(request(*calls))
    found: dict[str, str] = {}
    for _ in calls:
        answer = await peer.hear("FunctionCallResponse")
        assert answer["id"] not in found
        found[answer["id"]] = answer["content"]
    return found


async def test_calls_are_answered_while_others_run() -> None:
    found: list[dict[str, str]] = []
    may_end = asyncio.Event()
    tools = Tools([add, fail])

    @tools.tool
    async def wait() -> str:
        await happens(may_end)
        return "at last"

    async def script(peer: Peer) -> None:
        await peer.send(request(call("c1", "wait"), call("c2", "fail")))
        assert (await peer.hear("FunctionCallResponse"))["id"] == "c2"
        found.append(await answers(peer, call("c3", "add", '{"a":1}'), call("c4", "none")))
        may_end.set()
        assert (await peer.hear("FunctionCallResponse"))["content"] == "at last"
        await peer.say("AgentAudioDone")

    async with conversation(script, tools=tools) as agent:
        await until(agent, AgentAudioDone)
    assert found == [{"c3": "3", "c4": "There is no function none."}]


async def test_the_functions_are_part_of_the_settings_and_of_a_new_model() -> None:
    seen: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        seen.append(peer.settings["agent"]["think"]["functions"][0])
        update = await peer.hear("UpdateThink")
        seen.append(update["think"]["functions"][0])
        await peer.say("ThinkUpdated")

    async with conversation(script, tools=[add]) as agent:
        await agent.update_think({"provider": {"type": "new"}})
    assert [function["name"] for function in seen] == ["add", "add"]


async def test_functions_may_be_added_until_the_conversation_is_opened() -> None:
    from deepgram_async import DeepgramSession

    async with DeepgramSession("sentinel") as dg:
        agent = dg.agent.converse()

        @agent.tool
        async def hang_up() -> None: ...

        @agent.tools.tool(name="wait")
        async def hold_on() -> None: ...

        assert [function.name for function in agent.tools.functions] == ["hang_up", "wait"]


async def test_a_tool_that_comes_after_the_settings_is_refused() -> None:
    async def script(peer: Peer) -> None: ...

    async with conversation(script) as agent:
        with pytest.raises(InvalidStateError, match="before the stream is opened"):
            agent.tool(add)


async def test_fillers_of_a_tool_need_think_live() -> None:
    tools = Tools()
    tools.tool(initial_agent_filler=True)(add)

    async def script(peer: Peer) -> None: ...

    with pytest.raises(OptionError, match=r"initial_agent_filler needs agent\.think_live"):
        async with conversation(script, tools=tools):
            pass
    settings = Settings(agent=Agent(think_live=ThinkLive()))
    async with conversation(script, settings=settings, tools=tools):
        pass


async def test_a_call_of_the_service_itself_is_left_to_it() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(request(call("c1", "add", '{"a":1}', client_side=False)))
        assert await answers(peer, call("c2", "add", '{"a":2}')) == {"c2": "4"}

    async with conversation(script, tools=[add]) as agent:
        async with asyncio.timeout(3):
            async for event in agent:
                if getattr(event, "functions", [asked("")])[0].id == "c2":
                    break
        await asyncio.sleep(0.05)


async def test_leaving_the_conversation_cancels_what_runs() -> None:
    started, stopped = asyncio.Event(), asyncio.Event()
    frames: list[str | bytes] = []
    tools = Tools()

    @tools.tool
    async def wait() -> None:
        started.set()
        try:
            await asyncio.sleep(10)
        finally:
            stopped.set()

    async def script(peer: Peer) -> None:
        await peer.send(request(call("c1", "wait")))
        frames.extend(await peer.listen())

    async with conversation(script, tools=tools):
        await happens(started)
    assert stopped.is_set()
    assert frames == []


async def test_a_call_that_goes_on_after_it_was_cancelled_is_not_answered() -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()
    tools = Tools([add])

    @tools.tool
    async def stubborn() -> str:
        started.set()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.set()
        return "too late"

    async def script(peer: Peer) -> None:
        await peer.send(request(call("c1", "stubborn")))
        await happens(started)
        await peer.say("FunctionCallCancelled", functions=[{"id": "c1", "name": "stubborn"}])
        await happens(cancelled)
        assert await answers(peer, call("c2", "add", '{"a":1}')) == {"c2": "3"}
        await peer.say("AgentAudioDone")

    async with conversation(script, tools=tools) as agent:
        await until(agent, AgentAudioDone)


async def test_a_whole_conversation() -> None:
    """Two tools, one slow and one failing, a barge-in, a cancelled call, a refused injection."""
    slow_started, slow_cancelled = asyncio.Event(), asyncio.Event()
    contents: list[str] = []
    tools = Tools([fail])

    @tools.tool(defer_until_eot=True)
    async def book(table: int, name: str = "nobody") -> str:
        """Book a table."""
        if table == 13:
            slow_started.set()
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                slow_cancelled.set()
                raise
        await asyncio.sleep(0.02)
        return f"Table {table} is booked for {name}."

    async def script(peer: Peer) -> None:
        (first, second) = peer.settings["agent"]["think"]["functions"]
        assert (first["name"], second["defer_until_eot"]) == ("fail", True)
        assert await peer.frame() == b"a table, please"
        await peer.say("ConversationText", role="user", content="A table, please.")
        await peer.say("EndOfThought")
        contents.extend(
            (
                await answers(
                    peer, call("c1", "book", '{"table":5,"name":"Kai"}'), call("c2", "fail")
                )
            ).values()
        )
        await peer.say("ConversationText", role="assistant", content="It is")
        await peer.say("AgentStartedSpeaking", total_latency=0.9)
        await peer.speak(*[b"speech"] * 20)
        # The user interrupts, and then changes the mind twice.
        await peer.say("UserStartedSpeaking")
        await peer.send(request(call("c3", "book", '{"table":13}')))
        await happens(slow_started)
        await peer.say("FunctionCallCancelled", functions=[{"id": "c3", "name": "book"}])
        await happens(slow_cancelled)
        injected = await peer.hear("InjectAgentMessage")
        assert injected["message"] == "One moment."
        await peer.say("InjectionRefused", message="The user is speaking.")
        await peer.say("ConversationText", role="assistant", content="Good bye.")
        await peer.speak(b"bye")
        await peer.say("AgentAudioDone")

    settings = StreamSettings(agent_keepalive_s=None)
    async with conversation(script, tools=tools, stream=settings) as agent:
        await agent.send_audio(b"a table, please")
        await happens(slow_cancelled)  # nobody takes the speech until the user interrupts
        refused = await agent.inject_agent_message("One moment.")
        assert refused == Injection("refused", "The user is speaking.")
        events = await until(agent, AgentAudioDone)
    assert contents == ["The function fail failed.", "Table 5 is booked for Kai."]
    assert [event.data for event in events if isinstance(event, Audio)] == [b"bye"]
    assert [event.content for event in events if isinstance(event, ConversationText)] == [
        "A table, please.",
        "It is",
        "Good bye.",
    ]
    kinds = [type(event) for event in events]
    assert kinds.index(UserStartedSpeaking) < kinds.index(FunctionCallCancelled)
    assert json.loads(agent.tools.functions[1].to_json())["parameters"]["required"] == ["table"]
