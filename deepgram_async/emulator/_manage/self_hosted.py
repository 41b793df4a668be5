"""Credentials for fetching the images of a self-hosted deployment."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

import msgspec

from deepgram_async.emulator._bodies import json_answer, read_json
from deepgram_async.emulator._calls import route
from deepgram_async.emulator._errors import INVALID_QUERY, Refusal

from . import asking
from .records import DistributionCredentials
from .scopes import SELF_HOSTED, SELF_HOSTED_PRODUCTS

if TYPE_CHECKING:
    from aiohttp import web

    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._services import Services
    from deepgram_async.emulator._wire import Json

__all__ = ["routes"]

# Deepgram's SDK for Python, up to 4, leaves the hyphen out and ends with a slash.
_PLACE: Final = "/v1/projects/{project_id}/{self_hosted:self-?hosted}/distribution/credentials"
_ALL: Final = f"{_PLACE}{{slash:/?}}"
_ONE: Final = f"{_PLACE}/{{distribution_credentials_id}}"


def routes(services: Services) -> list[web.RouteDef]:
    """Return the routes of distribution credentials."""
    return [
        route(services, method, path, endpoint, product="manage", scope=scope)
        for method, path, endpoint, scope in (
            ("GET", _ALL, _list, "project:read"),
            ("POST", _ALL, _create, "project:write"),
            ("GET", _ONE, _get, "project:read"),
            ("DELETE", _ONE, _delete, "project:write"),
        )
    ]


class _Comment(msgspec.Struct):
    comment: str | None = None


async def _list(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    return json_answer(
        {
            "distribution_credentials": [
                _show(it, call)
                for it in call.services.account.distribution
                if it.project_id == project.project_id
            ]
        }
    )


async def _create(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    scopes = request.query.getall("scopes", [SELF_HOSTED])
    if not set(scopes) <= {SELF_HOSTED, *SELF_HOSTED_PRODUCTS}:
        raise Refusal(*INVALID_QUERY)
    provider = asking.choice(request, "provider", ("quay",)) or "quay"
    comment = (await read_json(request, _Comment)).comment
    account = call.services.account
    made = DistributionCredentials(
        distribution_credentials_id=str(uuid.uuid4()),
        project_id=project.project_id,
        member_id=call.caller.member_id,
        provider=provider,
        comment=comment or "",
        scopes=tuple(scopes),
        created=account.clock(),
    )
    account.distribution.put(made.distribution_credentials_id, made)
    await account.saved()
    return json_answer(_show(made, call))


async def _get(request: web.Request, call: Call) -> web.Response:
    return json_answer(_show(_found(request, call), call))


async def _delete(request: web.Request, call: Call) -> web.Response:
    found = _found(request, call)
    account = call.services.account
    account.distribution.remove(found.distribution_credentials_id)
    await account.saved()
    return json_answer(_show(found, call))


def _found(request: web.Request, call: Call) -> DistributionCredentials:
    project = asking.project(request, call)
    found_id = asking.path_id(request, "distribution_credentials_id")
    found = call.services.account.distribution.get(found_id)
    if found is None or found.project_id != project.project_id:
        raise asking.not_found()
    return found


def _show(credentials: DistributionCredentials, call: Call) -> Json:
    member = call.services.account.member_or_former(credentials.member_id)
    return {
        "member": {"member_id": member.member_id, "email": member.email},
        "distribution_credentials": {
            "distribution_credentials_id": credentials.distribution_credentials_id,
            "provider": credentials.provider,
            "comment": credentials.comment,
            "scopes": credentials.scopes,
            "created": asking.iso(credentials.created),
        },
    }
