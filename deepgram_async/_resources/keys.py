"""API keys of a project: ``dg.keys``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypedDict

from deepgram_async._protocol import rules_management as rules
from deepgram_async._protocol.dates import When, moment
from deepgram_async._protocol.requests import Route
from deepgram_async._resources.sender import Sender
from deepgram_async.models import manage

__all__ = ["Keys"]

_PATH: Final = "/v1/projects/{project_id}/keys"
_LIST: Final = Route("GET", _PATH, manage.Keys)
_CREATE: Final = Route("POST", _PATH, manage.CreatedKey)
_GET: Final = Route("GET", f"{_PATH}/{{key_id}}", manage.KeyItem)
_DELETE: Final = Route("DELETE", f"{_PATH}/{{key_id}}", manage.Message)


class _ListQuery(TypedDict, total=False):
    status: Literal["active", "expired"] | str


class Keys:
    """The API keys of a project."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def list(
        self,
        project_id: str | None = None,
        *,
        status: Literal["active", "expired"] | str | None = None,
    ) -> manage.Keys:
        """Return the keys of a project with their owners, without their secrets.

        Args:
            project_id: The project; that of the session if left out.
            status: Only keys in this state.
        """
        query = self._sender.query({"status": status}, _ListQuery)
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_LIST, ids=ids, query=query)

    async def create(
        self,
        comment: str,
        scopes: str | Sequence[str],
        *,
        tags: str | Sequence[str] | None = None,
        expiration_date: When | None = None,
        time_to_live_in_seconds: int | None = None,
        project_id: str | None = None,
    ) -> manage.CreatedKey:
        """Create a key; the answer is the only one that ever holds its secret.

        Args:
            comment: What the key is for.
            scopes: A role such as ``"member"``, or permissions such as ``"project:read"``.
            tags: Labels for usage reports.
            expiration_date: When the key ends; excludes ``time_to_live_in_seconds``.
            time_to_live_in_seconds: After how long it ends. A key lives forever without either.
            project_id: The project; that of the session if left out.

        Raises:
            OptionError: Both ends were given.
            PermissionDeniedError: The credentials may not create keys with these scopes.
        """
        ends = None if expiration_date is None else moment("expiration_date", expiration_date)
        fields = {
            "comment": comment,
            "scopes": [scopes] if isinstance(scopes, str) else scopes,
            "tags": [tags] if isinstance(tags, str) else tags,
            "expiration_date": ends,
            "time_to_live_in_seconds": time_to_live_in_seconds,
        }
        if self._sender.validate:
            rules.check(fields)
        ids = {"project_id": self._sender.project(project_id)}
        body = {name: value for name, value in fields.items() if value is not None}
        return await self._sender.send(_CREATE, ids=ids, body=body)

    async def get(self, key_id: str, *, project_id: str | None = None) -> manage.KeyItem:
        """Return one key and its owner, without its secret.

        Raises:
            NotFoundError: The project has no such key.
        """
        ids = {"project_id": self._sender.project(project_id), "key_id": key_id}
        return await self._sender.send(_GET, ids=ids)

    async def delete(self, key_id: str, *, project_id: str | None = None) -> manage.Message:
        """Delete a key; whoever uses it is refused from then on."""
        ids = {"project_id": self._sender.project(project_id), "key_id": key_id}
        return await self._sender.send(_DELETE, ids=ids)
