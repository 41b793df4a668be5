import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.frames import Close as CloseFrame

from deepgram_async import AudioChunks, DeepgramSession, LiveStream, Results, StreamSettings
from deepgram_async.errors import (
    AudioSourceError,
    ConnectionLostError,
    InvalidStateError,
    ProtocolError,
    SlowConsumerError,
)
from deepgram_async.models.events import Malformed, Unknown
from deepgram_async.models.live import ListenEvent, Metadata
from tests.support.listen import final, interim, metadata, read_until_close_stream
from tests.support.servers import SocketHandler, websocket_server

AUDIO = b"\1\2" * 160
ONCE = StreamSettings(reconnect=None)


async def collect(live: LiveStream) -> list[ListenEvent]:
    return [event async for event in live]


def texts(events: list[ListenEvent]) -> list[str]:
    return [event.transcript for event in events if isinstance(event, Results)]


def session(base_url: str, settings: StreamSettings | None = None) -> DeepgramSession:
    return DeepgramSession(api_key="sentinel", base_url=base_url, stream=settings)


async def polite(connection: ServerConnection) -> None:
    """Say one final result and the metadata after the client's closing message."""
    await read_until_close_stream(connection)
    await connection.send(final("the tail"))
    await connection.send(metadata())


async def stubborn(connection: ServerConnection) -> None:
    """Read everything and never answer."""
    async for _ in connection:
        pass


async def drive(
    handler: SocketHandler, settings: StreamSettings | None = None, **options: int
) -> list[ListenEvent]:
    """Send one chunk by hand, finish, and return all events."""
    async with (
        websocket_server(handler) as url,
        session(url, settings) as dg,
        dg.listen.live(**options) as live,  # type: ignore[arg-type]  # a test passes integers only
    ):
        await live.send_audio(AUDIO)
        await live.finish()
        return await collect(live)


# The end of a stream.


async def test_results_that_come_after_the_closing_message_are_delivered() -> None:
    async def late(connection: ServerConnection) -> None:
        await read_until_close_stream(connection)
        await asyncio.sleep(0.3)
        for text in ("one", "two", "three"):
            await connection.send(final(text))
        await connection.send(metadata())

    events = await drive(late)

    assert texts(events) == ["one", "two", "three"]
    assert isinstance(events[-1], Metadata)


async def test_a_close_without_code_after_the_closing_message_is_a_regular_end() -> None:
    async def codeless(connection: ServerConnection) -> None:
        await read_until_close_stream(connection)
        await connection.send(final("all"))
        connection.protocol.send_close()  # a close frame without a code arrives as 1005
        for data in connection.protocol.data_to_send():
            connection.transport.write(data)
        await connection.wait_closed()

    assert texts(await drive(codeless)) == ["all"]


async def test_a_service_that_never_ends_the_stream_is_left_after_the_drain_timeout() -> None:
    settings = StreamSettings(drain_timeout_s=0.2)
    async with websocket_server(stubborn) as url, session(url, settings) as dg:
        live = dg.listen.live()
        async with live, asyncio.timeout(1.2):
            await live.send_audio(AUDIO)
            await live.finish()
            assert await collect(live) == []
        assert live.drain_timed_out


async def test_the_drain_goes_on_while_results_arrive() -> None:
    async def slow(connection: ServerConnection) -> None:
        await read_until_close_stream(connection)
        for number in range(8):
            await asyncio.sleep(0.1)
            await connection.send(final(str(number)))
        await connection.send(metadata())

    events = await drive(slow, StreamSettings(drain_timeout_s=0.4))

    assert texts(events) == [str(number) for number in range(8)]


async def test_leaving_the_context_sends_the_closing_message_and_keeps_the_tail() -> None:
    async with websocket_server(polite) as url, session(url) as dg:
        async with dg.listen.live() as live:
            await live.send_audio(AUDIO)
        assert texts(await collect(live)) == ["the tail"]
        assert not live.drain_timed_out


