import json
from collections.abc import Callable
from itertools import product
from typing import Any, get_args

import pytest

from deepgram_async._protocol.listen_v2 import ListenV2Core
from deepgram_async._protocol.sockets import Close, State
from deepgram_async.errors import AudioSourceError, InvalidStateError, OptionError
from deepgram_async.models import flux as models
from deepgram_async.models.events import Malformed, Unknown
from deepgram_async.models.flux import (
    ConfigureFailure,
    ConfigureSuccess,
    Connected,
    Error,
    FluxEvent,
    FluxMessage,
    TurnInfo,
)
from tests.support.flux import Flux

PCM = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": 16000}
FATAL = '{"type":"Error","sequence_id":44,"code":"INTERNAL_SERVER_ERROR","description":"oops"}'


def core(state: State = State.OPEN) -> ListenV2Core:
    """Return a core that has come to a state the regular way."""
    made = ListenV2Core(PCM, now=100.0, request_id="r-1")
    if state is not State.OPEN:
        made.end()
    if state is State.CLOSED:
        made.receive_close(Close(1005, ""))
    assert made.state is state
    return made


# What may be sent, and when: every operation in every state.

OPERATIONS: dict[str, Callable[[ListenV2Core], str | bytes]] = {
    "send audio": lambda it: it.send_audio(b"\x01\x02"),
    "configure": lambda it: it.configure(),
    "force end turn": lambda it: it.force_end_turn(),
    "close stream": lambda it: it.end(),
}
FRAMES: dict[tuple[State, str], tuple[str | bytes, State]] = {
    (State.OPEN, "send audio"): (b"\x01\x02", State.OPEN),
    (State.OPEN, "configure"): ('{"type":"Configure"}', State.OPEN),
    (State.OPEN, "force end turn"): ('{"type":"ForceEndTurn"}', State.OPEN),
    (State.OPEN, "close stream"): ('{"type":"CloseStream"}', State.CLOSING),
}
ALL_STEPS = list(product(State, OPERATIONS))


@pytest.mark.parametrize(("state", "name"), [step for step in ALL_STEPS if step in FRAMES])
def test_a_legal_operation_returns_its_frame(state: State, name: str) -> None:
    stream = core(state)
    frame = OPERATIONS[name](stream)
    assert (frame, stream.state) == FRAMES[state, name]


@pytest.mark.parametrize(("state", "name"), [step for step in ALL_STEPS if step not in FRAMES])
def test_an_illegal_operation_is_refused_and_changes_nothing(state: State, name: str) -> None:
    stream = core(state)
    with pytest.raises(InvalidStateError) as caught:
        OPERATIONS[name](stream)
    assert caught.value.message == f"cannot {name}: stream is {state.value}"
    assert stream.state is state


# Sending.


def test_the_path_is_that_of_the_second_generation() -> None:
    assert ListenV2Core.PATH == "/v2/listen"
    assert ListenV2Core.OPERATION.endswith(ListenV2Core.PATH)


def test_an_empty_chunk_is_refused() -> None:
    with pytest.raises(AudioSourceError, match="empty"):
        core().send_audio(b"")


def test_seconds_of_audio_are_counted() -> None:
    stream = core()
    stream.frame_sent(stream.send_audio(bytes(16000)), 101.0)
    stream.frame_sent(stream.force_end_turn(), 101.0)
    assert stream.audio_sent_s == 0.5


def test_there_is_no_keep_alive() -> None:
    stream = core()
    assert stream.deadline is None
    assert stream.on_deadline(1e6) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"eot_threshold": 0.8}, {"thresholds": {"eot_threshold": 0.8}}),
        ({"eager_eot_threshold": 0.4}, {"thresholds": {"eager_eot_threshold": 0.4}}),
        ({"eot_timeout_ms": 6000}, {"thresholds": {"eot_timeout_ms": 6000}}),
        ({"keyterms": ["a b", "c"]}, {"keyterms": ["a b", "c"]}),
        ({"keyterms": "one term"}, {"keyterms": ["one term"]}),
        ({"keyterms": ("a",)}, {"keyterms": ["a"]}),
        ({"keyterms": []}, {"keyterms": []}),
        ({"language_hints": ["en", "es"]}, {"language_hints": ["en", "es"]}),
        ({"language_hints": []}, {"language_hints": []}),
        ({"numerals": True}, {"numerals": True}),
        ({"numerals": False}, {"numerals": False}),
        (
            {"eot_threshold": 1, "eager_eot_threshold": None, "keyterms": None, "numerals": True},
            {"thresholds": {"eot_threshold": 1}, "numerals": True},
        ),
    ],
)
def test_a_change_has_what_was_given_and_nothing_else(
    changes: dict[str, Any], message: dict[str, Any]
) -> None:
    assert json.loads(core().configure(**changes)) == {"type": "Configure", **message}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"numerals": "true"}, "numerals"),
        ({"numerals": 1}, "numerals"),
        ({"eot_threshold": "0.8"}, "eot_threshold"),
        ({"eot_timeout_ms": 500.5}, "eot_timeout_ms"),
        ({"keyterms": ["a", 1]}, "keyterms"),
        ({"language_hints": [None]}, "language_hints"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_because_it_would_end_the_stream(
    changes: dict[str, Any], name: str
) -> None:
    stream = core()
    with pytest.raises(OptionError, match=f"^{name}: Expected") as caught:
        stream.configure(**changes)
    assert caught.value.option == name


# Receiving.


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ('{"type":"Connected","request_id":"r-1","sequence_id":0}', Connected),
        (Flux().turn("EndOfTurn", "Hi there."), TurnInfo),
        (Flux().turn("NotInventedYet"), TurnInfo),
        (Flux().message("ConfigureSuccess", thresholds={}, keyterms=[]), ConfigureSuccess),
        (Flux().message("ConfigureFailure"), ConfigureFailure),
        (Flux().message("Warning", code="C", description="d"), models.Warning),
        (FATAL, Error),
        ('{"type":"Applause","sequence_id":11}', Unknown),
        ('{"type":"Connected","request_id":"r-1","sequence_id":"first"}', Malformed),
        ("not json", Malformed),
        (b"\x00\xff", Malformed),
    ],
)
@pytest.mark.parametrize("state", State)
def test_every_message_is_an_event_in_every_state(
    frame: str | bytes, kind: type[FluxEvent], state: State
) -> None:
    stream = core(state)
    assert type(stream.receive(frame)) is kind
    assert stream.state is state


