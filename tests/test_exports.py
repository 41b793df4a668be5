"""What a user may import is listed, sorted and described."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import deepgram_async

# Run, not imported.
SCRIPTS = {"deepgram_async.cli.__main__"}


def public_modules() -> Iterator[str]:
    yield deepgram_async.__name__
    for found in pkgutil.walk_packages(deepgram_async.__path__, f"{deepgram_async.__name__}."):
        if found.name not in SCRIPTS and not any(
            part.startswith("_") for part in found.name.split(".")
        ):
            yield found.name


PUBLIC = sorted(public_modules())
# These load their names when they are first asked for, and tell them to type checkers apart.
LAZY = [
    "deepgram_async",
    "deepgram_async.models",
    "deepgram_async.options",
    "deepgram_async.testing",
]
per_module = pytest.mark.parametrize("name", PUBLIC)


def test_the_public_parts_are_these() -> None:
    # A new public part is a promise: it is made here, on purpose.
    assert {name.split(".")[1] for name in PUBLIC if "." in name} == {
        "audio",
        "batch",
        "callbacks",
        "cli",
        "emulator",
        "errors",
        "markup",
        "models",
        "options",
        "testing",
        "transcript",
    }


@per_module
def test_all_is_sorted_and_names_what_exists(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    exported = list(module.__all__)
    assert exported == sorted(set(exported))
    assert [missing for missing in exported if not hasattr(module, missing)] == []


@per_module
def test_all_is_complete(name: str) -> None:
    module = importlib.import_module(name)
    own = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and not isinstance(value, types.ModuleType)
        and defined_in(value, name)
    }
    assert own - set(module.__all__) == set()


def defined_in(value: object, module: str) -> bool:
    """Tell what a module defines, or a package gathers from its private modules."""
    origin = getattr(value, "__module__", "")
    if inspect.isclass(value) or inspect.isfunction(value):
        return origin == module or origin.startswith(f"{module}._")
    return False


@pytest.mark.parametrize("name", LAZY)
def test_type_checkers_see_what_is_loaded(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__
    told: dict[str, object] = {}
    for statement in ast.parse(Path(module.__file__).read_text()).body:
        if isinstance(statement, ast.If):
            imports = ast.Module(body=statement.body, type_ignores=[])
            exec(compile(imports, name, "exec"), told)
    told.pop("__builtins__")
    assert told
    loaded = {key: getattr(module, key) for key in told}
    assert loaded == told
    eager = {"Answer", "Model", "__version__"}
    assert set(told) | eager >= set(module.__all__)


@pytest.mark.parametrize("name", LAZY)
def test_completion_lists_what_is_not_loaded_yet(name: str) -> None:
    program = f"import {name} as m; print(set(m.__all__) - set(dir(m)), hasattr(m, 'nothing'))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert done.stdout == "set() False\n"


@per_module
def test_every_public_name_is_described(name: str) -> None:
    module = importlib.import_module(name)
    for exported in module.__all__:
        value = getattr(module, exported)
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        assert inspect.getdoc(value), f"{name}.{exported}"
        assert value.__doc__, f"{name}.{exported} has no docstring of its own"
        if inspect.isclass(value):
            for key, member in vars(value).items():
                function = member.fget if isinstance(member, property) else member
                if key.startswith("_") or not inspect.isfunction(function):
                    continue
                assert inspect.getdoc(getattr(value, key)), f"{name}.{exported}.{key}"
