"""Answers about credentials for the container images of a self-hosted service."""

from deepgram_async.models._base import Answer, Model

__all__ = [
    "CredentialsList",
    "CredentialsOwner",
    "DistributionCredentials",
    "OwnedCredentials",
]


class CredentialsOwner(Model, frozen=True, kw_only=True, gc=False):
    """The member who made the credentials."""

    member_id: str
    email: str | None = None


class DistributionCredentials(Model, frozen=True, kw_only=True, gc=False):
    """Credentials for a registry of container images.

    Attributes:
        provider: The registry, such as ``"quay"``.
        scopes: What may be fetched, such as ``"self-hosted:products"``.
        created: ISO 8601 time, as sent.
    """

    distribution_credentials_id: str
    provider: str
    scopes: list[str]
    created: str
    comment: str | None = None


class OwnedCredentials(Answer, frozen=True, kw_only=True):
    """Credentials and who made them."""

    member: CredentialsOwner
    distribution_credentials: DistributionCredentials


class CredentialsList(Answer, frozen=True, kw_only=True):
    """All credentials of a project."""

    distribution_credentials: list[OwnedCredentials]
