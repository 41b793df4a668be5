"""API keys of a project, and the short-lived tokens made with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from deepgram_async.emulator._bodies import json_answer, read_json
from deepgram_async.emulator._calls import route
from deepgram_async.emulator._errors import MISSING_SCOPE, Refusal, bad_request

from . import asking
from .scopes import expand, is_scope

if TYPE_CHECKING:
    from aiohttp import web

    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._services import Services
    from deepgram_async.emulator._wire import Json

    from .records import ApiKey

__all__ = ["routes"]

_KEYS = "/v1/projects/{project_id}/keys"
_KEY = f"{_KEYS}/{{key_id}}"


def routes(services: Services) -> list[web.RouteDef]:
    """Return the routes of keys and tokens."""
    return [
        route(services, method, path, endpoint, product="manage", scope=scope)
        for method, path, endpoint, scope in (
            ("GET", _KEYS, _list, "keys:read"),
            ("POST", _KEYS, _create, "keys:write"),
            ("GET", _KEY, _get, "keys:read"),
            ("DELETE", _KEY, _delete, "keys:write"),
            # Documented: a key of a member, or of somebody who may do more.
            ("POST", "/v1/auth/grant", _grant, "keys:write"),
        )
    ]


class _NewKey(msgspec.Struct):
    comment: str
    scopes: list[str]
    tags: list[str] = []
    expiration_date: str | None = None
    time_to_live_in_seconds: int | float | None = None


class _Grant(msgspec.Struct):
    ttl_seconds: float = 30


async def _list(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    status = asking.choice(request, "status", ("active", "expired"))
    account = call.services.account
    shown: list[Json] = []
    for key in account.keys:
        if key.project_id != project.project_id or key.is_deleted:
            continue
        if status is not None and (status == "active") is not account.is_valid(key):
            continue
        member = account.member_or_former(key.member_id)
        shown.append(
            {
                "member": {"member_id": member.member_id, "email": member.email},
                "api_key": {
                    "api_key_id": key.api_key_id,
                    "comment": key.comment,
                    "scopes": key.scopes,
                    "created": asking.iso(key.created),
                },
            }
        )
    return json_answer({"api_keys": shown})


async def _create(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    wanted = await read_json(request, _NewKey)
    unknown = [name for name in wanted.scopes if not is_scope(name)]
    if unknown or not wanted.scopes:
        raise bad_request(f"Invalid scopes: {', '.join(unknown) or 'none given'}")
    over_users = [it for it in wanted.scopes if not it.startswith("self-hosted:")]
    if not expand(over_users) <= call.caller.scopes:
        raise Refusal(*MISSING_SCOPE)
    account = call.services.account
    key, secret = account.add_key(
        project_id=project.project_id,
        member_id=call.caller.member_id,
        comment=wanted.comment,
        scopes=tuple(wanted.scopes),
        tags=tuple(wanted.tags),
        expires=_expiry(wanted, account.clock()),
    )
    await account.saved()
    answer: dict[str, Json] = {
        "api_key_id": key.api_key_id,
        "key": secret,
        "comment": key.comment,
        "scopes": key.scopes,
        "tags": key.tags,
    }
    if key.expires is not None:
        answer["expiration_date"] = asking.iso(key.expires)
    return json_answer(answer)


def _expiry(wanted: _NewKey, now: float) -> float | None:
    date, ttl_s = wanted.expiration_date, wanted.time_to_live_in_seconds
    if date is not None and ttl_s is not None:
        raise bad_request("Give either expiration_date or time_to_live_in_seconds.")
    if ttl_s is not None:
        expires = now + ttl_s
    elif date is not None:
        try:
            moment = datetime.fromisoformat(date)
            expires = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise bad_request("Invalid expiration_date.") from None
    else:
        return None
    # The last moment that has a date.
    if not now < expires < datetime(9999, 12, 31, tzinfo=UTC).timestamp():
        raise bad_request("A key must expire in the future.")
    return expires


async def _get(request: web.Request, call: Call) -> web.Response:
    key = _key(request, call)
    member = call.services.account.member_or_former(key.member_id)
    shown: dict[str, Json] = {
        "api_key_id": key.api_key_id,
        "comment": key.comment,
        "scopes": key.scopes,
        "tags": key.tags,
        "created": asking.iso(key.created),
    }
    if key.expires is not None:
        shown["expiration_date"] = asking.iso(key.expires)
    return json_answer(
        {
            "item": {
                "member": {
                    "member_id": member.member_id,
                    "email": member.email,
                    "first_name": member.first_name,
                    "last_name": member.last_name,
                    "api_key": shown,
                }
            }
        }
    )


async def _delete(request: web.Request, call: Call) -> web.Response:
    key = _key(request, call)
    account = call.services.account
    account.delete_key(key)
    await account.saved()
    return json_answer({"message": "Successfully deleted the API key!"})


def _key(request: web.Request, call: Call) -> ApiKey:
    project = asking.project(request, call)
    key = call.services.account.keys.get(asking.path_id(request, "key_id"))
    if key is None or key.project_id != project.project_id or key.is_deleted:
        raise asking.not_found()
    return key


async def _grant(request: web.Request, call: Call) -> web.Response:
    ttl_s = (await read_json(request, _Grant)).ttl_seconds
    if not 1 <= ttl_s <= 3600:
        raise bad_request("ttl_seconds must be between 1 and 3600.")
    token = call.services.tokens.issue(
        project_id=call.caller.project_id,
        accessor=call.caller.accessor,
        member_id=call.caller.member_id,
        ttl_s=ttl_s,
    )
    return json_answer({"access_token": token, "expires_in": ttl_s})
