import io
import wave
from typing import Literal

import pytest

from deepgram_async.audio import read_wav_format, wav_header
from deepgram_async.errors import OptionError

Encoding = Literal["linear16", "alaw", "mulaw"]


@pytest.mark.parametrize("encoding", ["linear16", "alaw", "mulaw"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("data_bytes", [None, 0, 4800])
def test_what_is_written_is_read(encoding: Encoding, channels: int, data_bytes: int | None) -> None:
    header = wav_header(encoding, sample_rate=8000, channels=channels, data_bytes=data_bytes)
    file = io.BytesIO(header + b"samples")
    found = read_wav_format(file)
    assert found.encoding == encoding
    assert (found.channels, found.sample_rate) == (channels, 8000)
    assert found.data_bytes == data_bytes
    assert file.read() == b"samples"


def test_the_standard_library_reads_it() -> None:
    data = bytes(960)
    header = wav_header("linear16", sample_rate=24000, data_bytes=len(data))
    assert len(header) == 44
    with wave.open(io.BytesIO(header + data)) as file:
        assert file.getparams()[:4] == (1, 2, 24000, 480)
        assert file.readframes(1000) == data


@pytest.mark.parametrize(
    "numbers",
    [
        {"sample_rate": 0},
        {"sample_rate": 8000, "channels": 0},
        {"sample_rate": 1, "data_bytes": -1},
    ],
)
def test_impossible_files_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(OptionError, match="WAV"):
        wav_header("linear16", **numbers)


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(OptionError, match="mp3"):
        wav_header("mp3", sample_rate=8000)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
