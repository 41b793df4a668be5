"""Sample formats to 16 bit, with the standard library alone."""

from __future__ import annotations

import sys
from array import array
from functools import partial
from typing import TYPE_CHECKING, Final

from deepgram_async.audio import decode_g711

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FORMATS", "Converter", "little_endian"]


def _upper_bytes(width: int) -> Callable[[bytes], bytes]:
    """Keep the two most significant of `width` little-endian bytes."""

    def convert(data: bytes) -> bytes:
        out = bytearray(len(data) // width * 2)
        out[0::2] = data[width - 2 :: width]
        out[1::2] = data[width - 1 :: width]
        return bytes(out)

    return convert


def _float32(data: bytes) -> bytes:
    return little_endian(
        array("h", [max(-32768, min(32767, round(x * 32768))) for x in _array("f", data)])
    )


# The upper byte of a sample is that of unsigned audio less 128, its lower byte is 0.
_UNSIGNED: Final = bytes((code - 128) % 256 for code in range(256))


def _unsigned8(data: bytes) -> bytes:
    out = bytearray(len(data) * 2)
    out[1::2] = data.translate(_UNSIGNED)
    return bytes(out)


def _unchanged(data: bytes) -> bytes:
    return data


# Name: bytes per sample, conversion of whole samples.
FORMATS: Final[dict[str, tuple[int, Callable[[bytes], bytes]]]] = {
    "linear16": (2, _unchanged),
    "linear24": (3, _upper_bytes(3)),
    "linear32": (4, _upper_bytes(4)),
    "float32": (4, _float32),
    "unsigned8": (1, _unsigned8),
    "mulaw": (1, partial(decode_g711, encoding="mulaw")),
    "alaw": (1, partial(decode_g711, encoding="alaw")),
}


class Converter:
    """Interleaved bytes in any chunking to 16 bit samples per channel.

    Args:
        encoding: A key of `FORMATS`.
        channels: How many are interleaved.
        separate: Whether they are kept apart, or mixed into one.
    """

    def __init__(self, encoding: str, channels: int, *, separate: bool) -> None:
        width, self._convert = FORMATS[encoding]
        self._block = width * channels
        self._channels = channels
        self._separate = separate
        self._rest = b""

    def convert(self, data: bytes) -> tuple[bytes, ...]:
        """Return the samples of each channel that are complete now; keep the rest for later."""
        if self._rest:
            data = self._rest + data
        whole = len(data) - len(data) % self._block
        self._rest = data[whole:]
        samples = self._convert(data[:whole] if self._rest else data)
        if self._channels == 1:
            return (samples,)
        apart = _array("h", samples)
        lanes = [apart[channel :: self._channels] for channel in range(self._channels)]
        if self._separate:
            return tuple(map(little_endian, lanes))
        mixed = [sum(together) // self._channels for together in zip(*lanes, strict=True)]
        return (little_endian(array("h", mixed)),)


def _array(code: str, data: bytes) -> array[int]:
    values = array(code, data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def little_endian(samples: array[int]) -> bytes:
    """Return samples as bytes, whatever the machine."""
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()
