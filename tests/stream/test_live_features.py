"""Live results with everything that can be asked for, on the wire."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import ServerConnection

from deepgram_async import DeepgramSession, Results
from deepgram_async.models.live import Error, ListenEvent
from deepgram_async.options import LiveOptions
from tests.support.listen import metadata, read_until_close_stream, results
from tests.support.servers import websocket_server

AUDIO = b"\1\2" * 160


async def heard(*messages: str, **options: Any) -> tuple[list[ListenEvent], list[tuple[str, str]]]:
    """Return the events of a stream with options, and the query that it was opened with."""
    query: list[tuple[str, str]] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        query.extend(parse_qsl(urlsplit(connection.request.path).query))
        await read_until_close_stream(connection)
        for message in messages:
            await connection.send(message)
        await connection.send(metadata())

    checked = LiveOptions(**options)  # type: ignore[typeddict-item]  # known options only
    async with (
        websocket_server(talk) as url,
        DeepgramSession(api_key="sentinel", base_url=url) as dg,
        dg.listen.live(**checked) as live,
    ):
        events = [event async for event in live.transcribe([AUDIO])]
    return events[:-1], query


def with_changes(text: str, **changes: Any) -> str:
    message = json.loads(results(text))
    channel = changes.pop("channel", {})
    alternative = changes.pop("alternative", {})
    message["channel"] |= channel
    message["channel"]["alternatives"][0] |= alternative
    return json.dumps(message | changes)


def only(events: list[ListenEvent]) -> Results:
    (event,) = events
    assert isinstance(event, Results)
    return event


async def test_every_channel_has_results_of_its_own() -> None:
    messages = [
        with_changes("left", channel_index=[0, 2]),
        with_changes("right", channel_index=[1, 2]),
    ]
    events, query = await heard(
        *messages, multichannel=True, channels=2, encoding="linear16", sample_rate=8000
    )
    assert query == [
        ("multichannel", "true"),
        ("channels", "2"),
        ("encoding", "linear16"),
        ("sample_rate", "8000"),
    ]
    said = [(each.channel_index, each.transcript) for each in events if isinstance(each, Results)]
    assert said == [([0, 2], "left"), ([1, 2], "right")]


async def test_phrases_are_searched_for() -> None:
    hits: list[dict[str, Any]] = [
        {"confidence": 0.5, "start": 0.25, "end": 0.75, "snippet": "good bye"}
    ]
    found: list[dict[str, Any]] = [
        {"query": "goodbye", "hits": hits},
        {"query": "hello", "hits": []},
    ]
    events, query = await heard(
        with_changes("good bye", channel={"search": found}), search=["goodbye", "hello"]
    )
    assert query == [("search", "goodbye"), ("search", "hello")]
    search = only(events).channel.search
    assert search is not None
    assert [(each.query, [hit.snippet for hit in each.hits]) for each in search] == [
        ("goodbye", ["good bye"]),
        ("hello", []),
    ]


async def test_entities_are_found_in_final_results() -> None:
    entity = {
        "label": "NAME",
        "value": "Ada",
        "confidence": 0.9,
        "start_word": 0,
        "end_word": 1,
        "raw_value": "ada",
    }
    events, query = await heard(
        with_changes("Ada", entities=[entity]),
        with_changes("nobody", entities=[]),
        detect_entities=True,
    )
    assert query == [("detect_entities", "true")]
    entities = [event.entities for event in events if isinstance(event, Results)]
    assert [[each.value for each in found or ()] for found in entities] == [["Ada"], []]


async def test_languages_are_hinted_at() -> None:
    alternative = {"languages": ["fr"], "languages_hinted": ["fr", "en"]}
    events, query = await heard(
        with_changes("oui", alternative=alternative),
        model="nova-3",
        language="multi",
        language_hint=["fr", "en"],
    )
    assert query == [
        ("model", "nova-3"),
        ("language", "multi"),
        ("language_hint", "fr"),
        ("language_hint", "en"),
    ]
    best = only(events).channel.alternatives[0]
    assert (best.languages, best.languages_hinted) == (["fr"], ["fr", "en"])


async def test_an_error_about_one_message_does_not_end_the_stream() -> None:
    error = {
        "type": "Error",
        "variant": "SchemaError",
        "description": "unknown variant `ForceEndTurn`",
        "message": '{"type":"ForceEndTurn"}',
    }
    events, _ = await heard(json.dumps(error), results("and on"))
    first, second = events
    assert isinstance(first, Error)
    assert (first.variant, first.message) == ("SchemaError", '{"type":"ForceEndTurn"}')
    assert isinstance(second, Results)
