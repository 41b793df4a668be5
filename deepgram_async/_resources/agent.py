"""Voice agents: ``dg.agent``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from deepgram_async._protocol import rules_management as rules
from deepgram_async._protocol.agent import AgentCore
from deepgram_async._protocol.requests import Route
from deepgram_async._resources.sender import Sender
from deepgram_async._stream.agent import AgentStream
from deepgram_async._stream.tools import ToolFunction, Tools
from deepgram_async.models import manage_agents as stored
from deepgram_async.models.agent_settings import Settings
from deepgram_async.models.manage_models import ThinkModels as ThinkModelsAnswer

__all__ = ["Agent", "AgentConfigurations", "AgentVariables", "ThinkModels"]

_THINK_MODELS: Final = Route(
    "GET", "/v1/agent/settings/think/models", ThinkModelsAnswer, is_agent=True
)
_AGENTS: Final = "/v1/projects/{project_id}/agents"
_AGENT: Final = f"{_AGENTS}/{{agent_id}}"
_LIST_AGENTS: Final = Route("GET", _AGENTS, stored.AgentConfigurations)
_CREATE_AGENT: Final = Route("POST", _AGENTS, stored.AgentConfiguration)
_GET_AGENT: Final = Route("GET", _AGENT, stored.AgentConfiguration)
_UPDATE_AGENT: Final = Route("PUT", _AGENT, stored.AgentConfiguration)
_DELETE_AGENT: Final = Route("DELETE", _AGENT, stored.Deleted)
_VARIABLES: Final = "/v1/projects/{project_id}/agent-variables"
_VARIABLE: Final = f"{_VARIABLES}/{{variable_id}}"
_LIST_VARIABLES: Final = Route("GET", _VARIABLES, stored.AgentVariables)
_CREATE_VARIABLE: Final = Route("POST", _VARIABLES, stored.AgentVariable)
_GET_VARIABLE: Final = Route("GET", _VARIABLE, stored.AgentVariable)
_UPDATE_VARIABLE: Final = Route("PATCH", _VARIABLE, stored.AgentVariable)
_DELETE_VARIABLE: Final = Route("DELETE", _VARIABLE, stored.Deleted)


class Agent:
    """Voice agents: talking to them, and what they are made of.

    Attributes:
        configurations: Agents stored with the service, to be named by their id.
        variables: Values that the service puts into stored agents.
        think_models: The language models that the service runs for agents.
    """

    configurations: AgentConfigurations
    variables: AgentVariables
    think_models: ThinkModels

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.configurations = AgentConfigurations(sender)
        self.variables = AgentVariables(sender)
        self.think_models = ThinkModels(sender)

    def converse(
        self,
        settings: Settings | Mapping[str, object] | None = None,
        *,
        tools: Tools | Iterable[ToolFunction] = (),
    ) -> AgentStream:
        """Return a conversation with a voice agent; ``async with`` connects it and sets it up.

        Args:
            settings: Who the agent is, how it hears, thinks and speaks; an agent with defaults if
                left out. A mapping is sent as it is, for fields newer than this release.
            tools: Async functions that the agent may call.

        Raises:
            OptionError: A documented rule is broken, or a function cannot be a tool.
        """
        connect = self._sender.connector(AgentCore.PATH, "", AgentCore.OPERATION, is_agent=True)
        stream = AgentStream(
            connect,
            Settings() if settings is None else settings,
            tools if isinstance(tools, Tools) else Tools(tools),
            self._sender.stream_settings,
            validate=self._sender.validate,
        )
        return self._sender.track(stream)


class ThinkModels:
    """The language models that the service runs for agents."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def list(self) -> ThinkModelsAnswer:
        """Return the language models; the list changes often."""
        return await self._sender.send(_THINK_MODELS)


