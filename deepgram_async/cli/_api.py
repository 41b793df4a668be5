"""The command for calls that have no command of their own."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import msgspec

from deepgram_async import DeepgramSession
from deepgram_async.cli._connection import Connection, call, project_of
from deepgram_async.cli._options import query_of
from deepgram_async.cli._output import print_json

__all__ = ["api"]

_PROJECT: Final = "{project_id}"


@click.command(
    epilog="""\b
    deepgram-async api GET /v1/projects/{project_id}/balances
    deepgram-async api POST /v1/listen -q model=nova-3 -d '{"url": "https://example.com/a.mp3"}'
    """
)
@click.argument(
    "method",
    metavar="METHOD",
    type=click.Choice(["GET", "POST", "PUT", "PATCH", "DELETE"], case_sensitive=False),
)
@click.argument("path")
@click.option(
    "-q", "--query", multiple=True, metavar="NAME=VALUE", help="A key of the query. Repeatable."
)
@click.option("-d", "--data", metavar="JSON|@FILE|@-", help="The body, as JSON.")
@click.pass_obj
def api(
    connection: Connection, method: str, path: str, query: Sequence[str], data: str | None
) -> None:
    """Send any call to the service and print the answer.

    {project_id} in PATH stands for the project. Only answers in JSON can be printed.
    """
    body = None if data is None else _json_of(data)

    async def work(session: DeepgramSession) -> object:
        whole = path
        if _PROJECT in path:
            whole = path.replace(_PROJECT, await project_of(connection, session))
        return await session.request(method, whole, query=query_of(query, "--query"), json=body)

    answer = call(connection, work)
    if answer is not None:
        print_json(answer)


def _json_of(data: str) -> object:
    try:
        if data == "@-":
            text = sys.stdin.read()
        else:
            text = Path(data[1:]).read_text("utf-8") if data.startswith("@") else data
        return msgspec.json.decode(text)
    except OSError as exc:
        raise click.BadParameter(f"{data[1:]}: {exc.strerror}", param_hint="--data") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise click.BadParameter(f"it is not JSON: {exc}", param_hint="--data") from None
