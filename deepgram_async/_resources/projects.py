"""Projects: ``dg.projects``."""

from __future__ import annotations

from typing import Final, TypedDict

from deepgram_async._protocol import rules_management as rules
from deepgram_async._protocol.requests import Route
from deepgram_async._resources.models import ProjectModels
from deepgram_async._resources.sender import Sender
from deepgram_async.models import manage

__all__ = ["Projects"]

_PATH: Final = "/v1/projects/{project_id}"
_LIST: Final = Route("GET", "/v1/projects", manage.Projects)
_GET: Final = Route("GET", _PATH, manage.Project)
_UPDATE: Final = Route("PATCH", _PATH, manage.Message)
_DELETE: Final = Route("DELETE", _PATH, manage.Message)
_LEAVE: Final = Route("DELETE", f"{_PATH}/leave", manage.Message)


class _GetQuery(TypedDict, total=False):
    limit: int
    page: int


class Projects:
    """The projects that the credentials can see, and their models.

    Attributes:
        models: The models that a project can use.
    """

    models: ProjectModels

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.models = ProjectModels(sender)

    async def list(self) -> manage.Projects:
        """Return the projects that the credentials can see."""
        return await self._sender.send(_LIST)

    async def get(
        self, project_id: str | None = None, *, limit: int | None = None, page: int | None = None
    ) -> manage.Project:
        """Return one project.

        Args:
            project_id: The project; that of the session if left out.
            limit: In the reference of the service, without a stated effect; from 1 to 1000.
            page: As ``limit``.

        Raises:
            NotFoundError: There is no such project for these credentials.
        """
        options = {"limit": limit, "page": page}
        if self._sender.validate:
            rules.check(options)
        query = self._sender.query(options, _GetQuery)
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_GET, ids=ids, query=query)

    async def update(self, project_id: str | None = None, *, name: str) -> manage.Message:
        """Rename a project; that of the session if left out."""
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_UPDATE, ids=ids, body={"name": name})

    async def delete(self, project_id: str) -> manage.Message:
        """Delete a project for good, which must be named: no default is taken."""
        return await self._sender.send(_DELETE, ids={"project_id": project_id})

    async def leave(self, project_id: str) -> manage.Message:
        """Leave a project, which must be named: no default is taken."""
        return await self._sender.send(_LEAVE, ids={"project_id": project_id})
