"""The models that exist: ``dg.models``, and those of a project: ``dg.projects.models``."""

from __future__ import annotations

from typing import Final, TypedDict

from deepgram_async._protocol.requests import Route
from deepgram_async._resources.sender import Sender
from deepgram_async.models.manage_models import SpeechModel, SpeechModels

__all__ = ["Models", "ProjectModels"]

_LIST: Final = Route("GET", "/v1/models", SpeechModels)
_GET: Final = Route("GET", "/v1/models/{model_id}", SpeechModel)
_LIST_OF_PROJECT: Final = Route("GET", "/v1/projects/{project_id}/models", SpeechModels)
_GET_OF_PROJECT: Final = Route("GET", "/v1/projects/{project_id}/models/{model_id}", SpeechModel)


class _ListQuery(TypedDict, total=False):
    include_outdated: bool


class Models:
    """The public catalogue of models and voices."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def list(self, *, include_outdated: bool | None = None) -> SpeechModels:
        """Return the public models, Flux models excepted.

        Args:
            include_outdated: Whether old releases are listed too.
        """
        query = self._sender.query({"include_outdated": include_outdated}, _ListQuery)
        return await self._sender.send(_LIST, query=query)

    async def get(self, model_id: str) -> SpeechModel:
        """Return one public model by its UUID.

        Raises:
            NotFoundError: There is no such model.
        """
        return await self._sender.send(_GET, ids={"model_id": model_id})


class ProjectModels:
    """The models that one project can use, its own included."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def list(
        self, project_id: str | None = None, *, include_outdated: bool | None = None
    ) -> SpeechModels:
        """Return the models that a project can use.

        Args:
            project_id: The project; that of the session if left out.
            include_outdated: Whether old releases are listed too.
        """
        query = self._sender.query({"include_outdated": include_outdated}, _ListQuery)
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_LIST_OF_PROJECT, ids=ids, query=query)

    async def get(self, model_id: str, *, project_id: str | None = None) -> SpeechModel:
        """Return one model by its UUID, public or of the project.

        Raises:
            NotFoundError: The project has no such model.
        """
        ids = {"project_id": self._sender.project(project_id), "model_id": model_id}
        return await self._sender.send(_GET_OF_PROJECT, ids=ids)
