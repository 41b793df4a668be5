"""Calls that have no method of their own."""

import pytest
from aiohttp import web

from deepgram_async import DeepgramSession, RetryPolicy
from deepgram_async.errors import NotFoundError, OptionError, ProtocolError
from tests.support.servers import http_server
from tests.support.wire import service


async def test_request_sends_method_path_query_and_body_with_the_credentials() -> None:
    async with service({"new": [1, None]}) as own, own.session(extra_query={"tag": "all"}) as dg:
        answer = await dg.request(
            "patch", "/v1/new/a%2Fb", query={"deep": True, "tag": ["x", "y"]}, json={"a": 1}
        )
    assert answer == {"new": [1, None]}
    (request,) = own.received
    assert (request.method, request.path) == ("PATCH", "/v1/new/a%2Fb")
    assert request.query == "tag=x&tag=y&deep=true"
    assert request.json == {"a": 1}
    assert request.authorization == "Token key"


async def test_request_without_a_body_sends_none() -> None:
    async with service([]) as own, own.session() as dg:
        assert await dg.request("GET", "/v1/projects") == []
    assert own.received[0].body == b""


async def test_empty_answer_is_none() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=204)

    async with http_server(answer) as url, DeepgramSession("key", base_url=url) as dg:
        assert await dg.request("DELETE", "/v1/things/t-1") is None


async def test_request_is_repeated_like_any_other() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.json_response({}, status=503 if len(seen) == 1 else 200)

    async with (
        http_server(answer) as url,
        DeepgramSession("key", base_url=url, retry=RetryPolicy(first_delay_s=0.001)) as dg,
    ):
        assert await dg.request("GET", "/v1/things") == {}
    assert seen == ["/v1/things", "/v1/things"]


async def test_refusal_is_the_error_of_its_status() -> None:
    async with service({"err_msg": "no such thing"}, status=404) as own, own.session() as dg:
        with pytest.raises(NotFoundError, match="GET /v1/things/7: 404: no such thing"):
            await dg.request("GET", "/v1/things/7")


async def test_answer_that_is_no_json_is_kept_on_the_error() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"ID3\x04")

    async with http_server(answer) as url, DeepgramSession("key", base_url=url) as dg:
        with pytest.raises(ProtocolError) as caught:
            await dg.request("POST", "/v1/speak", json={"text": "Hello."})
    assert caught.value.body == b"ID3\x04"


@pytest.mark.parametrize(
    "path",
    ["", "/", "v1/projects", "//host/v1", "/v1/../x", "/v1/.", "/v1/a b", "/v1/x?a=1", "/v1/ü"],
)
async def test_path_that_is_none_is_refused_before_anything_is_sent(path: str) -> None:
    async with service({}) as own, own.session() as dg:
        with pytest.raises(OptionError, match="is not a path such as /v1/projects"):
            await dg.request("GET", path)
    assert own.received == []


async def test_unknown_method_is_refused() -> None:
    async with service({}) as own, own.session() as dg:
        with pytest.raises(OptionError, match="'TRACE' is not one of GET, POST"):
            await dg.request("TRACE", "/v1/projects")
