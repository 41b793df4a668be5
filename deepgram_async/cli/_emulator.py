"""The command that serves the local Deepgram."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepgram_async.cli._interrupts import on_signals

if TYPE_CHECKING:
    from collections.abc import Generator

    from deepgram_async.emulator import Emulator, Recognizer, Replay, Synthesizer

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
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="SQLite file for projects, keys and the request log. In memory if left out.",
)
@click.option(
    "--key", "keys", multiple=True, metavar="KEY", help="Accept this API key alone; repeatable."
)
@click.option("--strict", is_flag=True, help="Name every way in which clients leave the spec.")
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that gets everything that passes, without secrets.",
)
@click.option(
    "--record-audio/--no-record-audio", default=True, help="Whether sound goes into that file."
)
@click.option(
    "--replay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Serve such a file again, and nothing else.",
)
@click.option("--max-requests", type=click.IntRange(0), help="REST requests at a time; then 429.")
@click.option("--max-streams", type=click.IntRange(0), help="WebSockets at a time; then 429.")
@click.option(
    "--inactivity-timeout",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="A silent live stream is closed with NET-0001 after this time.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="FAULT",
    help="What goes wrong, such as 'kind=answer, status=429, times=3'; repeatable.",
)
@click.option(
    "--fault-seed", type=int, default=0, show_default=True, help="Seed for faults by chance."
)
def emulator(
    host: str,
    port: int,
    recognizer: str,
    synthesizer: str,
    think: str | None,
    state: Path | None,
    keys: tuple[str, ...],
    strict: bool,
    record: Path | None,
    record_audio: bool,
    replay: Path | None,
    max_requests: int | None,
    max_streams: int | None,
    inactivity_timeout: float,
    faults: tuple[str, ...],
    fault_seed: int,
) -> None:
    """Serve a local Deepgram until Ctrl-C, and print its address.

    Any key is accepted, unless --key names those that are. Point a program at it with
    DEEPGRAM_BASE_URL and any DEEPGRAM_API_KEY.
    """
    # Slow to load, with a web server in it.
    from deepgram_async.emulator import (
        Emulator,
        EmulatorSettings,
        OpenAiThinker,
        Replay,
        ServiceFault,
        think_by_rules,
    )

    if replay is not None:
        _serve(Replay(replay, host=host, port=port), f"{host}:{port}", f"{replay} again")
        return
    with _named("--fault"):
        planned = [ServiceFault.parse(fault) for fault in faults]
    engine, voice = _engines(recognizer, synthesizer)
    settings = EmulatorSettings(
        keys=keys or None,
        state=state,
        strict=strict,
        record=record,
        record_audio=record_audio,
        max_requests=max_requests,
        max_streams=max_streams,
        inactivity_timeout_s=inactivity_timeout,
        faults=planned,
        fault_seed=fault_seed,
    )
    local = Emulator(
        engine,
        settings,
        host=host,
        port=port,
        synthesizer=voice,
        think=think_by_rules if think is None else OpenAiThinker(think),
    )
    if strict:
        logging.basicConfig(format="%(levelname)s %(message)s")
        logging.getLogger("deepgram_async.emulator").setLevel(logging.INFO)
    _serve(local, f"{host}:{port}", f"a local Deepgram with {engine.name}")


def _engines(recognizer: str, synthesizer: str) -> tuple[Recognizer, Synthesizer | None]:
    from deepgram_async.emulator import load_recognizer, load_synthesizer

    with _named("--recognizer"):
        engine = load_recognizer(recognizer)
    with _named("--synthesizer"):
        # Real speech is loaded by the emulator, when it is first wanted.
        voice = None if synthesizer == "hibari" else load_synthesizer(synthesizer)
    return engine, voice


@contextmanager
def _named(option: str) -> Generator[None]:
    try:
        yield
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint=option) from None


def _serve(local: Emulator | Replay, address: str, what: str) -> None:
    import sqlite3

    async def serve() -> None:
        ended = asyncio.Event()
        with on_signals(ended.set, signal.SIGTERM):
            async with local:
                click.echo(local.base_url)
                click.echo(f"Serving {what}. Ctrl-C ends it.", err=True)
                await ended.wait()

    try:
        asyncio.run(serve())
        # As shells count what ends by a signal.
        raise SystemExit(128 + signal.SIGTERM)
    except sqlite3.Error as exc:
        raise click.BadParameter(str(exc), param_hint="--state") from None
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--replay") from None
    except OSError as exc:
        if exc.filename is not None:
            why = f"{exc.filename}: {exc.strerror}"
            raise click.BadParameter(why, param_hint="--state, --record or --replay") from None
        raise click.ClickException(f"cannot listen on {address}: {exc.strerror or exc}") from None
