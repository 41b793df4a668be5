import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgram_async._protocol.shifts import Shift

RATE = 100


def test_a_connection_from_the_beginning_moves_nothing() -> None:
    assert not Shift()
    assert Shift().span(0.1, 0.2) == (0.1, 0.2)


def test_a_later_connection_moves_everything_alike() -> None:
    shift = Shift(10.1)
    assert shift
    assert shift.span(0.2, 0.4) == (10.3, 10.5)


def test_what_is_left_out_lies_between_the_end_before_it_and_the_beginning_after_it() -> None:
    shift = Shift(10.0)
    shift.leave_out(12.0, 15.0)
    assert shift
    assert shift.span(1.0, 2.0) == (11.0, 12.0)
    assert shift.span(2.0, 3.0) == (15.0, 16.0)
    assert shift.span(1.0, 3.0) == (11.0, 16.0)


def test_nothing_ends_before_it_begins() -> None:
    shift = Shift()
    shift.leave_out(2.0, 5.0)
    assert shift.span(2.0, 2.0) == (5.0, 5.0)


def test_very_many_jumps_are_forgotten_from_the_oldest_on() -> None:
    shift = Shift()
    for number in range(5000):
        shift.leave_out(2 * number + 1.0, 2 * number + 2.0)
    assert shift.span(4999.2, 4999.8) == (9998.2, 9998.8)


@given(
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 40)), max_size=12),
)
def test_every_sample_that_was_heard_is_found_where_it_was_spoken(
    offset: int, left_out: list[tuple[int, int]]
) -> None:
    # In whatever order, overlapping or side by side.
    shift = Shift(offset / RATE)
    missing: set[int] = set()
    for place, size in left_out:
        begin = offset + place
        shift.leave_out(begin / RATE, (begin + size) / RATE)
        missing.update(range(begin, begin + size))
    heard = [sample for sample in range(offset, offset + 400) if sample not in missing]
    for at, sample in enumerate(heard):
        span = shift.span(at / RATE, (at + 1) / RATE)
        assert span == pytest.approx((sample / RATE, (sample + 1) / RATE))
