"""Python functions as a language model sees them, and its arguments as Python sees them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, get_type_hints

import msgspec

from deepgram_async.errors import OptionError

__all__ = ["Signature"]

_NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_PLAIN: Final = (type(None), bool, int, float, str)


class Signature:
    """What a function takes, read from its type hints.

    Attributes:
        parameters: JSON Schema of the arguments.
        description: The docstring, or ``None``.
    """

    parameters: dict[str, object]
    description: str | None

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        """Read a function.

        Raises:
            OptionError: It is not async, lacks a type hint, or has one that JSON cannot express.
        """
        if not inspect.iscoroutinefunction(function):
            raise _unusable(name, "is not an async function")
        self.description = inspect.getdoc(function)
        try:
            hints = get_type_hints(function, include_extras=True)
        except (NameError, TypeError) as error:
            raise _unusable(name, f"has type hints that cannot be resolved: {error}") from None
        self._names: list[str] = []
        fields: list[tuple[str, Any, Any]] = []
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind not in _NAMED:
                raise _unusable(name, f"takes {parameter}, which has no name for the model")
            if parameter.name not in hints:
                raise _unusable(name, f"has no type hint for {parameter.name}")
            self._names.append(parameter.name)
            fields.append((parameter.name, hints[parameter.name], _default(parameter)))
        try:
            arguments = msgspec.defstruct(
                "Arguments", fields, kw_only=True, forbid_unknown_fields=True
            )
            self.parameters = _schema(arguments)
            self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(arguments)
        except TypeError as error:
            raise _unusable(name, f"has types that JSON Schema cannot express: {error}") from None

    def decode(self, arguments: str) -> Mapping[str, Any]:
        """Return the arguments of a call, checked against the type hints.

        Raises:
            msgspec.DecodeError: They do not fit; the message names the place.
        """
        decoded = self._decoder.decode(arguments or "{}")
        return {name: getattr(decoded, name) for name in self._names}


def _default(parameter: inspect.Parameter) -> Any:
    default: Any = parameter.default
    if default is inspect.Parameter.empty:
        return msgspec.NODEFAULT
    if isinstance(default, _PLAIN):
        return default

    def same() -> Any:
        return default

    return msgspec.field(default_factory=same)


def _schema(arguments: Any) -> dict[str, object]:
    """Return the schema of a struct itself, with the types it refers to below ``$defs``."""
    (reference,), components = msgspec.json.schema_components(
        [arguments], ref_template="#/$defs/{name}"
    )
    schema: dict[str, object] = dict(components.pop(reference["$ref"].rpartition("/")[2]))
    schema.pop("title", None)
    if components:
        schema["$defs"] = components
    return schema


def _unusable(name: str, reason: str) -> OptionError:
    return OptionError(f"the tool {name!r} {reason}", option="tools")
