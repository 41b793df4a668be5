"""Credit, and what was spent of it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from deepgram_async.emulator._bodies import json_answer
from deepgram_async.emulator._calls import route
from deepgram_async.emulator._errors import INVALID_QUERY, Refusal

from . import asking
from .prices import CREDIT_USD, line_item, line_item_name, usd
from .usage import DAILY, DEPLOYMENTS, by_day, matching

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._services import Services
    from deepgram_async.emulator._wire import Json

    from .records import LoggedRequest, Project

__all__ = ["routes"]

_P: Final = "/v1/projects/{project_id}"
_YEAR_S: Final = 365 * 24 * 3600
# Stable, so that the ids of a project's purchase are the same in every run.
_IDS: Final = uuid.UUID("0d3b4d0e-9d7a-4d52-8ff6-3b8a5a4d9f77")

_GROUPINGS: Final[dict[str, Callable[[LoggedRequest], str | tuple[str, ...]]]] = {
    "accessor": lambda request: request.accessor,
    "deployment": lambda _: "hosted",
    "line_item": line_item,
    "tags": lambda request: request.tags,
}


def routes(services: Services) -> list[web.RouteDef]:
    """Return the routes of balances, purchases and billing."""
    return [
        route(services, "GET", _P + path, endpoint, product="manage", scope="billing:read")
        for path, endpoint in (
            ("/balances", _balances),
            ("/balances/{balance_id}", _balance),
            ("/purchases", _purchases),
            ("/billing/breakdown", _breakdown),
            ("/billing/fields", _fields),
        )
    ]


async def _balances(request: web.Request, call: Call) -> web.Response:
    return json_answer({"balances": [_left(asking.project(request, call), call)]})


async def _balance(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    if asking.path_id(request, "balance_id") != _id_of("balance", project):
        raise asking.not_found()
    return json_answer(_left(project, call))


def _left(project: Project, call: Call) -> Json:
    spent = sum(usd(it) for it in call.services.log.of_project(project.project_id))
    return {
        "balance_id": _id_of("balance", project),
        "amount": round(max(CREDIT_USD - spent, 0.0), 6),
        "units": "usd",
        "purchase_order_id": _id_of("order", project),
    }


async def _purchases(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    asking.limit(request)
    return json_answer(
        {
            "orders": [
                {
                    "order_id": _id_of("order", project),
                    "expiration": asking.iso(project.created + _YEAR_S),
                    "created": asking.iso(project.created),
                    "amount": CREDIT_USD,
                    "units": "usd",
                    "order_type": "promotional",
                }
            ]
        }
    )


def _id_of(what: str, project: Project) -> str:
    return str(uuid.uuid5(_IDS, f"{what} {project.project_id}"))


async def _breakdown(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    within = asking.read_range(request, call, since=project.created)
    grouping = request.query.getall("grouping", [])
    if not set(grouping) <= _GROUPINGS.keys():
        raise Refusal(*INVALID_QUERY)
    wanted_item = request.query.get("line_item")
    counted = (it for it in matching(request, call) if wanted_item in (None, line_item(it)))
    days = by_day(counted, within, lambda it: tuple(_GROUPINGS[name](it) for name in grouping))
    results: list[Json] = []
    for (day, values), requests in days.items():
        group: dict[str, Json] = {"start": day, "end": day, **dict.fromkeys(_GROUPINGS)}
        group.update(zip(grouping, values, strict=True))
        dollars = round(sum(map(usd, requests)), 6)
        results.append({"dollars": dollars, "grouping": group})
    return json_answer(
        {
            "start": within.first_day.isoformat(),
            "end": within.last_day.isoformat(),
            "resolution": DAILY,
            "results": results,
        }
    )


async def _fields(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    within = asking.read_range(request, call, since=project.created)
    requests = [it for it in matching(request, call) if it.created in within]
    items = sorted(set(map(line_item, requests)))
    return json_answer(
        {
            "accessors": sorted({it.accessor for it in requests}),
            "deployments": DEPLOYMENTS[:1] if requests else (),
            "tags": sorted({tag for it in requests for tag in it.tags}),
            "line_items": {item: line_item_name(item) for item in items},
        }
    )
