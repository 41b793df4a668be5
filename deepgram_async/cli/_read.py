"""The command that analyses a text."""

from collections.abc import Iterator, Sequence
from typing import TypedDict, Unpack

import click

from deepgram_async.cli._connection import Connection, call
from deepgram_async.cli._options import emulator_flag, options_of, param_flags, query_of
from deepgram_async.cli._output import Spinner, print_json
from deepgram_async.cli._texts import URL_SCHEMES, read_text
from deepgram_async.models.read import Analysis
from deepgram_async.options import ReadOptions

__all__ = ["read"]


class _Parts(TypedDict):
    summarize: bool
    sentiment: bool
    topics: bool
    intents: bool


@click.command()
@click.argument("source", metavar="[FILE|URL|-]", required=False)
@click.option("--text", metavar="TEXT", help="The text itself, instead of a source.")
@click.option("--summarize", is_flag=True, help="Sum it up.")
@click.option("--sentiment", is_flag=True, help="Rate its mood.")
@click.option("--topics", is_flag=True, help="Find what it is about.")
@click.option("--intents", is_flag=True, help="Find what its author intends.")
@param_flags
@emulator_flag
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
@click.pass_obj
def read(
    connection: Connection,
    source: str | None,
    text: str | None,
    params: Sequence[str],
    extra_query: Sequence[str],
    emulator: bool,
    as_json: bool,
    **parts: Unpack[_Parts],
) -> None:
    """Find out what a text is about.

    Everything is found out unless flags choose. A URL is fetched by Deepgram; - is standard input.
    """
    if (source is None) == (text is None):
        raise click.UsageError("give either a source or --text")
    wants_all = not any(parts.values())
    chosen = {name: wants_all or part for name, part in parts.items()}
    options = options_of(ReadOptions, params, **chosen)
    query = query_of(extra_query)
    url = source if source is not None and source.startswith(URL_SCHEMES) else None
    if source is not None and url is None:
        text = read_text(source)
    with Spinner("Reading"):
        answer = call(
            connection,
            lambda session: session.read.analyze(text, url=url, extra_query=query, **options),
            emulator=emulator,
            keep_raw=as_json,
        )
    if as_json:
        print_json(answer.to_dict())
        return
    for line in _lines_of(answer):
        click.echo(line)


def _lines_of(answer: Analysis) -> Iterator[str]:
    results = answer.results
    if answer.summary:
        yield f"Summary: {answer.summary}"
    if results.sentiments is not None and (average := results.sentiments.average) is not None:
        score = average.sentiment_score
        yield f"Sentiment: {average.sentiment}" + ("" if score is None else f" ({score:+.2f})")
    if results.topics is not None:
        found = [topic.topic for segment in results.topics.segments for topic in segment.topics]
        yield f"Topics: {', '.join(dict.fromkeys(found)) or 'none'}"
    if results.intents is not None:
        found = [
            intent.intent for segment in results.intents.segments for intent in segment.intents
        ]
        yield f"Intents: {', '.join(dict.fromkeys(found)) or 'none'}"
