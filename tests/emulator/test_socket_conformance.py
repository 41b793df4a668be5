"""Every message of Deepgram's specification is sent by the emulator, as it is described there.

The helpers of all other tests check each message that comes; here is what they are worth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from deepgram_async.emulator import ScriptedRecognizer, ThinkRequest, Thought, ToolCall
from tests.spec.documents import needs_spec
from tests.support.servers import http_server

from .conforming import NEWER, check, kinds
from .helpers import RAW, serving, silence
from .speaking import Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = needs_spec

PAUSED = ScriptedRecognizer([("One,", 0.2, 0.6), ("two.", 0.6, 1.0), ("Three?", 4.0, 4.5)])


async def say_all(talk: Talk, *messages: tuple[str, dict[str, Any]]) -> None:
    for kind, fields in messages:
        await talk.say(kind, **fields)


async def test_live_transcription_says_all_it_can_say() -> None:
    options = {
        **RAW,
        "interim_results": "true",
        "vad_events": "true",
        "utterance_end_ms": "1000",
        "multichannel": "true",
        "channels": "2",
        "punctuate": "true",
        "search": "two",
        "extra": "a:b",
    }
    async with serving(PAUSED) as client, talking(client, "/v1/listen", **options) as talk:
        await talk.socket.send_bytes(silence(3.0, channels=2))
        await say_all(
            talk,
            ("Configure", {"keyterms": ["one"]}),
            ("Configure", {"keyterms": ["x"] * 501}),
            ("Sing", {}),
            ("Finalize", {}),
            ("CloseStream", {}),
        )
        await talk.rest()
    assert set(talk.order) == kinds("/v1/listen") | NEWER["/v1/listen"].keys()


async def test_flux_says_all_it_can_say() -> None:
    options = {
        "model": "flux-general-multi",
        "encoding": "linear16",
        "sample_rate": "8000",
        "eager_eot_threshold": "0.5",
        "language_hint": "en",
    }
    async with serving(PAUSED) as client, talking(client, "/v2/listen", **options) as talk:
        await talk.socket.send_bytes(silence(5.5))
        await say_all(
            talk,
            ("ForceEndTurn", {}),
            ("Configure", {"thresholds": {"eot_threshold": 0.8}}),
            ("Configure", {"thresholds": {"eot_threshold": 0.1}}),
            ("Sing", {}),
        )
        messages = await talk.rest()
    assert set(talk.order) == kinds("/v2/listen") | NEWER["/v2/listen"].keys()
    assert {m["event"] for m in messages if m["type"] == "TurnInfo"} == {
        "Update",
        "StartOfTurn",
        "EagerEndOfTurn",
        "EndOfTurn",
    }


async def test_aura_says_all_it_can_say() -> None:
    async with serving() as client, talking(client, "/v1/speak") as talk:
        flushes = [("Flush", dict[str, Any]())] * 21
        await say_all(talk, ("Speak", {"text": "One."}), *flushes)
        await talk.until("Warning")
        await say_all(talk, ("Clear", {}), ("Close", {}))
        await talk.rest()
    assert set(talk.order) - {"audio"} == kinds("/v1/speak")


async def test_flux_voices_say_all_they_can_say() -> None:
    options = {"model": "flux-alexis-en"}
    kinds_heard: set[str] = set()
    async with serving() as client:
        for last in ("Close", "Sing"):
            async with talking(client, "/v2/speak", **options) as talk:
                await talk.say("Interrupt")
                await say_all(
                    talk,
                    ("Speak", {"text": "One."}),
                    ("Flush", {}),
                    ("Configure", {"speed": 1.1}),
                    ("Configure", {"speed": 9.0}),
                )
                await talk.until("SpeechMetadata")
                await talk.say("Speak", text="Two")
                await talk.say("Interrupt", playback_offset={"type": "time_ms", "value": 100})
                await talk.until("SpeechInterrupted")
                await talk.say(last)
                await talk.rest()
            kinds_heard |= set(talk.order)
    assert kinds_heard - {"audio"} == kinds("/v2/speak") | NEWER["/v2/speak"].keys()


async def think(request: ThinkRequest) -> AsyncIterator[str | ToolCall | Thought]:
    """Call the function that is named, or answer."""
    last = request.messages[-1]
    if last.content in ("here", "there"):
        yield Thought("A function, then.")
        yield ToolCall(last.content)
    else:
        yield "All right. "


async def test_an_agent_says_all_it_can_say() -> None:
    async def there(request: web.Request) -> web.Response:
        return web.Response(text="done")

    think_of = {"provider": {"type": "open_ai", "model": "gpt-4o-mini"}}
    voice = {"type": "deepgram", "model": "aura-2-zeus-en"}
    live = {"provider": {"type": "deepgram", "version": "v1"}}
    flux = {"provider": {"type": "deepgram", "version": "v2", "model": "flux-general-en"}}
    heard = ScriptedRecognizer([("Hello?", 0.3, 0.8)])
    async with (
        http_server(there) as url,
        serving(heard, think=think) as client,
        talking(client, "/v1/agent/converse") as talk,
    ):
        functions = [{"name": "here"}, {"name": "there", "endpoint": {"url": url}}]
        settings = {
            "audio": {"input": {"encoding": "linear16", "sample_rate": 8000}},
            "agent": {"think": {**think_of, "functions": functions}, "think_live": live},
        }
        await say_all(
            talk,
            ("Settings", settings),
            ("UpdatePrompt", {"prompt": "Be kind."}),
            ("UpdateSpeak", {"speak": {"provider": voice}}),
            ("UpdateThink_Live", {"think_live": live}),
            ("ForceEndTurn", {}),
            ("UpdateListen", {"listen": flux}),
            ("InjectUserMessage", {"content": "there"}),
        )
        await talk.until("AgentAudioDone")
        await talk.say("InjectUserMessage", content="here")
        await talk.until("FunctionCallRequest")
        await talk.say("InjectAgentMessage", message="Hello?")
        await talk.say("InjectUserMessage", content="Never mind.")
        await talk.until("AgentAudioDone")
        await talk.socket.send_bytes(silence(2.0))
        await talk.until("AgentAudioDone")
        await say_all(talk, ("UpdateThink", {"think": think_of}), ("Sing", {}))
        await talk.rest()
    path = "/v1/agent/converse"
    assert set(talk.order) - {"audio"} == kinds(path) | NEWER[path].keys()


# The check itself.


@pytest.mark.parametrize(
    "message",
    [
        {"type": "Tomorrow"},
        {"type": "Flushed"},
        {"type": "Flushed", "sequence_id": "0"},
        {"type": "Metadata", "request_id": "no UUID", "model_name": "", "model_version": "",
         "model_uuid": ""},
    ],
)  # fmt: skip
def test_what_is_not_in_the_specification_is_noticed(message: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        check("/v1/speak", message)
