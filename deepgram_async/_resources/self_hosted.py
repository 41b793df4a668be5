"""Credentials for the container images of a self-hosted service: ``dg.self_hosted``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

from deepgram_async._protocol.requests import Route
from deepgram_async._resources.sender import Sender
from deepgram_async.models.manage_self_hosted import CredentialsList, OwnedCredentials
from deepgram_async.options import ProductScope

__all__ = ["SelfHosted"]


class _CreateQuery(TypedDict, total=False):
    scopes: ProductScope | str | Sequence[ProductScope | str]
    provider: Literal["quay"] | str


class SelfHosted:
    """Credentials for the container images of a self-hosted service."""

    def __init__(self, sender: Sender, path_name: str = "self-hosted") -> None:
        self._sender = sender
        path = f"/v1/projects/{{project_id}}/{path_name}/distribution/credentials"
        one = f"{path}/{{distribution_credentials_id}}"
        self._list = Route("GET", path, CredentialsList)
        self._create = Route("POST", path, OwnedCredentials)
        self._get = Route("GET", one, OwnedCredentials)
        self._delete = Route("DELETE", one, OwnedCredentials)

    async def list(self, project_id: str | None = None) -> CredentialsList:
        """Return the credentials of a project; that of the session if left out."""
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(self._list, ids=ids)

    async def create(
        self,
        *,
        comment: str | None = None,
        scopes: ProductScope | str | Sequence[ProductScope | str] | None = None,
        provider: Literal["quay"] | str | None = None,
        project_id: str | None = None,
    ) -> OwnedCredentials:
        """Create credentials.

        Args:
            comment: What they are for.
            scopes: Which images they open; all (``"self-hosted:products"``) if left out.
            provider: The registry; ``"quay"`` if left out.
            project_id: The project; that of the session if left out.
        """
        query = self._sender.query({"scopes": scopes, "provider": provider}, _CreateQuery)
        ids = {"project_id": self._sender.project(project_id)}
        body = {} if comment is None else {"comment": comment}
        return await self._sender.send(self._create, ids=ids, query=query, body=body)

    async def get(
        self, distribution_credentials_id: str, *, project_id: str | None = None
    ) -> OwnedCredentials:
        """Return one set of credentials.

        Raises:
            NotFoundError: The project has no such credentials.
        """
        ids = self._ids(distribution_credentials_id, project_id)
        return await self._sender.send(self._get, ids=ids)

    async def delete(
        self, distribution_credentials_id: str, *, project_id: str | None = None
    ) -> OwnedCredentials:
        """Delete credentials, and return them as they were."""
        ids = self._ids(distribution_credentials_id, project_id)
        return await self._sender.send(self._delete, ids=ids)

    def _ids(self, distribution_credentials_id: str, project_id: str | None) -> dict[str, str]:
        return {
            "project_id": self._sender.project(project_id),
            "distribution_credentials_id": distribution_credentials_id,
        }
