"""How loud audio is."""

import math
import sys
from array import array
from dataclasses import dataclass

__all__ = ["Level", "level_of", "samples_of"]

_FULL_SCALE = 32768


@dataclass(frozen=True, slots=True)
class Level:
    """How loud a piece of audio is.

    Attributes:
        peak: The largest sample, from 0 for silence to 1 for full scale.
        rms: The root of the mean square, on the same scale: closer to what is heard.
    """

    peak: float
    rms: float

    @property
    def peak_dbfs(self) -> float:
        """The largest sample in dB below full scale; minus infinity for silence."""
        return _dbfs(self.peak)

    @property
    def rms_dbfs(self) -> float:
        """The root of the mean square in dB below full scale; minus infinity for silence."""
        return _dbfs(self.rms)


def level_of(audio: bytes) -> Level:
    """Return how loud linear16 audio is, over all its samples and channels."""
    samples = samples_of(audio)
    if not samples:
        return Level(0.0, 0.0)
    peak = max(max(samples), -min(samples))
    mean_square = sum(sample * sample for sample in samples) / len(samples)
    return Level(peak / _FULL_SCALE, math.sqrt(mean_square) / _FULL_SCALE)


def samples_of(audio: bytes) -> "array[int]":
    """Return the samples of linear16 audio, whatever the byte order of this machine."""
    samples = array("h", audio[: len(audio) - len(audio) % 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _dbfs(value: float) -> float:
    return 20 * math.log10(value) if value > 0 else -math.inf
