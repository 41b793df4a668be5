import runpy
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from deepgram_async import DeepgramSession, FluxStream
from deepgram_async.errors import BadRequestError, OptionError, ProtocolError
from deepgram_async.options import FluxOptions
from tests.support.flux import Flux, close_without_code
from tests.support.servers import http_server, websocket_server

EXAMPLES = Path(__file__).parents[2] / "examples"
ALL: FluxOptions = {
    "model": "flux-general-multi",
    "encoding": "linear16",
    "sample_rate": 16000,
    "eot_threshold": 0.8,
    "eager_eot_threshold": 0.4,
    "eot_timeout_ms": 6000,
    "keyterm": ["a b", "c"],
    "language_hint": ("en", "es"),
    "profanity_filter": True,
    "numerals": False,
    "redact": "numbers",
    "mip_opt_out": True,
    "tag": "nightly",
}


async def until_closed(connection: ServerConnection) -> None:
    async for frame in connection:
        if isinstance(frame, str):
            await close_without_code(connection)
            return


async def asked(call: Callable[[DeepgramSession], FluxStream], **settings: Any) -> Request:
    """Return the handshake of a stream."""
    requests: list[Request] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        requests.append(connection.request)
        await until_closed(connection)

    async with (
        websocket_server(talk) as url,
        DeepgramSession("sentinel", base_url=url, **settings) as dg,
        call(dg) as stream,
    ):
        assert dg.streams == (stream,)
    return requests[0]


async def test_every_option_is_on_the_wire() -> None:
    request = await asked(lambda dg: dg.listen.flux(extra_query={"brand_new": [1, 2]}, **ALL))
    parts = urlsplit(request.path)
    assert parts.path == "/v2/listen"
    assert parse_qsl(parts.query) == [
        ("model", "flux-general-multi"),
        ("encoding", "linear16"),
        ("sample_rate", "16000"),
        ("eot_threshold", "0.8"),
        ("eager_eot_threshold", "0.4"),
        ("eot_timeout_ms", "6000"),
        ("keyterm", "a b"),
        ("keyterm", "c"),
        ("language_hint", "en"),
        ("language_hint", "es"),
        ("profanity_filter", "true"),
        ("numerals", "false"),
        ("redact", "numbers"),
        ("mip_opt_out", "true"),
        ("tag", "nightly"),
        ("brand_new", "1"),
        ("brand_new", "2"),
    ]
    assert request.headers["Authorization"] == "Token sentinel"


async def test_all_options_are_in_the_sample() -> None:
    assert list(ALL) == list(FluxOptions.__annotations__)


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({}, "model"),
        ({"model": "flux-general-en", "eot_threshold": 2}, "eot_threshold"),
        ({"model": "flux-general-en", "smart_format": True}, "smart_format"),
        ({"model": "flux-general-en", "sample_rate": "16000"}, "sample_rate"),
        ({"model": "flux-general-en", "eot_timeout_ms": 700.5}, "eot_timeout_ms"),
    ],
)
async def test_a_bad_option_is_refused_at_once(options: dict[str, Any], option: str) -> None:
    with pytest.raises(OptionError) as caught:
        DeepgramSession("sentinel").listen.flux(**options)
    assert caught.value.option == option


async def test_without_validation_the_service_decides() -> None:
    request = await asked(lambda dg: dg.listen.flux(eot_threshold=0.2), validate=False)
    assert request.path == "/v2/listen?eot_threshold=0.2"
    request = await asked(lambda dg: dg.with_options(validate=False).listen.flux())
    assert request.path == "/v2/listen"


async def test_a_wrong_type_is_refused_without_validation_too() -> None:
    options: Any = {"model": 3}
    with pytest.raises(OptionError):
        DeepgramSession("sentinel", validate=False).listen.flux(**options)


async def test_a_refused_handshake_is_an_error_of_its_status() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus.BAD_REQUEST, "")
        response.headers["dg-error"] = "language_hint needs flux-general-multi"
        response.headers["dg-request-id"] = "r-1"
        return response

    async with (
        websocket_server(until_closed, handshake=refuse) as url,
        DeepgramSession("sentinel", base_url=url) as dg,
    ):
        with pytest.raises(BadRequestError, match="needs flux-general-multi") as caught:
            async with dg.listen.flux(model="flux-general-en"):
                pytest.fail("the stream is not open")
    assert (caught.value.operation, caught.value.request_id) == ("WebSocket /v2/listen", "r-1")


# The rules of the first generation.


@pytest.mark.parametrize(
    ("call", "options"),
    [
        ("live", {"model": "whisper-large"}),
        ("live", {"utterance_end_ms": 1000}),
        ("transcribe", {"model": "nova-2", "keyterm": "a"}),
        ("transcribe", {"model": "flux-general-en"}),
        ("submit", {"diarize": True, "diarize_model": "v1"}),
    ],
)
async def test_a_broken_rule_is_refused_before_anything_is_sent(
    call: str, options: dict[str, Any]
) -> None:
    arguments: dict[str, list[Any]] = {
        "live": [],
        "transcribe": [b"RIFF"],
        "submit": [b"RIFF", "https://example.com"],
    }
    # Nothing listens on this port.
    async with DeepgramSession("sentinel", base_url="http://127.0.0.1:9") as dg:
        with pytest.raises(OptionError):
            made = getattr(dg.listen, call)(*arguments[call], **options)
            await made


async def test_a_recording_without_validation_lets_the_service_decide() -> None:
    queries: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        queries.append(request.query_string)
        return web.json_response({"request_id": "r-1"})

    async with (
        http_server(answer) as url,
        DeepgramSession("sentinel", base_url=url, validate=False) as dg,
    ):
        await dg.listen.submit(b"RIFF", "https://host.example", model="nova-2", keyterm="a")
        with pytest.raises(ProtocolError):
            await dg.listen.transcribe(b"RIFF", model="nova-2", keyterm="a")
    assert [query.partition("&callback")[0] for query in queries] == [
        "model=nova-2&keyterm=a",
        "model=nova-2&keyterm=a",
    ]


async def test_live_without_validation_lets_the_service_decide() -> None:
    dg = DeepgramSession("sentinel", base_url="http://127.0.0.1:9", validate=False)
    dg.listen.live(model="whisper-large", utterance_end_ms=1000)


# The example.


async def test_the_example_prints_the_turns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def talk(connection: ServerConnection) -> None:
        flux = Flux()
        await connection.send(flux.connected())
        await connection.recv()
        for text in flux.turns(
            ("StartOfTurn", "Hello"),
            ("EagerEndOfTurn", "Hello."),
            ("TurnResumed", "Hello,"),
            ("EagerEndOfTurn", "Hello, there."),
            ("EndOfTurn", "Hello, there."),
            ("StartOfTurn", "Good"),
            ("EndOfTurn", "Good bye."),
        ):
            await connection.send(text)
        await until_closed(connection)

    main = runpy.run_path(str(EXAMPLES / "flux.py"))["main"]
    async with websocket_server(talk) as url:
        monkeypatch.setenv("DEEPGRAM_API_KEY", "sentinel")
        monkeypatch.setenv("DEEPGRAM_BASE_URL", url)
        await main(str(EXAMPLES / "audio" / "austen.wav"), realtime=1000)
    assert capsys.readouterr().out.splitlines() == [
        "  perhaps: Hello.",
        "  perhaps: Hello, there.",
        "turn 0: Hello, there.",
        "turn 1: Good bye.",
    ]
