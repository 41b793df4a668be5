"""When a REST request is sent again, and when it never is."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from deepgram_async import DeepgramSession, RetryPolicy
from deepgram_async._io.attempts import Attempt
from deepgram_async.errors import (
    ApiError,
    ConnectError,
    ConnectionLostError,
    CredentialsError,
    DeepgramError,
    RateLimitError,
    ServerError,
)
from tests.support.answers import raw_answer, transcription
from tests.support.servers import http_server, raw_server, read_request

AT_ONCE = RetryPolicy(first_delay_s=0.0)
AUDIO = bytes(range(256)) * 2500


class Script:
    """Answers each request with the next of a list of statuses, then with a transcription."""

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        self.bodies: list[bytes] = []
        self.arrivals: list[float] = []
        self.has_answered = asyncio.Event()
        self._statuses = iter(statuses)
        self._headers = headers or {}

    async def answer(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.arrivals.append(time.monotonic())
        self.has_answered.set()
        status = next(self._statuses, 200)
        if status == 200:
            return transcription()
        return web.Response(status=status, headers=self._headers)


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_a_passing_failure_is_repeated(status: int) -> None:
    script = Script(status)
    async with (
        http_server(script.answer) as url,
        DeepgramSession("key", base_url=url, retry=AT_ONCE) as dg,
    ):
        answer = await dg.listen.transcribe(AUDIO)
    assert answer.transcript == "life moves pretty fast"
    assert script.bodies == [AUDIO, AUDIO]


@pytest.mark.parametrize(
    "status", [400, 401, 402, 403, 404, 405, 408, 411, 413, 414, 422, 499, 500, 504]
)
async def test_a_failure_that_would_stay_or_may_be_billed_is_not_repeated(status: int) -> None:
    script = Script(status)
    async with (
        http_server(script.answer) as url,
        DeepgramSession("key", base_url=url, retry=AT_ONCE) as dg,
    ):
        with pytest.raises(ApiError) as caught:
            await dg.listen.transcribe(AUDIO)
    assert (caught.value.status, caught.value.attempts) == (status, 1)
    assert len(script.bodies) == 1


async def test_the_error_after_the_last_attempt_counts_them() -> None:
    script = Script(429, 503, 429)
    async with (
        http_server(script.answer) as url,
        DeepgramSession("key", base_url=url, retry=AT_ONCE) as dg,
    ):
        with pytest.raises(RateLimitError) as caught:
            await dg.listen.transcribe(AUDIO)
    assert caught.value.attempts == len(script.bodies) == 3
    assert "[after 3 attempts]" in str(caught.value)
    assert caught.value.__context__ is None


async def test_other_statuses_are_repeated_on_request() -> None:
    script = Script(504)
    retry = RetryPolicy(statuses=frozenset({504}), first_delay_s=0.0)
    async with (
        http_server(script.answer) as url,
        DeepgramSession("key", base_url=url, retry=retry) as dg,
    ):
        await dg.listen.transcribe(AUDIO)
    assert len(script.bodies) == 2


@pytest.mark.parametrize(
    ("headers", "least_s"),
    [
        ({"Retry-After-Ms": "150"}, 0.15),
        ({"Retry-After": "0.15"}, 0.15),
        ({"Retry-After": "1"}, 1.0),
        ({"Retry-After-Ms": "100", "Retry-After": "3600"}, 0.1),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"X-RateLimit-Reset": "1445412480"}, 0.0),
        ({"Retry-After": "soon"}, 0.0),
    ],
)
async def test_the_stated_pause_is_kept(headers: dict[str, str], least_s: float) -> None:
    script = Script(429, headers=headers)
    async with (
        http_server(script.answer) as url,
        DeepgramSession("key", base_url=url, retry=AT_ONCE) as dg,
    ):
        await dg.listen.transcribe(AUDIO)
    first, second = script.arrivals
    assert second - first >= least_s


@pytest.mark.parametrize("header", ["Retry-After", "X-RateLimit-Reset"])
async def test_a_stated_moment_is_waited_for(header: str) -> None:
    until = int(time.time()) + 2  # such a date has whole seconds
    stated = formatdate(until, usegmt=True) if header == "Retry-After" else str(until)
    arrived: list[float] = []

    async def note(_request: web.Request) -> web.Response:
        arrived.append(time.time())
        if len(arrived) == 1:
            return web.Response(status=503, headers={header: stated})
        return transcription()

    async with (
        http_server(note) as url,
        DeepgramSession("key", base_url=url, retry=AT_ONCE) as dg,
    ):
        await dg.listen.transcribe(AUDIO)
    # The wall clock may be a few ticks behind the clock of the loop.
    assert arrived[1] >= until - 0.05


async def test_a_pause_that_is_too_long_is_left_to_the_caller() -> None:
    script = Script(429, headers={"Retry-After": "3600"})
    async with (
        http_server(script.answer) as url,
        DeepgramSession("key", base_url=url, retry=AT_ONCE) as dg,
    ):
        with pytest.raises(RateLimitError) as caught:
            await dg.listen.transcribe(AUDIO)
    assert (caught.value.retry_after, caught.value.attempts) == (3600.0, 1)


async def test_a_refused_connection_is_tried_again() -> None:
    async with DeepgramSession("key", base_url="http://127.0.0.1:9", retry=AT_ONCE) as dg:
        with pytest.raises(ConnectError) as caught:
            await dg.listen.transcribe(AUDIO)
    assert caught.value.attempts == 3


async def test_cancelling_during_the_pause_ends_it() -> None:
    script = Script(429, headers={"Retry-After": "30"})
    async with http_server(script.answer) as url, DeepgramSession("key", base_url=url) as dg:
        task = asyncio.create_task(dg.listen.transcribe(AUDIO))
        await script.has_answered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(script.bodies) == 1


# What can be sent again.


async def test_every_source_that_can_be_read_again_is_sent_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(AUDIO)
    at_7 = io.BytesIO(AUDIO)
    at_7.seek(7)
    sources: list[tuple[Any, bytes]] = [
        (path, AUDIO),
        (AUDIO, AUDIO),
        (bytearray(AUDIO), AUDIO),
        (at_7, AUDIO[7:]),
    ]
    for source, expected in sources:
        script = Script(503, 503)
        async with (
            http_server(script.answer) as url,
            DeepgramSession("key", base_url=url, retry=AT_ONCE) as dg,
        ):
            await dg.listen.transcribe(source)
        assert script.bodies == [expected] * 3


async def test_a_body_that_can_be_read_once_is_sent_once() -> None:
    async def asynchronous() -> AsyncIterator[bytes]:
        yield AUDIO

    def plain() -> Iterator[bytes]:
        yield AUDIO

    for source in (asynchronous(), plain()):
        script = Script(429, 429)
        async with (
            http_server(script.answer) as url,
            DeepgramSession("key", base_url=url, retry=AT_ONCE) as dg,
        ):
            with pytest.raises(RateLimitError) as caught:
                await dg.listen.transcribe(source)
        assert caught.value.attempts == 1
        assert script.bodies == [AUDIO]


# Pooled connections.


class Stale:
    """Answers the first request of the first connection, and drops later requests on it."""

    def __init__(self, *, drops_all: bool = False) -> None:
        self.bodies: list[bytes] = []
        self._connections = 0
        self._drops_all = drops_all

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        number = self._connections
        if number > 1 and self._drops_all:
            self.bodies.append((await read_request(reader))[1])
            return
        while True:
            self.bodies.append((await read_request(reader))[1])
            if number == 1 and len(self.bodies) > 1:
                return
            writer.write(raw_answer())


async def test_a_stale_connection_is_replaced_once() -> None:
    stale = Stale()
    async with raw_server(stale.talk) as url, DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(b"first")
        await dg.listen.transcribe(AUDIO)
    assert stale.bodies == [b"first", AUDIO, AUDIO]


async def test_a_new_connection_that_is_dropped_is_not_replaced() -> None:
    stale = Stale(drops_all=True)
    async with raw_server(stale.talk) as url, DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(b"first")
        with pytest.raises(ConnectionLostError) as caught:
            await dg.listen.transcribe(AUDIO)
    assert caught.value.attempts == 2
    assert stale.bodies == [b"first", AUDIO, AUDIO]


async def test_a_body_that_can_be_read_once_is_not_sent_over_a_second_connection() -> None:
    async def once() -> AsyncIterator[bytes]:
        yield AUDIO

    stale = Stale()
    async with raw_server(stale.talk) as url, DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(b"first")
        with pytest.raises(ConnectionLostError):
            await dg.listen.transcribe(once())
    assert stale.bodies == [b"first", AUDIO]


async def test_a_pooled_connection_that_broke_off_its_answer_is_not_repeated() -> None:
    bodies: list[bytes] = []

    async def break_the_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append((await read_request(reader))[1])
        writer.write(raw_answer())
        bodies.append((await read_request(reader))[1])
        writer.write(raw_answer()[:-20])

    async with raw_server(break_the_second) as url, DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(b"first")
        with pytest.raises(ConnectionLostError):
            await dg.listen.transcribe(AUDIO)
    assert len(bodies) == 2


@pytest.mark.parametrize(("silent_s", "is_stale"), [(0.0, True), (60.0, False)])
async def test_a_connection_that_ends_after_a_while_is_not_taken_for_stale(
    silent_s: float, is_stale: bool
) -> None:
    attempt = Attempt()
    attempt.connection_was_reused = True
    attempt.headers_sent_at = asyncio.get_running_loop().time() - silent_s
    assert attempt.was_stale is is_stale


# Around a request.


async def test_the_credentials_are_asked_for_before_every_attempt() -> None:
    tokens = iter(["first", "second", "third"])
    seen: list[str] = []

    async def provide() -> str:
        return next(tokens)

    async def note(request: web.Request) -> web.Response:
        await request.read()
        seen.append(request.headers["Authorization"])
        return web.Response(status=503) if len(seen) < 3 else transcription()

    async with (
        http_server(note) as url,
        DeepgramSession(base_url=url, token_provider=provide, retry=AT_ONCE) as dg,
    ):
        await dg.listen.transcribe(AUDIO)
    assert seen == ["Bearer first", "Bearer second", "Bearer third"]


async def test_an_error_of_the_token_provider_reaches_its_owner() -> None:
    failure = LookupError("no token today")

    async def fail() -> str:
        raise failure

    async with DeepgramSession(base_url="http://127.0.0.1:9", token_provider=fail) as dg:
        with pytest.raises(LookupError) as caught:
            await dg.listen.transcribe(AUDIO)
    assert caught.value is failure


async def test_an_unusable_token_is_found_before_anything_is_sent() -> None:
    async def unusable() -> str:
        return "two words"

    script = Script()
    async with (
        http_server(script.answer) as url,
        DeepgramSession(base_url=url, token_provider=unusable) as dg,
    ):
        with pytest.raises(CredentialsError):
            await dg.listen.transcribe(AUDIO)
    assert script.bodies == []


async def test_a_decoding_error_is_not_repeated() -> None:
    asked = 0

    async def odd(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        await request.read()
        return web.json_response({"results": 1})

    async with http_server(odd) as url, DeepgramSession("key", base_url=url, retry=AT_ONCE) as dg:
        with pytest.raises(DeepgramError):
            await dg.listen.transcribe(AUDIO)
    assert asked == 1


async def test_a_server_error_names_its_operation() -> None:
    async with (
        http_server(Script(500).answer) as url,
        DeepgramSession("key", base_url=url) as dg,
    ):
        with pytest.raises(ServerError, match=r"^POST /v1/listen: 500: "):
            await dg.listen.transcribe(AUDIO)
