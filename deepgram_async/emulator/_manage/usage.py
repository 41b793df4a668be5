"""What a project used: the log of its requests, and sums over it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from yarl import URL

from deepgram_async.emulator._bodies import json_answer
from deepgram_async.emulator._calls import route
from deepgram_async.emulator._errors import INVALID_QUERY, Refusal

from . import asking
from .prices import usd
from .records import FEATURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aiohttp import web

    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._services import Services
    from deepgram_async.emulator._wire import Json

    from .records import LoggedRequest

__all__ = ["DAILY", "DEPLOYMENTS", "Group", "by_day", "matching", "routes"]

DAILY: Final[Json] = {"units": "day", "amount": 1}
DEPLOYMENTS: Final = ("hosted", "beta", "self-hosted")
# Everything here runs as the hosted service does.
_DEPLOYMENT: Final = "hosted"
_PRODUCTS: Final = ("listen", "read", "speak", "agent")
_METHODS: Final = ("sync", "async", "streaming")
_P: Final = "/v1/projects/{project_id}"

Group = tuple[str | tuple[str, ...], ...]
"""What the requests of a group have in common."""

_GROUPINGS: Final[dict[str, Callable[[LoggedRequest], str | tuple[str, ...]]]] = {
    "accessor": lambda request: request.accessor,
    "endpoint": lambda request: request.product,
    "feature_set": lambda request: ",".join(request.features),
    "models": lambda request: tuple(model.model_id for model in request.models),
    "method": lambda request: request.method,
    "tags": lambda request: request.tags,
    "deployment": lambda _: _DEPLOYMENT,
}


def routes(services: Services) -> list[web.RouteDef]:
    """Return the routes of usage and of the request log."""
    return [
        route(services, "GET", _P + path, endpoint, product="manage", scope="usage:read")
        for path, endpoint in (
            ("/requests", _requests),
            ("/requests/{request_id}", _request),
            ("/usage", _summary),
            ("/usage/fields", _fields),
            ("/usage/breakdown", _breakdown),
        )
    ]


# The log.


async def _requests(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    within = asking.read_range(request, call, since=project.created)
    limit, page = asking.limit(request), asking.page(request)
    status = asking.choice(request, "status", ("succeeded", "failed"))
    wanted_id = request.query.get("request_id")
    found = [
        it
        for it in matching(request, call)
        if it.created in within
        and wanted_id in (None, it.request_id)
        and (status is None or (status == "succeeded") is (it.status < 400))
    ]
    found.reverse()
    shown = found[page * limit : (page + 1) * limit]
    return json_answer({"page": page, "limit": limit, "requests": [_entry(it) for it in shown]})


async def _request(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    request_id = asking.path_id(request, "request_id")
    found = call.services.log.find(project.project_id, request_id)
    if found is None:
        raise asking.not_found()
    return json_answer({"request": _entry(found)})


def _config(request: LoggedRequest) -> dict[str, Json]:
    query = URL(request.path).query
    return {name: query[name] for name in ("language", "model") if name in query}


def _entry(request: LoggedRequest) -> Json:
    response: dict[str, Json] = {
        "code": request.status,
        "completed": asking.iso(request.completed),
    }
    if request.message:
        response["message"] = request.message
    models: list[Json] = [model.model_id for model in request.models]
    if request.product in ("listen", "read", "agent"):
        response["details"] = {
            "usd": round(usd(request), 6),
            "duration": round(request.audio_s, 6),
            "total_audio": round(request.audio_s * request.channels, 6),
            "channels": request.channels,
            "streams": 1,
            "method": request.method,
            "models": models,
            "tags": request.tags,
            "features": request.features,
            "config": _config(request),
        }
    if request.product == "speak":
        response["tts_details"] = {
            "duration": round(request.audio_s, 6),
            "speech_segments": [
                {"characters": request.characters, "model": model} for model in models
            ],
        }
    response["token_details"] = (
        [{"feature": request.product, "input": request.tokens_in, "output": request.tokens_out}]
        if request.tokens_in
        else []
    )
    entry: dict[str, Json] = {
        "request_id": request.request_id,
        "project_uuid": request.project_id,
        "created": asking.iso(request.created),
        "path": request.path,
        "api_key_id": request.accessor,
        "accessor": request.accessor,
        "response": response,
        "code": request.status,
        "deployment": _DEPLOYMENT,
    }
    if request.callback is not None:
        callback: dict[str, Json] = {"attempts": request.callback_attempts}
        if request.callback_status is not None:
            callback["code"] = request.callback_status
        if request.callback_completed is not None:
            callback["completed"] = asking.iso(request.callback_completed)
        entry["callback"] = callback
    return entry


# Which requests count.


def matching(request: web.Request, call: Call) -> Iterable[LoggedRequest]:
    """Return the project's requests that the filters of a query let through, in order.

    Raises:
        Refusal: A filter has an invalid value.
    """
    query = request.query
    deployment = asking.choice(request, "deployment", DEPLOYMENTS)
    product = asking.choice(request, "endpoint", _PRODUCTS)
    method = asking.choice(request, "method", _METHODS)
    accessor, model, tag = query.get("accessor"), query.get("model"), query.get("tag")
    features = {name: _flag(query[name]) for name in FEATURES & query.keys()}
    for it in call.services.log.of_project(call.caller.project_id):
        if (
            deployment in (None, _DEPLOYMENT)
            and product in (None, it.product)
            and method in (None, it.method)
            and accessor in (None, it.accessor)
            and (tag is None or tag in it.tags)
            and (model is None or any(model in (m.model_id, m.name) for m in it.models))
            and all((name in it.features) is used for name, used in features.items())
        ):
            yield it


def _flag(value: str) -> bool:
    if value not in ("true", "false"):
        raise Refusal(*INVALID_QUERY)
    return value == "true"


def by_day(
    requests: Iterable[LoggedRequest],
    within: asking.Range,
    group_of: Callable[[LoggedRequest], Group],
) -> Mapping[tuple[str, Group], list[LoggedRequest]]:
    """Return the requests of a range by their day and group, the first day first."""
    days: dict[tuple[str, Group], list[LoggedRequest]] = {}
    for request in requests:
        if request.created in within:
            day = datetime.fromtimestamp(request.created, UTC).date().isoformat()
            days.setdefault((day, group_of(request)), []).append(request)
    return days


# Sums.


async def _summary(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    within = asking.read_range(request, call, since=project.created)
    days = by_day(matching(request, call), within, lambda _: ())
    results: list[Json] = []
    for (day, _), requests in days.items():
        sums = _Sums(requests)
        results.append(
            {
                "start": day,
                "end": day,
                "hours": sums.hours,
                "total_hours": sums.total_hours,
                "requests": sums.requests,
                "tokens": {"in": sums.tokens_in, "out": sums.tokens_out},
                "tts": {"characters": sums.characters, "requests": sums.speak_requests},
            }
        )
    return json_answer({**_head(within), "results": results})


async def _breakdown(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    within = asking.read_range(request, call, since=project.created)
    grouping = asking.choice(request, "grouping", tuple(_GROUPINGS))
    wanted = () if grouping is None else (grouping,)
    days = by_day(
        matching(request, call), within, lambda it: tuple(_GROUPINGS[name](it) for name in wanted)
    )
    results: list[Json] = []
    for (day, values), requests in days.items():
        sums = _Sums(requests)
        group: dict[str, Json] = {"start": day, "end": day}
        # The specification knows no null for the models.
        group |= {name: None for name in _GROUPINGS if name != "models"}
        group.update(zip(wanted, values, strict=True))
        results.append(
            {
                "hours": sums.hours,
                "total_hours": sums.total_hours,
                "agent_hours": sums.agent_hours,
                "tokens_in": sums.tokens_in,
                "tokens_out": sums.tokens_out,
                "tts_characters": sums.characters,
                "requests": sums.requests,
                "grouping": group,
            }
        )
    return json_answer({**_head(within), "results": results})


def _head(within: asking.Range) -> dict[str, Json]:
    return {
        "start": within.first_day.isoformat(),
        "end": within.last_day.isoformat(),
        "resolution": DAILY,
    }


class _Sums:
    def __init__(self, requests: list[LoggedRequest]) -> None:
        heard = [it for it in requests if it.product == "listen"]
        self.hours = round(sum(it.audio_s for it in heard) / 3600, 9)
        self.total_hours = round(sum(it.audio_s * it.channels for it in heard) / 3600, 9)
        self.agent_hours = round(sum(it.agent_s for it in requests) / 3600, 9)
        self.tokens_in = sum(it.tokens_in for it in requests)
        self.tokens_out = sum(it.tokens_out for it in requests)
        self.characters = sum(it.characters for it in requests)
        self.requests = len(requests)
        self.speak_requests = sum(it.product == "speak" for it in requests)


async def _fields(request: web.Request, call: Call) -> web.Response:
    project = asking.project(request, call)
    within = asking.read_range(request, call, since=project.created)
    requests = [it for it in matching(request, call) if it.created in within]
    models = {model.model_id: model for it in requests for model in it.models}
    return json_answer(
        {
            "tags": sorted({tag for it in requests for tag in it.tags}),
            "models": [
                {
                    "name": model.name,
                    "language": model.language,
                    "version": model.version,
                    "model_id": model.model_id,
                }
                for model in models.values()
            ],
            "processing_methods": sorted({it.method for it in requests}),
            "features": sorted({name for it in requests for name in it.features}),
        }
    )
