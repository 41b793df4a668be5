"""Thinking with any language model behind an interface like that of OpenAI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aiohttp
import msgspec

from deepgram_async.errors import ConfigurationError, ProtocolError

from .thinking import Thought, ToolCall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from deepgram_async.models.agent import History

    from .thinking import ThinkRequest

__all__ = ["OpenAiThinker"]

_EVENT: Final = b"data:"
_END: Final = b"[DONE]"


class OpenAiThinker:
    """Thinks for voice agents with chat completions: of OpenAI, or of a server like it.

    The answer is spoken while it is made. Functions of the agent become tools of the model; text
    that a server sends as `reasoning_content` becomes `AgentThinking`. Pass one as
    `Emulator(think=...)`.

    Args:
        base_url: The server, as in `http://localhost:11434/v1`. Without it, each request goes to
            the `endpoint` of the provider in the settings of the client, with its headers.
        api_key: Sent as a bearer token, if given; shown nowhere.
        model: The model, instead of the one in the settings.
        timeout_s: Time in which the server has to send something.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        model: str | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        self._url = None if base_url is None else f"{base_url.rstrip('/')}/chat/completions"
        self._api_key = api_key
        self._model = model
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=timeout_s)

    async def __call__(self, request: ThinkRequest) -> AsyncIterator[str | ToolCall | Thought]:
        """Yield the answer of the model as it comes, and then the tools it wants.

        Raises:
            ConfigurationError: Neither the thinker nor the settings name a server.
            ProtocolError: The server refuses, or does not answer as such a server does.
            aiohttp.ClientError: It cannot be reached, or breaks off.
            TimeoutError: It sends nothing for too long.
        """
        url, headers = self._server(request)
        tools = _Tools()
        async with (
            aiohttp.ClientSession(timeout=self._timeout) as http,
            http.post(url, data=self._body(request), headers=headers) as answer,
        ):
            if answer.status != 200:
                raise ProtocolError(
                    "the language model refused", body=await answer.read(), status=answer.status
                )
            async for line in answer.content:
                for part in _parts(line, tools):
                    yield part
        for call in tools.calls():
            yield call

    def _server(self, request: ThinkRequest) -> tuple[str, dict[str, str]]:
        headers = {"Content-Type": "application/json"}
        endpoint = request.think.endpoint
        if self._url is not None:
            if self._api_key is not None:
                headers["Authorization"] = f"Bearer {self._api_key}"
            return self._url, headers
        if endpoint is None:
            raise ConfigurationError(
                "no language model: give OpenAiThinker a base_url, or agent.think an endpoint"
            )
        return endpoint.url, headers | endpoint.headers

    def _body(self, request: ThinkRequest) -> bytes:
        provider = request.think.provider
        fields: dict[str, object] = {
            "model": self._model or provider.model,
            "stream": True,
            "messages": _messages(request),
        }
        if provider.temperature is not None:
            fields["temperature"] = provider.temperature
        if request.functions:
            fields["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": function.name,
                        "description": function.description or "",
                        "parameters": function.parameters or {"type": "object", "properties": {}},
                    },
                }
                for function in request.functions
            ]
        return msgspec.json.encode(fields)


def _messages(request: ThinkRequest) -> list[dict[str, object]]:
    messages: list[dict[str, object]] = []
    if request.prompt:
        messages.append({"role": "system", "content": request.prompt})
    for message in request.messages:
        messages += _written(message)
    return messages


def _written(message: History) -> Iterator[dict[str, object]]:
    if not message.function_calls:
        yield {"role": message.role or "user", "content": message.content or ""}
        return
    yield {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.function_calls
        ],
    }
    for call in message.function_calls:
        yield {"role": "tool", "tool_call_id": call.id, "content": call.response}


class _FunctionPart(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolPart(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _FunctionPart | None = None


class _Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[_ToolPart] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None


class _Chunk(msgspec.Struct):
    """What is used of one event of the stream."""

    choices: list[_Choice] = []


_decoder: Final = msgspec.json.Decoder(_Chunk)


class _Tools:
    """Calls of tools, which come in parts."""

    def __init__(self) -> None:
        self._calls: dict[int, ToolCall] = {}

    def add(self, part: _ToolPart) -> None:
        before = self._calls.get(part.index) or ToolCall("", "")
        function = part.function or _FunctionPart()
        self._calls[part.index] = ToolCall(
            before.name + (function.name or ""),
            before.arguments + (function.arguments or ""),
            part.id or before.id,
        )

    def calls(self) -> Iterator[ToolCall]:
        for _, call in sorted(self._calls.items()):
            yield ToolCall(call.name, call.arguments or "{}", call.id)


def _parts(line: bytes, tools: _Tools) -> Iterator[str | Thought]:
    """Yield what one line of the stream says."""
    line = line.strip()
    if not line.startswith(_EVENT) or line.endswith(_END):
        return
    try:
        chunk = _decoder.decode(line.removeprefix(_EVENT).strip())
    except msgspec.DecodeError:
        raise ProtocolError(
            "the language model sent what is no chat completion", body=line
        ) from None
    for choice in chunk.choices:
        delta = choice.delta or _Delta()
        for part in delta.tool_calls or ():
            tools.add(part)
        if delta.reasoning_content:
            yield Thought(delta.reasoning_content)
        if delta.content:
            yield delta.content
