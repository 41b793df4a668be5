"""A started emulator with a plain HTTP client, and audio made of nothing."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import struct
import wave
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ParamSpec

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy

from deepgram_async.emulator import (
    Emulator,
    EmulatorSettings,
    ScriptedRecognizer,
    ToneSynthesizer,
    think_by_rules,
)

from .conforming import check

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from deepgram_async.emulator import Recognizer, Synthesizer, ThinkFunction

RATE = 8000
RAW = {"encoding": "linear16", "sample_rate": str(RATE), "model": "nova-3"}
# Nothing here may take longer; what does is a hang.
DEADLINE_S = 20.0

Message = dict[str, Any]
P = ParamSpec("P")


def bounded(test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """Fail a test that waits for longer than anything may take."""

    @functools.wraps(test)
    async def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async with asyncio.timeout(DEADLINE_S):
            await test(*args, **kwargs)

    return run


def silence(seconds: float, *, rate: int = RATE, channels: int = 1) -> bytes:
    """Return samples of silence; the scripted recogniser hears its words in it."""
    return bytes(round(seconds * rate) * 2 * channels)


def wav(samples: bytes, *, rate: int = RATE, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((channels, width, rate, 0, "NONE", ""))
        writer.writeframes(samples)
    return file.getvalue()


def streamed_wav(samples: bytes, *, rate: int = RATE) -> bytes:
    """Return a WAV whose writer did not know how long it would get."""
    head = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 0x7FFF0024, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16
    )
    return head + struct.pack("<4sI", b"data", 0x7FFF0000) + samples


class Noted:
    """The headers of the last answer, which a WebSocket of aiohttp does not show."""

    headers: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())

    async def note(
        self, session: aiohttp.ClientSession, context: object, end: aiohttp.TraceRequestEndParams
    ) -> None:
        self.headers = end.response.headers


class Client:
    """Talks to one emulator."""

    def __init__(self, emulator: Emulator, http: aiohttp.ClientSession, noted: Noted) -> None:
        self.noted = noted
        self.emulator = emulator
        self.http = http
        self.url = emulator.base_url + "/v1/listen"

    async def post(
        self, data: bytes | io.BytesIO | None = None, **options: Any
    ) -> tuple[int, Message, aiohttp.ClientResponse]:
        """Post a recording; return status, body and the response for its headers."""
        headers = options.pop("headers", None)
        body = options.pop("json", None)
        async with self.http.post(
            self.url, params=options, data=data, json=body, headers=headers
        ) as response:
            return response.status, await response.json(), response

    @asynccontextmanager
    async def live(self, **options: Any) -> AsyncGenerator[Live]:
        async with self.http.ws_connect(self.url, params={**RAW, **options}) as socket:
            yield Live(socket)


class Live:
    """The client's end of a live stream."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send_str(json.dumps(message))

    async def receive(self) -> Message:
        message = await self.socket.receive(timeout=DEADLINE_S)
        assert message.type == aiohttp.WSMsgType.TEXT, message
        decoded: Message = json.loads(message.data)
        check("/v1/listen", decoded)
        return decoded

    async def rest(self) -> list[Message]:
        """Return all messages up to the close."""
        async with asyncio.timeout(DEADLINE_S):
            messages = [json.loads(message.data) async for message in self.socket]
        for message in messages:
            check("/v1/listen", message)
        return messages

    async def transcribe(self, *chunks: bytes) -> list[Message]:
        """Send the chunks, close the stream and return everything said."""
        for chunk in chunks:
            await self.socket.send_bytes(chunk)
        await self.say(type="CloseStream")
        return await self.rest()


@asynccontextmanager
async def serving(
    recognizer: Recognizer | None = None,
    *,
    synthesizer: Synthesizer | None = None,
    think: ThinkFunction = think_by_rules,
    **settings: Any,
) -> AsyncGenerator[Client]:
    """Start an emulator, by default with a short script and a hum, and a client with a key."""
    recognizer = recognizer or ScriptedRecognizer.from_text("Hello, world.")
    synthesizer = synthesizer or ToneSynthesizer()
    running = Emulator(
        recognizer, EmulatorSettings(**settings), synthesizer=synthesizer, think=think
    )
    headers = {"Authorization": "Token a-key"}
    answers = aiohttp.TraceConfig()
    noted = Noted()
    answers.on_request_end.append(noted.note)
    async with (
        running as emulator,
        aiohttp.ClientSession(headers=headers, trace_configs=[answers]) as http,
    ):
        yield Client(emulator, http, noted)


def of_type(messages: list[Message], kind: str) -> list[Message]:
    return [message for message in messages if message["type"] == kind]


def text(results: Message) -> str:
    transcript: str = results["channel"]["alternatives"][0]["transcript"]
    return transcript


def transcripts(messages: list[Message], *, final: bool = True) -> list[str]:
    return [text(m) for m in of_type(messages, "Results") if m["is_final"] is final]
