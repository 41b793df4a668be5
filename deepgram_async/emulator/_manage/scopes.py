"""What roles and scopes allow (Deepgram docs, "Working with roles and API scopes")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ROLES", "SELF_HOSTED", "SELF_HOSTED_PRODUCTS", "allows", "expand", "is_scope"]

_MEMBER: Final = frozenset(
    "project:read project:write keys:read keys:write members:read members:read:invites"
    " members:read:scopes usage:read usage:write".split()
)
_ADMIN: Final = _MEMBER | {
    *"members:write members:write:invites members:write:scopes members:write:kick".split(),
    *"admins:read admins:read:invites admins:read:scopes".split(),
    *"admins:write admins:write:invites admins:write:scopes admins:write:kick".split(),
    *"owners:read owners:read:invites owners:read:scopes billing:read".split(),
}
_OWNER: Final = _ADMIN | {
    *"project:write:settings project:write:destroy billing:write".split(),
    *"owners:write owners:write:invites owners:write:scopes owners:write:kick".split(),
}
ROLES: Final = {"member": _MEMBER, "admin": _ADMIN, "owner": _OWNER}

SELF_HOSTED: Final = "self-hosted:products"
"""Short for every one of `SELF_HOSTED_PRODUCTS`."""
SELF_HOSTED_PRODUCTS: Final = frozenset(
    f"self-hosted:product:{name}"
    for name in (
        *("api", "engine", "license-proxy", "dgtools"),
        *("billing", "hotpepper", "metrics-server"),
    )
)
_KNOWN: Final = _OWNER | ROLES.keys() | SELF_HOSTED_PRODUCTS | {SELF_HOSTED}


def is_scope(name: str) -> bool:
    """Tell whether a role or scope of this name exists."""
    return _normal(name) in _KNOWN


def expand(scopes: Iterable[str]) -> frozenset[str]:
    """Return everything that these roles and scopes allow together."""
    allowed: set[str] = set()
    for name in map(_normal, scopes):
        allowed |= ROLES.get(name, {name})
        if name == SELF_HOSTED:
            allowed |= SELF_HOSTED_PRODUCTS
        # Who may write may read.
        if name.endswith(":write"):
            allowed.add(name.removesuffix("write") + "read")
    return frozenset(allowed)


def allows(scopes: Iterable[str], wanted: str) -> bool:
    """Tell whether these roles and scopes include `wanted`."""
    return wanted in expand(scopes)


def _normal(name: str) -> str:
    # The documentation writes some with two colons.
    return name.replace("::", ":")
