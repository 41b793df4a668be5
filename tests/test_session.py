"""Where a session comes from, how long it lives, and who may close it."""

import asyncio
import json
import logging
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from deepgram_async import DeepgramSession, RetryPolicy
from deepgram_async.errors import (
    ConfigurationError,
    ConnectError,
    CredentialsError,
    InvalidStateError,
)
from tests.support.answers import transcription
from tests.support.servers import http_server, websocket_server

TEXT = "life moves pretty fast"


class Service:
    """Answers transcriptions and streams, and notes who asked."""

    def __init__(self) -> None:
        self.credentials: list[str | None] = []
        self.messages: list[str] = []

    @asynccontextmanager
    async def rest(self) -> AsyncGenerator[str]:
        async def answer(request: web.Request) -> web.Response:
            await request.read()
            self.credentials.append(request.headers.get("Authorization"))
            return transcription()

        async with http_server(answer) as url:
            yield url

    @asynccontextmanager
    async def socket(self) -> AsyncGenerator[str]:
        def note(_connection: ServerConnection, request: Request) -> Response | None:
            self.credentials.append(request.headers.get("Authorization"))
            return None

        async def talk(connection: ServerConnection) -> None:
            async for message in connection:
                if isinstance(message, str):
                    self.messages.append(json.loads(message)["type"])
                    if "CloseStream" in message:
                        return

        async with websocket_server(talk, handshake=note) as url:
            yield url


async def credentials_of(**settings: Any) -> str | None:
    """Return what a session with these settings logs in with."""
    service = Service()
    async with service.rest() as url, DeepgramSession(base_url=url, **settings) as dg:
        await dg.listen.transcribe(b"audio")
    return service.credentials[0]


# Lifetime.


async def test_a_session_is_closed_twice_without_harm() -> None:
    async with Service().rest() as url, DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(b"audio")
        await dg.aclose()
        await dg.aclose()


def test_a_session_tells_where_its_requests_go() -> None:
    assert DeepgramSession("key", region="eu").base_url == "https://api.eu.deepgram.com"
    assert DeepgramSession("key", base_url="ws://localhost:1/x/").base_url == "http://localhost:1/x"


async def test_a_session_that_was_never_used_can_be_closed() -> None:
    await DeepgramSession("key").aclose()


async def test_a_session_works_without_async_with() -> None:
    async with Service().rest() as url:
        dg = DeepgramSession("key", base_url=url)
        assert (await dg.listen.transcribe(b"audio")).transcript == TEXT
        await dg.aclose()


async def test_a_closed_session_can_be_opened_again() -> None:
    async with Service().rest() as url:
        dg = DeepgramSession("key", base_url=url)
        for _ in range(2):
            async with dg:
                assert (await dg.listen.transcribe(b"audio")).transcript == TEXT


async def test_a_session_may_be_closed_by_another_task() -> None:
    async with Service().rest() as url:
        dg = DeepgramSession("key", base_url=url)

        async def work() -> str:
            return (await dg.listen.transcribe(b"audio")).transcript

        await asyncio.create_task(dg.__aenter__())
        assert await asyncio.create_task(work()) == TEXT
        await asyncio.create_task(dg.aclose())


async def test_a_lifespan_serves_many_tasks() -> None:
    @asynccontextmanager
    async def lifespan(url: str) -> AsyncGenerator[DeepgramSession]:
        async with DeepgramSession("key", base_url=url) as dg:
            yield dg

    async with Service().rest() as url:
        opened = asyncio.Event()
        stopping = asyncio.Event()
        sessions: list[DeepgramSession] = []

        async def serve() -> None:
            async with lifespan(url) as dg:
                sessions.append(dg)
                opened.set()
                await stopping.wait()

        async def handle() -> str:
            return (await sessions[0].listen.transcribe(b"audio")).transcript

        server = asyncio.create_task(serve())
        await opened.wait()
        requests = [asyncio.create_task(handle()) for _ in range(5)]
        assert await asyncio.gather(*requests) == [TEXT] * 5
        stopping.set()
        await server


