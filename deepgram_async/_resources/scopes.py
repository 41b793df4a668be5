"""What members of a project may do: ``dg.scopes``."""

from __future__ import annotations

from typing import Final

from deepgram_async._protocol.requests import Route
from deepgram_async._resources.sender import Sender
from deepgram_async.models import manage

__all__ = ["Scopes"]

_PATH: Final = "/v1/projects/{project_id}/members/{member_id}/scopes"
_LIST: Final = Route("GET", _PATH, manage.Scopes)
_UPDATE: Final = Route("PUT", _PATH, manage.Message)


class Scopes:
    """What the members of a project may do."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def list(self, member_id: str, *, project_id: str | None = None) -> manage.Scopes:
        """Return the scopes of a member.

        Raises:
            NotFoundError: The project has no such member.
        """
        ids = {"project_id": self._sender.project(project_id), "member_id": member_id}
        return await self._sender.send(_LIST, ids=ids)

    async def update(
        self, member_id: str, scope: str, *, project_id: str | None = None
    ) -> manage.Message:
        """Give a member another scope, such as ``"admin"`` or ``"member"``."""
        ids = {"project_id": self._sender.project(project_id), "member_id": member_id}
        return await self._sender.send(_UPDATE, ids=ids, body={"scope": scope})
