"""Speech by request: what is answered, in which form, and what is refused."""

from __future__ import annotations

import asyncio
import io
import sys
from typing import Any

import aiohttp
import av
import pytest
from aiohttp import web

from deepgram_async.emulator import Emulator, ScriptedRecognizer
from tests.support.servers import http_server

from .helpers import DEADLINE_S, Client, serving
from .speaking import CHARACTER_S, BrokenSynthesizer, HeldSynthesizer

# PyAV's own types do not tell a file that is read from one that is written.
_av: Any = av

TEXT = "Hello, world."
FORMS: list[tuple[str, dict[str, str], str, str, int]] = [
    # path, options, media type, codec, rate
    ("/v1/speak", {}, "audio/mpeg", "mp3float", 22050),
    ("/v1/speak", {"encoding": "mp3", "bit_rate": "32000"}, "audio/mpeg", "mp3float", 22050),
    ("/v1/speak", {"encoding": "linear16"}, "audio/wav", "pcm_s16le", 24000),
    ("/v1/speak", {"encoding": "linear16", "sample_rate": "8000"}, "audio/wav", "pcm_s16le", 8000),
    ("/v1/speak", {"encoding": "mulaw"}, "audio/wav", "pcm_mulaw", 8000),
    ("/v1/speak", {"encoding": "alaw", "sample_rate": "16000"}, "audio/wav", "pcm_alaw", 16000),
    ("/v1/speak", {"encoding": "opus"}, "audio/ogg", "opus", 48000),
    ("/v1/speak", {"encoding": "opus", "bit_rate": "650000"}, "audio/ogg", "opus", 48000),
    ("/v1/speak", {"encoding": "flac", "sample_rate": "16000"}, "audio/flac", "flac", 16000),
    ("/v1/speak", {"encoding": "aac"}, "audio/aac", "aac", 22050),
    ("/v2/speak", {"bit_rate": "8000"}, "audio/mpeg", "mp3float", 24000),
    ("/v2/speak", {"encoding": "linear16", "sample_rate": "44100"}, "audio/wav", "pcm_s16le",
     44100),
    ("/v2/speak", {"encoding": "flac", "sample_rate": "22050"}, "audio/flac", "flac", 22050),
]  # fmt: skip


async def speak(
    client: Client, path: str = "/v1/speak", text: str = TEXT, **options: str
) -> tuple[aiohttp.ClientResponse, bytes]:
    if path == "/v2/speak":
        options.setdefault("model", "flux-alexis-en")
    url = client.emulator.base_url + path
    async with client.http.post(url, params=options, json={"text": text}) as response:
        return response, await response.read()


def decoded(audio: bytes) -> tuple[str, int, float]:
    """Return codec, rate and length of a file."""
    with _av.open(io.BytesIO(audio)) as file:
        (stream,) = file.streams.audio
        frames: list[Any] = list(file.decode(stream))
    rate = int(stream.codec_context.sample_rate)
    return str(stream.codec_context.name), rate, sum(frame.samples for frame in frames) / rate


@pytest.mark.parametrize(("path", "options", "kind", "codec", "rate"), FORMS)
async def test_every_form_can_be_played(
    path: str, options: dict[str, str], kind: str, codec: str, rate: int
) -> None:
    async with serving() as client:
        response, audio = await speak(client, path, **options)
    assert response.status == 200, audio
    assert response.content_type == kind
    found_codec, found_rate, seconds = decoded(audio)
    assert (found_codec, found_rate) == (codec, rate)
    # Codecs add silence at the ends.
    assert seconds == pytest.approx(len(TEXT) * CHARACTER_S, abs=0.15)


@pytest.mark.parametrize(
    ("encoding", "bytes_per_second"), [("linear16", 48000), ("mulaw", 8000), ("alaw", 8000)]
)
async def test_raw_audio_has_no_header(encoding: str, bytes_per_second: int) -> None:
    async with serving() as client:
        _, audio = await speak(client, encoding=encoding, container="none")
    assert len(audio) == pytest.approx(len(TEXT) * CHARACTER_S * bytes_per_second, abs=2)


