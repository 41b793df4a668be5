"""What is found out about a text, and how `/v1/read` refuses."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from deepgram_async import DeepgramSession
from deepgram_async.emulator import ScriptedRecognizer
from deepgram_async.emulator._read import sentiment as sentiment_module
from deepgram_async.emulator._read.labels import Custom, intents, topics
from deepgram_async.emulator._read.passage import Passage
from deepgram_async.emulator._read.summary import summarize
from deepgram_async.errors import BadRequestError
from deepgram_async.models.manage_usage import Callback
from tests.support.servers import http_server

from .helpers import DEADLINE_S, Message, serving, silence, wav

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .helpers import Client

CALL = (
    "Thank you for calling Premier Phone Services. This call may be recorded. I'm calling to"
    " cancel my subscription, because the service has been terrible and I am really angry. Dr."
    " Smith told me that the phone drops calls every day. I would like to get a refund for the"
    " last month. That is wonderful, thank you so much! I love that."
)


async def analyze(client: Client, text: str = CALL, **query: str) -> tuple[int, Message]:
    url = f"{client.emulator.base_url}/v1/read"
    async with client.http.post(url, params=query, json={"text": text}) as response:
        return response.status, await response.json()


# The methods.


def test_sentences_end_at_punctuation_but_not_after_titles() -> None:
    passage = Passage("Dr. Smith came. (Really?) Yes! And then".split())
    assert [it.text for it in passage.sentences] == [
        "Dr. Smith came.",
        "(Really?)",
        "Yes!",
        "And then",
    ]
    assert [(it.start_word, it.end_word) for it in passage.sentences] == [
        (0, 2),
        (3, 3),
        (4, 4),
        (5, 6),
    ]


def test_a_short_text_is_its_own_summary() -> None:
    assert summarize(Passage("Just a few words.".split())) == "Just a few words."


def test_a_summary_is_made_of_the_text_s_own_sentences_in_their_order() -> None:
    text = " ".join(
        [
            "Bees make honey.",
            "The weather was fine on that day and nobody had anything to complain about at all.",
            "Honey bees visit many flowers for their honey, and flowers need bees.",
            "My neighbour has a new car, which he washes.",
            "Without bees there are fewer flowers and no honey.",
            "A dog barked somewhere while a door was closed by somebody in a hurry.",
        ]
    )
    assert summarize(Passage(text.split())) == (
        "Without bees there are fewer flowers and no honey."
    )


def test_topics_are_what_is_said_often() -> None:
    found = topics(Passage("The garden needs water. Water the garden. So it is.".split()), Custom())
    assert [it.sentence.start_word for it in found] == [0, 4]
    assert {name for it in found for name, _ in it.labels} >= {"Garden", "Water"}


def test_custom_topics_are_found_by_their_words_and_alone_if_strict() -> None:
    passage = Passage("She was gardening all day. He reads books.".split())
    given = ("garden day", "books", "weather")
    found = topics(passage, Custom(given, is_strict=True))
    assert [it.labels for it in found] == [(("garden day", 1.0),), (("books", 1.0),)]
    extended = topics(passage, Custom(given))
    assert len(extended[0].labels) > 1


@pytest.mark.parametrize(
    ("sentence", "intent"),
    [
        ("I'm calling to cancel my subscription, because it is bad.", "Cancel subscription"),
        ("I would like to get a refund for the month.", "Get refund"),
        ("We really want to buy a car.", "Buy car"),
        ("Could you please tell me the number?", "Tell me number"),
        ("How do I reset my password?", "Reset password"),
        ("Please wait.", "Wait"),
    ],
)
def test_intents_are_what_people_say_that_they_want(sentence: str, intent: str) -> None:
    (found,) = intents(Passage(sentence.split()), Custom())
    assert found.labels == ((intent, 0.5),)


def test_statements_have_no_intent() -> None:
    assert intents(Passage("The sky is blue. I like it.".split()), Custom()) == []


# The endpoint.


async def test_everything_at_once() -> None:
    options = dict.fromkeys(("summarize", "topics", "intents", "sentiment"), "true")
    async with serving() as client:
        status, answer = await analyze(client, custom_topic="phone problems", **options)
    assert status == 200
    results, metadata = answer["results"], answer["metadata"]
    assert results["summary"]["text"] in CALL
    assert metadata["summary_info"]["name"].startswith("emulator")
    assert metadata["summary_info"]["input_tokens"] == len(CALL.split())
    assert metadata["sentiment_info"]["name"] == "vader-lexicon"
    (cancel, *_) = results["intents"]["segments"]
    assert cancel["intents"][0]["intent"] == "Cancel subscription"
    assert cancel["text"] == " ".join(CALL.split()[cancel["start_word"] : cancel["end_word"] + 1])
    assert any(
        topic["topic"] == "phone problems"
        for segment in results["topics"]["segments"]
        for topic in segment["topics"]
    )
    segments = results["sentiments"]["segments"]
    assert [it["sentiment"] for it in segments][-1] == "positive"
    assert "negative" in {it["sentiment"] for it in segments}
    assert " ".join(it["text"] for it in segments) == CALL
    assert [it["start_word"] for it in segments[1:]] == [it["end_word"] + 1 for it in segments[:-1]]


async def test_the_sdk_reads_the_answer() -> None:
    async with serving() as client, session(client) as dg:
        answer = await dg.read.analyze(text=CALL, summarize=True, sentiment=True, tag=["a"])
        assert answer.results.summary is not None
        (logged,) = (await dg.requests.list()).requests
        assert logged.response is not None
        assert logged.response.token_details is not None
        assert logged.response.token_details[0].input == 2 * len(CALL.split())
        (balance,) = (await dg.billing.balances.list()).balances
        assert balance.amount is not None
        assert 199 < balance.amount < 200


@asynccontextmanager
async def session(client: Client) -> AsyncGenerator[DeepgramSession]:
    project = "00000000-0000-4000-8000-000000000000"
    async with DeepgramSession(
        "a-key", base_url=client.emulator.base_url, project_id=project
    ) as dg:
        yield dg


async def test_without_wishes_there_are_no_results() -> None:
    async with serving() as client:
        _, answer = await analyze(client)
    assert answer["results"] == {}
    assert answer["metadata"]["language"] == "en"


async def test_a_text_is_taken_plain_and_from_a_url() -> None:
    async def text(_: web.Request) -> web.Response:
        return web.Response(text="I love it.")

    async with serving(fetch_timeout_s=DEADLINE_S) as client, http_server(text) as place:
        url = f"{client.emulator.base_url}/v1/read?sentiment=true"
        bodies: list[dict[str, Any]] = [
            {"json": {"url": f"{place}/text"}},
            {"data": b"I love it.", "headers": {"Content-Type": "text/plain"}},
        ]
        for body in bodies:
            async with client.http.post(url, **body) as response:
                answer = await response.json()
            assert answer["results"]["sentiments"]["average"]["sentiment"] == "positive"


async def test_an_answer_is_delivered_to_a_callback() -> None:
    delivered: list[Message] = []

    async def take(request: web.Request) -> web.Response:
        delivered.append(await request.json())
        return web.Response()

    async with serving() as client, http_server(take) as place, session(client) as dg:
        status, answer = await analyze(
            client, "I love it.", sentiment="true", callback=f"{place}/take", callback_method="PUT"
        )
        assert (status, list(answer)) == (200, ["request_id"])
        async with asyncio.timeout(DEADLINE_S):
            while not delivered or (await delivery(dg)).completed is None:
                await asyncio.sleep(0.005)
        assert (await delivery(dg)).code == 200
    (body,) = delivered
    assert body["metadata"]["request_id"] == answer["request_id"]


async def delivery(dg: DeepgramSession) -> Callback:
    (logged,) = (await dg.requests.list(method="async")).requests
    assert isinstance(logged.callback, Callback)
    return logged.callback


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ({"sentiment": "yes"}, {"text": "Hi."}),
        ({"summarize": "v3"}, {"text": "Hi."}),
        ({"custom_topic_mode": "loose"}, {"text": "Hi."}),
        ({"callback": "ftp://example.com"}, {"text": "Hi."}),
        ({"language": "es"}, {"text": "Hola."}),
        ({}, {}),
        ({}, {"text": "Hi.", "url": "http://example.com"}),
        ({}, {"text": "   "}),
        ({}, {"text": 1}),
        ({}, {"url": "file:///etc/hosts"}),
        ({}, {"url": "http://[nonsense"}),
        ({}, []),
    ],
)
async def test_what_is_wrong_is_refused(query: dict[str, str], body: Any) -> None:
    async with serving() as client:
        url = f"{client.emulator.base_url}/v1/read"
        async with client.http.post(url, params=query, json=body) as response:
            assert response.status == 400
            assert response.headers["dg-error"]


async def test_a_text_has_a_longest_length() -> None:
    async with serving(max_text_bytes=1_000_000) as client:
        status, answer = await analyze(client, "word " * 150_001)
        assert (status, answer["err_code"]) == (400, "TOKEN_LIMIT_EXCEEDED")
        status, _ = await analyze(client, "word " * 200_001)
        assert status == 413


async def test_too_many_custom_topics_are_refused() -> None:
    async with serving() as client, session(client) as dg:
        topics_of_mine = [f"topic {number}" for number in range(101)]
        with pytest.raises(BadRequestError, match="at most 100"):
            await dg.read.analyze(
                text="Hi.", topics=True, extra_query={"custom_topic": topics_of_mine}
            )


async def test_without_the_extra_sentiment_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "vaderSentiment.vaderSentiment", None)
    monkeypatch.setattr(sentiment_module, "_analyzer", [])
    async with serving() as client:
        status, answer = await analyze(client, sentiment="true")
        assert status == 400
        assert "deepgram-async[emulator]" in answer["err_msg"]
        status, _ = await analyze(client, topics="true")
        assert status == 200


# What is found out about recordings.


async def test_a_recording_is_summed_up_and_felt_at_every_level() -> None:
    script = ScriptedRecognizer.from_text("I love this. It is terrible and awful.")
    options = dict.fromkeys(("sentiment", "topics", "intents", "utterances", "paragraphs"), "true")
    async with serving(script) as client:
        _, answer, _ = await client.post(wav(silence(4.0)), summarize="v2", **options)
    results = answer["results"]
    assert results["summary"] == {
        "result": "success",
        "short": "I love this. It is terrible and awful.",
    }
    assert results["topics"]["segments"]
    assert results["intents"]["segments"] == []
    (alternative,) = results["channels"][0]["alternatives"]
    assert alternative["words"][0]["sentiment"] == "positive"
    assert alternative["words"][-1]["sentiment"] == "negative"
    (paragraph,) = alternative["paragraphs"]["paragraphs"]
    assert [it["sentiment"] for it in paragraph["sentences"]] == ["positive", "negative"]
    assert "sentiment_score" in paragraph
    assert "sentiment" in results["utterances"][0]
    assert {"summary_info", "sentiment_info", "topics_info"} <= answer["metadata"].keys()


async def test_the_summary_without_a_version_goes_to_its_old_place() -> None:
    async with serving() as client:
        _, answer, _ = await client.post(wav(silence(2.0)), summarize="true")
    (alternative,) = answer["results"]["channels"][0]["alternatives"]
    assert alternative["summaries"] == [
        {"summary": "Hello, world.", "start_word": 0, "end_word": 2}
    ]
    assert "summary" not in answer["results"]
