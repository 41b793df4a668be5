import builtins
import copy
import pickle
import re
from typing import Any

import pytest

from deepgram_async import errors
from deepgram_async.errors import (
    ApiError,
    ConfigurationError,
    ConnectionLostError,
    DeepgramError,
    MissingDependencyError,
    OperationTimeoutError,
    OptionError,
    ProtocolError,
)

CLASSES: list[type[DeepgramError]] = [getattr(errors, name) for name in errors.__all__]

# One of each, with every attribute set to something.
COMMON: dict[str, Any] = {
    "operation": "POST /v1/listen",
    "status": 400,
    "code": "Bad Request",
    "details": "at line 1",
    "request_id": "r-1",
    "attempts": 3,
    "retryable": True,
    "retry_after": 1.5,
    "hint": "try again",
}
OWN_ARGUMENTS: dict[type[DeepgramError], dict[str, Any]] = {
    OptionError: {"option": "model"},
    ConnectionLostError: {
        "operation": "WebSocket /v1/listen",
        "request_id": "r-1",
        "retryable": False,
        "hint": "connect again",
        "close_code": 1011,
        "close_reason": "See https://dpgr.am/net0001",
        "net_code": "NET-0001",
        "audio_sent_s": 2.5,
    },
    OperationTimeoutError: {
        "operation": "POST /v1/listen",
        "hint": "wait longer",
        "phase": "response",
        "timeout_s": 60.0,
    },
    ProtocolError: {
        "operation": "POST /v1/listen",
        "status": 200,
        "request_id": "r-1",
        "hint": "look at the bytes",
        "body": b"\xff<html>",
    },
}


def example(kind: type[DeepgramError]) -> DeepgramError:
    return kind("it went wrong", **OWN_ARGUMENTS.get(kind, COMMON))


# The tree.


def documented_tree() -> dict[str, str]:
    """Return the parent of each class, as the picture in the module's docstring shows it."""
    parents: dict[str, str] = {}
    above: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ((?:[│ ]   )*(?:[├└]── )?)(\w+Error)\b", line)
        if found is None:
            continue
        depth = len(found[1]) // 4
        above[depth] = found[2]
        if depth:
            parents[found[2]] = above[depth - 1]
    return parents


def test_the_picture_shows_every_class_in_its_place() -> None:
    real = {kind.__name__: kind.__bases__[0].__name__ for kind in CLASSES if kind != DeepgramError}
    assert documented_tree() == real


def test_the_picture_tells_the_statuses_that_answers_map_to() -> None:
    from deepgram_async._protocol.answers import HttpAnswer, error_from_answer

    statuses = {
        found[1]: [int(status) for status in re.findall(r"\d{3}", found[2])]
        for found in re.finditer(r"── (\w+Error)\s+((?:\d{3}(?:, )?)+)", errors.__doc__ or "")
    }
    assert len(statuses) > 10
    for name, listed in statuses.items():
        for status in listed:
            code = b"INSUFFICIENT_PERMISSIONS" if name == "PermissionDeniedError" else b""
            answer = HttpAnswer(status, {}, b'{"err_code":"%s"}' % code)
            error = error_from_answer(answer, "POST /v1/listen", now=0.0)
            assert type(error).__name__ == name


def test_the_picture_tells_every_builtin_that_catches_too() -> None:
    told = dict(re.findall(r"(\w+Error)\s.*\(also an? (\w+)\)", errors.__doc__ or ""))
    real = {
        kind.__name__: base.__name__
        for kind in CLASSES
        for base in kind.__bases__
        if base.__module__ == "builtins" and base is not Exception
    }
    assert told == real
    for kind, base in told.items():
        assert issubclass(getattr(errors, kind), getattr(builtins, base))


