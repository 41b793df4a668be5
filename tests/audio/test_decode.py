import asyncio
import io
import sys
import wave
from array import array
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from deepgram_async.audio import decode, decode_g711, wav_header
from deepgram_async.errors import (
    AudioSourceError,
    ConnectionLostError,
    MissingDependencyError,
    OptionError,
)
from tests.support.sound import sine

av = pytest.importorskip("av", reason="needs the extra 'audio'")


def wav(audio: bytes, sample_rate: int, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((channels, 2, sample_rate, 0, "NONE", ""))
        writer.writeframes(audio)
    return file.getvalue()


def mp3(audio: bytes, sample_rate: int) -> bytes:
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(wav(audio, sample_rate))) as source,
        av.open(file, "w", format="mp3") as target,
    ):
        stream = target.add_stream("libmp3lame", rate=sample_rate, layout="mono")
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return file.getvalue()


async def decoded(source: Any, **options: Any) -> bytes:
    return b"".join([chunk async for chunk in decode(source, **options)])


async def in_parts(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        await asyncio.sleep(0)
        yield data[start : start + size]


def crossings(audio: bytes) -> int:
    """Count the periods of a tone."""
    values = array("h", audio)
    return sum(a < 0 <= b for a, b in pairwise(values))


async def test_audio_in_the_wanted_format_is_left_as_it_is(tmp_path: Path) -> None:
    audio = sine(2, rate=16000)
    path = tmp_path / "tone.wav"
    path.write_bytes(wav(audio, 16000))
    assert await decoded(path, sample_rate=16000) == audio
    assert await decoded(path.read_bytes(), sample_rate=16000) == audio
    with path.open("rb") as file:
        assert await decoded(file, sample_rate=16000) == audio


@pytest.mark.parametrize("law", ["mulaw", "alaw"])
async def test_telephone_audio_needs_no_package(law: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "deepgram_async.audio._containers", raising=False)
    codes = bytes(range(256)) * 40
    in_wav = wav_header(law, sample_rate=8000, data_bytes=len(codes)) + codes
    assert await decoded(in_wav, sample_rate=8000) == decode_g711(codes, law)
    raw = {"encoding": law, "sample_rate": 8000, "channels": 1}
    assert await decoded(codes, sample_rate=8000, raw=raw) == decode_g711(codes, law)
    with pytest.raises(MissingDependencyError, match=r"pip install 'deepgram-async\[audio\]'"):
        await decoded(codes, sample_rate=16000, raw=raw)


async def test_sample_rate_and_channels_are_converted() -> None:
    tone = sine(2, rate=44100)
    audio = await decoded(wav(tone, 44100), sample_rate=16000, channels=2)
    assert len(audio) / 4 / 16000 == pytest.approx(2, abs=0.01)
    left, right = array("h", audio)[0::2], array("h", audio)[1::2]
    assert left == right
    assert crossings(left.tobytes()) == pytest.approx(880, abs=2)


async def test_raw_audio_is_resampled() -> None:
    raw = {"encoding": "linear16", "sample_rate": 8000, "channels": 1}
    audio = await decoded(sine(2, rate=8000), sample_rate=24000, raw=raw)
    assert len(audio) / 2 / 24000 == pytest.approx(2, abs=0.01)
    assert crossings(audio) == pytest.approx(880, abs=2)


async def test_compressed_speech_is_decoded_while_it_arrives() -> None:
    data = mp3(sine(4, rate=24000), 24000)
    arrived = 0

    async def arriving() -> AsyncIterator[bytes]:
        nonlocal arrived
        async for part in in_parts(data, 500):
            arrived += len(part)
            yield part

    audio = bytearray()
    early = None
    async for chunk in decode(arriving(), sample_rate=24000):
        early = arrived / len(data) if early is None else early
        audio += chunk
    assert early is not None
    assert early < 0.6, "the first audio comes before the last byte"
    assert len(audio) / 48000 == pytest.approx(4, abs=0.2)
    assert crossings(bytes(audio)) == pytest.approx(1760, abs=10)


async def test_what_the_source_raises_is_raised_as_it_is() -> None:
    data = mp3(sine(4, rate=24000), 24000)

    async def breaking(after: int) -> AsyncIterator[bytes]:
        async for part in in_parts(data[:after], 500):
            yield part
        raise ConnectionLostError("the service went away")

    for after in (0, 5000, len(data)):
        with pytest.raises(ConnectionLostError, match="the service went away"):
            await decoded(breaking(after), sample_rate=24000)


async def test_leaving_early_ends_the_request_for_more() -> None:
    data = mp3(sine(4, rate=24000), 24000)
    ended = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        try:
            yield data[: len(data) // 2]
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    audio = decode(stalling(), sample_rate=24000)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            async for _ in audio:
                pass
    await audio.aclose()
    await ended.wait()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "it is empty"),
        (b"It is a truth universally acknowledged", "nor audio that FFmpeg knows"),
        ("nowhere.mp3", "No such file"),
    ],
)
async def test_what_is_no_audio_raises(source: Any, message: str) -> None:
    with pytest.raises(AudioSourceError, match=message):
        await decoded(source, sample_rate=16000)


async def test_empty_stream_raises() -> None:
    with pytest.raises(AudioSourceError, match="it is empty"):
        await decoded(in_parts(b"", 1), sample_rate=16000)


async def test_impossible_formats_raise() -> None:
    with pytest.raises(OptionError, match="1 or 2 channels, not 6"):
        await decoded(b"12", sample_rate=16000, channels=6)
    with pytest.raises(AudioSourceError, match="raw linear32 audio cannot be converted"):
        raw = {"encoding": "linear32", "sample_rate": 8000, "channels": 1}
        await decoded(bytes(8), sample_rate=16000, raw=raw)
