"""The error answers of the service, as values that handlers raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

if TYPE_CHECKING:
    from ._wire import Json

__all__ = [
    "CONTENT_TOO_LARGE",
    "CORRUPT_AUDIO",
    "INVALID_AUTH",
    "INVALID_QUERY",
    "METHOD_NOT_ALLOWED",
    "NOT_FOUND",
    "NOT_JSON",
    "NO_SUCH_MODEL",
    "NO_STREAMING_MODEL",
    "TOO_MANY_REQUESTS",
    "Refusal",
    "bad_request",
    "missing_field",
    "remote_content",
]


class Refusal(Exception):  # noqa: N818 - an answer, raised to leave a handler early
    """An answer that is not 2xx.

    Args:
        status: The HTTP status.
        code: `err_code` of the usual body.
        message: `err_msg`, and the `dg-error` header.
        details: Makes it the other documented body, with `category`, `message` and `details`.
    """

    def __init__(self, status: int, code: str, message: str, details: str | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def response(self, request_id: str) -> web.Response:
        """Render the answer."""
        body: dict[str, Json]
        if self.details is None:
            body = {"err_code": self.code, "err_msg": self.message, "request_id": request_id}
        else:
            body = {
                "category": self.code,
                "message": self.message,
                "details": self.details,
                "request_id": request_id,
            }
        return web.Response(
            status=self.status,
            body=msgspec.json.encode(body),
            content_type="application/json",
            headers={"dg-error": " ".join(self.message.split())},
        )


def bad_request(message: str) -> Refusal:
    """Return a 400 with a message of its own."""
    return Refusal(400, "Bad Request", message)


def missing_field(name: str, body_size: int) -> Refusal:
    """Return the 400 for JSON that lacks a required field."""
    details = f"Json deserialize error: missing field `{name}` at line 1 column {body_size}"
    return Refusal(400, "INVALID_JSON", "Invalid JSON submitted.", details)


def remote_content(why: str) -> Refusal:
    """Return the 400 for a URL that gave no recording."""
    return Refusal(
        400, "REMOTE_CONTENT_ERROR", f"The remote server hosting the media returned {why}."
    )


# The documented refusals, by cause.
INVALID_AUTH: Final = (401, "INVALID_AUTH", "Invalid credentials.")
INVALID_QUERY: Final = (400, "Bad Request", "Invalid query string.")
NOT_JSON: Final = (
    400,
    "Bad Request",
    "Content-type was application/json, but we could not process the JSON payload.",
)
CORRUPT_AUDIO: Final = (
    400,
    "Bad Request",
    "Bad Request: failed to process audio: corrupt or unsupported data",
)
NO_SUCH_MODEL: Final = (
    400,
    "Bad Request",
    "Bad Request: No such model/language/tier combination found.",
)
NO_STREAMING_MODEL: Final = (405, "Method Not Allowed", "The model does not support streaming.")
METHOD_NOT_ALLOWED: Final = (405, "Method Not Allowed", "Method not allowed.")
NOT_FOUND: Final = (404, "Not Found", "Not found.")
CONTENT_TOO_LARGE: Final = (413, "Content Too Large", "The request body is too large.")
TOO_MANY_REQUESTS: Final = (
    429,
    "TOO_MANY_REQUESTS",
    "Too many requests. Please try again later",
)
