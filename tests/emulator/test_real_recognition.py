"""Real speech through the real recogniser: what was said is what is heard, in every format."""

from __future__ import annotations

import io
import struct
import wave
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import pytest_asyncio

from deepgram_async.emulator import Emulator, WhisperRecognizer
from tests.support.speech import RECORDING, TEXT, WORST, plain, word_error_rate

from .compressed import CONTAINERS, companded, encoded
from .helpers import Client, Live, serving, streamed_wav, transcripts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.real


def samples() -> bytes:
    with wave.open(str(RECORDING)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        frames: bytes = file.readframes(file.getnframes())
        return frames


@pytest.fixture(scope="module")
def recognizer() -> WhisperRecognizer:
    pytest.importorskip("faster_whisper")
    return WhisperRecognizer()


@pytest_asyncio.fixture
async def client(recognizer: WhisperRecognizer) -> AsyncGenerator[Client]:
    async with serving(recognizer) as running:
        yield running


async def transcribe(client: Client, data: bytes | io.BytesIO, **options: Any) -> str:
    status, answer, _ = await client.post(data, model="nova-3", **options)
    assert status == 200, answer
    (channel,) = answer["results"]["channels"]
    found = channel["alternatives"][0]
    assert_plausible(found["words"], answer["metadata"]["duration"])
    transcript: str = found["transcript"]
    return transcript


def assert_plausible(words: list[dict[str, Any]], duration: float) -> None:
    """Times run forward inside the audio, and the confidences are not made up."""
    assert len({word["confidence"] for word in words}) > len(words) / 2
    at = 0.0
    for word in words:
        assert at - 1e-6 <= word["start"] <= word["end"] <= duration + 0.1
        assert 0.0 < word["confidence"] <= 1.0
        at = word["start"]


async def test_a_wav_is_understood(client: Client) -> None:
    heard = await transcribe(client, RECORDING.read_bytes(), smart_format="true")
    assert word_error_rate(heard) < WORST


@pytest.mark.parametrize("container", CONTAINERS)
async def test_compressed_speech_is_understood(client: Client, container: str) -> None:
    assert word_error_rate(await transcribe(client, encoded(samples(), container))) < WORST


async def test_raw_linear16_is_understood(client: Client) -> None:
    heard = await transcribe(client, samples(), encoding="linear16", sample_rate="16000")
    assert word_error_rate(heard) < WORST


@pytest.mark.parametrize("law", ["mulaw", "alaw"])
async def test_raw_g711_is_understood(client: Client, law: str) -> None:
    heard = await transcribe(client, companded(samples(), law), encoding=law, sample_rate="16000")
    assert word_error_rate(heard) < WORST


async def test_another_rate_is_understood(client: Client) -> None:
    # Every sample three times: the same speech at 48 kHz.
    thrice = np.repeat(np.frombuffer(samples(), "<i2"), 3).tobytes()
    heard = await transcribe(client, io.BytesIO(thrice), encoding="linear16", sample_rate="48000")
    assert word_error_rate(heard) < WORST


async def test_channels_are_understood_apart(client: Client) -> None:
    half = samples()[: 16000 * 2 * 7]
    stereo = b"".join(s + b"\0\0" for (s,) in struct.iter_unpack("2s", half))
    options = {"encoding": "linear16", "sample_rate": "16000", "channels": "2"}
    _, answer, _ = await client.post(stereo, multichannel="true", **options)
    left, right = (c["alternatives"][0]["transcript"] for c in answer["results"]["channels"])
    assert plain(TEXT).startswith(plain(left)[:20])
    assert right == ""


async def test_live_speech_is_understood_with_interims_and_finals(client: Client) -> None:
    recording = streamed_wav(samples(), rate=16000)
    url = client.url + "?model=nova-3&interim_results=true&punctuate=true"
    async with client.http.ws_connect(url) as socket:
        chunks = [recording[at : at + 8000] for at in range(0, len(recording), 8000)]
        messages = await Live(socket).transcribe(*chunks)
    assert word_error_rate(" ".join(transcripts(messages))) < WORST
    assert any(transcripts(messages, final=False))
    words = [
        word
        for message in messages
        if message["type"] == "Results" and message["is_final"]
        for word in message["channel"]["alternatives"][0]["words"]
    ]
    assert_plausible(words, messages[-1]["duration"])


async def test_the_emulator_takes_the_real_recogniser_by_default() -> None:
    pytest.importorskip("faster_whisper")
    async with Emulator() as emulator:
        assert emulator.port