def test_a_broken_message_of_every_known_type_is_malformed_and_not_unknown() -> None:
    for kind in get_args(FluxMessage):
        event = core().receive(f'{{"type":"{kind.__name__}","request_id":7,"code":7}}')
        assert type(event) is Malformed, kind


@pytest.mark.parametrize("event", ["StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"])
def test_only_updates_are_superseded_by_later_events(event: str) -> None:
    assert ListenV2Core.is_expendable(core().receive(Flux().turn("Update", "Hi")))
    assert not ListenV2Core.is_expendable(core().receive(Flux().turn(event, "Hi")))
    assert not ListenV2Core.is_expendable(core().receive(FATAL))


def test_messages_out_of_order_are_noted_and_delivered() -> None:
    stream = core()
    flux = Flux()
    stream.receive(flux.connected())
    event = stream.receive(flux.turn("EndOfTurn", "Hi"))
    assert isinstance(event, TurnInfo)
    (irregularity,) = stream.turns.irregularities
    assert irregularity.sequence_id == 1
    assert irregularity.rule == "EndOfTurn does not come while nobody speaks"


def test_messages_that_cannot_be_read_leave_no_gap() -> None:
    stream = core()
    flux = Flux()
    stream.receive(flux.connected())
    stream.receive(flux.message("Applause"))
    stream.receive(flux.message("Warning", code=7))
    stream.receive(flux.turn("Update"))
    assert not stream.turns.irregularities


def test_an_open_turn_is_known() -> None:
    stream = core()
    flux = Flux()
    known: list[bool] = []
    for text in flux.turns(("Update", ""), ("StartOfTurn", "Hi"), ("EndOfTurn", "Hi")):
        stream.receive(text)
        known.append(stream.has_open_turn)
    assert known == [False, True, False]


@pytest.mark.parametrize(
    ("kind", "is_verdict"),
    [("ConfigureSuccess", True), ("ConfigureFailure", True), ("Warning", False)],
)
def test_a_change_is_answered_by_success_or_failure(kind: str, is_verdict: bool) -> None:
    event = core().receive(Flux().message(kind, thresholds={}, keyterms=[], code="C"))
    assert ListenV2Core.is_verdict(event, "") is is_verdict


# The end.


@pytest.mark.parametrize("code", [1000, 1001, 1005])
def test_a_regular_close_needs_no_code_and_no_last_message(code: int) -> None:
    stream = core(State.CLOSING)
    stream.receive(Flux().turn("Update", "Hi"))
    stream.receive_close(Close(code, ""))
    assert (stream.state, stream.close_error) == (State.CLOSED, None)


@pytest.mark.parametrize("code", [1002, 1006, 1008, 1011])
def test_an_irregular_close_is_an_error_although_it_was_asked_for(code: int) -> None:
    stream = core(State.CLOSING)
    stream.receive_close(Close(code, ""))
    assert stream.close_error is not None


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1011])
def test_a_close_that_nobody_asked_for_is_an_error(code: int) -> None:
    stream = core()
    stream.receive_close(Close(code, ""))
    assert stream.close_error is not None
    assert (stream.close_error.close_code, stream.close_error.code) == (code, None)


@pytest.mark.parametrize("state", [State.OPEN, State.CLOSING])
@pytest.mark.parametrize("code", [1000, 1005, 1008, 1011])
def test_a_close_after_a_fatal_error_is_never_regular(state: State, code: int) -> None:
    stream = core(state)
    stream.receive(FATAL)
    stream.receive_close(Close(code, "bye"))
    error = stream.close_error
    assert error is not None
    assert (error.code, error.close_code, error.close_reason) == (
        "INTERNAL_SERVER_ERROR",
        code,
        "bye",
    )
    assert "INTERNAL_SERVER_ERROR: oops: bye" in error.message
    assert error.retryable is (code != 1008)


def test_a_message_that_was_not_understood_will_not_be_the_next_time() -> None:
    stream = core()
    stream.receive('{"type":"Error","sequence_id":1,"code":"UNPARSABLE_CLIENT_MESSAGE"}')
    stream.receive_close(Close(1011, ""))
    assert stream.close_error is not None
    assert stream.close_error.retryable is False
