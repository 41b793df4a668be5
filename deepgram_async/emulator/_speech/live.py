"""`GET /v1/speak` as a WebSocket: text in, raw audio out.

Per stream there is a reader (the handler itself) and one worker, which speaks sentence by sentence.
A `Clear` empties the inbox between the two and stops the worker at the next frame.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import WSMsgType

from deepgram_async._protocol.rules_speak import LONGEST_TEXT
from deepgram_async._protocol.speak_v1 import MOST_CHARACTERS, MOST_FLUSHES
from deepgram_async._protocol.speech_text import SentenceBuffer
from deepgram_async.emulator._calls import accept, route
from deepgram_async.emulator._errors import Refusal
from deepgram_async.emulator._inbox import Inbox
from deepgram_async.emulator._live_messages import NET_0000, Ending
from deepgram_async.emulator._models import model_id_of
from deepgram_async.emulator._peer import GoneError, Peer
from deepgram_async.emulator._wire import read_message

from .formats import encoder
from .frames import Pace, cut
from .markup import MarkError, read_script
from .query import read_aura
from .sentences import LONGEST_PIECE
from .synthesizers import SynthesizerUnavailableError
from .voices import used_voice, version_of

if TYPE_CHECKING:
    from aiohttp import web

    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._services import Services

    from .query import SpeechQuery
    from .synthesizers import Synthesizer

__all__ = ["routes"]

_log: Final = logging.getLogger(__name__)


def routes(services: Services) -> list[web.RouteDef]:
    """Return the route of the socket of Aura voices."""

    async def speak(request: web.Request, call: Call) -> web.StreamResponse:
        query = read_aura(request.query, is_socket=True)
        try:
            synthesizer = await services.voice.synthesizer()
        except SynthesizerUnavailableError as error:
            raise Refusal(503, "Service Unavailable", str(error)) from None
        call.used.models = (used_voice(query.model, synthesizer),)
        async with accept(request, call) as socket:
            stream = _Stream(services, call, query, Peer(request, socket, services.settings))
            await stream.run(socket, synthesizer)
        return socket

    return [route(services, "GET", "/v1/speak", speak, product="speak", is_streaming=True)]


class Speak(msgspec.Struct, frozen=True, tag=True):
    """More text."""

    text: str


class Flush(msgspec.Struct, frozen=True, tag=True):
    """Speak all text there is."""


class Clear(msgspec.Struct, frozen=True, tag=True):
    """Forget text and audio that were not sent."""


class Close(msgspec.Struct, frozen=True, tag=True):
    """Speak all text there is, and close."""


_decoder: Final[msgspec.json.Decoder[Speak | Flush | Clear | Close]] = msgspec.json.Decoder(
    Speak | Flush | Clear | Close
)
_UNREADABLE: Final = Ending(
    1008, "Deepgram could not parse the message. See https://dpgr.am/data0000"
)
_TOO_MANY_CHARACTERS: Final = Ending(
    1008, "The limit of characters per minute was exceeded. See https://dpgr.am/data0001"
)
_TOO_LONG: Final = Ending(
    1009, "The text of a Speak message exceeds the limit. See https://dpgr.am/big0001"
)
_TOO_OLD: Final = Ending(
    1011, "The maximum length of a session was reached. See https://dpgr.am/net0003"
)


class _Window:
    """Counts what happened within the last seconds."""

    def __init__(self, limit: int, length_s: float) -> None:
        self._limit = limit
        self._length_s = length_s
        self._clock = asyncio.get_running_loop().time
        self._entries: deque[tuple[float, int]] = deque()

    def admit(self, amount: int) -> bool:
        """Count something, unless it is too much."""
        now = self._clock()
        while self._entries and self._entries[0][0] <= now - self._length_s:
            self._entries.popleft()
        if sum(amount for _, amount in self._entries) + amount > self._limit:
            return False
        self._entries.append((now, amount))
        return True


class _Stream:
    """One client's stream, from handshake to close."""

    def __init__(self, services: Services, call: Call, query: SpeechQuery, peer: Peer) -> None:
        settings = services.settings
        self._voice = services.voice
        self._call = call
        self._query = query
        self._peer = peer
        self._clock = asyncio.get_running_loop().time
        self._ends_at = self._clock() + settings.speak_longest_s
        self._inbox: Inbox[Speak | Flush | Clear | Close] = Inbox(settings.max_backlog_bytes)
        self._buffer = SentenceBuffer(LONGEST_PIECE)
        self._pace = Pace(settings.speech_lead_s)
        self._characters = _Window(MOST_CHARACTERS, settings.speak_window_s)
        self._flushes = _Window(MOST_FLUSHES, settings.speak_window_s)
        self._confirmed = 0
        # How often everything was dropped; who has begun before stops.
        self._cleared = 0

    async def run(self, socket: web.WebSocketResponse, synthesizer: Synthesizer) -> None:
        """Serve until either side has closed the socket."""
        model = self._query.model
        try:
            await self._peer.say(
                {
                    "type": "Metadata",
                    "request_id": self._call.request_id,
                    "model_name": model,
                    "model_version": version_of(synthesizer),
                    "model_uuid": model_id_of(model),
                }
            )
            async with asyncio.TaskGroup() as group:
                worker = group.create_task(self._work())
                ending = await self._read(socket)
                worker.cancel()
            if ending is not None:
                await self._peer.close(ending.code, ending.reason)
        except* GoneError:
            self._peer.abort()

    # The reader.

    async def _read(self, socket: web.WebSocketResponse) -> Ending | None:
        """Return how to end the stream; None when it has ended."""
        while True:
            try:
                async with asyncio.timeout_at(self._ends_at):
                    message = await socket.receive()
            except TimeoutError:
                return _TOO_OLD
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                return None
            ending = await self._receive(message.data)
            if ending is not None:
                return ending

    async def _receive(self, frame: str | bytes) -> Ending | None:
        if isinstance(frame, bytes):
            return _UNREADABLE
        try:
            said = read_message(_decoder, frame)
        except msgspec.DecodeError:
            return _UNREADABLE
        match said:
            case Speak(text) if len(text) > LONGEST_TEXT:
                return _TOO_LONG
            case Speak(text) if not self._characters.admit(len(text)):
                return _TOO_MANY_CHARACTERS
            case Clear():
                self._inbox.drop()
                self._cleared += 1
            case _:
                pass
        await self._inbox.put(self._clock(), said)
        return None

    # The worker.

    async def _work(self) -> None:
        try:
            await self._serve()
        except GoneError:
            raise
        except Exception:  # a synthesiser's defect must not look like the client's
            _log.exception("request %s: speech failed", self._call.request_id)
            await self._peer.close(NET_0000.code, NET_0000.reason)

    async def _serve(self) -> None:
        while True:
            _, said = await self._inbox.get()
            match said:
                case Speak(text):
                    await self._say(self._buffer.add(text))
                case Flush() if not self._flushes.admit(1):
                    await self._warn("TOO_MANY_FLUSHES", "Too many Flush messages; ignored.")
                case Flush():
                    if await self._say(self._buffer.rest()):
                        await self._confirm("Flushed")
                case Clear():
                    self._buffer = SentenceBuffer(LONGEST_PIECE)
                    self._pace.stop()
                    await self._confirm("Cleared")
                case Close():
                    await self._say(self._buffer.rest())
                    await self._peer.close(1000)
                    return

    async def _say(self, sentences: list[str]) -> bool:
        """Speak; return False if it was stopped by a `Clear`."""
        cleared = self._cleared
        form = self._query.form
        for sentence in sentences:
            try:
                script = read_script(sentence)
            except MarkError as error:
                await self._warn(error.code, str(error))
                continue
            self._call.used.characters += script.billable_characters
            speech = self._voice.speak(
                script, encoder(form), rate=form.sample_rate, speed=self._query.speed
            )
            async with aclosing(speech) as pieces:
                async for piece in pieces:
                    if not await self._play(piece.audio, cleared):
                        return False
        return self._cleared == cleared

    async def _play(self, audio: bytes, cleared: int) -> bool:
        bytes_per_second = self._query.form.bytes_per_second
        for frame in cut(audio, bytes_per_second):
            await self._pace.wait()
            if self._cleared != cleared:
                return False
            await self._peer.play(frame)
            seconds = len(frame) / bytes_per_second
            self._pace.add(seconds)
            self._call.used.audio_s += seconds
        return True

    async def _confirm(self, kind: str) -> None:
        await self._peer.say({"type": kind, "sequence_id": self._confirmed})
        self._confirmed += 1

    async def _warn(self, code: str, description: str) -> None:
        await self._peer.say({"type": "Warning", "code": code, "description": description})
