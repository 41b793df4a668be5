"""Short requests, which go past the client of aiohttp, beside those that pass it."""

import asyncio
import gzip
from typing import Any

import aiohttp
import pytest

from deepgram_async import DeepgramSession, RetryPolicy
from deepgram_async.errors import ApiError, InvalidStateError
from tests.support.answers import raw_answer
from tests.support.servers import raw_server, read_request

BODY = raw_answer().partition(b"\r\n\r\n")[2]


@pytest.fixture(params=[("3.14.",), ()], ids=["short", "client"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepgram_async._io.short_requests.TESTED_VERSIONS", request.param)


class Talk:
    """Answers every request with the next of some bytes, and remembers what was asked."""

    def __init__(self, *answers: bytes, closes: bool = False) -> None:
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self._answers = iter(answers)
        self._closes = closes

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for answer in self._answers:
            try:
                head, body = await read_request(reader)
            except asyncio.IncompleteReadError:
                return
            self.heads.append(head)
            self.bodies.append(body)
            writer.write(answer)
            await writer.drain()
            if self._closes:
                return


async def asked(versions: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    monkeypatch.setattr("deepgram_async._io.short_requests.TESTED_VERSIONS", versions)
    talk = Talk(*[raw_answer()] * 2, raw_answer(b'{"projects":[]}'), raw_answer(b"{}"))
    async with (
        raw_server(talk.talk) as url,
        DeepgramSession("key", base_url=f"{url}/a%20b", extra_headers={"x-Note": "1"}) as dg,
    ):
        await dg.listen.transcribe(b"audio", model="nova-3", tag=["a b", "c"])
        await dg.listen.transcribe("https://example.com/a.wav")
        await dg.projects.list()
        await dg.keys.delete("key id", project_id="p")
        port = url.rpartition(":")[2]
    assert talk.connections == 1
    return [set(head.replace(port, "PORT").split("\r\n")) for head in talk.heads]


async def test_both_ways_send_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    short = await asked(("3.14.",), monkeypatch)
    client = await asked((), monkeypatch)
    assert [sorted(head) for head in short] == [sorted(head) for head in client]


@pytest.mark.parametrize(
    "answer",
    [
        raw_answer(),
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + raw_answer(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY),
        raw_answer(gzip.compress(BODY), headers="Content-Encoding: gzip\r\n"),
        raw_answer(BODY[:-1] + b" " * 500_000 + b"}"),
    ],
    ids=["length", "early", "chunked", "gzip", "large"],
)
@pytest.mark.usefixtures("either_way")
async def test_an_answer_is_read_whole_and_the_connection_used_again(
    answer: bytes,
) -> None:
    talk = Talk(answer, answer)
    async with raw_server(talk.talk) as url, DeepgramSession("key", base_url=url) as dg:
        for _ in range(2):
            transcription = await dg.listen.transcribe(b"audio")
            assert transcription.transcript == "life moves pretty fast"
    assert talk.bodies == [b"audio"] * 2
    assert talk.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
        raw_answer(headers="Connection: close\r\n"),
    ],
    ids=["until the end", "HTTP/1.0", "close"],
)
@pytest.mark.usefixtures("either_way")
async def test_a_connection_that_ends_with_the_answer_is_not_used_again(
    answer: bytes,
) -> None:
    talk = Talk(answer, answer, closes=True)
    async with raw_server(talk.talk) as url, DeepgramSession("key", base_url=url) as dg:
        for _ in range(2):
            transcription = await dg.listen.transcribe(b"audio")
            assert transcription.transcript == "life moves pretty fast"
    assert talk.connections == 2


@pytest.mark.usefixtures("either_way")
async def test_an_answer_without_a_body_is_an_answer() -> None:
    talk = Talk(b"HTTP/1.1 304 Not Modified\r\n\r\n", raw_answer())
    async with raw_server(talk.talk) as url, DeepgramSession("key", base_url=url) as dg:
        with pytest.raises(ApiError) as caught:
            await dg.listen.transcribe(b"audio")
        await dg.listen.transcribe(b"audio")
    assert caught.value.status == 304
    assert talk.connections == 1


@pytest.mark.parametrize("name", ["Connection", "upgrade", "X-Umlaut"])
async def test_unusual_headers_are_left_to_the_client(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = {"Connection": "close", "upgrade": "h2c", "X-Umlaut": "ä"}[name]
    passed: list[str] = []
    of_aiohttp = aiohttp.ClientSession.request

    def note(self: aiohttp.ClientSession, method: str, url: Any, **more: Any) -> Any:
        passed.append(method)
        return of_aiohttp(self, method, url, **more)

    monkeypatch.setattr(aiohttp.ClientSession, "request", note)
    talk = Talk(raw_answer())
    async with (
        raw_server(talk.talk) as url,
        DeepgramSession("key", base_url=url, extra_headers={name: value}) as dg,
    ):
        await dg.listen.transcribe(b"audio")
    assert passed == ["POST"]
    assert f"{name}: {value}" in talk.heads[0]


async def test_whoever_patches_the_client_sees_every_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []
    of_aiohttp: Any = vars(aiohttp.ClientSession)["_request"]

    async def note(self: aiohttp.ClientSession, method: str, url: Any, **more: Any) -> Any:
        seen.append(method)
        return await of_aiohttp(self, method, url, **more)

    talk = Talk(raw_answer(), raw_answer())
    async with raw_server(talk.talk) as url, DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(b"audio")
        monkeypatch.setattr(aiohttp.ClientSession, "_request", note)
        await dg.listen.transcribe(b"audio")
    assert seen == ["POST"]


async def test_a_cancelled_request_gives_its_connection_up() -> None:
    is_asked = asyncio.Event()
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        is_asked.set()
        if connections == 1:
            await reader.read()  # until the client has hung up
            return
        writer.write(raw_answer())

    once = RetryPolicy(attempts=1)
    async with (
        raw_server(talk) as url,
        DeepgramSession("key", base_url=url, retry=once, pool_limit=1) as dg,
    ):
        task = asyncio.create_task(dg.listen.transcribe(b"audio"))
        await is_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await dg.listen.transcribe(b"audio")).transcript == "life moves pretty fast"
    assert connections == 2


async def test_closing_the_session_wakes_up_who_reads_an_answer() -> None:
    begun = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(raw_answer()[:-20])
        await writer.drain()
        begun.set()
        await reader.read()

    async with raw_server(talk) as url, DeepgramSession("key", base_url=url) as dg:
        task = asyncio.create_task(dg.listen.transcribe(b"audio"))
        await begun.wait()
        await asyncio.sleep(0.05)  # until the answer is being read
        await dg.aclose()
        with pytest.raises(InvalidStateError, match="closed during the request"):
            await task
