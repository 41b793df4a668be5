"""Agents that a project has stored, with their variables filled in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from .failures import AgentFailure

if TYPE_CHECKING:
    from deepgram_async.emulator._manage.account import Account

__all__ = ["stored_agent"]

# A variable stands for a value, with or without the quotes that make its place valid JSON.
_VARIABLE: Final = re.compile(r'"(DG_\w+)"|\b(DG_\w+)\b')


def stored_agent(account: Account, project_id: str, agent_id: str) -> object:
    """Return the agent block of a stored configuration.

    Raises:
        AgentFailure: The project has no such agent, or it makes no sense with its variables.
    """
    agent = account.agents.get(agent_id)
    if agent is None or agent.project_id != project_id:
        raise AgentFailure("INVALID_AGENT_ID", f"There is no agent {agent_id}.")
    values = {
        variable.key: bytes(variable.value).decode()
        for variable in account.variables
        if variable.project_id == project_id
    }
    try:
        config: object = msgspec.json.decode(agent.config)
        text = config if isinstance(config, str) else bytes(agent.config).decode()
        filled = _VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), text)
        return msgspec.json.decode(filled)
    except msgspec.DecodeError as error:
        description = f"The configuration of agent {agent_id} cannot be read: {error}"
        raise AgentFailure("INVALID_SETTINGS", description) from None
