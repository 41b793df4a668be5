"""One connection writes in order, at once where it can, and in few writes where it must wait."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest

from deepgram_async._io.sockets import Receiver, WebSocket
from deepgram_async._protocol.listen_v1 import ListenV1Core
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import Close, State
from deepgram_async._stream.connection import Connection
from deepgram_async.errors import ConnectionLostError
from deepgram_async.models.live import ListenEvent, UtteranceEnd

LINEAR = {"encoding": "linear16", "sample_rate": 16000}
UTTERANCE_END = '{"type":"UtteranceEnd","channel":[0,1],"last_word_end":1.0}'


class FakeWebSocket(WebSocket):
    """Keeps what is written, and takes nothing while a test wants it to."""

    def __init__(self) -> None:
        self.request_id = None
        self.is_writable = True
        self.was_heard = self.was_used = False
        self.writes: list[list[str | bytes]] = []
        self.pings = 0
        self.is_closing = False
        self.aborted: str | None = None
        self.receiver: Receiver | None = None
        self.untaken = 0

    @property
    def frames(self) -> list[str | bytes]:
        return [frame for write in self.writes for frame in write]

    def attach(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def write(self, frames: Sequence[str | bytes]) -> None:
        assert self.is_writable
        self.was_used = True
        self.writes.append(list(frames))

    def ping(self) -> None:
        self.pings += 1
        self.was_used = True

    def start_closing(self) -> None:
        self.is_closing = True

    async def aclose(self, timeout_s: float) -> None:
        self.is_closing = True

    def abort(self, reason: str) -> None:
        self.aborted = reason
        self.is_writable = False

    @property
    def taken_bytes(self) -> int:
        return sum(map(len, self.frames)) - self.untaken

    @property
    def waiting_bytes(self) -> int:
        return self.untaken


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