def test_everything_is_a_deepgram_error() -> None:
    assert all(issubclass(kind, DeepgramError) for kind in CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_says_when_it_is_raised(kind: type[DeepgramError]) -> None:
    assert kind.__dict__.get("__doc__")


# The words.


@pytest.mark.parametrize("words", ["a\nb", "a\r\n\r\n  b\n", "a\x1bb", "a\ud800b", "a\u2028\tb"])
def test_an_error_is_told_in_one_line_that_any_terminal_can_show(words: str) -> None:
    error = ApiError(words, operation="POST /v1/listen", status=400, details=words)
    assert str(error) == "POST /v1/listen: 400: a b (a b)"
    assert error.message == words


def test_the_blanks_in_a_name_stay() -> None:
    assert str(DeepgramError("there is no file 'a  b.wav'")) == "there is no file 'a  b.wav'"


# Whether it is worth another try.


@pytest.mark.parametrize("kind", CLASSES)
def test_what_may_go_better_next_time_is_retryable(kind: type[DeepgramError]) -> None:
    required: dict[type[DeepgramError], dict[str, Any]] = {
        OptionError: {"option": "model"},
        OperationTimeoutError: {"phase": "connect", "timeout_s": 1.0},
        ProtocolError: {"body": b""},
    }
    passing = {
        "ConnectError",
        "ConnectionLostError",
        "IncompleteUploadError",
        "OperationTimeoutError",
        "RateLimitError",
        "SendBufferFullError",
        "ServerError",
        "UploadTimeoutError",
    }
    error = kind("it went wrong", **required.get(kind, {}))
    assert error.retryable is (kind.__name__ in passing)


def test_a_single_error_may_know_better_than_its_class() -> None:
    assert errors.ConnectError("untrusted", retryable=False).retryable is False
    assert ApiError("odd", retryable=True).retryable is True


# Attributes.


@pytest.mark.parametrize("kind", CLASSES)
def test_attributes_are_what_was_given(kind: type[DeepgramError]) -> None:
    error = example(kind)
    for name, value in OWN_ARGUMENTS.get(kind, COMMON).items():
        assert getattr(error, name) == value
    assert error.message == "it went wrong"
    assert error.args == ("it went wrong",)


def test_what_is_not_known_is_none() -> None:
    error = DeepgramError("it went wrong")
    for name in ("operation", "status", "code", "details", "request_id", "retry_after", "hint"):
        assert getattr(error, name) is None
    assert error.attempts == 0


def test_the_code_of_a_lost_connection_is_that_of_the_service() -> None:
    assert ConnectionLostError("gone", net_code="NET-0001").code == "NET-0001"


def test_a_refused_option_is_an_error_of_the_program() -> None:
    error = OptionError("unknown option 'x'", option="x")
    assert isinstance(error, ConfigurationError)
    assert str(error) == "unknown option 'x'"


# The sentence.


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({}, "it went wrong"),
        ({"operation": "POST /v1/listen"}, "POST /v1/listen: it went wrong"),
        ({"status": 400}, "400: it went wrong"),
        ({"code": "X_Y"}, "X_Y: it went wrong"),
        ({"status": 400, "code": "X_Y"}, "400 X_Y: it went wrong"),
        ({"details": "at line 1"}, "it went wrong (at line 1)"),
        ({"request_id": "r-1"}, "it went wrong [request id r-1]"),
        ({"attempts": 1}, "it went wrong"),
        ({"attempts": 2}, "it went wrong [after 2 attempts]"),
        ({"hint": "try again"}, "it went wrong Hint: try again"),
        ({"retry_after": 3.0, "retryable": True}, "it went wrong"),
    ],
)
def test_the_sentence_tells_what_is_known(more: dict[str, Any], sentence: str) -> None:
    assert str(DeepgramError("it went wrong", **more)) == sentence


def test_the_parts_of_the_sentence_stand_in_a_fixed_order() -> None:
    assert str(DeepgramError("it went wrong", **COMMON)) == (
        "POST /v1/listen: 400 Bad Request: it went wrong (at line 1) [request id r-1] "
        "[after 3 attempts] Hint: try again"
    )


@pytest.mark.parametrize("kind", CLASSES)
def test_builtin_bases_do_not_change_the_sentence(kind: type[DeepgramError]) -> None:
    error = example(kind)
    assert "it went wrong" in str(error)
    assert str(error) == DeepgramError.__str__(error)


@pytest.mark.parametrize("kind", CLASSES)
def test_the_repr_holds_the_message_only(kind: type[DeepgramError]) -> None:
    assert repr(example(kind)) == f"{kind.__name__}('it went wrong')"


def test_attributes_set_later_are_part_of_the_sentence() -> None:
    error = ApiError("busy")
    error.attempts = 3
    assert str(error) == "busy [after 3 attempts]"


# Across processes.


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", CLASSES)
def test_pickling_keeps_class_words_and_attributes(
    kind: type[DeepgramError], protocol: int
) -> None:
    error = example(kind)
    error.add_note("in file 17")
    copied = pickle.loads(pickle.dumps(error, protocol))
    assert type(copied) is kind
    assert copied.__dict__ == error.__dict__
    assert copied.args == error.args
    assert str(copied) == str(error)


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("kind", CLASSES)
def test_copies_are_equal_and_separate(kind: type[DeepgramError], clone: Any) -> None:
    error = example(kind)
    copied = clone(error)
    assert copied is not error
    assert copied.__dict__ == error.__dict__
    copied.attempts = 99
    assert error.attempts != 99


def test_a_subclass_of_somebody_else_is_pickled_too() -> None:
    copied = pickle.loads(pickle.dumps(ForeignError("theirs", body=b"x", status=200)))
    assert type(copied) is ForeignError
    assert (copied.body, copied.status) == (b"x", 200)


class ForeignError(ProtocolError):
    """Derived outside the package."""


def test_a_missing_extra_is_an_import_error() -> None:
    with pytest.raises(ImportError, match="deepgram-async"):
        raise MissingDependencyError("install deepgram-async[emulator]")
