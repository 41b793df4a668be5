"""Signatures and help texts of calls that take many options, made from their TypedDict."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any, Final, ForwardRef, TypeVar

__all__ = ["takes_options"]

F = TypeVar("F", bound=Callable[..., Any])

_HEADING: Final = "Options:"


def takes_options(kind: type[Any]) -> Callable[[F], F]:
    """Return a decorator for a method with ``**options: Unpack[kind]``.

    Type checkers read the TypedDict by themselves. At run time, where ``help()`` and notebooks
    look, the decorator puts every option into the signature and its description into the
    docstring. The descriptions are the docstrings below the keys in ``deepgram_async.options``.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        named = [
            parameter
            for parameter in signature.parameters.values()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        optional = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_Plain(annotation)
            )
            for name, annotation in _annotations(kind).items()
        ]
        function.__dict__["__signature__"] = signature.replace(parameters=[*named, *optional])
        function.__doc__ = _LazyDoc(function.__doc__ or "", kind)
        return function

    return decorate


class _Plain(str):
    """An annotation that is shown as it was written."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class _LazyDoc(str):
    """A docstring that grows its list of options when somebody reads it.

    Reading the source of the options takes milliseconds, which no import should cost.
    ``inspect.getdoc``, and with it ``help()`` and IPython, begins with ``expandtabs``.
    """

    _kind: type[Any]

    def __new__(cls, text: str, kind: type[Any]) -> _LazyDoc:
        made = super().__new__(cls, text)
        made._kind = kind
        return made

    def expandtabs(self, /, tabsize: Any = 8) -> str:
        """Return the whole text."""
        text = inspect.cleandoc(str.expandtabs(self, tabsize))
        descriptions = _docstrings(self._kind.__module__).get(self._kind.__name__, {})
        entries = [
            textwrap.fill(
                f"{name} ({annotation}): {descriptions.get(name, '')}",
                width=92,
                initial_indent="    ",
                subsequent_indent="        ",
                break_on_hyphens=False,
            )
            for name, annotation in _annotations(self._kind).items()
        ]
        return "\n".join([text, "", _HEADING, *entries])


def _annotations(kind: type[Any]) -> dict[str, str]:
    return {
        name: annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else str(annotation)
        for name, annotation in kind.__annotations__.items()
    }


@cache
def _docstrings(module: str) -> dict[str, dict[str, str]]:
    """Return the text below each key of each TypedDict of a module; none where is no source.

    The bases are read from the source too: before Python 3.12 a TypedDict does not know its own.
    """
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except OSError:
        return {}
    found: dict[str, dict[str, str]] = {}
    for definition in tree.body:
        if isinstance(definition, ast.ClassDef):
            texts = found[definition.name] = {}
            for base in definition.bases:
                if isinstance(base, ast.Name):
                    texts.update(found.get(base.id, {}))
            texts.update(_described(definition))
    return found


def _described(definition: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for key, text in pairwise(definition.body):
        match key, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                yield name, " ".join(words.split())
            case _:
                pass
