"""The speaking socket of Aura voices, with a plain client."""

from __future__ import annotations

from typing import Any

import pytest

from .helpers import serving
from .speaking import CHARACTER_S, BrokenSynthesizer, HeldSynthesizer, talking

PATH = "/v1/speak"


def audio_size(text: str, bytes_per_second: int = 48000) -> Any:
    return pytest.approx(len(text) * CHARACTER_S * bytes_per_second, abs=len(text))


async def test_metadata_comes_first() -> None:
    async with serving() as client, talking(client, PATH, model="aura-2-thalia-en") as talk:
        metadata = await talk.receive()
        assert metadata is not None
        request_id = client.noted.headers["dg-request-id"]
    assert metadata["type"] == "Metadata"
    assert metadata["request_id"] == request_id
    assert metadata["model_name"] == "aura-2-thalia-en"
    assert metadata.keys() == {"type", "request_id", "model_name", "model_version", "model_uuid"}


async def test_a_flush_is_confirmed_behind_its_audio() -> None:
    async with serving() as client, talking(client, PATH) as talk:
        await talk.say("Speak", text="Hello, ")
        await talk.say("Speak", text="world.")
        await talk.say("Flush")
        flushed = (await talk.until("Flushed"))[-1]
        await talk.say("Speak", text="Again.")
        await talk.say("Flush")
        again = (await talk.until("Flushed"))[-1]
    assert talk.order == ["Metadata", "audio", "Flushed", "audio", "Flushed"]
    assert len(talk.audio) == audio_size("Hello, world.Again.")
    assert (flushed["sequence_id"], again["sequence_id"]) == (0, 1)


@pytest.mark.parametrize(("encoding", "bytes_per_second"), [("mulaw", 8000), ("alaw", 8000)])
async def test_g711_is_spoken_at_8000_hertz(encoding: str, bytes_per_second: int) -> None:
    async with serving() as client, talking(client, PATH, encoding=encoding) as talk:
        await talk.say("Speak", text="Hello, world.")
        await talk.say("Flush")
        await talk.until("Flushed")
    assert len(talk.audio) == audio_size("Hello, world.", bytes_per_second)


async def test_a_sentence_is_spoken_before_it_is_flushed() -> None:
    async with serving() as client, talking(client, PATH) as talk:
        await talk.say("Speak", text="A whole sentence. And a")
        await talk.say("Clear")
        await talk.until("Cleared")
    assert len(talk.audio) in (0, len("A whole sentence. ") * CHARACTER_S * 48000)


async def test_closing_speaks_what_is_left_and_closes_normally() -> None:
    async with serving() as client, talking(client, PATH) as talk:
        await talk.say("Speak", text="Hello, world")
        await talk.say("Close")
        await talk.rest()
    assert talk.order == ["Metadata", "audio"]
    assert len(talk.audio) == audio_size("Hello, world")
    assert talk.code == 1000


async def test_nothing_of_a_cleared_text_follows_its_confirmation() -> None:
    voice = HeldSynthesizer()
    async with serving(synthesizer=voice) as client, talking(client, PATH) as talk:
        await talk.say("Speak", text="First. Second sentence, which is cleared. And")
        await talk.say("Flush")
        while not talk.audio:
            frame = await talk.socket.receive()
            talk.audio += frame.data if isinstance(frame.data, bytes) else b""
        await talk.say("Clear")
        await talk.say("Speak", text="Third.")
        await talk.say("Flush")
        voice.go_on.set()
        await talk.until("Cleared")
        assert len(talk.audio) <= len("First. ") * CHARACTER_S * 48000
        before = len(talk.audio)
        await talk.until("Flushed")
    assert len(talk.audio) - before == audio_size("Third.")
    assert talk.order[-3:] == ["Cleared", "audio", "Flushed"]


async def test_too_many_flushes_are_warned_of_and_ignored() -> None:
    async with serving() as client, talking(client, PATH) as talk:
        for _ in range(21):
            await talk.say("Flush")
        warning = (await talk.until("Warning"))[-1]
        assert {"code", "description"} < warning.keys()
        await talk.say("Close")
        await talk.rest()
    assert talk.order.count("Flushed") == 20


async def test_the_window_of_the_limits_passes() -> None:
    async with serving(speak_window_s=0.0) as client, talking(client, PATH) as talk:
        for _ in range(25):
            await talk.say("Flush")
        await talk.say("Close")
        await talk.rest()
    assert talk.order.count("Flushed") == 25


ENDINGS = {
    "a text of 2001 characters": (["x" * 2001], 1009, "big0001"),
    "2401 characters in a minute": (["x" * 2000, "x" * 401], 1008, "data0001"),
}


@pytest.mark.parametrize("case", ENDINGS)
async def test_too_much_text_ends_the_stream(case: str) -> None:
    texts, code, word = ENDINGS[case]
    async with serving() as client, talking(client, PATH) as talk:
        for text in texts:
            await talk.say("Speak", text=text)
        await talk.rest()
    assert talk.code == code
    assert word in talk.reason


@pytest.mark.parametrize("frame", ["no JSON", '{"type":"Sing"}', '{"type":"Speak"}', b"audio"])
async def test_what_is_no_message_ends_the_stream(frame: str | bytes) -> None:
    async with serving() as client, talking(client, PATH) as talk:
        if isinstance(frame, str):
            await talk.socket.send_str(frame)
        else:
            await talk.socket.send_bytes(frame)
        await talk.rest()
    assert talk.code == 1008


async def test_an_old_stream_is_ended() -> None:
    async with serving(speak_longest_s=0.05) as client, talking(client, PATH) as talk:
        await talk.rest()
    assert (talk.code, "net0003" in talk.reason) == (1011, True)


async def test_a_broken_synthesizer_is_an_internal_error() -> None:
    async with serving(synthesizer=BrokenSynthesizer()) as client, talking(client, PATH) as talk:
        await talk.say("Speak", text="Hello. ")
        await talk.rest()
    assert (talk.code, "net0000" in talk.reason) == (1011, True)


async def test_a_lead_holds_speech_back_so_that_it_can_be_cleared() -> None:
    long = "A sentence that takes much longer than this test may take. " * 10
    async with serving(speech_lead_s=0.2) as client, talking(client, PATH) as talk:
        await talk.say("Speak", text=long)
        while not talk.audio:
            frame = await talk.socket.receive()
            talk.audio += frame.data if isinstance(frame.data, bytes) else b""
        await talk.say("Clear")
        await talk.until("Cleared")
    assert len(talk.audio) < len(long) * CHARACTER_S * 48000 / 2


async def test_containers_and_compressed_audio_are_refused_on_the_socket() -> None:
    async with serving() as client:
        url = client.emulator.base_url + PATH
        for options in ({"encoding": "mp3"}, {"sample_rate": "44100"}, {"model": "flux-kit-en"}):
            async with client.http.get(url, params=options) as answer:
                assert answer.status == 400
                assert answer.headers["dg-error"]
