"""The projects that the local Deepgram knows, and whose credential is whose."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import uuid
from typing import TYPE_CHECKING, Final

import msgspec

from .records import (
    Agent,
    ApiKey,
    DistributionCredentials,
    Invite,
    LoggedRequest,
    Member,
    Project,
    Variable,
)
from .store import MemoryStore, SqliteStore, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from .store import Store

__all__ = ["DEFAULT_PROJECT_ID", "Account", "key_id_of"]

DEFAULT_PROJECT_ID: Final = "00000000-0000-4000-8000-000000000000"
# Stable, so that the id of a credential is the same in every run.
_IDS: Final = uuid.UUID("b3f8b0b2-6c1c-4c39-9c53-2b9d3a1a5d0e")


class Account:
    """All records of one emulator. What is changed is kept when `saved` has returned."""

    def __init__(
        self,
        store: Store,
        found: dict[str, dict[str, bytes]],
        keys: Collection[str],
        clock: Callable[[], float],
    ) -> None:
        self.clock = clock
        self._store = store
        self.projects = Table(
            store, "project", Project, found.get("project", {}), lambda it: it.created
        )
        self.members = Table(store, "member", Member, found.get("member", {}), lambda _: 0.0)
        self.keys = Table(store, "key", ApiKey, found.get("key", {}), lambda it: it.created)
        self.invites = Table(store, "invite", Invite, found.get("invite", {}), lambda _: 0.0)
        self.agents = Table(store, "agent", Agent, found.get("agent", {}), lambda it: it.created)
        self.variables = Table(
            store, "variable", Variable, found.get("variable", {}), lambda it: it.created
        )
        self.distribution = Table(
            store,
            "distribution",
            DistributionCredentials,
            found.get("distribution", {}),
            lambda it: it.created,
        )
        self.requests = Table(
            store, "request", LoggedRequest, found.get("request", {}), lambda it: it.created
        )
        self._given = frozenset(map(_sha256, keys))
        self._key_ids = {key.secret_sha256: key.api_key_id for key in self.keys}

    @classmethod
    async def open(
        cls, path: Path | None, keys: Collection[str], clock: Callable[[], float]
    ) -> Account:
        """Read what the file has, and make the first project if there is none.

        Args:
            path: The file; None keeps everything in memory.
            keys: Secrets that open the first project without being one of its keys.
            clock: What tells the time, in seconds since 1970.

        Raises:
            OSError: The file cannot be made.
            sqlite3.Error: It is no file of an emulator.
        """
        store: Store = MemoryStore() if path is None else SqliteStore(path)
        try:
            found = await store.load()
            try:
                account = cls(store, found, keys, clock)
            except msgspec.DecodeError as error:
                msg = f"the records are of another version: {error}"
                raise sqlite3.DatabaseError(msg) from None
            if not len(account.projects):
                account.add_project("Emulator", DEFAULT_PROJECT_ID)
            await store.saved()
        except BaseException:
            await store.close()
            raise
        return account

    @property
    def default_project(self) -> Project | None:
        """The oldest project, which credentials without one of their own belong to."""
        return next(iter(self.projects), None)

    def add_project(self, name: str, project_id: str | None = None) -> Project:
        """Make a project with one member, its owner."""
        project = Project(
            project_id=project_id or str(uuid.uuid4()), name=name, created=self.clock()
        )
        self.projects.put(project.project_id, project)
        owner = Member(
            member_id=self.owner_id_of(project.project_id),
            project_id=project.project_id,
            email="owner@example.com",
            first_name="Local",
            last_name="Owner",
            scopes=("owner",),
        )
        self.members.put(owner.member_id, owner)
        return project

    def owner_id_of(self, project_id: str) -> str:
        """Return the id of the member that a project began with."""
        return str(uuid.uuid5(_IDS, project_id))

    def remove_project(self, project_id: str) -> None:
        """Forget a project and what belongs to it; its keys open nothing any more."""
        self.projects.remove(project_id)
        for member in self.members:
            if member.project_id == project_id:
                self.remove_member(member.member_id)
        for table in (self.invites, self.agents, self.variables, self.distribution, self.requests):
            table.remove_where(lambda record: record.project_id == project_id)

    def member_or_former(self, member_id: str) -> Member:
        """Return a member; one who has left is shown without a name."""
        return self.members.get(member_id) or Member(
            member_id=member_id,
            project_id="",
            email="former.member@example.com",
            first_name="",
            last_name="",
            scopes=(),
        )

    def remove_member(self, member_id: str) -> None:
        """Forget a member, and delete the keys that the member has made."""
        self.members.remove(member_id)
        for key in self.keys:
            if key.member_id == member_id and not key.is_deleted:
                self.delete_key(key)

    def delete_key(self, key: ApiKey) -> None:
        """Let a key open nothing any more."""
        self._keep(msgspec.structs.replace(key, is_deleted=True))

    def add_key(
        self,
        *,
        project_id: str,
        member_id: str,
        comment: str,
        scopes: tuple[str, ...],
        tags: tuple[str, ...] = (),
        expires: float | None = None,
    ) -> tuple[ApiKey, str]:
        """Make a key; return it and its secret, which is kept nowhere."""
        secret = secrets.token_hex(20)
        key = ApiKey(
            api_key_id=str(uuid.uuid4()),
            project_id=project_id,
            member_id=member_id,
            secret_sha256=_sha256(secret),
            comment=comment,
            scopes=scopes,
            tags=tags,
            created=self.clock(),
            expires=expires,
        )
        self._keep(key)
        return key, secret

    def find_key(self, secret: str) -> ApiKey | None:
        """Return the key with this secret, deleted and expired ones included."""
        key_id = self._key_ids.get(_sha256(secret))
        return None if key_id is None else self.keys.get(key_id)

    def was_given(self, secret: str) -> bool:
        """Tell whether the emulator was started with this key."""
        return _sha256(secret) in self._given

    def is_valid(self, key: ApiKey) -> bool:
        """Tell whether a key still opens anything."""
        if key.is_deleted or (key.expires is not None and key.expires <= self.clock()):
            return False
        return self.projects.get(key.project_id) is not None

    async def saved(self) -> None:
        """Wait until all changes are kept.

        Raises:
            sqlite3.Error: They could not be written.
        """
        await self._store.saved()

    async def close(self) -> None:
        """Write what is left and release the file."""
        await self._store.close()

    def _keep(self, key: ApiKey) -> None:
        self.keys.put(key.api_key_id, key)
        self._key_ids[key.secret_sha256] = key.api_key_id


def key_id_of(secret: str) -> str:
    """Return an id for a key that was not made here, the same in every run."""
    return str(uuid.uuid5(_IDS, _sha256(secret)))


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
