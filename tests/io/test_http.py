"""Every way in which one REST request can end."""

import asyncio
import os
import socket
import ssl
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from deepgram_async import DeepgramSession, RetryPolicy, Timeouts
from deepgram_async.errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    DeepgramError,
    InvalidStateError,
    OperationTimeoutError,
    ProtocolError,
)
from tests.support.answers import raw_answer, transcription
from tests.support.servers import RawHandler, http_server, raw_server, read_request, reset

ONCE = RetryPolicy(attempts=1)
BIG = bytes(32 << 20)
"""More than the buffers of both ends of a connection hold."""


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def failure(
    url: str, source: bytes | AsyncIterator[bytes] = b"audio", timeouts: Timeouts | None = None
) -> DeepgramError:
    async with DeepgramSession("key", base_url=url, retry=ONCE, timeouts=timeouts) as dg:
        with pytest.raises(DeepgramError) as caught:
            await dg.listen.transcribe(source)
    assert caught.value.operation == "POST /v1/listen"
    assert caught.value.attempts == 1
    return caught.value


@asynccontextmanager
async def answering(answer: bytes, *, then: RawHandler | None = None) -> AsyncGenerator[str]:
    """Read each request, write the same bytes, and go on or close."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()
        if then is not None:
            await then(reader, writer)

    async with raw_server(handle) as url:
        yield url


async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await wait_for_ever()


# No connection.


async def test_a_refused_connection_is_told_with_host_and_port() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = await failure(f"http://127.0.0.1:{port}")
    assert isinstance(error, ConnectError)
    assert f"cannot connect to 127.0.0.1:{port}: " in str(error)
    assert "refused" in str(error)
    assert error.retryable


async def test_an_unknown_host_is_told() -> None:
    error = await failure("https://nonexistent.invalid")
    assert isinstance(error, ConnectError)
    assert "cannot connect to nonexistent.invalid:443" in str(error)
    assert error.hint is not None


async def test_tls_to_a_server_that_speaks_none_is_a_connect_error() -> None:
    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with raw_server(refuse) as url:
        error = await failure(url.replace("http:", "https:"))
    assert isinstance(error, ConnectError)
    assert "SSL" in str(error)


async def test_a_handshake_that_is_never_answered_times_out_as_connect() -> None:
    async with raw_server(hang) as url:
        error = await failure(url.replace("http:", "https:"), timeouts=Timeouts(connect_s=0.1))
    assert isinstance(error, OperationTimeoutError)
    assert (error.phase, error.timeout_s) == ("connect", 0.1)
    assert isinstance(error, TimeoutError)


# The connection ends.


@pytest.mark.parametrize("is_reset", [True, False])
async def test_a_connection_that_ends_before_the_answer_is_lost(is_reset: bool) -> None:
    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        if is_reset:
            reset(writer)

    async with raw_server(drop) as url:
        error = await failure(url)
    assert isinstance(error, ConnectionLostError)
    assert "the connection ended before an answer came" in str(error)
    assert (error.close_code, error.status) == (None, None)


async def test_a_connection_that_ends_during_the_upload_is_lost() -> None:
    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reset(writer)

    async with raw_server(drop) as url:
        error = await failure(url, BIG)
    assert isinstance(error, ConnectionLostError)


@pytest.mark.parametrize("is_reset", [True, False])
async def test_an_answer_that_breaks_off_is_lost(is_reset: bool) -> None:
    async def break_off(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if is_reset:
            reset(writer)

    async with answering(raw_answer()[:-20], then=break_off) as url:
        error = await failure(url)
    assert isinstance(error, ConnectionLostError)


async def test_chunks_that_break_off_are_lost() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with answering(head + b"5\r\n{'met") as url:
        error = await failure(url)
    assert isinstance(error, ConnectionLostError)


async def test_no_words_of_the_client_library_are_shown() -> None:
    async def drop(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await read_request(reader)

    async with raw_server(drop) as url:
        error = await failure(url)
    assert "Connection<" not in str(error)
    assert url not in str(error)


# The answer is not what it should be.


async def test_no_handshake_is_redirected_to_another_host() -> None:
    followed: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        followed.append(await reader.readuntil(b"\r\n\r\n"))

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with raw_server(elsewhere) as other:
        to = other.replace("http:", "ws:").encode()
        answer = b"HTTP/1.1 302 Found\r\nLocation: %s/x\r\nContent-Length: 0\r\n\r\n" % to
        async with raw_server(redirect) as url, DeepgramSession("key", base_url=url) as dg:
            with pytest.raises(ApiError, match="302") as caught:
                async with dg.listen.live():
                    pass
    assert "redirect" in str(caught.value.hint)
    assert not followed


@pytest.mark.parametrize(
    "garbage",
    [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x15\x03\x01\x00\x02\x02\x46", b"HTTP/1.1 banana\r\n\r\n"],
)
async def test_an_answer_that_is_not_http_is_a_protocol_error(garbage: bytes) -> None:
    async with answering(garbage) as url:
        error = await failure(url)
    assert isinstance(error, ProtocolError)
    assert "not HTTP" in str(error)
    assert not error.retryable


async def test_a_page_instead_of_json_is_a_protocol_error_with_its_bytes() -> None:
    page = b"<html><title>Welcome</title></html>"
    async with answering(raw_answer(page, headers="dg-request-id: r-7\r\n")) as url:
        error = await failure(url)
    assert isinstance(error, ProtocolError)
    assert error.body == page
    assert (error.status, error.request_id) == (200, "r-7")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Moved", "308 Moved"])
async def test_a_redirect_is_not_followed(status: str) -> None:
    asked: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        await request.read()
        asked.append(request.path)
        return web.Response(status=int(status[:3]), headers={"Location": "/elsewhere"})

    async with http_server(redirect) as url:
        error = await failure(url)
    assert isinstance(error, ApiError)
    assert error.status == int(status[:3])
    assert "redirect" in str(error.hint)
    assert asked == ["/v1/listen"]


async def test_a_header_that_no_request_may_carry_is_a_configuration_error() -> None:
    async with (
        answering(raw_answer()) as url,
        DeepgramSession("key", base_url=url, extra_headers={"X-Note": "a\r\nb"}) as dg,
    ):
        with pytest.raises(ConfigurationError):
            await dg.listen.transcribe(b"audio")


async def test_a_refusal_during_a_large_upload_is_told_at_once() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials.","request_id":"r-1"}'
        writer.write(raw_answer(body, "401 Unauthorized"))
        await reader.read()  # until the client has hung up

    async with raw_server(refuse) as url:
        error = await failure(url, BIG)
    assert isinstance(error, AuthenticationError)
    assert (error.code, error.message) == ("INVALID_AUTH", "Invalid credentials.")


# Deadlines.


async def test_an_upload_that_nobody_takes_times_out() -> None:
    async with raw_server(hang) as url:
        error = await failure(url, BIG, Timeouts(upload_idle_s=0.2))
    assert isinstance(error, OperationTimeoutError)
    assert (error.phase, error.timeout_s) == ("upload", 0.2)


async def test_a_source_that_stops_times_out_as_upload() -> None:
    async def stopping() -> AsyncIterator[bytes]:
        yield b"audio"
        await wait_for_ever()

    async with raw_server(hang) as url:
        error = await failure(url, stopping(), Timeouts(upload_idle_s=0.1))
    assert isinstance(error, OperationTimeoutError)
    assert error.phase == "upload"


async def test_an_answer_that_never_begins_times_out() -> None:
    async with answering(b"", then=hang) as url:
        error = await failure(url, timeouts=Timeouts(response_s=0.1))
    assert isinstance(error, OperationTimeoutError)
    assert (error.phase, error.timeout_s) == ("response", 0.1)
    assert error.hint is not None


@pytest.mark.parametrize("has_own_client", [False, True])
async def test_an_answer_to_a_url_that_never_begins_times_out(has_own_client: bool) -> None:
    limits = Timeouts(connect_s=0.1, response_s=0.1)
    async with answering(b"", then=hang) as url, aiohttp.ClientSession() as own:
        client = own if has_own_client else None
        async with DeepgramSession("key", base_url=url, timeouts=limits, http_client=client) as dg:
            with pytest.raises(OperationTimeoutError) as caught:
                await dg.listen.transcribe("https://example.com/a.wav")
    assert caught.value.phase == "response"


@pytest.mark.parametrize("source", ["https://example.com/a.wav", b"audio"])
async def test_waiting_for_a_turn_in_the_pool_belongs_to_no_deadline(source: str | bytes) -> None:
    is_busy = asyncio.Event()

    async def hold_the_first(request: web.Request) -> web.Response:
        await request.read()
        if not is_busy.is_set():
            is_busy.set()
            await asyncio.sleep(1.3)
        return transcription()

    short = Timeouts(connect_s=0.1, upload_idle_s=1.0, response_s=1.0)
    async with (
        http_server(hold_the_first) as url,
        DeepgramSession("key", base_url=url, pool_limit=1) as dg,
    ):
        first = asyncio.create_task(dg.listen.transcribe(b"audio"))
        await is_busy.wait()
        answer = await dg.with_options(timeouts=short).listen.transcribe(source)
        assert answer.transcript == (await first).transcript


async def test_an_answer_that_stops_times_out() -> None:
    async with answering(raw_answer()[:-20], then=hang) as url:
        error = await failure(url, timeouts=Timeouts(download_idle_s=0.1))
    assert isinstance(error, OperationTimeoutError)
    assert (error.phase, error.timeout_s) == ("download", 0.1)


async def test_an_answer_in_slow_pieces_is_in_time() -> None:
    answer = raw_answer()

    async def trickle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for start in range(60, len(answer), 60):
            await asyncio.sleep(0.05)
            writer.write(answer[start : start + 60])

    async with (
        answering(answer[:60], then=trickle) as url,
        DeepgramSession("key", base_url=url, timeouts=Timeouts(download_idle_s=30)) as dg,
    ):
        assert (await dg.listen.transcribe(b"audio")).transcript == "life moves pretty fast"


# The caller ends it.


async def test_a_cancelled_request_ends_at_once_and_leaves_the_session_usable() -> None:
    is_waiting = asyncio.Event()

    async def answer_the_second(request: web.Request) -> web.Response:
        await request.read()
        if not is_waiting.is_set():
            is_waiting.set()
            await wait_for_ever()
        return transcription()

    async with http_server(answer_the_second) as url, DeepgramSession("key", base_url=url) as dg:
        task = asyncio.create_task(dg.listen.transcribe(b"audio"))
        await is_waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await dg.listen.transcribe(b"audio")).transcript == "life moves pretty fast"


@pytest.mark.parametrize("source", [b"audio", BIG])
async def test_a_timeout_of_the_caller_is_the_callers(source: bytes) -> None:
    async with raw_server(hang) as url, DeepgramSession("key", base_url=url) as dg:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.1):
                await dg.listen.transcribe(source)
    assert not isinstance(caught.value, DeepgramError)


async def test_closing_the_session_from_another_task_ends_a_request() -> None:
    is_waiting = asyncio.Event()

    async def wait(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        is_waiting.set()
        await wait_for_ever()

    async with answering(b"", then=wait) as url, DeepgramSession("key", base_url=url) as dg:
        task = asyncio.create_task(dg.listen.transcribe(b"audio"))
        await is_waiting.wait()
        await dg.aclose()
        with pytest.raises(InvalidStateError, match="the session was closed during the request"):
            await task


# The connection itself.


@pytest.mark.skipif(sys.platform != "linux", reason="reads the list of open files")
async def test_idle_connections_are_probed_by_the_system() -> None:
    probed: list[tuple[int, int]] = []

    async def note(request: web.Request) -> web.Response:
        assert request.transport is not None
        probed.extend(keepalive_options(request.transport.get_extra_info("peername")[1]))
        return transcription()

    async with http_server(note) as url, DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(b"audio")
    assert probed == [(1, 60)]


def keepalive_options(local_port: int) -> list[tuple[int, int]]:
    """Return the options of the socket of this process that has a port."""
    found = list[tuple[int, int]]()
    for entry in Path("/proc/self/fd").iterdir():
        if not os.path.realpath(entry).rpartition("/")[2].startswith("socket:"):
            continue
        with socket.socket(fileno=os.dup(int(entry.name))) as handle:
            if handle.family is socket.AF_INET and handle.getsockname()[1] == local_port:
                found.append(
                    (
                        handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                        handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                    )
                )
    return found


@pytest.mark.parametrize("prefix", ["", "/deepgram", "/a/b/"])
async def test_path_prefix_and_port_of_the_base_url_are_kept(prefix: str) -> None:
    asked: list[tuple[str, str]] = []

    async def note(request: web.Request) -> web.Response:
        asked.append((request.path, request.host))
        return transcription()

    async with http_server(note) as url, DeepgramSession("key", base_url=url + prefix) as dg:
        await dg.listen.transcribe(b"audio")
    assert asked == [(f"{prefix.rstrip('/')}/v1/listen", url.removeprefix("http://"))]


async def test_a_client_session_of_the_caller_is_used_and_left_open() -> None:
    agents: list[str] = []

    async def note(request: web.Request) -> web.Response:
        agents.append(request.headers["User-Agent"])
        return transcription()

    async with http_server(note) as url, aiohttp.ClientSession(headers={"User-Agent": "x"}) as own:
        async with DeepgramSession("key", base_url=url, http_client=own) as dg:
            await dg.listen.transcribe(b"audio")
        assert not own.closed
    assert agents == ["x"]


async def test_a_short_total_timeout_of_the_callers_client_does_not_count() -> None:
    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(0.2)
        return transcription()

    impatient = aiohttp.ClientTimeout(total=0.05)
    async with http_server(slow) as url, aiohttp.ClientSession(timeout=impatient) as own:
        async with DeepgramSession("key", base_url=url, http_client=own) as dg:
            assert (await dg.listen.transcribe(b"audio")).transcript


async def test_a_closed_client_session_of_the_caller_is_told() -> None:
    own = aiohttp.ClientSession()
    await own.close()
    async with DeepgramSession("key", base_url="http://127.0.0.1:9", http_client=own) as dg:
        with pytest.raises(InvalidStateError, match="closed"):
            await dg.listen.transcribe(b"audio")


async def test_the_number_of_connections_is_bounded() -> None:
    in_flight = most = 0

    async def count(request: web.Request) -> web.Response:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        await request.read()
        await asyncio.sleep(0.01)
        in_flight -= 1
        return transcription()

    async with http_server(count) as url, DeepgramSession("key", base_url=url, pool_limit=3) as dg:
        await asyncio.gather(*(dg.listen.transcribe(b"audio") for _ in range(12)))
    assert most == 3


async def test_no_certificate_store_is_loaded_for_plain_http(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load() -> ssl.SSLContext:
        raise AssertionError("not for http")

    monkeypatch.setattr(ssl, "create_default_context", load)
    async with answering(raw_answer()) as url, DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(b"audio")


async def test_closing_the_session_ends_an_answer_that_is_under_way() -> None:
    begun = asyncio.Event()

    async def stalled(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{")
        begun.set()
        await asyncio.sleep(30)
        return response

    async with http_server(stalled) as url, asyncio.timeout(5):
        dg = DeepgramSession(api_key="sentinel", base_url=url)
        call = asyncio.create_task(dg.listen.transcribe(b"audio"))
        await begun.wait()
        await dg.aclose()
        with pytest.raises(InvalidStateError, match="session was closed"):
            await call
