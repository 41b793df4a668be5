from collections.abc import Mapping

import pytest

from deepgram_async._protocol.rules_management import check
from deepgram_async.errors import OptionError


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"limit": 1},
        {"limit": 1000},
        {"limit": None, "ttl_seconds": None},
        {"ttl_seconds": 0.5 + 0.5},
        {"ttl_seconds": 3600},
        {"expiration_date": "2027-01-31", "time_to_live_in_seconds": None},
        {"expiration_date": None, "time_to_live_in_seconds": 60},
        {"key": "DG_X", "value": "anything"},
        {"limit": "a wrong type is refused elsewhere"},
    ],
)
def test_what_is_documented_passes(options: Mapping[str, object]) -> None:
    check(options)


@pytest.mark.parametrize(
    ("options", "name", "message"),
    [
        ({"limit": 0}, "limit", "limit is from 1 to 1000, not 0"),
        ({"limit": 1001}, "limit", "limit is from 1 to 1000, not 1001"),
        ({"ttl_seconds": 0.9}, "ttl_seconds", "ttl_seconds is from 1 to 3600, not 0.9"),
        ({"ttl_seconds": 3601}, "ttl_seconds", "ttl_seconds is from 1 to 3600, not 3601"),
        (
            {"expiration_date": "2027", "time_to_live_in_seconds": 60},
            "time_to_live_in_seconds",
            "a key ends at its expiration_date or after time_to_live_in_seconds: give one of them",
        ),
        ({"key": "DG_"}, "key", "the name of a variable is DG_ and more, not 'DG_'"),
        ({"key": "NAME"}, "key", "the name of a variable is DG_ and more, not 'NAME'"),
    ],
)
def test_what_the_service_refuses_is_told_by_its_rule(
    options: Mapping[str, object], name: str, message: str
) -> None:
    with pytest.raises(OptionError) as caught:
        check(options)
    assert (caught.value.option, caught.value.message) == (name, message)
