"""A speaking server whose audio tells what is spoken, and which breaks where it is told to."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection

from deepgram_async import (
    DeepgramSession,
    FluxSpeakStream,
    Reconnected,
    Reconnecting,
    ReconnectPolicy,
    SpeakStream,
    StreamSettings,
)
from tests.support.recognizing import breaking
from tests.support.servers import HandshakeHook, websocket_server
from tests.support.speak import Frames, account, message, read_messages

__all__ = [
    "CHARACTER_BYTES",
    "FAST",
    "HOLD",
    "SOON_S",
    "Stream",
    "Voice",
    "audio_in",
    "audio_of",
    "changes",
    "kinds",
    "make",
    "opened",
    "settings",
]

Stream = SpeakStream | FluxSpeakStream


FAST = ReconnectPolicy(first_delay_s=0.01, longest_delay_s=0.05)
SOON_S = 5.0

CHARACTER_BYTES = 4
"""Audio of one character."""
HOLD = "|"
"""Behind this character the voice holds its breath until its text is dropped."""
_FRAME_BYTES = 6

Break = Callable[[ServerConnection], Awaitable[None]]


def audio_of(text: str) -> bytes:
    """Return the audio of a text that is spoken as one."""
    return b"".join(f"{place % 1000:03}{letter}".encode() for place, letter in enumerate(text))


@dataclass
class _Turn:
    name: str
    text: str = ""
    is_flushed: bool = False
    is_begun: bool = False
    spoken: int = 0


class _PlaceReached(Exception):  # noqa: N818 - the connection is to break here, as was asked for
    pass


class Voice:
    """Speaks on `/v1/speak` and `/v2/speak` as soon as it has text.

    Attributes:
        said: What the client said on each connection.
        queries: The query of each connection.
        spoken: Bytes of audio that were sent on each connection.
        refusal: Code of the warning that answers an interruption; the turn goes on to its end.
        answers: Set as long as interruptions are answered.
    """

    def __init__(self, *, lives_s: float | None = None) -> None:
        """Prepare a server.

        Args:
            lives_s: Age at which a connection is broken.
        """
        self.said: list[Frames] = []
        self.queries: list[dict[str, list[str]]] = []
        self.spoken: list[int] = []
        self.refusal: str | None = None
        self.answers = asyncio.Event()
        self.answers.set()
        self._lives_s = lives_s
        self._breaks: dict[int, tuple[int | str, Break]] = {}

    def break_at(self, connection: int, place: int | str, how: Break = breaking) -> None:
        """End a connection, counted from 0, at a place.

        Args:
            connection: Its number.
            place: Bytes of audio that were sent on it, or a message: instead of an answer to it if
                the client says it, else instead of it.
            how: What ends it.
        """
        self._breaks[connection] = place, how

    async def __call__(self, connection: ServerConnection) -> None:
        number = len(self.said)
        url = urlsplit(connection.request.path if connection.request else "")
        self.said.append([])
        self.spoken.append(0)
        self.queries.append(parse_qs(url.query))
        talk = _Talk(self, connection, number, is_flux=url.path == "/v2/speak")
        end = None
        if self._lives_s is not None:
            loop = asyncio.get_running_loop()
            end = loop.call_later(self._lives_s, connection.transport.abort)
        try:
            await talk.run()
        except _PlaceReached:
            await self._breaks[number][1](connection)
        finally:
            if end is not None:
                end.cancel()

    def reaches(self, number: int, place: int | str) -> None:
        """Break the connection if this is the place."""
        if number in self._breaks and self._breaks[number][0] == place:
            raise _PlaceReached

    def bytes_left(self, number: int) -> int:
        """Return how much audio may be sent until the connection breaks."""
        place = self._breaks.get(number, ("", breaking))[0]
        left = place - self.spoken[number] if isinstance(place, int) else _FRAME_BYTES
        return min(left, _FRAME_BYTES) if left >= 0 else _FRAME_BYTES


class _Talk:
    """One connection."""

    def __init__(
        self, voice: Voice, connection: ServerConnection, number: int, *, is_flux: bool
    ) -> None:
        self._voice = voice
        self._connection = connection
        self._number = number
        self._is_flux = is_flux
        self._turns: deque[_Turn] = deque()
        self._count = 0

    async def run(self) -> None:
        greeting = "Connected" if self._is_flux else "Metadata"
        await self._send(greeting, request_id=f"r-{self._number}", model_name="a voice")
        async for said in read_messages(self._connection, self._voice.said[self._number]):
            self._voice.reaches(self._number, said["type"])
            await self._hear(said)
            await self._speak()
            if said["type"] == "Close":
                if self._is_flux:
                    await self._send("SessionMetadata", total_input_character_count=self._count)
                return

    async def _hear(self, said: dict[str, Any]) -> None:
        match said["type"]:
            case "Speak":
                self._open_turn().text += said["text"]
            case "Flush":
                if not self._is_flux or (self._turns and not self._turns[-1].is_flushed):
                    self._open_turn().is_flushed = True
            case "Clear":
                self._turns.clear()
                await self._send("Cleared", sequence_id=0)
            case "Interrupt":
                await self._interrupt(said)
            case "Configure":
                await self._send("ConfigureSuccess", applied={"speed": said["speed"]})
            case _:
                if self._turns:
                    self._turns[-1].is_flushed = True

    def _open_turn(self) -> _Turn:
        if not self._turns or self._turns[-1].is_flushed:
            self._count += 1
            self._turns.append(_Turn(f"dg_sp_{self._number}_{self._count}"))
        return self._turns[-1]

    async def _interrupt(self, said: dict[str, Any]) -> None:
        await self._voice.answers.wait()
        if not self._turns:
            await self._send("Warning", code="NO_ACTIVE_SPEECH", description="nothing")
            return
        if self._voice.refusal is not None:
            await self._send("Warning", code=self._voice.refusal, description="goes on")
            self._turns[0].text = self._turns[0].text.replace(HOLD, "")
            return
        turn = self._turns.popleft()
        await self._send(
            "SpeechInterrupted",
            audio_played_ms=said.get("playback_offset", {}).get("value"),
            metadata={"speech_id": turn.name, **account(turn.text)},
        )

    async def _speak(self) -> None:
        while self._turns:
            turn = self._turns[0]
            if self._is_flux and not turn.is_begun:
                turn.is_begun = True
                await self._send("SpeechStarted", speech_id=turn.name)
            told, held, _ = turn.text.partition(HOLD)
            await self._say(turn, audio_of(told))
            if held or not turn.is_flushed:
                return
            if self._is_flux:
                await self._send("SpeechMetadata", speech_id=turn.name, **account(turn.text))
                await self._send("Flushed", speech_id=turn.name)
            else:
                await self._send("Flushed", sequence_id=self._count)
            self._turns.popleft()

    async def _say(self, turn: _Turn, audio: bytes) -> None:
        while turn.spoken < len(audio):
            self._voice.reaches(self._number, self._voice.spoken[self._number])
            size = min(self._voice.bytes_left(self._number), len(audio) - turn.spoken)
            await self._connection.send(audio[turn.spoken : turn.spoken + size])
            turn.spoken += size
            self._voice.spoken[self._number] += size

    async def _send(self, kind: str, **fields: object) -> None:
        self._voice.reaches(self._number, kind)
        await self._connection.send(message(kind, **fields))


# Streams of speech, and what they yield.


def settings(policy: ReconnectPolicy | None = FAST, **others: Any) -> StreamSettings:
    return StreamSettings(reconnect=policy, close_timeout_s=0.2, speak_window_s=None, **others)


def make(kind: str, dg: DeepgramSession) -> Stream:
    """Return a stream in which a byte of audio lasts a millisecond."""
    if kind == "speak":
        return dg.speak.live(model="aura-2-thalia-en", encoding="mulaw")
    return dg.speak.flux.live(model="flux-alexis-en", encoding="mulaw", sample_rate=8000)


@asynccontextmanager
async def opened(
    kind: str,
    voice: Voice,
    how: StreamSettings | None = None,
    *,
    handshake: HandshakeHook | None = None,
) -> AsyncGenerator[Any]:
    async with (
        asyncio.timeout(SOON_S),
        websocket_server(voice, handshake=handshake) as url,
        DeepgramSession("sentinel", base_url=url, stream=how or settings()) as dg,
        make(kind, dg) as stream,
    ):
        yield stream


def audio_in(events: list[Any]) -> bytes:
    return b"".join(event for event in events if isinstance(event, bytes))


def changes(events: list[Any]) -> list[type]:
    return [type(e) for e in events if isinstance(e, Reconnecting | Reconnected)]


def kinds(frames: Frames) -> list[str]:
    return [frame["type"] for frame in frames]
