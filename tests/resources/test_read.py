import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web

from deepgram_async import DeepgramSession
from deepgram_async.errors import BadRequestError, OptionError
from deepgram_async.models.prerecorded import Accepted
from tests.support.servers import http_server

ANSWER = {
    "metadata": {"request_id": "a7aac20e", "language": "en"},
    "results": {"summary": {"text": "A greeting."}},
}


@dataclass
class Seen:
    line: str = ""
    body: Any = None
    count: int = 0


@asynccontextmanager
async def serving(
    answer: object, status: int = 200
) -> AsyncGenerator[tuple[DeepgramSession, Seen]]:
    seen = Seen()

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.count += 1
        seen.line = f"{request.method} {request.path_qs}"
        seen.body = await request.json()
        return web.json_response(answer, status=status)

    async with (
        http_server(handle) as url,
        DeepgramSession(api_key="sentinel", base_url=url, keep_raw=True) as dg,
    ):
        yield dg, seen


async def test_analyze_posts_the_text() -> None:
    async with serving(ANSWER) as (dg, seen):
        answer = await dg.read.analyze(
            "Hello, there.", language="en", summarize=True, custom_topic=["a", "b"], tag="t"
        )
    assert seen.line == (
        "POST /v1/read?language=en&summarize=true&custom_topic=a&custom_topic=b&tag=t"
    )
    assert seen.body == {"text": "Hello, there."}
    assert answer.summary == "A greeting."
    assert answer.request_id == "a7aac20e"
    assert answer.to_dict() == ANSWER
    assert json.loads(answer.raw or b"") == ANSWER


async def test_analyze_hands_on_a_url() -> None:
    async with serving(ANSWER) as (dg, seen):
        await dg.read.analyze(url="https://host.example/a.txt", sentiment=True)
    assert seen.line == "POST /v1/read?sentiment=true"
    assert seen.body == {"url": "https://host.example/a.txt"}


async def test_submit_returns_the_acknowledgement() -> None:
    async with serving({"request_id": "a7aac20e"}) as (dg, seen):
        accepted = await dg.read.submit(
            "Hello.", callback="https://host.example/", callback_method="PUT", topics=True
        )
        assert accepted == Accepted(request_id="a7aac20e")
        assert seen.line == (
            "POST /v1/read?topics=true&callback=https://host.example/&callback_method=PUT"
        )
        await dg.read.submit(url="https://host.example/a.txt", callback="https://host.example/")
        assert seen.line == "POST /v1/read?callback=https://host.example/"


@pytest.mark.parametrize(
    "arguments", [{}, {"text": "a", "url": "https://host.example/"}], ids=["none", "both"]
)
async def test_one_source_is_needed(arguments: dict[str, str]) -> None:
    async with serving(ANSWER) as (dg, seen):
        with pytest.raises(OptionError, match="exactly one"):
            await dg.read.analyze(**arguments)  # type: ignore[arg-type]  # a test passes texts only
        with pytest.raises(OptionError, match="exactly one"):
            await dg.read.submit(callback="https://host.example/", **arguments)  # type: ignore[arg-type]  # as above
        with pytest.raises(OptionError, match="at most 100"):
            await dg.read.analyze("a", custom_topic=["x"] * 101)
        assert seen.count == 0
        await dg.with_options(validate=False).read.analyze("a", custom_topic=["x"] * 101)


async def test_a_refusal_has_the_words_of_the_service() -> None:
    refusal = {"category": "INVALID_JSON", "message": "Invalid JSON submitted.", "details": "text"}
    async with serving(refusal, status=400) as (dg, _):
        with pytest.raises(BadRequestError, match="Invalid JSON submitted") as caught:
            await dg.read.analyze("Hello.")
    assert caught.value.code == "INVALID_JSON"
    assert caught.value.operation == "POST /v1/read"
