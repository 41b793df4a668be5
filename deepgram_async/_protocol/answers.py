"""Answers of the service: decoded to a struct, or turned into the right exception."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import msgspec

from deepgram_async._protocol import hints
from deepgram_async._protocol.decoding import UNDECODABLE
from deepgram_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    IncompleteUploadError,
    LengthRequiredError,
    NotFoundError,
    PayloadTooLargeError,
    PaymentRequiredError,
    PermissionDeniedError,
    ProcessingTimeoutError,
    ProtocolError,
    RateLimitError,
    RequestCancelledError,
    ServerError,
    UploadTimeoutError,
    UrlTooLongError,
)

__all__ = ["HttpAnswer", "decipher", "error_from_answer", "retry_after_s"]

T = TypeVar("T")

_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: BadRequestError,
    408: UploadTimeoutError,
    411: LengthRequiredError,
    413: PayloadTooLargeError,
    414: UrlTooLongError,
    422: IncompleteUploadError,
    429: RateLimitError,
    499: RequestCancelledError,
    504: ProcessingTimeoutError,
}
# The body of an error is a sentence or two; a gateway's page may be long.
_LONGEST_MESSAGE: Final = 500
_MARKUP: Final = re.compile(r"<(script|style)\b.*?</\1>|<[^>]+>", re.DOTALL | re.IGNORECASE)
_TITLE: Final = re.compile(r"<title>(.*?)</title>", re.DOTALL | re.IGNORECASE)

_decoders: Final[dict[type[Any], msgspec.json.Decoder[Any]]] = {}


class HttpAnswer(msgspec.Struct, frozen=True):
    """What came back: status, headers with lower-case names, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _ErrorBody(msgspec.Struct):
    """Both JSON shapes of an error; no field is certain."""

    err_code: str | None = None
    err_msg: str | None = None
    category: str | None = None
    message: str | None = None
    details: str | None = None
    request_id: str | None = None


def decipher(answer: HttpAnswer, kind: type[T], operation: str, *, now: float) -> T:
    """Return the struct that an answer holds.

    Args:
        answer: What came back.
        kind: The struct that a success decodes to; ``object`` is any JSON, or nothing at all.
        operation: The call, for messages.
        now: Seconds since the epoch, for a ``Retry-After`` date.

    Raises:
        ApiError: The status is not a success; the class tells which.
        ProtocolError: The body of a success is not what the route promises.
    """
    if not 200 <= answer.status < 300:
        raise error_from_answer(answer, operation, now=now)
    body = answer.body or (b"null" if kind is object else b"")
    try:
        return _decoder(kind).decode(body)
    except UNDECODABLE as error:
        raise ProtocolError(
            f"the answer could not be decoded: {error}",
            body=answer.body,
            operation=operation,
            status=answer.status,
            request_id=answer.headers.get("dg-request-id"),
            hint="the bytes are in .body; with_options(keep_raw=True) keeps them on success too",
        ) from None


def error_from_answer(answer: HttpAnswer, operation: str, *, now: float) -> ApiError:
    """Return the exception for an answer whose status is not a success.

    It reads both JSON shapes of the service, plain text, gateway pages and empty bodies
    (Deepgram docs, "Errors"), and serves REST answers and refused handshakes alike.
    """
    status, headers = answer.status, answer.headers
    fields = _error_fields(answer.body)
    code = fields.err_code or fields.category
    said = fields.err_msg or fields.message
    message = said or headers.get("dg-error") or _readable(answer) or "no explanation was given"
    kind = _BY_STATUS.get(status) or (ServerError if status >= 500 else ApiError)
    if status == 401 and code == "INSUFFICIENT_PERMISSIONS":
        kind = PermissionDeniedError
    return kind(
        message,
        operation=operation,
        status=status,
        code=code,
        details=fields.details,
        request_id=fields.request_id or headers.get("dg-request-id"),
        retry_after=retry_after_s(headers, now=now),
        hint=hints.for_status(status, code, message),
    )


def retry_after_s(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds that the service asks to wait, or ``None``.

    ``Retry-After-Ms``, ``Retry-After`` in seconds or as an HTTP date, and ``X-RateLimit-Reset``
    (seconds since the epoch) are read, in this order. A time in the past counts as zero.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    stated = headers.get("retry-after")
    seconds = _number(stated)
    if seconds is not None:
        return max(0.0, seconds)
    if stated:
        try:
            return max(0.0, parsedate_to_datetime(stated).timestamp() - now)
        except ValueError:
            pass  # neither a number nor a date: as if it had not been said
    reset = _number(headers.get("x-ratelimit-reset"))
    return None if reset is None else max(0.0, reset - now)


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Return the decoder of a type, made on first use."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    return decoder


def _error_fields(body: bytes) -> _ErrorBody:
    try:
        return _decoder(_ErrorBody).decode(body)
    except UNDECODABLE:
        return _ErrorBody()


def _readable(answer: HttpAnswer) -> str:
    text = answer.body.decode("utf-8", "replace").strip()
    if "<html" in text[:1000].lower() or "<!doctype" in text[:100].lower():
        title = _TITLE.search(text)
        page = title.group(1) if title else _MARKUP.sub(" ", text)
        text = f"a web page instead of an answer: {html.unescape(page)}"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}..."


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e12 else None
