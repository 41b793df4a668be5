"""What the local Deepgram remembers, as values that can be written down."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

__all__ = [
    "FEATURES",
    "Agent",
    "ApiKey",
    "DistributionCredentials",
    "Invite",
    "LoggedRequest",
    "Member",
    "Project",
    "UsedModel",
    "Variable",
]

FEATURES: Final = frozenset(
    "alternatives callback callback_method channels custom_intent custom_intent_mode custom_topic"
    " custom_topic_mode detect_entities detect_language diarize dictation encoding extra"
    " filler_words intents keyterm keywords language measurements multichannel numerals paragraphs"
    " profanity_filter punctuate redact replace sample_rate search sentiment smart_format"
    " summarize topics utt_split utterances version".split()
)
"""Options whose use is noted, and can be asked for."""

Method = Literal["sync", "async", "streaming"]


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project; `created` is in seconds since 1970, as all times in records."""

    project_id: str
    name: str
    created: float
    mip_opt_out: bool = False


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who works in a project, with one role or several scopes."""

    member_id: str
    project_id: str
    email: str
    first_name: str
    last_name: str
    scopes: tuple[str, ...]


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key; of its secret only the hash is kept. A deleted one stays, to be refused."""

    api_key_id: str
    project_id: str
    member_id: str
    secret_sha256: str
    comment: str
    scopes: tuple[str, ...]
    created: float
    tags: tuple[str, ...] = ()
    expires: float | None = None
    is_deleted: bool = False


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that nobody has followed."""

    project_id: str
    email: str
    scope: str


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A reusable configuration of a voice agent."""

    agent_id: str
    project_id: str
    config: msgspec.Raw
    metadata: dict[str, str]
    created: float
    updated: float


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A value that configurations of agents refer to by its key."""

    variable_id: str
    project_id: str
    key: str
    value: msgspec.Raw
    created: float
    updated: float


class DistributionCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials for fetching self-hosted images."""

    distribution_credentials_id: str
    project_id: str
    member_id: str
    provider: str
    comment: str
    scopes: tuple[str, ...]
    created: float


class UsedModel(msgspec.Struct, frozen=True):
    """A model that served a request, by the name that was asked for."""

    name: str
    model_id: str
    version: str
    language: str = ""


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a product, as the log of the project has it."""

    request_id: str
    project_id: str
    accessor: str
    product: str
    method: Method
    path: str
    created: float
    completed: float
    status: int
    message: str = ""
    audio_s: float = 0.0
    channels: int = 1
    characters: int = 0
    agent_s: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    models: tuple[UsedModel, ...] = ()
    features: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    callback: str | None = None
    callback_attempts: int = 0
    callback_status: int | None = None
    callback_completed: float | None = None