async def test_a_streamed_wav_has_the_sizes_of_the_service() -> None:
    async with serving() as client:
        _, audio = await speak(client, encoding="linear16")
    assert audio[4:8] == 0x7FFF0024.to_bytes(4, "little")
    assert audio[40:44] == 0x7FFF0000.to_bytes(4, "little")


async def test_the_headers_tell_voice_and_characters() -> None:
    async with serving() as client:
        response, _ = await speak(client, model="aura-2-thalia-en")
    headers = response.headers
    assert headers["Transfer-Encoding"] == "chunked"
    assert headers["dg-model-name"] == "aura-2-thalia-en"
    assert headers["dg-char-count"] == "13"
    assert {"dg-model-uuid", "dg-request-id", "dg-project-id", "Date"} <= headers.keys()
    assert "dg-additional-model-uuids" not in headers


async def test_the_default_voice_is_that_of_the_service() -> None:
    async with serving() as client:
        response, _ = await speak(client)
    assert response.headers["dg-model-name"] == "aura-asteria-en"


async def test_speed_shortens_the_speech() -> None:
    async with serving() as client:
        _, slow = await speak(client, encoding="mulaw", container="none")
        _, fast = await speak(client, encoding="mulaw", container="none", speed="1.25")
    assert len(fast) == pytest.approx(len(slow) / 1.25, rel=0.01)


async def test_speech_is_sent_while_it_is_made() -> None:
    voice = HeldSynthesizer()
    options = {"encoding": "linear16", "container": "none"}
    async with serving(synthesizer=voice) as client:
        url = client.emulator.base_url + "/v1/speak"
        body = {"text": "First one. Second one."}
        async with client.http.post(url, params=options, json=body) as response:
            first = await response.content.readany()
            assert first
            voice.go_on.set()
            assert await response.read()


async def test_pronunciations_and_pauses_are_counted_and_pauses_are_silent() -> None:
    said = 'Take \\{"word":"dupilumab","pronounce":"doo-pil-yoo-mab"\\} twice.'
    async with serving() as client:
        response, _ = await speak(client, text=said)
        assert response.headers["dg-pronunciations-applied"] == "1"
        assert response.headers["dg-char-count"] == str(len("Take dupilumab twice."))
        broken, _ = await speak(client, text='Take \\{"word":"it"\\} twice.')
        assert broken.headers["dg-warnings"] == "PRON-001"
        paused, audio = await speak(
            client, "/v2/speak", "Wait.\\{pause:1000ms\\} Go.", encoding="linear16",
            container="none",
        )  # fmt: skip
        assert paused.headers["dg-breaks-applied"] == "1"
    assert bytes(48000) in audio


async def test_a_callback_gets_the_audio() -> None:
    delivered: list[tuple[str, str, bytes]] = []
    is_delivered = asyncio.Event()

    async def take(request: web.Request) -> web.Response:
        kind, request_id = request.content_type, request.headers["dg-request-id"]
        delivered.append((kind, request_id, await request.read()))
        is_delivered.set()
        return web.Response()

    async with http_server(take) as url, serving() as client:
        response, body = await speak(client, callback=url + "/speech", encoding="linear16")
        async with asyncio.timeout(DEADLINE_S):
            await is_delivered.wait()
    assert (response.status, response.content_type) == (200, "application/json")
    ((kind, request_id, audio),) = delivered
    assert kind == "audio/wav"
    assert request_id.encode() in body
    assert decoded(audio)[0] == "pcm_s16le"


