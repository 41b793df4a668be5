"""Whether what the emulator says on its sockets is what Deepgram's own specification describes.

All tests that talk to a socket of the emulator check every message by this; where the specification
is absent, nothing is checked.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from tests.spec.documents import ASYNCAPI, Node, load, resolve

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

__all__ = ["NEWER", "check", "kinds"]

_NEWER_REASON = "published after the specification"
NEWER = {
    "/v1/listen": {
        "ConfigureFailure": _NEWER_REASON,
        "ConfigureSuccess": _NEWER_REASON,
        "Error": _NEWER_REASON,
    },
    "/v2/listen": {"Warning": _NEWER_REASON},
    "/v1/speak": {},
    "/v2/speak": {
        "ConfigureFailure": _NEWER_REASON,
        "ConfigureSuccess": _NEWER_REASON,
        "SpeechInterrupted": _NEWER_REASON,
    },
    "/v1/agent/converse": {
        "EndOfThought": "in recordings of the service",
        "EndOfTurn": "in captures of sessions with Flux",
        "FunctionCallCancelled": _NEWER_REASON,
        "ThinkLiveUpdated": _NEWER_REASON,
    },
}
"""Messages that the specification does not have, and why they are sent all the same."""

# A fault that tests ask for.
_ON_PURPOSE = "MessageOfTomorrow"

# A path, a type, the start of the complaint: what the specification has wrong, and why.
_WRONG = {
    ("/v2/speak", "Error", '"DATA-0002" is not one of'): "the code was published later",
}


def kinds(path: str) -> set[str]:
    """Return the types of all messages that the specification has for a socket."""
    return set(_validators(path))


def check(path: str, message: dict[str, Any]) -> None:
    """Fail if a message of a socket is not what the specification describes."""
    if not ASYNCAPI.exists():
        return
    kind = message["type"]
    if kind in NEWER[path] or kind == _ON_PURPOSE:
        return
    validator = _validators(path).get(kind)
    assert validator is not None, f"{path} has no message {kind}: {message}"
    complaints = [
        error.message
        for error in validator.iter_errors(message)
        if not any(
            (path, kind) == wrong[:2] and error.message.startswith(wrong[2]) for wrong in _WRONG
        )
    ]
    assert not complaints, f"{path}: {complaints} in {message}"


@cache
def _validators(path: str) -> dict[str, Draft202012Validator]:
    from jsonschema_rs import Draft202012Validator

    document = load(ASYNCAPI)
    found: dict[str, Draft202012Validator] = {}
    for reference in document["channels"][path]["publish"]["message"]["oneOf"]:
        payload = resolve(reference, document)["payload"]
        for kind in _kinds_of(payload, document):
            schema = {**payload, "components": document["components"]}
            # Two messages may share a type; the first of them has it as its own.
            found.setdefault(kind, Draft202012Validator(schema, validate_formats=True))
    return found


def _kinds_of(payload: Node, document: Node) -> list[str]:
    """Return the types of a message; audio has none."""
    schema = resolve(payload, document)
    options = [resolve(option, document) for option in schema.get("oneOf", [schema])]
    return [
        kind
        for option in options
        if "type" in option.get("properties", {})
        for kind in resolve(option["properties"]["type"], document)["enum"]
    ]
