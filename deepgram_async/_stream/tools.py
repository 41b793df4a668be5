"""Functions that a voice agent may call, written as plain async Python functions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar, overload

import msgspec

from deepgram_async._protocol.functions import Signature
from deepgram_async.errors import OptionError
from deepgram_async.models.agent import FunctionCall
from deepgram_async.models.agent_settings import Function

__all__ = ["ToolFunction", "Tools"]

_log = logging.getLogger("deepgram_async")

# The user hears nothing while a function runs.
_TIMEOUT_S: Final = 15.0

ToolFunction = Callable[..., Awaitable[object]]
"""An async function whose parameters have type hints."""

F = TypeVar("F", bound=ToolFunction)


class Tools:
    """Functions that a voice agent may call, by name.

    ::

        tools = Tools()

        @tools.tool
        async def get_weather(city: str, unit: Literal["C", "F"] = "C") -> str:
            \"\"\"Return the weather of a city.\"\"\"
            ...

        async with dg.agent.converse(settings, tools=tools) as agent:
            ...

    The language model gets the name, the docstring, and a JSON Schema made from the type hints;
    ``Annotated[str, msgspec.Meta(description="...")]`` describes a single parameter. What it sends
    is checked against the hints before the function runs. A ``str`` goes back as it is, anything
    else as JSON.

    Every call is answered, once: with the result, or with one sentence when the arguments do not
    fit, the time is up, or the function raises. The words of an exception stay here; they are
    logged, with the traceback. Calls run at the same time. A call that the service takes back is
    cancelled and not answered.

    Args:
        functions: Functions to begin with.
        timeout_s: How long a call may take.
    """

    def __init__(
        self, functions: Iterable[ToolFunction] = (), *, timeout_s: float = _TIMEOUT_S
    ) -> None:
        self._tools: dict[str, _Tool] = {}
        self._timeout_s = timeout_s
        for function in functions:
            self.tool(function)

    @overload
    def tool(self, function: F) -> F: ...
    @overload
    def tool(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        timeout_s: float | None = None,
        defer_until_eot: bool | None = None,
        initial_agent_filler: bool | None = None,
        agent_filler_max_count: int | None = None,
        agent_filler_interval_ms: int | None = None,
    ) -> Callable[[F], F]: ...
    def tool(
        self,
        function: F | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        timeout_s: float | None = None,
        **settings: Any,
    ) -> F | Callable[[F], F]:
        """Add a function and return it unchanged; a decorator, with or without arguments.

        Args:
            function: The function.
            name: What the language model calls it; its own name if left out.
            description: When to use it; the docstring if left out.
            timeout_s: How long a call may take; that of all tools if left out.
            **settings: ``defer_until_eot`` calls it only when the user's turn is settled, for what
                cannot be undone. ``initial_agent_filler``, ``agent_filler_max_count`` and
                ``agent_filler_interval_ms`` let the agent speak meanwhile.

        Raises:
            OptionError: It is not async, its name is taken, or its type hints are missing or have
                no JSON Schema.
        """

        def add(function: F) -> F:
            called = str(name or getattr(function, "__name__", "function"))
            if called in self._tools:
                raise OptionError(f"there is a tool {called!r} already", option="tools")
            signature = Signature(function, called)
            definition = Function(
                name=called,
                description=description or signature.description,
                parameters=signature.parameters,
                **settings,
            )
            limit = self._timeout_s if timeout_s is None else timeout_s
            self._tools[called] = _Tool(function, signature, definition, limit)
            return function

        return add if function is None else add(function)

    @property
    def functions(self) -> list[Function]:
        """What the settings of a conversation say about these functions."""
        return [tool.definition for tool in self._tools.values()]

    def __len__(self) -> int:
        return len(self._tools)

    async def run(self, call: FunctionCall) -> str:
        """Return the answer to a call, whatever happens; only cancelling it raises."""
        tool = self._tools.get(call.name)
        if tool is None:
            return f"There is no function {call.name}."
        return await tool.run(call.arguments)


class _Tool:
    """One function and what is known about it."""

    def __init__(
        self, function: ToolFunction, signature: Signature, definition: Function, timeout_s: float
    ) -> None:
        self.definition = definition
        self._function = function
        self._signature = signature
        self._timeout_s = timeout_s

    async def run(self, arguments: str) -> str:
        name = self.definition.name
        try:
            decoded = self._signature.decode(arguments)
        except msgspec.DecodeError as error:
            return f"The arguments of {name} do not fit: {error}."
        limit = asyncio.timeout(self._timeout_s)
        try:
            async with limit:
                result = await self._function(**decoded)
            if isinstance(result, str):
                return result.encode(errors="replace").decode()  # what UTF-8 cannot express
            return msgspec.json.encode(result).decode()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            _log.error("the tool %s cancelled itself", name)
        except Exception as error:  # whatever a function of the user raises: the call is answered
            if limit.expired() and isinstance(error, TimeoutError):
                _log.error("the tool %s took longer than %g s", name, self._timeout_s)
                return f"The function {name} took longer than {self._timeout_s:g} seconds."
            _log.exception("the tool %s failed", name)
        return f"The function {name} failed."
