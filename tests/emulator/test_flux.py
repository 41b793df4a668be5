"""Flux over a WebSocket, with a plain client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from deepgram_async.emulator import Hints, Pcm, RecognizedWord, ScriptedRecognizer

from .compressed import encoded, tone
from .helpers import RATE, Message, serving, silence, streamed_wav
from .speaking import Talk, talking

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/v2/listen"
EN = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": str(RATE)}
MULTI = {**EN, "model": "flux-general-multi"}
QUESTION = ScriptedRecognizer(
    [("Are", 0.5, 0.8), ("you", 0.8, 1.0), ("there?", 1.0, 1.5), ("Hello?", 3.0, 3.5)]
)


async def converse(talk: Talk, seconds: float, chunk_s: float = 0.25) -> None:
    for _ in range(round(seconds / chunk_s)):
        await talk.socket.send_bytes(silence(chunk_s))


def events(messages: list[Message]) -> list[tuple[str, str]]:
    return [
        (message["event"], message["transcript"])
        for message in messages
        if message["type"] == "TurnInfo" and message["event"] != "Update"
    ]


async def test_a_conversation_has_the_documented_messages() -> None:
    options = {**EN, "eager_eot_threshold": "0.5"}
    async with serving(QUESTION) as client, talking(client, PATH, **options) as talk:
        request_id = client.noted.headers["dg-request-id"]
        connected = await talk.receive()
        await converse(talk, 5.0)
        await talk.say("CloseStream")
        messages = await talk.rest()
    assert connected == {"type": "Connected", "request_id": request_id, "sequence_id": 0}
    assert [message["sequence_id"] for message in messages] == list(range(1, len(messages) + 1))
    assert events(messages) == [
        ("StartOfTurn", "Are"),
        ("EagerEndOfTurn", "Are you there?"),
        ("EndOfTurn", "Are you there?"),
        ("StartOfTurn", "Hello?"),
        ("EagerEndOfTurn", "Hello?"),
        ("EndOfTurn", "Hello?"),
    ]
    end = next(message for message in messages if message.get("event") == "EndOfTurn")
    assert {name for m in messages for name in m} - end.keys() == set()
    assert end["words"] == [
        {"word": "Are", "confidence": 1.0, "start": 0.5, "end": 0.8},
        {"word": "you", "confidence": 1.0, "start": 0.8, "end": 1.0},
        {"word": "there?", "confidence": 1.0, "start": 1.0, "end": 1.5},
    ]
    assert (end["turn_index"], end["trigger"]) == (0, "model")
    assert [m.get("event") for m in messages if "trigger" in m] == ["EndOfTurn", "EndOfTurn"]


async def test_the_stream_ends_without_a_close_code() -> None:
    async with serving(QUESTION) as client, talking(client, PATH, **EN) as talk:
        await converse(talk, 1.5)
        await talk.say("CloseStream")
        messages = await talk.rest()
    # So aiohttp reads a close without a code.
    assert talk.code == 0
    # The turn is not ended by that.
    assert events(messages) == [("StartOfTurn", "Are")]
    assert messages[-1]["transcript"] == "Are you there?"


async def test_the_chunks_do_not_matter() -> None:
    heard: list[list[Any]] = []
    for chunk_s in (0.08, 0.1, 1.0, 5.0):
        async with serving(QUESTION) as client, talking(client, PATH, **EN) as talk:
            await converse(talk, 5.0, chunk_s)
            await talk.say("CloseStream")
            messages = [m for m in await talk.rest() if m["type"] == "TurnInfo"]
            heard.append([(m["event"], m["transcript"], m["audio_window_end"]) for m in messages])
    assert heard[0][:-1] == heard[1][: len(heard[0]) - 1]
    assert heard[1] == heard[2] == heard[3]


@pytest.mark.parametrize("container", ["wav", "ogg", "webm"])
async def test_audio_that_tells_what_it_is_needs_no_encoding(container: str) -> None:
    words = ScriptedRecognizer.from_text("Hello, world.", start_s=0.2)
    audio = (
        streamed_wav(tone(2.5), rate=16000) if container == "wav" else encoded(tone(2.5), container)
    )
    async with (
        serving(words) as client,
        talking(client, PATH, model="flux-general-en") as talk,
    ):
        for at in range(0, len(audio), 4000):
            await talk.socket.send_bytes(audio[at : at + 4000])
        await talk.say("CloseStream")
        messages = await talk.rest()
    assert events(messages)[-1] == ("EndOfTurn", "Hello, world.")


async def test_a_turn_is_forced_to_end() -> None:
    async with serving(QUESTION) as client, talking(client, PATH, **EN) as talk:
        await talk.say("ForceEndTurn")
        warning = (await talk.until("Warning"))[-1]
        await converse(talk, 1.5)
        await talk.say("ForceEndTurn")
        await talk.say("CloseStream")
        messages = await talk.rest()
    assert warning["code"] == "FORCE_END_TURN_NO_ACTIVE_TURN"
    assert events(messages)[-1] == ("EndOfTurn", "Are you there?")
    assert messages[-1]["trigger"] == "manual"


async def test_a_timeout_ends_a_turn() -> None:
    options = {**EN, "eot_threshold": "1.0", "eot_timeout_ms": "500"}
    async with serving(QUESTION) as client, talking(client, PATH, **options) as talk:
        await converse(talk, 2.5)
        await talk.say("CloseStream")
        messages = await talk.rest()
    (trigger,) = (message["trigger"] for message in messages if "trigger" in message)
    assert trigger == "timeout"


async def test_the_configuration_is_changed_in_order_with_the_audio() -> None:
    async with serving(QUESTION) as client, talking(client, PATH, **EN) as talk:
        await converse(talk, 1.75)
        await talk.say(
            "Configure",
            thresholds={"eager_eot_threshold": 0.4, "eot_timeout_ms": 6000},
            keyterms=["Oslo"],
            numerals=True,
        )
        await converse(talk, 0.25)
        await talk.say("CloseStream")
        messages = await talk.rest()
    success = next(m for m in messages if m["type"] == "ConfigureSuccess")
    assert success["thresholds"] == {
        "eager_eot_threshold": 0.4,
        "eot_threshold": 0.7,
        "eot_timeout_ms": 6000.0,
    }
    assert (success["keyterms"], success["numerals"]) == (["Oslo"], True)
    assert "language_hints" not in success
    before = messages[: messages.index(success)]
    assert "EagerEndOfTurn" not in {m.get("event") for m in before}
    assert events(messages)[-1][0] == "EagerEndOfTurn"


NUMBERS = ScriptedRecognizer.from_text("My shitty number is one two three four.", start_s=0.1)
FORMATS: dict[str, tuple[dict[str, str], str]] = {
    "as spoken": ({}, "My shitty number is one two three four."),
    "numerals": ({"numerals": "true"}, "My shitty number is 1 2 3 4."),
    "redact": ({"redact": "numbers"}, "My shitty number is * * * *."),
    "profanity_filter": ({"profanity_filter": "true"}, "My **** number is one two three four."),
}


@pytest.mark.parametrize("case", FORMATS)
async def test_words_are_written_as_the_options_want_them(case: str) -> None:
    options, text = FORMATS[case]
    async with serving(NUMBERS) as client, talking(client, PATH, **EN, **options) as talk:
        await converse(talk, 4.0)
        await talk.say("CloseStream")
        messages = await talk.rest()
    assert events(messages)[-1] == ("EndOfTurn", text)


FAILURES: dict[str, tuple[dict[str, str], dict[str, Any], str]] = {
    "eager above final": (EN, {"thresholds": {"eager_eot_threshold": 0.8}}, "INVALID_THRESHOLD"),
    "out of range": (EN, {"thresholds": {"eot_threshold": 0.2}}, "INVALID_THRESHOLD"),
    "too many keyterms": (EN, {"keyterms": ["x"] * 101}, "KEYTERM_LIMIT_EXCEEDED"),
    "hints in English": (EN, {"language_hints": ["es"]}, "INVALID_LANGUAGE_HINTS"),
}


@pytest.mark.parametrize("case", FAILURES)
async def test_a_wrong_configuration_changes_nothing_at_all(case: str) -> None:
    options, change, code = FAILURES[case]
    async with serving(QUESTION) as client, talking(client, PATH, **options) as talk:
        await talk.say("Configure", numerals=True, **change)
        failure = (await talk.until("ConfigureFailure"))[-1]
        await talk.say("Configure", keyterms=[])
        success = (await talk.until("ConfigureSuccess"))[-1]
    assert failure["code"] == code
    assert failure["description"]
    assert (success["numerals"], success["keyterms"]) == (False, [])


async def test_language_hints_are_for_several_languages() -> None:
    options = {**MULTI, "language_hint": "es"}
    async with serving(QUESTION) as client, talking(client, PATH, **options) as talk:
        await converse(talk, 1.25)
        await talk.say("Configure", language_hints=["en", "fr"])
        messages = await talk.until("ConfigureSuccess")
    assert messages[-1]["language_hints"] == ["en", "fr"]
    turn = messages[-2]
    assert (turn["languages"], turn["languages_hinted"]) == (["en"], ["es"])


@pytest.mark.parametrize(
    "frame", ["no JSON", '{"type":"KeepAlive"}', '{"type":"Configure","numerals":"true"}']
)
async def test_what_is_no_message_is_fatal(frame: str) -> None:
    async with serving(QUESTION) as client, talking(client, PATH, **EN) as talk:
        await talk.socket.send_str(frame)
        error = (await talk.rest())[-1]
    assert (error["type"], error["code"]) == ("Error", "UNPARSABLE_CLIENT_MESSAGE")
    assert talk.code == 1008


async def test_bytes_that_are_no_audio_are_fatal() -> None:
    async with (
        serving(QUESTION) as client,
        talking(client, PATH, model="flux-general-en") as talk,
    ):
        await talk.socket.send_bytes(b"this is no audio at all")
        error = (await talk.rest())[-1]
    assert (error["type"], talk.code) == ("Error", 1008)
    assert "data0000" in talk.reason


async def test_a_silent_stream_is_ended() -> None:
    async with serving(flux_timeout_s=0.05) as client, talking(client, PATH, **EN) as talk:
        error = (await talk.rest())[-1]
    assert (error["code"], talk.code) == ("NET-0001", 1011)


async def test_a_defect_of_the_recognizer_is_an_internal_error() -> None:
    class Broken(ScriptedRecognizer):
        def recognize(self, audio: Pcm, hints: Hints) -> Iterator[RecognizedWord]:
            raise RuntimeError("deaf")

    broken = Broken([("Hello", 0.1, 0.5)])
    async with serving(broken) as client, talking(client, PATH, **EN) as talk:
        await converse(talk, 1.0)
        error = (await talk.rest())[-1]
    assert (error["code"], talk.code) == ("INTERNAL_SERVER_ERROR", 1011)


REFUSED = {
    "no model": ({"model": ""}, "models of its own"),
    "a model of v1": ({"model": "nova-3"}, "models of its own"),
    "an unknown model": ({"model": "flux-general-xx"}, "no model"),
    "an unknown parameter": ({"interim_results": "true"}, "unknown parameter interim_results"),
    "a threshold out of range": ({"eot_threshold": "0.3"}, "eot_threshold"),
    "eager above final": ({"eager_eot_threshold": "0.9"}, "less than or equal"),
    "no number": ({"eot_timeout_ms": "soon"}, "Invalid query"),
    "a timeout out of range": ({"eot_timeout_ms": "100"}, "eot_timeout_ms"),
    "a hint for English": ({"language_hint": "es"}, "language_hint"),
    "an unknown redaction": ({"redact": "pci"}, "redacts"),
    "an unknown rate": ({"sample_rate": "22050"}, "22050"),
    "an encoding that is not decoded": ({"encoding": "opus", "sample_rate": "48000"}, "opus"),
    "a flag that is none": ({"numerals": "True"}, "Invalid query"),
}


async def test_what_flux_does_not_have_fails_the_handshake() -> None:
    async with serving(QUESTION) as client:
        for case, (options, word) in REFUSED.items():
            with pytest.raises(aiohttp.WSServerHandshakeError) as failed:
                async with talking(client, PATH, **{**EN, **options}):
                    pass
            assert failed.value.status == 400, case
            assert failed.value.headers is not None
            assert word in failed.value.headers["dg-error"], case
