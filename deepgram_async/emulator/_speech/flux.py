"""`GET /v2/speak` as a WebSocket: turns of text in, raw audio and its account out.

The reader (the handler itself) keeps the turns; one worker speaks them, one after the other, and
looks at each frame whether its turn was interrupted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec
from aiohttp import WSMsgType

from deepgram_async.emulator._calls import accept, route
from deepgram_async.emulator._errors import Refusal
from deepgram_async.emulator._models import model_id_of
from deepgram_async.emulator._peer import GoneError, Peer
from deepgram_async.emulator._wire import read_message

from .flux_turn import FluxTurn
from .formats import encoder
from .frames import Pace, cut
from .markup import MarkError, Script, check_speed, read_script
from .query import check_flux_speed, read_flux
from .synthesizers import SynthesizerUnavailableError
from .voices import used_voice, version_of

if TYPE_CHECKING:
    from aiohttp import web

    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._faulty_socket import FaultySocket
    from deepgram_async.emulator._services import Services

    from .query import SpeechQuery
    from .synthesizers import Synthesizer

__all__ = ["routes"]

_log: Final = logging.getLogger(__name__)


def routes(services: Services) -> list[web.RouteDef]:
    """Return the route of the socket of Flux voices."""

    async def speak(request: web.Request, call: Call) -> web.StreamResponse:
        query = read_flux(request.query, is_socket=True)
        try:
            synthesizer = await services.voice.synthesizer()
        except SynthesizerUnavailableError as error:
            raise Refusal(503, "Service Unavailable", str(error)) from None
        call.used.models = (used_voice(query.model, synthesizer),)
        call.used.tags = query.tags
        async with accept(request, call) as socket:
            stream = _Stream(services, call, query, Peer(request, socket, services.settings))
            await stream.run(socket, synthesizer)
        return socket

    return [route(services, "GET", "/v2/speak", speak, product="speak", is_streaming=True)]


class Speak(msgspec.Struct, frozen=True, tag=True):
    """More text for the turn, or the first of one."""

    text: str


class Flush(msgspec.Struct, frozen=True, tag=True):
    """The text of the turn is complete."""


class Offset(msgspec.Struct, frozen=True):
    """How much audio was played since the stream began."""

    type: Literal["time_ms"]
    value: int


class Interrupt(msgspec.Struct, frozen=True, tag=True):
    """The turn is to end now."""

    playback_offset: Offset | None = None


class Configure(msgspec.Struct, frozen=True, tag=True):
    """Another speed from the next sentence on."""

    speed: float | None = None


class Close(msgspec.Struct, frozen=True, tag=True):
    """Speak all there is, and close."""


_Said = Speak | Flush | Interrupt | Configure | Close
_decoder: Final[msgspec.json.Decoder[_Said]] = msgspec.json.Decoder(_Said)
_envelope: Final = msgspec.json.Decoder(dict[str, object])


class _Fatal(NamedTuple):
    """An `Error`, and the code of the close behind it."""

    code: str
    description: str
    close_code: int


_UNPARSABLE: Final = _Fatal("MESSAGE-0000", "The message could not be parsed.", 1008)
_INVALID: Final = _Fatal("DATA-0000", "The message is no valid command.", 1008)
_TOO_LARGE: Final = _Fatal("BIG-0000", "More text waits than can be held.", 1009)
_FAILED: Final = _Fatal("NET-0000", "Internal server error.", 1011)
_TOO_OLD: Final = _Fatal("NET-0003", "The maximum length of a session was reached.", 1011)
_TOO_SILENT: Final = _Fatal("NET-0004", "No frame was received within the timeout window.", 1011)


class _FatalError(Exception):
    def __init__(self, fatal: _Fatal) -> None:
        super().__init__(fatal.code)
        self.fatal = fatal


class _Stream:
    """One client's stream, from handshake to close."""

    def __init__(self, services: Services, call: Call, query: SpeechQuery, peer: Peer) -> None:
        self._settings = services.settings
        self._voice = services.voice
        self._call = call
        self._query = query
        self._speed = query.speed
        self._peer = peer
        self._clock = asyncio.get_running_loop().time
        self._pace = Pace(self._settings.speech_lead_s)
        # The first is the active one.
        self._turns: deque[FluxTurn] = deque()
        self._changed = asyncio.Event()
        self._is_closing = False
        self._played_ms = -1
        self._total_ms = 0.0
        self._total_characters = 0
        self._total_billable = 0

    async def run(self, socket: FaultySocket, synthesizer: Synthesizer) -> None:
        """Serve until either side has closed the socket."""
        model = self._query.model
        try:
            await self._peer.say(
                {
                    "type": "Connected",
                    "request_id": self._call.request_id,
                    "model_name": model,
                    "model_version": version_of(synthesizer),
                    "model_uuids": [model_id_of(model)],
                }
            )
            await self._serve(socket)
        except* GoneError:
            self._peer.abort()

    async def _serve(self, socket: FaultySocket) -> None:
        async with asyncio.TaskGroup() as group:
            worker = group.create_task(self._work())
            fatal = await self._read(socket)
            worker.cancel()
        if fatal is not None:
            await self._fail(fatal)

    async def _fail(self, fatal: _Fatal) -> None:
        await self._peer.say(
            {"type": "Error", "code": fatal.code, "description": fatal.description}
        )
        await self._peer.close(fatal.close_code)

    # The reader.

    async def _read(self, socket: FaultySocket) -> _Fatal | None:
        """Return why to end the stream; None when it has ended."""
        ends_at = self._clock() + self._settings.speak_longest_s
        while True:
            silent_at = socket.heard_at + self._settings.flux_timeout_s
            try:
                async with asyncio.timeout_at(min(ends_at, silent_at)):
                    message = await socket.receive()
            except TimeoutError:
                if self._clock() >= ends_at:
                    return _TOO_OLD
                if self._clock() >= socket.heard_at + self._settings.flux_timeout_s:
                    return _TOO_SILENT
                continue
            if message.type is WSMsgType.BINARY:
                return _INVALID
            if message.type is not WSMsgType.TEXT:
                return None
            fatal = await self._receive(message.data)
            if fatal is not None:
                return fatal

    async def _receive(self, frame: str) -> _Fatal | None:
        try:
            read_message(_envelope, frame)
        except msgspec.DecodeError:
            return _UNPARSABLE
        try:
            said = read_message(_decoder, frame)
        except msgspec.DecodeError as error:
            return _INVALID._replace(description=f"The message is no valid command: {error}")
        match said:
            case _ if self._is_closing:
                pass
            case Speak(text) if self._waiting() + len(text) > self._settings.max_backlog_bytes:
                return _TOO_LARGE
            case Speak(text):
                self._open_turn().add(text)
            case Flush() if not self._turns or self._turns[-1].is_flushed:
                await self._warn("NO_ACTIVE_SPEECH", "There is no turn to flush.")
            case Flush():
                self._turns[-1].flush()
            case Interrupt(offset):
                await self._interrupt(offset)
            case Configure(speed):
                await self._configure(speed)
            case Close():
                self._is_closing = True
        self._changed.set()
        return None

    def _waiting(self) -> int:
        return sum(turn.characters for turn in self._turns)

    def _open_turn(self) -> FluxTurn:
        if not self._turns or self._turns[-1].is_flushed:
            self._turns.append(FluxTurn())
        return self._turns[-1]

    async def _interrupt(self, offset: Offset | None) -> None:
        if not self._turns:
            await self._warn("NO_ACTIVE_SPEECH", "There is no turn to interrupt.")
            return
        turn = self._turns[0]
        if turn.is_interrupted:
            await self._warn("INTERRUPT_IN_PROGRESS", "The turn is being interrupted.")
            return
        if offset is not None:
            if offset.value <= self._played_ms:
                await self._warn(
                    "INVALID_INTERRUPT_OFFSET", "The offset counts from the start and grows."
                )
                return
            self._played_ms = turn.played_ms = offset.value
        turn.is_interrupted = True

    async def _configure(self, speed: float | None) -> None:
        problem = None if speed is None else check_flux_speed(speed)
        if problem is not None:
            code, description = problem
            await self._peer.say(
                {
                    "type": "ConfigureFailure",
                    "code": code,
                    "field": "speed",
                    "value": speed,
                    "description": description,
                }
            )
            return
        if speed is not None:
            self._speed = speed
        await self._peer.say({"type": "ConfigureSuccess", "applied": {"speed": self._speed}})

    # The worker.

    async def _work(self) -> None:
        try:
            while await self._turn_or_end():
                await self._speak(self._turns[0])
                self._turns.popleft()
            await self._say_goodbye()
        except GoneError:
            raise
        except _FatalError as error:
            await self._fail(error.fatal)
        except Exception:  # a synthesiser's defect must not look like the client's
            _log.exception("request %s: speech failed", self._call.request_id)
            await self._fail(_FAILED)

    async def _turn_or_end(self) -> bool:
        """Wait for a turn to speak; return False when the stream is to end instead."""
        while not self._turns:
            if self._is_closing:
                return False
            await self._wait()
        return True

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _speak(self, turn: FluxTurn) -> None:
        turn.starts_at_ms = self._total_ms
        is_begun = False
        while not turn.is_interrupted:
            if self._is_closing and not turn.is_flushed:
                turn.flush()
            sentence = turn.next_sentence()
            if sentence is None and not turn.is_flushed:
                await self._wait()
                continue
            if not is_begun:
                is_begun = True
                await self._peer.say({"type": "SpeechStarted", "speech_id": turn.speech_id})
            if sentence is None:
                break
            await self._say(turn, sentence)
        await self._conclude(turn)

    async def _say(self, turn: FluxTurn, sentence: str) -> None:
        script, form = self._read_script(sentence), self._query.form
        turn.begin(sentence, script)
        if script.warnings:
            await self._warn("PRONUNCIATION_WARNINGS", ",".join(script.warnings))
        speech = self._voice.speak(script, encoder(form), rate=form.sample_rate, speed=self._speed)
        async with aclosing(speech) as pieces:
            async for piece in pieces:
                for frame in cut(piece.audio, form.bytes_per_second):
                    await self._pace.wait()
                    if turn.is_interrupted:
                        return
                    await self._peer.play(frame)
                    seconds = len(frame) / form.bytes_per_second
                    self._pace.add(seconds)
                    turn.spoke(seconds * 1000)

    def _read_script(self, sentence: str) -> Script:
        try:
            script = read_script(sentence)
            if script.pauses:
                raise MarkError("BREAK_SYNTAX_INVALID", "Pauses are for requests only.")
            check_speed(script, self._speed)
        except MarkError as error:
            raise _FatalError(_Fatal("DATA-0002", str(error), 1008)) from None
        return script

    async def _conclude(self, turn: FluxTurn) -> None:
        self._total_ms += turn.audio_ms
        self._total_characters += turn.characters
        self._total_billable += turn.billable_characters
        self._call.used.characters = self._total_billable
        self._call.used.audio_s = self._total_ms / 1000
        if turn.is_interrupted:
            self._pace.stop()
            await self._peer.say({"type": "SpeechInterrupted", **turn.interruption()})
            return
        if not turn.audio_ms:
            await self._warn("NO_SYNTHESIZABLE_TEXT", "The turn has no text to speak.")
        await self._peer.say({"type": "Flushed", "speech_id": turn.speech_id})
        await self._peer.say({"type": "SpeechMetadata", **turn.account()})

    async def _say_goodbye(self) -> None:
        await self._peer.say(
            {
                "type": "SessionMetadata",
                "total_audio_duration_ms": round(self._total_ms),
                "total_input_character_count": self._total_characters,
                "total_billable_character_count": self._total_billable,
            }
        )
        await self._peer.close(1000)

    async def _warn(self, code: str, description: str) -> None:
        await self._peer.say({"type": "Warning", "code": code, "description": description})
