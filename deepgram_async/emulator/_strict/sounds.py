"""Whether audio has a header, by its first bytes."""

from __future__ import annotations

from typing import Final

__all__ = ["says_what_it_is"]

_BEGINNINGS: Final = (
    b"RIFF",
    b"RIFX",
    b"RF64",
    b"FORM",
    b"OggS",
    b"fLaC",
    b"ID3",
    b"#!AMR",
    b"caff",
    b".snd",
    b"ADIF",
    b"wvpk",
    b"FLV",
    b"\x1a\x45\xdf\xa3",  # Matroska and WebM
    b"\x30\x26\xb2\x75",  # ASF and WMA
    b"\x47\x40",  # MPEG transport stream
    b"\x00\x00\x01\xba",  # MPEG program stream
)


def says_what_it_is(head: bytes) -> bool:
    """Tell whether audio begins with the header of a container or of a codec that has its own."""
    if head.startswith(_BEGINNINGS):
        return True
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return True
    # The sync word of MPEG audio layers and of ADTS.
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] != 0xFF
