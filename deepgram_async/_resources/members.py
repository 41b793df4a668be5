"""Members of a project: ``dg.members``."""

from __future__ import annotations

from typing import Final

from deepgram_async._protocol.requests import Route
from deepgram_async._resources.sender import Sender
from deepgram_async.models import manage

__all__ = ["Members"]

_PATH: Final = "/v1/projects/{project_id}/members"
_LIST: Final = Route("GET", _PATH, manage.Members)
_DELETE: Final = Route("DELETE", f"{_PATH}/{{member_id}}", manage.Message)


class Members:
    """The members of a project."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def list(self, project_id: str | None = None) -> manage.Members:
        """Return the members of a project; that of the session if left out."""
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_LIST, ids=ids)

    async def delete(self, member_id: str, *, project_id: str | None = None) -> manage.Message:
        """Remove a member from a project; the member's keys stop working."""
        ids = {"project_id": self._sender.project(project_id), "member_id": member_id}
        return await self._sender.send(_DELETE, ids=ids)
