"""TLS settings, proxies and addresses, which hold for REST and for WebSockets alike."""

import asyncio
import base64
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from deepgram_async import DeepgramSession, StreamSettings, __version__
from deepgram_async.errors import (
    ConfigurationError,
    ConnectError,
    DeepgramError,
    MissingDependencyError,
)
from tests.support.answers import transcription
from tests.support.certificates import tls_contexts, untrusted_server
from tests.support.servers import http_proxy, http_server, raw_server, websocket_server

PROXY_VARIABLES = ("http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Service:
    """Answers transcriptions, accepts streams, and notes the paths that were asked for."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    @asynccontextmanager
    async def rest(self, tls: ssl.SSLContext | None = None) -> AsyncGenerator[str]:
        async def answer(request: web.Request) -> web.Response:
            await request.read()
            self.paths.append(request.path)
            return transcription()

        async with http_server(answer, tls=tls) as url:
            yield url

    @asynccontextmanager
    async def socket(self, tls: ssl.SSLContext | None = None) -> AsyncGenerator[str]:
        def note(_connection: ServerConnection, request: Request) -> Response | None:
            self.paths.append(request.path)
            return None

        async def talk(connection: ServerConnection) -> None:
            await connection.recv()  # the closing message

        async with websocket_server(talk, handshake=note, tls=tls) as url:
            yield url


async def transcribe(url: str, **settings: Any) -> None:
    async with DeepgramSession("key", base_url=url, **settings) as dg:
        assert (await dg.listen.transcribe(b"audio")).transcript == "life moves pretty fast"


async def stream(url: str, **settings: Any) -> None:
    async with DeepgramSession("key", base_url=url, **settings) as dg, dg.listen.live():
        pass


async def fail_to_transcribe(url: str, **settings: Any) -> DeepgramError:
    with pytest.raises(DeepgramError) as caught:
        await transcribe(url, **settings)
    return caught.value


async def fail_to_stream(url: str, **settings: Any) -> DeepgramError:
    with pytest.raises(DeepgramError) as caught:
        await stream(url, **settings)
    return caught.value


# TLS.


async def test_a_private_authority_is_trusted_for_rest() -> None:
    server, client = tls_contexts()
    service = Service()
    async with service.rest(server) as url:
        await transcribe(url, ssl_context=client)
    assert service.paths == ["/v1/listen"]


async def test_a_private_authority_is_trusted_for_streams() -> None:
    server, client = tls_contexts()
    service = Service()
    async with service.socket(server) as url:
        await stream(url, ssl_context=client)
    assert service.paths == ["/v1/listen"]


async def test_an_unknown_authority_is_refused_for_rest() -> None:
    async with untrusted_server() as url:
        error = await fail_to_transcribe(url)
    assert isinstance(error, ConnectError)
    assert "is not trusted" in str(error)
    assert "ssl_context=" in str(error.hint)
    assert not error.retryable


async def test_an_unknown_authority_is_not_asked_again() -> None:
    async with untrusted_server() as url:
        error = await fail_to_transcribe(url)
    assert error.attempts == 1


async def test_an_unknown_authority_is_refused_for_streams() -> None:
    async with untrusted_server() as url:
        error = await fail_to_stream(url)
    assert isinstance(error, ConnectError)
    assert "is not trusted" in str(error)
    assert "ssl_context=" in str(error.hint)
    assert not error.retryable


async def test_a_certificate_for_another_host_is_refused() -> None:
    _, client = tls_contexts()
    async with untrusted_server() as url:
        elsewhere = url.replace("127.0.0.1", "localhost")
        error = await fail_to_transcribe(elsewhere, ssl_context=client)
    assert isinstance(error, ConnectError)
    assert "localhost" in str(error)


@pytest.mark.parametrize("scheme", ["https", "wss"])
async def test_either_scheme_serves_both_transports(scheme: str) -> None:
    server, client = tls_contexts()
    service = Service()
    async with service.rest(server) as url:
        await transcribe(url.replace("https", scheme), ssl_context=client)
    async with service.socket(server) as url:
        await stream(url.replace("https", scheme), ssl_context=client)
    assert service.paths == ["/v1/listen"] * 2


# Addresses.


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_a_path_prefix_is_kept_for_both_transports(scheme: str) -> None:
    service = Service()
    async with service.rest() as url:
        await transcribe(url.replace("http", scheme) + "/eu/deepgram/")
    async with service.socket() as url:
        await stream(url.replace("http", scheme) + "/eu/deepgram/")
    assert service.paths == ["/eu/deepgram/v1/listen"] * 2


# Headers.


@pytest.mark.parametrize("is_stream", [False, True])
async def test_each_header_is_sent_once_however_it_is_spelled(is_stream: bool) -> None:
    sent: list[str] = []

    async def note(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        sent.extend(line.lower() for line in head.split("\r\n"))

    mine = {"authorization": "Token other", "USER-AGENT": "mine", "accept": "a/b", "X-Own": "1"}
    async with raw_server(note) as url:
        await (fail_to_stream if is_stream else fail_to_transcribe)(url, extra_headers=mine)
    assert [line for line in sent if line.startswith("authorization:")] == [
        "authorization: token key"
    ]
    assert [line for line in sent if line.startswith("user-agent:")] == ["user-agent: mine"]
    assert [line for line in sent if line.startswith("accept:")] == ["accept: a/b"]
    assert "x-own: 1" in sent


@pytest.mark.parametrize("is_stream", [False, True])
async def test_the_package_says_who_it_is(is_stream: bool) -> None:
    sent: list[str] = []

    async def note(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        sent.append((await reader.readuntil(b"\r\n\r\n")).decode())

    async with raw_server(note) as url:
        await (fail_to_stream if is_stream else fail_to_transcribe)(url)
    assert f"\r\nUser-Agent: deepgram_async/{__version__}" in sent[0]


# Proxies.


async def test_rest_goes_through_the_proxy() -> None:
    service = Service()
    async with service.rest() as url, http_proxy() as proxy:
        await transcribe(url, proxy=proxy.url)
    assert proxy.requests == [f"POST {url}/v1/listen"]
    assert service.paths == ["/v1/listen"]


async def test_streams_go_through_the_proxy() -> None:
    service = Service()
    async with service.socket() as url, http_proxy() as proxy:
        await stream(url, proxy=proxy.url)
    assert proxy.requests == [f"CONNECT {url.removeprefix('http://')}"]
    assert service.paths == ["/v1/listen"]


async def test_tls_is_tunnelled_for_both_transports() -> None:
    server, client = tls_contexts()
    service = Service()
    async with http_proxy() as proxy:
        async with service.rest(server) as url:
            await transcribe(url, proxy=proxy.url, ssl_context=client)
        async with service.socket(server) as socket_url:
            await stream(socket_url, proxy=proxy.url, ssl_context=client)
    assert proxy.requests == [
        f"CONNECT {url.removeprefix('https://')}",
        f"CONNECT {socket_url.removeprefix('https://')}",
    ]
    assert service.paths == ["/v1/listen"] * 2


async def test_the_proxy_gets_its_password_and_not_the_key() -> None:
    server, client = tls_contexts()
    expected = base64.b64encode(b"me:secret").decode()
    async with http_proxy() as proxy:
        with_password = proxy.url.replace("//", "//me:secret@")
        async with Service().rest(server) as url:
            await transcribe(url, proxy=with_password, ssl_context=client)
        async with Service().socket(server) as url:
            await stream(url, proxy=with_password, ssl_context=client)
    assert len(proxy.heads) == 2
    for head in proxy.heads:
        assert f"Proxy-Authorization: Basic {expected}" in head
        assert "\r\nAuthorization" not in head


@pytest.mark.parametrize(
    ("refusal", "can_pass"),
    [("407 Proxy Authentication Required", False), ("502 Bad Gateway", True)],
)
async def test_a_proxy_that_refuses_is_a_connect_error(refusal: str, can_pass: bool) -> None:
    _, client = tls_contexts()
    async with http_proxy(refusal) as proxy:
        for fail in (fail_to_transcribe, fail_to_stream):
            error = await fail("https://127.0.0.1:9", proxy=proxy.url, ssl_context=client)
            assert isinstance(error, ConnectError)
            assert f"the proxy did not connect, it answered {refusal[:3]}" in str(error)
            assert "proxy=" in str(error.hint)
            assert error.retryable is can_pass


async def test_a_proxy_that_is_not_there_is_a_connect_error() -> None:
    for error in (
        await fail_to_transcribe("http://127.0.0.1:9", proxy="http://127.0.0.1:9"),
        await fail_to_stream("http://127.0.0.1:9", proxy="http://127.0.0.1:9"),
    ):
        assert isinstance(error, ConnectError)


@pytest.mark.parametrize(
    "proxy", ["socks5://me:secret@127.0.0.1:9", "http://me:secret@:9", "http://me:secret@h:x", "::"]
)
async def test_a_proxy_url_that_is_none_is_a_configuration_error(proxy: str) -> None:
    for error in (
        await fail_to_transcribe("http://127.0.0.1:9", proxy=proxy),
        await fail_to_stream("http://127.0.0.1:9", proxy=proxy),
    ):
        assert isinstance(error, ConfigurationError)
        assert "proxy" in str(error)
        assert "secret" not in str(error)


async def test_a_socks_proxy_of_the_environment_names_the_package_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("socks_proxy", "http://127.0.0.1:9")
    error = await fail_to_stream("http://127.0.0.1:9", trust_env=True)
    assert isinstance(error, MissingDependencyError)
    assert "python-socks" in str(error)


async def test_proxies_of_the_environment_are_used_on_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with http_proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("https_proxy", proxy.url)
        async with Service().rest() as url:
            await transcribe(url)
        async with Service().socket() as url:
            await stream(url)
        assert proxy.requests == []
        async with Service().rest() as url:
            await transcribe(url, trust_env=True)
        async with Service().socket() as url:
            await stream(url, trust_env=True)
    assert [request.split()[0] for request in proxy.requests] == ["POST", "CONNECT"]


async def test_exceptions_of_the_environment_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async with http_proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with Service().rest() as url:
            await transcribe(url, trust_env=True)
        async with Service().socket() as url:
            await stream(url, trust_env=True)
    assert proxy.requests == []


# Handshakes.


async def test_a_handshake_that_is_never_answered_times_out() -> None:
    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with raw_server(hang) as url:
        error = await fail_to_stream(url, stream=StreamSettings(open_timeout_s=0.1))
    assert isinstance(error, TimeoutError)
