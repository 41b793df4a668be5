"""Query options of usage, billing and the request log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, TypedDict

__all__ = [
    "BillingBreakdownOptions",
    "BillingGrouping",
    "Deployment",
    "Endpoint",
    "Method",
    "ProductScope",
    "RequestsOptions",
    "UsageBreakdownOptions",
    "UsageGrouping",
    "UsageOptions",
]

Deployment: TypeAlias = Literal["hosted", "beta", "self-hosted"]
"""Where a request was served."""

Endpoint: TypeAlias = Literal["listen", "read", "speak", "agent"]
"""The product that a request was sent to."""

Method: TypeAlias = Literal["sync", "async", "streaming"]
"""Kind of a request: one answer, a callback, or a live stream."""

ProductScope: TypeAlias = Literal[
    "self-hosted:products",
    "self-hosted:product:api",
    "self-hosted:product:engine",
    "self-hosted:product:license-proxy",
    "self-hosted:product:dgtools",
    "self-hosted:product:billing",
    "self-hosted:product:hotpepper",
    "self-hosted:product:metrics-server",
]
"""Container images of a self-hosted service that credentials open."""

UsageGrouping: TypeAlias = Literal[
    "accessor", "endpoint", "feature_set", "models", "method", "tags", "deployment"
]
"""Dimensions of a usage report."""

BillingGrouping: TypeAlias = Literal["accessor", "deployment", "line_item", "tags"]
"""Dimensions of a billing report."""


class UsageOptions(TypedDict, total=False):
    """Which requests of a project to count.

    A flag that is ``True`` counts requests with the feature, one that is ``False`` those without.
    Several ``True`` widen the choice (any of them), several ``False`` narrow it (none of them).
    """

    accessor: str
    """Only requests made with this key, or by this member; an id."""

    deployment: Deployment | str
    """Only requests that were served there."""

    endpoint: Endpoint | str
    """Only requests to this product."""

    method: Method | str
    """Only requests of this kind: one answer, a callback, or a live stream."""

    model: str
    """Only requests with this model; its UUID."""

    tag: str
    """Only requests with this label."""

    alternatives: bool
    """Requests that used `alternatives`."""

    callback: bool
    """Requests that used `callback`."""

    callback_method: bool
    """Requests that used `callback_method`."""

    channels: bool
    """Requests that used `channels`."""

    custom_intent: bool
    """Requests that used `custom_intent`."""

    custom_intent_mode: bool
    """Requests that used `custom_intent_mode`."""

    custom_topic: bool
    """Requests that used `custom_topic`."""

    custom_topic_mode: bool
    """Requests that used `custom_topic_mode`."""

    detect_entities: bool
    """Requests that used `detect_entities`."""

    detect_language: bool
    """Requests that used `detect_language`."""

    diarize: bool
    """Requests that used `diarize`."""

    dictation: bool
    """Requests that used `dictation`."""

    encoding: bool
    """Requests that used `encoding`."""

    extra: bool
    """Requests that used `extra`."""

    filler_words: bool
    """Requests that used `filler_words`."""

    intents: bool
    """Requests that used `intents`."""

    keyterm: bool
    """Requests that used `keyterm`."""

    keywords: bool
    """Requests that used `keywords`."""

    language: bool
    """Requests that used `language`."""

    measurements: bool
    """Requests that used `measurements`."""

    multichannel: bool
    """Requests that used `multichannel`."""

    numerals: bool
    """Requests that used `numerals`."""

    paragraphs: bool
    """Requests that used `paragraphs`."""

    profanity_filter: bool
    """Requests that used `profanity_filter`."""

    punctuate: bool
    """Requests that used `punctuate`."""

    redact: bool
    """Requests that used `redact`."""

    replace: bool
    """Requests that used `replace`."""

    sample_rate: bool
    """Requests that used `sample_rate`."""

    search: bool
    """Requests that used `search`."""

    sentiment: bool
    """Requests that used `sentiment`."""

    smart_format: bool
    """Requests that used `smart_format`."""

    summarize: bool
    """Requests that used `summarize`."""

    topics: bool
    """Requests that used `topics`."""

    utt_split: bool
    """Requests that used `utt_split`."""

    utterances: bool
    """Requests that used `utterances`."""

    version: bool
    """Requests that used `version`."""


class UsageBreakdownOptions(UsageOptions, total=False):
    """Which requests of a project to count, and how to group them."""

    grouping: UsageGrouping | str
    """The dimension to group by. Default: sums over all requests."""


class BillingBreakdownOptions(TypedDict, total=False):
    """Which costs of a project to add up, and how to group them."""

    accessor: str
    """Only costs of this key or member; an id."""

    deployment: Deployment | str
    """Only costs of work done there."""

    tag: str
    """Only costs of requests with this label."""

    line_item: str
    """Only costs of this item, such as ``"streaming::nova-3"``."""

    grouping: BillingGrouping | str | Sequence[BillingGrouping | str]
    """The dimensions to group by. Default: sums over everything."""


class RequestsOptions(TypedDict, total=False):
    """Which requests of the log to list, and which page of them."""

    limit: int
    """Requests in one page, from 1 to 1000. Default: 10."""

    accessor: str
    """Only requests made with this key, or by this member; an id."""

    request_id: str
    """Only the request with this id."""

    deployment: Deployment | str
    """Only requests that were served there."""

    endpoint: Endpoint | str
    """Only requests to this product."""

    method: Method | str
    """Only requests of this kind: one answer, a callback, or a live stream."""

    status: Literal["succeeded", "failed"] | str
    """Only requests that ended like this: status below 300, or 400 and above."""

    page: int
    """Number of the page. Default: the first."""
