"""A lost conversation goes on: ended turns stay, the turn under way begins anew."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import (
    DeepgramSession,
    FluxStream,
    Reconnected,
    Reconnecting,
    ReconnectPolicy,
    StreamSettings,
    TurnInfo,
)
from deepgram_async.errors import ConnectionLostError
from deepgram_async.models.flux import FluxEvent
from tests.support.flux import Flux, close_without_code
from tests.support.servers import websocket_server

RATE = 8000
FAST = ReconnectPolicy(first_delay_s=0.01, longest_delay_s=0.05, replay_speed=None)


class Partner:
    """Hears ``mulaw``; ends a turn at every second of audio, and breaks where it is told to."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.said: list[list[str]] = []
        self.queries: list[dict[str, list[str]]] = []
        self.break_at: dict[int, Callable[[bytes, list[str]], bool]] = {}

    async def __call__(self, connection: ServerConnection) -> None:
        number = len(self.heard)
        self.heard.append(b"")
        self.said.append([])
        path = connection.request.path if connection.request else ""
        self.queries.append(parse_qs(urlsplit(path).query))
        flux, settled = Flux(), 0
        await connection.send(flux.connected())
        async for frame in connection:
            message: dict[str, Any] = {}
            if isinstance(frame, str):
                message = json.loads(frame)
                self.said[number].append(message["type"])
            else:
                self.heard[number] += frame
            if self.break_at.get(number, _never)(self.heard[number], self.said[number]):
                connection.transport.abort()
                await connection.wait_closed()
                return
            if isinstance(frame, bytes):
                settled = await self._hear(connection, flux, number, settled)
            elif message["type"] == "CloseStream":
                await close_without_code(connection)
                return
            else:
                settled = await self._answer(connection, flux, number, settled, message)

    async def _hear(
        self, connection: ServerConnection, flux: Flux, number: int, settled: int
    ) -> int:
        heard = self.heard[number]
        while len(heard) - settled >= RATE:
            await self._say(connection, flux, heard, settled, settled + RATE, "EndOfTurn")
            settled += RATE
        if len(heard) > settled:
            event = "StartOfTurn" if len(heard) - settled == RATE // 10 else "Update"
            await self._say(connection, flux, heard, settled, len(heard), event)
        return settled

    async def _answer(
        self,
        connection: ServerConnection,
        flux: Flux,
        number: int,
        settled: int,
        message: dict[str, Any],
    ) -> int:
        heard = self.heard[number]
        if message["type"] == "Configure":
            answer = {"thresholds": message.get("thresholds", {})}
            await connection.send(flux.message("ConfigureSuccess", **answer))
        elif len(heard) > settled:
            await self._say(connection, flux, heard, settled, len(heard), "EndOfTurn", "manual")
        return len(heard) if message["type"] == "ForceEndTurn" else settled

    async def _say(
        self,
        connection: ServerConnection,
        flux: Flux,
        heard: bytes,
        start: int,
        end: int,
        event: str,
        trigger: str = "model",
    ) -> None:
        fields: dict[str, Any] = {"trigger": trigger} if event == "EndOfTurn" else {}
        text = f"{heard[start]}-{heard[end - 1]}"
        words = [{"word": text, "confidence": 1, "start": start / RATE, "end": end / RATE}]
        window = {"audio_window_start": start / RATE, "audio_window_end": end / RATE}
        await connection.send(flux.turn(event, text, **window, **fields, words=words))


def _never(heard: bytes, said: list[str]) -> bool:
    return False


def after(seconds: float) -> Callable[[bytes, list[str]], bool]:
    return lambda heard, said: len(heard) >= seconds * RATE


