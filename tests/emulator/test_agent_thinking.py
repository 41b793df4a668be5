"""Who thinks for a voice agent: by rules, and by a language model behind OpenAI's interface."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from deepgram_async.emulator import (
    OpenAiThinker,
    ThinkFunction,
    ThinkRequest,
    Thought,
    ToolCall,
    think_by_rules,
)
from deepgram_async.errors import ConfigurationError, ProtocolError
from deepgram_async.models.agent import History, HistoryFunctionCall
from deepgram_async.models.agent_settings import (
    Endpoint,
    Function,
    OpenAiThinkProvider,
    Think,
)
from tests.support.servers import http_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

FUNCTIONS = [
    Function(
        name="get_weather",
        description="Return the weather of a city.",
        parameters={
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"enum": ["celsius", "fahrenheit"], "type": "string"},
            },
            "required": ["city"],
        },
    ),
    Function(
        name="book_table",
        description="Reserve a table at a restaurant.",
        parameters={
            "type": "object",
            "properties": {
                "restaurant": {"type": "string"},
                "guests": {"type": "integer"},
                "day": {"type": "string"},
                "time": {"type": "string"},
                "outside": {"type": "boolean"},
                "email": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
            "required": ["restaurant", "guests"],
        },
    ),
    Function(name="turnOnLights", description="Switch the lights on."),
    Function(
        name="set_temperature",
        description="Heat a room to degrees.",
        parameters={
            "type": "object",
            "properties": {
                "degrees": {"type": "number"},
                "rooms": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["degrees"],
        },
    ),
]


def said(role: str, content: str) -> History:
    return History(role=role, content=content)


def responded(name: str, response: str) -> History:
    call = HistoryFunctionCall(
        id="c-1", name=name, client_side=True, arguments="{}", response=response
    )
    return History(function_calls=[call])


async def thought(
    think: ThinkFunction, *messages: History, **settings: Any
) -> list[str | ToolCall | Thought]:
    settings.setdefault("functions", FUNCTIONS)
    request = ThinkRequest(think=Think(**settings), messages=messages)
    return [part async for part in think(request)]


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "What is the weather in Oslo?": ("get_weather", {"city": "Oslo"}),
    "What's the weather like in New York today in fahrenheit?": (
        "get_weather",
        {"city": "New York", "unit": "fahrenheit"},
    ),
    "weather please for san francisco": ("get_weather", {"city": "san francisco"}),
    "Book a table for four at Luigi's tomorrow at 7 pm, outside please.": (
        "book_table",
        {"restaurant": "Luigi's", "guests": 4, "day": "tomorrow", "time": "7 pm", "outside": True},
    ),
    'Reserve a table for 2 at "The Old Mill", mail to ann@example.com.': (
        "book_table",
        {"restaurant": "The Old Mill", "guests": 2, "email": "ann@example.com"},
    ),
    "Turn on the lights.": ("turnOnLights", {}),
    "Set the temperature to 21.5 degrees in kitchen and bedroom.": (
        "set_temperature",
        {"degrees": 21.5, "rooms": ["kitchen", "bedroom"]},
    ),
}


@pytest.mark.parametrize("text", CALLS)
async def test_a_function_is_called_by_its_words_with_arguments_from_the_words(text: str) -> None:
    name, arguments = CALLS[text]
    told, call = await thought(think_by_rules, said("user", text))
    assert isinstance(told, Thought)
    assert isinstance(call, ToolCall)
    assert (call.name, json.loads(call.arguments)) == (name, arguments)


async def test_a_missing_argument_is_asked_for_and_found_in_the_answer() -> None:
    asked = said("user", "How is the weather?")
    assert await thought(think_by_rules, asked) == ["Which city?"]
    parts = await thought(
        think_by_rules, asked, said("assistant", "Which city?"), said("user", "Oslo.")
    )
    assert parts[-1] == ToolCall("get_weather", '{"city":"Oslo"}')


RESPONSES = {
    "It is sunny in Oslo.": "It is sunny in Oslo.",
    '{"temperature": 20, "isSunny": true, "wind": null}': (
        "temperature is 20, is sunny is yes, wind is nothing. "
    ),
    '["Oslo", "Bergen"]': "Oslo, Bergen. ",
    "[]": "nothing. ",
}


@pytest.mark.parametrize("response", RESPONSES)
async def test_the_response_of_a_function_is_read_out(response: str) -> None:
    parts = await thought(
        think_by_rules, said("user", "weather in Oslo"), responded("get_weather", response)
    )
    assert parts == [RESPONSES[response]]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Hello there.", "Hello! How can I help you?"),
        ("Thank you, bye.", "You're welcome. Goodbye!"),
        ("My dog is brown.", "You said: My dog is brown."),
    ],
)
async def test_anything_else_is_answered_without_a_function(text: str, answer: str) -> None:
    assert await thought(think_by_rules, said("user", text)) == [answer]


async def test_without_a_word_of_the_user_the_agent_says_so() -> None:
    assert await thought(think_by_rules) == ["I did not hear anything."]


# A language model.

Asked = tuple[str, dict[str, str], dict[str, Any]]
"""Path, headers and body of a request."""


def chunk(**delta: Any) -> str:
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}) + "\n\n"


def tool(index: int, **fields: Any) -> str:
    return chunk(tool_calls=[{"index": index, **fields}])


@asynccontextmanager
async def model(*lines: str, status: int = 200) -> AsyncGenerator[tuple[str, list[Asked]]]:
    """Serve a language model that says these lines, whatever it is asked; note what it is asked."""
    asked: list[Asked] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append((request.path, dict(request.headers), await request.json()))
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        for line in lines:
            await response.write(line.encode())
        return response

    async with http_server(answer) as url:
        yield f"{url}/v1", asked


async def test_a_model_is_asked_with_the_whole_conversation() -> None:
    async with model(chunk(content="Hi."), "data: [DONE]\n\n") as (url, asked):
        await thought(
            OpenAiThinker(url, api_key="sentinel"),
            said("user", "Weather in Oslo?"),
            responded("get_weather", "sunny"),
            prompt="Be brief.",
            provider=OpenAiThinkProvider(model="gpt-4o-mini", temperature=0.5),
        )
    ((path, headers, body),) = asked
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer sentinel"
    assert (body["model"], body["temperature"], body["stream"]) == ("gpt-4o-mini", 0.5, True)
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Oslo?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "c-1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": "{}"},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c-1", "content": "sunny"},
    ]
    assert body["tools"][0]["function"] == {
        "name": "get_weather",
        "description": "Return the weather of a city.",
        "parameters": FUNCTIONS[0].parameters,
    }


async def test_text_comes_in_parts_and_thoughts_apart() -> None:
    lines = [
        chunk(role="assistant", content=""),
        chunk(reasoning_content="Hm."),
        chunk(content="It is "),
        ": a comment\n\n",
        chunk(content="sunny."),
        'data: {"choices":[],"usage":{}}\n\n',
        "data: [DONE]\n\n",
    ]
    async with model(*lines) as (url, _):
        parts = await thought(OpenAiThinker(url), said("user", "Weather?"))
    assert parts == [Thought("Hm."), "It is ", "sunny."]


async def test_calls_of_tools_come_in_pieces_and_are_put_together() -> None:
    lines = [
        tool(0, id="call-0", function={"name": "get_weather", "arguments": ""}),
        tool(0, function={"arguments": '{"city":'}),
        tool(1, id="call-1", function={"name": "turnOnLights", "arguments": ""}),
        tool(0, function={"arguments": '"Oslo"}'}),
        "data: [DONE]\n\n",
    ]
    async with model(*lines) as (url, _):
        parts = await thought(OpenAiThinker(url), said("user", "Weather?"))
    assert parts == [
        ToolCall("get_weather", '{"city":"Oslo"}', "call-0"),
        ToolCall("turnOnLights", "{}", "call-1"),
    ]


async def test_without_a_server_of_its_own_the_endpoint_of_the_settings_is_asked() -> None:
    async with model(chunk(content="Hi.")) as (url, asked):
        endpoint = Endpoint(url=f"{url}/chat/completions", headers={"X-Key": "sentinel"})
        parts = await thought(OpenAiThinker(), said("user", "Hello"), endpoint=endpoint)
        with pytest.raises(ConfigurationError, match="base_url"):
            await thought(OpenAiThinker(), said("user", "Hello"))
    assert parts == ["Hi."]
    assert asked[0][1]["X-Key"] == "sentinel"


async def test_another_model_than_that_of_the_settings_may_be_wanted() -> None:
    async with model() as (url, asked):
        await thought(OpenAiThinker(url, model="llama"), said("user", "Hello"), functions=None)
    assert asked[0][2]["model"] == "llama"
    assert "tools" not in asked[0][2]


@pytest.mark.parametrize("line", ["data: no JSON\n\n", 'data: {"choices":[{"delta":7}]}\n\n'])
async def test_a_server_that_is_no_language_model_is_an_error(line: str) -> None:
    async with model(line) as (url, _):
        with pytest.raises(ProtocolError):
            await thought(OpenAiThinker(url), said("user", "Hello"))


async def test_a_refusal_is_an_error_with_its_body() -> None:
    async with model("no credit", status=402) as (url, _):
        with pytest.raises(ProtocolError) as refused:
            await thought(OpenAiThinker(url, api_key="sentinel"), said("user", "Hello"))
    assert (refused.value.status, refused.value.body) == (402, b"no credit")
    assert "sentinel" not in str(refused.value) + repr(refused.value)
