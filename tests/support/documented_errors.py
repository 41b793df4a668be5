"""Every error answer that Deepgram documents, as it comes over the wire, and what it must become.

The rows follow the tables of Deepgram's docs, "Errors" and "Rate limits", and what gateways in
front of the service answer. They hold for REST answers and for refused WebSocket handshakes alike.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from deepgram_async.errors import ApiError

__all__ = ["DATED_ERRORS", "DOCUMENTED_ERRORS", "NOW", "DocumentedError", "assert_tells"]

NOW: Final = 1_700_000_000.0
"""Tue, 14 Nov 2023 22:13:20 GMT: the present of ``DATED_ERRORS``."""

_ID: Final = "5d4e9a3c-6a14-4d0e-8d3f-0b8c3e0f7a11"
_HEADER_ID: Final = "0d9a4f52-2f2e-4a38-9f2c-5f1f6f6b7c22"
_SILENT: Final = "no explanation was given"

_JSON: Final = {"content-type": "application/json", "dg-request-id": _ID}
_TEXT: Final = {"content-type": "text/plain; charset=utf-8", "dg-request-id": _HEADER_ID}
_EMPTY: Final = {"dg-request-id": _HEADER_ID}
_PAGE: Final = {"content-type": "text/html"}


@dataclass(frozen=True, kw_only=True)
class DocumentedError:
    """An error answer, and what the exception made of it must tell."""

    id: str
    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: _JSON)
    """With lower-case names."""
    body: bytes = b""
    raises: str
    """Name of the class in ``deepgram_async.errors``."""
    message: str
    code: str | None = None
    details: str | None = None
    request_id: str | None = _ID
    retryable: bool = False
    retry_after: float | None = None
    hint_words: tuple[str, ...] = ()
    """Words of the hint, in lower case; without any there must be no hint."""


def assert_tells(error: ApiError, row: DocumentedError) -> None:
    """Assert that an exception tells exactly what its row says; ``attempts`` is not looked at."""
    told = {
        "raises": type(error).__name__,
        "status": error.status,
        "message": error.message,
        "code": error.code,
        "details": error.details,
        "request_id": error.request_id,
        "retryable": error.retryable,
        "retry_after": error.retry_after,
        "has_hint": error.hint is not None,
    }
    expected = {
        "raises": row.raises,
        "status": row.status,
        "message": row.message,
        "code": row.code,
        "details": row.details,
        "request_id": row.request_id,
        "retryable": row.retryable,
        "retry_after": row.retry_after,
        "has_hint": bool(row.hint_words),
    }
    differences = {
        name: f"{value!r}, not {expected[name]!r}"
        for name, value in told.items()
        if value != expected[name]
    }
    assert not differences, f"{row.id}: {differences}"
    hint = (error.hint or "").lower()
    missing = [word for word in row.hint_words if word not in hint]
    assert not missing, f"{row.id}: {missing} are not in the hint {error.hint!r}"


def _coded(code: str, message: str, **more: str) -> bytes:
    """Return the body with ``err_code``."""
    return json.dumps({"err_code": code, "err_msg": message, "request_id": _ID, **more}).encode()


def _categorised(category: str, message: str, details: str) -> bytes:
    """Return the body with ``category``."""
    return json.dumps(
        {"category": category, "message": message, "details": details, "request_id": _ID}
    ).encode()


def _page(title: str) -> bytes:
    return (
        f"<!DOCTYPE html>\n<html>\n<head><title>{title}</title>"
        f"<style>h1 {{color: red}}</style></head>\n<body><h1>{title}</h1></body></html>"
    ).encode()


def _silent(name: str, raises: str, *hint_words: str, retryable: bool = False) -> DocumentedError:
    """Return the row for an answer with nothing but a request id."""
    return DocumentedError(
        id=name,
        status=int(name[:3]),
        headers=_EMPTY,
        raises=raises,
        message=_SILENT,
        request_id=_HEADER_ID,
        retryable=retryable,
        hint_words=hint_words,
    )


_MISSING_URL: Final = "Json deserialize error: missing field `url` at line 1 column 2"
_NOT_JSON: Final = "Content-type was application/json, but we could not process the JSON payload."
_NOT_AUDIO: Final = "Bad Request: failed to process audio: corrupt or unsupported data"
_NO_MODEL: Final = "Bad Request: No such model/language/tier combination found."
_UNREACHABLE: Final = "The remote server hosting the media returned a client error: 404 Not Found."
_BAD_OPTION: Final = "Bad Request: Invalid query string."
_KEYTERMS: Final = (
    "Keyterm limit exceeded. The maximum number of tokens across all keyterms is 500."
)
_NO_CREDIT: Final = (
    "Project does not have enough credits for an ASR request and does not have an overage "
    "agreement."
)
_NOT_A_UUID: Final = (
    "UUID parsing failed: invalid character: expected an optional prefix of `urn:uuid:` followed "
    "by [0-9a-fA-F-], found `x` at 1"
)
_BUSY: Final = "Too many requests. Please try again later"
_SPEECH_CODES: Final = (
    "BREAKS_LIMIT_EXCEEDED",
    "BREAK_INCREMENT_INVALID",
    "BREAK_OUT_OF_RANGE",
    "BREAK_SYNTAX_INVALID",
    "CONTROL_COMBINATION_INVALID",
    "EXPRESSIVITY_INCREMENT_INVALID",
    "EXPRESSIVITY_OUT_OF_RANGE",
    "PAUSE_SPEED_CAP_EXCEEDED",
    "SPEED_INCREMENT_INVALID",
    "SPEED_OUT_OF_RANGE",
)

_BAD_REQUESTS: Final = (
    DocumentedError(
        id="400-invalid-json",
        status=400,
        body=_categorised("INVALID_JSON", "Invalid JSON submitted.", _MISSING_URL),
        raises="BadRequestError",
        code="INVALID_JSON",
        message="Invalid JSON submitted.",
        details=_MISSING_URL,
        hint_words=("json body", "details"),
    ),
    DocumentedError(
        id="400-invalid-json-other-shape",
        status=400,
        body=_coded("INVALID_JSON", "Invalid JSON submitted.", details=_MISSING_URL),
        raises="BadRequestError",
        code="INVALID_JSON",
        message="Invalid JSON submitted.",
        details=_MISSING_URL,
        hint_words=("json body", "details"),
    ),
    DocumentedError(
        id="400-body-is-not-json",
        status=400,
        body=_coded("Bad Request", _NOT_JSON),
        raises="BadRequestError",
        code="Bad Request",
        message=_NOT_JSON,
        hint_words=("content_type",),
    ),
    DocumentedError(
        id="400-body-is-not-json-other-shape",
        status=400,
        body=_categorised("Bad Request", _NOT_JSON, "expected value at line 1 column 1"),
        raises="BadRequestError",
        code="Bad Request",
        message=_NOT_JSON,
        details="expected value at line 1 column 1",
        hint_words=("content_type",),
    ),
    DocumentedError(
        id="400-corrupt-audio",
        status=400,
        body=_coded("Bad Request", _NOT_AUDIO),
        raises="BadRequestError",
        code="Bad Request",
        message=_NOT_AUDIO,
        hint_words=("encoding=", "sample_rate="),
    ),
    DocumentedError(
        id="400-corrupt-audio-plain-text",
        status=400,
        headers=_TEXT,
        body=_NOT_AUDIO.encode(),
        raises="BadRequestError",
        message=_NOT_AUDIO,
        request_id=_HEADER_ID,
        hint_words=("encoding=", "sample_rate="),
    ),
    DocumentedError(
        id="400-no-such-model",
        status=400,
        body=_coded("Bad Request", _NO_MODEL),
        raises="BadRequestError",
        code="Bad Request",
        message=_NO_MODEL,
        hint_words=("model", "language"),
    ),
    DocumentedError(
        id="400-remote-content",
        status=400,
        body=_coded("REMOTE_CONTENT_ERROR", _UNREACHABLE),
        raises="BadRequestError",
        code="REMOTE_CONTENT_ERROR",
        message=_UNREACHABLE,
        hint_words=("fetch the url", "reachable"),
    ),
    DocumentedError(
        id="400-remote-content-other-shape",
        status=400,
        body=_categorised("REMOTE_CONTENT_ERROR", _UNREACHABLE, "status 404"),
        raises="BadRequestError",
        code="REMOTE_CONTENT_ERROR",
        message=_UNREACHABLE,
        details="status 404",
        hint_words=("fetch the url", "reachable"),
    ),
    DocumentedError(
        id="400-keyterm-limit",
        status=400,
        body=_coded("Bad Request", _KEYTERMS),
        raises="BadRequestError",
        code="Bad Request",
        message=_KEYTERMS,
        hint_words=("500 tokens", "keyterms"),
    ),
    DocumentedError(
        id="400-refused-handshake-says-it-twice",
        status=400,
        headers={**_TEXT, "dg-error": _BAD_OPTION},
        body=_BAD_OPTION.encode(),
        raises="BadRequestError",
        message=_BAD_OPTION,
        request_id=_HEADER_ID,
        hint_words=("option", "value"),
    ),
    DocumentedError(
        id="400-refused-handshake-with-header-only",
        status=400,
        headers={**_EMPTY, "dg-error": _NO_MODEL},
        raises="BadRequestError",
        message=_NO_MODEL,
        request_id=_HEADER_ID,
        hint_words=("model", "language"),
    ),
    DocumentedError(
        id="400-unknown-json-object",
        status=400,
        headers={**_JSON, "dg-request-id": _HEADER_ID},
        body=b'{"problem": {"title": "not today"}}',
        raises="BadRequestError",
        message='{"problem": {"title": "not today"}}',
        request_id=_HEADER_ID,
    ),
    DocumentedError(
        id="400-unknown-json-array",
        status=400,
        headers={**_JSON, "dg-request-id": _HEADER_ID},
        body=b'["not", "today"]',
        raises="BadRequestError",
        message='["not", "today"]',
        request_id=_HEADER_ID,
    ),
    DocumentedError(
        id="400-known-fields-of-other-types",
        status=400,
        headers={**_JSON, "dg-request-id": _HEADER_ID},
        body=b'{"err_code": 17, "err_msg": "seventeen"}',
        raises="BadRequestError",
        message='{"err_code": 17, "err_msg": "seventeen"}',
        request_id=_HEADER_ID,
    ),
    DocumentedError(
        id="400-bytes-that-are-no-text",
        status=400,
        headers=_EMPTY,
        body=b"\xff\xfe\x00 broken",
        raises="BadRequestError",
        message="\ufffd\ufffd\x00 broken",
        request_id=_HEADER_ID,
    ),
    _silent("400-empty", "BadRequestError"),
    *(
        DocumentedError(
            id=f"400-speech-{code.lower()}",
            status=400,
            body=_coded(code, "The controls of the speech cannot be used."),
            raises="BadRequestError",
            code=code,
            message="The controls of the speech cannot be used.",
        )
        for code in _SPEECH_CODES
    ),
)

_REFUSED_CALLERS: Final = (
    DocumentedError(
        id="401-wrong-key",
        status=401,
        body=_coded("INVALID_AUTH", "Invalid credentials."),
        raises="AuthenticationError",
        code="INVALID_AUTH",
        message="Invalid credentials.",
        hint_words=("key", "token"),
    ),
    DocumentedError(
        id="401-refused-handshake",
        status=401,
        headers={**_JSON, "dg-error": "Invalid credentials."},
        body=_coded("INVALID_AUTH", "Invalid credentials."),
        raises="AuthenticationError",
        code="INVALID_AUTH",
        message="Invalid credentials.",
        hint_words=("key", "token"),
    ),
    DocumentedError(
        id="401-insufficient-permissions",
        status=401,
        body=_coded("INSUFFICIENT_PERMISSIONS", "User does not have sufficient permissions."),
        raises="PermissionDeniedError",
        code="INSUFFICIENT_PERMISSIONS",
        message="User does not have sufficient permissions.",
        hint_words=("scope", "role"),
    ),
    DocumentedError(
        id="401-insufficient-permissions-other-shape",
        status=401,
        body=_categorised(
            "INSUFFICIENT_PERMISSIONS",
            "User does not have sufficient permissions.",
            "The scope usage:write is required.",
        ),
        raises="PermissionDeniedError",
        code="INSUFFICIENT_PERMISSIONS",
        message="User does not have sufficient permissions.",
        details="The scope usage:write is required.",
        hint_words=("scope", "role"),
    ),
    _silent("401-empty", "AuthenticationError", "key", "token"),
    DocumentedError(
        id="402-out-of-credit",
        status=402,
        body=_coded("ASR_PAYMENT_REQUIRED", _NO_CREDIT),
        raises="PaymentRequiredError",
        code="ASR_PAYMENT_REQUIRED",
        message=_NO_CREDIT,
        hint_words=("credit",),
    ),
    DocumentedError(
        id="403-insufficient-permissions",
        status=403,
        body=_coded(
            "INSUFFICIENT_PERMISSIONS", "Project does not have access to the requested model."
        ),
        raises="PermissionDeniedError",
        code="INSUFFICIENT_PERMISSIONS",
        message="Project does not have access to the requested model.",
        hint_words=("model", "project"),
    ),
    DocumentedError(
        id="403-without-code",
        status=403,
        headers={**_TEXT, "dg-error": "Project does not have access to the requested model."},
        raises="PermissionDeniedError",
        message="Project does not have access to the requested model.",
        request_id=_HEADER_ID,
        hint_words=("model", "spelling"),
    ),
    DocumentedError(
        id="404-uuid-plain-text",
        status=404,
        headers=_TEXT,
        body=_NOT_A_UUID.encode(),
        raises="NotFoundError",
        message=_NOT_A_UUID,
        request_id=_HEADER_ID,
        hint_words=("uuid", "id in the path"),
    ),
    DocumentedError(
        id="404-project",
        status=404,
        headers={"content-type": "application/json"},
        body=b'{"err_code": "PROJECT_NOT_FOUND", "err_msg": "Project not found."}',
        raises="NotFoundError",
        code="PROJECT_NOT_FOUND",
        message="Project not found.",
        request_id=None,
        hint_words=("project id",),
    ),
    _silent("404-empty", "NotFoundError", "base_url"),
    _silent("405-model-cannot-stream", "BadRequestError", "whisper", "stream"),
)

_REFUSED_BODIES: Final = (
    DocumentedError(
        id="408-slow-upload",
        status=408,
        headers=_TEXT,
        body=b"slow upload",
        raises="UploadTimeoutError",
        message="slow upload",
        request_id=_HEADER_ID,
        retryable=True,
        hint_words=("slow",),
    ),
    _silent("408-empty", "UploadTimeoutError", "slow", retryable=True),
    _silent("411-length-required", "LengthRequiredError", "length", "seekable"),
    DocumentedError(
        id="413-body-too-large",
        status=413,
        headers=_PAGE,
        body=_page("413 Request Entity Too Large"),
        raises="PayloadTooLargeError",
        message="a web page instead of an answer: 413 Request Entity Too Large",
        request_id=None,
        hint_words=("2 gb",),
    ),
    _silent("414-url-too-long", "UrlTooLongError", "url", "fewer"),
    DocumentedError(
        id="422-upload-broke-off",
        status=422,
        body=_coded("ASR_UNPROCESSABLE_ENTITY", "Unable to read the entire client request."),
        raises="IncompleteUploadError",
        code="ASR_UNPROCESSABLE_ENTITY",
        message="Unable to read the entire client request.",
        retryable=True,
        hint_words=("again",),
    ),
)


def _busy(name: str, wait_s: float | None, **headers: str) -> DocumentedError:
    return DocumentedError(
        id=f"429-{name}",
        status=429,
        headers={**_JSON, **{key.replace("_", "-"): value for key, value in headers.items()}},
        body=_coded("TOO_MANY_REQUESTS", _BUSY),
        raises="RateLimitError",
        code="TOO_MANY_REQUESTS",
        message=_BUSY,
        retryable=True,
        retry_after=wait_s,
        hint_words=("concurrency", "retry"),
    )


_BUSY_SERVICE: Final = (
    _busy("without-retry-after", None),
    _busy("retry-after-seconds", 7.0, retry_after="7"),
    _busy("retry-after-fraction", 0.25, retry_after="0.25"),
    _busy("retry-after-milliseconds", 1.5, retry_after_ms="1500"),
    _busy("milliseconds-are-more-exact", 1.5, retry_after_ms="1500", retry_after="2"),
    _busy("retry-after-past-date", 0.0, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    _busy("rate-limit-reset-in-the-past", 0.0, x_ratelimit_reset="1445412480"),
    _busy("retry-after-nonsense", None, retry_after="soon"),
    _busy("refused-handshake", None, dg_error=_BUSY),
    _silent("429-empty", "RateLimitError", "concurrency", retryable=True),
)

_FAILED_SERVICE: Final = (
    _silent("499-caller-hung-up", "RequestCancelledError", "timeout", "submit()"),
    DocumentedError(
        id="500-internal",
        status=500,
        body=_coded("INTERNAL_SERVER_ERROR", "Internal server error."),
        raises="ServerError",
        code="INTERNAL_SERVER_ERROR",
        message="Internal server error.",
        retryable=True,
        hint_words=("request id",),
    ),
    DocumentedError(
        id="500-empty",
        status=500,
        headers={},
        raises="ServerError",
        message=_SILENT,
        request_id=None,
        retryable=True,
        hint_words=("request id",),
    ),
    DocumentedError(
        id="502-gateway-page",
        status=502,
        headers=_PAGE,
        body=_page("502 Bad Gateway"),
        raises="ServerError",
        message="a web page instead of an answer: 502 Bad Gateway",
        request_id=None,
        retryable=True,
        hint_words=("gateway",),
    ),
    DocumentedError(
        id="503-retry-after",
        status=503,
        headers={**_TEXT, "retry-after": "3"},
        body=b"Service Unavailable\n",
        raises="ServerError",
        message="Service Unavailable",
        request_id=_HEADER_ID,
        retryable=True,
        retry_after=3.0,
        hint_words=("overloaded",),
    ),
    DocumentedError(
        id="503-empty",
        status=503,
        headers={},
        raises="ServerError",
        message=_SILENT,
        request_id=None,
        retryable=True,
        hint_words=("overloaded",),
    ),
    _silent("504-processing-took-too-long", "ProcessingTimeoutError", "10 minutes", "callback"),
    DocumentedError(
        id="504-gateway-page",
        status=504,
        headers=_PAGE,
        body=_page("504 Gateway Time-out"),
        raises="ProcessingTimeoutError",
        message="a web page instead of an answer: 504 Gateway Time-out",
        request_id=None,
        hint_words=("10 minutes", "callback"),
    ),
)

DOCUMENTED_ERRORS: Final = (
    *_BAD_REQUESTS,
    *_REFUSED_CALLERS,
    *_REFUSED_BODIES,
    *_BUSY_SERVICE,
    *_FAILED_SERVICE,
)
"""Rows that mean the same at any time."""

DATED_ERRORS: Final = (
    _busy("retry-after-date", 40.0, retry_after="Tue, 14 Nov 2023 22:14:00 GMT"),
    _busy("rate-limit-reset", 12.0, x_ratelimit_reset="1700000012"),
    _busy("rate-limit-reset-after-nonsense", 12.0, retry_after="?", x_ratelimit_reset="1700000012"),
    _busy("seconds-win", 7.0, retry_after="7", x_ratelimit_reset="1700000012"),
)
"""Rows that hold a point in time, and mean this at ``NOW``."""
