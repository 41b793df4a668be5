"""Projects, their members and invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from deepgram_async.emulator._bodies import json_answer, read_json
from deepgram_async.emulator._calls import route
from deepgram_async.emulator._errors import bad_request

from . import asking
from .records import Invite
from .scopes import is_scope

if TYPE_CHECKING:
    from aiohttp import web

    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._services import Services

    from .records import Member

__all__ = ["routes"]

_PROJECT = "/v1/projects/{project_id}"
_MEMBER = f"{_PROJECT}/members/{{member_id}}"


def routes(services: Services) -> list[web.RouteDef]:
    """Return the routes of projects, members and invitations."""
    return [
        route(services, method, path, endpoint, product="manage", scope=scope)
        for method, path, endpoint, scope in (
            ("GET", "/v1/projects", _list, "project:read"),
            ("GET", _PROJECT, _get, "project:read"),
            ("PATCH", _PROJECT, _update, "project:write"),
            ("DELETE", _PROJECT, _delete, "project:write:destroy"),
            ("DELETE", f"{_PROJECT}/leave", _leave, "project:read"),
            ("GET", f"{_PROJECT}/members", _members, "members:read"),
            ("DELETE", _MEMBER, _kick, "members:write:kick"),
            ("GET", f"{_MEMBER}/scopes", _scopes, "members:read:scopes"),
            ("PUT", f"{_MEMBER}/scopes", _set_scope, "members:write:scopes"),
            ("GET", f"{_PROJECT}/invites", _invites, "members:read:invites"),
            ("POST", f"{_PROJECT}/invites", _invite, "members:write:invites"),
            ("DELETE", f"{_PROJECT}/invites/{{email}}", _withdraw, "members:write:invites"),
        )
    ]


class _Update(msgspec.Struct):
    name: str | None = None
    mip_opt_out: bool | None = None


class _Scope(msgspec.Struct):
    scope: str

    def __post_init__(self) -> None:
        if not is_scope(self.scope):
            raise ValueError(f"Invalid scope: {self.scope}")


class _Invitation(_Scope):
    email: str

    def __post_init__(self) -> None:
        super().__post_init__()
        name, _, host = self.email.partition("@")
        if not name or not host or any(letter.isspace() for letter in self.email):
            raise ValueError("Invalid email address.")


# Projects.


async def _list(request: web.Request, call: Call) -> web.Response:
    del request
    project = call.services.account.projects.get(call.caller.project_id)
    found = () if project is None else (project,)
    return json_answer(
        {"projects": [{"project_id": it.project_id, "name": it.name} for it in found]}
    )


async def _get(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    # The specification offers them here too, and says nothing that they would do.
    asking.limit(request)
    asking.page(request)
    return json_answer(
        {
            "project_id": project.project_id,
            "mip_opt_out": project.mip_opt_out,
            "name": project.name,
        }
    )


async def _update(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    change = await read_json(request, _Update)
    changed = msgspec.structs.replace(
        project,
        name=project.name if change.name is None else change.name,
        mip_opt_out=project.mip_opt_out if change.mip_opt_out is None else change.mip_opt_out,
    )
    account = call.services.account
    account.projects.put(project.project_id, changed)
    await account.saved()
    return json_answer({"message": "Successfully updated project info."})


async def _delete(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    account = call.services.account
    account.remove_project(project.project_id)
    await account.saved()
    return json_answer({"message": "Successfully deleted project."})


async def _leave(request: web.Request, call: Call) -> web.Response:
    asking.project(request, call)
    account = call.services.account
    account.remove_member(call.caller.member_id)
    await account.saved()
    return json_answer({"message": "Successfully left project."})


# Members.


async def _members(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    return json_answer(
        {
            "members": [
                {
                    "member_id": member.member_id,
                    "scopes": member.scopes,
                    "email": member.email,
                    "first_name": member.first_name,
                    "last_name": member.last_name,
                }
                for member in call.services.account.members
                if member.project_id == project.project_id
            ]
        }
    )


async def _kick(request: web.Request, call: Call) -> web.Response:
    member = _member(request, call)
    account = call.services.account
    account.remove_member(member.member_id)
    await account.saved()
    return json_answer({"message": "Successfully removed member from project."})


async def _scopes(request: web.Request, call: Call) -> web.Response:
    return json_answer({"scopes": _member(request, call).scopes})


async def _set_scope(request: web.Request, call: Call) -> web.Response:
    member = _member(request, call)
    scope = (await read_json(request, _Scope)).scope
    account = call.services.account
    changed = msgspec.structs.replace(member, scopes=(scope,))
    account.members.put(member.member_id, changed)
    await account.saved()
    return json_answer({"message": "Successfully updated member scopes."})


def _member(request: web.Request, call: Call) -> Member:
    project = asking.project(request, call)
    member = call.services.account.members.get(asking.path_id(request, "member_id"))
    if member is None or member.project_id != project.project_id:
        raise asking.not_found()
    return member


# Invitations.


async def _invites(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    return json_answer(
        {
            "invites": [
                {"email": invite.email, "scope": invite.scope}
                for invite in call.services.account.invites
                if invite.project_id == project.project_id
            ]
        }
    )


async def _invite(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    body = await read_json(request, _Invitation)
    account = call.services.account
    key = _invite_key(project.project_id, body.email)
    if account.invites.get(key) is not None:
        raise bad_request("An invitation was sent to this address already.")
    invite = Invite(project_id=project.project_id, email=body.email, scope=body.scope)
    account.invites.put(key, invite)
    await account.saved()
    return json_answer({"message": "Successfully sent invitation."})


async def _withdraw(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    account = call.services.account
    key = _invite_key(project.project_id, request.match_info["email"])
    if account.invites.remove(key) is None:
        raise asking.not_found()
    await account.saved()
    return json_answer({"message": "Successfully deleted invitation."})


def _invite_key(project_id: str, email: str) -> str:
    return f"{project_id} {email.casefold()}"
