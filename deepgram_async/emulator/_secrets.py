"""Taking secrets out of what is kept or shown."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Final, cast

import msgspec
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

__all__ = ["REMOVED", "Redactor", "without_password"]

REMOVED: Final = "removed"
"""What stands in the place of a secret."""

# All other headers stay out: what they mean is not known here.
_HEADERS: Final = frozenset(
    {
        "accept",
        "content-length",
        "content-type",
        "retry-after",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-emulator-fault",
    }
)
_SECRET: Final = re.compile(
    r"authorization|credential|cookie|jwt|passw(or)?d|secret|signature|token\b|token$|_token"
    r"|^key$|api_?key|access_?key",
    re.IGNORECASE,
)
_HARMLESS: Final = frozenset(
    {"api_key_id", "distribution_credentials", "distribution_credentials_id"}
)
# What is in them is secret, whatever its name.
_SECRET_OBJECTS: Final = frozenset({"credentials", "headers"})
_MOST_KNOWN: Final = 1000
# A shorter text would be found in everything.
_SHORTEST_KNOWN: Final = 6


class Redactor:
    """Takes out what has the name of a secret, and every credential that it has met."""

    def __init__(self) -> None:
        self._known: deque[str] = deque(maxlen=_MOST_KNOWN)

    def meet(self, request: web.Request) -> None:
        """Remember the credential of a request."""
        offered = request.headers.getall("Sec-WebSocket-Protocol", [])
        words = [request.headers.get("Authorization", "").partition(" ")[2]]
        words += [word.strip() for value in offered for word in value.split(",")[1:]]
        for word in words:
            self._remember(word.strip())

    def url(self, url: URL) -> str:
        """Return path and query of a URL without secrets."""
        pairs: list[tuple[str, str]] = []
        for name, value in url.query.items():
            if _is_secret(name):
                self._remember(value)
                pairs.append((name, REMOVED))
            elif name == "callback":
                pairs.append((name, without_password(value)))
            elif name == "extra" and _is_secret(value.partition(":")[0]):
                pairs.append((name, f"{value.partition(':')[0]}:{REMOVED}"))
            else:
                pairs.append((name, value))
        return self._without_known(str(URL.build(path=url.path, query=pairs)))

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers that are known to be harmless."""
        return {
            name: self._without_known(value)
            for name, value in headers.items()
            if name.lower() in _HEADERS or name.lower().startswith("dg-")
        }

    def text(self, text: str) -> str:
        """Return a message or a body without secrets."""
        try:
            content: object = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return self._without_known(text)
        if not isinstance(content, dict | list):
            return self._without_known(text)
        cleaned = self._clean(cast("object", content))
        if cleaned != content:
            text = msgspec.json.encode(cleaned).decode()
        return self._without_known(text)

    def _clean(self, content: object, *, is_secret: bool = False) -> object:
        if isinstance(content, dict):
            fields = cast("dict[str, object]", content)
            # A variable of an agent has a key, which is its name, and a value, which nobody knows.
            is_variable = "variable_id" in fields or str(fields.get("key", "")).startswith("DG_")
            return {
                name: self._clean(
                    value,
                    is_secret=is_secret
                    or name in _SECRET_OBJECTS
                    or (is_variable and name == "value")
                    or (_is_secret(name) and isinstance(value, str) and not is_variable),
                )
                for name, value in fields.items()
            }
        if isinstance(content, list):
            items = cast("list[object]", content)
            return [self._clean(item, is_secret=is_secret) for item in items]
        if isinstance(content, str):
            if is_secret:
                self._remember(content)
                return REMOVED
            return self.text(content) if content[:1] in ("{", "[") else content
        return content

    def _remember(self, secret: str) -> None:
        if len(secret) >= _SHORTEST_KNOWN and secret not in self._known:
            self._known.append(secret)

    def _without_known(self, text: str) -> str:
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, REMOVED)
        return text


def _is_secret(name: str) -> bool:
    return name not in _HARMLESS and _SECRET.search(name) is not None


def without_password(url: str) -> str:
    """Return a URL without user and password; nothing if it is none."""
    try:
        return str(URL(url).with_user(None))
    except ValueError:
        return ""
