"""Answers about projects, their keys, members and invitations, and short-lived tokens.

Times are ISO 8601 strings, as sent.
"""

from typing import Any

from deepgram_async.models._base import Answer, Model

__all__ = [
    "CreatedKey",
    "Grant",
    "Invite",
    "Invites",
    "Key",
    "KeyItem",
    "KeyOfMember",
    "Keys",
    "Member",
    "Members",
    "Message",
    "Owner",
    "Project",
    "Projects",
    "Scopes",
]


class Grant(Answer, frozen=True, kw_only=True):
    """A short-lived access token.

    Attributes:
        access_token: The token; ``repr`` shows it as ``***``.
        expires_in: Seconds that it lives.
    """

    access_token: str
    expires_in: float | None = None

    def __repr__(self) -> str:
        return f"Grant(access_token='***', expires_in={self.expires_in!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("access_token", "***"), ("expires_in", self.expires_in)]


class Message(Answer, frozen=True, kw_only=True):
    """What the service says about a change that it made."""

    message: str | None = None


class Project(Answer, frozen=True, kw_only=True):
    """One project.

    Attributes:
        mip_opt_out: Whether its audio is kept out of the Model Improvement Program; only `get`
            tells.
    """

    project_id: str
    name: str | None = None
    mip_opt_out: bool | None = None


class Projects(Answer, frozen=True, kw_only=True):
    """The projects that the credentials can see."""

    projects: list[Project]


class Key(Model, frozen=True, kw_only=True, gc=False):
    """An API key without its secret, which is shown only when the key is created."""

    api_key_id: str
    comment: str | None = None
    scopes: list[str] | None = None
    tags: list[str] | None = None
    created: str | None = None
    expiration_date: str | None = None


class Owner(Model, frozen=True, kw_only=True, gc=False):
    """The member that a key belongs to.

    Attributes:
        api_key: The key, where a single one was asked for.
    """

    member_id: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    api_key: Key | None = None


class KeyOfMember(Model, frozen=True, kw_only=True, gc=False):
    """An API key and the member that it belongs to."""

    api_key: Key
    member: Owner | None = None


class Keys(Answer, frozen=True, kw_only=True):
    """The API keys of a project."""

    api_keys: list[KeyOfMember]


class _Item(Model, frozen=True, kw_only=True, gc=False):
    """The envelope around the answer about one key."""

    member: Owner


class KeyItem(Answer, frozen=True, kw_only=True):
    """One API key and its owner, as the service nests them."""

    item: _Item

    @property
    def member(self) -> Owner:
        """The member that the key belongs to."""
        return self.item.member

    @property
    def api_key(self) -> Key | None:
        """The key itself."""
        return self.item.member.api_key


class CreatedKey(Answer, frozen=True, kw_only=True):
    """A new API key: the only answer with its secret.

    Attributes:
        key: The secret, to be stored now; ``repr`` shows it as ``***``.
    """

    api_key_id: str
    key: str
    comment: str | None = None
    scopes: list[str] | None = None
    tags: list[str] | None = None
    expiration_date: str | None = None

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"CreatedKey({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [
            ("api_key_id", self.api_key_id),
            ("key", "***"),
            ("comment", self.comment),
            ("scopes", self.scopes),
            ("tags", self.tags),
            ("expiration_date", self.expiration_date),
        ]


class Member(Model, frozen=True, kw_only=True, gc=False):
    """Somebody who works in a project."""

    member_id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    scopes: list[str] | None = None


class Members(Answer, frozen=True, kw_only=True):
    """The members of a project."""

    members: list[Member]


class Scopes(Answer, frozen=True, kw_only=True):
    """What a member may do, such as ``"admin"`` or ``"project:read"``."""

    scopes: list[str]


class Invite(Model, frozen=True, kw_only=True, gc=False):
    """An invitation that nobody has followed yet."""

    email: str
    scope: str | None = None


class Invites(Answer, frozen=True, kw_only=True):
    """The open invitations of a project."""

    invites: list[Invite]
