"""`POST /v1/listen`: prerecorded transcription."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextlib import ExitStack, closing
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Final, cast

import aiohttp
import msgspec
from aiohttp import web

from ._audio import UndecodableAudioError, decode_file
from ._batch_answer import answer
from ._bodies import convert, json_answer, read_body
from ._callbacks import deliver
from ._calls import route
from ._errors import (
    CONTENT_TOO_LARGE,
    CORRUPT_AUDIO,
    NOT_JSON,
    Refusal,
    remote_content,
)
from ._formatting import format_words
from ._models import used_model
from ._query import BatchQuery, read_batch_query
from ._read.analysis import Analysis, analyze
from ._read.passage import Passage
from ._watch import noted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ._calls import Call
    from ._services import Services
    from ._wire import Json

__all__ = ["routes"]

_log: Final = logging.getLogger(__name__)

# A recording up to this size stays in memory, a larger one goes to a temporary file.
_IN_MEMORY: Final = 8 * 1024 * 1024
_CHUNK: Final = 256 * 1024


def routes(services: Services) -> list[web.RouteDef]:
    """Return the routes of prerecorded transcription."""
    transcribe = _Transcription(services).handle
    return [route(services, "POST", "/v1/listen", transcribe, product="listen")]


class _UrlBody(msgspec.Struct):
    url: str


class _Recording:
    """Posted or fetched bytes, of bounded size, with their hash."""

    def __init__(self, limit: int) -> None:
        self.file = cast("IO[bytes]", SpooledTemporaryFile(max_size=_IN_MEMORY))
        self._hash = hashlib.sha256()
        self._limit = limit
        self._size = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def fill(self, chunks: AsyncIterator[bytes]) -> None:
        async for chunk in chunks:
            self._size += len(chunk)
            if self._size > self._limit:
                raise Refusal(*CONTENT_TOO_LARGE)
            await asyncio.to_thread(self._write, chunk)

    def close(self) -> None:
        self.file.close()

    def _write(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self.file.write(chunk)


class _Transcription:
    """Serves the requests; holds nothing of a single one."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._settings = services.settings

    async def handle(self, request: web.Request, call: Call) -> web.Response:
        """Answer one request with a transcript, or with its id when a callback is wanted."""
        query = read_batch_query(request.query, self._services.engine.recognizer)
        with ExitStack() as cleanup:
            recording = cleanup.enter_context(closing(_Recording(self._settings.max_upload_bytes)))
            await self._receive(request, recording)
            if query.callback is None:
                return json_answer(await self._transcribe(query, recording, call))
            # From here on the recording belongs to the callback.
            cleanup.pop_all()
        self._services.background.start(self._call_back(query, recording, call))
        return json_answer({"request_id": call.request_id})

    async def _receive(self, request: web.Request, recording: _Recording) -> None:
        if request.content_type == "application/json":
            await self._fetch(await _read_url(request), recording)
        elif (request.content_length or 0) > self._settings.max_upload_bytes:
            raise Refusal(*CONTENT_TOO_LARGE)
        else:
            await recording.fill(noted(request, request.content.iter_chunked(_CHUNK)))

    async def _fetch(self, url: str, recording: _Recording) -> None:
        if not url.startswith(("http://", "https://")):
            raise remote_content("no content: only http and https are fetched")
        timeout = aiohttp.ClientTimeout(total=self._settings.fetch_timeout_s)
        try:
            async with self._services.http.get(url, timeout=timeout) as response:
                if response.status >= 400:
                    side = "client" if response.status < 500 else "server"
                    status = f"{response.status} {response.reason}"
                    raise remote_content(f"a {side} error: {status}")
                await recording.fill(response.content.iter_chunked(_CHUNK))
        except (aiohttp.ClientError, TimeoutError):
            raise remote_content("no content: it could not be reached") from None

    async def _transcribe(
        self, query: BatchQuery, recording: _Recording, call: Call
    ) -> dict[str, Json]:
        try:
            channels = await asyncio.to_thread(
                decode_file, recording.file, query.raw, separate=query.multichannel
            )
        except UndecodableAudioError as error:
            _log.info("request %s: %s", call.request_id, error)
            raise Refusal(*CORRUPT_AUDIO) from None
        engine = self._services.engine
        call.used.audio_s = channels[0].duration_s
        call.used.channels = len(channels)
        call.used.models = [used_model(query.model, query.hints.language, engine.recognizer)]
        heard = [await engine.recognize_recording(audio, query.hints) for audio in channels]
        # Of a long recording it takes a while to write down what was heard.
        words = await asyncio.to_thread(
            lambda: [format_words(it, query.formatting) for it in heard]
        )
        analysis = Analysis()
        if not query.wanted.is_nothing:
            # Of the first channel: the answer has one place for what is found out.
            passage = Passage([word.text for word in words[0]])
            analysis = await asyncio.to_thread(analyze, passage, query.wanted)
            call.used.tokens_in, call.used.tokens_out = analysis.tokens_in, analysis.tokens_out
        return await asyncio.to_thread(
            answer,
            query,
            words,
            analysis=analysis,
            recognizer=engine.recognizer,
            request_id=call.request_id,
            sha256=recording.sha256,
            duration_s=channels[0].duration_s,
        )

    async def _call_back(self, query: BatchQuery, recording: _Recording, call: Call) -> None:
        """Transcribe, then offer the answer (or the error) to the callback URL."""
        with closing(recording):
            try:
                body = msgspec.json.encode(await self._transcribe(query, recording, call))
            except Refusal as refusal:
                call.status, call.message = refusal.status, refusal.message
                body = refusal.body(call.request_id)
            except Exception:  # nobody awaits this task: a recogniser's defect ends in the log
                _log.exception("request %s: recognition failed", call.request_id)
                return
        # What it used is known only now.
        call.record()
        if query.callback is not None:
            await deliver(
                self._services,
                query.callback,
                body,
                content_type="application/json",
                request_id=call.request_id,
            )


async def _read_url(request: web.Request) -> str:
    body = await read_body(request)
    try:
        fields: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise Refusal(*NOT_JSON) from None
    return convert(fields, _UrlBody, len(body)).url
