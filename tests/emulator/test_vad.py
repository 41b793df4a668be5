"""Detectors of speech."""

from __future__ import annotations

import math
import random
import struct
import sys

import pytest

from deepgram_async.emulator import voice_detector
from deepgram_async.emulator._vad import EnergyDetector, VoiceDetector, WebRtcDetector

RATE = 16000
FRAME = RATE // 50


def noise(seconds: float, loudness: float) -> bytes:
    rng = random.Random(1)
    values = (round(rng.gauss(0, loudness)) for _ in range(round(seconds * RATE)))
    return b"".join(struct.pack("<h", max(-32768, min(32767, v))) for v in values)


def buzz(seconds: float) -> bytes:
    """Return something like a voiced vowel: a pulse train through two resonances."""
    samples: list[int] = []
    for i in range(round(seconds * RATE)):
        t = (i % (RATE // 120)) / RATE
        wave = math.sin(2 * math.pi * 700 * t) + 0.5 * math.sin(2 * math.pi * 1200 * t)
        samples.append(round(9000 * math.exp(-t * 300) * wave))
    return struct.pack(f"<{len(samples)}h", *samples)


def speech(detector: VoiceDetector, samples: bytes) -> list[bool]:
    size = FRAME * 2
    return [
        detector.is_speech(samples[at : at + size], at / 2 / RATE)
        for at in range(0, len(samples), size)
    ]


@pytest.fixture(params=["energy", "webrtc"])
def detector(request: pytest.FixtureRequest) -> VoiceDetector:
    if request.param == "energy":
        return EnergyDetector()
    pytest.importorskip("webrtcvad")
    return WebRtcDetector(RATE)


def test_silence_is_no_speech(detector: VoiceDetector) -> None:
    assert not any(speech(detector, bytes(RATE * 2)))


def test_a_voice_is_speech_after_a_moment(detector: VoiceDetector) -> None:
    judged = speech(detector, bytes(RATE) + buzz(1.0) + bytes(RATE))
    assert not any(judged[:25])
    assert all(judged[35:70])
    assert not any(judged[95:])


def test_a_click_is_no_speech() -> None:
    assert not any(speech(EnergyDetector(), bytes(RATE) + buzz(0.02) + bytes(RATE)))


def test_the_energy_floor_follows_steady_noise() -> None:
    detector = EnergyDetector()
    judged = speech(detector, noise(20.0, 400.0))
    assert not any(judged[-100:])
    assert any(speech(detector, buzz(1.0)))


def test_webrtc_is_taken_where_it_knows_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("webrtcvad")
    assert isinstance(voice_detector(16000), WebRtcDetector)
    assert isinstance(voice_detector(44100), EnergyDetector)
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    assert isinstance(voice_detector(16000), EnergyDetector)


def test_the_short_frame_at_the_end_is_accepted(detector: VoiceDetector) -> None:
    assert detector.is_speech(b"\0\0", 0.0) is False
    assert detector.is_speech(b"", 0.0) is False
