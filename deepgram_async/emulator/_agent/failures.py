"""How conversations fail."""

from __future__ import annotations

__all__ = ["AgentFailure"]

_FAULTS_OF_THE_SERVICE = frozenset(
    {
        "INTERNAL_SERVER_ERROR",
        "FAILED_TO_THINK",
        "FAILED_TO_SPEAK",
        "CLIENT_MESSAGE_TIMEOUT",
        "MAXIMUM_SESSION_LENGTH_REACHED",
    }
)


class AgentFailure(Exception):  # noqa: N818 - the end of a conversation, told to the client
    """The `Error` that ends a conversation."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description

    @property
    def close_code(self) -> int:
        """The code of the close behind it."""
        return 1011 if self.code in _FAULTS_OF_THE_SERVICE else 1008
