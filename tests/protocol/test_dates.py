from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from deepgram_async._protocol.dates import When, day, days, moment, moments
from deepgram_async.errors import OptionError

WEST = timezone(timedelta(hours=-5, minutes=-30))
LATE: datetime = datetime(2026, 1, 31, 23, 59, 58, 999999)


@pytest.mark.parametrize(
    ("when", "as_day", "as_moment"),
    [
        (date(2026, 1, 31), "2026-01-31", "2026-01-31"),
        (LATE, "2026-01-31", "2026-01-31T23:59:58"),
        (LATE.replace(tzinfo=UTC), "2026-01-31", "2026-01-31T23:59:58+00:00"),
        (LATE.replace(tzinfo=WEST), "2026-01-31", "2026-01-31T23:59:58-05:30"),
        ("2026-01-31", "2026-01-31", "2026-01-31"),
        ("what the caller wrote", "what the caller wrote", "what the caller wrote"),
    ],
)
def test_a_date_is_written_as_the_service_reads_it(when: When, as_day: str, as_moment: str) -> None:
    assert day("start", when) == as_day
    assert moment("start", when) == as_moment


def test_a_range_leaves_out_what_is_not_given() -> None:
    assert days(None, None) == moments(None, None) == {}
    assert days(LATE, None) == {"start": "2026-01-31"}
    assert moments(None, LATE) == {"end": "2026-01-31T23:59:58"}
    assert list(days("a", "b").items()) == [("start", "a"), ("end", "b")]


@pytest.mark.parametrize("wrong", [20260131, 1.5, b"2026-01-31", True])
def test_something_else_is_refused_by_name(wrong: When) -> None:
    for write in (day, moment):
        with pytest.raises(OptionError, match="option end: expected a date") as caught:
            write("end", wrong)
        assert caught.value.option == "end"