class AgentConfigurations:
    """Agents stored with the service, to be named by their id in the settings."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def list(self, project_id: str | None = None) -> stored.AgentConfigurations:
        """Return the stored agents of a project; that of the session if left out."""
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_LIST_AGENTS, ids=ids)

    async def create(
        self,
        config: str | Mapping[str, object] | msgspec.Struct,
        *,
        metadata: Mapping[str, str] | None = None,
        api_version: int | None = None,
        project_id: str | None = None,
    ) -> stored.AgentConfiguration:
        """Store an agent; its id can stand for the whole ``agent`` block of the settings.

        Args:
            config: The ``agent`` block: a struct, a mapping, or the JSON text of one. It cannot
                be changed later.
            metadata: Labels of yours.
            api_version: Version of the block; 1 if left out.
            project_id: The project; that of the session if left out.

        Raises:
            BadRequestError: The block is not one that the service understands.
        """
        text = config if isinstance(config, str) else msgspec.json.encode(config).decode()
        fields = {"config": text, "metadata": metadata, "api_version": api_version}
        ids = {"project_id": self._sender.project(project_id)}
        body = {name: value for name, value in fields.items() if value is not None}
        return await self._sender.send(_CREATE_AGENT, ids=ids, body=body)

    async def get(
        self, agent_id: str, *, project_id: str | None = None
    ) -> stored.AgentConfiguration:
        """Return one stored agent, its variables not filled in.

        Raises:
            NotFoundError: The project has no such agent.
        """
        ids = {"project_id": self._sender.project(project_id), "agent_id": agent_id}
        return await self._sender.send(_GET_AGENT, ids=ids)

    async def update(
        self, agent_id: str, metadata: Mapping[str, str], *, project_id: str | None = None
    ) -> stored.AgentConfiguration:
        """Replace the labels of a stored agent; the agent itself cannot be changed."""
        ids = {"project_id": self._sender.project(project_id), "agent_id": agent_id}
        return await self._sender.send(_UPDATE_AGENT, ids=ids, body={"metadata": metadata})

    async def delete(self, agent_id: str, *, project_id: str | None = None) -> stored.Deleted:
        """Delete a stored agent; conversations that name its id are refused from then on."""
        ids = {"project_id": self._sender.project(project_id), "agent_id": agent_id}
        return await self._sender.send(_DELETE_AGENT, ids=ids)


class AgentVariables:
    """Values that the service puts into stored agents, wherever their names stand."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def list(self, project_id: str | None = None) -> stored.AgentVariables:
        """Return the variables of a project; that of the session if left out."""
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_LIST_VARIABLES, ids=ids)

    async def create(
        self,
        key: str,
        value: object,
        *,
        api_version: int | None = None,
        project_id: str | None = None,
    ) -> stored.AgentVariable:
        """Create a variable.

        Args:
            key: Its name, which begins with ``DG_``.
            value: Any value that JSON can hold.
            api_version: Version of the variable; 1 if left out.
            project_id: The project; that of the session if left out.

        Raises:
            OptionError: The name does not begin with ``DG_``.
        """
        body: dict[str, object] = {"key": key, "value": value}
        if api_version is not None:
            body["api_version"] = api_version
        if self._sender.validate:
            rules.check(body)
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_CREATE_VARIABLE, ids=ids, body=body)

    async def get(self, variable_id: str, *, project_id: str | None = None) -> stored.AgentVariable:
        """Return one variable.

        Raises:
            NotFoundError: The project has no such variable.
        """
        ids = {"project_id": self._sender.project(project_id), "variable_id": variable_id}
        return await self._sender.send(_GET_VARIABLE, ids=ids)

    async def update(
        self, variable_id: str, value: object, *, project_id: str | None = None
    ) -> stored.AgentVariable:
        """Give a variable another value, for the conversations that begin from then on."""
        ids = {"project_id": self._sender.project(project_id), "variable_id": variable_id}
        return await self._sender.send(_UPDATE_VARIABLE, ids=ids, body={"value": value})

    async def delete(self, variable_id: str, *, project_id: str | None = None) -> stored.Deleted:
        """Delete a variable."""
        ids = {"project_id": self._sender.project(project_id), "variable_id": variable_id}
        return await self._sender.send(_DELETE_VARIABLE, ids=ids)
