"""Keys and tokens, held so that no ``repr`` or traceback shows them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from deepgram_async.errors import CredentialsError

__all__ = [
    "Credentials",
    "CredentialsSource",
    "access_token",
    "anonymous",
    "api_key",
    "missing_credentials",
]

_MISSING: Final = (
    "no credentials: pass api_key= or access_token=, or set DEEPGRAM_API_KEY or "
    "DEEPGRAM_ACCESS_TOKEN"
)


class Credentials:
    """The value of the ``Authorization`` header, shown as ``***``."""

    __slots__ = ("_authorization",)

    def __init__(self, authorization: str | None) -> None:
        self._authorization = authorization

    def headers(self) -> dict[str, str]:
        """Return the header that proves who is calling, as a new dictionary."""
        return {} if self._authorization is None else {"Authorization": self._authorization}

    def __repr__(self) -> str:
        scheme = (self._authorization or "none").partition(" ")[0]
        return f"Credentials({scheme} ***)"


CredentialsSource = Callable[[], Awaitable[Credentials]]
"""Asked before every request and every handshake."""


def api_key(key: str) -> Credentials:
    """Return credentials for an API key.

    Raises:
        CredentialsError: The key is empty, or holds a character that no header may carry.
    """
    return Credentials(f"Token {_checked(key, 'API key')}")


def access_token(token: str) -> Credentials:
    """Return credentials for a short-lived access token.

    Raises:
        CredentialsError: The token is empty, or holds a character that no header may carry.
    """
    return Credentials(f"Bearer {_checked(token, 'access token')}")


def anonymous() -> Credentials:
    """Return credentials for a self-hosted service that wants none."""
    return Credentials(None)


def _checked(secret: str, what: str) -> str:
    if not isinstance(secret, str):
        # For callers without a type checker.
        kind = type(secret).__name__  # type: ignore[unreachable]
        raise CredentialsError(f"the {what} must be a str, not {kind}")
    # Secrets read from files and shells often end in a newline.
    secret = secret.strip()
    if not secret:
        raise missing_credentials()
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        # The text of the secret must not be part of the message.
        raise CredentialsError(f"the {what} holds a space, a control or a non-ASCII character")
    return secret


def missing_credentials() -> CredentialsError:
    """Return the error for a session that has nothing to log in with."""
    return CredentialsError(_MISSING, hint="create a key in the Deepgram console")
