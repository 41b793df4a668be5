"""The commands for API keys."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from deepgram_async import DeepgramSession
from deepgram_async.cli._connection import Connection, call, project_of
from deepgram_async.cli._output import print_json, print_table, printable
from deepgram_async.models import manage

__all__ = ["keys"]


@click.group()
def keys() -> None:
    """List, create and delete API keys."""


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of columns.")
@click.pass_obj
def list_keys(connection: Connection, as_json: bool) -> None:
    """List the keys of the project, without their secrets."""

    async def work(session: DeepgramSession) -> manage.Keys:
        return await session.keys.list(await project_of(connection, session))

    found = call(connection, work, keep_raw=as_json)
    if as_json:
        print_json(found.to_dict()["api_keys"])
        return
    print_table(
        ["id", "comment", "scopes", "owner", "created", "expires"],
        [
            (
                item.api_key.api_key_id,
                item.api_key.comment,
                " ".join(item.api_key.scopes or ()),
                item.member and item.member.email,
                item.api_key.created,
                item.api_key.expiration_date,
            )
            for item in found.api_keys
        ],
    )


@keys.command()
@click.argument("comment")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=("member",),
    show_default=True,
    metavar="NAME",
    help="A role, or a permission such as usage:read. Repeatable.",
)
@click.option("--tag", "tags", multiple=True, metavar="LABEL", help="For reports. Repeatable.")
@click.option("--expires", metavar="DATE", help="When the key ends, as 2027-01-31T00:00:00Z.")
@click.option(
    "--ttl", type=click.IntRange(min=1), metavar="SECONDS", help="After how long the key ends."
)
@click.option("--print-key", is_flag=True, help="Print the key, once, on standard output.")
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the key to a new file that only you can read.",
)
@click.pass_obj
def create(
    connection: Connection,
    comment: str,
    scopes: Sequence[str],
    tags: Sequence[str],
    expires: str | None,
    ttl: int | None,
    print_key: bool,
    save: Path | None,
) -> None:
    """Create a key; COMMENT says what it is for.

    The service shows the key this once: say where it goes, by --print-key or --save.
    """
    if not print_key and save is None:
        raise click.UsageError("the key is shown only once: add --print-key or --save FILE")

    async def work(session: DeepgramSession) -> manage.CreatedKey:
        return await session.keys.create(
            comment,
            scopes,
            tags=tags or None,
            expiration_date=expires,
            time_to_live_in_seconds=ttl,
            project_id=await project_of(connection, session),
        )

    # Opened first: a key that cannot be kept is not created.
    descriptor = None if save is None else _new_private_file(save)
    try:
        created = call(connection, work)
        if descriptor is not None:
            os.write(descriptor, f"{created.key}\n".encode())
    except BaseException:
        if save is not None:
            save.unlink()
        raise
    finally:
        if descriptor is not None:
            os.close(descriptor)
    click.echo(f"Created the key {printable(created.api_key_id)}.", err=True)
    if print_key:
        click.echo(created.key)


def _new_private_file(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as exc:
        raise click.UsageError(f"cannot write {path}: {exc.strerror}") from None


@keys.command()
@click.argument("key_id")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(connection: Connection, key_id: str, yes: bool) -> None:
    """Delete a key; whoever uses it is refused from then on."""
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("nobody is there to be asked: add --yes to delete the key")

    async def work(session: DeepgramSession) -> None:
        project = await project_of(connection, session)
        if not yes:
            found = (await session.keys.get(key_id, project_id=project)).api_key
            named = f"{key_id} ({found.comment})" if found and found.comment else key_id
            click.confirm(f"Delete the key {printable(named)}?", abort=True, err=True)
        await session.keys.delete(key_id, project_id=project)

    call(connection, work)
    click.echo(f"Deleted the key {key_id}.", err=True)
