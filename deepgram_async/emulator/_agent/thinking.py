"""What it is to think for a voice agent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

import msgspec

from deepgram_async.models.agent import History
from deepgram_async.models.agent_settings import Function, Think

__all__ = ["ThinkFunction", "ThinkRequest", "Thought", "ToolCall"]


class ThinkRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent knows when it has to answer."""

    think: Think
    """The settings of the client: provider, prompt, functions."""
    messages: tuple[History, ...]
    """The conversation so far: words of both sides, and calls of functions with their responses. It
    ends with what is to be answered."""

    @property
    def prompt(self) -> str:
        """Who the agent is; may be empty."""
        return self.think.prompt or ""

    @property
    def functions(self) -> list[Function]:
        """What may be called."""
        return self.think.functions or []


class ToolCall(msgspec.Struct, frozen=True):
    """Calls a function; its response comes with the next request."""

    name: str
    arguments: str = "{}"
    """JSON text of an object."""
    id: str | None = None
    """Made up when it is left out."""


class Thought(msgspec.Struct, frozen=True):
    """Tells the client what goes on, unspoken, as `AgentThinking`."""

    content: str


ThinkFunction: TypeAlias = Callable[[ThinkRequest], AsyncIterator[str | ToolCall | Thought]]
"""Thinks for an agent: an asynchronous generator function.

It yields the answer as text, in parts of any size, which are spoken sentence by sentence as they
come. When it yields calls of functions, it is asked again when all of them are answered. An
exception lets the next provider of the settings try, and ends the conversation with
`FAILED_TO_THINK` when there is none. It is cancelled when the user interrupts.
"""
