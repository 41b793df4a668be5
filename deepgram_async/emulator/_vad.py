"""Voice activity detection in frames of 20 ms."""

from __future__ import annotations

import sys
from array import array
from math import sqrt
from typing import Final, Protocol

__all__ = ["EnergyDetector", "VoiceDetector", "WebRtcDetector", "voice_detector"]


class VoiceDetector(Protocol):
    """Tells speech from silence, frame by frame, in order."""

    def is_speech(self, frame: bytes, start_s: float) -> bool:
        """Judge the frame of 16 bit samples that begins at `start_s` in its stream."""
        ...


# WebRTC's detector knows these rates only.
_WEBRTC_RATES: Final = frozenset({8000, 16000, 32000, 48000})


def voice_detector(rate: int) -> VoiceDetector:
    """Return WebRTC's detector where it is installed and knows the rate, else one by energy."""
    if rate in _WEBRTC_RATES:
        try:
            return WebRtcDetector(rate)
        except ImportError:
            pass
    return EnergyDetector()


class _WebRtc(Protocol):
    """What is used of `webrtcvad.Vad`, which has no types of its own."""

    def is_speech(self, buf: bytes, sample_rate: int) -> bool: ...


class _Onset:
    """Takes speech for real after three of five frames, so that a click opens no utterance."""

    def __init__(self) -> None:
        self._recent = 0
        self._speaking = False

    def smooth(self, voiced: bool) -> bool:
        self._recent = (self._recent << 1 | voiced) & 0b11111
        if self._speaking:
            self._speaking = self._recent != 0
        else:
            self._speaking = self._recent.bit_count() >= 3
        return self._speaking and voiced


class WebRtcDetector:
    """WebRTC's voice activity detector in its strictest mode.

    Raises:
        ImportError: `webrtcvad` is not installed.
    """

    def __init__(self, rate: int) -> None:
        import webrtcvad

        self._vad: _WebRtc = webrtcvad.Vad(3)
        self._rate = rate
        self._onset = _Onset()

    def is_speech(self, frame: bytes, start_s: float) -> bool:
        """Judge a frame; one shorter than 20 ms (the end of a stream) is taken for silence."""
        del start_s
        whole = len(frame) == self._rate // 50 * 2
        return self._onset.smooth(whole and self._vad.is_speech(frame, self._rate))


class EnergyDetector:
    """Speech is what is clearly louder than the quietest of the last seconds."""

    # Of 32768: below it lies the hiss of a good recording, above it the softest speech.
    _SILENCE: Final = 150.0
    _ABOVE_NOISE: Final = 3.0

    def __init__(self) -> None:
        self._noise = self._SILENCE / self._ABOVE_NOISE
        self._onset = _Onset()

    def is_speech(self, frame: bytes, start_s: float) -> bool:
        """Judge a frame by its root mean square, against a noise floor that adapts."""
        del start_s
        loudness = _root_mean_square(frame)
        # Falls at once, rises by a tenth per second: speech itself must not become the floor.
        self._noise = min(loudness, self._noise * 1.002) if loudness else self._noise
        self._noise = max(self._noise, self._SILENCE / self._ABOVE_NOISE)
        return self._onset.smooth(loudness > self._noise * self._ABOVE_NOISE)


def _root_mean_square(frame: bytes) -> float:
    samples = array("h", frame)
    if sys.byteorder == "big":
        samples.byteswap()
    return sqrt(sum([s * s for s in samples]) / len(samples)) if samples else 0.0
