"""Deepgram's OpenAPI file as the measure of answers, less its known errors."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import jsonschema_rs

from tests.spec.documents import OPENAPI, Node, load, operations

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SOUND", "check", "corrected", "operation_names", "strangers"]

# Answers whose body is sound, where the specification has JSON.
SOUND = ("POST /v1/speak", "POST /v2/speak")


def operation_names() -> set[str]:
    """Return every REST operation as ``METHOD /path``."""
    return set(operations(load(OPENAPI)))


def check(operation: str, status: int, body: Any) -> list[str]:
    """Return what is wrong with the body of an answer, with the places."""
    return [
        f"{operation} {status}: {'/'.join(map(str, error.instance_path))}: {error.message}"
        for error in _validator(operation, status == 200).iter_errors(body)
    ]


@cache
def _validator(operation: str, is_answer: bool) -> jsonschema_rs.Validator:
    document = corrected()
    schema: Node = {"$ref": "#/components/schemas/ErrorResponse"}
    if is_answer:
        content = operations(document)[operation]["responses"]["200"]["content"]
        schema = content["application/json"]["schema"]
    return jsonschema_rs.validator_for(
        {**schema, "components": document["components"]}, validate_formats=True
    )


@cache
def corrected() -> Node:
    """Return the specification with its known errors corrected."""
    document = copy.deepcopy(load(OPENAPI))
    _let_alternatives_overlap(document)
    schemas = document["components"]["schemas"]
    read = schemas["ReadV1Response"]["properties"]
    # The answer is one level flatter than the file has it, as recorded ones show.
    read["metadata"] = _inner(document, read["metadata"], "metadata")
    for feature in ("summary", "topics", "intents"):
        results = _resolved(document, read["results"])["properties"]
        results[feature] = _inner(document, results[feature], "results", feature)
        listen = _resolved(document, schemas["ListenV1Response"]["properties"]["results"])
        if feature != "summary":
            listen["properties"][feature] = results[feature]
    # How a delivery went, as the official SDKs have it; the file has a string.
    for node in _every_object(document):
        properties = node.get("properties", {})
        if "callback" in properties and "project_uuid" in properties:
            properties["callback"] = {"type": "object"}
    content = operations(document)["POST /v1/read"]["responses"]["200"]["content"]
    # As a transcription with a callback, for which the file has it.
    accepted: Node = {
        "type": "object",
        "required": ["request_id"],
        "properties": {"request_id": {}},
    }
    content["application/json"]["schema"] = {
        "anyOf": [content["application/json"]["schema"], accepted]
    }
    for name in ("ErrorResponseLegacyError", "ErrorResponseModernError"):
        # Else each of them is any object.
        schemas[name]["additionalProperties"] = False
    return document


def strangers(operation: str, body: object) -> set[str]:
    """Return the places in an answer that the specification does not know."""
    document = corrected()
    content = operations(document)[operation]["responses"]["200"]["content"]
    schema: Node = content["application/json"]["schema"]
    return {f"{operation}:{place}" for place in _strangers(document, [schema], body, "")}


def _strangers(document: Node, schemas: list[Node], body: object, place: str) -> Iterator[str]:
    known = [it for schema in schemas for it in _alternatives(document, schema)]
    if isinstance(body, dict):
        if any("additionalProperties" in it or not it.get("properties") for it in known):
            return
        for key, value in cast("Node", body).items():
            inner = [it["properties"][key] for it in known if key in it["properties"]]
            if not inner:
                yield f"{place}.{key}"
            else:
                yield from _strangers(document, inner, value, f"{place}.{key}")
    elif isinstance(body, list):
        items = [it["items"] for it in known if "items" in it]
        for value in cast("list[object]", body) if items else ():
            yield from _strangers(document, items, value, place)


def _alternatives(document: Node, schema: Node) -> list[Node]:
    schema = _resolved(document, schema)
    branches = [*schema.get("anyOf", ()), *schema.get("allOf", ())]
    return [it for branch in branches for it in _alternatives(document, branch)] or [schema]


def _let_alternatives_overlap(document: Node) -> None:
    """Take `oneOf` for `anyOf`: known models are strings too, an empty object fits any branch."""
    for node in _every_object(document):
        if "oneOf" in node:
            node["anyOf"] = node.pop("oneOf")


def _inner(document: Node, node: Node, *names: str) -> Node:
    for name in names:
        node = _resolved(document, node)["properties"][name]
    return node


def _resolved(document: Node, node: Node) -> Node:
    while "$ref" in node:
        node = document["components"]["schemas"][node["$ref"].rpartition("/")[2]]
    return node


def _every_object(node: object) -> list[Node]:
    if isinstance(node, dict):
        inside = cast("Node", node)
        return [inside, *(found for it in inside.values() for found in _every_object(it))]
    if isinstance(node, list):
        return [found for it in cast("list[object]", node) for found in _every_object(it)]
    return []
