"""The requests of one item: each with a place of the gate, repeated where that is safe."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Final, TypeVar

from deepgram_async import AudioSource, DeepgramSession, QueryValue, RetryPolicy
from deepgram_async.batch._gate import Gate
from deepgram_async.batch._items import Item
from deepgram_async.errors import (
    AudioSourceError,
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    DeepgramError,
    InvalidStateError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
)
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.options import ListenOptions

__all__ = [
    "EndOfBatchError",
    "ItemRequests",
    "Sending",
    "StoppedError",
    "Transcriber",
    "transcribe_whole",
]

T = TypeVar("T")

# What fails for one item for these reasons fails for all of them.
_OF_ALL: Final = (
    AuthenticationError,
    ConfigurationError,
    InvalidStateError,
    PaymentRequiredError,
    PermissionDeniedError,
)
_FIRST_RECONNECT_S: Final = 0.5
_LONGEST_RECONNECT_S: Final = 60.0


class EndOfBatchError(Exception):
    """A request failed in a way that is not the item's: no further one makes sense."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class StoppedError(Exception):
    """The batch stops, and nothing was paid for this item yet."""


class Sending:
    """What the requests of all items of a run share.

    Attributes:
        is_stopping: Whether nothing new may be begun.
        sent: Requests sent so far.
    """

    def __init__(
        self,
        session: DeepgramSession,
        options: ListenOptions,
        extra_query: Mapping[str, QueryValue],
        *,
        gate: Gate,
        retry: RetryPolicy,
        patience_s: float,
    ) -> None:
        self.session: DeepgramSession = session
        self.options: ListenOptions = options
        self.extra_query: Mapping[str, QueryValue] = extra_query
        self.gate: Gate = gate
        self.retry: RetryPolicy = retry
        self.is_stopping: bool = False
        self.sent: int = 0
        self._patience_s = patience_s
        self._answered_at = 0.0

    def note_answer(self) -> None:
        """Note that the service has dealt with a request."""
        self._answered_at = asyncio.get_running_loop().time()

    def has_no_patience(self) -> bool:
        """Whether the service has dealt with nothing for too long."""
        return asyncio.get_running_loop().time() - self._answered_at > self._patience_s


class ItemRequests:
    """Sends the requests of one item, usually one, with the settings of the batch.

    Attributes:
        attempts: Requests sent so far.
        is_over: Whether the item has an outcome.
    """

    attempts: int
    is_over: bool

    def __init__(self, sending: Sending) -> None:
        self.attempts = 0
        self.is_over = False
        self._sending = sending
        self._in_flight = 0
        self._answered = 0

    @property
    def options(self) -> ListenOptions:
        """The options of the batch, as for ``dg.listen.transcribe``."""
        return self._sending.options

    @property
    def extra_query(self) -> Mapping[str, QueryValue]:
        """Query keys that are newer than this release."""
        return self._sending.extra_query

    @property
    def may_be_dropped(self) -> bool:
        """Whether there is no outcome, nothing in flight, and no answer: nothing was paid."""
        return not self.is_over and not self._in_flight and not self._answered

    async def transcribe(
        self,
        open_audio: Callable[[], AbstractAsyncContextManager[AudioSource]],
        *,
        content_type: str | None = None,
    ) -> Transcription:
        """Return the transcript of some audio.

        Args:
            open_audio: Opens the audio, anew for every attempt, such as ``item.open``.
            content_type: As for ``dg.listen.transcribe``.

        Raises:
            DeepgramError: The service did not transcribe it.
            Exception: What ``open_audio`` raised.
        """

        async def call(session: DeepgramSession) -> Transcription:
            async with open_audio() as source:
                return await session.listen.transcribe(
                    source,
                    content_type=content_type,
                    extra_query=self.extra_query,
                    **self.options,
                )

        return await self.send(call)

    async def send(self, call: Callable[[DeepgramSession], Awaitable[T]]) -> T:
        """Send one request: wait for a place, and repeat what may be repeated.

        Being turned away (429) and finding no service are not failures of the item: both are
        waited out. What else is repeated says the policy of the batch. May be called several times
        for an item, also at the same time.

        Args:
            call: Sends the request with the session it is given, which repeats nothing that the
                gate should know of.
        """
        failures, losses = 0, 0
        while True:
            try:
                answer = await self._attempt(call)
            except (RateLimitError, ConnectError) as error:
                if self._sending.has_no_patience() or not error.retryable:
                    raise EndOfBatchError(error) from error
                delay = 0.0  # for a 429 the gate knows how long
                if isinstance(error, ConnectError):
                    delay = _LONGEST_RECONNECT_S * random.random()
                    delay = min(delay, _FIRST_RECONNECT_S * 2.0**losses)
                    losses += 1
            except _OF_ALL as error:
                raise EndOfBatchError(error) from error
            except DeepgramError as error:
                self._sending.note_answer()
                failures += 1
                again = self._sending.retry.next_delay(
                    failures,
                    error,
                    body_is_replayable=True,
                    connection_was_stale=False,
                    jitter=random.random(),
                )
                if again is None:
                    error.attempts = self.attempts
                    raise
                delay = again
            else:
                self._sending.note_answer()
                return answer
            await asyncio.sleep(delay)

    async def _attempt(self, call: Callable[[DeepgramSession], Awaitable[T]]) -> T:
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._sending.gate.slot())
            except Exception as error:  # a gate that fails would fail every item
                raise EndOfBatchError(error) from error
            if self._sending.is_stopping and self.may_be_dropped:
                raise StoppedError
            self.attempts += 1
            self._sending.sent += 1
            self._in_flight += 1
            try:
                answer = await call(self._sending.session)
            except AudioSourceError:
                self.attempts -= 1  # it was never sent
                self._sending.sent -= 1
                raise
            finally:
                self._in_flight -= 1
            self._answered += 1
            return answer


Transcriber = Callable[[Item, ItemRequests], Awaitable[Transcription]]
"""Makes one answer of one item, with as many requests as it takes. Each request of ``ItemRequests``
takes a place of the gate of its own, so a transcriber may send the parts of an item at the same
time."""


async def transcribe_whole(item: Item, requests: ItemRequests) -> Transcription:
    """Return the transcript of an item, from one request."""
    return await requests.transcribe(item.open, content_type=item.content_type)
