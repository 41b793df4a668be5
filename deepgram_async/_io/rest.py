"""REST: one call, with its repetitions, from the values of a resource to the decoded answer."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from deepgram_async._io.attempts import Attempt
from deepgram_async._io.http import HttpClient, HttpPool, HttpStream
from deepgram_async._io.uploads import Upload, open_upload
from deepgram_async._io.words import merged_headers
from deepgram_async._protocol.answers import HttpAnswer, decipher, error_from_answer
from deepgram_async._protocol.credentials import Credentials, CredentialsSource
from deepgram_async._protocol.decoding import UNDECODABLE
from deepgram_async._protocol.requests import Request, Route, build_request
from deepgram_async._protocol.settings import CallSettings, NetworkSettings
from deepgram_async._protocol.sources import AudioSource, ProgressHook
from deepgram_async.errors import DeepgramError, ProtocolError
from deepgram_async.models._base import Answer, attach_raw

__all__ = ["Rest"]

T = TypeVar("T")

# Audio is compressed already, or wanted at once: no encoding that has to collect it first.
_AUDIO_HEADERS: Final = {"Accept": "*/*", "Accept-Encoding": "identity"}
_JSON: Final = "application/json"
_OK: Final = 200
# A shorter answer is decoded in less than two milliseconds.
_LONG: Final = 1 << 20
# The body of an error is a sentence or two.
_LONGEST_ERROR: Final = 1 << 20

_log = logging.getLogger("deepgram_async")


class Rest:
    """Sends the calls of one session on one loop."""

    def __init__(
        self,
        settings: NetworkSettings,
        calls: CallSettings,
        client: HttpClient | None,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self._pool = HttpPool(
            timeouts=calls.timeouts,
            limit=settings.pool_limit,
            limit_per_host=settings.pool_limit_per_host,
            proxy=settings.proxy,
            trust_env=settings.trust_env,
            ssl_context=ssl_context,
            client=client,
        )

    async def aclose(self) -> None:
        """Close the connections; safe to repeat."""
        await self._pool.aclose()

    async def open_upload(self, source: AudioSource, content_type: str | None) -> Upload:
        """Return the upload for a source, see ``open_upload`` of the uploads."""
        return await open_upload(source, content_type)

    async def send(
        self,
        route: Route[T],
        calls: CallSettings,
        credentials: CredentialsSource,
        *,
        ids: Mapping[str, str] | None = None,
        query: str = "",
        body: object = None,
        upload: Upload | None = None,
        progress: ProgressHook | None = None,
    ) -> T:
        """Send one call, repeating it as the policy says, and return the decoded answer.

        Raises:
            DeepgramError: The call failed; ``attempts`` tells how often it was tried.
        """
        request = build_request(
            route, calls.endpoints, ids=ids, query=query, headers=calls.extra_headers, body=body
        )

        async def send_once(attempt: Attempt) -> T:
            return await self._send_once(
                request, route, calls, await credentials(), attempt, upload, progress
            )

        return await self._repeated(
            send_once,
            calls,
            request.operation,
            body_is_replayable=upload is None or upload.is_replayable,
        )

    async def open_stream(
        self,
        route: Route[bytes],
        calls: CallSettings,
        credentials: CredentialsSource,
        *,
        query: str,
        body: object,
    ) -> HttpStream:
        """Send one call whose answer is audio and return it as soon as it begins.

        It is repeated as the policy says until then, and never after.

        Raises:
            DeepgramError: The call failed; ``attempts`` tells how often it was tried.
        """
        request = build_request(
            route,
            calls.endpoints,
            query=query,
            headers=merged_headers(_AUDIO_HEADERS, calls.extra_headers),
            body=body,
        )

        async def open_once(attempt: Attempt) -> HttpStream:
            return await self._open_once(request, calls, await credentials(), attempt)

        return await self._repeated(open_once, calls, request.operation, body_is_replayable=True)

    async def _repeated(
        self,
        once: Callable[[Attempt], Awaitable[T]],
        calls: CallSettings,
        operation: str,
        *,
        body_is_replayable: bool,
    ) -> T:
        number = 0
        while True:
            number += 1
            attempt = Attempt()
            try:
                return await once(attempt)
            except DeepgramError as error:
                error.attempts = number
                delay = calls.retry.next_delay(
                    number,
                    error,
                    body_is_replayable=body_is_replayable,
                    connection_was_stale=attempt.was_stale,
                    jitter=random.random(),
                )
                if delay is None:
                    raise
                _log.debug("%s failed, next attempt in %.2f s", operation, delay)
            await asyncio.sleep(delay)

    async def _open_once(
        self, request: Request, calls: CallSettings, credentials: Credentials, attempt: Attempt
    ) -> HttpStream:
        stream = await self._pool.open(
            request, credentials.headers(), calls.timeouts, attempt=attempt
        )
        request_id = stream.headers.get("dg-request-id")
        _log.debug("%s: %d (request id %s)", request.operation, stream.status, request_id)
        is_success = 200 <= stream.status < 300
        kind = stream.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_json = kind == _JSON
        if is_success and not is_json and not kind.startswith("text/"):
            return stream
        try:
            answer = HttpAnswer(stream.status, stream.headers, await _start_of(stream))
        finally:
            stream.close()
        if is_success:
            raise ProtocolError(
                f"the answer is {'JSON' if is_json else kind} and no audio",
                body=answer.body,
                operation=request.operation,
                status=answer.status,
                request_id=request_id,
                hint="with a callback use submit()"
                if is_json
                else "check that base_url leads to Deepgram",
            )
        raise error_from_answer(answer, request.operation, now=time.time())

    async def _send_once(
        self,
        request: Request,
        route: Route[T],
        calls: CallSettings,
        credentials: Credentials,
        attempt: Attempt,
        upload: Upload | None,
        progress: ProgressHook | None,
    ) -> T:
        answer = await self._pool.fetch(
            request,
            credentials.headers(),
            calls.timeouts,
            attempt=attempt,
            upload=upload,
            progress=progress,
        )
        request_id = answer.headers.get("dg-request-id")
        _log.debug("%s: %d (request id %s)", request.operation, answer.status, request_id)
        decoded = await _decoded(answer, route)
        if calls.keep_raw and isinstance(decoded, Answer):
            attach_raw(decoded, answer.body)
        return decoded


async def _decoded(answer: HttpAnswer, route: Route[T]) -> T:
    """Return the struct that an answer holds; while a long one is decoded the loop goes on."""
    if route.steps is not None and answer.status == _OK and len(answer.body) >= _LONG:
        steps = route.steps(answer.body)
        try:
            while True:
                next(steps)
                await asyncio.sleep(0)
        except StopIteration as end:
            decoded: T = end.value
            return decoded
        except UNDECODABLE:
            pass  # decoding at once tells the place
    return decipher(answer, route.answer, route.operation, now=time.time())


async def _start_of(stream: HttpStream) -> bytes:
    """Return the body of a refusal, cut off where no refusal is that long."""
    body = b""
    while len(body) < _LONGEST_ERROR and (block := await stream.read()):
        body += block
    return body