def audio(seconds: float) -> list[bytes]:
    """Return chunks of 100 ms; the value of a sample is the number of its chunk."""
    return [bytes([number]) * (RATE // 10) for number in range(round(seconds * 10))]


@asynccontextmanager
async def opened(
    partner: Partner, policy: ReconnectPolicy = FAST, **options: Any
) -> AsyncGenerator[FluxStream]:
    settings = StreamSettings(reconnect=policy, close_timeout_s=0.2)
    async with (
        websocket_server(partner) as url,
        DeepgramSession(api_key="sentinel", base_url=url, stream=settings) as dg,
        dg.listen.flux(
            model="flux-general-en", encoding="mulaw", sample_rate=RATE, **options
        ) as flux,
    ):
        yield flux


async def talking(chunks: list[bytes]) -> AsyncGenerator[bytes]:
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(0.001)


def ended(events: list[FluxEvent]) -> list[tuple[int, str, float]]:
    return [
        (event.turn_index, event.transcript, event.audio_window_end)
        for event in events
        if isinstance(event, TurnInfo) and event.event == "EndOfTurn"
    ]


EXPECTED = [(0, "0-9", 1.0), (1, "10-19", 2.0), (2, "20-29", 3.0), (3, "30-34", 3.5)]


@pytest.mark.parametrize("seconds", [0.1, 1.0, 1.4, 2.9, 3.5])
async def test_every_turn_ends_once_under_its_number(seconds: float) -> None:
    partner = Partner()
    partner.break_at[0] = after(seconds)
    async with opened(partner) as flux:
        events = [event async for event in flux.transcribe(talking(audio(3.5)))]
        assert not flux.irregularities
    assert ended(events) == EXPECTED
    assert len(partner.heard) == 2
    whole = b"".join(audio(3.5))
    assert whole.endswith(partner.heard[1])
    assert len(partner.heard[0]) + len(partner.heard[1]) >= len(whole)


async def test_the_times_of_words_run_on() -> None:
    partner = Partner()
    partner.break_at[0] = after(1.4)
    partner.break_at[1] = after(1.2)
    async with opened(partner) as flux:
        events = [event async for event in flux.transcribe(talking(audio(3.5)))]
    turns = [event for event in events if isinstance(event, TurnInfo)]
    starts = [turn.words[0].start for turn in turns]
    assert starts == sorted(starts, key=lambda start: start or 0.0)
    assert all(turn.words[0].end == turn.audio_window_end for turn in turns)
    told = [type(event) for event in events if isinstance(event, Reconnecting | Reconnected)]
    assert told == [Reconnecting, Reconnected] * 2


async def test_turns_come_once_each() -> None:
    partner = Partner()
    partner.break_at[0] = after(1.4)
    async with opened(partner) as flux:
        turns = [turn async for turn in flux.transcribe(talking(audio(3.5))).turns()]
    assert [(turn.index, turn.transcript) for turn in turns] == [each[:2] for each in EXPECTED]


@pytest.mark.parametrize("last", ["ForceEndTurn", "CloseStream"])
async def test_the_last_turn_is_ended_although_the_connection_is_lost_at_the_end(last: str) -> None:
    partner = Partner()
    partner.break_at[0] = lambda heard, said: last in said
    async with opened(partner) as flux:
        events = [event async for event in flux.transcribe(talking(audio(3.5)))]
    assert [each[1] for each in ended(events)] == [each[1] for each in EXPECTED]
    assert partner.said[1][-1] == "CloseStream"


async def test_a_change_that_was_confirmed_is_in_force_on_the_next_connection() -> None:
    partner = Partner()
    partner.break_at[0] = after(0.5)
    async with opened(partner, keyterm=["a"], eot_timeout_ms=900) as flux:
        await flux.configure(eot_threshold=0.8, keyterms=["b", "c"], numerals=True)
        async for _ in flux.transcribe(talking(audio(1.0))):
            pass
    assert partner.queries[0]["keyterm"] == ["a"]
    changed = {"eot_threshold": ["0.8"], "keyterm": ["b", "c"], "numerals": ["true"]}
    assert partner.queries[1] == partner.queries[0] | changed
    assert "Configure" not in partner.said[1]


async def test_a_change_that_was_under_way_is_asked_for_again() -> None:
    partner = Partner()
    partner.break_at[0] = lambda heard, said: "Configure" in said
    async with opened(partner) as flux:
        answer = await flux.configure(eot_threshold=0.8)
        assert answer.thresholds.eot_threshold == 0.8
    assert partner.said == [["Configure"], ["Configure", "CloseStream"]]


async def test_a_stream_without_audio_waits_for_some_before_it_is_replaced() -> None:
    connections: list[int] = []

    async def impatient(connection: ServerConnection) -> None:
        connections.append(1)
        if len(connections) == 1:
            await connection.close(1011, "no_audio_timeout. See https://dpgr.am/net0002")
            return
        await partner(connection)

    partner = Partner()
    settings = StreamSettings(reconnect=FAST, close_timeout_s=0.2)
    async with (
        websocket_server(impatient) as url,
        DeepgramSession(api_key="sentinel", base_url=url, stream=settings) as dg,
        dg.listen.flux(model="flux-general-en", encoding="mulaw", sample_rate=RATE) as flux,
    ):
        assert isinstance(await anext(flux), Reconnecting)
        await asyncio.sleep(0.1)
        assert len(connections) == 1
        events = [event async for event in flux.transcribe(talking(audio(1.0)))]
    assert [each[1] for each in ended(events)] == ["0-9"]


async def test_a_message_that_the_service_cannot_read_is_not_said_again() -> None:
    async def refuse(connection: ServerConnection) -> None:
        error = {"code": "UNPARSABLE_CLIENT_MESSAGE", "description": "what?"}
        await connection.send(json.dumps({"type": "Error", "sequence_id": 0} | error))
        await connection.close(1011)

    settings = StreamSettings(reconnect=FAST)
    with pytest.raises(ConnectionLostError, match="UNPARSABLE_CLIENT_MESSAGE: what"):
        async with (
            websocket_server(refuse) as url,
            DeepgramSession(api_key="sentinel", base_url=url, stream=settings) as dg,
            dg.listen.flux(model="flux-general-en") as flux,
        ):
            async for event in flux:
                assert not isinstance(event, Reconnecting)


async def test_a_draft_that_was_open_is_not_confirmed_by_the_turn_that_begins_anew() -> None:
    numbers = iter(range(9))
    draft_is_taken = asyncio.Event()

    async def talk(connection: ServerConnection) -> None:
        flux, number = Flux(), next(numbers)
        await connection.send(flux.connected())
        await connection.recv()
        if number == 0:
            for text in flux.turns(("StartOfTurn", "Hi"), ("EagerEndOfTurn", "Hi.")):
                await connection.send(text)
            await draft_is_taken.wait()
            connection.transport.abort()
            return
        for text in flux.turns(("StartOfTurn", "Hi"), ("EndOfTurn", "Hi you.")):
            await connection.send(text)
        async for _ in connection:
            await close_without_code(connection)

    settings = StreamSettings(reconnect=FAST, close_timeout_s=0.2)
    outcomes: list[tuple[str, bool]] = []
    async with (
        websocket_server(talk) as url,
        DeepgramSession(api_key="sentinel", base_url=url, stream=settings) as dg,
        dg.listen.flux(model="flux-general-en", encoding="mulaw", sample_rate=RATE) as flux,
    ):
        await flux.send_audio(bytes(100))
        async for turn in flux.turns():
            draft_is_taken.set()
            outcomes.append((turn.transcript, await turn.confirmed()))
            if not turn.is_draft:
                await flux.close_stream()
    assert outcomes == [("Hi.", False), ("Hi you.", True)]
