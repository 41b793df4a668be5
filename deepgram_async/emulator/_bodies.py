"""JSON in and out of the REST endpoints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from aiohttp import web

from ._errors import CONTENT_TOO_LARGE, Refusal, bad_request, invalid_json, missing_field
from ._watch import BODY

if TYPE_CHECKING:
    from ._wire import Json

__all__ = ["convert", "json_answer", "read_body", "read_json"]

Body = TypeVar("Body")

_MISSING: Final = re.compile(r"missing required field `(\w+)`")


async def read_body(request: web.Request) -> bytes:
    """Return the whole body of a request that is not a recording.

    Raises:
        Refusal: It is too large.
    """
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refusal(*CONTENT_TOO_LARGE) from None
    seen = request.get(BODY)
    if seen is not None and not seen.size:
        seen.add(body)
    return body


async def read_json(request: web.Request, kind: type[Body]) -> Body:
    """Return the JSON body of a request; an empty one is an empty object.

    Raises:
        Refusal: It is no JSON, or not of this kind.
    """
    body = await read_body(request) or b"{}"
    try:
        fields: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise invalid_json(str(error)) from None
    return convert(fields, kind, len(body))


def convert(fields: object, kind: type[Body], size: int) -> Body:
    """Return decoded JSON of `size` bytes as `kind`.

    Raises:
        Refusal: It is something else.
    """
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        missing = _MISSING.search(str(error))
        if missing is not None:
            raise missing_field(missing[1], size) from None
        raise invalid_json(str(error)) from None
    except ValueError as error:
        raise bad_request(str(error)) from None


def json_answer(body: Json) -> web.Response:
    """Return the answer with this body."""
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
