"""The command that sums up usage."""

from collections.abc import Sequence
from typing import Final

import click

from deepgram_async import DeepgramSession
from deepgram_async.cli._connection import Connection, call, project_of
from deepgram_async.cli._options import options_of, param_flags, query_of
from deepgram_async.cli._output import print_json, print_table
from deepgram_async.models import manage_billing, manage_usage
from deepgram_async.options import BillingBreakdownOptions, UsageBreakdownOptions

__all__ = ["usage"]

_NUMBERS: Final = (
    ("hours", "hours"),
    ("agent hours", "agent_hours"),
    ("characters", "tts_characters"),
    ("requests", "requests"),
    ("tokens in", "tokens_in"),
    ("tokens out", "tokens_out"),
)


@click.command()
@click.option("--start", metavar="DAY", help="First day, as 2026-01-31.")
@click.option("--end", metavar="DAY", help="Last day.")
@click.option(
    "--by",
    "grouping",
    metavar="NAME",
    help="Group by models, method, endpoint, tags, accessor, deployment or feature_set; "
    "costs also by line_item.",
)
@click.option("--costs", is_flag=True, help="US dollars instead of what was used.")
@param_flags
@click.option("--json", "as_json", is_flag=True, help="Print the answer instead of columns.")
@click.pass_obj
def usage(
    connection: Connection,
    start: str | None,
    end: str | None,
    grouping: str | None,
    costs: bool,
    params: Sequence[str],
    extra_query: Sequence[str],
    as_json: bool,
) -> None:
    """Sum up what a project used.

    --param takes the filters of the service, such as method=streaming or tag=web.
    """
    query = query_of(extra_query)
    spent_on = options_of(BillingBreakdownOptions, params if costs else (), grouping=grouping)
    used_for = options_of(UsageBreakdownOptions, () if costs else params, grouping=grouping)

    async def work(
        session: DeepgramSession,
    ) -> manage_billing.Breakdown | manage_usage.Breakdown:
        project = await project_of(connection, session)
        if costs:
            return await session.billing.breakdown(
                project, start=start, end=end, extra_query=query, **spent_on
            )
        return await session.usage.breakdown(
            project, start=start, end=end, extra_query=query, **used_for
        )

    answer = call(connection, work, keep_raw=as_json)
    if as_json:
        print_json(answer.to_dict())
    elif isinstance(answer, manage_billing.Breakdown):
        _print_costs(answer)
    else:
        _print_usage(answer)


def _print_costs(answer: manage_billing.Breakdown) -> None:
    print_table(
        ["from", "to", "group", "usd"],
        [
            (
                result.grouping.start,
                result.grouping.end,
                _group(result.grouping),
                f"{result.dollars:.4f}",
            )
            for result in answer.results
        ],
    )


def _print_usage(answer: manage_usage.Breakdown) -> None:
    rows = [
        [result.grouping.start, result.grouping.end, _group(result.grouping)]
        + [_number(getattr(result, field)) for _, field in _NUMBERS]
        for result in answer.results
    ]
    print_table(["from", "to", "group", *(title for title, _ in _NUMBERS)], rows)


def _group(grouping: manage_usage.Grouping | manage_billing.Grouping) -> str:
    """Return the dimensions that are filled; the days have columns of their own."""
    words: list[str] = []
    for name in type(grouping).__struct_fields__:
        value: str | list[str] | None = getattr(grouping, name)
        if name not in ("start", "end") and value:
            words += [value] if isinstance(value, str) else value
    return " ".join(words)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")
