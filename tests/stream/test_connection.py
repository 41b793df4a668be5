"""One connection writes in order, at once where it can, and in few writes where it must wait."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from deepgram_async._protocol.listen_v1 import ListenV1Core
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import Close, State
from deepgram_async._stream.connection import Connection
from deepgram_async.errors import ConnectionLostError
from deepgram_async.models.events import Stalled
from deepgram_async.models.live import ListenEvent, UtteranceEnd
from tests.support.fake_websocket import FakeWebSocket

LINEAR = {"encoding": "linear16", "sample_rate": 16000}
UTTERANCE_END = '{"type":"UtteranceEnd","channel":[0,1],"last_word_end":1.0}'


class Listener:
    """Takes what a connection brings."""

    def __init__(self) -> None:
        self.events: list[ListenEvent] = []
        self.ends: list[Exception | None] = []
        self.failure: Exception | None = None

    def take(self, event: ListenEvent) -> None:
        if self.failure is not None:
            raise self.failure
        self.events.append(event)

    def ended(self, error: Exception | None) -> None:
        self.ends.append(error)


class Setup:
    """A connection with everything around it."""

    def __init__(self, settings: StreamSettings) -> None:
        self.core = ListenV1Core(LINEAR, now=0.0, keepalive_s=settings.keepalive_s)
        self.websocket = FakeWebSocket()
        self.listener = Listener()
        self.connection = Connection(self.core, self.websocket, settings, self.listener)


@asynccontextmanager
async def connected(
    settings: StreamSettings | None = None,
) -> AsyncGenerator[Setup]:
    setup = Setup(settings or StreamSettings(keepalive_s=None))
    setup.connection.start()
    try:
        yield setup
    finally:
        await setup.connection.aclose()


async def pause() -> None:
    """Let more time pass than lies between the frames of a burst."""
    await asyncio.sleep(0.002)


# Writing.


async def test_a_frame_after_a_pause_is_written_before_put_returns() -> None:
    async with connected() as given:
        for number in range(3):
            given.connection.put(bytes([number]) * 3200)
            assert len(given.websocket.frames) == number + 1
            await pause()
        assert given.core.audio_sent_s == 0.3


async def test_a_burst_takes_few_writes_and_keeps_its_order() -> None:
    async with connected() as given:
        frames: list[str | bytes] = [bytes([number % 256]) * 32 for number in range(1000)]
        for frame in frames:
            given.connection.put(frame)
        await pause()
        assert given.websocket.frames == frames
        assert len(given.websocket.writes) < 100
        assert given.core.audio_sent_s == 1.0


async def test_nothing_overtakes_what_waits_for_the_peer() -> None:
    async with connected() as given:
        given.websocket.is_writable = False
        given.connection.put(b"first")
        await pause()
        given.websocket.is_writable = True
        given.connection.put(b"second")
        await pause()
        given.connection.put(b"third")
        assert given.websocket.frames == [b"first", b"second", b"third"]


async def test_writing_goes_on_when_the_peer_takes_more() -> None:
    async with connected() as given:
        given.websocket.is_writable = False
        given.connection.put(b"one")
        given.connection.put(b"two")
        assert given.connection.waiting_bytes == 6
        given.websocket.is_writable = True
        given.connection.room_came()
        assert given.websocket.writes == [[b"one", b"two"]]
        assert given.connection.waiting_bytes == 0


async def test_a_full_queue_makes_its_callers_wait_for_room() -> None:
    async with connected(StreamSettings(keepalive_s=None, send_buffer_bytes=4)) as given:
        await given.connection.wait_for_room()
        given.websocket.is_writable = False
        given.connection.put(b"1234")
        waiting = [asyncio.create_task(given.connection.wait_for_room()) for _ in range(2)]
        await pause()
        assert not any(task.done() for task in waiting)
        given.websocket.is_writable = True
        given.connection.room_came()
        await asyncio.gather(*waiting)


async def test_the_end_lets_everybody_go_who_waits_for_room() -> None:
    async with connected(StreamSettings(keepalive_s=None, send_buffer_bytes=4)) as given:
        given.websocket.is_writable = False
        given.connection.put(b"1234")
        waiting = asyncio.create_task(given.connection.wait_for_room())
        await pause()
        given.connection.give_up("enough")
        await waiting
        await given.connection.wait_for_room()


async def test_room_is_made_by_leaving_out_the_oldest_audio_and_no_message() -> None:
    async with connected(StreamSettings(keepalive_s=None, send_buffer_bytes=8)) as given:
        given.websocket.is_writable = False
        for frame in ("{}", b"one", b"two", "[]", b"new"):
            given.connection.put(frame)
        assert given.connection.make_room() == [b"one", b"two"]
        assert given.connection.queued_bytes == 7
        given.websocket.is_writable = True
        given.connection.room_came()
        assert given.connection.make_room() == []
        assert given.websocket.frames == ["{}", "[]", b"new"]


async def test_finishing_closes_when_all_is_written() -> None:
    async with connected() as given:
        given.websocket.is_writable = False
        given.connection.put(b"last")
        given.connection.finish()
        assert not given.websocket.is_closing
        given.websocket.is_writable = True
        given.connection.room_came()
        assert given.websocket.frames == [b"last"]
        assert given.websocket.is_closing


# Joining.

JOINING = StreamSettings(keepalive_s=None, join_audio_s=0.02)


async def until_written(given: Setup, count: int) -> None:
    async with asyncio.timeout(5):
        while len(given.websocket.frames) < count:
            await asyncio.sleep(0.001)


async def test_small_chunks_are_held_back_and_written_as_one() -> None:
    async with connected(JOINING) as given:
        for number in range(5):
            given.connection.put(bytes([number]))
        assert given.websocket.frames == []
        assert given.connection.waiting_bytes == 5
        await until_written(given, 1)
        assert given.websocket.frames == [bytes(range(5))]
        assert given.core.audio_bytes_sent == 5
        given.connection.put(b"next")
        await until_written(given, 2)
        assert given.websocket.frames[1] == b"next"


async def test_a_message_goes_out_at_once_behind_the_audio_before_it() -> None:
    async with connected(JOINING) as given:
        given.connection.put(b"one")
        given.connection.put(b"two")
        given.connection.put('{"type":"Finalize"}')
        assert given.websocket.frames == [b"onetwo", '{"type":"Finalize"}']
        given.connection.put(b"three")
        given.connection.put('{"type":"CloseStream"}')
        assert given.websocket.frames[2:] == [b"three", '{"type":"CloseStream"}']


async def test_audio_that_comes_fast_is_not_held_back_for_long() -> None:
    async with connected(StreamSettings(keepalive_s=None, join_audio_s=60.0)) as given:
        for _ in range(20):
            given.connection.put(bytes(8192))
        assert [len(frame) for frame in given.websocket.frames] == [4 * 8192] * 5


# Receiving, and the end.


async def test_events_are_taken_in_order_and_the_end_comes_once() -> None:
    async with connected() as given:
        given.connection.frame_received(UTTERANCE_END)
        given.connection.socket_ended(Close(1011, "NET-0001"))
        given.connection.socket_ended(Close(1006, ""))
        (event,) = given.listener.events
        assert isinstance(event, UtteranceEnd)
        (error,) = given.listener.ends
        assert isinstance(error, ConnectionLostError)
        assert error.close_code == 1011


async def test_what_taking_an_event_raises_is_the_end() -> None:
    async with connected() as given:
        given.listener.failure = ValueError("a bug")
        given.connection.frame_received(UTTERANCE_END)
        given.connection.frame_received(UTTERANCE_END)
        assert given.listener.ends == [given.listener.failure]
        assert given.websocket.aborted is not None


async def test_a_connection_that_was_replaced_tells_nobody_anything() -> None:
    async with connected() as given:
        given.connection.detach()
        given.connection.frame_received(UTTERANCE_END)
        given.connection.socket_ended(Close(1006, ""))
        assert (given.listener.events, given.listener.ends) == ([], [])


# Watching.

QUICK = StreamSettings(keepalive_s=None, dead_peer_s=0.08)


async def until_it_ends(given: Setup) -> ConnectionLostError:
    async with asyncio.timeout(5):
        while not given.listener.ends:
            await asyncio.sleep(0.005)
    (error,) = given.listener.ends
    assert isinstance(error, ConnectionLostError)
    assert given.core.state is State.CLOSED
    return error


async def test_a_silent_peer_is_asked_once_and_given_up() -> None:
    async with connected(QUICK) as given:
        error = await until_it_ends(given)
        assert "answered no ping" in error.message
        assert given.websocket.pings == 1
        assert given.websocket.aborted is not None


async def test_a_peer_that_takes_no_data_is_given_up_though_it_speaks() -> None:
    async with connected(QUICK) as given:
        given.websocket.is_writable = False
        given.connection.put(b"audio")
        async with asyncio.timeout(5):
            while not given.listener.ends:
                given.websocket.was_heard = True
                await asyncio.sleep(0.005)
        (error,) = given.listener.ends
        assert "took no data" in str(error)


async def test_a_peer_that_takes_data_slowly_is_not_given_up() -> None:
    async with connected(QUICK) as given:
        given.connection.put(bytes(1000))
        given.websocket.untaken = 1000
        for _ in range(100):
            given.websocket.was_heard = True
            given.websocket.untaken -= 1
            await asyncio.sleep(0.002)
        assert given.listener.ends == []


async def test_a_peer_that_speaks_all_the_time_still_gets_a_ping_from_a_silent_client() -> None:
    async with connected(QUICK) as given:
        async with asyncio.timeout(5):
            while not given.websocket.pings:
                given.websocket.was_heard = True
                await asyncio.sleep(0.005)
        assert given.listener.ends == []


@pytest.mark.parametrize("jump_s", [60.0, 3600.0])
async def test_a_clock_that_jumps_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    settings = StreamSettings(keepalive_s=None, dead_peer_s=20.0)
    async with connected(settings) as given:
        loop = asyncio.get_running_loop()
        asleep_s = 0.0
        awake = loop.time
        monkeypatch.setattr(loop, "time", lambda: awake() + asleep_s)
        given.websocket.is_writable = False
        given.connection.put(b"audio")
        for _ in range(2):
            asleep_s += jump_s  # the machine slept: every timer is due at once
            await asyncio.sleep(0.01)
        assert given.listener.ends == []


async def test_a_keepalive_goes_out_in_a_pause() -> None:
    settings = StreamSettings(keepalive_s=0.06, dead_peer_s=10.0)
    async with connected(settings) as given:
        async with asyncio.timeout(5):
            while not given.websocket.frames:
                await asyncio.sleep(0.005)
        assert given.websocket.frames == ['{"type":"KeepAlive"}']


# Watching for a service that hears and says nothing.

STALLS = StreamSettings(keepalive_s=None, stalled_after_s=0.04)
CHUNK = bytes(320)
CHUNK_S = 0.01


async def talk(given: Setup, enough: Callable[[], bool]) -> int:
    """Send audio until it is enough; return how many chunks that took."""
    chunks = 0
    async with asyncio.timeout(5):
        while not enough():
            given.connection.put(CHUNK)
            chunks += 1
            await asyncio.sleep(0.002)
    return chunks


async def test_a_service_that_hears_and_says_nothing_is_told_of_once() -> None:
    async with connected(STALLS) as given:
        chunks = await talk(given, lambda: bool(given.listener.events))
        (stall,) = given.listener.events
        assert isinstance(stall, Stalled)
        assert stall.silent_s >= 0.04
        assert stall.audio_s == pytest.approx(chunks * CHUNK_S, abs=2 * CHUNK_S)
        until = asyncio.get_running_loop().time() + 0.1
        await talk(given, lambda: asyncio.get_running_loop().time() > until)
        assert given.listener.events == [stall]


async def test_a_stall_is_told_of_again_when_an_event_came_between() -> None:
    async with connected(STALLS) as given:
        await talk(given, lambda: bool(given.listener.events))
        given.connection.frame_received(UTTERANCE_END)
        chunks = await talk(given, lambda: len(given.listener.events) == 3)
        first, between, second = given.listener.events
        assert isinstance(first, Stalled)
        assert isinstance(between, UtteranceEnd)
        assert isinstance(second, Stalled)
        assert second.audio_s == pytest.approx(chunks * CHUNK_S, abs=2 * CHUNK_S)


async def test_a_service_that_hears_nothing_may_be_silent() -> None:
    async with connected(STALLS) as given:
        given.connection.put(CHUNK)
        await asyncio.sleep(0.1)
        given.connection.put('{"type":"KeepAlive"}')
        await asyncio.sleep(0.1)
        assert given.listener.events == []


async def test_a_clock_that_jumps_is_no_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(StreamSettings(keepalive_s=None, dead_peer_s=3600.0)) as given:
        loop = asyncio.get_running_loop()
        asleep_s = 0.0
        awake = loop.time
        monkeypatch.setattr(loop, "time", lambda: awake() + asleep_s)
        for _ in range(3):
            given.connection.put(CHUNK)
            asleep_s += 3600.0
            await asyncio.sleep(0.01)
        assert given.listener.events == []


async def test_nobody_is_told_of_a_stall_who_does_not_want_it() -> None:
    settings = StreamSettings(keepalive_s=None, stalled_after_s=None, dead_peer_s=0.4)
    async with connected(settings) as given:
        for _ in range(50):
            given.connection.put(CHUNK)
            given.websocket.was_heard = True
            await asyncio.sleep(0.002)
        assert given.listener.events == []
