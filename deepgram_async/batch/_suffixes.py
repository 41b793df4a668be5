"""Which names are those of recordings."""

from __future__ import annotations

import mimetypes
import os
from typing import Final

__all__ = ["is_recording"]

# Formats that Deepgram takes and the table of media types of a system may not know.
_AUDIO: Final = frozenset(
    ".3gp .aac .ac3 .aif .aiff .alac .amr .flac .m4a .m4b .mka .mkv .mp2 .mp3 .mp4 .mpga .oga "
    ".ogg .opus .spx .wav .weba .webm .wma".split()
)


def is_recording(name: str) -> bool:
    """Whether a file with this name, or path, is audio or video."""
    if os.path.splitext(name)[1].lower() in _AUDIO:
        return True
    kind = mimetypes.guess_type(name)[0] or ""
    return kind.startswith(("audio/", "video/"))
