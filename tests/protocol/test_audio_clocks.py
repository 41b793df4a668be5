import struct

import pytest

from deepgram_async._protocol.audio_clocks import AudioClock, bytes_per_s_of, clock_for
from deepgram_async._protocol.memory import CannotResume
from deepgram_async._protocol.replay import ReplayLog
from tests.support.ogg import HEADER, OGG, PAGES, page


def wav(kind: int = 1, *, before: bytes = b"") -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, kind, 2, 100, 400, 4, 16)
    return b"RIFF\xff\xff\xff\xffWAVE" + before + form + struct.pack("<4sI", b"data", 0xFFFFFFFF)


def learned(data: bytes, *, size: int | None = None) -> AudioClock:
    clock = clock_for({})
    for place in range(0, len(data), size or len(data)):
        clock = clock.learn(data[place : place + (size or len(data))])
    return clock


# Raw audio.


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"encoding": "linear16", "sample_rate": 16000}, 32000.0),
        ({"encoding": "linear32", "sample_rate": 8000, "channels": 2}, 64000.0),
        ({"encoding": "mulaw", "sample_rate": 8000}, 8000.0),
        ({"encoding": "alaw", "sample_rate": 8000, "channels": None}, 8000.0),
        ({"encoding": "linear16"}, None),
        ({"encoding": "linear16", "sample_rate": 0}, None),
        ({"encoding": "opus", "sample_rate": 48000}, None),
        ({}, None),
    ],
)
def test_raw_audio_runs_evenly(options: dict[str, object], expected: float | None) -> None:
    assert bytes_per_s_of(options) == expected


def test_a_time_from_the_wire_finds_its_byte() -> None:
    clock = clock_for({"encoding": "linear16", "sample_rate": 16000})
    for position in range(0, 64000, 2):
        assert clock.position_of(round(clock.time_at(position), 6)) == position


def test_a_decoder_starts_at_whole_samples() -> None:
    clock = clock_for({"encoding": "linear16", "sample_rate": 100, "channels": 2})
    assert [clock.start_from(position) for position in (0, 1, 4, 5)] == [0, 4, 4, 8]


# Containers.


@pytest.mark.parametrize("size", [None, 1, 7, 44])
@pytest.mark.parametrize("before", [b"", struct.pack("<4sI", b"LIST", 5) + b"abcde\0"])
def test_the_header_of_a_wav_file_ends_where_its_audio_begins(
    size: int | None, before: bytes
) -> None:
    clock = learned(wav(before=before) + bytes(800), size=size)
    begin = len(wav(before=before))
    assert clock.header == wav(before=before)
    assert clock.reason is None
    assert (clock.time_at(begin), clock.time_at(begin + 400)) == (0.0, 1.0)
    assert (clock.position_of(0.0), clock.position_of(1.0)) == (0, begin + 400)
    assert clock.start_from(begin + 1) == begin + 4
    assert clock.start_from(3) == begin


