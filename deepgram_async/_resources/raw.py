"""Calls that this release has no method for: ``dg.request``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypedDict

from deepgram_async._protocol.query import QueryValue
from deepgram_async._protocol.requests import TRANSCRIPTION_RESPONSE_S, Route
from deepgram_async._resources.sender import Sender
from deepgram_async.errors import OptionError

__all__ = ["request"]

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Visible ASCII; what begins a query or a fragment has its own argument, or none.
_PATH: Final = re.compile(r"(?:/[^\s/?#\x00-\x20\x7f-\U0010ffff]+)+/?")
_SLOW: Final = ("/v1/listen", "/v1/read")
_OF_AGENTS: Final = "/v1/agent/"


class _NoOptions(TypedDict, total=False):
    pass


async def request(
    sender: Sender,
    method: str,
    path: str,
    query: Mapping[str, QueryValue] | None,
    json: object,
) -> object:
    """Send any call and return its decoded answer, ``None`` for an empty one.

    Raises:
        OptionError: The method or the path is none.
    """
    if method.upper() not in _METHODS:
        raise OptionError(f"{method!r} is not one of {', '.join(_METHODS)}", option="method")
    segments = path.split("/")
    if not _PATH.fullmatch(path) or "." in segments or ".." in segments:
        raise OptionError(
            f"{path!r} is not a path such as /v1/projects, percent-encoded and without a query",
            option="path",
        )
    route = Route(
        method.upper(),
        path,
        object,
        response_s=TRANSCRIPTION_RESPONSE_S if path.startswith(_SLOW) else 60.0,
        is_agent=path.startswith(_OF_AGENTS),
    )
    return await sender.send(route, query=sender.query({}, _NoOptions, query), body=json)
