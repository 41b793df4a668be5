"""Agents that are stored, and the variables in them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

import msgspec

from deepgram_async.emulator._bodies import json_answer, read_json
from deepgram_async.emulator._calls import route
from deepgram_async.emulator._errors import bad_request

from . import asking
from .records import Agent, Variable

if TYPE_CHECKING:
    from aiohttp import web

    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._services import Services
    from deepgram_async.emulator._wire import Json

__all__ = ["routes"]

_AGENTS: Final = "/v1/projects/{project_id}/agents"
_AGENT: Final = f"{_AGENTS}/{{agent_id}}"
_VARIABLES: Final = "/v1/projects/{project_id}/agent-variables"
_VARIABLE: Final = f"{_VARIABLES}/{{variable_id}}"
_PREFIX: Final = "DG_"


def routes(services: Services) -> list[web.RouteDef]:
    """Return the routes of stored agents and their variables."""
    return [
        route(services, method, path, endpoint, product="manage", scope=scope)
        for method, path, endpoint, scope in (
            ("GET", _AGENTS, _list, "project:read"),
            ("POST", _AGENTS, _create, "project:write"),
            ("GET", _AGENT, _get, "project:read"),
            ("PUT", _AGENT, _update, "project:write"),
            ("DELETE", _AGENT, _delete, "project:write"),
            ("GET", _VARIABLES, _list_variables, "project:read"),
            ("POST", _VARIABLES, _create_variable, "project:write"),
            ("GET", _VARIABLE, _get_variable, "project:read"),
            ("PATCH", _VARIABLE, _update_variable, "project:write"),
            ("DELETE", _VARIABLE, _delete_variable, "project:write"),
        )
    ]


class _NewAgent(msgspec.Struct):
    config: str
    metadata: dict[str, str] | None = None
    api_version: int = 1


class _Metadata(msgspec.Struct):
    metadata: dict[str, str]


class _NewVariable(msgspec.Struct):
    key: str
    value: object
    api_version: int = 1
    is_sensitive: bool = False


class _Value(msgspec.Struct):
    value: object


# Agents.


async def _list(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    agents = (it for it in call.services.account.agents if it.project_id == project.project_id)
    return json_answer({"agents": [_show(agent) for agent in agents]})


async def _create(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    wanted = await read_json(request, _NewAgent)
    account = call.services.account
    agent = Agent(
        agent_id=str(uuid.uuid4()),
        project_id=project.project_id,
        config=_block(wanted.config),
        metadata=wanted.metadata or {},
        created=account.clock(),
        updated=account.clock(),
    )
    account.agents.put(agent.agent_id, agent)
    await account.saved()
    # Documented: a new one is shown without its times.
    return json_answer(_new(agent))


def _block(text: str) -> msgspec.Raw:
    try:
        return msgspec.Raw(msgspec.json.encode(msgspec.json.decode(text, type=dict[str, object])))
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        raise bad_request("config must be the JSON text of an agent block.") from None


async def _get(request: web.Request, call: Call) -> web.Response:
    return json_answer(_show(_agent(request, call)))


async def _update(request: web.Request, call: Call) -> web.Response:
    agent = _agent(request, call)
    metadata = (await read_json(request, _Metadata)).metadata
    account = call.services.account
    changed = msgspec.structs.replace(agent, metadata=metadata, updated=account.clock())
    account.agents.put(agent.agent_id, changed)
    await account.saved()
    return json_answer(_show(changed))


async def _delete(request: web.Request, call: Call) -> web.Response:
    account = call.services.account
    account.agents.remove(_agent(request, call).agent_id)
    await account.saved()
    return json_answer({})


def _agent(request: web.Request, call: Call) -> Agent:
    project = asking.project(request, call)
    agent = call.services.account.agents.get(asking.path_id(request, "agent_id"))
    if agent is None or agent.project_id != project.project_id:
        raise asking.not_found()
    return agent


def _new(agent: Agent) -> dict[str, Json]:
    return {"agent_id": agent.agent_id, "config": agent.config, "metadata": agent.metadata}


def _show(agent: Agent) -> Json:
    return {
        **_new(agent),
        "created_at": asking.iso(agent.created),
        "updated_at": asking.iso(agent.updated),
    }


# Variables.


async def _list_variables(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    found = (it for it in call.services.account.variables if it.project_id == project.project_id)
    return json_answer({"variables": [_show_variable(variable) for variable in found]})


async def _create_variable(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    wanted = await read_json(request, _NewVariable)
    if not wanted.key.startswith(_PREFIX) or wanted.key == _PREFIX:
        raise bad_request("The key of a variable must start with DG_.")
    if wanted.is_sensitive:
        raise bad_request("is_sensitive must be false.")
    account = call.services.account
    if any(
        it.key == wanted.key and it.project_id == project.project_id for it in account.variables
    ):
        raise bad_request("The project has a variable with this key.")
    variable = Variable(
        variable_id=str(uuid.uuid4()),
        project_id=project.project_id,
        key=wanted.key,
        value=msgspec.Raw(msgspec.json.encode(wanted.value)),
        created=account.clock(),
        updated=account.clock(),
    )
    account.variables.put(variable.variable_id, variable)
    await account.saved()
    return json_answer(_show_variable(variable))


async def _get_variable(request: web.Request, call: Call) -> web.Response:
    return json_answer(_show_variable(_variable(request, call)))


async def _update_variable(request: web.Request, call: Call) -> web.Response:
    variable = _variable(request, call)
    value = msgspec.Raw(msgspec.json.encode((await read_json(request, _Value)).value))
    account = call.services.account
    changed = msgspec.structs.replace(variable, value=value, updated=account.clock())
    account.variables.put(variable.variable_id, changed)
    await account.saved()
    return json_answer(_show_variable(changed))


async def _delete_variable(request: web.Request, call: Call) -> web.Response:
    account = call.services.account
    account.variables.remove(_variable(request, call).variable_id)
    await account.saved()
    return json_answer({})


def _variable(request: web.Request, call: Call) -> Variable:
    project = asking.project(request, call)
    variable = call.services.account.variables.get(asking.path_id(request, "variable_id"))
    if variable is None or variable.project_id != project.project_id:
        raise asking.not_found()
    return variable


def _show_variable(variable: Variable) -> Json:
    return {
        "variable_id": variable.variable_id,
        "key": variable.key,
        "value": variable.value,
        "created_at": asking.iso(variable.created),
        "updated_at": asking.iso(variable.updated),
    }
