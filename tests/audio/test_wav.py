import io
import struct
from pathlib import Path

import pytest

from deepgram_async.audio import WavFormat, read_wav_format
from deepgram_async.errors import AudioSourceError

DEMO = Path(__file__).parents[2] / "examples" / "audio" / "austen.wav"


def wav_header(
    *,
    riff_size: int = 36,
    data_size: int = 0,
    tag: int = 1,
    channels: int = 1,
    sample_rate: int = 16000,
    bits: int = 16,
    before_data: bytes = b"",
    fmt_extension: bytes = b"",
    magic: bytes = b"RIFF",
) -> bytes:
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", tag, channels, sample_rate, sample_rate * block, block, bits)
    fmt += fmt_extension
    return (
        struct.pack("<4sI4s", magic, riff_size, b"WAVE")
        + (before_data if magic == b"RF64" else b"")
        + struct.pack("<4sI", b"fmt ", len(fmt))
        + fmt
        + (before_data if magic != b"RF64" else b"")
        + struct.pack("<4sI", b"data", data_size)
    )


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) % 2)


class OneByteReader:
    """A pipe at its worst: one byte a read."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, 1))


def test_plain_header_is_read_up_to_the_first_sample() -> None:
    file = io.BytesIO(wav_header(riff_size=40, data_size=4) + b"\1\2\3\4")
    assert read_wav_format(file) == WavFormat(
        format_tag=1,
        channels=1,
        sample_rate=16000,
        bits_per_sample=16,
        data_offset=44,
        data_bytes=4,
    )
    assert file.read() == b"\1\2\3\4"


def test_demo_recording_has_the_promised_format() -> None:
    with DEMO.open("rb") as file:
        wav = read_wav_format(file)
    assert (wav.encoding, wav.sample_rate, wav.channels) == ("linear16", 16000, 1)
    assert wav.duration_s == pytest.approx(27.13)


def test_header_arriving_byte_by_byte_is_understood() -> None:
    wav = read_wav_format(
        OneByteReader(wav_header(data_size=2, before_data=chunk(b"LIST", b"abc")))
    )
    assert wav.data_bytes == 2


@pytest.mark.parametrize(
    ("tag", "bits", "encoding"),
    [
        (1, 16, "linear16"),
        (6, 8, "alaw"),
        (7, 8, "mulaw"),
        (1, 8, None),
        (1, 24, None),
        (3, 32, None),
        (0x55, 0, None),
    ],
)
def test_codec_number_is_named_as_deepgram_does(tag: int, bits: int, encoding: str | None) -> None:
    wav = read_wav_format(io.BytesIO(wav_header(tag=tag, bits=bits)))
    assert wav.encoding == encoding


def test_sub_format_of_an_extensible_header_counts() -> None:
    extension = struct.pack("<HHIH", 22, 16, 4, 1) + bytes(14)
    wav = read_wav_format(io.BytesIO(wav_header(tag=0xFFFE, fmt_extension=extension)))
    assert (wav.format_tag, wav.encoding) == (1, "linear16")


def test_chunks_in_front_of_the_samples_are_skipped_with_their_padding() -> None:
    header = wav_header(data_size=2, before_data=chunk(b"LIST", b"abc") + chunk(b"fact", b"1234"))
    file = io.BytesIO(header + b"ok")
    wav = read_wav_format(file)
    assert wav.data_offset == len(header)
    assert file.read() == b"ok"


@pytest.mark.parametrize(
    ("riff_size", "data_size"), [(0xFFFFFFFF, 0xFFFFFFFF), (0, 0), (0xFFFFFFFF, 0)]
)
def test_sizes_left_open_by_a_streaming_writer_mean_unknown(riff_size: int, data_size: int) -> None:
    wav = read_wav_format(io.BytesIO(wav_header(riff_size=riff_size, data_size=data_size)))
    assert wav.data_bytes is None
    assert wav.duration_s is None


def test_header_of_a_file_without_samples_says_zero() -> None:
    wav = read_wav_format(io.BytesIO(wav_header(riff_size=36, data_size=0)))
    assert wav.data_bytes == 0
    assert wav.duration_s == 0.0


def test_64_bit_sizes_of_rf64_are_read() -> None:
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, 5_000_000_000, 0, 0))
    header = wav_header(magic=b"RF64", data_size=0xFFFFFFFF, before_data=ds64)
    assert read_wav_format(io.BytesIO(header)).data_bytes == 5_000_000_000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file ends within the RIFF header"),
        (b"ID3\x04" + bytes(20), "not a WAV file"),
        (b"RIFF\0\0\0\0AVI " + bytes(8), "not a WAV file"),
        (wav_header()[:20], "ends within chunk b'fmt '"),
        (wav_header()[:36], "ends within a chunk header"),
        (wav_header()[:12] + struct.pack("<4sI", b"data", 2), "no 'fmt ' chunk"),
        (wav_header()[:12] + chunk(b"fmt ", b"12") + b"data\0\0\0\0", "'fmt ' chunk of 2 bytes"),
        (wav_header()[:12] + struct.pack("<4sI", b"LIST", 1 << 31), "claims 2147483648 bytes"),
        (wav_header(channels=0), "0 channels"),
        (wav_header(sample_rate=0), "0 samples a second"),
    ],
)
def test_broken_header_raises_and_names_the_place(data: bytes, message: str) -> None:
    with pytest.raises(AudioSourceError, match=message):
        read_wav_format(io.BytesIO(data))
