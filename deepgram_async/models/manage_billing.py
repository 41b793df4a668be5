"""Answers about money: balances, purchases, and what was spent for what.

Days are ``YYYY-MM-DD`` and times ISO 8601 strings, as sent.
"""

from typing import Literal, TypeAlias

from msgspec import field

from deepgram_async.models._base import Answer, Model
from deepgram_async.models.manage_usage import Resolution

__all__ = [
    "Balance",
    "Balances",
    "Breakdown",
    "BreakdownResult",
    "Deployment",
    "Fields",
    "Grouping",
    "Order",
    "Purchases",
]

Deployment: TypeAlias = Literal["hosted", "beta", "self-hosted", "dedicated"] | str
"""Where the work was done; an open set."""


class Balance(Answer, frozen=True, kw_only=True):
    """Credit that is left of one purchase.

    Attributes:
        units: Such as ``"usd"`` or ``"hour"``.
    """

    balance_id: str
    amount: float | None = None
    units: str | None = None
    purchase_order_id: str | None = None


class Balances(Answer, frozen=True, kw_only=True):
    """The outstanding balances of a project."""

    balances: list[Balance]


class Grouping(Model, frozen=True, kw_only=True, gc=False):
    """What a result of a breakdown is about; only the dimensions asked for are filled."""

    start: str | None = None
    end: str | None = None
    accessor: str | None = None
    deployment: Deployment | None = None
    line_item: str | None = None
    tags: list[str] | None = None


class BreakdownResult(Model, frozen=True, kw_only=True, gc=False):
    """US dollars spent by one group in one step of time."""

    dollars: float
    grouping: Grouping


class Breakdown(Answer, frozen=True, kw_only=True):
    """What a project spent, by step of time and group."""

    start: str
    end: str
    resolution: Resolution
    results: list[BreakdownResult]


class Fields(Answer, frozen=True, kw_only=True):
    """The values that occur in a range of days, and so make sense as filters.

    Attributes:
        accessors: Ids of keys and members.
        line_items: Names to show, by the value for the filter, such as ``"streaming::nova-3"``.
    """

    accessors: list[str] = field(default_factory=list[str])
    deployments: list[Deployment] = field(default_factory=list[Deployment])
    tags: list[str] = field(default_factory=list[str])
    line_items: dict[str, str] = field(default_factory=dict[str, str])


class Order(Model, frozen=True, kw_only=True, gc=False):
    """One purchase or gift of credit.

    Attributes:
        order_type: Such as ``"promotional"``.
    """

    order_id: str
    expiration: str | None = None
    created: str | None = None
    amount: float | None = None
    units: str | None = None
    order_type: str | None = None


class Purchases(Answer, frozen=True, kw_only=True):
    """The purchases of a project."""

    orders: list[Order]
