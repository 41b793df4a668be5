"""The answer of the analysis of a text (`/v1/read`)."""

from msgspec import field
from msgspec.structs import fields, force_setattr

from deepgram_async.models import common
from deepgram_async.models._base import Answer, Model
from deepgram_async.models.common import (
    IntelligenceInfo,
    IntentSegment,
    Sentiments,
    TopicSegment,
)

__all__ = ["Analysis", "Intents", "Metadata", "Results", "Summary", "Topics"]

# The reference of the service wraps some values in themselves (`metadata.metadata`,
# `summary.results.summary`); the wire does not. What comes wrapped is unwrapped on reading, so
# that both look the same, and the private fields are empty ever after.


class Metadata(Model, frozen=True, kw_only=True, gc=False):
    """What was analysed, and by which models.

    Attributes:
        created: ISO 8601 time, as sent.
        language: BCP-47 tag of the text.
    """

    request_id: str = field(default_factory=str)
    created: str | None = None
    language: str | None = None
    summary_info: IntelligenceInfo | None = None
    sentiment_info: IntelligenceInfo | None = None
    topics_info: IntelligenceInfo | None = None
    intents_info: IntelligenceInfo | None = None
    _wrapped: "Metadata | None" = field(name="metadata", default=None)

    def __post_init__(self) -> None:
        _unwrap(self, self._wrapped)


class Summary(Model, frozen=True, kw_only=True, gc=False):
    """The summary of the text."""

    text: str = field(default_factory=str)
    _wrapped: "_Wrapped | None" = field(name="results", default=None)

    def __post_init__(self) -> None:
        _unwrap(self, self._wrapped and self._wrapped.summary)


class Topics(common.Topics, frozen=True, kw_only=True, gc=False):
    """What ``topics=True`` found."""

    segments: list[TopicSegment] = field(default_factory=list[TopicSegment])
    _wrapped: "_Wrapped | None" = field(name="results", default=None)

    def __post_init__(self) -> None:
        _unwrap(self, self._wrapped and self._wrapped.topics)


class Intents(common.Intents, frozen=True, kw_only=True, gc=False):
    """What ``intents=True`` found."""

    segments: list[IntentSegment] = field(default_factory=list[IntentSegment])
    _wrapped: "_Wrapped | None" = field(name="results", default=None)

    def __post_init__(self) -> None:
        _unwrap(self, self._wrapped and self._wrapped.intents)


class Results(Model, frozen=True, kw_only=True, gc=False):
    """What was found out about a text, each part only if it was asked for."""

    summary: Summary | None = None
    topics: Topics | None = None
    intents: Intents | None = None
    sentiments: Sentiments | None = None


class Analysis(Answer, frozen=True, kw_only=True):
    """What the service found out about a text."""

    metadata: Metadata
    results: Results

    @property
    def summary(self) -> str:
        """The summary; empty when there is none."""
        return "" if self.results.summary is None else self.results.summary.text

    @property
    def request_id(self) -> str:
        """The id that Deepgram's support asks for."""
        return self.metadata.request_id


class _Wrapped(Model, frozen=True, kw_only=True, gc=False):
    """What the reference puts between a name and its value."""

    summary: Summary | None = None
    topics: Topics | None = None
    intents: Intents | None = None


def _unwrap(outer: Model, inner: Model | None) -> None:
    """Let a value take over the fields of the one that it wraps."""
    if inner is not None:
        for one in fields(inner):
            force_setattr(outer, one.name, getattr(inner, one.name))
