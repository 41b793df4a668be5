import pytest

from deepgram_async.testing import Direction, Fault, FaultKind, random_faults


@pytest.mark.parametrize(
    ("fault", "is_immediate"),
    [
        (Fault("cut"), True),
        (Fault("cut", after_bytes=0), True),
        (Fault("cut", after_bytes=1), False),
        (Fault("cut", after_s=0.0), False),
    ],
)
def test_a_fault_without_a_moment_is_immediate(fault: Fault, is_immediate: bool) -> None:
    assert fault.is_immediate is is_immediate


@pytest.mark.parametrize("kind", ["delay", "stop_forwarding", "stop_reading", "throttle"])
def test_these_stay(kind: FaultKind) -> None:
    assert Fault(kind).stays


@pytest.mark.parametrize("kind", ["corrupt", "cut", "reset"])
def test_these_happen_once(kind: FaultKind) -> None:
    assert not Fault(kind).stays


def test_an_unknown_kind_is_refused() -> None:
    kind: FaultKind = "explode"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    with pytest.raises(ValueError, match=r"kind must be one of corrupt, cut, .* not 'explode'"):
        Fault(kind)


def test_an_unknown_direction_is_refused() -> None:
    way: Direction = "left"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    with pytest.raises(ValueError, match="direction must be one of both, down, up, not 'left'"):
        Fault("cut", way)
    with pytest.raises(ValueError, match="counting must be one of both, down, up, not 'left'"):
        Fault("cut", counting=way)


def test_a_throttle_that_lets_nothing_pass_is_refused() -> None:
    with pytest.raises(ValueError, match="stop_forwarding lets nothing pass"):
        Fault("throttle", bytes_per_s=0)


def test_random_faults_are_one_for_each_connection_and_within_their_time() -> None:
    faults = random_faults(7, 300, within_s=2.0)

    assert [fault.connection for fault in faults] == list(range(300))
    assert all(fault.after_s is not None and 0 <= fault.after_s <= 2 for fault in faults)
    assert len({fault.kind for fault in faults}) == 7
    assert len({fault.direction for fault in faults}) == 3


def test_the_same_seed_makes_the_same_faults() -> None:
    assert random_faults(7, 20, within_s=1) == random_faults(7, 20, within_s=1)
    assert random_faults(7, 20, within_s=1) != random_faults(8, 20, within_s=1)
