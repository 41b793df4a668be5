"""What is known of recordings before they are sent, and what they will cost."""

import wave
from pathlib import Path

import pytest

from deepgram_async.batch import (
    PRICES,
    BytesItem,
    FileItem,
    Measured,
    Survey,
    measure,
    price_per_minute,
    read_prices,
)
from deepgram_async.errors import ConfigurationError
from tests.emulator.compressed import encoded, tone


def write_wav(path: Path, *, seconds: float, channels: int = 1) -> FileItem:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(int(seconds * 8000) * 2 * channels))
    return FileItem(str(path))


def test_a_wav_file_tells_its_length(tmp_path: Path) -> None:
    item = write_wav(tmp_path / "a.wav", seconds=2.5, channels=2)
    assert measure(item) == Measured(source=item.source, bytes=80_044, audio_s=2.5, channels=2)


def test_other_files_tell_it_to_ffmpeg(tmp_path: Path) -> None:
    pytest.importorskip("av")
    path = tmp_path / "a.flac"
    path.write_bytes(encoded(tone(1.5), "flac"))
    measured = measure(FileItem(str(path)))
    assert measured.audio_s == pytest.approx(1.5, abs=0.1)
    assert measured.oddity is None


@pytest.mark.parametrize(
    ("content", "oddity"),
    [(b"", "empty"), (b"neither sound nor picture" * 9, "not audio that FFmpeg knows")],
)
def test_what_is_odd_is_told(content: bytes, oddity: str, tmp_path: Path) -> None:
    pytest.importorskip("av")
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    assert measure(FileItem(str(path))).oddity == oddity


def test_a_wav_file_without_samples_or_sense_is_odd(tmp_path: Path) -> None:
    assert measure(write_wav(tmp_path / "a.wav", seconds=0)).oddity == "without audio"
    (tmp_path / "b.wav").write_bytes(b"RIFF1234WAVEfmt ")
    assert measure(FileItem(str(tmp_path / "b.wav"))).oddity


def test_a_missing_file_is_odd_and_other_items_are_not_measured(tmp_path: Path) -> None:
    missing = measure(FileItem(str(tmp_path / "nowhere.wav")))
    assert missing.oddity == "cannot be read: No such file or directory"
    assert measure(BytesItem(b"audio", "mine")) == Measured(source="mine")


def test_a_file_that_is_too_large_is_odd(tmp_path: Path) -> None:
    item = write_wav(tmp_path / "a.wav", seconds=1)
    with open(item.path, "r+b") as file:
        file.truncate(2_000_000_001)  # takes no room on the disk
    assert "2 GB" in str(measure(item).oddity)


def test_a_survey_sums_up() -> None:
    survey = Survey()
    for number in range(8):
        survey.add(Measured(source=f"{number}", bytes=number, audio_s=60.0, channels=2))
    survey.add(Measured(source="url"))
    survey.add(Measured(source="odd", bytes=3, oddity="empty"))
    assert (survey.items, survey.bytes, survey.audio_s, survey.channel_s) == (10, 31, 480.0, 960.0)
    assert (survey.unknown, survey.odd_items, survey.odd[0].source) == (2, 1, "odd")
    assert [measured.source for measured in survey.largest] == ["7", "6", "5", "4", "3"]


@pytest.mark.parametrize(
    ("model", "language", "price"),
    [
        ("nova-3", None, 1.0),
        ("nova-3", "en", 1.0),
        ("nova-3", "multi", 2.0),
        ("nova-3-medical", None, 3.0),
        ("nova-3-medical-eu", None, 3.0),
        ("nova-30", None, None),
        ("whisper", None, None),
    ],
)
def test_the_price_is_that_of_the_nearest_model(
    model: str, language: str | None, price: float | None
) -> None:
    prices = {"nova-3": 1.0, "nova-3/multi": 2.0, "nova-3-medical": 3.0}
    assert price_per_minute(prices, model, language) == price


def test_own_prices_take_the_place_of_those_of_the_list(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text('"nova-3" = 0.001\nmine = 0\n')
    assert read_prices(path) == {**PRICES, "nova-3": 0.001, "mine": 0.0}
    path.write_text("nova-3 = dear")
    with pytest.raises(ConfigurationError, match="cannot read the prices"):
        read_prices(path)