AURA_REFUSALS = {
    "a rate that the encoding does not have": {"encoding": "mp3", "sample_rate": "24000"},
    "a container that the encoding does not have": {"encoding": "mp3", "container": "wav"},
    "a bit rate that the encoding does not have": {"encoding": "mp3", "bit_rate": "64000"},
    "a bit rate for an encoding without one": {"encoding": "flac", "bit_rate": "48000"},
    "an unknown encoding": {"encoding": "ogg"},
    "an unknown voice": {"model": "aura-2-nobody-en"},
    "a Flux voice": {"model": "flux-alexis-en"},
    "too fast": {"speed": "2"},
    "no number": {"sample_rate": "fast"},
    "no callback": {"callback": "somewhere"},
}


async def test_what_aura_does_not_have_is_refused() -> None:
    async with serving() as client:
        for case, options in AURA_REFUSALS.items():
            response, body = await speak(client, **options)
            assert response.status == 400, case
            assert b'"err_msg"' in body, case
            assert response.headers["dg-error"], case


FLUX_REFUSALS: dict[str, tuple[dict[str, str], str, str]] = {
    "an Aura voice": ({"model": "aura-2-thalia-en"}, TEXT, "No such model"),
    "an unknown option": ({"colour": "red"}, TEXT, "unknown parameter colour"),
    "a speed out of range": ({"speed": "1.6"}, TEXT, "SPEED_OUT_OF_RANGE"),
    "a speed between the steps": ({"speed": "1.03"}, TEXT, "SPEED_INCREMENT_INVALID"),
    "too lively": ({"expressivity": "3"}, TEXT, "EXPRESSIVITY_OUT_OF_RANGE"),
    "half lively": ({"expressivity": "0.5"}, TEXT, "EXPRESSIVITY_INCREMENT_INVALID"),
    "a long pause": ({}, "A\\{pause:3100ms\\}b", "BREAK_OUT_OF_RANGE"),
    "an odd pause": ({}, "A\\{pause:550ms\\}b", "BREAK_INCREMENT_INVALID"),
    "a pause without a unit": ({}, "A\\{pause:500\\}b", "BREAK_SYNTAX_INVALID"),
    "nine pauses": ({}, "A" + "\\{pause:500ms\\}b" * 9, "BREAKS_LIMIT_EXCEEDED"),
    "a pause at high speed": ({"speed": "1.2"}, "A\\{pause:500ms\\}b", "PAUSE_SPEED_CAP_EXCEEDED"),
    "priority without a callback": ({"priority": "low"}, TEXT, "priority"),
}


async def test_what_flux_does_not_have_is_refused() -> None:
    async with serving() as client:
        for case, (options, text, word) in FLUX_REFUSALS.items():
            response, body = await speak(client, "/v2/speak", text, **options)
            assert response.status == 400, case
            assert word in body.decode(), case


async def test_flux_has_no_default_voice() -> None:
    async with (
        serving() as client,
        client.http.post(client.emulator.base_url + "/v2/speak", json={"text": "x"}) as response,
    ):
        assert response.status == 400
        assert "model is required" in await response.text()


async def test_texts_that_are_none_are_refused() -> None:
    async with serving() as client:
        url = client.emulator.base_url + "/v1/speak"
        response, _ = await speak(client, text="  ")
        assert response.status == 400
        response, _ = await speak(client, text="x" * 2001)
        assert response.status == 413
        async with client.http.post(url, json={"txt": "Hi"}) as answer:
            assert answer.status == 400
            assert "missing field `text`" in await answer.text()
        async with client.http.post(url, data=b"Hi") as answer:
            assert answer.status == 400


async def test_without_the_extra_the_answer_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "hibari", None)
    async with (
        Emulator(ScriptedRecognizer()) as emulator,
        aiohttp.ClientSession(headers={"Authorization": "Token a-key"}) as http,
        http.post(emulator.base_url + "/v1/speak", json={"text": TEXT}) as response,
    ):
        assert response.status == 503
        assert "deepgram-async[emulator]" in await response.text()


async def test_a_synthesizer_that_fails_at_once_is_a_500() -> None:
    async with serving(synthesizer=BrokenSynthesizer()) as client:
        response, _ = await speak(client)
    assert response.status == 500
