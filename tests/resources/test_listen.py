"""What a transcription asks for on the wire, and what becomes of the answer."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aioresponses import CallbackResult, aioresponses
from yarl import URL

from deepgram_async import DeepgramSession
from deepgram_async.errors import AudioSourceError, OptionError, ProtocolError
from deepgram_async.models.prerecorded import Accepted, Transcription
from tests.support.answers import ACCEPTED, TRANSCRIPTION, raw_answer
from tests.support.servers import http_server, raw_server, read_request

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"
CALLBACK = "https://me:pass@example.com/done?id=7"


class Service:
    """A service that notes one request."""

    def __init__(self, mocked: aioresponses, answer: dict[str, Any]) -> None:
        self.url: URL = URL()
        self.headers: dict[str, str] = {}
        self.method: str = ""
        self._mocked: Any = mocked  # its patterns are untyped
        self._answer = answer

    def expect(self, url: str) -> None:
        """Answer a POST to exactly this URL; the order of its keys does not count."""
        self._mocked.post(URL(url, encoded=True), callback=self._note)

    def _note(self, url: URL, **request: Any) -> CallbackResult:
        self.url = url
        self.headers = request["headers"]
        return CallbackResult(payload=self._answer)


@pytest.fixture
def mocked() -> Iterator[aioresponses]:
    with aioresponses() as mock:
        yield mock


@pytest.fixture
def service(mocked: aioresponses) -> Service:
    return Service(mocked, TRANSCRIPTION)


# Address, query and headers.


async def test_transcribe_posts_to_v1_listen(service: Service) -> None:
    service.expect("https://api.deepgram.com/v1/listen")
    async with DeepgramSession("key") as dg:
        answer = await dg.listen.transcribe(b"audio")
    assert isinstance(answer, Transcription)
    assert service.headers["Authorization"] == "Token key"
    assert service.headers["Accept"] == "application/json"
    assert service.headers["Content-Type"] == "application/octet-stream"
    assert service.headers["Content-Length"] == "5"


async def test_an_access_token_is_a_bearer(service: Service) -> None:
    service.expect("https://api.deepgram.com/v1/listen")
    async with DeepgramSession(access_token="token") as dg:
        await dg.listen.transcribe(b"audio")
    assert service.headers["Authorization"] == "Bearer token"


async def test_without_credentials_nothing_is_claimed(service: Service) -> None:
    service.expect("http://127.0.0.1:8080/v1/listen")
    async with DeepgramSession(base_url="http://127.0.0.1:8080") as dg:
        await dg.listen.transcribe(b"audio")
    assert "Authorization" not in service.headers


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({"model": "nova-3", "smart_format": True}, "model=nova-3&smart_format=true"),
        ({"punctuate": False}, "punctuate=false"),
        ({"keyterm": ["ab", "c"]}, "keyterm=ab&keyterm=c"),
        ({"model": "nova-3", "language": None}, "model=nova-3"),
        ({"utt_split": 0.8}, "utt_split=0.8"),
        ({"search": "größe & co"}, "search=gr%C3%B6%C3%9Fe%20%26%20co"),
        ({"replace": "a:b"}, "replace=a:b"),
        ({"extra_query": {"new_key": [True, 2]}}, "new_key=true&new_key=2"),
        ({"model": "nova-3", "extra_query": {"new": "x"}}, "model=nova-3&new=x"),
    ],
)
async def test_options_are_the_query(service: Service, options: Any, query: str) -> None:
    service.expect(f"https://api.deepgram.com/v1/listen?{query}")
    async with DeepgramSession("key") as dg:
        await dg.listen.transcribe(b"audio", **options)
    sent = sorted(service.url.query.items())
    assert sent == sorted(URL(f"?{query}", encoded=True).query.items())


async def test_an_unknown_option_is_refused_before_anything_is_sent() -> None:
    options: Any = {"smart_fromat": True}
    async with DeepgramSession("key") as dg:
        with pytest.raises(OptionError, match="did you mean 'smart_format'") as caught:
            await dg.listen.transcribe(b"audio", **options)
    assert caught.value.option == "smart_fromat"
    assert isinstance(caught.value, TypeError)


async def test_a_callback_belongs_to_submit() -> None:
    options: Any = {"callback": CALLBACK}
    async with DeepgramSession("key") as dg:
        with pytest.raises(OptionError, match="submit"):
            await dg.listen.transcribe(b"audio", **options)


async def test_headers_and_keys_of_the_session_are_in_every_request(service: Service) -> None:
    service.expect("https://api.deepgram.com/v1/listen?tag=mine&model=nova-3&new=1")
    async with DeepgramSession(
        "key", extra_headers={"X-Trace": "t-1"}, extra_query={"tag": "mine"}
    ) as dg:
        await dg.listen.transcribe(b"audio", model="nova-3", extra_query={"new": 1})
    assert service.headers["X-Trace"] == "t-1"


async def test_a_key_of_the_call_wins_over_that_of_the_session(service: Service) -> None:
    service.expect("https://api.deepgram.com/v1/listen?new=call")
    async with DeepgramSession("key", extra_query={"new": "session"}) as dg:
        await dg.listen.transcribe(b"audio", extra_query={"new": "call"})


async def test_extra_headers_cannot_replace_the_credentials(service: Service) -> None:
    service.expect("https://api.deepgram.com/v1/listen")
    async with DeepgramSession("key", extra_headers={"Authorization": "Token other"}) as dg:
        await dg.listen.transcribe(b"audio")
    assert service.headers["Authorization"] == "Token key"


async def test_with_options_adds_to_the_session_and_leaves_it_alone(service: Service) -> None:
    async with DeepgramSession("key", extra_headers={"X-A": "1"}, extra_query={"a": 1}) as dg:
        other = dg.with_options(extra_headers={"X-B": "2"}, extra_query={"b": 2})
        service.expect("https://api.deepgram.com/v1/listen?a=1&b=2")
        await other.listen.transcribe(b"audio")
        assert (service.headers["X-A"], service.headers["X-B"]) == ("1", "2")
        service.expect("https://api.deepgram.com/v1/listen?a=1")
        await dg.listen.transcribe(b"audio")
        assert "X-B" not in service.headers


async def test_the_query_goes_over_the_wire_as_it_was_encoded() -> None:
    async with wire() as (url, seen), DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(b"audio", keyterm=["a b:2", "c+d", "größe&co"])
    request, _, _ = seen[0][0].partition("\r\n")
    encoded = "keyterm=a%20b:2&keyterm=c%2Bd&keyterm=gr%C3%B6%C3%9Fe%26co"
    assert request == f"POST /v1/listen?{encoded} HTTP/1.1"


# The body.


async def test_a_url_is_sent_as_json() -> None:
    async with wire() as (url, seen), DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe("https://example.com/a b.wav", model="nova-3")
    head, body = seen[0]
    assert head.startswith("POST /v1/listen?model=nova-3 HTTP/1.1\r\n")
    assert "\r\nContent-Type: application/json\r\n" in head
    assert body == b'{"url":"https://example.com/a b.wav"}'


async def test_audio_is_sent_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "meeting.mp3"
    path.write_bytes(b"ID3 audio")
    async with wire() as (url, seen), DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(path)
    head, body = seen[0]
    assert "\r\nContent-Type: audio/mpeg\r\n" in head
    assert "\r\nContent-Length: 9\r\n" in head
    assert body == b"ID3 audio"


@pytest.mark.parametrize(
    ("audio", "expected"),
    [
        (b"fLaC" + bytes(12), "audio/flac"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"?" * 16, "application/octet-stream"),
    ],
)
async def test_the_type_of_bytes_is_found_by_their_beginning(
    service: Service, audio: bytes, expected: str
) -> None:
    service.expect("https://api.deepgram.com/v1/listen")
    async with DeepgramSession("key") as dg:
        await dg.listen.transcribe(audio)
    assert service.headers["Content-Type"] == expected


async def test_a_stated_content_type_is_sent(service: Service) -> None:
    service.expect("https://api.deepgram.com/v1/listen")
    async with DeepgramSession("key") as dg:
        await dg.listen.transcribe(b"fLaC", content_type="audio/l16;rate=16000")
    assert service.headers["Content-Type"] == "audio/l16;rate=16000"


@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
async def test_a_content_type_among_the_headers_wins(service: Service, name: str) -> None:
    service.expect("https://api.deepgram.com/v1/listen")
    async with DeepgramSession("key", extra_headers={name: "audio/x"}) as dg:
        await dg.listen.transcribe(b"fLaC")
    assert [value for key, value in service.headers.items() if key.lower() == "content-type"] == [
        "audio/x"
    ]


async def test_a_name_that_only_looks_like_a_url_is_a_file() -> None:
    async with DeepgramSession("key") as dg:
        with pytest.raises(AudioSourceError, match=r"there is no file 'httpx\.wav'"):
            await dg.listen.transcribe("httpx.wav")


# Submitting.


@pytest.mark.parametrize("source", [b"audio", "https://example.com/a.wav"])
async def test_submit_asks_for_a_callback(mocked: aioresponses, source: str | bytes) -> None:
    service = Service(mocked, ACCEPTED)
    service.expect(
        "https://api.deepgram.com/v1/listen?model=nova-3&callback_method=PUT"
        "&callback=https://me:pass%40example.com/done%3Fid%3D7"
    )
    async with DeepgramSession("key") as dg:
        accepted = await dg.listen.submit(source, CALLBACK, callback_method="PUT", model="nova-3")
    assert accepted == Accepted(request_id="0f1e2d3c")
    assert service.url.query["callback"] == CALLBACK


async def test_submit_sends_no_method_that_was_not_asked_for(mocked: aioresponses) -> None:
    service = Service(mocked, ACCEPTED)
    service.expect("https://api.deepgram.com/v1/listen?callback=https://example.com")
    async with DeepgramSession("key") as dg:
        await dg.listen.submit(b"audio", callback="https://example.com")
    assert "callback_method" not in service.url.query


# The answer.


async def test_an_answer_is_read_by_its_properties() -> None:
    async with wire() as (url, _), DeepgramSession("key", base_url=url) as dg:
        answer = await dg.listen.transcribe(b"audio")
    assert answer.transcript == "life moves pretty fast"
    assert answer.request_id == "0f1e2d3c"
    assert answer.raw is None
    assert answer.to_dict()["results"] == TRANSCRIPTION["results"]


async def test_the_body_is_kept_on_request_with_all_it_says() -> None:
    body = json.dumps(TRANSCRIPTION | {"tomorrow": {"new": [1]}}).encode()
    async with wire(body) as (url, _), DeepgramSession("key", base_url=url) as dg:
        plain = await dg.listen.transcribe(b"audio")
        kept = await dg.with_options(keep_raw=True).listen.transcribe(b"audio")
    assert plain.raw is None
    assert "tomorrow" not in plain.to_dict()
    assert kept.raw == body
    assert kept.to_dict() == json.loads(body)
    assert kept.to_json().encode() == body


async def test_a_transcription_that_cannot_be_decoded_is_not_lost() -> None:
    body = json.dumps(TRANSCRIPTION | {"results": "none"}).encode()
    async with wire(body) as (url, _), DeepgramSession("key", base_url=url) as dg:
        with pytest.raises(ProtocolError, match=r"\$\.results") as caught:
            await dg.listen.transcribe(b"audio")
    assert caught.value.body == body


@asynccontextmanager
async def wire(
    body: bytes | None = None,
) -> AsyncGenerator[tuple[str, list[tuple[str, bytes]]]]:
    """Answer every request the same; yield the base URL and the requests as they came."""
    seen: list[tuple[str, bytes]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await read_request(reader))
            writer.write(raw_answer(body))

    async with raw_server(talk) as url:
        yield url, seen


# Recorded answers of the service.


def recorded() -> list[Any]:
    """Return the real answers as parameters, or one that is skipped where there are none."""
    path = RECORDED / "rest-listen.jsonl"
    if not path.exists():
        skip = pytest.mark.skip(reason=f"no recorded answers at {path}")
        return [pytest.param({}, id="recorded", marks=skip)]
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [pytest.param(entry["msg"], id=entry["id"]) for entry in entries]


@pytest.mark.parametrize("answer", recorded())
async def test_a_recorded_answer_arrives_whole(answer: dict[str, Any]) -> None:
    async def replay(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response(answer)

    async with http_server(replay) as url, DeepgramSession("key", base_url=url) as dg:
        received = await dg.listen.transcribe(b"audio")
    assert received.to_dict() == answer
    (best,) = answer["results"]["channels"][0]["alternatives"]
    assert received.transcript == best["transcript"]
    assert received.request_id == answer["metadata"]["request_id"]


def hours(start: object = 0.1) -> bytes:
    """Return the answer to a long recording, whose last word starts at a given time."""
    word = {"word": "life", "start": 0.1, "end": 0.4, "confidence": 0.98}
    words = [word] * 20_000 + [{**word, "start": start}]
    alternative = {"transcript": "life", "confidence": 0.99, "words": words}
    results = {"channels": [{"alternatives": [alternative]}]}
    return json.dumps({"metadata": TRANSCRIPTION["metadata"], "results": results}).encode()


async def test_a_long_answer_is_decoded_while_the_loop_goes_on() -> None:
    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=hours(), content_type="application/json")

    async with http_server(answer) as url, DeepgramSession("key", base_url=url) as dg:
        found = await dg.with_options(keep_raw=True).listen.transcribe(b"audio")
    assert len(found.words) == 20_001
    assert found.raw == hours()


async def test_a_long_answer_that_is_wrong_is_told_with_the_place() -> None:
    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=hours("soon"), content_type="application/json")

    async with http_server(answer) as url, DeepgramSession("key", base_url=url) as dg:
        with pytest.raises(
            ProtocolError, match=r"alternatives\[.*\]\.words\[.*\]\.start"
        ) as caught:
            await dg.listen.transcribe(b"audio")
    assert caught.value.body == hours("soon")
