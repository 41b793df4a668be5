"""Sample formats, with values of the standards."""

from __future__ import annotations

import io
import struct
from itertools import pairwise

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgram_async.emulator._pcm import FORMATS, Converter


def samples(data: bytes) -> list[int]:
    return [value for (value,) in struct.iter_unpack("<h", data)]


def convert(encoding: str, data: bytes) -> list[int]:
    (mono,) = Converter(encoding, 1, separate=False).convert(data)
    return samples(mono)


# Codes and decoded values as ITU-T G.711 tabulates them, scaled to 16 bits.
@pytest.mark.parametrize(
    ("code", "value"),
    [(0xFF, 0), (0x7F, 0), (0x80, 32124), (0x00, -32124), (0xFE, 8), (0xE0, 372), (0x60, -372)],
)
def test_mulaw_decodes_as_the_standard_says(code: int, value: int) -> None:
    assert convert("mulaw", bytes([code])) == [value]


@pytest.mark.parametrize(
    ("code", "value"),
    [(0xD5, 8), (0x55, -8), (0xAA, 32256), (0x2A, -32256), (0xC5, 264), (0xF5, 528)],
)
def test_alaw_decodes_as_the_standard_says(code: int, value: int) -> None:
    assert convert("alaw", bytes([code])) == [value]


@pytest.mark.parametrize("law", ["mulaw", "alaw"])
def test_every_code_decodes_as_ffmpeg_decodes_it(law: str) -> None:
    codes = bytes(range(256))
    options = {"sample_rate": "8000", "channels": "1"}
    with av.open(io.BytesIO(codes), "r", format=law, options=options) as file:
        wanted = b"".join(bytes(f.planes[0])[: f.samples * 2] for f in file.decode(audio=0))
    assert convert(law, codes) == samples(wanted)


@pytest.mark.parametrize(
    ("encoding", "data", "values"),
    [
        ("linear16", struct.pack("<3h", 0, 1, -32768), [0, 1, -32768]),
        ("linear24", b"\xff\x34\x12" + b"\x00\x00\x80", [0x1234, -32768]),
        ("linear32", struct.pack("<2i", 0x12345678, -(2**31)), [0x1234, -32768]),
        ("float32", struct.pack("<4f", 0.0, 0.5, -1.0, 2.0), [0, 16384, -32768, 32767]),
        ("unsigned8", bytes([128, 255, 0]), [0, 32512, -32768]),
    ],
)
def test_linear_formats_keep_the_upper_16_bits(
    encoding: str, data: bytes, values: list[int]
) -> None:
    assert convert(encoding, data) == values


def test_channels_are_kept_apart_or_mixed() -> None:
    data = struct.pack("<4h", 100, 300, -10, 30)
    left, right = Converter("linear16", 2, separate=True).convert(data)
    assert (samples(left), samples(right)) == ([100, -10], [300, 30])
    (mixed,) = Converter("linear16", 2, separate=False).convert(data)
    assert samples(mixed) == [200, 10]


@given(
    encoding=st.sampled_from(sorted(set(FORMATS) - {"float32"})),
    channels=st.integers(1, 3),
    data=st.binary(max_size=200),
    cuts=st.lists(st.integers(0, 200), max_size=5),
    separate=st.booleans(),
)
def test_chunking_makes_no_difference(
    encoding: str, channels: int, data: bytes, cuts: list[int], separate: bool
) -> None:
    whole = Converter(encoding, channels, separate=separate).convert(data)
    converter = Converter(encoding, channels, separate=separate)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    parts = [converter.convert(data[a:b]) for a, b in pairwise(edges)]
    assert tuple(b"".join(lane) for lane in zip(*parts, strict=True)) == whole
