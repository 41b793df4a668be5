"""Invitations to a project: ``dg.invites``."""

from __future__ import annotations

from typing import Final

from deepgram_async._protocol.requests import Route
from deepgram_async._resources.sender import Sender
from deepgram_async.models import manage

__all__ = ["Invites"]

_PATH: Final = "/v1/projects/{project_id}/invites"
_LIST: Final = Route("GET", _PATH, manage.Invites)
_CREATE: Final = Route("POST", _PATH, manage.Message)
_DELETE: Final = Route("DELETE", f"{_PATH}/{{email}}", manage.Message)


class Invites:
    """The invitations to a project that nobody has followed yet."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def list(self, project_id: str | None = None) -> manage.Invites:
        """Return the open invitations to a project; that of the session if left out."""
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_LIST, ids=ids)

    async def create(
        self, email: str, scope: str, *, project_id: str | None = None
    ) -> manage.Message:
        """Invite somebody by email, with a scope such as ``"member"``."""
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_CREATE, ids=ids, body={"email": email, "scope": scope})

    async def delete(self, email: str, *, project_id: str | None = None) -> manage.Message:
        """Take an invitation back."""
        ids = {"project_id": self._sender.project(project_id), "email": email}
        return await self._sender.send(_DELETE, ids=ids)
