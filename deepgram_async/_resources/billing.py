"""What a project spent, and what is left: ``dg.billing``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypedDict, Unpack

from deepgram_async._documented import takes_options
from deepgram_async._protocol import rules_management as rules
from deepgram_async._protocol.dates import When, days
from deepgram_async._protocol.query import QueryValue
from deepgram_async._protocol.requests import Route
from deepgram_async._resources.sender import Sender
from deepgram_async.models import manage_billing as models
from deepgram_async.options import BillingBreakdownOptions

__all__ = ["Balances", "Billing"]

_PATH: Final = "/v1/projects/{project_id}"
_LIST_BALANCES: Final = Route("GET", f"{_PATH}/balances", models.Balances)
_GET_BALANCE: Final = Route("GET", f"{_PATH}/balances/{{balance_id}}", models.Balance)
_BREAKDOWN: Final = Route("GET", f"{_PATH}/billing/breakdown", models.Breakdown)
_FIELDS: Final = Route("GET", f"{_PATH}/billing/fields", models.Fields)
_PURCHASES: Final = Route("GET", f"{_PATH}/purchases", models.Purchases)


class _FieldsQuery(TypedDict, total=False):
    pass


class _PurchasesQuery(TypedDict, total=False):
    limit: int


class Billing:
    """What a project spent, and what is left.

    Attributes:
        balances: Credit that is left.
    """

    balances: Balances

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.balances = Balances(sender)

    @takes_options(BillingBreakdownOptions)
    async def breakdown(
        self,
        project_id: str | None = None,
        *,
        start: When | None = None,
        end: When | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[BillingBreakdownOptions],
    ) -> models.Breakdown:
        """Return what a project spent, day by day and group by group.

        Args:
            project_id: The project; that of the session if left out.
            start: First day.
            end: Last day.
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: Which costs to add up, and how to group them; ``None`` is not sent.

        Raises:
            OptionError: An option is unknown, or has the wrong type.
        """
        extra = {**days(start, end), **(extra_query or {})}
        query = self._sender.query(options, BillingBreakdownOptions, extra)
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_BREAKDOWN, ids=ids, query=query)

    async def fields(
        self,
        project_id: str | None = None,
        *,
        start: When | None = None,
        end: When | None = None,
    ) -> models.Fields:
        """Return the keys, tags and line items that occur in a range of days.

        Args:
            project_id: The project; that of the session if left out.
            start: First day.
            end: Last day.
        """
        query = self._sender.query({}, _FieldsQuery, days(start, end))
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_FIELDS, ids=ids, query=query)

    async def purchases(
        self, project_id: str | None = None, *, limit: int | None = None
    ) -> models.Purchases:
        """Return the purchases of a project.

        Args:
            project_id: The project; that of the session if left out.
            limit: How many at most, from 1 to 1000; 10 if left out.

        Raises:
            OptionError: The limit is out of range.
        """
        options = {"limit": limit}
        if self._sender.validate:
            rules.check(options)
        query = self._sender.query(options, _PurchasesQuery)
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_PURCHASES, ids=ids, query=query)


class Balances:
    """Credit that is left, one balance for each purchase."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def list(self, project_id: str | None = None) -> models.Balances:
        """Return the balances of a project; that of the session if left out."""
        ids = {"project_id": self._sender.project(project_id)}
        return await self._sender.send(_LIST_BALANCES, ids=ids)

    async def get(self, balance_id: str, *, project_id: str | None = None) -> models.Balance:
        """Return one balance.

        Raises:
            NotFoundError: The project has no such balance.
        """
        ids = {"project_id": self._sender.project(project_id), "balance_id": balance_id}
        return await self._sender.send(_GET_BALANCE, ids=ids)
