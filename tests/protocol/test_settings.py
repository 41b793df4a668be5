from typing import Any

import msgspec
import pytest

from deepgram_async._protocol.endpoints import resolve_endpoints
from deepgram_async._protocol.retry import RetryPolicy
from deepgram_async._protocol.settings import (
    CallSettings,
    NetworkSettings,
    StreamSettings,
    Timeouts,
)
from deepgram_async.errors import ConfigurationError

SETTINGS = [
    Timeouts(),
    StreamSettings(),
    RetryPolicy(),
    NetworkSettings(),
    CallSettings(endpoints=resolve_endpoints()),
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: type(settings).__name__)
def test_settings_cannot_be_changed(settings: msgspec.Struct) -> None:
    for name in settings.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(settings, name, None)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: type(settings).__name__)
def test_settings_are_given_by_name_only(settings: msgspec.Struct) -> None:
    with pytest.raises(TypeError):
        type(settings)(1.0)


def test_a_silent_stream_is_kept_alive_well_before_the_service_closes_it() -> None:
    keepalive_s = StreamSettings().keepalive_s
    assert keepalive_s is not None
    assert keepalive_s <= 10 / 2, "one KeepAlive may be late"


def test_a_dead_peer_is_noticed_within_twenty_seconds() -> None:
    assert StreamSettings().dead_peer_s <= 20


def test_rest_calls_have_no_limit_in_total() -> None:
    assert not [name for name in Timeouts.__struct_fields__ if "total" in name]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"timeouts": 5}, "timeouts= takes Timeouts(...), not int"),
        ({"retry": 3}, "retry= takes RetryPolicy(...), not int"),
        ({"stream": Timeouts()}, "stream= takes StreamSettings(...), not Timeouts"),
        ({"timeouts": Timeouts(connect_s=-1.0)}, "timeouts=: connect_s=-1.0 is below 0.0"),
        ({"timeouts": Timeouts(connect_s=float("nan"))}, "timeouts=: connect_s=nan is below 0.0"),
        ({"retry": RetryPolicy(attempts=0)}, "retry=: attempts=0 is below 1"),
        ({"stream": StreamSettings(event_buffer=0)}, "stream=: event_buffer=0 is below 1"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        CallSettings(endpoints=resolve_endpoints(), **settings)
    assert caught.value.message == words


def test_a_setting_of_the_wrong_type_is_refused() -> None:
    retry = RetryPolicy(attempts="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigurationError, match=r"^retry=: Expected `int`, got `str`"):
        CallSettings(endpoints=resolve_endpoints(), retry=retry)


def test_a_switch_may_be_off_and_a_limit_may_be_left_out() -> None:
    stream = StreamSettings(keepalive_s=None, drain_timeout_s=0, strict=False)
    assert CallSettings(endpoints=resolve_endpoints(), stream=stream).stream is stream


def test_calls_share_no_dictionary_by_default() -> None:
    endpoints = resolve_endpoints()
    first, second = CallSettings(endpoints=endpoints), CallSettings(endpoints=endpoints)
    assert first == second
    assert first.extra_headers is not second.extra_headers
