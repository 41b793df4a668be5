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
    "MISSING_SCOPE",
    "NOT_FOUND",
    "NOT_JSON",
    "NOT_LOCAL",
    "NO_SUCH_MODEL",
    "NO_STREAMING_MODEL",
    "PROJECT_NOT_FOUND",
    "TOO_MANY_REQUESTS",
    "BadPathId",
    "Refusal",
    "bad_request",
    "missing_field",
    "invalid_json",
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

    is_on_purpose = False
    """Whether a fault wanted it, and nobody has done anything wrong."""

    def __init__(self, status: int, code: str, message: str, details: str | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def body(self, request_id: str) -> bytes:
        """Render the body alone, as callbacks get it."""
        fields: dict[str, Json]
        if self.details is None:
            fields = {"err_code": self.code, "err_msg": self.message, "request_id": request_id}
        else:
            fields = {
                "category": self.code,
                "message": self.message,
                "details": self.details,
                "request_id": request_id,
            }
        return msgspec.json.encode(fields)

    def response(self, request_id: str) -> web.Response:
        """Render the answer."""
        return web.Response(
            status=self.status,
            body=self.body(request_id),
            content_type="application/json",
            headers={"dg-error": _header(self.message)},
        )


def _header(text: str) -> str:
    # What a header cannot carry does not go into one.
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())


class BadPathId(Refusal):
    """The 404 for an id in the path that is no UUID: plain text, without any JSON."""

    def __init__(self, found: str) -> None:
        odd = next((at for at, letter in enumerate(found) if letter not in _UUID_LETTERS), None)
        what = (
            f"invalid length: expected length 32 for simple format, found {len(found)}"
            if odd is None
            else "invalid character: expected an optional prefix of `urn:uuid:` followed by"
            f" [0-9a-fA-F-], found `{found[odd]}` at {odd + 1}"
        )
        super().__init__(404, "Not Found", f"UUID parsing failed: {what}")

    def response(self, request_id: str) -> web.Response:
        """Render the answer; the id of the request is in the header alone."""
        del request_id
        return web.Response(status=self.status, text=self.message)


def bad_request(message: str) -> Refusal:
    """Return a 400 with a message of its own."""
    return Refusal(400, "Bad Request", message)


def missing_field(name: str, body_size: int) -> Refusal:
    """Return the 400 for JSON that lacks a required field."""
    return invalid_json(f"missing field `{name}` at line 1 column {body_size}")


def invalid_json(why: str) -> Refusal:
    """Return the 400 for JSON that is not what the endpoint takes."""
    details = f"Json deserialize error: {why}"
    return Refusal(400, "INVALID_JSON", "Invalid JSON submitted.", details)


def remote_content(why: str) -> Refusal:
    """Return the 400 for a URL that gave no recording."""
    return Refusal(
        400, "REMOTE_CONTENT_ERROR", f"The remote server hosting the media returned {why}."
    )


_UUID_LETTERS: Final = frozenset("0123456789abcdefABCDEF-")

# The documented refusals, by cause.
MISSING_SCOPE: Final = (
    401,
    "INSUFFICIENT_PERMISSIONS",
    "User does not have sufficient permissions.",
)
PROJECT_NOT_FOUND: Final = (404, "PROJECT_NOT_FOUND", "Project not found.")
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
NOT_LOCAL: Final = (403, "Forbidden", "The emulator is controlled from its own machine only.")
NOT_FOUND: Final = (404, "Not Found", "Not found.")
CONTENT_TOO_LARGE: Final = (413, "Content Too Large", "The request body is too large.")
TOO_MANY_REQUESTS: Final = (
    429,
    "TOO_MANY_REQUESTS",
    "Too many requests. Please try again later",
)
