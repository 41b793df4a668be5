"""Compares a schema of the specification with a type of the package, field by field."""

import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import inspect as types

from tests.spec.documents import Node, resolve

__all__ = [
    "choices",
    "compare",
    "literals",
    "properties",
    "required",
    "stale",
    "stricter",
    "tags",
    "unexplained",
]

# Deep enough for every answer; recursive schemas end here.
_DEEPEST = 12


def compare(node: Node, kind: Any, document: Node, place: str) -> set[str]:
    """Return what one side has and the other has not.

    ``+ place.field`` is in the specification only, ``- place.field`` in the package only; so is
    ``+ place.field=value``, where the package enumerates too. The tag of a message is no field of
    its class and is left out.
    """
    return set(_compare(node, types.type_info(kind), document, place, _DEEPEST))


def properties(node: Node, document: Node) -> dict[str, list[Node]]:
    """Return the properties of a schema, those of all its alternatives together."""
    found: dict[str, list[Node]] = {}
    for variant in _variants(node, document):
        for name, value in variant.get("properties", {}).items():
            found.setdefault(name, []).append(value)
    return found


def required(node: Node, document: Node) -> set[str]:
    """Return the properties that every alternative of a schema requires."""
    node = resolve(node, document)
    found = set(node.get("required", ()))
    for variant in node.get("allOf", ()):
        found |= required(variant, document)
    for word in ("oneOf", "anyOf"):
        if node.get(word):
            first, *others = (required(variant, document) for variant in node[word])
            found |= first.intersection(*others)
    return found


def stricter(node: Node, kind: Any, document: Node, place: str) -> set[str]:
    """Return the fields of a message that the package needs and the specification does not."""
    return set(_stricter(node, types.type_info(kind), document, place, _DEEPEST))


def choices(node: Node, document: Node) -> set[str]:
    """Return the values that a schema enumerates, those of its alternatives and items together."""
    found: set[str] = set()
    for variant in _variants(node, document):
        found |= {str(value) for value in variant.get("enum", ()) if value is not None}
        if "const" in variant:
            found.add(str(variant["const"]))
        if "items" in variant:
            found |= choices(variant["items"], document)
    return found


def _variants(node: Node, document: Node) -> Iterator[Node]:
    node = resolve(node, document)
    yield node
    for word in ("oneOf", "anyOf", "allOf"):
        for variant in node.get(word, ()):
            yield from _variants(variant, document)


def _compare(node: Node, kind: types.Type, document: Node, place: str, depth: int) -> Iterator[str]:
    if not depth:
        return
    fields = dict(_fields(kind))
    wanted = properties(node, document)
    if fields:
        wanted = {name: nodes for name, nodes in wanted.items() if name != _tag(kind)}
        yield from (f"+ {place}.{name}" for name in wanted.keys() - fields.keys())
        yield from (f"- {place}.{name}" for name in fields.keys() - wanted.keys())
        for name in wanted.keys() & fields.keys():
            enumerated = {value for part in wanted[name] for value in choices(part, document)}
            known = _literals_of(kind, name)
            yield from (f"+ {place}.{name}={value}" for value in enumerated - known if known)
            for value in wanted[name]:
                yield from _compare(value, fields[name], document, f"{place}.{name}", depth - 1)
    for variant in _variants(node, document):
        if "items" in variant:
            for item in _items(kind):
                yield from _compare(variant["items"], item, document, f"{place}[]", depth - 1)
        others: Node | bool = variant.get("additionalProperties", False)
        if not isinstance(others, bool):
            for other in _values(kind):
                yield from _compare(others, other, document, f"{place}{{}}", depth - 1)


def _stricter(
    node: Node, kind: types.Type, document: Node, place: str, depth: int
) -> Iterator[str]:
    if not depth:
        return
    wanted, needed = properties(node, document), required(node, document)
    for part in _parts(kind):
        for field in part.fields if isinstance(part, types.StructType) else ():
            name = field.encode_name
            if field.required and name in wanted.keys() - needed:
                yield f"{place}.{name}"
            for value in wanted.get(name, ()):
                yield from _stricter(value, field.type, document, f"{place}.{name}", depth - 1)
    for variant in _variants(node, document):
        for item in _items(kind) if "items" in variant else ():
            yield from _stricter(variant["items"], item, document, f"{place}[]", depth - 1)


def _literals_of(kind: types.Type, name: str) -> set[str]:
    """Return what the package enumerates for a field, or for its items."""
    found: set[str] = set()
    for field, value in _fields(kind):
        if field == name:
            for part in (*_parts(value), *(p for item in _items(value) for p in _parts(item))):
                if isinstance(part, types.LiteralType):
                    found |= set(map(str, part.values))
    return found


def _parts(kind: types.Type) -> Iterator[types.Type]:
    if isinstance(kind, types.UnionType):
        for part in kind.types:
            yield from _parts(part)
    else:
        yield kind


def _fields(kind: types.Type) -> Iterator[tuple[str, types.Type]]:
    for part in _parts(kind):
        if isinstance(part, types.StructType):
            for field in part.fields:
                yield field.encode_name, field.type


def _tag(kind: types.Type) -> str | None:
    for part in _parts(kind):
        if isinstance(part, types.StructType) and part.tag_field is not None:
            return part.tag_field
    return None


def _items(kind: types.Type) -> Iterator[types.Type]:
    for part in _parts(kind):
        if isinstance(part, types.ListType | types.VarTupleType):
            yield part.item_type


def _values(kind: types.Type) -> Iterator[types.Type]:
    for part in _parts(kind):
        if isinstance(part, types.DictType):
            yield part.value_type


def tags(union: Any) -> dict[str, type[msgspec.Struct]]:
    """Return the classes of a union of messages by their tag."""
    found: dict[str, type[msgspec.Struct]] = {}
    for kind in get_args(union) or (union,):
        tag = kind.__struct_config__.tag
        if tag is not None:
            found[str(tag)] = kind
    return found


def literals(hint: Any) -> Iterator[str]:
    """Yield the values of every Literal in a type; the two of a boolean as they are sent."""
    if get_origin(hint) is Literal:
        yield from map(str, get_args(hint))
    elif hint is bool:
        yield from ("true", "false")
    else:
        for part in get_args(hint):
            yield from literals(part)


def unexplained(found: set[str], known: dict[str, str]) -> set[str]:
    """Return the differences that no pattern of the known ones covers."""
    return {line for line in found if not any(_covers(name, line) for name in known)}


def stale(found: set[str], known: dict[str, str]) -> set[str]:
    """Return the known differences that are none any more."""
    return {name for name in known if not any(_covers(name, line) for line in found)}


def _covers(pattern: str, line: str) -> bool:
    """Return whether a pattern matches, in which only the star has a meaning."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), line) is not None
