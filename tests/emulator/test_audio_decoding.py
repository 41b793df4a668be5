"""Recordings and streams to samples."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import pytest

from deepgram_async.emulator._audio import decode_file, live_decoder
from deepgram_async.emulator._query import RawFormat
from deepgram_async.emulator._wav import UndecodableAudioError, WavDecoder

from .compressed import CONTAINERS, encoded, tone
from .helpers import streamed_wav, wav

if TYPE_CHECKING:
    from deepgram_async.emulator._audio import LiveDecoder

RAMP = struct.pack("<400h", *range(400))


def header(tag: int, bits: int, *, rate: int = 8000, extra: bytes = b"") -> bytes:
    fmt = struct.pack("<HHIIHH", tag, 1, rate, rate * bits // 8, bits // 8, bits) + extra
    return b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", len(fmt)) + fmt


def data_chunk(samples: bytes) -> bytes:
    return b"data" + struct.pack("<I", len(samples)) + samples


# WAV.


def test_wav_is_decoded_byte_by_byte() -> None:
    decoder = WavDecoder(separate=False)
    blocks = [decoder.decode(bytes([byte])) for byte in wav(RAMP, rate=11025)]
    assert b"".join(block[0] for block in blocks if block) == RAMP
    assert decoder.rate == 11025


def test_wav_of_unknown_length_is_decoded_to_its_end() -> None:
    assert WavDecoder(separate=False).decode(streamed_wav(RAMP)) == (RAMP,)


def test_chunks_around_the_samples_are_no_audio() -> None:
    listed = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    file = header(1, 16) + listed + data_chunk(RAMP) + listed
    assert WavDecoder(separate=False).decode(file) == (RAMP,)


def test_extensible_wav_names_its_format_further_back() -> None:
    guid = struct.pack("<H", 1) + bytes(14)
    extra = struct.pack("<HHI", 22, 16, 4) + guid
    file = header(0xFFFE, 16, extra=extra) + data_chunk(RAMP)
    assert WavDecoder(separate=False).decode(file) == (RAMP,)


def test_stereo_wav_has_two_channels_or_one_mixed() -> None:
    left, right = WavDecoder(separate=True).decode(wav(RAMP, channels=2))
    assert (len(left), len(right)) == (400, 400)
    (mixed,) = WavDecoder(separate=False).decode(wav(RAMP, channels=2))
    assert len(mixed) == 400


@pytest.mark.parametrize(
    "file",
    [
        b"RIFF\0\0\0\0AVI LIST",
        header(0x0002, 4) + data_chunk(b"adpcm"),
        b"RIFF\0\0\0\0WAVE" + data_chunk(RAMP),
        b"RIFF\0\0\0\0WAVEfmt \4\0\0\0\1\0\1\0" + data_chunk(RAMP),
        b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 140_000,
    ],
    ids=["no wave", "unknown format", "no format", "short format", "no samples"],
)
def test_a_broken_wav_is_undecodable(file: bytes) -> None:
    with pytest.raises(UndecodableAudioError):
        WavDecoder(separate=False).decode(file)


# Whole recordings.


def test_raw_recordings_need_only_their_format() -> None:
    raw = RawFormat("mulaw", 8000, 1)
    (audio,) = decode_file(io.BytesIO(b"\xff" * 4000), raw, separate=False)
    assert (audio.rate, audio.duration_s, audio.samples) == (8000, 0.5, bytes(8000))


@pytest.mark.parametrize("container", CONTAINERS)
def test_compressed_recordings_are_decoded(container: str) -> None:
    (audio,) = decode_file(io.BytesIO(encoded(tone(1.0), container)), None, separate=False)
    assert audio.duration_s == pytest.approx(1.0, abs=0.1)
    assert max(audio.samples) > 0


def test_channels_of_a_compressed_recording_are_kept_apart() -> None:
    file = io.BytesIO(encoded(tone(0.5, channels=2), "flac", channels=2))
    left, right = decode_file(file, None, separate=True)
    assert (left.channel, right.channel) == (0, 1)
    assert left.duration_s == right.duration_s == 0.5
    assert any(left.samples)
    assert not any(right.samples)


@pytest.mark.parametrize(
    "file",
    [b"", b"RIFF", b"this is no audio at all, but text", wav(b""), encoded(tone(0.1), "flac")[:60]],
    ids=["empty", "four bytes", "text", "no samples", "cut off"],
)
def test_what_holds_no_audio_is_undecodable(file: bytes) -> None:
    with pytest.raises(UndecodableAudioError):
        decode_file(io.BytesIO(file), None, separate=False)


# Streams.


async def decode(decoder: LiveDecoder, data: bytes, size: int) -> bytes:
    blocks: list[tuple[bytes, ...]] = []
    try:
        for at in range(0, len(data), size):
            blocks += await decoder.feed(data[at : at + size])
        blocks += await decoder.finish()
    finally:
        await decoder.close()
    return b"".join(block[0] for block in blocks)


async def test_a_raw_stream_is_taken_as_it_is() -> None:
    decoder = live_decoder(RawFormat("linear16", 8000, 1), separate=False)
    assert await decode(decoder, RAMP, 7) == RAMP
    assert decoder.rate == 8000


async def test_a_wav_stream_says_its_rate() -> None:
    decoder = live_decoder(None, separate=False)
    assert await decode(decoder, streamed_wav(RAMP, rate=44100), 7) == RAMP
    assert decoder.rate == 44100


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_compressed_stream_is_decoded_before_it_ends(container: str) -> None:
    file = encoded(tone(4.0), container)
    decoder = live_decoder(None, separate=False)
    early = 0
    for at in range(0, len(file), 500):
        early += sum(len(block[0]) for block in await decoder.feed(file[at : at + 500]))
    late = sum(len(block[0]) for block in await decoder.finish())
    await decoder.close()
    assert early > late
    assert (early + late) / 2 / decoder.rate == pytest.approx(4.0, abs=0.1)


async def test_bytes_that_announce_nothing_are_undecodable() -> None:
    decoder = live_decoder(None, separate=False)
    with pytest.raises(UndecodableAudioError):
        await decoder.feed(b"neither container nor anything")
    await decoder.close()


async def test_a_stream_too_short_to_tell_is_undecodable() -> None:
    decoder = live_decoder(None, separate=False)
    assert await decoder.feed(b"fLaC") == []
    with pytest.raises(UndecodableAudioError):
        await decoder.finish()


async def test_a_container_that_breaks_its_promise_is_undecodable() -> None:
    decoder = live_decoder(None, separate=False)
    with pytest.raises(UndecodableAudioError):
        await decode(decoder, b"fLaC" + b"\xa5" * 20_000, 1000)


async def test_an_abandoned_stream_ends_its_thread() -> None:
    decoder = live_decoder(None, separate=False)
    await decoder.feed(encoded(tone(1.0), "mp3")[:2000])
    await decoder.close()
    await decoder.close()
