"""How a receiver knows that a callback comes from Deepgram."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, urlsplit

from deepgram_async.errors import CallbackRefusedError

__all__ = ["CallbackAuth", "challenge"]

# What Deepgram's example calls it.
_EXTRA_KEY = "callback_secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAuth:
    """What a callback has to show, by either or both of the documented ways.

    Basic auth: Deepgram takes user name and password from the callback URL and shows them again.
    A secret in the option ``extra``: it comes back in the metadata of a transcript; the answer to a
    request that failed has no metadata, so such a callback is refused where ``extra_secret`` is
    all there is. The header ``dg-token`` is not looked at: it is no longer a supported way
    (Deepgram docs, "STT Callback" and the changelog of 27 October 2026).

    Args:
        username: The user name of Basic auth.
        password: The password of Basic auth; ``None`` does without.
        extra_secret: The value of ``callback_secret`` in ``extra``; ``None`` does without.

    Raises:
        ValueError: There is neither a password nor a secret, the user name has a colon, or one
            of them is empty.
    """

    username: str = "deepgram"
    password: str | None = field(default=None, repr=False)
    extra_secret: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.password and not self.extra_secret:
            raise ValueError("a callback needs a password or an extra_secret to show")
        if "" in (self.username, self.password, self.extra_secret) or ":" in self.username:
            raise ValueError("the user name must have no colon, and nothing may be empty")

    @classmethod
    def new(cls) -> Self:
        """Return Basic auth with a random password, which only this process knows."""
        return cls(password=secrets.token_urlsafe(32))

    def url(self, url: str) -> str:
        """Return a callback URL with the credentials in it; it is a secret from then on.

        Raises:
            ValueError: It is no ``http`` or ``https`` URL, or carries credentials already.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a callback needs an http or https URL")
        if "@" in parts.netloc:
            raise ValueError("the callback URL carries credentials already")
        if self.password is None:
            return url
        credentials = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}"
        return parts._replace(netloc=f"{credentials}@{parts.netloc}").geturl()

    @property
    def extra(self) -> list[str]:
        """What to hand to the option ``extra``; empty without an ``extra_secret``."""
        return [] if self.extra_secret is None else [f"{_EXTRA_KEY}:{self.extra_secret}"]

    def check_headers(self, headers: Mapping[str, str]) -> None:
        """Check Basic auth, where it is asked for; in constant time.

        Args:
            headers: With names in lower case.

        Raises:
            CallbackRefusedError: The credentials are missing or wrong (status 401).
        """
        if self.password is None:
            return
        shown = _basic(headers.get("authorization", ""))
        if not hmac.compare_digest(shown, f"{self.username}:{self.password}".encode()):
            raise CallbackRefusedError("the callback shows no valid credentials", status=401)

    def check_extra(self, extra: Mapping[str, str]) -> None:
        """Check the secret in the metadata of a transcript, where asked for; in constant time.

        Raises:
            CallbackRefusedError: The secret is missing or wrong (status 401).
        """
        if self.extra_secret is None:
            return
        shown = extra.get(_EXTRA_KEY, "")
        if not hmac.compare_digest(shown.encode(), self.extra_secret.encode()):
            raise CallbackRefusedError("the callback shows no valid secret", status=401)


def challenge(status: int) -> dict[str, str]:
    """Return the header that belongs to an answer with status 401, in lower case."""
    return {"www-authenticate": 'Basic realm="callbacks"'} if status == 401 else {}


def _basic(header: str) -> bytes:
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(credentials.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
