"""Every name of this package on the page about migration is one."""

import ast
import importlib
import inspect
import re
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import deepgram_async
from deepgram_async import AgentStream, DeepgramSession, FluxStream, LiveStream, SpeakStream

ROOT = Path(__file__).parents[1]
STREAMS = {"live": LiveStream, "flux": FluxStream, "speech": SpeakStream, "agent": AgentStream}
MODULES = ("audio", "errors", "markup", "models")
# Words of the language, and not of this package.
PLAIN = {"asyncio.run", "async with", "bytes", "retryable", "project_id"}
LOOPS = re.compile(r"async for event in (live|speech)")


def rows() -> list[tuple[int, list[str]]]:
    """Return the cells of the tables with their lines, without the heads."""
    lines = (ROOT / "docs" / "migration.md").read_text().splitlines()
    return [
        (number, [cell.strip() for cell in line.split("|")[1:-1]])
        for number, (line, following) in enumerate(pairwise(lines), 1)
        if line.startswith("|") and "---" not in line + following
    ]


def right_hand_names() -> list[tuple[int, str]]:
    return [
        (number, name)
        for number, cells in rows()
        for name in re.findall(r"`([^`]+)`", cells[-1])
        if name not in PLAIN and not LOOPS.fullmatch(name)
    ]


def test_rows_have_three_columns() -> None:
    assert {len(cells) for _, cells in rows()} == {3}
    assert len(right_hand_names()) > 150


@pytest.mark.parametrize(
    ("line", "name"),
    [pytest.param(*found, id=f"line {found[0]} {found[1]}") for found in right_hand_names()],
)
def test_name_on_the_right_hand_side_exists(line: int, name: str) -> None:
    if name.startswith("DEEPGRAM_"):
        assert f"`{name}`" in (ROOT / "README.md").read_text()
        return
    if name.startswith("."):
        name = f"Transcription{name}"
    tree = ast.parse(name, mode="eval").body
    if not isinstance(tree, ast.Call):
        resolved(tree)
        return
    function = resolved(tree.func)
    parameters = inspect.signature(function).parameters
    for keyword in tree.keywords:
        assert keyword.arg in parameters, f"line {line}: {keyword.arg}"
    positional = [
        parameter
        for parameter in parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.name != "self"
    ]
    assert len(tree.args) <= len(positional)


def resolved(tree: ast.expr) -> Any:
    """Return what a dotted name stands for."""
    first, *rest = ast.unparse(tree).split(".")
    value: Any
    if first == "dg":
        value = DeepgramSession("any-key")
    elif rest and first in STREAMS:
        value = STREAMS[first]
    else:
        value = named(first)
    for part in rest:
        value = attribute_of(value, part)
    return value


def named(name: str) -> Any:
    """Return a public module, or what one of them offers by this name."""
    if name in MODULES:
        return importlib.import_module(f"deepgram_async.{name}")
    modules = [importlib.import_module(f"deepgram_async.{module}") for module in MODULES]
    return next(
        getattr(module, name) for module in (deepgram_async, *modules) if name in module.__all__
    )


def attribute_of(owner: object, name: str) -> Any:
    """Return what an object or class has, or will have: attributes of instances are annotated."""
    for kind in inspect.getmro(owner) if inspect.isclass(owner) else ():
        if name in inspect.get_annotations(kind):
            return inspect.get_annotations(kind)[name]
    if isinstance(owner, ModuleType) and not hasattr(owner, name):
        return importlib.import_module(f"{owner.__name__}.{name}")
    return getattr(owner, name)
