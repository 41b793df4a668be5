import asyncio
import wave
from pathlib import Path

import pytest

from deepgram_async.audio import WavWriter, read_wav_format, wav_header
from deepgram_async.errors import AudioSourceError, InvalidStateError, OptionError


async def test_file_holds_what_was_written_and_its_length(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    audio = bytes(range(250)) * 1024
    async with WavWriter(path, sample_rate=8000, channels=2) as wav:
        for start in range(0, len(audio), 777):
            await wav.write(audio[start : start + 777])
        assert wav.written_s == 8
    with wave.open(str(path)) as reader:
        assert reader.getparams()[:4] == (2, 2, 8000, 64000)
        assert reader.readframes(64000) == audio


async def test_file_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    async with WavWriter(path, sample_rate=8000, encoding="mulaw") as wav:
        await wav.write(bytes(100_000))
        with path.open("rb") as file:
            found = read_wav_format(file)
            assert (found.encoding, found.data_bytes) == ("mulaw", None)
            assert file.read() == bytes(100_000)
    with path.open("rb") as file:
        assert read_wav_format(file).duration_s == 12.5


async def test_audio_of_several_tasks_is_not_mixed_up(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    parts = [bytes([number]) * 80_000 for number in range(8)]
    async with WavWriter(path, sample_rate=8000) as wav:
        await asyncio.gather(*map(wav.write, parts))
    assert path.read_bytes()[44:] == b"".join(parts)


async def test_writing_to_what_is_not_open_raises(tmp_path: Path) -> None:
    wav = WavWriter(tmp_path / "call.wav", sample_rate=8000)
    with pytest.raises(InvalidStateError, match=r"call\.wav' is not open for writing"):
        await wav.write(b"12")
    async with wav:
        pass
    await wav.aclose()
    with pytest.raises(InvalidStateError, match="is not open for writing"):
        await wav.write(b"12")


def test_impossible_format_raises(tmp_path: Path) -> None:
    with pytest.raises(AudioSourceError, match="needs a positive sample_rate"):
        WavWriter(tmp_path / "call.wav", sample_rate=0)
    with pytest.raises(OptionError, match="no WAV file of raw 'linear32'"):
        WavWriter(tmp_path / "call.wav", sample_rate=8000, encoding="linear32")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def test_cancelled_writing_leaves_nothing_out(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    parts = [bytes([number]) * 80_000 for number in range(20)]
    async with WavWriter(path, sample_rate=8000) as wav:
        for part in parts:
            writing = asyncio.create_task(wav.write(part))
            await asyncio.sleep(0)
            writing.cancel()
            await asyncio.wait([writing])
        closing = asyncio.create_task(wav.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
    header = wav_header("linear16", sample_rate=8000, data_bytes=1_600_000)
    while path.read_bytes()[:44] != header:  # a thread is at it
        await asyncio.sleep(0.01)
    assert path.read_bytes()[44:] == b"".join(parts)
