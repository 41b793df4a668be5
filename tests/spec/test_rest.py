"""Every REST operation of the specification is here with its parameters and answers."""

import copy
import inspect
from collections.abc import Callable
from functools import cache, reduce
from typing import Any, get_args, get_type_hints

import pytest

from deepgram_async import DeepgramSession
from tests.spec.comparison import (
    choices,
    compare,
    literals,
    properties,
    required,
    stale,
    unexplained,
)
from tests.spec.differences import REST_ANSWERS, REST_PARAMETERS
from tests.spec.documents import OPENAPI, Node, load, needs_spec, operations, resolve
from tests.spec.operations import OPERATIONS, SUBMISSIONS

pytestmark = needs_spec

# What a call takes beside the parameters of its operation.
_OWN = {"content_type", "extra_query", "kwargs", "options", "progress", "source"}


@cache
def session() -> DeepgramSession:
    return DeepgramSession("any-key")


def call_of(operation: str) -> Callable[..., Any]:
    return callable_at(OPERATIONS[operation])


def callable_at(path: str) -> Callable[..., Any]:
    found = reduce(getattr, path.split("."), session())
    assert callable(found)
    return found


def parameters_of(document: Node, operation: Node) -> dict[str, Node]:
    """Return path ids, query keys and body fields of an operation by name."""
    found = {
        parameter["name"]: parameter["schema"]
        for parameter in operation.get("parameters", ())
        if parameter["in"] in ("path", "query")
    }
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for name, nodes in properties(content["schema"], document).items():
            found[name] = {"anyOf": nodes}
    return found


def parameter_differences(document: Node) -> set[str]:
    found: set[str] = set()
    for name, operation in operations(document).items():
        wanted = parameters_of(document, operation).keys()
        given = inspect.signature(call_of(name)).parameters.keys() - _OWN
        found |= {f"+ {name}: {key}" for key in wanted - given}
        found |= {f"- {name}: {key}" for key in given - wanted}
    return found


def choice_differences(document: Node) -> set[str]:
    found: set[str] = set()
    for name, operation in operations(document).items():
        hints = hints_of(call_of(name))
        for key, schema in parameters_of(document, operation).items():
            typed = set(literals(hints.get(key)))
            if typed or key in hints:
                found |= {f"+ {name}: {key}={value}" for value in choices(schema, document) - typed}
    return found


def answer_differences(document: Node) -> set[str]:
    found: set[str] = set()
    for name, operation in operations(document).items():
        answer = get_type_hints(call_of(name)).get("return")
        content = operation["responses"]["200"].get("content", {})
        if "application/json" in content and hasattr(answer, "__struct_fields__"):
            schema = content["application/json"]["schema"]
            found |= compare(schema, answer, document, f"{name}:")
    return found


def needs_differences(document: Node) -> set[str]:
    """Return what an operation requires and its call does not."""
    found: set[str] = set()
    for name, operation in operations(document).items():
        wanted = {
            parameter["name"]
            for parameter in operation.get("parameters", ())
            if parameter["in"] in ("path", "query") and parameter.get("required")
        }
        for content in operation.get("requestBody", {}).get("content", {}).values():
            wanted |= required(content["schema"], document)
        given = inspect.signature(call_of(name)).parameters
        found |= {
            f"{name}: {key}"
            for key in wanted & given.keys()
            if given[key].default is not inspect.Parameter.empty
        }
    return found


def hints_of(call: Callable[..., Any]) -> dict[str, Any]:
    """Return the types of all keywords, those of the TypedDict included."""
    hints = get_type_hints(call)
    options = hints.pop("options", None)
    if options is not None:
        (kind,) = get_args(options)
        hints |= get_type_hints(kind)
    return hints


def test_every_operation_has_its_call() -> None:
    assert OPERATIONS.keys() == operations(load(OPENAPI)).keys()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_call_is_there_with_a_docstring(operation: str) -> None:
    assert inspect.getdoc(call_of(operation))


def test_every_operation_with_a_callback_has_its_submission() -> None:
    document = load(OPENAPI)
    for name, operation in operations(document).items():
        wanted = parameters_of(document, operation).keys() - {"url"}
        takes_callback = name.startswith("POST") and "callback" in wanted
        assert takes_callback == (name in SUBMISSIONS)
        if takes_callback:
            assert wanted <= inspect.signature(callable_at(SUBMISSIONS[name])).parameters.keys()


def test_parameters_differ_only_for_a_reason() -> None:
    document = load(OPENAPI)
    found = parameter_differences(document) | choice_differences(document)
    assert unexplained(found, REST_PARAMETERS) == set()
    assert stale(found, REST_PARAMETERS) == set()


def test_answers_differ_only_for_a_reason() -> None:
    found = answer_differences(load(OPENAPI))
    assert unexplained(found, REST_ANSWERS) == set()
    assert stale(found, REST_ANSWERS) == set()


def test_a_call_requires_what_its_operation_requires() -> None:
    found = {line for line in needs_differences(load(OPENAPI)) if not line.endswith(": project_id")}
    # The project is that of the session. An option cannot be required: a rule tells it is missing.
    assert found == {"POST /v2/speak: model"}


# The comparison notices what a newer specification adds.


@pytest.fixture
def newer() -> Node:
    return copy.deepcopy(load(OPENAPI))


def test_a_new_operation_would_be_noticed(newer: Node) -> None:
    newer["paths"]["/v1/tomorrow"] = {"get": {}}
    assert OPERATIONS.keys() != operations(newer).keys()


def test_a_new_query_key_would_be_noticed(newer: Node) -> None:
    listen = operations(newer)["POST /v1/listen"]
    listen["parameters"].append({"name": "tomorrow", "in": "query", "schema": {"type": "string"}})
    found = unexplained(parameter_differences(newer), REST_PARAMETERS)
    assert found == {"+ POST /v1/listen: tomorrow"}


def test_a_new_choice_would_be_noticed(newer: Node) -> None:
    newer["components"]["schemas"]["V1ListenPostParametersEncoding"]["enum"].append("tomorrow")
    found = unexplained(choice_differences(newer), REST_PARAMETERS)
    assert found == {"+ POST /v1/listen: encoding=tomorrow"}


def test_a_new_field_of_an_answer_would_be_noticed(newer: Node) -> None:
    schema = operations(newer)["GET /v1/projects"]["responses"]["200"]["content"]
    projects = resolve(schema["application/json"]["schema"], newer)
    items = resolve(projects["properties"]["projects"], newer)["items"]
    resolve(items, newer)["properties"]["tomorrow"] = {"type": "string"}
    found = unexplained(answer_differences(newer), REST_ANSWERS)
    assert found == {"+ GET /v1/projects:.projects[].tomorrow"}


def test_a_parameter_that_became_required_would_be_noticed(newer: Node) -> None:
    (model,) = (
        parameter
        for parameter in operations(newer)["POST /v1/speak"]["parameters"]
        if parameter["name"] == "model"
    )
    model["required"] = True
    assert "POST /v1/speak: model" in needs_differences(newer)
