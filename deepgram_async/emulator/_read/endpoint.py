"""`POST /v1/read`: what is said in a text."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

import aiohttp
import msgspec

from deepgram_async.emulator._bodies import convert, json_answer, read_body
from deepgram_async.emulator._callbacks import deliver
from deepgram_async.emulator._calls import route
from deepgram_async.emulator._errors import (
    CONTENT_TOO_LARGE,
    NOT_JSON,
    Refusal,
    bad_request,
    remote_content,
)
from deepgram_async.emulator._fields import Fields
from deepgram_async.emulator._wire import now

from .analysis import analyze
from .passage import Passage

if TYPE_CHECKING:
    from aiohttp import web

    from deepgram_async.emulator._callbacks import Callback
    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._services import Services
    from deepgram_async.emulator._wire import Json

    from .analysis import Wanted

__all__ = ["routes"]

_log: Final = logging.getLogger(__name__)

_FLAGS: Final = ("sentiment", "topics", "intents")
# Documented ("Errors"): a word is taken for a token here.
_MOST_TOKENS: Final = 150_000
_TOO_MANY_TOKENS: Final = (
    400,
    "TOKEN_LIMIT_EXCEEDED",
    "Text input currently has a limit of 150,000 tokens.",
)


def routes(services: Services) -> list[web.RouteDef]:
    """Return the route of text analysis."""
    return [route(services, "POST", "/v1/read", _read, product="read")]


class _Body(msgspec.Struct):
    text: str | None = None
    url: str | None = None


async def _read(request: web.Request, call: Call) -> web.Response:
    fields = Fields(request.query, _FLAGS)
    language = request.query.get("language", "en")
    if language.partition("-")[0].lower() != "en":
        raise bad_request(f"Bad Request: the language {language} is not supported.")
    wanted, callback = fields.wanted(), fields.callback()
    words = (await _text(request, call)).split()
    if not words:
        raise bad_request("Bad Request: the text is empty.")
    if len(words) > _MOST_TOKENS:
        raise Refusal(*_TOO_MANY_TOKENS)
    if callback is None:
        return json_answer(await _analyze(words, wanted, call, language))
    call.services.background.start(_call_back(words, wanted, call, language, callback))
    return json_answer({"request_id": call.request_id})


async def _text(request: web.Request, call: Call) -> str:
    body = await read_body(request)
    if request.content_type == "text/plain":
        return _decoded(body)
    try:
        fields: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        if request.content_type != "application/json":
            # Deepgram's SDK for Python, up to 4, sends a text and does not say what it is.
            return _decoded(body)
        raise Refusal(*NOT_JSON) from None
    source = convert(fields, _Body, len(body))
    if (source.text is None) is (source.url is None):
        raise bad_request("Bad Request: give either text or url.")
    return source.text if source.text is not None else await _fetch(source.url or "", call)


async def _fetch(url: str, call: Call) -> str:
    if not url.startswith(("http://", "https://")):
        raise remote_content("no content: only http and https are fetched")
    settings = call.services.settings
    timeout = aiohttp.ClientTimeout(total=settings.fetch_timeout_s)
    found = bytearray()
    try:
        async with call.services.http.get(url, timeout=timeout) as response:
            if response.status >= 400:
                side = "client" if response.status < 500 else "server"
                raise remote_content(f"a {side} error: {response.status} {response.reason}")
            async for chunk in response.content.iter_any():
                found += chunk
                if len(found) > settings.max_text_bytes:
                    raise Refusal(*CONTENT_TOO_LARGE)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise remote_content("no content: it could not be reached") from None
    return _decoded(bytes(found))


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise bad_request("Bad Request: the text is not UTF-8.") from None


async def _analyze(words: list[str], wanted: Wanted, call: Call, language: str) -> dict[str, Json]:
    analysis = await asyncio.to_thread(analyze, Passage(words), wanted)
    used = call.used
    used.tokens_in, used.tokens_out = analysis.tokens_in, analysis.tokens_out
    used.models = analysis.models
    results = dict(analysis.results)
    if analysis.summary is not None:
        results["summary"] = {"text": analysis.summary}
    return {
        "metadata": {
            "request_id": call.request_id,
            "created": now(),
            "language": language,
            **analysis.metadata,
        },
        "results": results,
    }


async def _call_back(
    words: list[str], wanted: Wanted, call: Call, language: str, callback: Callback
) -> None:
    """Analyse, then offer the answer (or the error) to the callback URL."""
    try:
        body = msgspec.json.encode(await _analyze(words, wanted, call, language))
    except Refusal as refusal:
        call.status, call.message = refusal.status, refusal.message
        body = refusal.body(call.request_id)
    except Exception:  # nobody awaits this task: a defect ends in the log
        _log.exception("request %s: the analysis failed", call.request_id)
        return
    # What it used is known only now.
    call.record()
    await deliver(
        call.services,
        callback,
        body,
        content_type="application/json",
        request_id=call.request_id,
    )
