"""The command that shows live captions in the browser."""

import asyncio
import threading
import webbrowser
from typing import Unpack

import click

from deepgram_async.cli._connection import Connection, open_session
from deepgram_async.cli._options import (
    RecognitionFlags,
    collect_options,
    collect_query,
    recognition_flags,
)
from deepgram_async.options import LiveOptions

__all__ = ["serve"]


class _ServeFlags(RecognitionFlags):
    port: int
    is_opened: bool


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--open/--no-open", "is_opened", default=True, help="Open the page in the browser.")
@recognition_flags
@click.pass_obj
def serve(connection: Connection, **flags: Unpack[_ServeFlags]) -> None:
    """Show live captions in the browser, of what its microphone hears.

    The page is served to this machine alone, at an address that nobody can guess, until Ctrl-C. The
    key stays with this command. Language and speakers can be chosen in the page, too.
    """
    options = collect_options(LiveOptions, flags)
    asyncio.run(_serve(connection, options, flags))


async def _serve(connection: Connection, options: LiveOptions, flags: _ServeFlags) -> None:
    # Slow to load, with a web server in it.
    from deepgram_async.cli._serve_captions import Captions, Choices
    from deepgram_async.cli._serve_web import serving

    port, is_local = flags["port"], flags["emulator"]
    choices = Choices.of(options, query=collect_query(flags), is_local=is_local)
    async with open_session(connection, emulator=is_local) as session:
        try:
            async with serving(Captions(session, choices).converse, port=port) as url:
                click.echo(url)
                click.echo("Live captions, for this machine only. Ctrl-C ends them.", err=True)
                if flags["is_opened"]:
                    # A browser in the terminal would not return before it is closed.
                    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
                await asyncio.Event().wait()
        except OSError as exc:
            raise click.ClickException(
                f"cannot listen on port {port}: {exc.strerror or exc}"
            ) from None