@pytest.mark.parametrize("size", [None, 1, 100, 4096])
def test_the_pages_of_ogg_tell_the_time(size: int | None) -> None:
    clock = learned(OGG, size=size)
    assert clock.header == HEADER
    assert clock.reason is None
    assert clock.lead_s == 0.01
    begins = [len(HEADER) + sum(map(len, PAGES[:number])) for number in range(6)]
    assert [clock.time_at(begin) for begin in begins] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    # A decoder starts 80 ms early, to be right in time.
    assert [clock.position_of(at_s) for at_s in (0.0, 1.07, 1.08, 2.5)] == [
        begins[0],
        begins[0],
        begins[1],
        begins[2],
    ]
    assert clock.start_from(begins[1] + 1) == begins[2]
    assert clock.start_from(begins[5] - 1) == begins[5]
    assert clock.time_at(begins[1] + len(PAGES[1]) // 2) == pytest.approx(1.5, abs=0.01)


def test_a_page_that_continues_a_packet_is_no_beginning() -> None:
    first, second = page(48480, bytes(100)), page(96480, bytes(100), kind=1)
    third = page(144480, bytes(100))
    clock = learned(HEADER + first + second + third)
    assert clock.position_of(1.5) == len(HEADER)
    assert clock.position_of(2.08) == len(HEADER + first + second)


def test_ogg_that_was_let_go_is_forgotten() -> None:
    clock = learned(OGG)
    clock.forget(len(HEADER) + len(PAGES[0]) + 10)
    assert clock.position_of(0.0) == len(HEADER) + len(PAGES[0])
    assert clock.time_at(0) == 1.0


def test_vorbis_has_its_own_rate() -> None:
    head = b"\x01vorbis" + struct.pack("<IBI", 0, 1, 44100) + bytes(14)
    audio = page(44100, bytes(100)) + page(88200, bytes(100))
    clock = learned(page(0, head, kind=2) + page(0, bytes(50)) + audio)
    assert clock.time_at(len(page(0, head) + page(0, bytes(50)) + audio)) == 2.0


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x1a\x45\xdf\xa3" + bytes(20), "video/webm cannot be continued"),
        (b"fLaC" + bytes(20), "audio/flac cannot be continued"),
        (bytes(20), "raw audio needs encoding="),
        (wav(kind=2) + bytes(20), "this kind of WAV"),
        (wav()[:12] + struct.pack("<4sI", b"junk", 1 << 17) + bytes(1 << 17), "has no end"),
        (page(0, b"Speex   " + bytes(80)), "only Opus and Vorbis"),
        (HEADER + bytes(1 << 18), "not the Ogg that it began as"),
        (b"RIFF", "too little"),
    ],
)
def test_what_cannot_be_continued_has_a_reason(data: bytes, reason: str) -> None:
    assert reason in str(learned(data).reason)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"encoding": "opus", "sample_rate": 48000}, "opus cannot be continued"),
        ({"encoding": "linear16"}, "sample_rate"),
    ],
)
def test_an_encoding_that_cannot_be_continued_has_a_reason(
    options: dict[str, object], reason: str
) -> None:
    assert reason in str(clock_for(options).reason)


# Containers in a log.


def test_a_resumed_ogg_stream_begins_with_its_header_and_a_whole_page() -> None:
    log = ReplayLog(clock_for({"encoding": "ogg-opus"}), longest_s=100, most_bytes=1 << 20)
    for place in range(0, len(OGG), 333):
        log.add_audio(OGG[place : place + 333])
    log.cover(2.4)
    rewind = log.rewind()
    # The decoder leaves out the first 10 ms of what it hears, again.
    assert (rewind.offset_s, rewind.dropped_s) == (2.01, 0.0)
    frames = [frame for frame in iter(log.next, None) if isinstance(frame, bytes)]
    assert frames[0] == HEADER
    assert b"".join(frames[1:]) == b"".join(PAGES[2:])


@pytest.mark.parametrize("covered_s", [1.0, 2.0, 2.005, 2.07, 2.08, 2.5])
def test_what_a_decoder_leaves_out_is_settled(covered_s: float) -> None:
    log = ReplayLog(clock_for({"encoding": "ogg-opus"}), longest_s=100, most_bytes=1 << 20)
    log.add_audio(OGG)
    log.cover(covered_s)
    assert log.rewind().offset_s <= covered_s


def test_ogg_that_is_lost_in_its_header_is_said_again_as_often_as_needed() -> None:
    log = ReplayLog(clock_for({}), longest_s=100, most_bytes=1 << 20)
    log.add_audio(OGG[: len(HEADER) + 10])
    for _ in range(3):
        assert log.rewind().offset_s == 0.0
        assert log.next() == OGG[: len(HEADER) + 10]
        assert log.next() is None
    log.add_audio(OGG[len(HEADER) + 10 :])
    assert log.rewind().offset_s == 0.0, "what a decoder leaves out of the first page is no audio"
    assert log.next() == HEADER


def test_ogg_is_bounded_in_seconds() -> None:
    log = ReplayLog(clock_for({"encoding": "ogg-opus"}), longest_s=2.0, most_bytes=1 << 20)
    for piece in (HEADER, *PAGES):
        log.add_audio(piece)
    rewind = log.rewind()
    assert (rewind.offset_s, rewind.dropped_s) == (3.01, 3.0)


def test_a_stream_that_nobody_has_heard_is_said_again_whatever_it_is() -> None:
    log = ReplayLog(clock_for({}), longest_s=100, most_bytes=1 << 20)
    log.add_audio(b"\x1a\x45\xdf\xa3" + bytes(20))
    assert log.rewind().offset_s == 0.0
    assert log.next() == b"\x1a\x45\xdf\xa3" + bytes(20)
    assert log.next() is None
    log.cover(1.0)
    with pytest.raises(CannotResume, match="video/webm"):
        log.rewind()
