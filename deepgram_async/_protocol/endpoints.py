"""Where the service lives: one base URL or region for REST and for WebSockets."""

from __future__ import annotations

import ipaddress
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit, urlunsplit

import msgspec

from deepgram_async.errors import ConfigurationError

__all__ = ["Endpoints", "Region", "resolve_endpoints"]

Region = Literal["global", "eu", "au", "in"]
"""Where the service processes audio (Deepgram docs, "Regional endpoints")."""

_HOSTS: Final[dict[str, str]] = {
    "global": "api.deepgram.com",
    "eu": "api.eu.deepgram.com",
    "au": "api.au.deepgram.com",
    "in": "api.in.deepgram.com",
}
_AGENT_HOST: Final = "agent.deepgram.com"
_REST_SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_SOCKET_SCHEMES: Final = {"http": "ws", "https": "wss"}


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Base URLs without a trailing slash, to which a path such as ``/v1/listen`` is appended."""

    rest: str
    """``http`` or ``https`` URL of the REST API."""
    socket: str
    """``ws`` or ``wss`` URL of the WebSockets."""
    agent_rest: str
    """As ``rest``, for the voice agents, which have a host of their own outside the regions."""
    agent_socket: str
    """As ``socket``, for the voice agents."""
    is_deepgram: bool
    """Whether these are Deepgram's own hosts, which always want credentials."""

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self.rest.startswith("https:")


def resolve_endpoints(
    base_url: str | None = None,
    region: Region | None = None,
    *,
    allow_insecure: bool = False,
) -> Endpoints:
    """Return the endpoints for a base URL or for a region.

    Args:
        base_url: ``http``, ``https``, ``ws`` or ``wss`` URL; port and path prefix are kept.
        region: One of Deepgram's regions; excludes ``base_url``.
        allow_insecure: Accept unencrypted traffic to a host that is not this machine.

    Raises:
        ConfigurationError: Both were given, the region is unknown, the URL is not one, or it
            would send credentials unencrypted over a network.
    """
    if base_url is None:
        return _regional(region or "global")
    if region is not None:
        raise ConfigurationError("base_url and region exclude each other")
    if not isinstance(base_url, str):
        # For callers without a type checker.
        kind = type(base_url).__name__  # type: ignore[unreachable]
        raise ConfigurationError(f"base_url must be a str, not {kind}")
    parts = _split(base_url)
    scheme = _REST_SCHEMES[parts.scheme]
    host = parts.hostname or ""
    if scheme == "http" and not allow_insecure and not _is_loopback(host):
        raise ConfigurationError(
            f"refusing to send credentials unencrypted to {host!r}",
            hint="use https:// (the service speaks nothing else), or pass allow_insecure=True "
            "for a host inside a trusted network",
        )
    location = (parts.netloc, parts.path.rstrip("/"), "", "")
    rest = urlunsplit((scheme, *location))
    socket = urlunsplit((_SOCKET_SCHEMES[scheme], *location))
    is_global = host == _HOSTS["global"]
    return Endpoints(
        rest=rest,
        socket=socket,
        agent_rest=f"https://{_AGENT_HOST}" if is_global else rest,
        agent_socket=f"wss://{_AGENT_HOST}" if is_global else socket,
        is_deepgram=host in _HOSTS.values(),
    )


def _regional(region: str) -> Endpoints:
    host = _HOSTS.get(region)
    if host is None:
        known = ", ".join(sorted(_HOSTS))
        raise ConfigurationError(f"unknown region {region!r}; known are {known}")
    agent = _AGENT_HOST if region == "global" else host
    return Endpoints(
        rest=f"https://{host}",
        socket=f"wss://{host}",
        agent_rest=f"https://{agent}",
        agent_socket=f"wss://{agent}",
        is_deepgram=True,
    )


def _split(base_url: str) -> SplitResult:
    try:
        parts = urlsplit(base_url)
        parts.port  # noqa: B018 - reading the property checks that the port is a number
    except ValueError as error:
        if "@" in base_url:
            raise _carries_password() from None
        raise ConfigurationError(f"base_url {base_url!r} is not a URL: {error}") from None
    if "@" in (parts.netloc or base_url):
        # First of the checks: the messages of the others show the URL.
        raise _carries_password()
    if parts.scheme not in _REST_SCHEMES or not parts.hostname:
        raise ConfigurationError(
            f"base_url {base_url!r} must be a full URL such as https://api.deepgram.com"
        )
    if parts.query or parts.fragment:
        raise ConfigurationError(f"base_url {base_url!r} must not carry a query or a fragment")
    return parts


def _carries_password() -> ConfigurationError:
    return ConfigurationError("base_url must not carry a user name or password")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
