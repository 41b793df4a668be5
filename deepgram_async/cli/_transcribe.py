"""The command that transcribes a recording."""

import asyncio
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Unpack

import click

from deepgram_async.audio import piped
from deepgram_async.cli._connection import Connection, open_session
from deepgram_async.cli._options import SpeechFlags, collect_options, collect_query, speech_flags
from deepgram_async.cli._output import spinner
from deepgram_async.cli._texts import URL_SCHEMES
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.options import ListenOptions

__all__ = ["transcribe"]


@click.command()
@click.argument("source", metavar="FILE|URL|-")
@click.option("--multichannel", is_flag=True, help="Transcribe every channel on its own.")
@speech_flags
@click.pass_obj
def transcribe(
    connection: Connection, source: str, multichannel: bool, **flags: Unpack[SpeechFlags]
) -> None:
    """Transcribe a recording and print its text.

    FILE may be of any audio or video format; a URL is fetched by Deepgram; - is standard input.
    """
    options = collect_options(ListenOptions, flags, multichannel=multichannel)
    query = collect_query(flags)

    async def run() -> Transcription:
        async with open_session(
            connection, emulator=flags["emulator"], keep_raw=flags["as_json"]
        ) as session:
            return await session.listen.transcribe(_audio_of(source), extra_query=query, **options)

    with spinner(f"Transcribing {source}"):
        answer = asyncio.run(run())
    click.echo(answer.to_json() if flags["as_json"] else _text_of(answer))


def _audio_of(source: str) -> str | Path | AsyncIterable[bytes]:
    if source == "-":
        return piped(open(0, "rb", buffering=0, closefd=False))
    return source if source.startswith(URL_SCHEMES) else Path(source)


def _text_of(answer: Transcription) -> str:
    """Return the text in paragraphs, with speakers, where the service made some."""
    texts: list[str] = []
    for channel in answer.results.channels:
        for best in channel.alternatives[:1]:
            paragraphs = best.paragraphs and best.paragraphs.transcript
            texts.append((paragraphs or best.transcript).strip())
    return "\n\n".join(text for text in texts if text)
