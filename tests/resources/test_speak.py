import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from deepgram_async import DeepgramSession, RetryPolicy, Timeouts
from deepgram_async.errors import (
    AuthenticationError,
    BadRequestError,
    ConnectionLostError,
    InvalidStateError,
    OperationTimeoutError,
    OptionError,
    ProtocolError,
    ServerError,
)
from deepgram_async.models.prerecorded import Accepted
from deepgram_async.models.speak import SpeechInfo
from tests.support.servers import http_server

HEADERS = {
    "Content-Type": "audio/mpeg",
    "dg-request-id": "0f1e2d3c",
    "dg-model-name": "aura-2-thalia-en",
    "dg-model-uuid": "m-1",
    "dg-char-count": "13",
}
INFO = SpeechInfo(
    content_type="audio/mpeg",
    request_id="0f1e2d3c",
    model_name="aura-2-thalia-en",
    model_uuid="m-1",
    characters=13,
)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """What the server was asked, the last request."""

    count: int = 0
    line: str = ""
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    connections: set[int] = field(default_factory=set[int])


async def audio(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"\xff\xfb audio", headers=HEADERS)


async def accepted(request: web.Request) -> web.StreamResponse:
    return web.json_response({"request_id": "0f1e2d3c"})


@asynccontextmanager
async def serving(
    answer: Answer = audio, **settings: Any
) -> AsyncGenerator[tuple[DeepgramSession, Seen]]:
    seen = Seen()

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.count += 1
        seen.line = f"{request.method} {request.path_qs}"
        seen.headers = {name.lower(): value for name, value in request.headers.items()}
        seen.body = await request.json()
        assert request.transport is not None
        seen.connections.add(request.transport.get_extra_info("peername")[1])
        return await answer(request)

    async with (
        http_server(handle) as url,
        DeepgramSession(api_key="sentinel", base_url=url, **settings) as dg,
    ):
        yield dg, seen


def names(directory: Path) -> list[str] | None:
    """Return what is in a directory; `None` for a device."""
    return None if directory.is_char_device() else [path.name for path in directory.iterdir()]


# Every operation on the wire.


async def test_generate_posts_the_text_and_streams_the_audio() -> None:
    async with serving() as (dg, seen):
        async with dg.speak.generate(
            "Hello, world.", model="aura-2-thalia-en", bit_rate=32000, tag=["a", "b"]
        ) as speech:
            assert await speech.read() == b"\xff\xfb audio"
            assert speech.request_id == "0f1e2d3c"
            assert speech.model_name == "aura-2-thalia-en"
            assert speech.characters == 13
            assert speech.content_type == "audio/mpeg"
            assert speech.warnings == []
            assert speech.info.model_uuid == "m-1"
    assert seen.line == "POST /v1/speak?model=aura-2-thalia-en&bit_rate=32000&tag=a&tag=b"
    assert seen.body == {"text": "Hello, world."}
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["authorization"] == "Token sentinel"


async def test_save_writes_the_file(tmp_path: Path) -> None:
    target = tmp_path / "hello.mp3"
    async with serving() as (dg, seen):
        info = await dg.speak.save("Hello.", target, model="aura-2-thalia-en")
    assert seen.line == "POST /v1/speak?model=aura-2-thalia-en"
    assert target.read_bytes() == b"\xff\xfb audio"
    assert info.request_id == INFO.request_id
    assert names(tmp_path) == ["hello.mp3"]


async def test_submit_returns_the_acknowledgement() -> None:
    async with serving(accepted) as (dg, seen):
        answer = await dg.speak.submit(
            "Hello.", "https://host.example/", callback_method="PUT", encoding="linear16"
        )
    assert answer == Accepted(request_id="0f1e2d3c")
    assert seen.line == (
        "POST /v1/speak?encoding=linear16&callback=https://host.example/&callback_method=PUT"
    )
    assert seen.body == {"text": "Hello."}


async def test_flux_generate_and_save(tmp_path: Path) -> None:
    async with serving() as (dg, seen):
        async with dg.speak.flux.generate(
            "Hello.", model="flux-alexis-en", speed=1.15, expressivity=-1
        ) as speech:
            assert await speech.read() == b"\xff\xfb audio"
        assert seen.line == "POST /v2/speak?model=flux-alexis-en&speed=1.15&expressivity=-1"
        assert seen.body == {"text": "Hello."}
        await dg.speak.flux.save("Hi.", tmp_path / "a.mp3", model="flux-alexis-en")
    assert (tmp_path / "a.mp3").read_bytes() == b"\xff\xfb audio"


async def test_flux_submit_can_wait_behind_others() -> None:
    async with serving(accepted) as (dg, seen):
        answer = await dg.speak.flux.submit(
            "Hello.", "https://host.example/", model="flux-alexis-en", priority="low"
        )
    assert answer.request_id == "0f1e2d3c"
    assert seen.line == (
        "POST /v2/speak?model=flux-alexis-en&callback=https://host.example/&priority=low"
    )


