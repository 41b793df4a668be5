"""Voice agents over a WebSocket, with a plain client."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from deepgram_async.emulator import (
    OpenAiThinker,
    ScriptedRecognizer,
    ThinkRequest,
    Thought,
    ToneSynthesizer,
    ToolCall,
)
from tests.support.servers import http_server

from .helpers import RATE, Client, Message, serving, silence
from .speaking import CHARACTER_S, BrokenSynthesizer, HeldSynthesizer, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

PATH = "/v1/agent/converse"
OPEN_AI = {"type": "open_ai", "model": "gpt-4o-mini"}
AUDIO = {
    "input": {"encoding": "linear16", "sample_rate": RATE},
    "output": {"encoding": "linear16", "sample_rate": 8000, "container": "none"},
}
WEATHER = {
    "name": "get_weather",
    "description": "Return the weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
FLUX = {"provider": {"type": "deepgram", "version": "v2", "model": "flux-general-en"}}
QUESTION = ScriptedRecognizer(
    [("Is", 0.5, 0.8), ("anybody", 0.8, 1.2), ("there?", 1.2, 1.5), ("Hello?", 3.5, 4.0)]
)


def settings(think: dict[str, Any] | None = None, **agent: Any) -> dict[str, Any]:
    one = {"provider": OPEN_AI, **(think or {})}
    return {"audio": AUDIO, "agent": {"think": one, **agent}}


@asynccontextmanager
async def conversing(client: Client, **fields: Any) -> AsyncGenerator[Talk]:
    """Open a conversation whose settings are applied."""
    async with talking(client, PATH) as talk:
        await talk.until("Welcome")
        await talk.say("Settings", **(fields or settings()))
        await talk.until("SettingsApplied")
        talk.order.clear()
        yield talk


async def speak(talk: Talk, seconds: float) -> None:
    for _ in range(round(seconds / 0.1)):
        await talk.socket.send_bytes(silence(0.1))


def texts(messages: list[Message], role: str = "assistant") -> list[str]:
    return [
        message["content"]
        for message in messages
        if message["type"] == "ConversationText" and message["role"] == role
    ]


def audio_size(text: str, *, speed: float = 1.0) -> int:
    return round(len(text) * CHARACTER_S * 16000 / speed)


def answering(*parts: str | ToolCall | Thought) -> Any:
    async def think(request: ThinkRequest) -> AsyncIterator[str | ToolCall | Thought]:
        for part in parts:
            yield part

    return think


# The beginning.


async def test_the_conversation_begins_with_a_welcome() -> None:
    async with serving() as client, talking(client, PATH) as talk:
        welcome = await talk.receive()
        assert welcome == {
            "type": "Welcome",
            "request_id": client.noted.headers["dg-request-id"],
        }


async def test_the_greeting_is_spoken_first() -> None:
    async with serving() as client, talking(client, PATH) as talk:
        await talk.until("Welcome")
        await talk.say("Settings", **settings(greeting="Good morning!"))
        messages = await talk.until("AgentAudioDone")
    assert talk.order == [
        "Welcome",
        "SettingsApplied",
        "ConversationText",
        "History",
        "audio",
        "AgentAudioDone",
    ]
    assert texts(messages) == ["Good morning!"]
    assert len(talk.audio) == audio_size("Good morning!")


BAD_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown field": ({"agent": {**settings()["agent"], "tags": []}}, "agent.tags"),
    "a field of another place": (
        {"agent": {**settings()["agent"], "listen": {"model": "nova-3"}}},
        "agent.listen.model",
    ),
    "an unknown field of a function": (
        settings({"functions": [{"name": "f", "method": "GET"}]}),
        "agent.think.functions[0].method",
    ),
    "a missing field": (settings({"provider": {"type": "open_ai"}}), "agent.think.provider.model"),
    "a float for an int": (
        {**settings(), "audio": {"input": {"encoding": "linear16", "sample_rate": 8000.0}}},
        "audio.input.sample_rate",
    ),
}


async def test_settings_that_cannot_be_read_end_it_and_name_the_place() -> None:
    async with serving() as client:
        for case, (fields, place) in BAD_SETTINGS.items():
            async with talking(client, PATH) as talk:
                await talk.say("Settings", **fields)
                error = (await talk.rest())[-1]
            assert (error["type"], error["code"]) == ("Error", "UNPARSABLE_CLIENT_MESSAGE"), case
            assert error["description"] == (
                f"Error parsing client message. Check the {place} field against the API spec."
            )
            assert talk.code == 1008


INVALID_SETTINGS = {
    "an endpoint that does not resolve": (
        settings({"functions": [{"name": "f", "endpoint": {"url": "http://no.invalid/f"}}]}),
        "Failed to resolve endpoint: http://no.invalid/f",
    ),
    "a Flux voice in a container": (
        {
            **settings(speak={"provider": {"type": "deepgram", "model": "flux-kit-en"}}),
            "audio": {**AUDIO, "output": {"encoding": "mp3"}},
        },
        "output",
    ),
    "too hot": (settings({"provider": {**OPEN_AI, "temperature": 3}}), "temperature"),
    "filler without think_live": (
        settings({"functions": [{"name": "f", "initial_agent_filler": True}]}),
        "think_live",
    ),
    "an unknown output": (
        {**settings(), "audio": {**AUDIO, "output": {"encoding": "pcm"}}},
        "audio.output.encoding",
    ),
}


async def test_settings_that_make_no_sense_end_it() -> None:
    async with serving() as client:
        for case, (fields, words) in INVALID_SETTINGS.items():
            async with talking(client, PATH) as talk:
                await talk.say("Settings", **fields)
                error = (await talk.rest())[-1]
            assert error["code"] == "INVALID_SETTINGS", case
            assert words in error["description"]


async def test_an_input_that_is_not_decoded_ends_it() -> None:
    fields = {**settings(), "audio": {"input": {"encoding": "g729", "sample_rate": 8000}}}
    async with serving() as client, talking(client, PATH) as talk:
        await talk.say("Settings", **fields)
        error = (await talk.rest())[-1]
    assert error["code"] == "USER_AUDIO_FORMAT"


@pytest.mark.parametrize("frame", ['{"type":"KeepAlive"}', b"audio"])
async def test_settings_have_to_come_first(frame: str | bytes) -> None:
    async with serving() as client, talking(client, PATH) as talk:
        if isinstance(frame, str):
            await talk.socket.send_str(frame)
        else:
            await talk.socket.send_bytes(frame)
        error = (await talk.rest())[-1]
    assert error["code"] == "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS"


async def test_settings_come_once() -> None:
    async with serving() as client, conversing(client) as talk:
        await talk.say("Settings", **settings())
        error = (await talk.rest())[-1]
    assert error["code"] == "SETTINGS_ALREADY_APPLIED"


@pytest.mark.parametrize("frame", ["no JSON", '{"type":"Sing"}', '{"type":"UpdatePrompt"}'])
async def test_what_is_no_message_ends_it(frame: str) -> None:
    async with serving() as client, conversing(client) as talk:
        await talk.socket.send_str(frame)
        error = (await talk.rest())[-1]
    assert (error["code"], talk.code) == ("UNPARSABLE_CLIENT_MESSAGE", 1008)


async def test_a_stored_agent_speaks_with_its_variables() -> None:
    async with serving() as client:
        url = f"{client.emulator.base_url}/v1/projects"
        async with client.http.get(url) as answer:
            (project,) = (await answer.json())["projects"]
        url += f"/{project['project_id']}"
        variable = {"key": "DG_GREETING", "value": "Good morning!"}
        async with client.http.post(f"{url}/agent-variables", json=variable) as answer:
            assert answer.status == 200
        config = '{"think":{"provider":{"type":"open_ai","model":"x"}},"greeting":"DG_GREETING"}'
        async with client.http.post(f"{url}/agents", json={"config": config}) as answer:
            agent_id = (await answer.json())["agent_id"]
        async with conversing(client, audio=AUDIO, agent=agent_id) as talk:
            assert texts(await talk.until("AgentAudioDone")) == ["Good morning!"]
        async with talking(client, PATH) as talk:
            await talk.say("Settings", audio=AUDIO, agent="0" * 32)
            assert (await talk.rest())[-1]["code"] == "INVALID_AGENT_ID"


# Listening and answering.


async def test_a_spoken_turn_is_answered_in_the_recorded_order() -> None:
    think = answering("It is ", "me. And ", "you?")
    async with serving(QUESTION, think=think) as client, conversing(client) as talk:
        await speak(talk, 3.0)
        messages = await talk.until("AgentAudioDone")
    assert talk.order == [
        "UserStartedSpeaking",
        "ConversationText",
        "History",
        "EndOfThought",
        "ConversationText",
        "History",
        "AgentStartedSpeaking",
        "LatencyReport",
        "audio",
        "ConversationText",
        "History",
        "audio",
        "AgentAudioDone",
    ]
    assert texts(messages, "user") == ["Is anybody there?"]
    assert texts(messages) == ["It is me.", "And you?"]
    started = next(m for m in messages if m["type"] == "AgentStartedSpeaking")
    assert 0 <= started["tts_latency"] <= started["total_latency"]
    assert 0 <= started["ttt_latency"] <= started["total_latency"]
    assert len(talk.audio) == audio_size("It is me.And you?")


async def test_flux_tells_the_end_of_the_turn_and_ends_it_on_demand() -> None:
    async with serving(QUESTION) as client, conversing(client, **settings(listen=FLUX)) as talk:
        await speak(talk, 1.5)
        await talk.say("ForceEndTurn")
        messages = await talk.until("AgentAudioDone")
        await talk.say("ForceEndTurn")
    assert texts(messages, "user") == ["Is anybody there?"]
    assert talk.order[:3] == ["UserStartedSpeaking", "EndOfTurn", "ConversationText"]


async def test_other_models_cannot_be_forced() -> None:
    async with serving(QUESTION) as client, conversing(client) as talk:
        await talk.say("ForceEndTurn")
        warning = (await talk.until("Warning"))[-1]
    assert warning["code"] == "FORCE_END_TURN_UNSUPPORTED"


async def test_history_can_be_switched_off() -> None:
    fields = {**settings(greeting="Hi!"), "flags": {"history": False}}
    async with serving() as client, conversing(client, **fields) as talk:
        await talk.until("AgentAudioDone")
    assert "History" not in talk.order


async def test_the_thinker_knows_prompt_functions_and_the_conversation_so_far() -> None:
    asked: list[ThinkRequest] = []

    async def think(request: ThinkRequest) -> AsyncIterator[str]:
        asked.append(request)
        yield "Yes."

    context = {"messages": [{"type": "History", "role": "user", "content": "I am Ann."}]}
    fields = settings({"prompt": "Be brief.", "functions": [WEATHER]}, context=context)
    async with serving(think=think) as client, conversing(client, **fields) as talk:
        await talk.say("UpdatePrompt", prompt="Be kind.")
        await talk.until("PromptUpdated")
        for text in ("Hello", "Who am I?"):
            await talk.say("InjectUserMessage", content=text)
            await talk.until("AgentAudioDone")
    request = asked[-1]
    assert request.prompt == "Be brief.\nBe kind."
    assert [function.name for function in request.functions] == ["get_weather"]
    assert [(m.role, m.content) for m in request.messages] == [
        ("user", "I am Ann."),
        ("user", "Hello"),
        ("assistant", "Yes."),
        ("user", "Who am I?"),
    ]


async def test_thoughts_are_told_and_not_spoken() -> None:
    think = answering(Thought("Hm."), "Yes.")
    async with serving(think=think) as client, conversing(client) as talk:
        await talk.say("InjectUserMessage", content="Hello")
        messages = await talk.until("AgentAudioDone")
    assert {"type": "AgentThinking", "content": "Hm."} in messages
    assert texts(messages) == ["Yes."]


@pytest.mark.parametrize(
    ("output", "start"),
    [
        ({"encoding": "mulaw", "sample_rate": 8000, "container": "none"}, b""),
        ({"encoding": "linear16", "sample_rate": 16000, "container": "wav"}, b"RIFF"),
        ({"encoding": "opus", "container": "ogg"}, b"OggS"),
        ({"encoding": "mp3"}, b"\xff"),
    ],
)
async def test_the_agent_speaks_in_the_form_that_is_asked_for(
    output: dict[str, Any], start: bytes
) -> None:
    fields = {**settings(greeting="Hello there!"), "audio": {**AUDIO, "output": output}}
    async with serving() as client, conversing(client, **fields) as talk:
        await talk.until("AgentAudioDone")
    assert talk.audio.startswith(start)
    if output["encoding"] == "mulaw":
        assert 2 * len(talk.audio) == audio_size("Hello there!")


# Functions.


async def test_the_client_calls_a_function_and_the_response_is_spoken() -> None:
    fields = settings({"functions": [WEATHER]})
    async with serving() as client, conversing(client, **fields) as talk:
        await talk.say("InjectUserMessage", content="What is the weather in Oslo?")
        messages = await talk.until("FunctionCallRequest")
        (call,) = messages[-1]["functions"]
        assert (call["name"], call["arguments"]) == ("get_weather", '{"city":"Oslo"}')
        assert call["client_side"] is True
        await talk.say("FunctionCallResponse", id="another", name="get_weather", content="rain")
        await talk.say(
            "FunctionCallResponse", id=call["id"], name="get_weather", content="It is sunny."
        )
        messages = await talk.until("AgentAudioDone")
    assert texts(messages) == ["It is sunny."]
    (history,) = (m["function_calls"] for m in messages if "function_calls" in m)
    assert history == [
        {
            "id": call["id"],
            "name": "get_weather",
            "client_side": True,
            "arguments": '{"city":"Oslo"}',
            "response": "It is sunny.",
        }
    ]


async def test_the_service_calls_a_function_that_has_an_endpoint() -> None:
    asked: list[tuple[str, str]] = []

    async def weather(request: web.Request) -> web.Response:
        asked.append((request.method, await request.text()))
        return web.Response(text="It is cold.")

    async with http_server(weather) as url, serving() as client:
        function = {**WEATHER, "endpoint": {"url": f"{url}/weather", "method": "POST"}}
        async with conversing(client, **settings({"functions": [function]})) as talk:
            await talk.say("InjectUserMessage", content="What is the weather in Oslo?")
            messages = await talk.until("AgentAudioDone")
    assert asked == [("POST", '{"city":"Oslo"}')]
    (response,) = (m for m in messages if m["type"] == "FunctionCallResponse")
    assert (response["name"], response["content"]) == ("get_weather", "It is cold.")
    assert texts(messages) == ["It is cold."]


async def test_an_endpoint_that_fails_is_warned_of() -> None:
    async def weather(request: web.Request) -> web.Response:
        return web.Response(status=500)

    async with http_server(weather) as url, serving() as client:
        function = {**WEATHER, "endpoint": {"url": url, "method": "GET"}}
        async with conversing(client, **settings({"functions": [function]})) as talk:
            await talk.say("InjectUserMessage", content="What is the weather in Oslo?")
            messages = await talk.until("AgentAudioDone")
    (warning,) = (m for m in messages if m["type"] == "Warning")
    assert warning["code"] == "FUNCTION_CALL_FAILED"


async def test_a_call_of_a_function_that_is_not_there_ends_it() -> None:
    think = answering(ToolCall("fly"))
    async with serving(think=think) as client, conversing(client) as talk:
        await talk.say("InjectUserMessage", content="Fly!")
        error = (await talk.rest())[-1]
    assert error["code"] == "NON_EXISTENT_FUNCTION_CALLED"


async def test_calls_that_wait_are_cancelled_when_the_user_says_more() -> None:
    async def think(request: ThinkRequest) -> AsyncIterator[str | ToolCall]:
        is_over = request.messages[-1].content == "Never mind."
        yield "All right." if is_over else ToolCall("get_weather")

    fields = settings({"functions": [WEATHER]})
    async with serving(think=think) as client, conversing(client, **fields) as talk:
        await talk.say("InjectUserMessage", content="What is the weather in Oslo?")
        (call,) = (await talk.until("FunctionCallRequest"))[-1]["functions"]
        await talk.say("InjectUserMessage", content="Never mind.")
        messages = await talk.until("AgentAudioDone")
    (cancelled,) = (m for m in messages if m["type"] == "FunctionCallCancelled")
    assert cancelled["functions"] == [{"id": call["id"], "name": "get_weather"}]
    assert texts(messages) == ["All right."]


async def test_a_language_model_calls_a_function_and_answers_while_it_thinks() -> None:
    def event(**delta: Any) -> bytes:
        return b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n"

    tool = {"index": 0, "id": "call-7", "function": {"name": "get_weather", "arguments": "{}"}}
    answers = [[event(tool_calls=[tool])], [event(content="It is "), event(content="sunny. Yes.")]]
    asked: list[dict[str, Any]] = []

    async def model(request: web.Request) -> web.StreamResponse:
        asked.append(await request.json())
        response = web.StreamResponse()
        await response.prepare(request)
        for part in answers[len(asked) - 1]:
            await response.write(part)
        return response

    async with http_server(model) as url, serving(think=OpenAiThinker(url)) as client:
        async with conversing(client, **settings({"functions": [WEATHER]})) as talk:
            await talk.say("InjectUserMessage", content="How is it outside?")
            (call,) = (await talk.until("FunctionCallRequest"))[-1]["functions"]
            assert call["id"] == "call-7"
            await talk.say("FunctionCallResponse", id="call-7", name="get_weather", content="sun")
            messages = await talk.until("AgentAudioDone")
    assert texts(messages) == ["It is sunny.", "Yes."]
    assert asked[1]["messages"][-1] == {
        "role": "tool",
        "tool_call_id": "call-7",
        "content": "sun",
    }


# Interruptions.


async def test_a_user_who_speaks_interrupts_the_agent() -> None:
    voice = HeldSynthesizer()
    fields = settings(greeting="First sentence. Second sentence.")
    async with (
        serving(QUESTION, synthesizer=voice) as client,
        conversing(client, **fields) as talk,
    ):
        while not talk.audio:
            frame = await talk.socket.receive()
            talk.audio += frame.data if isinstance(frame.data, bytes) else b""
        await speak(talk, 1.0)
        await talk.until("UserStartedSpeaking")
        before = len(talk.audio)
        voice.go_on.set()
        await talk.until("AgentAudioDone")
        assert len(talk.audio) == before
        await speak(talk, 2.0)
        messages = await talk.until("AgentAudioDone")
    assert texts(messages, "user") == ["Is anybody there?"]


async def test_a_new_message_ends_the_old_answer_and_both_are_answered_from() -> None:
    asked: list[ThinkRequest] = []

    async def think(request: ThinkRequest) -> AsyncIterator[str]:
        asked.append(request)
        if len(asked) == 1:
            await asyncio.Event().wait()
        yield "Both."

    async with serving(think=think) as client, conversing(client) as talk:
        await talk.say("InjectUserMessage", content="One?")
        await talk.until("EndOfThought")
        await talk.say("InjectUserMessage", content="Two?")
        messages = await talk.until("AgentAudioDone")
    assert texts(messages) == ["Both."]
    assert [message.content for message in asked[-1].messages] == ["One?", "Two?"]


async def test_sentences_wait_until_the_one_before_is_nearly_played() -> None:
    think = answering("One sentence. ", "Another sentence.")
    clock = asyncio.get_running_loop().time
    async with serving(think=think, agent_lead_s=0.1) as client, conversing(client) as talk:
        await talk.say("InjectUserMessage", content="Hello")
        await talk.until("AgentStartedSpeaking")
        began_at = clock()
        await talk.until("AgentAudioDone")
    assert clock() - began_at > len("One sentence.") * CHARACTER_S - 0.2


# Injected messages.


async def test_an_injected_message_is_spoken_without_thinking() -> None:
    async with serving() as client, conversing(client) as talk:
        await talk.say("InjectAgentMessage", message="Are you still there?")
        await talk.until("AgentAudioDone")
    assert talk.order == ["ConversationText", "History", "audio", "AgentAudioDone"]


async def test_whether_an_injected_message_is_spoken_depends_on_its_behavior() -> None:
    voice = HeldSynthesizer()
    async with (
        serving(synthesizer=voice) as client,
        conversing(client, **settings(greeting="First. Second.")) as talk,
    ):
        await talk.until("ConversationText")
        await talk.say("InjectAgentMessage", message="Refused.")
        refused = (await talk.until("InjectionRefused"))[-1]
        await talk.say("InjectAgentMessage", message="Queued.", behavior="queue")
        voice.go_on.set()
        messages = await talk.until("AgentAudioDone")
        assert refused["message"] == "The agent is speaking."
        assert texts(messages) == ["Queued."]
        await talk.say("InjectAgentMessage", message="First. Second.")
        voice.go_on.clear()
        await talk.until("ConversationText")
        await talk.say("InjectAgentMessage", message="Now.", behavior="interrupt")
        await talk.until("AgentAudioDone")
        voice.go_on.set()
        assert texts(await talk.until("AgentAudioDone")) == ["Now."]


async def test_nothing_is_injected_while_the_user_speaks() -> None:
    async with serving(QUESTION) as client, conversing(client) as talk:
        await speak(talk, 1.0)
        await talk.until("UserStartedSpeaking")
        await talk.say("InjectAgentMessage", message="Hello?", behavior="queue")
        refused = (await talk.until("InjectionRefused"))[-1]
    assert refused["message"] == "The user is speaking."


async def test_an_agent_with_think_live_finds_words_itself() -> None:
    live = {"provider": {"type": "deepgram", "version": "v1"}}
    think = answering("Let me see.")
    async with serving(think=think) as client:
        async with conversing(client) as talk:
            await talk.say("InjectAgentMessage", is_dynamic=True)
            assert "think_live" in (await talk.until("InjectionRefused"))[-1]["message"]
        async with conversing(client, **settings(think_live=live)) as talk:
            await talk.say("InjectAgentMessage", is_dynamic=True)
            assert texts(await talk.until("AgentAudioDone")) == ["Let me see."]


# Changes.


async def test_everything_can_be_changed_in_mid_conversation() -> None:
    async with serving(QUESTION) as client, conversing(client) as talk:
        for kind, fields, answer in (
            ("UpdateThink", {"think": {"provider": OPEN_AI, "functions": [WEATHER]}}, "Think"),
            (
                "UpdateSpeak",
                {"speak": {"provider": {"type": "deepgram", "model": "aura-2-thalia-en"}}},
                "Speak",
            ),
            ("UpdateListen", {"listen": FLUX}, "Listen"),
            (
                "UpdateThink_Live",
                {"think_live": {"provider": {"type": "deepgram", "version": "v1"}}},
                "ThinkLive",
            ),
        ):
            await talk.say(kind, **fields)
            assert await talk.until(f"{answer}Updated")
        await talk.say("InjectUserMessage", content="What is the weather in Oslo?")
        assert await talk.until("FunctionCallRequest")


async def test_a_voice_at_another_speed_speaks_faster() -> None:
    voice = {"provider": {"type": "deepgram", "model": "aura-2-thalia-en", "speed": 1.25}}
    async with serving() as client, conversing(client, **settings(speak=voice)) as talk:
        await talk.say("InjectAgentMessage", message="Hello, world.")
        await talk.until("AgentAudioDone")
    assert len(talk.audio) == audio_size("Hello, world.", speed=1.25)


async def test_a_wrong_change_ends_it() -> None:
    async with serving() as client, conversing(client) as talk:
        await talk.say("UpdateThink", think={"provider": {"type": "nobody"}})
        error = (await talk.rest())[-1]
    assert error["code"] == "UNPARSABLE_CLIENT_MESSAGE"
    assert "think.provider" in error["description"]


async def test_a_prompt_that_is_too_long_is_cut() -> None:
    fields = settings({"prompt": "x" * 25_001})
    asked: list[str] = []

    async def think(request: ThinkRequest) -> AsyncIterator[str]:
        asked.append(request.prompt)
        yield "Yes."

    async with serving(think=think) as client, talking(client, PATH) as talk:
        await talk.say("Settings", **fields)
        warning = (await talk.until("Warning"))[-1]
        await talk.say("InjectUserMessage", content="Hello")
        await talk.until("AgentAudioDone")
    assert warning["code"] == "PROMPT_TOO_LONG"
    assert [len(prompt) for prompt in asked] == [25_000]


# Failures.


async def test_the_next_provider_thinks_when_one_fails() -> None:
    async def think(request: ThinkRequest) -> AsyncIterator[str]:
        if request.think.provider.model == "first":
            raise RuntimeError("out of order")
        yield f"I am the {request.think.provider.model}."

    providers = [{"provider": {**OPEN_AI, "model": model}} for model in ("first", "second")]
    fields = {"audio": AUDIO, "agent": {"think": providers}}
    async with serving(think=think) as client, conversing(client, **fields) as talk:
        await talk.say("InjectUserMessage", content="Hello")
        messages = await talk.until("AgentAudioDone")
    assert [m["code"] for m in messages if m["type"] == "Warning"] == ["THINK_REQUEST_FAILED"]
    assert texts(messages) == ["I am the second."]


async def test_when_nobody_can_think_it_ends() -> None:
    async def think(request: ThinkRequest) -> AsyncIterator[str]:
        if request.messages:
            raise RuntimeError("out of order")
        yield "All is well."

    async with serving(think=think) as client, conversing(client) as talk:
        await talk.say("InjectUserMessage", content="Hello")
        error = (await talk.rest())[-1]
    assert (error["code"], talk.code) == ("FAILED_TO_THINK", 1011)


async def test_slow_thinking_is_warned_of() -> None:
    go_on = asyncio.Event()

    async def think(request: ThinkRequest) -> AsyncIterator[str]:
        await go_on.wait()
        yield "Yes."

    async with serving(think=think, slow_think_s=0.05) as client, conversing(client) as talk:
        await talk.say("InjectUserMessage", content="Hello")
        for _ in range(2):
            assert (await talk.until("Warning"))[-1]["code"] == "SLOW_THINK_REQUEST"
        go_on.set()
        await talk.until("AgentAudioDone")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("InjectAgentMessage", {"message": "Hello"}), ("InjectUserMessage", {"content": "Hello"})],
)
async def test_a_broken_voice_ends_it(kind: str, fields: dict[str, Any]) -> None:
    async with serving(synthesizer=BrokenSynthesizer()) as client, conversing(client) as talk:
        await talk.say(kind, **fields)
        messages = await talk.rest()
    assert (messages[-1]["code"], talk.code) == ("FAILED_TO_SPEAK", 1011)
    assert "Warning" not in talk.order


async def test_the_functions_are_those_of_the_provider_that_thinks() -> None:
    async def think(request: ThinkRequest) -> AsyncIterator[str | ToolCall]:
        if request.think.provider.model == "first":
            raise RuntimeError("out of order")
        yield ToolCall("second")

    providers: list[dict[str, Any]] = [
        {"provider": {**OPEN_AI, "model": name}, "functions": [{"name": name}]}
        for name in ("first", "second")
    ]
    fields = {"audio": AUDIO, "agent": {"think": providers}}
    async with serving(think=think) as client, conversing(client, **fields) as talk:
        await talk.say("InjectUserMessage", content="Hello")
        (call,) = (await talk.until("FunctionCallRequest"))[-1]["functions"]
    assert call["name"] == "second"


async def test_bytes_that_are_no_audio_end_it() -> None:
    fields = {**settings(), "audio": {"input": {"encoding": "flac", "sample_rate": 16000}}}
    async with serving() as client, conversing(client, **fields) as talk:
        await talk.socket.send_bytes(b"this is no audio at all")
        error = (await talk.rest())[-1]
    assert error["code"] == "USER_AUDIO_FORMAT"


async def test_a_silent_client_is_left_and_a_keepalive_holds_it() -> None:
    async with serving(agent_timeout_s=2.0) as client, conversing(client) as talk:
        # Longer in all than a silent client is waited for.
        for _ in range(23):
            await talk.say("KeepAlive")
            with pytest.raises(TimeoutError):
                await talk.socket.receive(timeout=0.1)
        error = (await talk.rest())[-1]
    assert (error["code"], talk.code) == ("CLIENT_MESSAGE_TIMEOUT", 1011)


async def test_a_conversation_has_a_longest_length() -> None:
    ages: dict[str, Any] = {"agent_longest_s": 0.3, "agent_warning_s": 0.2}
    async with serving(**ages) as client, conversing(client) as talk:
        messages = await talk.rest()
    assert [message["code"] for message in messages] == [
        "MAXIMUM_SESSION_LENGTH_APPROACHING",
        "MAXIMUM_SESSION_LENGTH_REACHED",
    ]


async def test_many_conversations_go_on_at_the_same_time() -> None:
    async with serving(QUESTION, synthesizer=ToneSynthesizer()) as client:

        async def one() -> list[str]:
            async with conversing(client) as talk:
                await speak(talk, 3.0)
                return texts(await talk.until("AgentAudioDone"))

        answers = await asyncio.gather(*(one() for _ in range(10)))
    assert answers == [["You said: Is anybody there?"]] * 10
