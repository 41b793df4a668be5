import io
import math
import sys
import wave
from fractions import Fraction
from pathlib import Path

import pytest

from deepgram_async.audio import paced
from deepgram_async.errors import AudioSourceError, MissingDependencyError

av = pytest.importorskip("av", reason="needs the extra 'audio'")

DEMO = Path(__file__).parents[2] / "examples" / "audio" / "austen.wav"


def encoded(container: str, codec: str, sample_rate: int) -> bytes:
    """Return the first three seconds of the demo recording in another container."""
    file = io.BytesIO()
    with (
        av.open(str(DEMO)) as source,
        av.open(file, "w", format=container) as target,
    ):
        stream = target.add_stream(codec, rate=sample_rate, layout="mono")
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", rate=sample_rate, frame_size=stream.frame_size or 0
        )
        for frame in source.decode(audio=0):
            if frame.time is not None and frame.time > 3:
                break
            for converted in resampler.resample(frame):
                target.mux(stream.encode(converted))
        target.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(
    ("container", "codec", "sample_rate"),
    [("mp3", "libmp3lame", 24000), ("flac", "flac", 16000), ("ogg", "libopus", 48000)],
)
async def test_compressed_file_becomes_linear16(
    tmp_path: Path, container: str, codec: str, sample_rate: int
) -> None:
    file = tmp_path / "talk"
    file.write_bytes(encoded(container, codec, sample_rate))
    async with paced(file, realtime=math.inf) as audio:
        assert audio.options == {"encoding": "linear16", "sample_rate": sample_rate, "channels": 1}
        chunks = [chunk async for chunk in audio]
    assert audio.seconds_sent == pytest.approx(3, abs=0.2)
    assert audio.duration_s == pytest.approx(3, abs=0.2)
    assert {len(chunk) for chunk in chunks[:-1]} == {sample_rate // 50 * 2}


async def test_lossless_file_has_the_very_samples(tmp_path: Path) -> None:
    file = tmp_path / "talk.flac"
    file.write_bytes(encoded("flac", "flac", 16000))
    async with paced(file, realtime=math.inf) as audio:
        samples = b"".join([chunk async for chunk in audio])
    assert samples == DEMO.read_bytes()[44 : 44 + len(samples)]


async def test_container_in_an_open_file_is_decoded() -> None:
    file = io.BytesIO(encoded("flac", "flac", 16000))
    async with paced(file, realtime=math.inf) as audio:
        assert sum([len(chunk) async for chunk in audio]) == pytest.approx(96000, rel=0.1)
    assert not file.closed


async def test_wav_of_8_bit_samples_is_converted(tmp_path: Path) -> None:
    path = tmp_path / "old.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(1)
        file.setframerate(11025)
        file.writeframes(bytes(range(200)) * 2)
    async with paced(path, realtime=math.inf) as audio:
        assert audio.options == {"encoding": "linear16", "sample_rate": 11025, "channels": 2}
        assert sum([len(chunk) async for chunk in audio]) == 800
    async with paced(io.BytesIO(path.read_bytes()), realtime=math.inf) as audio:
        assert sum([len(chunk) async for chunk in audio]) == 800


async def test_container_without_sound_raises(tmp_path: Path) -> None:
    path = tmp_path / "silent.mkv"
    with av.open(str(path), "w") as target:
        stream = target.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame(16, 16, "yuv420p")
        frame.pts = 0
        frame.time_base = Fraction(1, 25)
        target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    with pytest.raises(AudioSourceError, match="nor audio"):
        async with paced(path):
            pass


async def test_without_pyav_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "deepgram_async.audio._containers", raising=False)
    path = tmp_path / "talk.flac"
    path.write_bytes(b"fLaC" + bytes(100))
    with pytest.raises(MissingDependencyError, match=r"pip install 'deepgram-async\[audio\]'"):
        async with paced(path):
            pass
