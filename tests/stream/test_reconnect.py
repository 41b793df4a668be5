"""A lost connection is replaced: no word is lost or said twice, and the clock runs on."""

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from deepgram_async import (
    ConnectionLoss,
    DeepgramSession,
    LiveStream,
    Reconnected,
    Reconnecting,
    ReconnectPolicy,
    Results,
    StreamSettings,
)
from deepgram_async.errors import ConnectionLostError
from deepgram_async.models.live import ListenEvent, Metadata
from tests.support.recognizing import RATE, Recognizer, audio, breaking
from tests.support.servers import HandshakeHook, SocketHandler, websocket_server

FAST = ReconnectPolicy(first_delay_s=0.01, longest_delay_s=0.05, replay_speed=None)
RAW: Mapping[str, object] = {"encoding": "mulaw", "sample_rate": RATE}


def settings(policy: ReconnectPolicy = FAST) -> StreamSettings:
    return StreamSettings(reconnect=policy, close_timeout_s=0.2)


@asynccontextmanager
async def opened(
    handler: SocketHandler,
    policy: ReconnectPolicy = FAST,
    *,
    handshake: HandshakeHook | None = None,
    options: Mapping[str, object] = RAW,
) -> AsyncGenerator[LiveStream]:
    async with (
        websocket_server(handler, handshake=handshake) as url,
        DeepgramSession(api_key="sentinel", base_url=url, stream=settings(policy)) as dg,
        dg.listen.live(interim_results=True, **options) as live,  # type: ignore[arg-type]
    ):
        yield live


def pieces(data: bytes, size: int = RATE // 10) -> list[bytes]:
    return [data[place : place + size] for place in range(0, len(data), size)]


async def talking(chunks: Sequence[bytes], pause_s: float = 0.001) -> AsyncIterator[bytes]:
    """Yield chunks as a microphone does: one after the other."""
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(pause_s)


def finals(events: list[ListenEvent]) -> list[Results]:
    return [event for event in events if isinstance(event, Results) and event.is_final]


def spoken(data: bytes) -> list[tuple[str, float]]:
    """Return what an undisturbed stream yields: a word and its start for each tenth of a second."""
    places = range(0, len(data), RATE // 10)
    return [(str(data[place]), place / RATE) for place in places]


def words(events: list[ListenEvent]) -> list[tuple[str, float]]:
    return [(word.word, word.start) for event in finals(events) for word in event.words]


def assert_all_was_heard(server: Recognizer, data: bytes, events: list[ListenEvent]) -> None:
    """Check that each connection goes on at or before the place where finals had ended."""
    position = 0
    for heard in server.heard:
        begin = data.find(heard[:RATE]) if heard else position
        assert 0 <= begin <= position, "audio is missing between two connections"
        position = max(position, begin + len(heard))
    assert position == len(data)
    assert words(events) == spoken(data)


def refusing(
    status: int, after: int = 1, headers: Mapping[str, str] | None = None
) -> HandshakeHook:
    """Refuse the handshakes after the first ones."""
    seen = 0

    def hook(connection: ServerConnection, request: Request) -> Response | None:
        nonlocal seen
        seen += 1
        if seen <= after:
            return None
        response = connection.respond(HTTPStatus(status), "refused")
        for name, value in (headers or {}).items():
            response.headers[name] = value
        return response

    return hook


# What is heard.


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.0, 1.3, 2.7, 4.0])
async def test_a_reset_loses_and_repeats_nothing(seconds: float) -> None:
    data = audio(4.0)
    server = Recognizer()
    server.break_after(0, seconds)
    async with opened(server) as live:
        events = [event async for event in live.transcribe(talking(pieces(data)))]
    assert len(server.heard) == 2
    assert_all_was_heard(server, data, events)
    assert isinstance(events[-1], Metadata)


