"""Every socket of the specification is here with its options and messages, and no others."""

import copy
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, get_type_hints

import pytest

from deepgram_async import DeepgramSession
from deepgram_async.models import agent, agent_settings, flux, live, speak, speak_flux
from deepgram_async.options import (
    FluxOptions,
    FluxSpeakLiveOptions,
    LiveOptions,
    SpeakLiveOptions,
)
from tests.spec.comparison import (
    choices,
    compare,
    literals,
    properties,
    stale,
    stricter,
    tags,
    unexplained,
)
from tests.spec.differences import SOCKET_MESSAGES, SOCKET_OPTIONS
from tests.spec.documents import ASYNCAPI, Node, load, needs_spec, resolve

pytestmark = needs_spec


class Socket(NamedTuple):
    """What the package has for one socket."""

    options: Any
    received: Any
    sent: dict[str, Callable[..., Any] | type]
    """The method, or the struct where a message is one, for each type that a client may send."""


def sockets() -> dict[str, Socket]:
    dg = DeepgramSession("any-key")
    heard, turns = dg.listen.live(), dg.listen.flux(model="flux-general-en")
    spoken, flux_spoken = dg.speak.live(), dg.speak.flux.live(model="flux-alexis-en")
    talk = dg.agent.converse(agent_settings.Settings())
    return {
        "/v1/listen": Socket(
            LiveOptions,
            live.ListenMessage,
            {
                "Finalize": heard.finalize,
                "CloseStream": heard.close_stream,
                "KeepAlive": heard.keep_alive,
            },
        ),
        "/v2/listen": Socket(
            FluxOptions,
            flux.FluxMessage,
            {"CloseStream": turns.close_stream, "Configure": turns.configure},
        ),
        "/v1/speak": Socket(
            SpeakLiveOptions,
            speak.SpeakMessage,
            {
                "Speak": spoken.send_text,
                "Flush": spoken.flush,
                "Clear": spoken.clear,
                "Close": spoken.finish,
            },
        ),
        "/v2/speak": Socket(
            FluxSpeakLiveOptions,
            speak_flux.FluxSpeakMessage,
            {
                "Speak": flux_spoken.send_text,
                "Flush": flux_spoken.flush,
                "Close": flux_spoken.finish,
            },
        ),
        "/v1/agent/converse": Socket(
            None,
            agent.AgentMessage,
            {
                "Settings": agent_settings.Settings,
                "UpdateListen": talk.update_listen,
                "UpdateThink": talk.update_think,
                "UpdateSpeak": talk.update_speak,
                "UpdatePrompt": talk.update_prompt,
                "InjectUserMessage": talk.inject_user_message,
                "InjectAgentMessage": talk.inject_agent_message,
                "FunctionCallResponse": talk.answer_function_call,
                "KeepAlive": talk.keep_alive,
            },
        ),
    }


def messages_of(document: Node, path: str, direction: str) -> dict[str, Node]:
    """Return the JSON messages of a socket by their type; audio has none."""
    found: dict[str, Node] = {}
    for reference in document["channels"][path][direction]["message"]["oneOf"]:
        payload = resolve(reference, document)["payload"]
        for kind in properties(payload, document).get("type", ()):
            found.update((name, payload) for name in choices(kind, document))
    return found


def option_differences(document: Node) -> set[str]:
    found: set[str] = set()
    for path, socket in sockets().items():
        query = document["channels"][path]["bindings"]["ws"].get("query", {}).get("properties", {})
        hints = {} if socket.options is None else get_type_hints(socket.options)
        found |= {f"+ {path}: {key}" for key in query.keys() - hints.keys()}
        found |= {f"- {path}: {key}" for key in hints.keys() - query.keys()}
        for key in query.keys() & hints.keys():
            missing = choices(query[key], document) - set(literals(hints[key]))
            found |= {f"+ {path}: {key}={value}" for value in missing}
    return found


def received_differences(document: Node) -> set[str]:
    found: set[str] = set()
    for path, socket in sockets().items():
        wanted, known = messages_of(document, path, "publish"), tags(socket.received)
        found |= {f"+ {path}: {name}" for name in wanted.keys() - known.keys()}
        found |= {f"- {path}: {name}" for name in known.keys() - wanted.keys()}
        for name in wanted.keys() & known.keys():
            found |= compare(wanted[name], known[name], document, f"{path}: {name}")
    return found


