import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgram_async._protocol.media import (
    UNKNOWN_AUDIO,
    content_type_of_bytes,
    content_type_of_name,
)


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        ("aac", "audio/aac"),
        ("aif", "audio/aiff"),
        ("aiff", "audio/aiff"),
        ("amr", "audio/amr"),
        ("flac", "audio/flac"),
        ("m4a", "audio/mp4"),
        ("mka", "audio/x-matroska"),
        ("mkv", "video/x-matroska"),
        ("mov", "video/quicktime"),
        ("mp3", "audio/mpeg"),
        ("mp4", "video/mp4"),
        ("oga", "audio/ogg"),
        ("ogg", "audio/ogg"),
        ("opus", "audio/ogg"),
        ("wav", "audio/wav"),
        ("weba", "audio/webm"),
        ("webm", "video/webm"),
        ("wma", "audio/x-ms-wma"),
    ],
)
def test_a_name_tells_by_its_suffix_in_any_case(suffix: str, kind: str) -> None:
    assert content_type_of_name(f"/some/where/talk.{suffix}") == kind
    assert content_type_of_name(f"talk.2024.{suffix.upper()}") == kind


@pytest.mark.parametrize("name", ["", "wav", "talk", "talk.", "talk.wav/", "a.wav/talk", "x.json"])
def test_other_names_tell_nothing(name: str) -> None:
    assert content_type_of_name(name) is None


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"RIFF\x24\x80\x00\x00WAVEfmt ", "audio/wav"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "audio/wav"),
        (b"FORM\x00\x00\x10\x00AIFFCOMM", "audio/aiff"),
        (b"fLaC\x00\x00\x00\x22", "audio/flac"),
        (b"OggS\x00\x02", "audio/ogg"),
        (b"ID3\x04\x00\x00", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xf3\x40\xc4", "audio/mpeg"),
        (b"\xff\xf2\x40\xc4", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"\xff\xf9\x50\x80", "audio/aac"),
        (b"#!AMR\n", "audio/amr"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81", "video/webm"),
        (b"\x00\x00\x00\x1cftypM4A \x00\x00", "audio/mp4"),
        (b"\x00\x00\x00\x1cftypisom\x00\x00", "video/mp4"),
    ],
)
def test_bytes_tell_by_their_beginning(start: bytes, kind: str) -> None:
    assert content_type_of_bytes(start) == kind
    assert content_type_of_bytes(start + bytes(1000)) == kind


@pytest.mark.parametrize("start", [b"", b"\x00" * 16, b"RIFF\x24\x80\x00\x00AVI LIST", b"Ogg"])
def test_other_bytes_are_unknown_audio(start: bytes) -> None:
    assert content_type_of_bytes(start) == UNKNOWN_AUDIO


@given(st.binary(max_size=32))
def test_audio_is_never_sent_as_json(start: bytes) -> None:
    assert "json" not in content_type_of_bytes(start)
