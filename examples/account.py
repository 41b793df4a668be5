"""Show what an account holds and what it used in the last week: python account.py [PROJECT_ID]."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice

from deepgram_async import DeepgramSession
from deepgram_async.errors import PermissionDeniedError


async def main(project_id: str | None = None) -> None:
    """Print the credit, the keys, the usage and the failed requests of a project."""
    today = datetime.now(UTC)
    last_week = today - timedelta(days=7)
    async with DeepgramSession(project_id=project_id) as dg:
        projects = (await dg.projects.list()).projects
        print("Projects:", ", ".join(f"{each.name} ({each.project_id})" for each in projects))
        dg = dg.with_options(project_id=project_id or projects[0].project_id)

        usage = await dg.usage.breakdown(start=last_week, end=today, grouping="endpoint")
        for result in usage.results:
            print(
                f"{result.grouping.start}  {result.grouping.endpoint}: "
                f"{result.requests} requests, {result.hours or 0:.1f} hours"
            )
        async for request in dg.requests.iter(start=last_week, end=today, status="failed"):
            print(f"failed: {request.created}  {request.code}  {request.path}")

        try:
            balances = await dg.billing.balances.list()
            keys = await dg.keys.list(status="active")
        except PermissionDeniedError as error:
            print("This key may not see credit and keys:", error.message)
            return
        for balance in balances.balances:
            print(f"Credit: {balance.amount} {balance.units}")
        for entry in islice(keys.api_keys, 10):
            print(f"Key: {entry.api_key.comment}  {', '.join(entry.api_key.scopes or [])}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:2]))
