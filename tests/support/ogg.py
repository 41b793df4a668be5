"""Ogg with Opus, page by page."""

import struct

__all__ = ["HEADER", "OGG", "PAGES", "page"]


def page(granule: int, body: bytes, *, kind: int = 0) -> bytes:
    segments = bytes([255] * (len(body) // 255) + [len(body) % 255])
    return struct.pack("<4sBBqIIIB", b"OggS", 0, kind, granule, 7, 0, 0, len(segments)) + (
        segments + body
    )


OPUS_HEAD = b"OpusHead\x01\x01" + struct.pack("<HIhB", 480, 16000, 0, 0)
HEADER = page(0, OPUS_HEAD, kind=2) + page(-1, b"OpusTags" + bytes(600)) + page(0, bytes(300))
# One page a second, after the 10 ms that every decoder leaves out.
PAGES = [page(48000 * second + 480, bytes([second]) * 400) for second in range(1, 6)]
OGG = HEADER + b"".join(PAGES)
