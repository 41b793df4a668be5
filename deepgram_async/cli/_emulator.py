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
@click.option(
    "--synthesizer",
    default="hibari",
    show_default=True,
    metavar="NAME",
    help="hibari speaks English, tone hums.",
)
@click.option(
    "--think",
    metavar="URL",
    help="A server like OpenAI's that thinks for voice agents, as in http://localhost:11434/v1. "
    "By default rules do, which call functions by the words that describe them.",
)
def emulator(host: str, port: int, recognizer: str, synthesizer: str, think: str | None) -> None:
    """Serve a local Deepgram until Ctrl-C, and print its address.

    Any key is accepted. Point a program at it with DEEPGRAM_BASE_URL and any DEEPGRAM_API_KEY.
    """
    # Slow to load, with a web server in it.
    from deepgram_async.emulator import (
        Emulator,
        OpenAiThinker,
        load_recognizer,
        load_synthesizer,
        think_by_rules,
    )

    try:
        engine = load_recognizer(recognizer)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--recognizer") from None
    try:
        # Real speech is loaded by the emulator, when it is first wanted.
        voice = None if synthesizer == "hibari" else load_synthesizer(synthesizer)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--synthesizer") from None
    thinker = think_by_rules if think is None else OpenAiThinker(think)

    async def serve() -> None:
        async with Emulator(
            engine, host=host, port=port, synthesizer=voice, think=thinker
        ) as local:
            click.echo(local.base_url)
            click.echo(f"Serving a local Deepgram with {engine.name}. Ctrl-C ends it.", err=True)
            await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except OSError as exc:
        raise click.ClickException(
            f"cannot listen on {host}:{port}: {exc.strerror or exc}"
        ) from None
