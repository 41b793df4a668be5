"""Short-lived tokens, signed with a secret that ends with the emulator."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Claims", "Tokens", "is_issued_here"]

_ISSUER: Final = "deepgram-emulator"


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says: who may act, for whom, until when (seconds since 1970)."""

    iss: str
    jti: str
    project_id: str
    accessor: str
    member_id: str
    scopes: tuple[str, ...]
    iat: float
    exp: float


class Tokens:
    """Makes JSON web tokens (HS256) and reads its own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._head = _encode(msgspec.json.encode({"alg": "HS256", "typ": "JWT"}))

    def issue(self, *, project_id: str, accessor: str, member_id: str, ttl_s: float) -> str:
        """Return a token for the voice APIs."""
        now = self._clock()
        claims = Claims(
            iss=_ISSUER,
            jti=secrets.token_hex(8),
            project_id=project_id,
            accessor=accessor,
            member_id=member_id,
            scopes=("usage:write",),
            iat=now,
            exp=now + ttl_s,
        )
        signed = f"{self._head}.{_encode(msgspec.json.encode(claims))}"
        return f"{signed}.{self._sign(signed)}"

    def read(self, token: str) -> Claims | None:
        """Return what a token says that is ours and not over."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(signed).encode(), signature.encode()):
            return None
        body = signed.partition(".")[2]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=="), type=Claims)
        return claims if self._clock() < claims.exp else None

    def _sign(self, signed: str) -> str:
        return _encode(hmac.digest(self._secret, signed.encode(), hashlib.sha256))


def is_issued_here(token: str) -> bool:
    """Tell whether a token names an emulator as its issuer, whatever its signature."""
    parts = token.split(".")
    if len(parts) != 3:
        return False
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=="), type=_Issuer)
    except (ValueError, msgspec.DecodeError):
        return False
    return claims.iss == _ISSUER


class _Issuer(msgspec.Struct):
    iss: str = ""


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
