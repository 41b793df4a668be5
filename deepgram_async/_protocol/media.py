"""What kind of audio a file is, by its name or by its first bytes."""

from __future__ import annotations

from typing import Final

__all__ = ["UNKNOWN_AUDIO", "content_type_of_bytes", "content_type_of_name"]

# The service finds the format out by itself; the type matters only in not being JSON.
UNKNOWN_AUDIO: Final = "application/octet-stream"

_BY_SUFFIX: Final[dict[str, str]] = {
    ".aac": "audio/aac",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".amr": "audio/amr",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mka": "audio/x-matroska",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".webm": "video/webm",
    ".wma": "audio/x-ms-wma",
}
_BY_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf2", "audio/mpeg"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\xff\xf9", "audio/aac"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AIFF", "audio/aiff"),
)

_FIRST: Final = tuple(magic for offset, magic, _ in _BY_MAGIC if offset == 0)
_LATER: Final = tuple(magic for offset, magic, _ in _BY_MAGIC if offset != 0)


def content_type_of_name(name: str) -> str | None:
    """Return the media type for a file name, or ``None`` if its suffix says nothing."""
    _, dot, suffix = name.rpartition(".")
    return _BY_SUFFIX.get(f"{dot}{suffix}".lower())


def content_type_of_bytes(start: bytes) -> str:
    """Return the media type for the first bytes of a file (16 are enough)."""
    if not (start.startswith(_FIRST) or start.startswith(_LATER, 4) or start.startswith(_LATER, 8)):
        return UNKNOWN_AUDIO
    for offset, magic, kind in _BY_MAGIC:
        if start.startswith(magic, offset):
            return kind
    return UNKNOWN_AUDIO
