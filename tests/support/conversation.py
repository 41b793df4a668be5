"""What a conversation with an agent remembers, told step by step."""

import json
from typing import Any

from deepgram_async._protocol.agent_fields import settings_fields
from deepgram_async._protocol.conversation import ConversationMemory
from deepgram_async.models.agent import (
    AgentEvent,
    ConversationText,
    FunctionCall,
    FunctionCallRequest,
    History,
    SettingsApplied,
    Welcome,
)
from deepgram_async.models.agent_settings import Agent, Context, Function, Settings

__all__ = [
    "RATE",
    "SETTINGS",
    "STORED",
    "again",
    "agent",
    "answer",
    "begun",
    "context",
    "frame",
    "inject",
    "request",
    "rest",
    "tell",
    "user",
    "written",
]

SETTINGS = settings_fields(
    Settings(
        agent=Agent(
            greeting="Hello!",
            context=Context(messages=[History(role="user", content="Long ago")]),
        ),
        tags=["test"],
    ),
    [Function(name="add")],
)
RATE = 48000
"""Bytes in a second of the settings' audio."""
STORED: dict[str, object] = {"type": "Settings", "agent": "8c5c9b8e-0000-0000-0000-000000000000"}


def user(content: str) -> ConversationText:
    """Return words of the user."""
    return ConversationText(role="user", content=content)


def agent(content: str, behavior: str | None = None) -> ConversationText:
    """Return words of the agent."""
    return ConversationText(role="assistant", content=content, conversational_behavior=behavior)


def request(*call_ids: str, client_side: bool = True) -> FunctionCallRequest:
    """Return the request for calls of a function."""
    calls = [
        FunctionCall(id=call_id, name="add", arguments="{}", client_side=client_side)
        for call_id in call_ids
    ]
    return FunctionCallRequest(functions=calls)


def frame(kind: str, **fields: object) -> str:
    """Return a message of the client."""
    return json.dumps({"type": kind, **fields}, separators=(",", ":"))


def answer(call_id: str, content: str) -> str:
    """Return the answer to a call."""
    return frame("FunctionCallResponse", id=call_id, name="add", content=content)


def inject(content: str) -> str:
    """Return a message that injects words of the user."""
    return frame("InjectUserMessage", content=content)


def begun(settings: dict[str, object] = SETTINGS, **bounds: Any) -> ConversationMemory:
    """Return the memory of a conversation whose settings are in force."""
    memory = ConversationMemory(settings, **bounds)
    assert memory.place(Welcome()) == Welcome()
    memory.add(json.dumps(settings), 0.0)
    assert memory.place(SettingsApplied()) == SettingsApplied()
    return memory


def tell(memory: ConversationMemory, *events: AgentEvent) -> None:
    """Let the service say what the user is told unchanged."""
    for event in events:
        assert memory.place(event) is event


def written(memory: ConversationMemory, now: float = 0.0) -> dict[str, Any]:
    """Return the settings of another connection, which is welcomed and told nothing more."""
    memory.rewind()
    memory.restart(now)
    assert memory.is_behind
    assert memory.next(now) is None
    assert memory.place(Welcome()) is None
    text = memory.next(now)
    assert isinstance(text, str)
    assert memory.next(now) is None
    settings: dict[str, Any] = json.loads(text)
    assert settings["type"] == "Settings"
    return settings


def context(settings: dict[str, Any]) -> list[str]:
    """Return the context as short words, without what the settings began with."""
    first, *messages = settings["agent"]["context"]["messages"]
    assert first == {"type": "History", "role": "user", "content": "Long ago"}
    lines: list[str] = []
    for message in messages:
        calls = message.get("function_calls", [])
        lines += [f"{call['id']} -> {call['response']}" for call in calls]
        lines += [f"{message['role']}: {message['content']}"] if "role" in message else []
    return lines


def again(memory: ConversationMemory, now: float = 0.0) -> list[str | bytes]:
    """Return all that is said after the settings of another connection, without a pace."""
    assert memory.place(SettingsApplied()) is None
    return rest(memory, now)


def rest(memory: ConversationMemory, now: float = 0.0) -> list[str | bytes]:
    """Return all that is said, without a pace."""
    frames: list[str | bytes] = []
    while (said := memory.next(now)) is not None:
        frames.append(said)
    return frames
