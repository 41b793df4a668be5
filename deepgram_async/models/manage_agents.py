"""Answers about stored voice agents and the variables in them.

Times are ISO 8601 strings, as sent.
"""

from deepgram_async.models._base import Answer

__all__ = [
    "AgentConfiguration",
    "AgentConfigurations",
    "AgentVariable",
    "AgentVariables",
    "Deleted",
]


class AgentConfiguration(Answer, frozen=True, kw_only=True):
    """A stored agent, to be named by its id in the settings of a conversation.

    Attributes:
        config: The ``agent`` block of the settings, with its variables not filled in.
        metadata: Labels of yours.
    """

    agent_id: str
    config: dict[str, object]
    metadata: dict[str, str] | None = None
    created_at: str | None = None
    updated_at: str | None = None


class AgentConfigurations(Answer, frozen=True, kw_only=True):
    """The stored agents of a project."""

    agents: list[AgentConfiguration]


class AgentVariable(Answer, frozen=True, kw_only=True):
    """A variable for stored agents.

    Attributes:
        key: Its name, such as ``"DG_GREETING"``.
        value: Any JSON value.
    """

    variable_id: str
    key: str
    value: object
    created_at: str | None = None
    updated_at: str | None = None


class AgentVariables(Answer, frozen=True, kw_only=True):
    """The variables of a project."""

    variables: list[AgentVariable]


class Deleted(Answer, frozen=True, kw_only=True):
    """The service did delete it, and has nothing to tell about it."""