async def test_many_resets_lose_and_repeat_nothing() -> None:
    data = audio(10.0)
    server = Recognizer(final_s=0.7)
    for number in range(8):
        server.break_after(number, 0.8 + 0.17 * number)
    async with opened(server) as live:
        events = [event async for event in live.transcribe(talking(pieces(data, 7)))]
    assert len(server.heard) == 9
    position = 0
    for heard in server.heard:
        position = data.find(heard[:RATE])
        assert data[position:].startswith(heard)
    ends = [result.end for result in finals(events)]
    starts = [result.start for result in finals(events)]
    assert starts == pytest.approx([0.0, *ends[:-1]])
    assert ends[-1] == len(data) / RATE


async def test_times_of_all_events_are_those_of_the_stream() -> None:
    server = Recognizer()
    server.break_after(0, 2.5)
    async with opened(server) as live:
        events = [event async for event in live.transcribe(talking(pieces(audio(5.0))))]
    place = next(n for n, event in enumerate(events) if isinstance(event, Reconnected))
    assert all(event.start >= 2.0 for event in events[place:] if isinstance(event, Results))
    assert [result.start for result in finals(events)] == [0.0, 1.0, 2.0, 3.0, 4.0]
    metadata = events[-1]
    assert isinstance(metadata, Metadata)
    assert metadata.duration == 2.0 + 1.0


async def test_the_user_is_told() -> None:
    server = Recognizer()
    server.break_after(0, 1.5)
    async with opened(server) as live:
        events = [event async for event in live.transcribe(talking(pieces(audio(2.0))))]
    told = [event for event in events if isinstance(event, Reconnecting | Reconnected)]
    assert [type(event) for event in told] == [Reconnecting, Reconnected]
    again = told[1]
    assert isinstance(again, Reconnected)
    assert 0.5 <= again.replayed_s <= 1.0
    assert (again.dropped_s, again.attempts) == (0.0, 1)
    assert again.gap_s >= 0


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1011, 1012])
async def test_a_close_that_may_pass_is_healed(code: int) -> None:
    async def close(connection: ServerConnection) -> None:
        await connection.close(code if code != 1005 else 1000)

    server = Recognizer()
    server.break_after(0, 1.5, close)
    data = audio(3.0)
    async with opened(server) as live:
        events = [event async for event in live.transcribe(talking(pieces(data)))]
    assert words(events) == spoken(data)


async def test_audio_said_while_there_is_no_connection_is_not_lost() -> None:
    server = Recognizer()
    server.break_after(0, 1.0)
    slow = ReconnectPolicy(first_delay_s=0.0, replay_speed=None, on_loss=_in_a_while)
    data = audio(3.0)
    async with opened(server, slow) as live:
        async with asyncio.timeout(5):
            events = [event async for event in live.transcribe(pieces(data))]
    assert words(events) == spoken(data)


async def test_senders_wait_while_there_is_no_connection_and_no_room() -> None:
    server = Recognizer()
    server.break_after(0, 0.1)
    goes_on = asyncio.Event()

    async def wait(loss: ConnectionLoss) -> None:
        await goes_on.wait()

    policy = ReconnectPolicy(first_delay_s=0.0, replay_speed=None, replay_s=1.0, on_loss=wait)
    data = audio(5.0)
    sent: list[bytes] = []

    async def source() -> AsyncIterator[bytes]:
        for chunk in pieces(data):
            sent.append(chunk)
            yield chunk
            if len(sent) == 1:
                await lost.wait()

    lost = asyncio.Event()
    async with opened(server, policy) as live, asyncio.timeout(5):
        live.start(source())
        events: list[ListenEvent] = []
        async for event in live:
            events.append(event)
            if isinstance(event, Reconnecting):
                lost.set()
                await asyncio.sleep(0.1)
                # What may be kept, and the chunk that waits.
                assert len(sent) == 11
                goes_on.set()
    assert words(events) == spoken(data)
    assert [event.dropped_s for event in events if isinstance(event, Reconnected)] == [0.0]


