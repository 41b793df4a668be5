import math

import pytest

from deepgram_async.audio import Level, level_of
from tests.support.sound import sine


def test_silence_has_no_level() -> None:
    assert level_of(bytes(640)) == level_of(b"") == Level(0.0, 0.0)
    assert level_of(bytes(640)).rms_dbfs == -math.inf


def test_level_of_a_tone_is_three_db_below_its_peak() -> None:
    level = level_of(sine(1, peak=16384))
    assert level.peak == pytest.approx(0.5, abs=0.001)
    assert level.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert level.peak_dbfs - level.rms_dbfs == pytest.approx(3.01, abs=0.01)


def test_full_scale_is_one() -> None:
    assert level_of(b"\x00\x80" * 10) == Level(1.0, 1.0)
