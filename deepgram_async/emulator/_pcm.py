"""Sample formats to 16 bit, with the standard library alone."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FORMATS", "Converter", "compand", "little_endian"]


def _mulaw(code: int) -> int:
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -magnitude if code & 0x80 else magnitude


def _alaw(code: int) -> int:
    code ^= 0x55
    exponent = code >> 4 & 7
    magnitude = ((code & 0x0F) << 4) + 8
    if exponent:
        magnitude = magnitude + 0x100 << exponent - 1
    return magnitude if code & 0x80 else -magnitude


def _tables(law: Callable[[int], int]) -> tuple[bytes, bytes]:
    both = [law(code).to_bytes(2, "little", signed=True) for code in range(256)]
    return bytes(b[0] for b in both), bytes(b[1] for b in both)


def _by_table(law: Callable[[int], int]) -> Callable[[bytes], bytes]:
    low, high = _tables(law)

    def convert(data: bytes) -> bytes:
        out = bytearray(len(data) * 2)
        out[0::2] = data.translate(low)
        out[1::2] = data.translate(high)
        return bytes(out)

    return convert


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


def _unchanged(data: bytes) -> bytes:
    return data


# Name: bytes per sample, conversion of whole samples.
FORMATS: Final[dict[str, tuple[int, Callable[[bytes], bytes]]]] = {
    "linear16": (2, _unchanged),
    "linear24": (3, _upper_bytes(3)),
    "linear32": (4, _upper_bytes(4)),
    "float32": (4, _float32),
    "unsigned8": (1, _by_table(lambda code: (code - 128) * 256)),
    "mulaw": (1, _by_table(_mulaw)),
    "alaw": (1, _by_table(_alaw)),
}


_LAWS: Final = {"mulaw": _mulaw, "alaw": _alaw}


def compand(samples: bytes, law: str) -> bytes:
    """Return 16 bit samples as `mulaw` or `alaw`."""
    return bytes(map(_codes(law).__getitem__, _array("H", samples)))


@cache
def _codes(law: str) -> bytes:
    """Return the code nearest to each sample, by the sample as an unsigned number."""
    decoded = sorted((_LAWS[law](code), code) for code in range(256))
    middles = [(low + high) / 2 for (low, _), (high, _) in pairwise(decoded)]
    nearest = [decoded[bisect(middles, value)][1] for value in range(-32768, 32768)]
    return bytes(nearest[32768:] + nearest[:32768])


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