async def test_sessions_may_end_in_any_order() -> None:
    async with Service().rest() as url, AsyncExitStack() as stack:
        first = await stack.enter_async_context(DeepgramSession("key", base_url=url))
        second = await stack.enter_async_context(DeepgramSession("key", base_url=url))
        await first.aclose()
        assert (await second.listen.transcribe(b"audio")).transcript == TEXT


async def test_many_first_uses_share_one_pool() -> None:
    service = Service()
    async with service.rest() as url, DeepgramSession("key", base_url=url) as dg:
        await dg.aclose()
        answers = await asyncio.gather(*(dg.listen.transcribe(b"audio") for _ in range(10)))
    assert len(answers) == len(service.credentials) == 10


async def test_with_options_shares_the_connections_of_its_session() -> None:
    peers: set[object] = set()

    async def note(request: web.Request) -> web.Response:
        peers.add(request.transport)
        return transcription()

    async with http_server(note) as url, DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(b"audio")
        await dg.with_options(keep_raw=True).listen.transcribe(b"audio")
    assert len(peers) == 1


# Event loops.


def test_a_session_can_be_made_outside_of_a_loop() -> None:
    dg = DeepgramSession("key", base_url="http://127.0.0.1:9")
    assert repr(dg) == "<DeepgramSession http://127.0.0.1:9>"


def run(work: Coroutine[Any, Any, object]) -> object:
    return asyncio.run(work)


async def test_a_session_in_use_on_two_loops_is_refused() -> None:
    async with Service().rest() as url, DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(b"audio")
        for work in (dg.listen.transcribe(b"audio"), dg.aclose(), dg.__aenter__()):
            with pytest.raises(InvalidStateError, match="another event loop"):
                await asyncio.to_thread(run, work)
        assert (await dg.listen.transcribe(b"audio")).transcript == TEXT


async def test_a_session_moves_to_the_next_loop_after_closing() -> None:
    async with Service().rest() as url:
        dg = DeepgramSession("key", base_url=url)

        async def once() -> str:
            async with dg:
                return (await dg.listen.transcribe(b"audio")).transcript

        for _ in range(3):
            assert await asyncio.to_thread(asyncio.run, once()) == TEXT


ONE_RUN_PER_CALL = """
import asyncio, sys
from deepgram_async import DeepgramSession

dg = DeepgramSession("key", base_url=sys.argv[1])

async def call():
    return (await dg.listen.transcribe(b"audio")).transcript

async def call_and_close():
    async with dg:
        return (await dg.listen.transcribe(b"audio")).transcript

for run in (call, call, call_and_close, call):
    print(asyncio.run(run()))
"""

