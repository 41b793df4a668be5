"""No key, token or password in any message, repr, traceback or log, however a call ends."""

import asyncio
import base64
import logging
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from deepgram_async import DeepgramSession, ReconnectPolicy, RetryPolicy, StreamSettings, Timeouts
from deepgram_async._protocol.credentials import access_token, api_key
from deepgram_async._protocol.settings import NetworkSettings
from deepgram_async.errors import DeepgramError
from tests.support.answers import raw_answer, transcription
from tests.support.certificates import tls_contexts, untrusted_server
from tests.support.servers import (
    RawHandler,
    http_proxy,
    http_server,
    raw_server,
    read_request,
    reset,
    websocket_server,
)

SECRET: Final = "sEnTiNeL"
KEY: Final = f"{SECRET}-key"
PROXY_USER: Final = f"{SECRET}-user:{SECRET}-password"
# What a search for the secrets themselves would miss.
ENCODED: Final = base64.b64encode(PROXY_USER.encode()).decode()

ONCE: Final = RetryPolicy(attempts=1)
# The servers of these tests log what they receive; the rest is the client.
SERVER_LOGGERS: Final = ("aiohttp.access", "aiohttp.server", "aiohttp.web", "websockets.server")

Ending = Callable[[], Awaitable[object]]


def session(url: str = "http://127.0.0.1:9", **settings: Any) -> DeepgramSession:
    given: dict[str, Any] = {"api_key": KEY, "base_url": url, "retry": ONCE}
    return DeepgramSession(**given | settings)


class Everything(logging.Handler):
    """Keeps all that is logged, formatted and not."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name not in SERVER_LOGGERS:
            self.texts += [self.format(record), repr(record.args), repr(record.__dict__)]


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Switch every logger to DEBUG and collect what they say."""
    everything = Everything()
    root = logging.getLogger()
    named = [log for log in root.manager.loggerDict.values() if isinstance(log, logging.Logger)]
    levels = {log: log.level for log in [root, *named]}
    for log in levels:
        log.setLevel(logging.DEBUG)
    root.addHandler(everything)
    yield everything.texts
    root.removeHandler(everything)
    for log, level in levels.items():
        log.setLevel(level)