async def _in_a_while(loss: ConnectionLoss) -> None:
    await asyncio.sleep(0.1)


async def test_kept_audio_is_not_sent_much_faster_than_it_was_spoken() -> None:
    server = Recognizer(final_s=9.0)
    server.break_after(0, 1.0)
    policy = ReconnectPolicy(first_delay_s=0.0, replay_speed=4.0)
    loop = asyncio.get_running_loop()
    async with opened(server, policy) as live:
        events = [event async for event in live.transcribe(talking(pieces(audio(2.0)), 0))]
        took = loop.time() - server.began[1]
    assert words(events) == spoken(audio(2.0))
    assert took >= 1.9 / 4.0


# What is said besides audio.


async def test_a_connection_lost_in_the_drain_is_replaced_and_drained() -> None:
    async def say_nothing(connection: ServerConnection) -> None:
        async for frame in connection:
            if isinstance(frame, str):
                break
        await breaking(connection)

    server = Recognizer(final_s=9.0)
    server.break_after(0, 1.0, say_nothing)
    data = audio(1.5)
    async with opened(server) as live:
        for chunk in pieces(data):
            await live.send_audio(chunk)
        await live.finish()
        assert not live.drain_timed_out
        events = [event async for event in live]
    assert words(events) == spoken(data)
    assert server.said[-1] == ["CloseStream"]


async def test_a_finalize_that_was_not_answered_is_said_again_in_its_place() -> None:
    server = Recognizer(final_s=9.0)
    server.break_after(0, 1.0)
    async with opened(server) as live:
        for chunk in pieces(audio(1.0)):
            await live.send_audio(chunk)
        await live.finalize()
        await live.send_audio(audio(0.5, first=100))
        await live.finish()
        events = [event async for event in live]
    assert [(each.end, each.from_finalize) for each in finals(events)] == [
        (1.0, True),
        (1.5, False),
    ]


async def test_a_finalize_that_was_answered_is_not_said_again() -> None:
    server = Recognizer(final_s=9.0)
    server.break_after(0, 1.5)
    async with opened(server) as live:
        await live.send_audio(audio(1.0))
        await live.finalize()
        async for event in live:
            if isinstance(event, Results) and event.from_finalize:
                break
        await live.send_audio(audio(0.5, first=100))
        await live.finish()
        assert [each.end for each in finals([each async for each in live])] == [1.5]
    assert server.said[-1] == ["CloseStream"]


# What cannot be healed.


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009])
async def test_a_final_close_is_not_retried(code: int) -> None:
    async def close(connection: ServerConnection) -> None:
        await connection.close(code, "no")

    server = Recognizer()
    server.break_after(0, 1.0, close)
    with pytest.raises(ConnectionLostError) as caught:
        async with opened(server) as live:
            async for _ in live.transcribe(talking(pieces(audio(3.0)))):
                pass
    assert caught.value.close_code == code
    assert len(server.heard) == 1


@pytest.mark.parametrize("status", [400, 401, 402, 403])
async def test_a_refusal_that_stays_ends_the_stream(status: int) -> None:
    server = Recognizer()
    server.break_after(0, 1.0)
    with pytest.raises(ConnectionLostError, match="1 attempt to reconnect failed") as caught:
        async with opened(server, handshake=refusing(status)) as live:
            async for _ in live.transcribe(talking(pieces(audio(3.0)))):
                pass
    assert (caught.value.status, caught.value.attempts) == (status, 1)
    assert caught.value.close_code == 1006


