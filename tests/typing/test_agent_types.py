"""Read by the type checkers; nothing here is sent."""

from collections.abc import AsyncIterator
from typing import assert_type

from deepgram_async import (
    AgentStream,
    DeepgramSession,
    Injection,
    Reconnected,
    Reconnecting,
    StreamSettings,
    Tools,
)
from deepgram_async.models.agent import (
    AgentEvent,
    Audio,
    ConversationText,
    FunctionCallRequest,
    History,
)
from deepgram_async.models.agent_settings import (
    Agent,
    Context,
    DeepgramListenProviderV1,
    DeepgramSpeakProvider,
    Function,
    Listen,
    OpenAiThinkProvider,
    Settings,
    Speak,
    Think,
    ThinkLive,
)

tools = Tools()


@tools.tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tools.tool(timeout_s=3, defer_until_eot=True)
async def greet(name: str) -> str:
    """Greet somebody."""
    return name


async def tools_keep_the_types_of_functions() -> None:
    assert_type(await add(1, 2), int)
    assert_type(await greet("Kai"), str)
    assert_type(tools.functions, list[Function])


def settings() -> StreamSettings:
    assert_type(StreamSettings().agent_longest_s, float | None)
    return StreamSettings(agent_longest_s=None)


def conversations(dg: DeepgramSession) -> None:
    assert_type(dg.agent.converse(), AgentStream)
    assert_type(dg.agent.converse(Settings(), tools=tools), AgentStream)
    assert_type(dg.agent.converse({"agent": "id"}, tools=[add, greet]), AgentStream)
    dg.agent.converse(Settings(), tool=[add])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dg.agent.converse(agent="id")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def events(dg: DeepgramSession, microphone: AsyncIterator[bytes]) -> None:
    history: list[History] = []
    async with dg.agent.converse() as agent:
        assert_type(agent, AgentStream)
        assert_type(agent.tools, Tools)
        assert_type(agent.request_id, str | None)
        agent.start(microphone)
        async for event in agent:
            assert_type(event, AgentEvent)
            match event:
                case Audio():
                    assert_type(event.data, bytes)
                case ConversationText():
                    assert_type(event.content, str)
                case FunctionCallRequest():
                    assert_type(event.functions[0].arguments, str)
                case History():
                    history.append(event)
                case Reconnecting():
                    assert_type(event.reason, str)
                case Reconnected():
                    assert_type(event.is_planned, bool)
                case _:
                    pass
    Settings(agent=Agent(context=Context(messages=history)))


async def changes(agent: AgentStream) -> None:
    assert_type(await agent.update_prompt("Be brief."), None)
    await agent.update_think(Think(provider=OpenAiThinkProvider(model="brand-new")))
    await agent.update_think([Think(), Think()])
    await agent.update_think({"provider": {"type": "brand-new"}})
    await agent.update_speak(Speak(provider=DeepgramSpeakProvider(model="flux-kit-en")))
    await agent.update_listen(Listen(provider=DeepgramListenProviderV1(model="nova-3")))
    await agent.update_think_live(ThinkLive())
    await agent.send_audio(bytearray(2))
    await agent.inject_user_message("Hi")
    outcome = await agent.inject_agent_message("Hi", "queue", timeout_s=3)
    assert_type(outcome, Injection)
    assert_type(outcome.reason, str | None)
    await agent.inject_dynamic_message("interrupt")
    await agent.answer_function_call("c1", "3")
    await agent.inject_agent_message("Hi", "never")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
