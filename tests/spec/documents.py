"""Deepgram's own specification files, read as plain values.

They lie outside the repository (their licence allows that, not this); tests that need them are
skipped where they are absent.
"""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

__all__ = ["ASYNCAPI", "OPENAPI", "Node", "load", "needs_spec", "operations", "resolve"]

Node = dict[str, Any]

_FOLDER = Path(__file__).parents[3] / "shared" / "spec"
OPENAPI = _FOLDER / "openapi.yml"
ASYNCAPI = _FOLDER / "asyncapi.yml"
_METHODS = ("get", "post", "put", "patch", "delete")

needs_spec = pytest.mark.skipif(
    not (OPENAPI.exists() and ASYNCAPI.exists()),
    reason=f"Deepgram's specification files are not in {_FOLDER}",
)


@cache
def load(path: Path) -> Node:
    """Return a specification as it stands in its file."""
    document: Node = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    return document


def resolve(node: Node, document: Node) -> Node:
    """Follow the references of a node; the rest of a reference is one key, slashes included."""
    while "$ref" in node:
        kind, _, name = str(node["$ref"]).removeprefix("#/components/").partition("/")
        node = document["components"][kind][name]
    return node


def operations(document: Node) -> dict[str, Node]:
    """Return the REST operations by ``METHOD /path``."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    }
