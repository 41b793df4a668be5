"""Compressed recordings, made on the fly."""

from __future__ import annotations

import io
import math
import struct
from typing import Any

import av
import numpy as np

# PyAV's own types are generics without their parameters, which strict checkers refuse.
_av: Any = av

# Name of the container: the codec in it and the rate that codec wants.
CONTAINERS = {
    "flac": ("flac", 16000),
    "mp3": ("libmp3lame", 16000),
    "ogg": ("libopus", 48000),
    "webm": ("libopus", 48000),
    "adts": ("aac", 16000),
}


def tone(seconds: float, *, channels: int = 1, rate: int = 16000) -> bytes:
    """Return a tone on the first channel, silence on the others."""
    values = (round(8000 * math.sin(i * 0.2)) for i in range(round(seconds * rate)))
    return b"".join(struct.pack("<h", v) + bytes(2 * (channels - 1)) for v in values)


def encoded(samples: bytes, container: str, *, rate: int = 16000, channels: int = 1) -> bytes:
    """Return 16 bit samples as a file of that container."""
    codec, codec_rate = CONTAINERS[container]
    layout = "stereo" if channels == 2 else "mono"
    file = io.BytesIO()
    with _av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=codec_rate, layout=layout)
        output.mux(stream.encode(_frame(samples, rate, layout)))
        output.mux(stream.encode(None))
    return file.getvalue()


def companded(samples: bytes, law: str, *, rate: int = 16000) -> bytes:
    """Return 16 bit samples as headerless `mulaw` or `alaw`."""
    codec = _av.CodecContext.create(f"pcm_{law}", "w")
    codec.sample_rate, codec.format, codec.layout = rate, "s16", "mono"
    packets = [*codec.encode(_frame(samples, rate, "mono")), *codec.encode(None)]
    return b"".join(map(bytes, packets))


def _frame(samples: bytes, rate: int, layout: str) -> Any:
    array = np.frombuffer(samples, "<i2").reshape(1, -1)
    frame = _av.AudioFrame.from_ndarray(array, format="s16", layout=layout)
    frame.sample_rate = rate
    return frame
