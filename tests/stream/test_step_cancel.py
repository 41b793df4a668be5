"""Cancelled wherever it waits, a stream leaves nothing behind and loses nothing.

Every operation is cancelled at its first step, then at its second, and so on. The guards around
all asynchronous tests see to it that no task and no socket is left.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from deepgram_async import (
    AudioSource,
    DeepgramSession,
    FluxStream,
    LiveStream,
    ReconnectPolicy,
    StreamSettings,
)
from deepgram_async.errors import InvalidStateError
from deepgram_async.models.flux import TurnInfo
from deepgram_async.models.live import Results
from tests.support import agent, speak
from tests.support.answers import transcription
from tests.support.flux import Flux
from tests.support.listen import final, metadata
from tests.support.servers import http_server, websocket_server
from tests.support.steps import Cancellation, each_step
from tests.support.talking import Voice, audio_of

Stream = LiveStream | FluxStream
Make = Callable[[DeepgramSession], Stream]

CHUNK = b"\1\2" * 16
SETTINGS = StreamSettings(close_timeout_s=0.5, drain_timeout_s=5, send_buffer_bytes=len(CHUNK))
SOON_S = 5.0


def live_of(dg: DeepgramSession) -> LiveStream:
    return dg.listen.live(encoding="linear16", sample_rate=16000)


def flux_of(dg: DeepgramSession) -> FluxStream:
    return dg.listen.flux(model="flux-general-en", encoding="linear16", sample_rate=16000)


class Service:
    """Hears a word in each chunk of audio, on both sockets that listen."""

    def __init__(self) -> None:
        self.open = 0
        self.chunks: list[int] = []
        """How many chunks came on each connection."""

    async def __call__(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        flux = Flux() if connection.request.path.startswith("/v2") else None
        self.open += 1
        number = len(self.chunks)
        self.chunks.append(0)
        with suppress(ConnectionClosed):  # of a client that was cancelled
            await self._listen(connection, flux, number)
        self.open -= 1

    async def _listen(self, connection: ServerConnection, flux: Flux | None, number: int) -> None:
        if flux is not None:
            await connection.send(flux.connected())
        async for frame in connection:
            if isinstance(frame, bytes):
                text = f"word{self.chunks[number]}"
                self.chunks[number] += 1
                said = final(text) if flux is None else flux.turn("EndOfTurn", text)
                await connection.send(said)
            elif json.loads(frame)["type"] == "Configure":
                await connection.send(_confirmation(flux))
            elif json.loads(frame)["type"] == "CloseStream":
                break
        if flux is None:
            await connection.send(metadata())
        await connection.close()


def _confirmation(flux: Flux | None) -> str:
    if flux is not None:
        return flux.message("ConfigureSuccess", thresholds={}, keyterms=["a"], language_hints=[])
    return json.dumps({"type": "ConfigureSuccess", "request_id": "r-1", "keyterms": ["a"]})


@asynccontextmanager
async def serving() -> AsyncGenerator[tuple[Service, DeepgramSession]]:
    service = Service()
    async with (
        websocket_server(service) as url,
        DeepgramSession("key", base_url=url, stream=SETTINGS) as dg,
    ):
        yield service, dg


async def words_of(stream: Stream) -> list[str]:
    """Return the texts of all events that are still to come."""
    async with asyncio.timeout(SOON_S):
        return [event.transcript async for event in stream if isinstance(event, Results | TurnInfo)]


async def works(dg: DeepgramSession) -> None:
    """Use the session for a whole stream."""
    async with live_of(dg) as live:
        await live.send_audio(CHUNK)
    assert await words_of(live) == ["word0"]


async def until_closed(service: Service) -> None:
    async with asyncio.timeout(SOON_S):
        while service.open:
            await asyncio.sleep(0.001)


both_moments = pytest.mark.parametrize("late", [False, True], ids=["early", "late"])
both_streams = pytest.mark.parametrize("make", [live_of, flux_of], ids=["live", "flux"])


@both_moments
@both_streams
async def test_connecting(make: Make, late: bool) -> None:
    async with serving() as (service, dg):
        for cancellation in each_step(late=late):
            stream = make(dg)
            await cancellation(stream.open())
            assert stream.is_open is not cancellation.happened
            if not cancellation.happened:
                await stream.aclose()
            await until_closed(service)
            await works(dg)


@both_moments
async def test_the_first_use_of_a_session(late: bool) -> None:
    async with websocket_server(Service()) as url:
        for cancellation in each_step(late=late):
            dg = DeepgramSession("key", base_url=url, stream=SETTINGS)
            await cancellation(dg.__aenter__())
            await works(dg)
            await dg.aclose()


@both_moments
@both_streams
async def test_sending(make: Make, late: bool) -> None:
    async with serving() as (service, dg):
        for cancellation in each_step(late=late):
            stream = make(dg)
            await stream.open()
            await stream.send_audio(CHUNK)
            await cancellation(stream.send_audio(CHUNK))  # waits: the buffer holds one chunk
            await stream.send_audio(CHUNK)
            await stream.finish()
            # What was cancelled was not sent, and what was not cancelled was.
            expected = 2 if cancellation.happened else 3
            assert service.chunks[-1] == expected
            assert await words_of(stream) == [f"word{number}" for number in range(expected)]
            await stream.aclose()


@both_moments
@both_streams
async def test_receiving(make: Make, late: bool) -> None:
    async with serving() as (_, dg):
        for cancellation in each_step(late=late):
            stream = make(dg)
            await stream.open()
            if isinstance(stream, FluxStream):
                await anext(stream)
            receiving = asyncio.create_task(_run(cancellation, stream.__anext__()))
            await stream.send_audio(CHUNK)
            await stream.send_audio(CHUNK)
            first = await receiving
            await stream.finish()
            assert await words_of(stream) == (["word0", "word1"] if first is None else ["word1"])
            await stream.aclose()


async def _run(cancellation: Cancellation, work: Coroutine[Any, Any, Any]) -> Any:
    return await cancellation(work)


@both_moments
@both_streams
async def test_configuring(make: Make, late: bool) -> None:
    async with serving() as (_, dg):
        for cancellation in each_step(late=late):
            async with make(dg) as stream:
                await cancellation(stream.configure(keyterms=["a"]))
                assert (await stream.configure(keyterms=["a"])).keyterms == ["a"]


@both_moments
@both_streams
async def test_finishing(make: Make, late: bool) -> None:
    async with serving() as (_, dg):
        for cancellation in each_step(late=late):
            stream = make(dg)
            await stream.open()
            await stream.send_audio(CHUNK)
            await cancellation(stream.finish())
            await stream.finish()
            assert await words_of(stream) == ["word0"]
            await stream.aclose()
            await works(dg)


@both_moments
@both_streams
async def test_closing(make: Make, late: bool) -> None:
    async with serving() as (service, dg):
        for cancellation in each_step(late=late):
            stream = make(dg)
            await stream.open()
            await stream.send_audio(CHUNK)
            await cancellation(stream.aclose())
            # Nothing but this one close is needed, cancelled or not.
            await until_closed(service)
            assert not stream.is_open
            with pytest.raises(InvalidStateError):
                await stream.send_audio(CHUNK)
            await works(dg)


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(3):
        await asyncio.sleep(0)
        yield CHUNK


async def _transcribed(stream: Stream) -> list[str]:
    async with stream:
        return await words_of(stream.transcribe(chunks()))


@both_moments
@both_streams
async def test_the_whole_way(make: Make, late: bool) -> None:
    async with serving() as (service, dg):
        for cancellation in each_step(late=late):
            words = await cancellation(_transcribed(make(dg)))
            assert words in (None, ["word0", "word1", "word2"])
            await until_closed(service)
            await works(dg)


@both_moments
async def test_closing_a_session_with_open_streams(late: bool) -> None:
    service = Service()
    async with websocket_server(service) as url:
        dg = DeepgramSession("key", base_url=url, stream=SETTINGS)
        for cancellation in each_step(late=late):
            streams: list[Stream] = [live_of(dg), flux_of(dg)]
            for stream in streams:
                await stream.open()
            await cancellation(dg.aclose())
            await until_closed(service)
            assert not any(stream.is_open for stream in streams)
            await works(dg)
            await dg.aclose()


@both_moments
async def test_speaking(late: bool) -> None:
    async def spoken(dg: DeepgramSession) -> bytes:
        async with dg.speak.live(model="aura-2-thalia-en") as stream:
            return b"".join([audio async for audio in stream.speak(["Hello ", "there."])])

    async with (
        websocket_server(speak.aura([])) as url,
        DeepgramSession("key", base_url=url, stream=StreamSettings(close_timeout_s=0.5)) as dg,
    ):
        for cancellation in each_step(late=late):
            assert await cancellation(spoken(dg)) in (None, b"Hello there.")
            assert await spoken(dg) == b"Hello there."


@both_moments
@pytest.mark.parametrize("kind", ["speak", "flux"])
async def test_speaking_over_a_connection_that_is_replaced(kind: str, late: bool) -> None:
    async def spoken(dg: DeepgramSession) -> bytes:
        voice.break_at(len(voice.said), 9)
        stream = (
            dg.speak.live(model="aura-2-thalia-en")
            if kind == "speak"
            else dg.speak.flux.live(model="flux-alexis-en")
        )
        async with stream:
            return b"".join([audio async for audio in stream.speak(["Hello ", "there."])])

    voice = Voice()
    policy = ReconnectPolicy(first_delay_s=0.001, longest_delay_s=0.001)
    settings = StreamSettings(close_timeout_s=0.5, reconnect=policy)
    async with (
        websocket_server(voice) as url,
        DeepgramSession("key", base_url=url, stream=settings) as dg,
    ):
        for cancellation in each_step(late=late):
            assert await cancellation(spoken(dg)) in (None, audio_of("Hello there."))
        assert await spoken(dg) == audio_of("Hello there.")


@both_moments
async def test_conversing(late: bool) -> None:
    async def handle(connection: ServerConnection) -> None:
        peer = agent.Peer(connection)
        with suppress(ConnectionClosed):
            await peer.greet()
            await peer.frame()
            await peer.say("AgentAudioDone")
            await peer.listen()

    async def conversation(dg: DeepgramSession) -> str:
        async with dg.agent.converse({"agent": {}, "audio": {}}) as stream:
            await stream.send_audio(CHUNK)
            async for event in stream:
                if type(event).__name__ == "AgentAudioDone":
                    return "done"
        return "ended"

    async with (
        websocket_server(handle) as url,
        DeepgramSession("key", base_url=url, stream=StreamSettings(close_timeout_s=0.5)) as dg,
    ):
        for cancellation in each_step(late=late):
            assert await cancellation(conversation(dg)) in (None, "done")
            assert await conversation(dg) == "done"


@both_moments
async def test_conversing_over_a_connection_that_is_lost(late: bool) -> None:
    connections = 0

    async def handle(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        number = connections
        peer = agent.Peer(connection)
        with suppress(ConnectionClosed):
            await peer.greet()
            if number % 2:
                await peer.frame()
                connection.transport.abort()
            else:
                await peer.hear("UpdatePrompt")
                await peer.say("PromptUpdated")
                await peer.listen()

    async def conversation(dg: DeepgramSession) -> str:
        async with dg.agent.converse({"agent": {}, "audio": {}}) as stream:
            await stream.update_prompt("Be brief.")
            return "done"

    policy = ReconnectPolicy(first_delay_s=0.001)
    settings = StreamSettings(close_timeout_s=0.5, reconnect=policy)
    async with (
        websocket_server(handle) as url,
        DeepgramSession("key", base_url=url, stream=settings) as dg,
    ):
        for cancellation in each_step(late=late):
            connections = 0
            assert await cancellation(conversation(dg)) in (None, "done")
            assert dg.streams == ()


# Requests.


@both_moments
@pytest.mark.parametrize("kind", ["path", "bytes", "file", "iterable"])
async def test_transcribing_a_recording(kind: str, late: bool, tmp_path: Path) -> None:
    recording = tmp_path / "recording.wav"
    recording.write_bytes(b"RIFF" * 1000)

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return transcription()

    async def transcribed(dg: DeepgramSession) -> str:
        if kind == "file":
            with recording.open("rb") as file:
                return (await dg.listen.transcribe(file)).transcript
        sources: dict[str, AudioSource] = {
            "path": recording,
            "bytes": b"RIFF" * 1000,
            "iterable": iter([b"RIFF"] * 3),
        }
        return (await dg.listen.transcribe(sources[kind])).transcript

    async with http_server(answer) as url, DeepgramSession("key", base_url=url) as dg:
        for cancellation in each_step(late=late):
            assert await cancellation(transcribed(dg)) in (None, "life moves pretty fast")
            assert await transcribed(dg) == "life moves pretty fast"


# The test of the tests.


async def test_a_swallowed_cancellation_is_seen() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return

    with pytest.raises(AssertionError, match="at step 1 was swallowed"):
        await Cancellation(1, late=False)(stubborn())


async def test_each_step_is_reached_once() -> None:
    seen: list[int] = []

    async def three_steps() -> None:
        for number in range(3):
            await asyncio.sleep(0)
            seen.append(number)

    for cancellation in each_step(late=False):
        await cancellation(three_steps())
    assert seen == [0, 0, 1, 0, 1, 2]


async def test_what_was_handed_over_is_lost_when_it_is_cancelled_late() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()

    async def careless() -> int:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(lambda: future.set_result(queue.get_nowait()))
        return await future

    queue.put_nowait(1)
    await Cancellation(1, late=True)(careless())
    assert queue.empty()
