"""Who may use the local Deepgram, and what for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ._errors import INVALID_AUTH, MISSING_SCOPE, Refusal
from ._manage.account import key_id_of
from ._manage.scopes import expand
from ._manage.tokens import is_issued_here

if TYPE_CHECKING:
    from aiohttp import web

    from ._manage.account import Account
    from ._manage.tokens import Tokens
    from ._settings import EmulatorSettings

__all__ = ["NOBODY", "Access", "Caller"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose credential came with a request."""

    project_id: str
    accessor: str
    """Id of the key, also where a token made with it was sent."""
    member_id: str
    scopes: frozenset[str]
    """Everything that is allowed, roles already spelled out."""
    is_temporary: bool = False
    """Whether it is a short-lived token."""
    protocol: str | None = None
    """The sub-protocol to answer with, when the login came that way."""

    def require(self, scope: str) -> None:
        """Check that the credential allows something.

        Raises:
            Refusal: It does not.
        """
        if scope not in self.scopes:
            raise Refusal(*MISSING_SCOPE)


NOBODY: Final = Caller("", "", "", frozenset())
"""Who asks for what is open to all."""


class Access:
    """Tells credentials apart."""

    def __init__(self, settings: EmulatorSettings, account: Account, tokens: Tokens) -> None:
        self._settings = settings
        self._account = account
        self._tokens = tokens

    def authenticate(self, request: web.Request) -> Caller:
        """Find out whose credential a request carries.

        It is the `Authorization` header, or for a WebSocket the first two sub-protocols.

        Raises:
            Refusal: There is no credential, or not an accepted one.
        """
        header = request.headers.get("Authorization")
        offered = _offered_protocols(request)
        if header is not None:
            scheme, _, credential = header.strip().partition(" ")
            protocol = next((p for p in offered if _is_scheme(p)), None)
        elif len(offered) >= 2 and _is_scheme(offered[0]):
            scheme, credential = offered[0], offered[1]
            protocol = scheme
        else:
            raise Refusal(*INVALID_AUTH)
        caller = self._caller(scheme.lower(), credential.strip())
        if caller is None:
            raise Refusal(*INVALID_AUTH)
        return replace(caller, protocol=protocol)

    def _caller(self, scheme: str, credential: str) -> Caller | None:
        # Bytes that are no text came as surrogates.
        if not credential or not credential.isprintable():
            return None
        if scheme == "token":
            return self._holder_of_key(credential)
        if scheme == "bearer":
            return self._holder_of_token(credential)
        return None

    def _holder_of_key(self, secret: str) -> Caller | None:
        key = self._account.find_key(secret)
        if key is not None:
            if not self._account.is_valid(key):
                return None
            return Caller(key.project_id, key.api_key_id, key.member_id, expand(key.scopes))
        if self._settings.keys is not None:
            return self._stranger(secret) if self._account.was_given(secret) else None
        return None if is_issued_here(secret) else self._stranger(secret)

    def _holder_of_token(self, token: str) -> Caller | None:
        if is_issued_here(token):
            claims = self._tokens.read(token)
            if claims is None or self._account.projects.get(claims.project_id) is None:
                return None
            return Caller(
                claims.project_id,
                claims.accessor,
                claims.member_id,
                expand(claims.scopes),
                is_temporary=True,
            )
        if self._settings.keys is not None and token not in self._settings.access_tokens:
            return None
        if self._account.find_key(token) is not None:
            return None
        stranger = self._stranger(token)
        return stranger and replace(stranger, scopes=expand(("usage:write",)), is_temporary=True)

    def _stranger(self, secret: str) -> Caller | None:
        """Return the owner of the first project, for a credential that was not made here."""
        project = self._account.default_project
        if project is None:
            return None
        member_id = self._account.owner_id_of(project.project_id)
        return Caller(project.project_id, key_id_of(secret), member_id, expand(("owner",)))


def _offered_protocols(request: web.Request) -> list[str]:
    headers = request.headers.getall("Sec-WebSocket-Protocol", [])
    return [part.strip() for header in headers for part in header.split(",") if part.strip()]


def _is_scheme(word: str) -> bool:
    return word.lower() in ("token", "bearer")
