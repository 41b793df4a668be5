"""The documented errors, sent as REST answers and as refused WebSocket handshakes."""

import http
from collections.abc import Mapping

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from deepgram_async import DeepgramSession, RetryPolicy
from deepgram_async.errors import ApiError
from tests.support.documented_errors import DOCUMENTED_ERRORS, DocumentedError, assert_tells
from tests.support.servers import http_server, websocket_server

ONCE = RetryPolicy(attempts=1)
ROWS = [pytest.param(row, id=row.id) for row in DOCUMENTED_ERRORS]


def phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


@pytest.mark.parametrize("row", ROWS)
async def test_a_rest_answer_becomes_the_documented_error(row: DocumentedError) -> None:
    async def refuse(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(
            status=row.status, reason=phrase(row.status), headers=row.headers, body=row.body
        )

    async with http_server(refuse) as url, DeepgramSession("key", base_url=url, retry=ONCE) as dg:
        with pytest.raises(ApiError) as caught:
            await dg.listen.transcribe(b"audio")
    assert_tells(caught.value, row)
    assert (caught.value.operation, caught.value.attempts) == ("POST /v1/listen", 1)


@pytest.mark.parametrize("row", ROWS)
async def test_a_refused_handshake_becomes_the_documented_error(row: DocumentedError) -> None:
    def refuse(_connection: ServerConnection, _request: Request) -> Response:
        fields: Mapping[str, str] = {**row.headers, "content-length": str(len(row.body))}
        return Response(row.status, phrase(row.status), Headers(fields), row.body)

    async def talk(_connection: ServerConnection) -> None:
        raise AssertionError("the handshake is refused")

    async with (
        websocket_server(talk, handshake=refuse) as url,
        DeepgramSession("key", base_url=url) as dg,
    ):
        with pytest.raises(ApiError) as caught:
            async with dg.listen.live():
                raise AssertionError("the handshake is refused")
    assert_tells(caught.value, row)
    assert (caught.value.operation, caught.value.attempts) == ("WebSocket /v1/listen", 1)
