"""Names that a package loads when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, Concatenate, ParamSpec, TypeVar

__all__ = ["lazy_method", "lazy_names"]

S = TypeVar("S")
P = ParamSpec("P")
T = TypeVar("T")


def lazy_names(
    package: str,
    homes: Mapping[str, Iterable[str]] = MappingProxyType({}),
    *,
    modules: Iterable[str] = (),
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return a package's ``__getattr__`` and ``__dir__`` (PEP 562) for names of its modules.

    Every name is loaded once and is an ordinary attribute from then on. The package repeats the
    names in imports below ``TYPE_CHECKING``, where type checkers and editors find them.

    Args:
        package: Full name of the package.
        homes: The names, listed under the module of the package where they live.
        modules: Modules of the package that are names themselves.
    """
    places = {name: module for module, names in homes.items() for name in names}
    own_modules = frozenset(modules)

    def load(name: str) -> object:
        if name in own_modules:
            return import_module(f"{package}.{name}")  # which makes it an attribute
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{package}.{places[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *places, *own_modules})

    return load, names


def lazy_method(
    module: str, name: str, kind: Callable[[], Callable[Concatenate[S, P], T]]
) -> Callable[[Callable[[S], object]], Callable[Concatenate[S, P], T]]:
    """Make of a method, which has but a docstring, one that is loaded when it is asked for.

    Args:
        module: Where the function or the class is whose first argument is the object.
        name: What it is called there.
        kind: Returns the same, for type checkers; it is not called, so it may name what was
            imported for them only.
    """

    def decorate(method: Callable[[S], object]) -> Callable[Concatenate[S, P], T]:
        lazy: Any = _LazyMethod(module, name, method.__doc__)
        return lazy  # type: ignore[no-any-return]  # it behaves like what `kind` returns

    return decorate


class _LazyMethod:
    def __init__(self, module: str, name: str, doc: str | None) -> None:
        self.__doc__ = doc
        self._module = module
        self._name = name

    def __get__(self, instance: object, owner: object = None) -> object:
        return partial(getattr(import_module(self._module), self._name), instance)
