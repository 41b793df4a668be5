import pytest

from deepgram_async.models.events import Malformed, Unknown

HUGE = b"x" * 5_000_000


def test_an_unknown_message_shows_its_type_and_size() -> None:
    assert repr(Unknown("Applause", b'{"type":"Applause"}')) == (
        "Unknown(type='Applause', raw=<19 bytes>)"
    )


def test_a_malformed_message_shows_its_size_and_what_is_wrong() -> None:
    assert repr(Malformed(raw=b"oops", reason="JSON is malformed: byte 0")) == (
        "Malformed(raw=<4 bytes>, reason='JSON is malformed: byte 0')"
    )


@pytest.mark.parametrize(
    "event", [Unknown(HUGE.decode(), HUGE), Malformed(HUGE, HUGE.decode())], ids=["u", "m"]
)
def test_nothing_huge_is_shown(event: Unknown | Malformed) -> None:
    assert len(repr(event)) < 300
    assert len(str(event)) < 300
    assert sum(len(str(part)) for part in event.__rich_repr__()) < 300
    assert event.raw == HUGE, "it is all there still"


@pytest.mark.parametrize("event", [Unknown("A", b"{}"), Malformed(b"{", "truncated")])
def test_an_event_names_its_parts_for_rich_as_in_repr(event: Unknown | Malformed) -> None:
    for name, shown in event.__rich_repr__():
        assert f"{name}=" in repr(event)
        assert shown in repr(event)


@pytest.mark.parametrize("event", [Unknown("A", b"{}"), Malformed(b"{", "truncated")])
def test_an_event_cannot_be_changed(event: Unknown | Malformed) -> None:
    with pytest.raises(AttributeError):
        setattr(event, "raw", b"")  # noqa: B010  # a plain assignment is refused by type checkers
