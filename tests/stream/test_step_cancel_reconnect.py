"""Cancelled wherever it waits while its connection is being replaced, a stream loses nothing.

Every operation is cancelled at its first step, then at its second, and so on: in the back-off,
in the handshake of the next connection, and while that is told what the last one had not settled.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request

from deepgram_async import (
    DeepgramSession,
    FluxStream,
    LiveStream,
    Reconnecting,
    ReconnectPolicy,
    StreamSettings,
)
from deepgram_async.errors import InvalidStateError
from deepgram_async.models.flux import TurnInfo
from deepgram_async.models.live import Results
from tests.support.flux import Flux
from tests.support.listen import metadata, results
from tests.support.steps import each_step

Stream = LiveStream | FluxStream
Make = Callable[[DeepgramSession], Stream]
Case = TypeVar("Case", bound=Callable[..., Any])

RATE = 8000
CHUNK_BYTES = 80
CHUNK_S = CHUNK_BYTES / RATE
SOON_S = 5.0

# As much as the lost connection has not settled, so that whoever sends more has to wait.
FEW = 2 * CHUNK_S
PLENTY = 100.0


def settings(replay_s: float) -> StreamSettings:
    policy = ReconnectPolicy(
        first_delay_s=0.005, longest_delay_s=0.005, replay_speed=4.0, replay_s=replay_s
    )
    return StreamSettings(reconnect=policy, close_timeout_s=0.5, send_buffer_bytes=CHUNK_BYTES)


def live_of(dg: DeepgramSession) -> LiveStream:
    return dg.listen.live(encoding="mulaw", sample_rate=RATE)


def flux_of(dg: DeepgramSession) -> FluxStream:
    return dg.listen.flux(model="flux-general-en", encoding="mulaw", sample_rate=RATE)


def chunk(number: int) -> bytes:
    return bytes([number]) * CHUNK_BYTES


class Service:
    """Hears a word in each chunk, on both sockets; settles one on the first connection, and breaks.

    Attributes:
        open: How many connections there are.
        handshake: Set when a second connection is asked for.
        replay: Set when the second connection has heard something.
    """

    def __init__(self) -> None:
        self.open = 0
        self.begin()

    def begin(self) -> None:
        """Break the next connection, and let the one after it live."""
        self.connections = 0
        self.keyterms: list[str] = []
        self.handshake = asyncio.Event()
        self.replay = asyncio.Event()

    async def admit(self, connection: ServerConnection, request: Request) -> None:
        if self.connections == 1:
            self.handshake.set()
            await asyncio.sleep(0.005)  # what is cancelled meanwhile is cancelled in the handshake

    async def __call__(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        flux = Flux() if connection.request.path.startswith("/v2") else None
        self.open += 1
        self.connections += 1
        breaks = self.connections == 1
        with suppress(ConnectionClosed):
            await self._listen(connection, flux, breaks=breaks)
        self.open -= 1

    async def _listen(
        self, connection: ServerConnection, flux: Flux | None, *, breaks: bool
    ) -> None:
        heard = 0
        if flux is not None:
            await connection.send(flux.connected())
        async for frame in connection:
            if isinstance(frame, bytes):
                if not breaks or heard == 0:
                    await connection.send(_said(flux, f"w{frame[0]}", heard * CHUNK_S))
                heard += 1
                if breaks and heard == 3:
                    connection.transport.abort()
                    return
                if not breaks:
                    self.replay.set()
                continue
            message = json.loads(frame)
            if message["type"] == "Configure":
                self.keyterms = message["keyterms"]
                await connection.send(_confirmation(flux, self.keyterms))
            elif message["type"] == "CloseStream":
                break
        if flux is None:
            await connection.send(metadata())
        await connection.close()


def _said(flux: Flux | None, word: str, start: float) -> str:
    if flux is None:
        said = json.loads(results(word, start=start))
        said["duration"] = CHUNK_S
        said["channel"]["alternatives"][0]["words"][0]["end"] = start + CHUNK_S
        return json.dumps(said)
    window = {"audio_window_start": start, "audio_window_end": start + CHUNK_S}
    return flux.turn("EndOfTurn", word, **window)


def _confirmation(flux: Flux | None, keyterms: list[str]) -> str:
    if flux is not None:
        return flux.message("ConfigureSuccess", thresholds={}, keyterms=keyterms, language_hints=[])
    return json.dumps({"type": "ConfigureSuccess", "request_id": "r-1", "keyterms": keyterms})


@asynccontextmanager
async def serving(replay_s: float = FEW) -> AsyncGenerator[tuple[Service, DeepgramSession]]:
    service, stream = Service(), settings(replay_s)
    async with serve(service, "127.0.0.1", 0, process_request=service.admit) as server:
        url = f"http://127.0.0.1:{_port(server)}"
        async with DeepgramSession("key", base_url=url, stream=stream) as dg:
            yield service, dg


def _port(server: Any) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


async def lost(service: Service, dg: DeepgramSession, make: Make, phase: str) -> Stream:
    """Return an open stream that has lost its connection, and is so far in replacing it."""
    service.begin()
    stream = make(dg)
    await stream.open()
    for number in range(3):
        await stream.send_audio(chunk(number))
    async with asyncio.timeout(SOON_S):
        async for event in stream:
            if isinstance(event, Reconnecting):
                break
        if phase == "handshake":
            await service.handshake.wait()
        elif phase == "replay":
            await service.replay.wait()
    return stream


async def words_of(stream: Stream) -> list[str]:
    """Return the texts of all events that are still to come."""
    async with asyncio.timeout(SOON_S):
        return [event.transcript async for event in stream if isinstance(event, Results | TurnInfo)]


async def until_closed(service: Service) -> None:
    async with asyncio.timeout(SOON_S):
        while service.open:
            await asyncio.sleep(0.001)


both_moments = pytest.mark.parametrize("late", [False, True], ids=["early", "late"])
both_streams = pytest.mark.parametrize("make", [live_of, flux_of], ids=["live", "flux"])
all_phases = pytest.mark.parametrize("phase", ["back-off", "handshake", "replay"])


def everywhere(test: Case) -> Case:
    """Run a test at both moments, for both streams, in all phases."""
    marked: Case = both_moments(both_streams(all_phases(test)))
    return marked


@everywhere
async def test_sending(phase: str, make: Make, late: bool) -> None:
    async with serving() as (service, dg):
        for cancellation in each_step(late=late):
            stream = await lost(service, dg, make, phase)
            await cancellation(stream.send_audio(chunk(3)))
            await stream.send_audio(chunk(4))
            await stream.finish()
            sent = ["w4"] if cancellation.happened else ["w3", "w4"]
            assert await words_of(stream) == ["w1", "w2", *sent]
            await stream.aclose()


@everywhere
async def test_asking_for_what_is_owed(phase: str, make: Make, late: bool) -> None:
    async with serving() as (service, dg):
        for cancellation in each_step(late=late):
            stream = await lost(service, dg, make, phase)
            await cancellation(
                stream.finalize() if isinstance(stream, LiveStream) else stream.force_end_turn()
            )
            await stream.finish()
            assert await words_of(stream) == ["w1", "w2"]
            await stream.aclose()


@everywhere
async def test_configuring(phase: str, make: Make, late: bool) -> None:
    async with serving() as (service, dg):
        for cancellation in each_step(late=late):
            stream = await lost(service, dg, make, phase)
            await cancellation(stream.configure(keyterms=["a"]))
            assert (await stream.configure(keyterms=["b"])).keyterms == ["b"]
            assert service.keyterms == ["b"]
            await stream.finish()
            assert await words_of(stream) == ["w1", "w2"]
            await stream.aclose()


@everywhere
async def test_receiving(phase: str, make: Make, late: bool) -> None:
    async with serving() as (service, dg):
        for cancellation in each_step(late=late):
            stream = await lost(service, dg, make, phase)
            first = await cancellation(stream.__anext__())
            await stream.finish()
            words = await words_of(stream)
            if isinstance(first, Results | TurnInfo):
                words.insert(0, first.transcript)
            assert words == ["w1", "w2"]
            await stream.aclose()


@everywhere
async def test_finishing(phase: str, make: Make, late: bool) -> None:
    async with serving() as (service, dg):
        for cancellation in each_step(late=late):
            stream = await lost(service, dg, make, phase)
            await cancellation(stream.finish())
            await stream.finish()
            assert await words_of(stream) == ["w1", "w2"]
            await stream.aclose()


@everywhere
async def test_closing(phase: str, make: Make, late: bool) -> None:
    async with serving() as (service, dg):
        for cancellation in each_step(late=late):
            stream = await lost(service, dg, make, phase)
            await cancellation(stream.aclose())
            # Nothing but this one close is needed, cancelled or not.
            await until_closed(service)
            assert not stream.is_open
            with pytest.raises(InvalidStateError):
                await stream.send_audio(chunk(3))


async def _chunks() -> AsyncIterator[bytes]:
    for number in range(5):
        await asyncio.sleep(0)
        yield chunk(number)


async def _transcribed(stream: Stream) -> list[str]:
    async with stream:
        return await words_of(stream.transcribe(_chunks()))


@both_moments
@both_streams
async def test_the_whole_way(make: Make, late: bool) -> None:
    async with serving(PLENTY) as (service, dg):
        for cancellation in each_step(late=late):
            service.begin()
            words = await cancellation(_transcribed(make(dg)))
            assert words in (None, ["w0", "w1", "w2", "w3", "w4"])
            await until_closed(service)
