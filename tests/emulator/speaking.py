"""Clients of the speaking sockets, and synthesisers that do what a test wants."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from deepgram_async.emulator import ToneSynthesizer

from .conforming import check
from .helpers import DEADLINE_S, Client, Message

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

CHARACTER_S = 0.05


class Talk:
    """The client's end of a socket on which both sides send text and one sends audio."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, path: str) -> None:
        self.socket = socket
        self._path = path
        self.audio = b""
        self.order: list[str] = []
        """Types of the messages, and `audio` for any number of frames of it."""
        self.code: int | None = None
        self.reason = ""

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def receive(self) -> Message | None:
        """Return the next message, noting the audio before it; None at the end."""
        while True:
            frame = await self.socket.receive(timeout=DEADLINE_S)
            match frame.type:
                case aiohttp.WSMsgType.BINARY:
                    self.audio += frame.data
                    if self.order[-1:] != ["audio"]:
                        self.order.append("audio")
                case aiohttp.WSMsgType.TEXT:
                    message: Message = json.loads(frame.data)
                    check(self._path, message)
                    self.order.append(message["type"])
                    return message
                case _:
                    self.code, self.reason = frame.data, frame.extra or ""
                    return None

    async def until(self, kind: str) -> list[Message]:
        """Return the messages up to the first of a kind."""
        messages: list[Message] = []
        while (message := await self.receive()) is not None:
            messages.append(message)
            if message["type"] == kind:
                return messages
        raise AssertionError(f"{kind} did not come, but {messages} and {self.code} {self.reason}")

    async def rest(self) -> list[Message]:
        """Return all messages up to the close."""
        messages: list[Message] = []
        while (message := await self.receive()) is not None:
            messages.append(message)
        return messages


@asynccontextmanager
async def talking(client: Client, path: str, **options: str) -> AsyncGenerator[Talk]:
    url = client.emulator.base_url + path
    async with asyncio.timeout(DEADLINE_S), client.http.ws_connect(url, params=options) as socket:
        yield Talk(socket, path)


class HeldSynthesizer(ToneSynthesizer):
    """Hums, but holds its breath before the second sentence until it may go on."""

    def __init__(self) -> None:
        super().__init__(character_s=CHARACTER_S)
        self.go_on = threading.Event()

    @property
    def blocking(self) -> bool:
        return True

    def synthesize(self, text: str, *, rate: int, speed: float) -> Iterator[bytes]:
        for at, piece in enumerate(super().synthesize(text, rate=rate, speed=speed)):
            if at or text.startswith("Second"):
                assert self.go_on.wait(DEADLINE_S)
            yield piece


class BrokenSynthesizer(ToneSynthesizer):
    """Cannot speak."""

    def synthesize(self, text: str, *, rate: int, speed: float) -> Iterator[bytes]:
        raise RuntimeError("hoarse")
