from deepgram_async._protocol.pacing import Pacer


def test_what_fits_goes_at_once() -> None:
    pacer = Pacer(3, 60.0)
    for _ in range(3):
        assert pacer.delay(1, 0.0) == 0.0
        pacer.note(1, 0.0)


def test_what_is_too_much_waits_for_the_window() -> None:
    pacer = Pacer(2, 60.0)
    pacer.note(1, 0.0)
    pacer.note(1, 10.0)
    assert pacer.delay(1, 20.0) == 40.0
    assert pacer.delay(2, 20.0) == 50.0
    assert pacer.delay(1, 60.0) == 0.0
    assert pacer.delay(2, 60.0) == 10.0


def test_amounts_count_by_their_size() -> None:
    pacer = Pacer(2400, 60.0)
    pacer.note(2000, 0.0)
    assert pacer.delay(400, 1.0) == 0.0
    assert pacer.delay(401, 1.0) == 59.0


def test_more_than_the_limit_waits_until_nothing_else_counts() -> None:
    pacer = Pacer(2, 60.0)
    assert pacer.delay(5, 0.0) == 0.0
    pacer.note(1, 0.0)
    assert pacer.delay(5, 0.0) == 60.0


def test_without_a_window_nothing_waits() -> None:
    pacer = Pacer(1, None)
    for _ in range(5):
        assert pacer.delay(1, 0.0) == 0.0
        pacer.note(1, 0.0)
