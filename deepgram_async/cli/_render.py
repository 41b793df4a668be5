"""The command that writes saved answers in other formats."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final, TypeAlias, Unpack, get_args

import click
import msgspec

from deepgram_async.cli._output import warn
from deepgram_async.cli._outputs import (
    Outputs,
    PageFlags,
    formats_of,
    output_flags,
    page_flags,
    sound_of,
    style_of,
)
from deepgram_async.cli._texts import read_text
from deepgram_async.models.flux import Connected, TurnInfo
from deepgram_async.models.live import Metadata, Results, UtteranceEnd
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.transcript import LiveTranscript, Transcript

__all__ = ["render"]

# The messages that a transcript is made of.
_Message: TypeAlias = Results | UtteranceEnd | Metadata | TurnInfo | Connected
_TYPES: Final = {kind.__name__ for kind in get_args(_Message)}


class _Tagged(msgspec.Struct):
    type: str


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE|-...")
@output_flags
@page_flags
def render(
    sources: Sequence[str],
    formats: str | None,
    output: str | None,
    force: bool,
    **flags: Unpack[PageFlags],
) -> None:
    """Write saved answers as text, captions and documents.

    FILE is what transcribe or live printed with --json, or any answer of the service that was
    kept; - is standard input. Nothing is sent anywhere, and no key is needed.
    """
    sources = list(dict.fromkeys(sources))
    outputs = Outputs(
        sources,
        formats_of(formats),
        output,
        force=force,
        style=style_of(flags),
        sound=sound_of(flags, is_source=False),
    )
    for source in sources:
        if not outputs.is_done(source):
            outputs.write(source, _saved(source))
        else:
            warn(f"{source} is skipped, because its files are there: --force writes them anew")


def _saved(source: str) -> Transcription | Transcript | LiveTranscript:
    text = read_text(source)
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(text, type=Transcript)
    try:
        return msgspec.json.decode(text, type=Transcription)
    except msgspec.DecodeError as exc:
        no_answer = exc
    try:
        return _heard(text.splitlines())
    except msgspec.DecodeError as no_messages:
        raise click.UsageError(
            f"{source} is neither a saved answer ({no_answer}) "
            f"nor what live printed with --json ({no_messages})"
        ) from None


def _heard(lines: Iterable[str]) -> LiveTranscript:
    """Return what the messages of a stream say, one on a line.

    Raises:
        msgspec.DecodeError: A line is no message, or none of them has text.
    """
    transcript = LiveTranscript()
    is_heard = False
    for line in filter(str.strip, lines):
        if msgspec.json.decode(line, type=_Tagged).type in _TYPES:
            transcript.add(msgspec.json.decode(line, type=_Message))
            is_heard = True
    if not is_heard:
        raise msgspec.DecodeError("no message has text")
    transcript.finish()
    return transcript