FORGOTTEN = """
import asyncio, sys
from deepgram_async import DeepgramSession

async def main():
    dg = DeepgramSession("key", base_url=sys.argv[1])
    print((await dg.listen.transcribe(b"audio")).transcript)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("script", "calls"),
    [pytest.param(ONE_RUN_PER_CALL, 4, id="reused"), pytest.param(FORGOTTEN, 1, id="forgotten")],
)
async def test_a_loop_that_ends_leaves_no_connection_behind(script: str, calls: int) -> None:
    async with Service().rest() as url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-c", script, url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = await process.communicate()
    assert out.decode().splitlines() == [TEXT] * calls
    assert err.decode() == ""


# Streams of a session.


async def test_open_streams_are_listed() -> None:
    async with Service().socket() as url, DeepgramSession("key", base_url=url) as dg:
        assert len(dg.streams) == 0
        async with dg.listen.live() as live:
            assert list(dg.streams) == [live]
        assert len(dg.streams) == 0


async def test_closing_the_session_finishes_its_streams() -> None:
    service = Service()
    async with service.socket() as url, DeepgramSession("key", base_url=url) as dg:
        live = dg.listen.live()
        await live.open()
        await live.send_audio(b"audio")
        await dg.aclose()
        assert not live.is_open
        assert [event async for event in live] == []
    assert service.messages == ["CloseStream"]


async def test_a_stream_of_a_derived_session_is_closed_with_both() -> None:
    async with Service().socket() as url, DeepgramSession("key", base_url=url) as dg:
        live = dg.with_options(extra_query={"tag": "x"}).listen.live()
        await live.open()
        assert dg.streams == (live,)
        await dg.aclose()
        assert not live.is_open


# Credentials.


async def test_a_token_provider_is_asked_before_each_request_and_handshake() -> None:
    tokens = iter(["one", "two", "three", "four"])

    async def provide() -> str:
        return next(tokens)

    service = Service()
    async with (
        service.rest() as url,
        DeepgramSession(base_url=url, token_provider=provide) as dg,
    ):
        await dg.listen.transcribe(b"audio")
        await dg.listen.transcribe(b"audio")
    async with (
        service.socket() as url,
        DeepgramSession(base_url=url, token_provider=provide) as dg,
    ):
        for _ in range(2):
            async with dg.listen.live():
                pass
    assert service.credentials == ["Bearer one", "Bearer two", "Bearer three", "Bearer four"]


async def test_a_key_is_a_token_and_a_token_is_a_bearer() -> None:
    assert await credentials_of(api_key="k") == "Token k"
    assert await credentials_of(access_token="t") == "Bearer t"
    assert await credentials_of() is None


async def test_a_newline_after_the_key_is_dropped() -> None:
    assert await credentials_of(api_key=" k\n") == "Token k"


async def test_credentials_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_ACCESS_TOKEN", "token-of-env")
    assert await credentials_of() == "Bearer token-of-env"
    monkeypatch.setenv("DEEPGRAM_API_KEY", "key-of-env")
    assert await credentials_of() == "Token key-of-env"


async def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def provide() -> str:
        return "provided"

    monkeypatch.setenv("DEEPGRAM_API_KEY", "key-of-env")
    assert await credentials_of(api_key="key") == "Token key"
    assert await credentials_of(access_token="token") == "Bearer token"
    assert await credentials_of(token_provider=provide) == "Bearer provided"


def test_deepgram_itself_wants_credentials() -> None:
    with pytest.raises(CredentialsError, match="DEEPGRAM_API_KEY"):
        DeepgramSession()


@pytest.mark.parametrize("empty", ["", "  \n"])
def test_an_empty_key_is_none(empty: str) -> None:
    with pytest.raises(CredentialsError):
        DeepgramSession(empty)


@pytest.mark.parametrize("argument", ["api_key", "access_token"])
@pytest.mark.parametrize("secret", [5, b"key", ["key"]])
def test_a_secret_that_is_no_text_is_refused(argument: str, secret: Any) -> None:
    with pytest.raises(CredentialsError, match=f"must be a str, not {type(secret).__name__}"):
        DeepgramSession(**{argument: secret})


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "")
    with pytest.raises(CredentialsError):
        DeepgramSession()


def test_two_kinds_of_credentials_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="exclude each other"):
        DeepgramSession("key", access_token="token")


# Addresses.


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "https://api.deepgram.com"),
        ({"region": "global"}, "https://api.deepgram.com"),
        ({"region": "eu"}, "https://api.eu.deepgram.com"),
        ({"region": "au"}, "https://api.au.deepgram.com"),
        ({"region": "in"}, "https://api.in.deepgram.com"),
        ({"base_url": "wss://dg.example:8443/x/"}, "https://dg.example:8443/x"),
        ({"base_url": "http://localhost:1"}, "http://localhost:1"),
        ({"base_url": "http://[::1]:1"}, "http://[::1]:1"),
        ({"base_url": "http://dg.internal", "allow_insecure": True}, "http://dg.internal"),
    ],
)
def test_a_session_knows_its_address(settings: Any, address: str) -> None:
    assert repr(DeepgramSession("key", **settings)) == f"<DeepgramSession {address}>"


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_credentials_are_not_sent_in_the_clear_over_a_network(scheme: str) -> None:
    with pytest.raises(ConfigurationError, match="unencrypted") as caught:
        DeepgramSession("key", base_url=f"{scheme}://dg.internal")
    assert "allow_insecure=True" in str(caught.value.hint)


@pytest.mark.parametrize(
    "settings",
    [
        {"region": "mars"},
        {"region": "eu", "base_url": "https://dg.example"},
        {"base_url": "dg.example"},
        {"base_url": "ftp://dg.example"},
        {"base_url": "https://dg.example?x=1"},
        {"base_url": "https://dg.example:port"},
        {"base_url": 8080},
    ],
)
def test_an_address_that_is_none_is_refused(settings: Any) -> None:
    with pytest.raises(ConfigurationError):
        DeepgramSession("key", **settings)


def test_the_address_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_BASE_URL", "http://127.0.0.1:8080")
    assert repr(DeepgramSession()) == "<DeepgramSession http://127.0.0.1:8080>"


def test_an_address_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_BASE_URL", "http://127.0.0.1:8080")
    assert "localhost" in repr(DeepgramSession("key", base_url="http://localhost"))
    assert "api.eu" in repr(DeepgramSession("key", region="eu"))


# The environment.


@pytest.fixture
def own_logger() -> Iterator[logging.Logger]:
    """Give the package's logger back as it was."""
    logger = logging.getLogger("deepgram_async")
    level, handlers = logger.level, logger.handlers[:]
    yield logger
    logger.setLevel(level)
    logger.handlers[:] = handlers


