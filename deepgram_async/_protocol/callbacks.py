"""What the service sends to a callback URL: a transcription, or why there is none."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Final

import msgspec

from deepgram_async._protocol.answers import HttpAnswer, error_from_answer
from deepgram_async._protocol.decoding import UNDECODABLE
from deepgram_async._protocol.long_answers import decoding_steps
from deepgram_async.errors import ApiError, CallbackRefusedError, ProtocolError
from deepgram_async.models.prerecorded import Transcription

__all__ = ["Envelope", "OPERATION", "decode_steps", "open_envelope"]

OPERATION: Final = "callback"

# An error has no status line here: its code is what tells the status, where it does.
_STATUS_OF_CODE: Final = {
    "Bad Request": 400,
    "INVALID_JSON": 400,
    "REMOTE_CONTENT_ERROR": 400,
    "INSUFFICIENT_PERMISSIONS": 401,
    "INVALID_AUTH": 401,
    "Payload Too Large": 413,
    "TOO_MANY_REQUESTS": 429,
    "Internal Server Error": 500,
    "Bad Gateway": 502,
    "Service Unavailable": 503,
    "Gateway Timeout": 504,
}


class _Metadata(msgspec.Struct):
    request_id: str | None = None
    extra: dict[str, str] | None = None


class _Envelope(msgspec.Struct):
    metadata: _Metadata | None = None
    results: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    request_id: str | None = None
    err_code: str | None = None
    err_msg: str | None = None
    category: str | None = None
    message: str | None = None


class Envelope(msgspec.Struct, frozen=True):
    """What can be told of a callback before its transcript is decoded.

    Attributes:
        request_id: Which request it answers.
        extra: The pairs of the option ``extra``, which the service gives back.
        error: What went wrong, when it brings no transcript.
    """

    request_id: str
    extra: Mapping[str, str]
    error: ApiError | None


def open_envelope(body: bytes) -> Envelope:
    """Return what a callback is about.

    Raises:
        CallbackRefusedError: It is no answer of the service.
    """
    try:
        found = _decoder.decode(body)
    except UNDECODABLE:
        found = _Envelope()
    metadata = found.metadata or _Metadata()
    request_id = metadata.request_id or found.request_id
    if not request_id:
        raise CallbackRefusedError("the callback is no answer with a request id", status=400)
    code = found.err_code or found.category
    error = None
    if found.results is msgspec.UNSET and (code or found.err_msg or found.message):
        error = _error(body, code)
    return Envelope(request_id, metadata.extra or {}, error)


def decode_steps(body: bytes) -> Generator[None, None, Transcription | ProtocolError]:
    """Return a generator that pauses between the steps, and returns what the callback brings."""
    try:
        return (yield from decoding_steps(body))
    except UNDECODABLE as error:
        return ProtocolError(
            f"the callback could not be decoded: {error}",
            body=body,
            operation=OPERATION,
            request_id=open_envelope(body).request_id,
            hint="the bytes are in .body",
        )


def _error(body: bytes, code: str | None) -> ApiError:
    status = _STATUS_OF_CODE.get(code or "")
    error = error_from_answer(HttpAnswer(status or 0, {}, body), OPERATION, now=0.0)
    if status is None:
        error.status = None
    return error


_decoder: Final = msgspec.json.Decoder(_Envelope)
