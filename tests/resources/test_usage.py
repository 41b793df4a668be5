"""Usage, the log of requests, and billing."""

import inspect
import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from deepgram_async import Billing, Requests, Usage
from deepgram_async.errors import NotFoundError, OptionError, PermissionDeniedError
from deepgram_async.models import Model, manage_billing, manage_usage
from deepgram_async.options import UsageOptions
from tests.support import management as answers
from tests.support.wire import Operation, assert_on_the_wire, service

JANUARY = "start=2026-01-01&end=2026-01-31"
OPERATIONS = {
    "usage.get": Operation(
        lambda dg: dg.usage.get(
            start=date(2026, 1, 1), end="2026-01-31", endpoint="listen", diarize=True
        ),
        "GET",
        "/v1/projects/p-1/usage",
        manage_usage.Usage,
        answers.USAGE,
        query=f"endpoint=listen&diarize=true&{JANUARY}",
    ),
    "usage.breakdown": Operation(
        lambda dg: dg.usage.breakdown(
            "p-2",
            grouping="feature_set",
            smart_format=False,
            tag="web",
            extra_query={"since": date(2026, 1, 1)},
        ),
        "GET",
        "/v1/projects/p-2/usage/breakdown",
        manage_usage.Breakdown,
        answers.USAGE_BREAKDOWN,
        query="grouping=feature_set&smart_format=false&tag=web&since=2026-01-01",
    ),
    "usage.fields": Operation(
        lambda dg: dg.usage.fields(start=datetime(2026, 1, 1, 23, 59), end=date(2026, 1, 31)),
        "GET",
        "/v1/projects/p-1/usage/fields",
        manage_usage.Fields,
        answers.USAGE_FIELDS,
        query=JANUARY,
    ),
    "requests.list": Operation(
        lambda dg: dg.requests.list(
            start=datetime(2026, 1, 1, 10, 20, 30, tzinfo=UTC),
            end=date(2026, 1, 31),
            limit=20,
            page=2,
            accessor="a-1",
            request_id="r-1",
            deployment="hosted",
            endpoint="speak",
            method="sync",
            status="failed",
        ),
        "GET",
        "/v1/projects/p-1/requests",
        manage_usage.Requests,
        answers.REQUESTS,
        query="limit=20&page=2&accessor=a-1&request_id=r-1&deployment=hosted&endpoint=speak"
        "&method=sync&status=failed&start=2026-01-01T10:20:30%2B00:00&end=2026-01-31",
    ),
    "requests.get": Operation(
        lambda dg: dg.requests.get("r-1"),
        "GET",
        "/v1/projects/p-1/requests/r-1",
        manage_usage.RequestItem,
        answers.REQUEST_ITEM,
    ),
    "billing.balances.list": Operation(
        lambda dg: dg.billing.balances.list(),
        "GET",
        "/v1/projects/p-1/balances",
        manage_billing.Balances,
        answers.BALANCES,
    ),
    "billing.balances.get": Operation(
        lambda dg: dg.billing.balances.get("b-1", project_id="p-2"),
        "GET",
        "/v1/projects/p-2/balances/b-1",
        manage_billing.Balance,
        answers.BALANCE,
    ),
    "billing.breakdown": Operation(
        lambda dg: dg.billing.breakdown(
            start="2026-01-01",
            end="2026-01-31",
            line_item="streaming::nova-3",
            grouping=["deployment", "tags"],
        ),
        "GET",
        "/v1/projects/p-1/billing/breakdown",
        manage_billing.Breakdown,
        answers.BILLING_BREAKDOWN,
        query=f"line_item=streaming::nova-3&grouping=deployment&grouping=tags&{JANUARY}",
    ),
    "billing.fields": Operation(
        lambda dg: dg.billing.fields(end=date(2026, 1, 31)),
        "GET",
        "/v1/projects/p-1/billing/fields",
        manage_billing.Fields,
        answers.BILLING_FIELDS,
        query="end=2026-01-31",
    ),
    "billing.purchases": Operation(
        lambda dg: dg.billing.purchases(limit=1000),
        "GET",
        "/v1/projects/p-1/purchases",
        manage_billing.Purchases,
        answers.PURCHASES,
        query="limit=1000",
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_call_is_what_the_reference_says(name: str) -> None:
    await assert_on_the_wire(OPERATIONS[name])


async def test_every_filter_of_usage_is_sent() -> None:
    flags: UsageOptions = {}
    for name, annotation in UsageOptions.__annotations__.items():
        text = annotation if isinstance(annotation, str) else annotation.__forward_arg__
        flags[name] = True if text == "bool" else "x"  # type: ignore[literal-required]
    async with service(answers.USAGE) as own, own.session() as dg:
        await dg.usage.get(**flags)
    sent = parse_qs(own.received[0].query)
    assert sent == {name: ["true" if value is True else "x"] for name, value in flags.items()}
    assert len(sent) == 42


# With a session of any type: these calls are wrong for the type checkers too.
Call = Callable[[Any], Awaitable[Model]]
WRONG: list[tuple[Call, str]] = [
    (lambda dg: dg.usage.get(diarise=True), "did you mean 'diarize'"),
    (lambda dg: dg.usage.get(diarize="yes"), "option diarize"),
    (lambda dg: dg.usage.get(start=20260101), "option start: expected a date"),
    (lambda dg: dg.usage.get(grouping="tags"), "unknown option 'grouping'"),
    (lambda dg: dg.requests.list(limit=1001), "limit is from 1 to 1000, not 1001"),
    (lambda dg: dg.requests.list(page="two"), "option page"),
    (lambda dg: dg.requests.get("../r"), "is not an id"),
    (lambda dg: dg.billing.breakdown(grouping=[1]), "option grouping"),
    (lambda dg: dg.billing.purchases(limit=0), "limit is from 1 to 1000, not 0"),
    (lambda dg: dg.billing.balances.get(""), "is not an id"),
]


@pytest.mark.parametrize(("call", "message"), WRONG)
async def test_a_wrong_option_is_refused_before_the_request(call: Call, message: str) -> None:
    async with service({}) as own, own.session() as dg:
        with pytest.raises(OptionError, match=message):
            await call(dg)
    assert own.received == []


async def test_what_is_not_there_is_told() -> None:
    async with service({"err_msg": "No such thing."}, status=404) as own, own.session() as dg:
        for call in (dg.requests.get, dg.billing.balances.get):
            with pytest.raises(NotFoundError, match="No such thing"):
                await call("x")


async def test_what_is_not_permitted_is_told() -> None:
    body = {"err_code": "INSUFFICIENT_PERMISSIONS", "err_msg": "No."}
    async with service(body, status=403) as own, own.session() as dg:
        for call in (dg.usage.get, dg.usage.breakdown, dg.billing.purchases, dg.requests.list):
            with pytest.raises(PermissionDeniedError):
                await call()


# Page after page.


def page_of(number: int | None, *ids: str, limit: int | None = 2) -> dict[str, Any]:
    page = {"page": number, "limit": limit, "requests": [{"request_id": id_} for id_ in ids]}
    return {name: value for name, value in page.items() if value is not None}


async def read(pages: list[dict[str, Any]], **options: Any) -> tuple[list[str], list[str]]:
    """Return the ids of the requests that were yielded, and the queries that were sent."""
    async with service(*pages) as own, own.session() as dg:
        found = [request.request_id async for request in dg.requests.iter(**options)]
    return found, [unquote(request.query) for request in own.received]


async def test_all_pages_are_read_until_one_is_short() -> None:
    pages = [page_of(0, "a", "b"), page_of(1, "c", "d"), page_of(2, "e")]
    found, queries = await read(pages, limit=2, status="failed", end="2026-01-31")
    assert found == ["a", "b", "c", "d", "e"]
    assert queries == [
        "limit=2&status=failed&end=2026-01-31",
        "limit=2&status=failed&page=1&end=2026-01-31",
        "limit=2&status=failed&page=2&end=2026-01-31",
    ]


async def test_pages_may_be_counted_from_one() -> None:
    found, queries = await read([page_of(1, "a", "b"), page_of(2)], limit=2)
    assert found == ["a", "b"]
    assert queries == ["limit=2", "limit=2&page=2"]


async def test_pages_without_a_number_are_counted_here() -> None:
    pages = [page_of(None, "a", limit=None), page_of(None, "b", limit=None), page_of(None)]
    found, queries = await read(pages, limit=1)
    assert found == ["a", "b"]
    assert queries == ["limit=1", "limit=1&page=1", "limit=1&page=2"]


async def test_a_first_page_can_be_chosen() -> None:
    found, queries = await read([page_of(7, "x")], page=7)
    assert found == ["x"]
    assert queries == ["page=7&limit=100"]


async def test_a_service_with_shorter_pages_is_read_to_the_end() -> None:
    found, _ = await read([page_of(0, "a", "b", limit=2), page_of(1, "c")], limit=1000)
    assert found == ["a", "b", "c"]


async def test_a_request_that_moved_to_the_next_page_is_yielded_once() -> None:
    found, _ = await read([page_of(0, "c", "b"), page_of(1, "b", "a"), page_of(2)], limit=2)
    assert found == ["c", "b", "a"]


async def test_a_service_that_does_not_count_pages_is_not_asked_forever() -> None:
    found, queries = await read([page_of(0, "a", "b")], limit=2)
    assert found == ["a", "b"]
    assert len(queries) == 2


async def test_an_empty_log_yields_nothing() -> None:
    assert await read([page_of(0)]) == ([], ["limit=100"])


async def test_pages_are_called_for_only_when_they_are_needed() -> None:
    async with service(page_of(0, "a", "b"), page_of(1)) as own, own.session() as dg:
        async with aclosing(dg.requests.iter("p-2", limit=2)) as log:
            async for _ in log:
                break
    assert [request.path for request in own.received] == ["/v1/projects/p-2/requests"]


async def test_an_error_on_the_way_reaches_the_reader() -> None:
    async with service({"err_msg": "No."}, status=403) as own, own.session() as dg:
        with pytest.raises(PermissionDeniedError):
            await anext(dg.requests.iter())
        with pytest.raises(OptionError):
            await anext(dg.requests.iter(limit=5000))
    assert len(own.received) == 1


@pytest.mark.parametrize("call", [Usage.get, Usage.breakdown, Billing.breakdown, Requests.iter])
def test_help_lists_every_option_with_its_words(call: Callable[..., object]) -> None:
    text = inspect.getdoc(call) or ""
    listed = text.partition("\nOptions:\n")[2]
    entries = re.findall(r"^    (\w+) \(.*?\):", listed, re.MULTILINE | re.DOTALL)
    assert set(entries) < set(inspect.signature(call).parameters)
    assert "accessor (str): Only" in listed
    assert "(bool):\n" not in listed, "an option without words"


def test_a_flag_is_described_by_its_feature() -> None:
    assert "diarize (bool): Requests that used `diarize`." in (inspect.getdoc(Usage.get) or "")
