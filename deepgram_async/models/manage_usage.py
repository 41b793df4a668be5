"""Answers about what a project used: sums over time, and single requests.

Days are ``YYYY-MM-DD`` and times ISO 8601 strings, as sent.
"""

from typing import TypeAlias

from msgspec import field

from deepgram_async.models._base import Answer, Model

__all__ = [
    "Breakdown",
    "BreakdownResult",
    "Callback",
    "Details",
    "Fields",
    "FieldsModel",
    "Grouping",
    "Integer",
    "Request",
    "RequestItem",
    "Requests",
    "Resolution",
    "Response",
    "SpeechSegment",
    "TokenDetails",
    "Tokens",
    "Tts",
    "TtsDetails",
    "Usage",
    "UsageResult",
]

Integer: TypeAlias = int | float
"""A whole number that the service may write as ``200.0``."""


class Resolution(Model, frozen=True, kw_only=True, gc=False):
    """The steps in which results are given, such as one ``"day"``."""

    units: str | None = None
    amount: float | None = None


class Tokens(Model, frozen=True, kw_only=True, gc=False):
    """Tokens that a language model read and wrote; on the wire ``in`` and ``out``."""

    in_: Integer | None = field(name="in", default=None)
    out: Integer | None = None


class Tts(Model, frozen=True, kw_only=True, gc=False):
    """Text that was turned into speech."""

    characters: Integer | None = None
    requests: Integer | None = None


class UsageResult(Model, frozen=True, kw_only=True, gc=False):
    """Usage of one step of time.

    Attributes:
        hours: Hours of audio.
        total_hours: The same with each channel counted on its own.
    """

    start: str | None = None
    end: str | None = None
    hours: float | None = None
    total_hours: float | None = None
    requests: Integer | None = None
    tokens: Tokens | None = None
    tts: Tts | None = None


class Usage(Answer, frozen=True, kw_only=True):
    """What a project used in a range of days.

    Attributes:
        results: Not documented any more; `dg.usage.breakdown` always has them.
    """

    start: str
    end: str
    resolution: Resolution | None = None
    results: list[UsageResult] | None = None


class Grouping(Model, frozen=True, kw_only=True, gc=False):
    """What a result of a breakdown is about; only the dimension asked for is filled."""

    start: str | None = None
    end: str | None = None
    accessor: str | None = None
    endpoint: str | None = None
    feature_set: str | None = None
    models: list[str] | None = None
    method: str | None = None
    tags: list[str] | None = None
    deployment: str | None = None


class BreakdownResult(Model, frozen=True, kw_only=True, gc=False):
    """Usage of one group in one step of time.

    Attributes:
        hours: Hours of audio.
        total_hours: The same with each channel counted on its own.
        agent_hours: Hours of conversation with agents.
        tts_characters: Characters turned into speech.
    """

    grouping: Grouping
    hours: float | None = None
    total_hours: float | None = None
    agent_hours: float | None = None
    tokens_in: Integer | None = None
    tokens_out: Integer | None = None
    tts_characters: Integer | None = None
    requests: Integer | None = None


class Breakdown(Answer, frozen=True, kw_only=True):
    """What a project used, by step of time and group."""

    start: str
    end: str
    resolution: Resolution
    results: list[BreakdownResult]


class FieldsModel(Model, frozen=True, kw_only=True, gc=False):
    """A model that was used; `model_id` is the value for the filter ``model``."""

    name: str | None = None
    language: str | None = None
    version: str | None = None
    model_id: str | None = None


class Fields(Answer, frozen=True, kw_only=True):
    """The values that occur in a range of days, and so make sense as filters."""

    tags: list[str] = field(default_factory=list[str])
    models: list[FieldsModel] = field(default_factory=list[FieldsModel])
    processing_methods: list[str] = field(default_factory=list[str])
    features: list[str] = field(default_factory=list[str])


class Callback(Model, frozen=True, kw_only=True, gc=False):
    """How the delivery to a callback went."""

    attempts: Integer | None = None
    code: Integer | None = None
    completed: str | None = None


class Details(Model, frozen=True, kw_only=True, gc=False):
    """What a transcription or analysis was about.

    Attributes:
        usd: Price in US dollars.
        duration: Seconds of audio.
        total_audio: The same with each channel counted on its own.
        config: The options of the request, as the service understood them.
    """

    usd: float | None = None
    duration: float | None = None
    total_audio: float | None = None
    channels: Integer | None = None
    streams: Integer | None = None
    method: str | None = None
    tier: str | None = None
    models: list[str] | None = None
    tags: list[str] | None = None
    features: list[str] | None = None
    config: dict[str, object] | None = None


class SpeechSegment(Model, frozen=True, kw_only=True, gc=False):
    """A piece of text that was turned into speech."""

    characters: Integer | None = None
    model: str | None = None
    tier: str | None = None


class TtsDetails(Model, frozen=True, kw_only=True, gc=False):
    """What a speech request was about; `duration` is seconds of audio."""

    duration: float | None = None
    speech_segments: list[SpeechSegment] | None = None


class TokenDetails(Model, frozen=True, kw_only=True, gc=False):
    """Tokens that a feature read and wrote."""

    feature: str | None = None
    input: Integer | None = None
    model: str | None = None
    output: Integer | None = None


class Response(Model, frozen=True, kw_only=True, gc=False):
    """How the service answered a request.

    Attributes:
        code: HTTP status.
        completed: When the work was done.
    """

    code: Integer | None = None
    completed: str | None = None
    message: str | None = None
    details: Details | None = None
    tts_details: TtsDetails | None = None
    token_details: list[TokenDetails] | None = None


class Request(Model, frozen=True, kw_only=True, gc=False):
    """One request in the log of a project.

    Attributes:
        path: Path with the query string.
        accessor: Id of the key or member that made the request.
        code: HTTP status.
        callback: How the delivery went, or the URL, where one was asked for.
    """

    request_id: str
    project_uuid: str | None = None
    created: str | None = None
    path: str | None = None
    api_key_id: str | None = None
    accessor: str | None = None
    response: Response | None = None
    code: Integer | None = None
    deployment: str | None = None
    callback: Callback | str | None = None


class Requests(Answer, frozen=True, kw_only=True):
    """One page of the log of a project.

    Attributes:
        page: Number of the page.
        limit: Length of a full page.
    """

    requests: list[Request]
    page: Integer | None = None
    limit: Integer | None = None


class RequestItem(Answer, frozen=True, kw_only=True):
    """A single request of the log, as the service nests it."""

    request: Request
