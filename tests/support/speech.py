"""The demo recording, and how far a transcript is from what is said in it."""

import re
from pathlib import Path

import jiwer

__all__ = ["RECORDING", "TEXT", "WORST", "plain", "word_error_rate"]

RECORDING = Path(__file__).parents[2] / "examples" / "audio" / "austen.wav"
# Measured: 0 to 6 %. The bound leaves room for other builds of the engine.
WORST = 0.12

TEXT = RECORDING.with_suffix(".txt").read_text()


def word_error_rate(heard: str) -> float:
    """Return the share of words that differ, whatever their case and punctuation."""
    rate = jiwer.wer(plain(TEXT), plain(heard))
    assert isinstance(rate, float)
    return rate


def plain(text: str) -> str:
    """Return a text without case and punctuation."""
    return " ".join(re.sub(r"[^a-z' ]", " ", re.sub(r"\bmr\b", "mister", text.lower())).split())
