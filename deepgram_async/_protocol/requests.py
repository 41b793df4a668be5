"""What a REST call is made of: a route, and the request built from it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from typing import Final, Generic, TypeVar
from urllib.parse import quote

import msgspec

from deepgram_async._protocol.endpoints import Endpoints
from deepgram_async.errors import OptionError

__all__ = ["Request", "Route", "build_request"]

T = TypeVar("T")

# Whisper may work for twenty minutes before the first byte of the answer
# (Deepgram docs, "Rate limits": maximum processing time).
TRANSCRIPTION_RESPONSE_S: Final = 21 * 60.0


class Route(Generic[T]):
    """One operation of the API, typed by its answer.

    Attributes:
        method: HTTP method.
        path: Path below the base URL.
        answer: Struct that the answer decodes to.
        response_s: Seconds that the service may take until the answer begins.
        is_agent: Whether it lives on the host of the voice agents.
        steps: How a long answer is decoded with pauses; ``None`` if there are none.
    """

    __slots__ = ("answer", "is_agent", "method", "path", "response_s", "steps")

    method: str
    path: str
    answer: type[T]
    response_s: float
    is_agent: bool
    steps: Callable[[bytes], Generator[None, None, T]] | None

    def __init__(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        response_s: float = 60.0,
        is_agent: bool = False,
        steps: Callable[[bytes], Generator[None, None, T]] | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.answer = answer
        self.response_s = response_s
        self.is_agent = is_agent
        self.steps = steps

    @property
    def operation(self) -> str:
        """The call as it stands in messages, such as ``POST /v1/listen``."""
        return f"{self.method} {self.path}"

    def path_for(self, ids: Mapping[str, str]) -> str:
        """Return the path with the ids in their places, percent-encoded.

        Raises:
            OptionError: An id is empty, a dot path or no text, so it would name something else.
        """
        if not ids:
            return self.path
        return self.path.format_map({name: _segment(name, value) for name, value in ids.items()})


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request as values; the credentials are added where it is sent."""

    method: str
    url: str
    """Complete and already percent-encoded."""
    headers: Mapping[str, str]
    content: bytes | None = None
    """The body, unless one is uploaded in pieces."""
    operation: str
    response_s: float


def build_request(
    route: Route[T],
    endpoints: Endpoints,
    *,
    ids: Mapping[str, str] | None = None,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    body: object = None,
) -> Request:
    """Return the request for one call of a route.

    Args:
        route: The operation.
        endpoints: Where the service lives.
        ids: Values for the placeholders of the path.
        query: Encoded query string.
        headers: More headers; they win over the usual ones.
        body: Value to send as JSON, or ``None`` for no body or an uploaded one.

    Raises:
        OptionError: An id is none, or the body holds what JSON cannot.
    """
    fields = {"Accept": "application/json"}
    payload = None
    if body is not None:
        fields["Content-Type"] = "application/json"
        payload = _json(body)
    if headers:
        fields.update(headers)
    base = endpoints.agent_rest if route.is_agent else endpoints.rest
    url = f"{base}{route.path_for(ids or {})}"
    return Request(
        method=route.method,
        url=f"{url}?{query}" if query else url,
        headers=fields,
        content=payload,
        operation=route.operation,
        response_s=route.response_s,
    )


def _json(body: object) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        reason = "a text is not valid Unicode"  # the words of Python show a part of it
    except (TypeError, ValueError, OverflowError) as error:
        reason = str(error)
    raise OptionError(f"the body cannot be written as JSON: {reason}", option="body")


def _segment(name: str, value: object) -> str:
    # Encoded or not, proxies and servers resolve dot segments; "a/b" must stay one segment.
    if isinstance(value, str) and value.strip() and value not in (".", "..") and "/" not in value:
        with suppress(UnicodeEncodeError):
            return quote(value, safe="")
    raise OptionError(f"{name}={value!r} is not an id", option=name)
