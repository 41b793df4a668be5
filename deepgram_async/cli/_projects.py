"""The command that lists projects."""

from collections.abc import Sequence

import click

from deepgram_async import DeepgramSession
from deepgram_async.cli._connection import Connection, call
from deepgram_async.cli._output import print_json, print_table
from deepgram_async.models.manage import Project
from deepgram_async.models.manage_billing import Balance

__all__ = ["projects"]


@click.command()
@click.option("--balances", is_flag=True, help="With the credit that is left, one call for each.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of columns.")
@click.pass_obj
def projects(connection: Connection, balances: bool, as_json: bool) -> None:
    """List the projects of the key."""

    async def work(session: DeepgramSession) -> list[tuple[Project, Sequence[Balance]]]:
        found = (await session.projects.list()).projects
        if not balances:
            return [(project, ()) for project in found]
        return [
            (project, (await session.billing.balances.list(project.project_id)).balances)
            for project in found
        ]

    found = call(connection, work)
    if as_json:
        print_json([_fields_of(project, credit, balances) for project, credit in found])
        return
    names = ["project", "name", "balance"]
    rows = [(project.project_id, project.name, _sum_of(credit)) for project, credit in found]
    width = 3 if balances else 2
    print_table(names[:width], [row[:width] for row in rows])


def _fields_of(
    project: Project, credit: Sequence[Balance], has_balances: bool
) -> dict[str, object]:
    fields = project.to_dict()
    if has_balances:
        fields["balances"] = [balance.to_dict() for balance in credit]
    return fields


def _sum_of(credit: Sequence[Balance]) -> str:
    """Return the credit, added up for each unit."""
    sums: dict[str, float] = {}
    for balance in credit:
        unit = balance.units or ""
        sums[unit] = sums.get(unit, 0.0) + (balance.amount or 0.0)
    return ", ".join(f"{amount:.2f} {unit}".strip() for unit, amount in sums.items())
