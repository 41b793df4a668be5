"""Prerecorded transcription over HTTP, with a plain client."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from deepgram_async.emulator import Hints, Pcm, RecognizedWord, ScriptedRecognizer

from .helpers import DEADLINE_S, RATE, serving, silence, wav

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from .helpers import Message

RECORDING = wav(silence(3.0))
TWO_SENTENCES = ScriptedRecognizer(
    [
        RecognizedWord("Hello,", 0.2, 0.5, 0.9),
        RecognizedWord("Mr.", 0.5, 0.7, 0.5),
        RecognizedWord("Young.", 0.7, 1.0, 0.8),
        RecognizedWord("It's", 2.0, 2.2, 0.7),
        RecognizedWord("3.", 2.2, 2.5, 0.6),
    ]
)


def alternative(answer: Message, channel: int = 0) -> Message:
    found: Message = answer["results"]["channels"][channel]["alternatives"][0]
    return found


@asynccontextmanager
async def site(*responses: tuple[int, bytes]) -> AsyncGenerator[tuple[str, list[web.BaseRequest]]]:
    """Serve `responses` one after the other, the last one for ever; note the requests."""
    requests: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        await request.read()
        status, body = responses[min(len(requests), len(responses) - 1)]
        requests.append(request)
        return web.Response(status=status, body=body)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/a.wav", requests
    finally:
        await runner.cleanup()


# The answer.


async def test_an_answer_has_the_documented_metadata() -> None:
    async with serving() as client:
        status, answer, response = await client.post(RECORDING, model="nova-3")
    assert status == 200
    metadata = answer["metadata"]
    assert metadata["request_id"] == response.headers["dg-request-id"]
    assert uuid.UUID(metadata["request_id"]).version == 7
    assert metadata["sha256"] == hashlib.sha256(RECORDING).hexdigest()
    assert (metadata["duration"], metadata["channels"]) == (3.0, 1)
    assert metadata["created"].endswith("Z")
    (model_id,) = metadata["models"]
    assert metadata["model_info"] == {
        model_id: {"name": "scripted", "version": "1", "arch": "script"}
    }
    assert "warnings" not in metadata


async def test_a_plain_transcript_is_bare_and_has_no_punctuated_words() -> None:
    async with serving(TWO_SENTENCES) as client:
        _, answer, _ = await client.post(RECORDING)
    found = alternative(answer)
    assert found["transcript"] == "hello mr young it's 3"
    assert found["confidence"] == 0.7
    assert found["words"][0] == {"word": "hello", "start": 0.2, "end": 0.5, "confidence": 0.9}
    assert "paragraphs" not in found


async def test_punctuate_keeps_case_and_punctuation() -> None:
    async with serving(TWO_SENTENCES) as client:
        _, answer, _ = await client.post(RECORDING, punctuate="true")
    found = alternative(answer)
    assert found["transcript"] == "Hello, Mr. Young. It's 3."
    assert found["words"][1]["punctuated_word"] == "Mr."
    assert "paragraphs" not in found


async def test_smart_format_implies_punctuation_and_paragraphs() -> None:
    async with serving(TWO_SENTENCES) as client:
        _, answer, _ = await client.post(RECORDING, smart_format="true")
    found = alternative(answer)
    assert found["transcript"] == "Hello, Mr. Young. It's 3."
    paragraphs = found["paragraphs"]
    assert paragraphs["transcript"] == "\nHello, Mr. Young. It's 3."
    (paragraph,) = paragraphs["paragraphs"]
    assert paragraph["sentences"] == [
        {"text": "Hello, Mr. Young.", "start": 0.2, "end": 1.0},
        {"text": "It's 3.", "start": 2.0, "end": 2.5},
    ]
    assert (paragraph["start"], paragraph["end"], paragraph["num_words"]) == (0.2, 2.5, 5)


async def test_a_long_pause_after_a_sentence_begins_a_paragraph() -> None:
    script = ScriptedRecognizer([("One.", 0.0, 0.2), ("Two.", 2.5, 2.7)])
    async with serving(script) as client:
        _, answer, _ = await client.post(RECORDING, paragraphs="true")
    paragraphs = alternative(answer)["paragraphs"]
    assert paragraphs["transcript"] == "\nOne.\n\nTwo."
    assert len(paragraphs["paragraphs"]) == 2


async def test_utterances_split_at_pauses() -> None:
    async with serving(TWO_SENTENCES) as client:
        _, answer, _ = await client.post(RECORDING, utterances="true", punctuate="true")
        _, unsplit, _ = await client.post(RECORDING, utterances="true", utt_split="1.1")
    first, second = answer["results"]["utterances"]
    assert first["transcript"] == "Hello, Mr. Young."
    assert (first["start"], first["end"], first["channel"]) == (0.2, 1.0, 0)
    assert first["confidence"] == pytest.approx((0.9 + 0.5 + 0.8) / 3)
    assert first["words"] == alternative(answer)["words"][:3]
    assert uuid.UUID(first["id"]) != uuid.UUID(second["id"])
    assert len(unsplit["results"]["utterances"]) == 1


async def test_multichannel_answers_per_channel() -> None:
    script = ScriptedRecognizer({0: [("left", 1.0, 1.5)], 1: [("right", 0.2, 0.6)]})
    async with serving(script) as client:
        stereo = wav(silence(3.0, channels=2), channels=2)
        _, apart, _ = await client.post(stereo, multichannel="true", utterances="true")
        _, mixed, _ = await client.post(stereo)
    assert apart["metadata"]["channels"] == 2
    assert [alternative(apart, i)["transcript"] for i in (0, 1)] == ["left", "right"]
    spoken = [(u["transcript"], u["channel"]) for u in apart["results"]["utterances"]]
    assert spoken == [("right", 1), ("left", 0)]
    assert (mixed["metadata"]["channels"], len(mixed["results"]["channels"])) == (1, 1)


async def test_search_finds_the_words_of_a_query() -> None:
    async with serving(TWO_SENTENCES) as client:
        _, answer, _ = await client.post(RECORDING, search=["mr. Young", "nothing"])
    found, missing = answer["results"]["channels"][0]["search"]
    assert found["hits"] == [{"confidence": 0.5, "start": 0.5, "end": 1.0, "snippet": "mr young"}]
    assert missing == {"query": "nothing", "hits": []}


async def test_tags_and_extra_are_echoed() -> None:
    async with serving() as client:
        _, answer, _ = await client.post(RECORDING, tag=["a", "b"], extra=["key:some:value"])
    assert answer["metadata"]["tags"] == ["a", "b"]
    assert answer["metadata"]["extra"] == {"key": "some:value"}


async def test_an_option_without_effect_is_named_in_a_warning() -> None:
    async with serving() as client:
        _, answer, _ = await client.post(
            RECORDING, diarize="true", redact="pii", detect_topics="false"
        )
    named = [warning["parameter"] for warning in answer["metadata"]["warnings"]]
    assert named == ["diarize", "redact"]


async def test_silence_gives_an_empty_transcript() -> None:
    async with serving(ScriptedRecognizer()) as client:
        _, answer, _ = await client.post(RECORDING, smart_format="true", utterances="true")
    found = alternative(answer)
    assert (found["transcript"], found["confidence"], found["words"]) == ("", 0.0, [])
    assert answer["results"]["utterances"] == []


class Attentive(ScriptedRecognizer):
    """Remembers the hints it got."""

    def __init__(self) -> None:
        super().__init__()
        self.hints: list[Hints] = []

    def recognize(self, audio: Pcm, hints: Hints) -> Iterator[RecognizedWord]:
        self.hints.append(hints)
        return super().recognize(audio, hints)


async def test_keyterms_keywords_and_language_reach_the_recogniser() -> None:
    recognizer = Attentive()
    async with serving(recognizer) as client:
        await client.post(RECORDING, keyterm=["snow goose"], keywords=["crane:2"], language="en-GB")
    assert recognizer.hints == [Hints("en", ("snow goose", "crane"))]


# Bodies.


@pytest.mark.parametrize(
    "headers", [None, {"Content-Type": "audio/wav"}, {"Content-Type": "odd/type"}]
)
async def test_the_content_type_of_audio_does_not_matter(headers: dict[str, str] | None) -> None:
    async with serving() as client:
        status, _, _ = await client.post(RECORDING, headers=headers)
    assert status == 200


async def test_a_chunked_body_is_taken() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(RECORDING), 1000):
            yield RECORDING[at : at + 1000]

    async with serving() as client:
        async with client.http.post(client.url, data=chunks()) as response:
            answer = await response.json()
    assert answer["metadata"]["sha256"] == hashlib.sha256(RECORDING).hexdigest()


async def test_raw_audio_needs_its_format() -> None:
    options = {"encoding": "mulaw", "sample_rate": str(RATE), "channels": "1"}
    async with serving() as client:
        status, answer, _ = await client.post(b"\xff" * RATE, **options)
        refused, _, _ = await client.post(b"\xff" * RATE, encoding="mulaw")
    assert (status, answer["metadata"]["duration"]) == (200, 1.0)
    assert refused == 400


async def test_a_recording_by_url_is_fetched() -> None:
    async with serving() as client, site((200, RECORDING)) as (url, _):
        status, answer, _ = await client.post(json={"url": url})
    assert status == 200
    assert answer["metadata"]["sha256"] == hashlib.sha256(RECORDING).hexdigest()


async def test_a_recording_is_not_kept_in_memory_beyond_its_limit() -> None:
    async with serving(max_upload_bytes=1000) as client, site((200, RECORDING)) as (url, _):
        posted = await client.post(RECORDING)
        fetched = await client.post(json={"url": url})
    assert posted[0] == fetched[0] == 413


async def test_a_large_recording_goes_through_a_file() -> None:
    large = wav(silence(700.0))
    async with serving() as client:
        _, answer, _ = await client.post(io.BytesIO(large))
    assert answer["metadata"]["duration"] == 700.0
    assert answer["metadata"]["sha256"] == hashlib.sha256(large).hexdigest()


# Refusals.


async def refused(data: bytes | None = RECORDING, **options: Any) -> tuple[int, Message]:
    """Post what must be refused; check what every refusal has."""
    async with serving(ScriptedRecognizer(languages=["en"])) as client:
        status, body, response = await client.post(data, **options)
    assert status >= 400
    assert response.headers["dg-request-id"] == body["request_id"]
    assert response.headers["dg-error"] == body.get("err_msg", body.get("message"))
    return status, body


@pytest.mark.parametrize(
    "options",
    [
        {"punctuate": "True"},
        {"smart_format": ""},
        {"utt_split": "soon"},
        {"encoding": "linear16", "sample_rate": "fast"},
        {"encoding": "linear16"},
        {"encoding": "tape", "sample_rate": "8000"},
        {"encoding": "linear16", "sample_rate": "8000", "channels": "0"},
        {"callback": "ftp://127.0.0.1/"},
        {"encoding": "linear16", "sample_rate": "1"},
        {"encoding": "linear16", "sample_rate": "99999999"},
        {"encoding": "linear16", "sample_rate": "8000", "channels": "99999999"},
        {"utt_split": "1e9"},
        {"summarize": "v3"},
        {"callback": "http://127.0.0.1/", "callback_method": "GET"},
        {"diarize": "true", "diarize_model": "v2"},
        {"diarize_model": "v9"},
    ],
    ids=str,
)
async def test_an_invalid_value_is_refused(options: dict[str, Any]) -> None:
    status, body = await refused(RECORDING, **options)
    assert status == 400
    assert (body["err_code"], body["err_msg"]) == ("Bad Request", "Invalid query string.")


@pytest.mark.parametrize(
    "options",
    [{"model": "nova-9"}, {"model": "flux-general-en"}, {"language": "de"}, {"language": "multi"},
     {"language": "english"}],
    ids=str,
)  # fmt: skip
async def test_an_unknown_model_or_language_is_refused(options: dict[str, Any]) -> None:
    status, body = await refused(RECORDING, **options)
    assert status == 400
    assert body["err_msg"] == "Bad Request: No such model/language/tier combination found."


async def test_too_many_keyterms_are_refused() -> None:
    status, body = await refused(RECORDING, keyterm=["word " * 250, "word " * 251])
    assert (status, body["err_msg"]) == (400, "Bad Request: Keyterm limit exceeded.")


async def test_an_encoding_that_is_not_decoded_here_is_refused_by_name() -> None:
    status, body = await refused(encoding="g729", sample_rate="8000")
    assert status == 400
    assert "g729" in body["err_msg"]


@pytest.mark.parametrize(
    "data", [b"", b"not audio at all", b'{"url": "http://127.0.0.1/a.wav"}', b"fLaC" + bytes(500)]
)
async def test_what_is_no_audio_is_refused(data: bytes) -> None:
    status, body = await refused(data)
    assert status == 400
    wanted = "Bad Request: failed to process audio: corrupt or unsupported data"
    assert (body["err_code"], body["err_msg"]) == ("Bad Request", wanted)


async def test_a_broken_json_body_is_refused() -> None:
    status, body = await refused(b"{", headers={"Content-Type": "application/json"})
    assert status == 400
    assert body["err_msg"].startswith("Content-type was application/json, but we could not")


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({}, "missing field `url` at line 1 column 2"),
        ({"uri": "x"}, "missing field `url` at line 1 column 12"),
        ({"url": 5}, "Expected `str`, got `int`"),
        ([], "Expected `object`, got `array`"),
    ],
)
async def test_json_without_a_url_is_refused_in_the_other_shape(
    fields: object, details: str
) -> None:
    status, body = await refused(None, json=fields)
    assert status == 400
    assert (body["category"], body["message"]) == ("INVALID_JSON", "Invalid JSON submitted.")
    assert details in body["details"]


@pytest.mark.parametrize("status", [404, 503])
async def test_a_url_that_answers_an_error_is_remote_content_error(status: int) -> None:
    async with site((status, b"")) as (url, _):
        got, body = await refused(None, json={"url": url})
    assert (got, body["err_code"]) == (400, "REMOTE_CONTENT_ERROR")
    assert str(status) in body["err_msg"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a.wav", "file:///etc/passwd", "", "http://"])
async def test_a_url_that_cannot_be_fetched_is_remote_content_error(url: str) -> None:
    status, body = await refused(None, json={"url": url})
    assert (status, body["err_code"]) == (400, "REMOTE_CONTENT_ERROR")


async def test_more_requests_than_allowed_are_refused() -> None:
    async with serving(max_requests=0) as client:
        status, body, _ = await client.post(RECORDING)
    assert status == 429
    assert body["err_code"] == "TOO_MANY_REQUESTS"
    assert body["err_msg"] == "Too many requests. Please try again later"


class Broken(ScriptedRecognizer):
    def recognize(self, audio: Pcm, hints: Hints) -> Iterator[RecognizedWord]:
        raise ZeroDivisionError


async def test_a_defect_is_answered_with_500(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(Broken()) as client:
        status, body, response = await client.post(RECORDING, tag="secret-tag")
    assert status == 500
    assert body["request_id"] == response.headers["dg-request-id"]
    assert "ZeroDivisionError" in caplog.text
    assert "secret-tag" not in caplog.text


# Credentials.


@pytest.mark.parametrize(
    ("credential", "status"),
    [
        ("Token good", 200),
        ("token good", 200),
        ("Bearer jwt", 200),
        ("bearer jwt", 200),
        ("Token bad", 401),
        ("Token jwt", 401),
        ("Bearer good", 401),
        ("Basic good", 401),
        ("good", 401),
        ("Token ", 401),
        ("", 401),
        (None, 401),
    ],
)
async def test_credentials_are_checked(credential: str | None, status: int) -> None:
    headers = {} if credential is None else {"Authorization": credential}
    async with serving(keys={"good"}, access_tokens={"jwt"}) as client:
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(client.url, data=RECORDING) as response,
        ):
            body = await response.json()
            assert response.status == status
            assert "dg-request-id" in response.headers
    if status == 401:
        assert (body["err_code"], body["err_msg"]) == ("INVALID_AUTH", "Invalid credentials.")


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/v1/unknown", 404), ("POST", "/v3/listen", 404), ("DELETE", "/v1/listen", 405),
    ("GET", "/v1/listen", 405),
])  # fmt: skip
async def test_unknown_paths_and_methods_are_refused(method: str, path: str, status: int) -> None:
    async with serving() as client:
        async with client.http.request(method, client.emulator.base_url + path) as response:
            body = await response.json()
            assert response.status == status
            assert response.headers["dg-request-id"] == body["request_id"]


# Callbacks.


async def called_back(requests: list[web.BaseRequest], count: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while len(requests) < count:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_callback_gets_the_whole_answer(method: str) -> None:
    async with serving() as client, site((200, b"")) as (url, requests):
        status, accepted, response = await client.post(
            RECORDING, callback=url, callback_method=method, punctuate="true"
        )
        await called_back(requests, 1)
        answer = json.loads(await requests[0].read())
    assert (status, accepted) == (200, {"request_id": response.headers["dg-request-id"]})
    assert requests[0].method == method
    assert answer["metadata"]["request_id"] == accepted["request_id"]
    assert alternative(answer)["transcript"] == "Hello, world."


async def test_a_refused_callback_is_tried_again_but_not_for_ever() -> None:
    async with (
        serving(callback_attempts=3, callback_retry_s=0.001) as client,
        site((503, b"")) as (url, requests),
    ):
        await client.post(RECORDING, callback=url)
        await called_back(requests, 3)
        _, _, _ = await client.post(RECORDING)
    assert len(requests) == 3


async def test_a_callback_that_accepts_late_is_not_called_again() -> None:
    async with (
        serving(callback_retry_s=0.001) as client,
        site((503, b""), (204, b"")) as (url, requests),
    ):
        await client.post(RECORDING, callback=url)
        await called_back(requests, 2)
    assert len(requests) == 2


async def test_a_callback_hears_of_undecodable_audio() -> None:
    async with serving() as client, site((200, b"")) as (url, requests):
        status, accepted, _ = await client.post(b"no audio", callback=url)
        await called_back(requests, 1)
        answer = json.loads(await requests[0].read())
    assert status == 200
    assert answer["request_id"] == accepted["request_id"]
    assert "corrupt or unsupported data" in answer["err_msg"]


async def test_stopping_cancels_a_callback_that_waits(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(callback_retry_s=60.0) as client, site((503, b"")) as (url, requests):
        await client.post(RECORDING, callback=url)
        await called_back(requests, 1)
    assert len(requests) == 1
