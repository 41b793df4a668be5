"""Query strings, read as strictly as the service reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from yarl import URL

from ._callbacks import Callback
from ._errors import INVALID_QUERY, Refusal, bad_request
from ._read.analysis import Wanted
from ._read.labels import Custom

if TYPE_CHECKING:
    from collections.abc import Collection

    from multidict import MultiMapping

__all__ = ["Fields"]

# Documented ("Custom topics"), and the same for intents.
_MOST_CUSTOM = 100


class Fields:
    """A query string; every getter raises `Refusal` on an invalid value.

    Args:
        query: The query string.
        flags: Options that are true or false, all checked at once.
    """

    def __init__(self, query: MultiMapping[str], flags: Collection[str] = ()) -> None:
        self.query = query
        for name in query.keys() & set(flags):
            self.flag(name)

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of an option."""
        return tuple(self.query.getall(name, []))

    def flag(self, name: str) -> bool:
        """Return whether an option is on."""
        value = self.query.get(name, "false")
        if value not in ("true", "false"):
            raise Refusal(*INVALID_QUERY)
        return value == "true"

    def integer(self, name: str) -> int | None:
        """Return a whole number."""
        value = self.query.get(name)
        if value is None:
            return None
        # More digits than this are no length, rate or count of anything.
        if not (value.isascii() and value.isdecimal() and len(value) <= 12):
            raise Refusal(*INVALID_QUERY)
        return int(value)

    def number(self, name: str, default: float) -> float:
        """Return a number."""
        value = self.query.get(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", value, re.ASCII):
            raise Refusal(*INVALID_QUERY)
        return float(value)

    def milliseconds(self, name: str) -> float | None:
        """Return milliseconds as seconds."""
        value = self.integer(name)
        return None if value is None else value / 1000

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """Return one of the choices, in upper case."""
        value = self.query.get(name, default)
        if value.upper() not in choices:
            raise Refusal(*INVALID_QUERY)
        return value.upper()

    def extra(self) -> dict[str, str]:
        """Return the client's own labels."""
        pairs = (item.partition(":") for item in self.all("extra"))
        return {key: value for key, _, value in pairs}

    def callback(self) -> Callback | None:
        """Return where the answer is wanted."""
        method = self.choice("callback_method", ("POST", "PUT"), "POST")
        url = self.query.get("callback")
        if url is None:
            return None
        if not _is_web_address(url):
            raise Refusal(*INVALID_QUERY)
        return Callback(url, method)

    def wanted(self) -> Wanted:
        """Return what is to be found out about the text."""
        summary = self.query.get("summarize", "false")
        if summary not in ("true", "false", "v2"):
            raise Refusal(*INVALID_QUERY)
        return Wanted(
            summary=summary != "false",
            topics=self.flag("topics"),
            intents=self.flag("intents"),
            sentiment=self.flag("sentiment"),
            custom_topics=self._custom("custom_topic"),
            custom_intents=self._custom("custom_intent"),
        )

    def _custom(self, name: str) -> Custom:
        labels = self.all(name)
        if len(labels) > _MOST_CUSTOM:
            raise bad_request(f"Bad Request: at most {_MOST_CUSTOM} of {name} are allowed.")
        mode = self.choice(f"{name}_mode", ("EXTENDED", "STRICT"), "EXTENDED")
        return Custom(labels, is_strict=mode == "STRICT")


def _is_web_address(url: str) -> bool:
    try:
        parts = URL(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.host is not None