async def test_breaking_out_of_the_loop_ends_the_stream_and_its_source() -> None:
    source_ended = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield AUDIO
                await asyncio.sleep(0.01)
        finally:
            source_ended.set()

    async def talkative(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(final("first"))
        await polite(connection)

    async with (
        websocket_server(talkative) as url,
        session(url) as dg,
        dg.listen.live() as live,
    ):
        async for _ in live.transcribe(endless()):
            break
    assert source_ended.is_set()
    assert texts(await collect(live)) == ["the tail"]


@pytest.mark.parametrize(
    ("code", "reason", "net_code", "retryable"),
    [
        (1000, "", None, True),
        (1005, "", None, True),
        (1008, "Data error. See https://dpgr.am/data0000", "DATA-0000", False),
        (1009, "too large", None, False),
        (1011, "No audio in the timeout window. See https://dpgr.am/net0001", "NET-0001", True),
        (1011, "No response in the window. See https://dpgr.am/net0000", "NET-0000", True),
    ],
)
async def test_a_close_that_nobody_asked_for_raises_with_all_that_is_known(
    code: int, reason: str, net_code: str | None, retryable: bool
) -> None:
    async def closing(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(final("before"))
        if code == CloseFrame(1005, "").code:
            connection.protocol.send_close()
            for data in connection.protocol.data_to_send():
                connection.transport.write(data)
            await connection.wait_closed()
        else:
            await connection.close(code, reason)

    async with websocket_server(closing) as url, session(url, ONCE) as dg:
        live = dg.listen.live(encoding="linear16", sample_rate=16000)
        events: list[ListenEvent] = []
        with pytest.raises(ConnectionLostError) as caught:
            async with live:
                await live.send_audio(AUDIO)
                async for event in live:
                    events.append(event)  # noqa: PERF401 - kept although an error follows
        assert texts(events) == ["before"]
        error = caught.value
        assert (error.close_code, error.close_reason, error.net_code) == (code, reason, net_code)
        assert error.retryable is retryable
        assert error.audio_sent_s == 0.01


async def test_a_reset_raises_with_code_1006() -> None:
    async def resetting(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.abort()

    async with websocket_server(resetting) as url, session(url, ONCE) as dg:
        with pytest.raises(ConnectionLostError) as caught:
            async with dg.listen.live() as live:
                await live.send_audio(AUDIO)
                await collect(live)
        assert caught.value.close_code == 1006
        assert caught.value.retryable


async def test_sending_on_a_lost_stream_raises_what_the_iteration_raises() -> None:
    async def hanging_up(connection: ServerConnection) -> None:
        await connection.recv()

    async with (
        websocket_server(hanging_up) as url,
        session(url, ONCE) as dg,
    ):
        live = dg.listen.live()
        await live.open()
        await live.send_audio(AUDIO)
        with pytest.raises(ConnectionLostError) as iterated:
            await collect(live)
        with pytest.raises(ConnectionLostError) as sent:
            await live.send_audio(AUDIO)
        assert sent.value is iterated.value
        await live.aclose()


async def test_a_loss_that_nobody_noticed_is_raised_when_the_context_is_left() -> None:
    async def hanging_up(connection: ServerConnection) -> None:
        await connection.recv()

    async with websocket_server(hanging_up) as url, session(url, ONCE) as dg:
        with pytest.raises(ConnectionLostError):
            async with dg.listen.live() as live:
                await live.send_audio(AUDIO)
                while live.is_open:
                    await asyncio.sleep(0.01)


async def test_a_loss_during_the_drain_is_not_a_regular_end() -> None:
    async def dropping(connection: ServerConnection) -> None:
        await read_until_close_stream(connection)
        connection.transport.abort()

    with pytest.raises(ConnectionLostError):
        await drive(dropping, ONCE)


# Silence.


async def test_keep_alives_are_sent_in_pauses_as_text() -> None:
    frames: list[str | bytes] = []
    enough = asyncio.Event()

    async def noting(connection: ServerConnection) -> None:
        async for frame in connection:
            frames.append(frame)
            if frames.count('{"type":"KeepAlive"}') == 3:
                enough.set()
            if frame == '{"type":"CloseStream"}':
                break

    settings = StreamSettings(keepalive_s=0.1)
    async with (
        websocket_server(noting) as url,
        session(url, settings) as dg,
        dg.listen.live() as live,
    ):
        async with asyncio.timeout(5):
            await enough.wait()
        await live.finish()
    assert set(frames) == {'{"type":"KeepAlive"}', '{"type":"CloseStream"}'}


async def test_no_keep_alive_is_sent_while_audio_flows() -> None:
    frames: list[str | bytes] = []

    async def noting(connection: ServerConnection) -> None:
        frames.extend(await read_until_close_stream(connection))

    # The pause between two chunks is far below the period, also on a busy machine.
    settings = StreamSettings(keepalive_s=2.0)
    async with (
        websocket_server(noting) as url,
        session(url, settings) as dg,
        dg.listen.live() as live,
    ):
        for _ in range(30):
            await live.send_audio(AUDIO)
            await asyncio.sleep(0.1)
        await live.finish()
    assert frames == [AUDIO] * 30


async def test_no_keep_alive_is_sent_when_it_is_switched_off() -> None:
    frames: list[str | bytes] = []

    async def noting(connection: ServerConnection) -> None:
        frames.extend(await read_until_close_stream(connection))

    settings = StreamSettings(keepalive_s=None)
    async with (
        websocket_server(noting) as url,
        session(url, settings) as dg,
        dg.listen.live() as live,
    ):
        await asyncio.sleep(0.3)
        await live.finish()
    assert frames == []


# Messages.


async def test_unknown_and_broken_messages_are_events_and_the_stream_goes_on() -> None:
    async def odd(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send('{"type":"Tomorrow","answer":42}')
        await connection.send('{"type":"Results","channel_index":"zero"}')
        await connection.send("not json")
        await connection.send('["a list"]')
        await polite(connection)

    unknown, wrong, garbage, listed, *rest = await drive(odd)

    assert isinstance(unknown, Unknown)
    assert unknown.type == "Tomorrow"
    assert json.loads(unknown.raw)["answer"] == 42
    assert isinstance(wrong, Malformed)
    assert "channel_index" in wrong.reason
    assert isinstance(garbage, Malformed)
    assert garbage.raw == b"not json"
    assert isinstance(listed, Malformed)
    assert texts(rest) == ["the tail"]


async def test_a_strict_stream_raises_for_a_broken_message() -> None:
    async def odd(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("not json")
        await stubborn(connection)

    with pytest.raises(ProtocolError) as caught:
        await drive(odd, StreamSettings(strict=True))
    assert caught.value.body == b"not json"


async def test_compression_is_not_offered() -> None:
    offers: list[str | None] = []

    async def noting(connection: ServerConnection) -> None:
        assert connection.request is not None
        offers.append(connection.request.headers.get("Sec-WebSocket-Extensions"))
        await polite(connection)

    await drive(noting)
    assert offers == [None]


async def test_finalize_and_keep_alive_are_sent_in_order_with_the_audio() -> None:
    frames: list[str | bytes] = []

    async def noting(connection: ServerConnection) -> None:
        frames.extend(await read_until_close_stream(connection))

    async with (
        websocket_server(noting) as url,
        session(url) as dg,
        dg.listen.live() as live,
    ):
        await live.send_audio(AUDIO)
        await live.finalize()
        await live.keep_alive()
        await live.finalize(channel=1)
        await live.send_audio(bytearray(AUDIO))
        await live.finish()
    assert frames == [
        AUDIO,
        '{"type":"Finalize"}',
        '{"type":"KeepAlive"}',
        '{"type":"Finalize","channel":1}',
        AUDIO,
    ]


# Sources.


def chunks() -> Iterator[bytes]:
    yield from (b"ab", b"", b"cd")


async def async_chunks() -> AsyncIterator[bytes]:
    for chunk in chunks():
        yield chunk


@pytest.mark.parametrize(
    "make_source",
    [chunks, async_chunks, lambda: list(chunks()), lambda: BytesIO(b"abcd")],
    ids=["iterator", "async iterator", "list", "file object"],
)
async def test_every_kind_of_source_is_sent_without_its_empty_chunks(
    make_source: Callable[[], AudioChunks],
) -> None:
    frames: list[str | bytes] = []

    async def noting(connection: ServerConnection) -> None:
        frames.extend(await read_until_close_stream(connection))
        await connection.send(final("heard"))

    async with (
        websocket_server(noting) as url,
        session(url) as dg,
        dg.listen.live() as live,
    ):
        events = [event async for event in live.transcribe(make_source())]
    assert b"".join(frame for frame in frames if isinstance(frame, bytes)) == b"abcd"
    assert b"" not in frames
    assert texts(events) == ["heard"]


async def test_an_error_of_the_source_is_raised_after_the_results_before_it() -> None:
    class UnpluggedError(Exception):
        pass

    async def broken() -> AsyncIterator[bytes]:
        yield AUDIO
        raise UnpluggedError

    async with websocket_server(polite) as url, session(url) as dg:
        events: list[ListenEvent] = []
        with pytest.raises(UnpluggedError):
            async with dg.listen.live() as live:
                async for event in live.transcribe(broken()):
                    events.append(event)  # noqa: PERF401 - kept although an error follows
        assert texts(events) == ["the tail"]


@pytest.mark.parametrize("source", [b"bytes", "path.wav", 42, None])
async def test_a_source_that_is_no_series_of_chunks_is_refused(source: object) -> None:
    async with websocket_server(polite) as url, session(url) as dg:
        with pytest.raises(AudioSourceError):
            async with dg.listen.live() as live:
                await collect(live.transcribe(source))  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("chunk", [b"", "text", None])
async def test_a_chunk_that_is_empty_or_no_bytes_is_refused(chunk: object) -> None:
    async with (
        websocket_server(polite) as url,
        session(url) as dg,
        dg.listen.live() as live,
    ):
        with pytest.raises(AudioSourceError):
            await live.send_audio(chunk)  # type: ignore[arg-type]  # on purpose


async def test_a_second_source_is_refused() -> None:
    async with (
        websocket_server(polite) as url,
        session(url) as dg,
        dg.listen.live() as live,
    ):
        live.start([AUDIO])
        with pytest.raises(InvalidStateError, match="a source already"):
            live.start([AUDIO])


# States.


async def test_nothing_can_be_sent_before_opening() -> None:
    live = session("http://127.0.0.1:9").listen.live()
    with pytest.raises(InvalidStateError, match="not open"):
        await live.send_audio(AUDIO)
    with pytest.raises(InvalidStateError, match="not open"):
        await anext(live)
    with pytest.raises(InvalidStateError, match="never opened"):
        await live.finish()
    await live.aclose()


async def test_finalize_after_close_stream_raises() -> None:
    async with (
        websocket_server(polite) as url,
        session(url) as dg,
        dg.listen.live() as live,
    ):
        await live.close_stream()
        with pytest.raises(InvalidStateError, match="cannot finalize: stream is closing"):
            await live.finalize()
        with pytest.raises(InvalidStateError, match="cannot send audio: stream is closing"):
            await live.send_audio(AUDIO)


async def test_opening_twice_raises() -> None:
    async with (
        websocket_server(polite) as url,
        session(url) as dg,
        dg.listen.live() as live,
    ):
        with pytest.raises(InvalidStateError, match="once"):
            await live.open()


async def test_two_tasks_cannot_iterate_at_the_same_time() -> None:
    async with (
        websocket_server(polite) as url,
        session(url) as dg,
        dg.listen.live() as live,
    ):
        first = asyncio.ensure_future(anext(live))
        await asyncio.sleep(0)
        with pytest.raises(InvalidStateError, match="already iterating"):
            await anext(live)
        await live.finish()
        await first


async def test_closing_twice_and_from_another_task_is_fine() -> None:
    async with websocket_server(stubborn) as url, session(url) as dg:
        live = dg.listen.live()
        await live.open()
        reading = asyncio.create_task(collect(live))
        await asyncio.sleep(0)
        await asyncio.gather(live.aclose(), live.aclose())
        await live.aclose()
        assert await reading == []


async def test_closing_the_session_finishes_its_streams() -> None:
    async with websocket_server(polite) as url:
        dg = session(url)
        live = dg.listen.live()
        await live.open()
        assert set(dg.streams) == {live}
        await live.send_audio(AUDIO)
        await dg.aclose()
        assert not dg.streams
        assert texts(await collect(live)) == ["the tail"]


# A consumer that is slow.


async def test_a_full_buffer_drops_interim_results_and_keeps_every_final() -> None:
    async def flooding(connection: ServerConnection) -> None:
        await connection.recv()
        for number in range(20):
            await connection.send(interim(f"interim {number}"))
            await connection.send(final(f"final {number}"))
        await polite(connection)

    async with (
        websocket_server(flooding) as url,
        session(url, StreamSettings(event_buffer=24)) as dg,
        dg.listen.live() as live,
    ):
        await live.send_audio(AUDIO)
        await live.finish()
        heard = texts(await collect(live))
        assert [text for text in heard if "final" in text] == [f"final {n}" for n in range(20)]
        assert heard[-1] == "the tail"
        assert live.dropped_interims == 42 - 24


async def test_a_buffer_full_of_finals_ends_the_stream_with_an_error() -> None:
    async def flooding(connection: ServerConnection) -> None:
        await connection.recv()
        for number in range(10):
            await connection.send(final(str(number)))
        await stubborn(connection)

    async with (
        websocket_server(flooding) as url,
        session(url, StreamSettings(event_buffer=5)) as dg,
    ):
        live = dg.listen.live()
        await live.open()
        await live.send_audio(AUDIO)
        while live.is_open:
            await asyncio.sleep(0.01)
        heard: list[str] = []
        with pytest.raises(SlowConsumerError):
            async for event in live:
                heard += texts([event])
        assert heard == ["0", "1", "2", "3", "4"]
        await live.aclose()


async def test_a_consumer_slower_than_the_pings_keeps_its_connection() -> None:
    async def flooding(connection: ServerConnection) -> None:
        await connection.recv()
        for number in range(500):
            await connection.send(final(str(number)))
        await polite(connection)

    async with (
        websocket_server(flooding) as url,
        session(url, StreamSettings(dead_peer_s=0.6, reconnect=None)) as dg,
        dg.listen.live() as live,
    ):
        await live.send_audio(AUDIO)
        await anext(live)
        await asyncio.sleep(1.8)
        await live.finish()
        assert texts(await collect(live)) == [*map(str, range(1, 500)), "the tail"]