async def test_extra_query_reaches_the_wire() -> None:
    async with serving() as (dg, seen):
        async with dg.speak.generate("Hello.", extra_query={"brand_new": True}) as speech:
            await speech.read()
    assert seen.line == "POST /v1/speak?brand_new=true"


# Streaming.


async def test_the_first_audio_is_there_before_the_body_ends() -> None:
    heard = asyncio.Event()

    async def trickling(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        await response.write(b"first")
        async with asyncio.timeout(5):
            await heard.wait()
        await response.write(b"last")
        return response

    async with serving(trickling) as (dg, _):
        async with dg.speak.generate("Hello.") as speech:
            pieces: list[bytes] = []
            async for piece in speech:
                pieces.append(piece)
                heard.set()
            assert speech.info.transfer_encoding == "chunked"
    assert pieces == [b"first", b"last"]


@pytest.mark.parametrize(("encoding", "multiple"), [("linear16", 2), ("mulaw", 1)])
async def test_samples_stay_whole(encoding: str, multiple: int) -> None:
    async def odd(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        for piece in (b"1", b"23", b"456", b"7", b"89", b"0", b"!"):
            await response.write(piece)
            await asyncio.sleep(0.005)
        return response

    async with serving(odd) as (dg, _):
        async with dg.speak.generate("Hello.", encoding=encoding) as speech:
            pieces = [piece async for piece in speech]
    assert b"".join(pieces) == b"1234567890!"
    assert all(len(piece) % multiple == 0 for piece in pieces[:-1])


async def test_a_connection_is_used_again_after_the_whole_answer() -> None:
    async with serving() as (dg, seen):
        for _ in range(3):
            async with dg.speak.generate("Hello.") as speech:
                await speech.read()
    assert (seen.count, len(seen.connections)) == (3, 1)


async def test_leaving_early_drops_the_connection_and_the_session_goes_on() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        while True:
            await response.write(bytes(1000))
            await asyncio.sleep(0.001)

    async with serving(endless) as (dg, seen):
        for _ in range(2):
            async with dg.speak.generate("Hello.") as speech:
                async for _ in speech:
                    break
    assert len(seen.connections) == 2


async def test_no_deadline_runs_while_nobody_reads() -> None:
    async def two_pieces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        await response.write(b"one")
        await asyncio.sleep(0.3)
        await response.write(b"two")
        return response

    async with serving(two_pieces, timeouts=Timeouts(download_idle_s=0.2)) as (dg, _):
        async with dg.speak.generate("Hello.") as speech:
            assert await anext(speech) == b"one"
            await asyncio.sleep(0.4)
            assert await speech.read() == b"two"


async def test_audio_that_stops_arriving_raises_at_the_deadline() -> None:
    async def stalled(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        await response.write(b"one")
        await asyncio.sleep(5)
        return response

    async with serving(stalled, timeouts=Timeouts(download_idle_s=0.1)) as (dg, seen):
        async with dg.speak.generate("Hello.") as speech:
            assert await anext(speech) == b"one"
            with pytest.raises(OperationTimeoutError, match="stopped arriving") as caught:
                await anext(speech)
            assert caught.value.phase == "download"
            assert caught.value.__context__ is None
    assert seen.count == 1


async def test_an_answer_that_breaks_off_raises_and_is_not_repeated(tmp_path: Path) -> None:
    async def breaking(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        await response.write(b"one")
        await asyncio.sleep(0.01)
        assert request.transport is not None
        request.transport.abort()
        return response

    target = tmp_path / "kept.mp3"
    target.write_bytes(b"what was there before")
    async with serving(breaking) as (dg, seen):
        with pytest.raises(ConnectionLostError, match="broke off") as caught:
            await dg.speak.save("Hello.", target)
        assert caught.value.__context__ is None
    assert seen.count == 1
    assert target.read_bytes() == b"what was there before"
    assert names(tmp_path) == ["kept.mp3"]


async def test_a_device_is_written_to_and_stays_one() -> None:
    async with serving() as (dg, _):
        await dg.speak.save("Hello.", "/dev/null")
    assert names(Path("/dev/null")) is None


async def test_a_cancelled_reader_loses_nothing_that_was_promised() -> None:
    go_on = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        await go_on.wait()
        await response.write(b"all")
        return response

    async with serving(slow) as (dg, _):
        async with dg.speak.generate("Hello.") as speech:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await anext(speech)
            go_on.set()
            assert await speech.read() == b"all"


async def test_a_spoken_answer_is_opened_once_and_read_while_open() -> None:
    async with serving() as (dg, seen):
        speech = dg.speak.generate("Hello.")
        assert repr(speech) == "<Speech new request_id=None>"
        for early in (lambda: speech.info, lambda: speech.request_id):
            with pytest.raises(InvalidStateError):
                early()
        with pytest.raises(InvalidStateError):
            await speech.read()
        assert seen.count == 0
        async with speech:
            assert repr(speech) == "<Speech open request_id=0f1e2d3c>"
        assert repr(speech) == "<Speech closed request_id=0f1e2d3c>"
        assert speech.characters == 13
        with pytest.raises(InvalidStateError):
            await anext(speech)
        with pytest.raises(InvalidStateError):
            async with speech:
                pass


async def test_closing_the_session_ends_the_audio_with_an_error() -> None:
    async def stalled(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        await response.write(b"one")
        await asyncio.sleep(5)
        return response

    async with serving(stalled) as (dg, _):
        async with dg.speak.generate("Hello.") as speech:
            assert await anext(speech) == b"one"
            reading = asyncio.create_task(speech.read())
            await asyncio.sleep(0)
            await dg.aclose()
            with pytest.raises(InvalidStateError, match="session was closed"):
                await reading


# Refusals.


async def test_a_refusal_has_the_words_of_the_service() -> None:
    async def refusing(request: web.Request) -> web.StreamResponse:
        return web.json_response(
            {"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials.", "request_id": "r"},
            status=401,
        )

    async with serving(refusing) as (dg, _):
        with pytest.raises(AuthenticationError) as caught:
            async with dg.speak.generate("Hello."):
                pass
        assert caught.value.code == "INVALID_AUTH"
        assert caught.value.operation == "POST /v1/speak"
        assert caught.value.request_id == "r"


async def test_a_flux_refusal_has_its_code() -> None:
    async def refusing(request: web.Request) -> web.StreamResponse:
        return web.json_response(
            {"err_code": "EXPRESSIVITY_OUT_OF_RANGE", "err_msg": "no"}, status=400
        )

    async with serving(refusing, validate=False) as (dg, _):
        with pytest.raises(BadRequestError) as caught:
            await dg.speak.flux.save("Hello.", "x.mp3", model="flux-alexis-en", expressivity=9)
        assert caught.value.code == "EXPRESSIVITY_OUT_OF_RANGE"


async def test_a_busy_service_is_asked_again() -> None:
    answers = iter([503, 429, 200])

    async def busy(request: web.Request) -> web.StreamResponse:
        status = next(answers)
        return await audio(request) if status == 200 else web.Response(status=status)

    retry = RetryPolicy(attempts=3, first_delay_s=0.01)
    async with serving(busy, retry=retry) as (dg, seen):
        async with dg.speak.generate("Hello.") as speech:
            assert await speech.read() == b"\xff\xfb audio"
    assert seen.count == 3


async def test_a_page_without_end_is_no_reason_to_fill_the_memory() -> None:
    async def verbose(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        while True:
            await response.write(bytes(1 << 16))

    async with serving(verbose, retry=RetryPolicy(attempts=1)) as (dg, _):
        with pytest.raises(ServerError):
            async with dg.speak.generate("Hello."):
                pass


async def test_an_acknowledgement_is_never_taken_for_audio() -> None:
    async with serving(accepted) as (dg, _):
        with pytest.raises(ProtocolError, match="JSON and no audio") as caught:
            async with dg.speak.generate("Hello.", extra_query={"callback": "https://x.example"}):
                pass
        assert caught.value.body == b'{"request_id": "0f1e2d3c"}'


async def test_a_web_page_is_never_taken_for_audio() -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<html>Log in</html>", content_type="text/html")

    async with serving(page) as (dg, _):
        with pytest.raises(ProtocolError, match="text/html and no audio") as caught:
            async with dg.speak.generate("Hello."):
                pass
        assert caught.value.body == b"<html>Log in</html>"


async def test_what_the_service_refuses_is_refused_before_the_request() -> None:
    async with serving() as (dg, seen):
        with pytest.raises(OptionError, match="2000"):
            dg.speak.generate("x" * 2001)
        with pytest.raises(OptionError, match="container"):
            await dg.speak.save("Hello.", "x.wav", encoding="mp3", container="wav")
        with pytest.raises(OptionError, match="Flux voice"):
            dg.speak.live(model="flux-alexis-en")
        with pytest.raises(OptionError, match="model is missing"):
            dg.speak.flux.generate("Hello.")
        with pytest.raises(OptionError, match="model"):
            await dg.speak.flux.submit("Hello.", "https://x.example", model="aura-2-thalia-en")
        with pytest.raises(OptionError, match="raw audio"):
            dg.speak.flux.live(model="flux-alexis-en", encoding="mp3")
        with pytest.raises(OptionError, match="submit"):
            dg.speak.generate("Hello.", callback="https://x.example")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        assert seen.count == 0
        lenient = dg.with_options(validate=False)
        async with lenient.speak.generate("x" * 2001, speed=9) as speech:
            await speech.read()
        lenient.speak.live(model="flux-alexis-en", encoding="mp3")
        lenient.speak.flux.live()
    assert seen.count == 1
