"""Every format a transcript can be written in, and the one call that writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias, Unpack

from deepgram_async._documented import takes_options
from deepgram_async.errors import OptionError
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.options import TranscriptOptions
from deepgram_async.transcript._captions import write_srt, write_vtt
from deepgram_async.transcript._html import write_html
from deepgram_async.transcript._live import LiveTranscript
from deepgram_async.transcript._style import Style
from deepgram_async.transcript._texts import write_json, write_markdown, write_text, write_tsv
from deepgram_async.transcript._transcript import Transcript

__all__ = ["FORMATS", "Format", "FormatName", "find_format", "render"]

FormatName: TypeAlias = Literal["html", "json", "markdown", "srt", "text", "tsv", "vtt"]
"""The formats by name."""


class Format(NamedTuple):
    """A format that transcripts can be written in.

    Attributes:
        name: What it is called here.
        extension: How files of it end, without the dot.
        media_type: What it is called on the web.
        description: What it is good for, as part of a sentence.
        write: Writes a transcript in it.
    """

    name: FormatName
    extension: str
    media_type: str
    description: str
    write: Callable[[Transcript, Style], str]


FORMATS: Final[Mapping[FormatName, Format]] = MappingProxyType(
    {
        made.name: made
        for made in (
            Format(
                "html",
                "html",
                "text/html",
                "a page that plays the audio, in one file",
                write_html,
            ),
            Format(
                "json",
                "json",
                "application/json",
                "the answer of the service; of a live stream, words and utterances",
                write_json,
            ),
            Format(
                "markdown",
                "md",
                "text/markdown",
                "paragraphs, with speakers and times above them",
                write_markdown,
            ),
            Format("srt", "srt", "application/x-subrip", "captions for video players", write_srt),
            Format("text", "txt", "text/plain", "paragraphs, with speakers", write_text),
            Format(
                "tsv",
                "tsv",
                "text/tab-separated-values",
                "one row for each utterance, for spreadsheets",
                write_tsv,
            ),
            Format("vtt", "vtt", "text/vtt", "captions for web pages (WebVTT)", write_vtt),
        )
    }
)
"""All formats by their names."""


def find_format(name: str) -> Format:
    """Return a format by its name, or by the extension of its files, with or without the dot.

    Raises:
        OptionError: There is none.
    """
    wanted = name.removeprefix(".").lower()
    for found in FORMATS.values():
        if wanted in (found.name, found.extension):
            return found
    raise OptionError(
        f"there is no format {name!r}; there are {', '.join(FORMATS)}", option="format_name"
    )


@takes_options(TranscriptOptions)
def render(
    source: Transcription | Transcript | LiveTranscript,
    format_name: FormatName | str,
    /,
    **options: Unpack[TranscriptOptions],
) -> str:
    """Write an answer, a transcript, or what is settled of a live one.

    The text ends with a line break, unless it is empty. Of a `Transcription`, ``json`` is the
    answer as it came; every other format, and every other source, goes through a `Transcript`.

    Args:
        source: What is to be written.
        format_name: A key of `FORMATS`, or the extension of files of that format.

    Raises:
        OptionError: There is no such format; an option is unknown, has the wrong type or makes no
            sense.
    """
    found = find_format(format_name)
    style = Style.of(options)
    match source:
        case Transcription() if found.name == "json":
            return f"{source.to_json()}\n"
        case Transcription():
            return found.write(Transcript.from_answer(source), style)
        case LiveTranscript():
            return found.write(source.so_far(), style)
        case Transcript():
            return found.write(source, style)
