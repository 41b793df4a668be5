"""Who may use the local Deepgram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._errors import INVALID_AUTH, Refusal

if TYPE_CHECKING:
    from aiohttp import web

    from ._settings import EmulatorSettings

__all__ = ["authenticate"]


def authenticate(request: web.Request, settings: EmulatorSettings) -> str | None:
    """Check the credential of a request.

    It is the `Authorization` header, or for a WebSocket the first two sub-protocols.

    Returns:
        The sub-protocol to answer with, when the login came that way.

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
    if not _accepted(scheme.lower(), credential.strip(), settings):
        raise Refusal(*INVALID_AUTH)
    return protocol


def _offered_protocols(request: web.Request) -> list[str]:
    headers = request.headers.getall("Sec-WebSocket-Protocol", [])
    return [part.strip() for header in headers for part in header.split(",") if part.strip()]


def _is_scheme(word: str) -> bool:
    return word.lower() in ("token", "bearer")


def _accepted(scheme: str, credential: str, settings: EmulatorSettings) -> bool:
    if not credential or not _is_scheme(scheme):
        return False
    if settings.keys is None:
        return True
    return credential in (settings.keys if scheme == "token" else settings.access_tokens)
