"""One callback: headers and body in, the answer out; no input and no output."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import msgspec

from deepgram_async._protocol.callbacks import decode_steps, open_envelope
from deepgram_async.callbacks._auth import CallbackAuth
from deepgram_async.errors import ApiError, ProtocolError
from deepgram_async.models.prerecorded import Transcription

__all__ = ["Delivery", "receive", "receive_in_steps"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What one callback brought.

    Attributes:
        request_id: The id that ``dg.listen.submit`` returned for the request.
        body: The body as it was received, to be kept.
        transcription: The transcript, if there is one.
        error: Else what went wrong: an `ApiError`, without a status where none is told, or a
            `ProtocolError` for a transcript that could not be decoded.
    """

    request_id: str
    body: bytes
    transcription: Transcription | None = None
    error: ApiError | ProtocolError | None = None

    def result(self) -> Transcription:
        """Return the transcript.

        Raises:
            ApiError: The service could not transcribe the recording.
            ProtocolError: The transcript could not be decoded; the bytes are in ``body``.
        """
        if self.transcription is not None:
            return self.transcription
        assert self.error is not None
        raise self.error

    def __repr__(self) -> str:
        # A transcript has no place in a log.
        outcome = "a transcription" if self.error is None else type(self.error).__name__
        return f"Delivery({self.request_id!r}, {outcome})"


def receive(headers: Mapping[str, str], body: bytes, *, auth: CallbackAuth | None) -> Delivery:
    """Return what a callback brings, for a web application of your own.

    Answer the request with 200 when you have kept the result; with the ``status`` of the error
    when it is refused; and with 503 when you cannot keep it now: Deepgram then tries again, up to
    ten times, thirty seconds apart (Deepgram docs, "STT Callback"). The same answer can
    come more than once.

    Args:
        headers: The headers of the request, in any case.
        body: The body of the request, whose size your server has to bound.
        auth: What the callback has to show; ``None`` takes any, for a URL that is checked by
            something else.

    Raises:
        CallbackRefusedError: It does not show what it has to (status 401), or is no answer of the
            service (status 400).
    """
    steps = receive_in_steps(headers, body, auth)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            delivery: Delivery = done.value
            return delivery


def receive_in_steps(
    headers: Mapping[str, str], body: bytes, auth: CallbackAuth | None
) -> Generator[None, None, Delivery]:
    """Return a generator that pauses while it decodes a long answer, and returns the delivery.

    Raises:
        CallbackRefusedError: As for `receive`.
    """
    if auth is not None:
        auth.check_headers({name.lower(): value for name, value in headers.items()})
    envelope = open_envelope(body)
    if auth is not None and (envelope.error is None or auth.password is None):
        auth.check_extra(envelope.extra)
    if envelope.error is not None:
        return Delivery(request_id=envelope.request_id, body=body, error=envelope.error)
    found = yield from decode_steps(body)
    if isinstance(found, ProtocolError):
        return Delivery(request_id=envelope.request_id, body=body, error=found)
    return Delivery(request_id=envelope.request_id, body=body, transcription=found)
