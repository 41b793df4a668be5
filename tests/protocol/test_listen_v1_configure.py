import json
from typing import Any

import pytest

from deepgram_async._protocol.listen_v1 import ListenV1Core
from deepgram_async._protocol.sockets import Close, State
from deepgram_async.errors import InvalidStateError, OptionError


def core() -> ListenV1Core:
    return ListenV1Core({}, now=0.0, keepalive_s=None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, {}),
        ({"keyterms": ["a b", "c"]}, {"keyterms": ["a b", "c"]}),
        ({"keyterms": "one term"}, {"keyterms": ["one term"]}),
        ({"keyterms": []}, {"keyterms": []}),
        ({"features": {"numerals": True}}, {"features": {"numerals": True}}),
        ({"keyterms": None, "features": {}}, {"features": {}}),
    ],
)
def test_a_change_has_what_was_given_and_nothing_else(
    changes: dict[str, Any], message: dict[str, Any]
) -> None:
    assert json.loads(core().configure(**changes)) == {"type": "Configure", **message}


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"keyterms": [1]}, "keyterms"), ({"features": {"numerals": "yes"}}, "features")],
)
def test_a_value_of_the_wrong_type_is_refused(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(OptionError, match=f"^{name}: Expected") as caught:
        core().configure(**changes)
    assert caught.value.option == name


def test_terms_that_are_no_terms_are_refused() -> None:
    with pytest.raises(OptionError, match="terms are a str or several, not int"):
        core().configure(keyterms=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("state", [State.CLOSING, State.CLOSED])
def test_an_ending_stream_cannot_be_configured(state: State) -> None:
    stream = core()
    stream.end()
    if state is State.CLOSED:
        stream.receive_close(Close(1000, ""))
    with pytest.raises(InvalidStateError, match=f"cannot configure: stream is {state.value}"):
        stream.configure()


@pytest.mark.parametrize(
    ("message", "is_verdict"),
    [
        ({"type": "ConfigureSuccess", "request_id": "r-1"}, True),
        ({"type": "ConfigureFailure", "request_id": "r-1", "code": "BUSY"}, True),
        ({"type": "Error", "variant": "SchemaError", "message": '{"type":"Configure"}'}, True),
        ({"type": "Error", "variant": "SchemaError", "message": '{"type":"Finalise"}'}, False),
        ({"type": "Error", "variant": "SchemaError"}, False),
        ({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 1.0}, False),
    ],
)
def test_a_change_is_answered_by_a_verdict_or_quoted_as_not_understood(
    message: dict[str, Any], is_verdict: bool
) -> None:
    stream = core()
    event = stream.receive(json.dumps(message))
    assert ListenV1Core.is_verdict(event, stream.configure()) is is_verdict
