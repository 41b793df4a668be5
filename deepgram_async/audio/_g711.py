"""Mu-law and A-law, the 8 bits of telephony, to and from 16 bits (ITU-T G.711)."""

import sys
from array import array
from collections.abc import Callable
from functools import cache
from typing import Final, Literal

from deepgram_async.audio._levels import samples_of
from deepgram_async.errors import AudioSourceError, OptionError

__all__ = ["decode_g711", "encode_g711"]

_Law = Literal["mulaw", "alaw"]

# Sign, exponent and mantissa stand in the upper 14 bits of a sample for mu-law, 13 for A-law; one
# table with an entry for each serves both.
_ENCODED_BITS: Final = 14


def decode_g711(audio: bytes, encoding: str) -> bytes:
    """Return mu-law or A-law audio as linear16, which is twice as long.

    Raises:
        OptionError: There is no such law.
    """
    low, high = _decoding(_checked(encoding))
    out = bytearray(2 * len(audio))
    out[0::2] = audio.translate(low)
    out[1::2] = audio.translate(high)
    return bytes(out)


def encode_g711(audio: bytes, encoding: str) -> bytes:
    """Return linear16 audio as mu-law or A-law, which is half as long.

    Raises:
        AudioSourceError: The audio ends within a sample.
        OptionError: There is no such law.
    """
    if len(audio) % 2:
        raise AudioSourceError(f"linear16 audio has two bytes a sample, not {len(audio)} in all")
    table = _encoding(_checked(encoding))
    # An arithmetic shift keeps the sign, and a negative index counts from the end of the table.
    return bytes([table[sample >> 16 - _ENCODED_BITS] for sample in samples_of(audio)])


def _checked(encoding: str) -> _Law:
    if encoding == "mulaw":
        return "mulaw"
    if encoding == "alaw":
        return "alaw"
    raise OptionError(f"G.711 has mulaw and alaw, not {encoding!r}", option="encoding")


@cache
def _decoding(law: _Law) -> tuple[bytes, bytes]:
    """Return the lower and the upper byte of every code."""
    decode = _LAWS[law]
    samples = array("h", [decode(code) for code in range(256)])
    if sys.byteorder == "big":
        samples.byteswap()
    both = samples.tobytes()
    return both[0::2], both[1::2]


@cache
def _encoding(law: _Law) -> bytes:
    """Return the code for the upper bits of every sample, first for those above zero."""
    half = 1 << _ENCODED_BITS - 1
    encode = _mulaw_code if law == "mulaw" else _alaw_code
    return bytes([encode(value) for value in [*range(half), *range(-half, 0)]])


def _mulaw_sample(code: int) -> int:
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -magnitude if code & 0x80 else magnitude


def _alaw_sample(code: int) -> int:
    code ^= 0x55
    exponent = code >> 4 & 7
    magnitude = ((code & 0x0F) << 4) + 8
    if exponent:
        magnitude = magnitude + 0x100 << exponent - 1
    return magnitude if code & 0x80 else -magnitude


_LAWS: Final[dict[_Law, Callable[[int], int]]] = {"mulaw": _mulaw_sample, "alaw": _alaw_sample}


def _mulaw_code(value: int) -> int:
    """Encode a sample of 14 bits."""
    sign, magnitude = (0x7F, -value) if value < 0 else (0xFF, value)
    magnitude = min(magnitude, 8158) + 33
    exponent = magnitude.bit_length() - 6
    return (exponent << 4 | magnitude >> exponent + 1 & 0x0F) ^ sign


def _alaw_code(value: int) -> int:
    """Encode a sample of 14 bits, of which A-law takes 13."""
    value >>= 1
    sign, magnitude = (0x55, -value - 1) if value < 0 else (0xD5, value)
    exponent = max(magnitude.bit_length() - 5, 0)
    mantissa = magnitude >> max(exponent, 1) & 0x0F
    return (exponent << 4 | mantissa) ^ sign