async def test_a_server_that_is_gone_ends_the_stream_after_the_attempts() -> None:
    server = Recognizer()
    server.break_after(0, 1.0)
    policy = ReconnectPolicy(attempts=3, first_delay_s=0.01, longest_delay_s=0.01)
    seen: list[Reconnecting] = []
    with pytest.raises(ConnectionLostError, match="3 attempts to reconnect failed") as caught:
        async with opened(server, policy, handshake=refusing(503)) as live:
            async with asyncio.timeout(5):
                async for event in live.transcribe(talking(pieces(audio(3.0)))):
                    if isinstance(event, Reconnecting):
                        seen.append(event)  # noqa: PERF401 - kept although an error follows
    assert [event.attempt for event in seen] == [1, 2, 3]
    assert caught.value.attempts == 3
    assert caught.value.status == 503


async def test_a_server_that_is_gone_is_given_up_in_time() -> None:
    server = Recognizer()
    server.break_after(0, 1.0)
    policy = ReconnectPolicy(
        attempts=10**6, first_delay_s=0.01, longest_delay_s=0.01, give_up_s=0.2
    )
    with pytest.raises(ConnectionLostError, match="attempts to reconnect failed"):
        async with opened(server, policy, handshake=refusing(503)) as live:
            async with asyncio.timeout(5):
                async for _ in live.transcribe(talking(pieces(audio(3.0)))):
                    pass


async def test_a_wait_that_the_service_asks_for_is_kept_or_is_too_long() -> None:
    server = Recognizer()
    server.break_after(0, 1.0)
    policy = ReconnectPolicy(first_delay_s=0.0, give_up_s=30.0)
    hook = refusing(429, headers={"Retry-After": "60"})
    with pytest.raises(ConnectionLostError) as caught:
        async with opened(server, policy, handshake=hook) as live, asyncio.timeout(5):
            async for _ in live.transcribe(talking(pieces(audio(3.0)))):
                pass
    assert caught.value.status == 429