@pytest.mark.parametrize("name", ["debug", "DEBUG"])
def test_the_log_level_comes_from_the_environment(
    own_logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("DEEPGRAM_LOG", name)
    DeepgramSession("key")
    assert own_logger.level == logging.DEBUG


@pytest.mark.usefixtures("own_logger")
def test_a_log_level_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_LOG", "loud")
    with pytest.raises(ConfigurationError, match="DEEPGRAM_LOG='loud'"):
        DeepgramSession("key")


def test_logs_are_shown_where_nobody_set_up_logging() -> None:
    script = (
        "import logging; from deepgram_async import DeepgramSession; DeepgramSession('key');"
        "logging.getLogger('deepgram_async').debug('hello')"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"DEEPGRAM_LOG": "debug"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "DEBUG deepgram_async: hello" in shown.stderr


def test_the_environment_is_not_read_at_import() -> None:
    script = (
        "import os, deepgram_async; os.environ.pop('DEEPGRAM_LOG');"
        "os.environ['DEEPGRAM_BASE_URL'] = 'http://127.0.0.1:7';"
        "print(deepgram_async.DeepgramSession())"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"DEEPGRAM_LOG": "nonsense", "DEEPGRAM_BASE_URL": "nonsense"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "<DeepgramSession http://127.0.0.1:7>\n"


def test_a_session_reads_the_environment_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_BASE_URL", "http://127.0.0.1:8080")
    dg = DeepgramSession()
    monkeypatch.setenv("DEEPGRAM_BASE_URL", "http://127.0.0.1:9090")
    assert "8080" in repr(dg)


def test_a_session_can_be_made_in_any_thread() -> None:
    made: list[DeepgramSession] = []
    thread = threading.Thread(target=lambda: made.append(DeepgramSession("key")))
    thread.start()
    thread.join()
    assert len(made) == 1


async def test_calls_that_come_first_at_the_same_time_load_certificates_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = 0
    load = ssl.create_default_context

    def counting(*arguments: Any, **named: Any) -> ssl.SSLContext:
        nonlocal loaded
        loaded += 1
        return load(*arguments, **named)

    monkeypatch.setattr(ssl, "create_default_context", counting)
    retry = RetryPolicy(attempts=1)
    dg = DeepgramSession("key", base_url="https://127.0.0.1:1", retry=retry)  # nobody listens
    calls = [dg.projects.list() for _ in range(20)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    await dg.aclose()
    assert all(isinstance(result, ConnectError) for result in results)
    assert loaded == 1
