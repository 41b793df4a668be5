"""The command that serves the local Deepgram."""

import asyncio

import click

__all__ = ["emulator"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--recognizer",
    default="whisper",
    show_default=True,
    metavar="NAME",
    help="whisper recognises real speech, scripted hears silence.",
)
def emulator(host: str, port: int, recognizer: str) -> None:
    """Serve a local Deepgram until Ctrl-C, and print its address.

    Any key is accepted. Point a program at it with DEEPGRAM_BASE_URL and any DEEPGRAM_API_KEY.
    """
    # Slow to load, with a web server in it.
    from deepgram_async.emulator import Emulator, load_recognizer

    try:
        engine = load_recognizer(recognizer)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--recognizer") from None

    async def serve() -> None:
        async with Emulator(engine, host=host, port=port) as local:
            click.echo(local.base_url)
            click.echo(f"Serving a local Deepgram with {engine.name}. Ctrl-C ends it.", err=True)
            await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except OSError as exc:
        raise click.ClickException(
            f"cannot listen on {host}:{port}: {exc.strerror or exc}"
        ) from None