def needs_of_the_package(document: Node) -> set[str]:
    found: set[str] = set()
    for path, socket in sockets().items():
        wanted, known = messages_of(document, path, "publish"), tags(socket.received)
        for name in wanted.keys() & known.keys():
            found |= stricter(wanted[name], known[name], document, f"{path}: {name}")
    return found


def sent_differences(document: Node) -> set[str]:
    found: set[str] = set()
    for path, socket in sockets().items():
        wanted = messages_of(document, path, "subscribe")
        found |= {f"+ {path} > {name}" for name in wanted.keys() - socket.sent.keys()}
        found |= {f"- {path} > {name}" for name in socket.sent.keys() - wanted.keys()}
        for name in wanted.keys() & socket.sent.keys():
            how = socket.sent[name]
            if isinstance(how, type):
                found |= compare(wanted[name], how, document, f"{path} > {name}")
                continue
            fields = properties(wanted[name], document).keys() - {"type"}
            given = inspect.signature(how).parameters.keys()
            found |= {f"+ {path} > {name}.{field}" for field in fields - given}
            found |= {f"- {path} > {name}.{field}" for field in given - fields}
    return found


def test_every_socket_is_here() -> None:
    assert sockets().keys() == load(ASYNCAPI)["channels"].keys()


def test_options_differ_only_for_a_reason() -> None:
    found = option_differences(load(ASYNCAPI))
    assert unexplained(found, SOCKET_OPTIONS) == set()
    assert stale(found, SOCKET_OPTIONS) == set()


def test_messages_differ_only_for_a_reason() -> None:
    found = received_differences(load(ASYNCAPI)) | sent_differences(load(ASYNCAPI))
    assert unexplained(found, SOCKET_MESSAGES) == set()
    assert stale(found, SOCKET_MESSAGES) == set()


def test_no_message_needs_a_field_that_the_service_may_leave_out() -> None:
    assert needs_of_the_package(load(ASYNCAPI)) == set()


# The comparison notices what a newer specification adds.


@pytest.fixture
def newer() -> Node:
    return copy.deepcopy(load(ASYNCAPI))


def test_a_new_socket_would_be_noticed(newer: Node) -> None:
    newer["channels"]["/v3/listen"] = {}
    assert sockets().keys() != newer["channels"].keys()


def test_a_new_option_would_be_noticed(newer: Node) -> None:
    query = newer["channels"]["/v1/listen"]["bindings"]["ws"]["query"]
    query["properties"]["tomorrow"] = {"type": "string"}
    assert unexplained(option_differences(newer), SOCKET_OPTIONS) == {"+ /v1/listen: tomorrow"}


def test_a_new_message_would_be_noticed(newer: Node) -> None:
    message = {"payload": {"properties": {"type": {"const": "Tomorrow"}}}}
    for path, direction, line in (
        ("/v1/listen", "publish", "+ /v1/listen: Tomorrow"),
        ("/v2/speak", "subscribe", "+ /v2/speak > Tomorrow"),
    ):
        document = copy.deepcopy(newer)
        document["channels"][path][direction]["message"]["oneOf"].append(message)
        found = received_differences(document) | sent_differences(document)
        assert unexplained(found, SOCKET_MESSAGES) == {line}


def test_a_new_field_of_a_message_would_be_noticed(newer: Node) -> None:
    results = resolve(messages_of(newer, "/v1/listen", "publish")["Results"], newer)
    results["properties"]["tomorrow"] = {"type": "string"}
    found = unexplained(received_differences(newer), SOCKET_MESSAGES)
    assert found == {"+ /v1/listen: Results.tomorrow"}


def test_a_field_that_became_optional_would_be_noticed(newer: Node) -> None:
    updated = messages_of(newer, "/v1/agent/converse", "publish")["ConversationText"]
    resolve(updated, newer)["required"].remove("content")
    assert needs_of_the_package(newer) == {"/v1/agent/converse: ConversationText.content"}


def test_a_new_choice_in_a_message_would_be_noticed(newer: Node) -> None:
    name = "ChannelsListenV2MessagesListenV2TurnInfoEvent"
    newer["components"]["schemas"][name]["enum"].append("Tomorrow")
    found = unexplained(received_differences(newer), SOCKET_MESSAGES)
    assert found == {"+ /v2/listen: TurnInfo.event=Tomorrow"}
