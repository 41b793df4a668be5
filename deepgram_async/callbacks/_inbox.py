"""Answers joined to requests: kept until they are asked for, waited for with a deadline."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from deepgram_async.callbacks._auth import CallbackAuth
from deepgram_async.callbacks._receive import Delivery, receive_in_steps
from deepgram_async.errors import CallbackRefusedError, InvalidStateError, OperationTimeoutError
from deepgram_async.models.prerecorded import Transcription

__all__ = ["CallbackInbox", "Keeper"]

Keeper: TypeAlias = Callable[[Delivery], Awaitable[None]]
"""Keeps an answer for good; what it raises makes Deepgram try again."""

_log: Final = logging.getLogger("deepgram_async.callbacks")

# A day of speech in one channel, with its words, is some 70 MB.
_LARGEST_BODY: Final = 128 * 1024 * 1024
# An id is 36 characters; a repeat comes within five minutes of the first attempt.
_REMEMBERED: Final = 20_000


class CallbackInbox:
    """Takes callbacks in and hands each answer to whoever waits for its request.

    An answer may come before ``submit`` has returned its request id: it is kept until it is asked
    for. At most ``max_unclaimed`` are kept so; a further one that nobody waits for is answered
    with 503, so that Deepgram brings it again. Repeats of an answer are acknowledged and dropped.
    To be used from one event loop.

    Args:
        auth: What callbacks have to show; ``None`` takes any.
        keep: Awaited with every new answer before it is acknowledged, for example to write it
            into a database. If it raises, the callback is answered with 503 and the answer is
            as if it had not come. Without it, an answer that is acknowledged and not yet taken is
            lost when the process dies.
        max_body_bytes: Larger callbacks are refused with 413, before they are read.
        max_unclaimed: Answers kept that nobody waits for yet.
    """

    def __init__(
        self,
        auth: CallbackAuth | None,
        *,
        keep: Keeper | None = None,
        max_body_bytes: int = _LARGEST_BODY,
        max_unclaimed: int = 100,
    ) -> None:
        self._auth = auth
        self._keep = keep
        self._max_body_bytes = max_body_bytes
        self._max_unclaimed = max_unclaimed
        self._answers = dict[str, Delivery]()
        self._waiters = dict[str, asyncio.Event]()
        self._being_kept = set[str]()
        # The ids of what has come, the oldest first; the values mean nothing.
        self._seen = OrderedDict[str, None]()

    @property
    def auth(self) -> CallbackAuth | None:
        """What callbacks have to show."""
        return self._auth

    @property
    def unclaimed(self) -> list[str]:
        """The request ids of answers that nobody has taken yet."""
        return list(self._answers)

    async def wait(self, request_id: str, *, timeout_s: float) -> Transcription:
        """Return the transcript of a request, once.

        Cancelling loses nothing: the answer can be waited for again.

        Args:
            request_id: What ``dg.listen.submit`` returned.
            timeout_s: The longest time to wait, in seconds.

        Raises:
            ApiError: The service could not transcribe the recording.
            ProtocolError: The transcript could not be decoded; the bytes are in ``body``.
            OperationTimeoutError: No callback came in time (phase ``callback``).
            InvalidStateError: Somebody else waits for the same request.
        """
        if request_id in self._waiters:
            raise InvalidStateError(f"request {request_id} is being waited for already")
        arrived = self._waiters[request_id] = asyncio.Event()
        if request_id in self._answers:
            arrived.set()
        try:
            async with asyncio.timeout(timeout_s):
                await arrived.wait()
        except TimeoutError:
            raise OperationTimeoutError(
                f"no callback came for request {request_id} within {timeout_s:g} s",
                phase="callback",
                timeout_s=timeout_s,
                operation="callback",
                hint="the transcript may still come; Deepgram tries for about five minutes",
            ) from None
        finally:
            del self._waiters[request_id]
        return self._answers.pop(request_id).result()

    async def accept(
        self, method: str, headers: Mapping[str, str], body: AsyncIterable[bytes]
    ) -> int:
        """Take one request of a web server in, and return the status to answer it with.

        This is what `asgi_app` and `aiohttp_handler` call; another web framework can do so too.

        Args:
            method: The HTTP method; Deepgram uses ``POST`` or ``PUT``.
            headers: The headers, in any case.
            body: The body, piece by piece; what it raises passes through.
        """
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            self._check(method, lower)
            return await self._take(await self._receive(lower, body))
        except CallbackRefusedError as refusal:
            _log.warning("callback refused: %s", refusal)
            return refusal.status or 400

    def _check(self, method: str, headers: Mapping[str, str]) -> None:
        """Refuse what can be refused without reading the body."""
        if method not in ("POST", "PUT"):
            raise CallbackRefusedError(f"a callback is no {method} request", status=405)
        if self._auth is not None:
            self._auth.check_headers(headers)
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_body_bytes:
            raise self._too_large()

    async def _receive(self, headers: Mapping[str, str], body: AsyncIterable[bytes]) -> Delivery:
        whole = bytearray()
        async for piece in body:
            whole += piece
            if len(whole) > self._max_body_bytes:
                raise self._too_large()
        steps = receive_in_steps(headers, bytes(whole), self._auth)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                delivery: Delivery = done.value
                return delivery
            await asyncio.sleep(0)

    async def _take(self, delivery: Delivery) -> int:
        request_id = delivery.request_id
        if request_id in self._seen:
            return 200
        is_full = len(self._answers) >= self._max_unclaimed and request_id not in self._waiters
        if is_full or request_id in self._being_kept:
            return 503
        if self._keep is not None:
            self._being_kept.add(request_id)
            try:
                await self._keep(delivery)
            except Exception:  # whatever the caller's code raises: the service shall try again
                _log.exception("the answer to request %s could not be kept", request_id)
                return 503
            finally:
                self._being_kept.discard(request_id)
        self._seen[request_id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        self._answers[request_id] = delivery
        if request_id in self._waiters:
            self._waiters[request_id].set()
        return 200

    def _too_large(self) -> CallbackRefusedError:
        return CallbackRefusedError(
            f"the callback is larger than {self._max_body_bytes} bytes", status=413
        )
