"""What else has to get from one connection to the next: changes, containers, and the tail."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import (
    DeepgramSession,
    LiveStream,
    Reconnected,
    ReconnectPolicy,
    StreamSettings,
)
from deepgram_async.errors import ConnectionLostError
from deepgram_async.models.live import ListenEvent, Metadata, Results
from tests.support.listen import metadata, results
from tests.support.ogg import HEADER, OGG, PAGES
from tests.support.recognizing import RATE, Recognizer, audio
from tests.support.servers import SocketHandler, websocket_server

FAST = ReconnectPolicy(first_delay_s=0.01, longest_delay_s=0.05, replay_speed=None)
RAW: dict[str, Any] = {"encoding": "mulaw", "sample_rate": RATE}


@asynccontextmanager
async def opened(handler: SocketHandler, **options: Any) -> AsyncGenerator[LiveStream]:
    settings = StreamSettings(reconnect=FAST, close_timeout_s=0.2)
    async with (
        websocket_server(handler) as url,
        DeepgramSession(api_key="sentinel", base_url=url, stream=settings) as dg,
        dg.listen.live(**options) as live,
    ):
        yield live


async def talking(data: bytes, size: int) -> AsyncIterator[bytes]:
    for place in range(0, len(data), size):
        yield data[place : place + size]
        await asyncio.sleep(0.001)


async def gone(connection: ServerConnection) -> None:
    connection.transport.abort()
    await connection.wait_closed()


def finals(events: list[ListenEvent]) -> list[Results]:
    return [event for event in events if isinstance(event, Results) and event.is_final]


# Changes.


class Changeable:
    """Confirms changes, or breaks instead of the first confirmation."""

    def __init__(self, *, breaks: Callable[[dict[str, Any]], bool]) -> None:
        self.keyterms: list[list[str]] = []
        """What each connection was opened with."""
        self.said: list[list[dict[str, Any]]] = []
        self._breaks = breaks

    async def __call__(self, connection: ServerConnection) -> None:
        path = connection.request.path if connection.request else ""
        self.keyterms.append(parse_qs(urlsplit(path).query).get("keyterm", []))
        self.said.append([])
        async for frame in connection:
            if isinstance(frame, bytes):
                continue
            message = json.loads(frame)
            self.said[-1].append(message)
            if len(self.said) == 1 and self._breaks(message):
                await gone(connection)
                return
            if message["type"] == "CloseStream":
                await connection.send(metadata())
                return
            if message["type"] == "Configure":
                answer = {"type": "ConfigureSuccess", "request_id": "r"}
                await connection.send(json.dumps(answer | {"keyterms": message["keyterms"]}))


async def test_a_change_that_was_not_answered_is_asked_for_again() -> None:
    server = Changeable(breaks=lambda message: message["type"] == "Configure")
    async with opened(server, model="nova-3", keyterm=["a"], **RAW) as live:
        await live.send_audio(audio(0.1))
        assert (await live.configure(keyterms=["b"])).keyterms == ["b"]
    assert server.keyterms == [["a"], ["a"]]
    assert server.said[1] == [{"type": "Configure", "keyterms": ["b"]}, {"type": "CloseStream"}]


async def test_a_change_that_was_answered_is_in_the_options_of_the_next_connection() -> None:
    server = Changeable(breaks=lambda message: message["type"] == "Finalize")
    async with opened(server, model="nova-3", keyterm=["a"], **RAW) as live:
        await live.configure(keyterms=["b", "c"])
        await live.send_audio(audio(0.1))
        await live.finalize()
        async for event in live:
            if isinstance(event, Reconnected):
                break
    assert server.keyterms == [["a"], ["b", "c"]]
    assert server.said[1] == [{"type": "Finalize"}, {"type": "CloseStream"}]


async def test_changes_add_up_over_connections() -> None:
    server = Changeable(
        breaks=lambda message: message.get("keyterms") == ["c"],
    )
    async with opened(server, model="nova-3", keyterm=["a"], **RAW) as live:
        await live.configure(keyterms=["b"])
        assert (await live.configure(keyterms=["c"])).keyterms == ["c"]
    assert server.keyterms == [["a"], ["b"]]
    assert server.said[1] == [{"type": "Configure", "keyterms": ["c"]}, {"type": "CloseStream"}]


# Containers.


class OggServer:
    """Settles a second for each whole page, and breaks after the third on the first connection."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    async def __call__(self, connection: ServerConnection) -> None:
        self.heard.append(b"")
        number, settled = len(self.heard) - 1, 0
        async for frame in connection:
            if isinstance(frame, str):
                await connection.send(metadata())
                return
            self.heard[number] += frame
            whole = [page for page in PAGES if page in self.heard[number]]
            for page in whole[settled:]:
                word = str(page[-1])
                await connection.send(results(word, start=float(settled)))
                settled += 1
            if number == 0 and settled == 3:
                await gone(connection)
                return


async def test_an_ogg_stream_goes_on_with_its_header_and_whole_pages() -> None:
    server = OggServer()
    async with opened(server) as live:
        events = [event async for event in live.transcribe(talking(OGG, 100))]
    first, second = server.heard
    assert OGG.startswith(first)
    # The page before the end of what is settled is heard again, because a decoder starts early.
    assert second == HEADER + b"".join(PAGES[2:])
    assert [(each.transcript, round(each.start)) for each in finals(events) if each.words] == [
        ("1", 0),
        ("2", 1),
        ("3", 2),
        ("4", 3),
        ("5", 4),
    ]


@pytest.mark.parametrize(
    ("beginning", "name"),
    [(b"\x1a\x45\xdf\xa3", "video/webm"), (b"ID3\x04" + bytes(20), "audio/mpeg")],
)
async def test_what_cannot_be_resumed_is_refused_with_the_reason(
    beginning: bytes, name: str
) -> None:
    server = Recognizer(final_s=0.5)
    server.break_after(0, 2.0)
    with pytest.raises(ConnectionLostError, match=f"{name} cannot be continued") as caught:
        async with opened(server) as live:
            async for _ in live.transcribe(talking(beginning + audio(3.0), 10)):
                pass
    assert "Ogg" in (caught.value.hint or "")
    assert len(server.heard) == 1


# The tail.


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_polite_close_before_the_last_message_loses_no_tail(code: int) -> None:
    connections = 0

    async def hurried(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        heard = b""
        async for frame in connection:
            if isinstance(frame, bytes):
                heard += frame
                continue
            if connections > 1:
                await connection.send(results("tail"))
                await connection.send(metadata())
            await connection.close(code)
            assert heard == audio(1.0)

    async with opened(hurried, **RAW) as live:
        events = [event async for event in live.transcribe(talking(audio(1.0), 10))]
    assert [event.transcript for event in finals(events)] == ["tail"]
    assert isinstance(events[-1], Metadata)
    assert connections == 2


async def test_a_service_without_a_last_message_is_asked_twice_and_believed() -> None:
    connections = 0

    async def wordless(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        async for frame in connection:
            if isinstance(frame, str):
                return

    async with opened(wordless, **RAW) as live:
        async for _ in live.transcribe(talking(audio(0.5), 10)):
            pass
        assert not live.drain_timed_out
    assert connections == 2
