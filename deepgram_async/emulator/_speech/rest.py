"""`POST /v1/speak` and `POST /v2/speak`: a text, spoken while it is sent."""

from __future__ import annotations

import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import msgspec

from deepgram_async._protocol.rules_speak import LONGEST_TEXT
from deepgram_async.emulator._bodies import json_answer, read_json
from deepgram_async.emulator._callbacks import deliver
from deepgram_async.emulator._calls import respond_slowly, route
from deepgram_async.emulator._errors import Refusal, bad_request
from deepgram_async.emulator._models import model_id_of

from .formats import encoder
from .markup import MarkError, check_speed, read_script
from .query import read_aura, read_flux
from .synthesizers import SynthesizerUnavailableError
from .voices import used_voice

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aiohttp import web

    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._services import Services

    from .formats import Encoder
    from .markup import Script
    from .query import SpeechQuery

__all__ = ["routes"]

_log: Final = logging.getLogger(__name__)


def routes(services: Services) -> list[web.RouteDef]:
    """Return the routes of both kinds of voices."""

    async def speak_aura(request: web.Request, call: Call) -> web.StreamResponse:
        query = read_aura(request.query, is_socket=False)
        script = await _read_text(request)
        if script.characters > LONGEST_TEXT:
            raise Refusal(413, "Content Too Large", f"Text exceeds {LONGEST_TEXT} characters.")
        return await _Speech(services, call, query, script).answer(request)

    async def speak_flux(request: web.Request, call: Call) -> web.StreamResponse:
        query = read_flux(request.query, is_socket=False)
        script = await _read_text(request)
        try:
            check_speed(script, query.speed)
        except MarkError as error:
            raise Refusal(400, error.code, str(error)) from None
        return await _Speech(services, call, query, script).answer(request)

    return [
        route(services, "POST", "/v1/speak", speak_aura, product="speak"),
        route(services, "POST", "/v2/speak", speak_flux, product="speak"),
    ]


class _Body(msgspec.Struct):
    text: str


async def _read_text(request: web.Request) -> Script:
    body = await read_json(request, _Body)
    try:
        script = read_script(body.text)
    except MarkError as error:
        raise Refusal(400, error.code, str(error)) from None
    if not script.has_words:
        raise bad_request("Bad Request: there is no text to speak.")
    return script


class _Speech:
    """One answer."""

    def __init__(self, services: Services, call: Call, query: SpeechQuery, script: Script) -> None:
        self._services = services
        self._call = call
        self._query = query
        self._script = script

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Return the audio, or the request's id when a callback is wanted."""
        query, used = self._query, self._call.used
        try:
            synthesizer = await self._services.voice.synthesizer()
            encoding = encoder(query.form)
        except SynthesizerUnavailableError as error:
            raise Refusal(503, "Service Unavailable", str(error)) from None
        used.characters = self._script.billable_characters
        used.models = (used_voice(query.model, synthesizer),)
        used.tags = query.tags
        if query.callback is not None:
            used.callback = query.callback.url
            self._services.background.start(self._call_back(encoding))
            return json_answer({"request_id": self._call.request_id})
        async with aclosing(self._speak(encoding)) as parts:
            # A synthesiser that cannot speak at all fails before anything is answered.
            start = await anext(parts)
            answer = await respond_slowly(request, self._call, self._headers())
            await answer.write(start)
            async for part in parts:
                await answer.write(part)
            await answer.write_eof()
        return answer

    async def _speak(self, encoding: Encoder) -> AsyncGenerator[bytes]:
        query = self._query
        pieces = self._services.voice.speak(
            self._script, encoding, rate=query.form.sample_rate, speed=query.speed
        )
        async for piece in pieces:
            self._call.used.audio_s += piece.seconds
            if piece.audio:
                yield piece.audio
        yield encoding.finish()

    def _headers(self) -> dict[str, str]:
        controls, warnings = self._script.controls_applied, self._script.warnings
        headers = {
            "Content-Type": self._query.form.content_type,
            "dg-model-name": self._query.model,
            "dg-model-uuid": model_id_of(self._query.model),
            "dg-char-count": str(self._script.billable_characters),
            "dg-pronunciations-applied": str(controls["pronunciations_applied"]),
            "dg-pronunciation-warnings": str(controls["pronunciation_warnings"]),
            "dg-breaks-applied": str(controls["breaks_applied"]),
        }
        if warnings:
            headers["dg-warnings"] = ",".join(warnings)
        return headers

    async def _call_back(self, encoding: Encoder) -> None:
        callback = self._query.callback
        assert callback is not None, "it was asked for"
        try:
            audio = b"".join([part async for part in self._speak(encoding)])
        except Exception:  # nobody awaits this task: a synthesiser's defect ends in the log
            _log.exception("request %s: speech failed", self._call.request_id)
            return
        # What it used is known only now.
        self._call.record()
        await deliver(
            self._services,
            callback,
            audio,
            content_type=self._query.form.content_type,
            request_id=self._call.request_id,
        )