async def test_connections_without_a_result_use_up_the_attempts() -> None:
    connections = 0

    async def deaf(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await connection.recv()
        await connection.close(1011)

    policy = ReconnectPolicy(attempts=4, first_delay_s=0.0, replay_speed=None)
    with pytest.raises(ConnectionLostError, match="4 attempts"):
        async with opened(deaf, policy) as live, asyncio.timeout(5):
            await live.send_audio(audio(0.1))
            async for _ in live:
                pass
    assert connections == 5


async def test_a_container_that_cannot_be_continued_is_refused_with_the_reason() -> None:
    server = Recognizer(final_s=0.5)
    server.break_after(0, 2.0)
    with pytest.raises(ConnectionLostError, match="video/webm cannot be continued") as caught:
        async with opened(server, options={}) as live:
            async for _ in live.transcribe(talking(pieces(b"\x1a\x45\xdf\xa3" + audio(3.0)))):
                pass
    assert caught.value.hint is not None
    assert len(server.heard) == 1


async def test_the_header_of_a_wav_file_is_said_again() -> None:
    header = (
        b"RIFF\xff\xff\xff\xffWAVE" + b"fmt " + struct.pack("<IHHIIHH", 16, 7, 1, RATE, RATE, 1, 8)
    )
    header += b"data\xff\xff\xff\xff"
    data = audio(4.0)
    server = Recognizer(skip=len(header))
    server.break_after(0, 2.5)
    async with opened(server, options={}) as live:
        events = [event async for event in live.transcribe(talking(pieces(header + data, 13)))]
    assert server.heard[0].startswith(header + data[:200])
    assert server.heard[1] == header + data[200:]
    assert words(events) == spoken(data)


async def test_audio_that_had_to_be_dropped_advances_the_clock_and_is_reported() -> None:
    server = Recognizer(final_s=2.0, interims=False)
    server.break_after(0, 1.9)
    policy = ReconnectPolicy(first_delay_s=0.0, replay_speed=None, replay_s=0.5)
    data = audio(5.0)
    async with opened(server, policy) as live:
        events = [event async for event in live.transcribe(talking(pieces(data), 0.005))]
    again = next(event for event in events if isinstance(event, Reconnected))
    assert again.dropped_s > 0
    assert words(events)[0][1] == pytest.approx(again.dropped_s)
    # Every word that is left has its own time.
    assert set(words(events)) <= {(str(data[n]), n / RATE) for n in range(len(data))}


# What the user decides.


async def test_the_hook_may_change_the_options() -> None:
    seen: list[ConnectionLoss] = []

    async def slower(loss: ConnectionLoss) -> Mapping[str, object]:
        seen.append(loss)
        return {"model": "nova-2"}

    server = Recognizer()
    server.break_after(0, 1.0)
    policy = ReconnectPolicy(first_delay_s=0.0, replay_speed=None, on_loss=slower)
    async with opened(server, policy, options={**RAW, "model": "nova-3"}) as live:
        async for _ in live.transcribe(talking(pieces(audio(2.0)))):
            pass
    assert "model=nova-3" in server.paths[0]
    assert "model=nova-2" in server.paths[1]
    assert [(loss.attempt, loss.options["model"]) for loss in seen] == [(1, "nova-3")]


async def test_an_error_of_the_hook_ends_the_stream() -> None:
    async def never(loss: ConnectionLoss) -> None:
        raise LookupError("enough")

    server = Recognizer()
    server.break_after(0, 1.0)
    with pytest.raises(ConnectionLostError, match="stopped by LookupError") as caught:
        async with opened(server, ReconnectPolicy(first_delay_s=0.0, on_loss=never)) as live:
            async for _ in live.transcribe(talking(pieces(audio(2.0)))):
                pass
    assert isinstance(caught.value.__cause__, LookupError)


async def test_the_hook_may_abort_with_the_error_it_was_shown() -> None:
    async def abort(loss: ConnectionLoss) -> None:
        raise loss.error

    server = Recognizer()
    server.break_after(0, 1.0)
    with pytest.raises(ConnectionLostError, match="stopped by ConnectionLostError"):
        async with opened(server, ReconnectPolicy(first_delay_s=0.0, on_loss=abort)) as live:
            async for _ in live.transcribe(talking(pieces(audio(2.0)))):
                pass
    assert len(server.heard) == 1


async def test_a_token_provider_that_fails_ends_the_stream() -> None:
    tokens = iter(["only"])

    async def provide() -> str:
        for token in tokens:
            return token
        raise OSError("no token server")

    server = Recognizer()
    server.break_after(0, 1.0)
    async with (
        websocket_server(server) as url,
        DeepgramSession(token_provider=provide, base_url=url, stream=settings()) as dg,
    ):
        with pytest.raises(ConnectionLostError, match="stopped by OSError"):
            async with dg.listen.live(encoding="mulaw", sample_rate=RATE) as live:
                async for _ in live.transcribe(talking(pieces(audio(2.0)))):
                    pass


async def test_credentials_are_asked_anew() -> None:
    tokens = iter(["first", "second"])
    carried: list[str] = []

    async def provide() -> str:
        return next(tokens)

    def note(connection: ServerConnection, request: Request) -> None:
        carried.append(request.headers["Authorization"])

    server = Recognizer()
    server.break_after(0, 1.0)
    async with (
        websocket_server(server, handshake=note) as url,
        DeepgramSession(token_provider=provide, base_url=url, stream=settings()) as dg,
        dg.listen.live(encoding="mulaw", sample_rate=RATE) as live,
    ):
        async for _ in live.transcribe(talking(pieces(audio(2.0)))):
            pass
    assert carried == ["Bearer first", "Bearer second"]


async def test_a_stream_that_is_being_healed_can_be_closed_at_once() -> None:
    server = Recognizer()
    server.break_after(0, 1.0)
    policy = ReconnectPolicy(first_delay_s=1000.0, longest_delay_s=1000.0, give_up_s=10**6)
    async with opened(server, policy) as live:
        live.start(talking(pieces(audio(9.0))))
        async for event in live:
            if isinstance(event, Reconnecting):
                break
        async with asyncio.timeout(1):
            await live.aclose()
    assert not live.is_open