def family(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that hangs on it, hidden or not."""
    waiting, seen = [error], set[int]()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [e for e in (found.__cause__, found.__context__) if e is not None]


def texts_of(error: BaseException) -> Iterator[str]:
    """Yield everything that a program may show of an exception."""
    yield from traceback.format_exception(error)
    for relative in family(error):
        yield from (str(relative), repr(relative), repr(relative.args), repr(relative.__dict__))
        yield from traceback.format_exception(relative)


def assert_silent(texts: list[str]) -> None:
    for text in texts:
        assert SECRET not in text
        assert ENCODED not in text


# How a REST request ends.


@asynccontextmanager
async def talking(handler: RawHandler | None = None, answer: bytes = b"") -> AsyncGenerator[str]:
    """Read a request, then write the answer, do what the handler does, and close."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()
        if handler is not None:
            await handler(reader, writer)

    async with raw_server(talk) as url:
        yield url


async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def transcribe(url: str, source: Any = b"audio", **settings: Any) -> None:
    async with session(url, **settings) as dg:
        await dg.listen.transcribe(source)


async def refused() -> None:
    await transcribe("http://127.0.0.1:9")


async def unknown_host() -> None:
    await transcribe("https://nonexistent.invalid")


async def dropped() -> None:
    async with talking() as url:
        await transcribe(url)


async def dropped_while_uploading() -> None:
    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reset(writer)

    async with raw_server(drop) as url:
        await transcribe(url, bytes(8 << 20))


async def cut() -> None:
    async with talking(answer=raw_answer()[:-9]) as url:
        await transcribe(url)


async def garbage() -> None:
    async with talking(answer=b"SSH-2.0\r\n") as url:
        await transcribe(url)


async def page() -> None:
    async with talking(answer=raw_answer(b"<html>")) as url:
        await transcribe(url)


async def unauthorized() -> None:
    async with talking(answer=raw_answer(b"", "401 Unauthorized")) as url:
        await transcribe(url)


async def redirected() -> None:
    async with talking(answer=raw_answer(b"", "302 Found", "Location: /x\r\n")) as url:
        await transcribe(url)


async def busy_three_times() -> None:
    async def refuse(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=429)

    async with http_server(refuse) as url:
        await transcribe(url, retry=RetryPolicy(first_delay_s=0.0))


async def stale_connection() -> None:
    async with talking(answer=raw_answer()) as url, session(url) as dg:
        await dg.listen.transcribe(b"audio")
        await dg.with_options(retry=RetryPolicy()).listen.transcribe(b"audio")
    raise ConnectionError("it was repeated")


async def late_tls() -> None:
    async with raw_server(hang) as url:
        await transcribe(url.replace("http:", "https:"), timeouts=Timeouts(connect_s=0.1))


async def late_upload() -> None:
    async with raw_server(hang) as url:
        await transcribe(url, bytes(32 << 20), timeouts=Timeouts(upload_idle_s=0.1))


async def late_answer() -> None:
    async with talking(hang) as url:
        await transcribe(url, timeouts=Timeouts(response_s=0.1))


async def late_rest_of_the_answer() -> None:
    async with talking(hang, raw_answer()[:-9]) as url:
        await transcribe(url, timeouts=Timeouts(download_idle_s=0.1))


async def cancelled() -> None:
    async with talking(hang) as url, asyncio.timeout(0.1):
        await transcribe(url)


async def closed_meanwhile() -> None:
    is_waiting = asyncio.Event()

    async def wait(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        is_waiting.set()
        await asyncio.Event().wait()

    async with talking(wait) as url, session(url) as dg:
        request = asyncio.create_task(dg.listen.transcribe(b"audio"))
        await is_waiting.wait()
        await dg.aclose()
        await request


async def failing_source() -> None:
    async def source() -> AsyncIterator[bytes]:
        yield b"audio"
        raise LookupError("no more")

    async with talking() as url:
        await transcribe(url, source())


async def missing_file() -> None:
    await transcribe("http://127.0.0.1:9", "no/such/file.wav")


async def impossible_header() -> None:
    await transcribe("http://127.0.0.1:9", extra_headers={"X": "a\r\nb"})


async def untrusted() -> None:
    async with untrusted_server() as url:
        await transcribe(url)


async def unknown_option() -> None:
    options: Any = {"mode": 1}
    async with session() as dg:
        await dg.listen.transcribe(b"audio", **options)


async def callback_not_delivered() -> None:
    async with talking() as url, session(url) as dg:
        await dg.listen.submit(bytes(8 << 20), f"https://me:{SECRET}@example.com/done")


# How the way through a proxy ends.


def with_password(url: str) -> str:
    return url.replace("//", f"//{PROXY_USER}@")


async def proxy_is_not_there() -> None:
    await transcribe("http://127.0.0.1:9", proxy=with_password("http://127.0.0.1:9"))


async def proxy_refuses() -> None:
    async with http_proxy("407 Proxy Authentication Required") as proxy:
        await transcribe("https://127.0.0.1:9", proxy=with_password(proxy.url))


async def proxy_loses_the_request() -> None:
    async with talking() as url:
        await transcribe("http://127.0.0.1:9", bytes(8 << 20), proxy=with_password(url))


async def proxy_is_no_url() -> None:
    await transcribe("http://127.0.0.1:9", proxy=with_password("ftp://127.0.0.1:9"))


async def proxy_is_not_there_for_a_stream() -> None:
    await stream("http://127.0.0.1:9", proxy=with_password("http://127.0.0.1:9"))


async def proxy_refuses_a_stream() -> None:
    async with http_proxy("407 Proxy Authentication Required") as proxy:
        await stream("http://127.0.0.1:9", proxy=with_password(proxy.url))


# How a session is refused.


async def base_url_with_password() -> None:
    session(f"https://me:{SECRET}@dg.example")


async def base_url_with_password_and_a_fault() -> None:
    session(f"https://me:{SECRET}@dg.example:port")


async def impossible_key() -> None:
    session(api_key=f"{SECRET} {SECRET}")


async def two_credentials() -> None:
    session(access_token=KEY)


async def impossible_token() -> None:
    async def provide() -> str:
        return f"{SECRET}\n{SECRET}"

    await transcribe("http://127.0.0.1:9", api_key=None, token_provider=provide)


# How a stream ends.


async def stream(url: str, **settings: Any) -> None:
    async with session(url, **settings) as dg, dg.listen.live() as live:
        await live.send_audio(b"audio")
        async for _ in live:
            pass


async def handshake_refused() -> None:
    def refuse(connection: ServerConnection, _request: Request) -> Response:
        return connection.respond(401, "no")

    async def talk(_connection: ServerConnection) -> None:
        raise AssertionError("the handshake is refused")

    async with websocket_server(talk, handshake=refuse) as url:
        await stream(url)


async def handshake_dropped() -> None:
    async def drop(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with raw_server(drop) as url:
        await stream(url)


async def handshake_garbage() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0\r\n\r\n")

    async with raw_server(babble) as url:
        await stream(url)


async def handshake_late() -> None:
    async with raw_server(hang) as url:
        await stream(url, stream=StreamSettings(open_timeout_s=0.1))


async def handshake_untrusted() -> None:
    async with untrusted_server() as url:
        await stream(url)


async def handshake_with_an_impossible_header() -> None:
    await stream("http://127.0.0.1:9", extra_headers={"X": "a\r\nb"})


# Lost, replaced, and lost again.
TWICE = StreamSettings(reconnect=ReconnectPolicy(attempts=1, first_delay_s=0.01))


async def stream_closed_with_an_error() -> None:
    async def close(connection: ServerConnection) -> None:
        await connection.close(1011, "NET-0001")

    async with websocket_server(close) as url:
        await stream(url, stream=TWICE)


async def stream_dropped() -> None:
    async def drop(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.abort()

    async with websocket_server(drop) as url:
        await stream(url, stream=TWICE)


async def conversation_dropped() -> None:
    async def drop(connection: ServerConnection) -> None:
        await connection.send('{"type":"Welcome"}')
        await connection.recv()
        await connection.send('{"type":"SettingsApplied"}')
        connection.transport.abort()

    endpoint = {"url": f"https://me:{SECRET}@a.example", "headers": {"authorization": KEY}}
    settings = {"audio": {}, "agent": {"think": {"provider": {}, "endpoint": endpoint}}}
    async with (
        websocket_server(drop) as url,
        session(url, stream=TWICE) as dg,
        dg.agent.converse(settings) as agent,
    ):
        async for _ in agent:
            pass


async def stream_not_understood() -> None:
    async def babble(connection: ServerConnection) -> None:
        await connection.send("{")
        await connection.wait_closed()

    async with websocket_server(babble) as url:
        await stream(url, stream=StreamSettings(strict=True))


async def stream_used_after_its_end() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.recv()

    async with websocket_server(talk) as url, session(url) as dg:
        async with dg.listen.live() as live:
            pass
        await live.send_audio(b"audio")


ENDINGS: Final[list[Ending]] = [
    *(refused, unknown_host, dropped, dropped_while_uploading, cut, garbage, page, unauthorized),
    *(redirected, busy_three_times, stale_connection, late_tls, late_upload, late_answer),
    *(late_rest_of_the_answer, cancelled, closed_meanwhile, failing_source, missing_file),
    *(impossible_header, untrusted, unknown_option, callback_not_delivered),
    *(proxy_is_not_there, proxy_refuses, proxy_loses_the_request, proxy_is_no_url),
    *(proxy_is_not_there_for_a_stream, proxy_refuses_a_stream),
    *(base_url_with_password, base_url_with_password_and_a_fault, impossible_key),
    *(two_credentials, impossible_token),
    *(handshake_refused, handshake_dropped, handshake_garbage, handshake_late),
    *(handshake_untrusted, handshake_with_an_impossible_header, stream_closed_with_an_error),
    *(stream_dropped, conversation_dropped, stream_not_understood, stream_used_after_its_end),
]


@pytest.mark.parametrize("ending", ENDINGS, ids=[ending.__name__ for ending in ENDINGS])
async def test_no_secret_is_shown_when(ending: Ending, logged: list[str]) -> None:
    with pytest.raises((DeepgramError, OSError, LookupError)) as caught:
        await ending()
    assert_silent(logged)
    assert_silent(list(texts_of(caught.value)))


@pytest.mark.parametrize("ending", ENDINGS, ids=[ending.__name__ for ending in ENDINGS])
async def test_nothing_of_the_client_libraries_hangs_on_the_error_when(ending: Ending) -> None:
    with pytest.raises((DeepgramError, OSError, LookupError)) as caught:
        await ending()
    strangers = {
        type(relative).__module__.partition(".")[0] for relative in family(caught.value)
    } & {"aiohttp"}
    assert not strangers


async def test_no_secret_is_shown_when_all_goes_well(logged: list[str]) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Token {KEY}"
        return transcription()

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        assert connection.request.headers["Authorization"] == f"Token {KEY}"
        await connection.recv()
        await connection.recv()

    server, client = tls_contexts()
    async with http_server(answer, tls=server) as url:
        await transcribe(url, ssl_context=client)
    async with websocket_server(talk, tls=server) as url, session(url, ssl_context=client) as dg:
        async with dg.listen.live() as live:
            await live.send_audio(b"audio")
            assert_silent([repr(live), str(live), repr(dg.streams)])
        assert_silent([repr(dg), str(dg), repr(dg.listen)])
    assert any("deepgram_async" in text for text in logged), "nothing was collected"
    assert_silent(logged)


async def provide() -> str:
    return KEY


@pytest.mark.parametrize("credentials", [{"access_token": KEY}, {"token_provider": provide}])
async def test_a_token_is_as_secret_as_a_key(credentials: Any, logged: list[str]) -> None:
    async with talking() as url:
        with pytest.raises(DeepgramError) as caught:
            await transcribe(url, api_key=None, **credentials)
    assert_silent([*logged, *texts_of(caught.value)])


@pytest.mark.parametrize("make", [api_key, access_token])
def test_credentials_show_their_kind_only(make: Callable[[str], object]) -> None:
    assert_silent([repr(make(KEY)), str(make(KEY))])


def test_settings_do_not_show_the_password_of_the_proxy() -> None:
    settings = NetworkSettings(proxy=f"http://{PROXY_USER}@proxy.example:3128")
    assert_silent([repr(settings), str(settings)])
