"""Imports point downward, input and output stay in their places, and nothing grows too large."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "deepgram_async"

# From the top to the bottom: a module may import from its own layer and from those below.
LAYERS = (
    ("__init__",),
    ("_session",),
    ("_caller",),
    ("_resources",),
    ("_stream",),
    ("_io",),
    ("_protocol",),
    ("markup", "models", "options", "transcript"),
    ("errors", "_documented", "_lazy", "_version"),
)
# These stand beside the SDK and use what its user sees: public modules.
BESIDE = ("audio", "batch", "callbacks", "cli", "emulator", "testing")
# Whoever has a session has batches: the one door upward, open only while it is used.
DOORS = {("_session", "batch")}
# The emulator speaks the same protocol from the other side; callbacks bring the same answers. Every
# run of pytest imports `testing`, which therefore loads its names late.
EXTRA_RIGHTS = {
    "callbacks": ("_protocol",),
    "emulator": ("_protocol",),
    "testing": ("_lazy",),
}

PURE = ("_protocol", "markup", "models", "options", "transcript", "errors")
NO_IO = {
    "aiohttp",
    "anyio",
    "asyncio",
    "concurrent",
    "http",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "queue",
    "random",
    "secrets",
    "select",
    "selectors",
    "signal",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "websockets",
}
NETWORK = {"aiohttp", "websockets"}
# The emulator, the receiver of callbacks and the page of live captions are web servers.
NETWORK_PLACES = (
    "deepgram_async._io",
    "deepgram_async.callbacks._server",
    "deepgram_async.cli._serve_web",
    "deepgram_async.emulator",
)

LONGEST_FILE = 600
LONGEST_FUNCTION = 60


# A description of paths for type checkers, and nothing that acts.
HARMLESS_NAMES = {"os.PathLike"}


class Import(NamedTuple):
    module: str
    line: int
    name: str = ""
    is_for_types_only: bool = False


class Module(NamedTuple):
    path: Path
    name: str
    tree: ast.Module

    @property
    def part(self) -> str:
        """The top-level part of the package: `_io`, `models`, `__init__`."""
        return self.name.split(".")[1] if "." in self.name else "__init__"

    def place(self, line: int) -> str:
        return f"{self.path.relative_to(ROOT)}:{line}"


def load(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(path, name, ast.parse(path.read_text(), str(path)))


MODULES = [load(path) for path in sorted(PACKAGE.rglob("*.py"))]
per_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


def imports_of(module: Module) -> Iterator[Import]:
    """Yield every import with its full name, relative ones included."""
    package = module.name if module.path.stem == "__init__" else module.name.rpartition(".")[0]
    types_only = {
        id(inner)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, "", id(node) in types_only)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, base]).rstrip(".")
            for alias in node.names:
                full = f"{base}.{alias.name}"
                module_name = full if is_own_module(full) else base
                yield Import(module_name, node.lineno, alias.name, id(node) in types_only)


def is_own_module(name: str) -> bool:
    """Tell whether `from a import b` means the module `a.b` of this package."""
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or path.is_dir()


def part_of(module_name: str) -> str | None:
    """Return the part of this package that a module belongs to, or `None` for other packages."""
    first, _, rest = module_name.partition(".")
    if first != PACKAGE.name:
        return None
    return rest.partition(".")[0] or "__init__"


def layer_of(part: str) -> int | None:
    return next((number for number, parts in enumerate(LAYERS) if part in parts), None)


def test_every_part_has_its_place() -> None:
    known = {part for layer in LAYERS for part in layer} | set(BESIDE)
    assert {module.part for module in MODULES} <= known


@per_module
def test_imports_point_downward(module: Module) -> None:
    own_layer = layer_of(module.part)
    for found in imports_of(module):
        part = part_of(found.module)
        if part is None or part == module.part:
            continue
        layer = layer_of(part)
        if own_layer is None:
            is_public = not part.startswith("_") or part == "__init__"
            allowed = is_public or part in EXTRA_RIGHTS.get(module.part, ())
        else:
            is_below = layer is not None and layer >= own_layer
            allowed = is_below or (module.part, part) in DOORS
        assert allowed, f"{module.place(found.line)} imports {found.module}"


@pytest.mark.parametrize(
    "module",
    [module for module in MODULES if module.part in PURE],
    ids=lambda module: module.name,
)
def test_the_protocol_and_the_models_do_no_io(module: Module) -> None:
    for found in imports_of(module):
        if found.is_for_types_only or f"{found.module}.{found.name}" in HARMLESS_NAMES:
            continue
        assert found.module.partition(".")[0] not in NO_IO, module.place(found.line)


@per_module
def test_the_network_libraries_have_one_place(module: Module) -> None:
    for found in imports_of(module):
        if found.module.partition(".")[0] in NETWORK and not found.is_for_types_only:
            assert module.name.startswith(NETWORK_PLACES), module.place(found.line)


@per_module
def test_files_and_functions_stay_small(module: Module) -> None:
    assert len(module.path.read_text().splitlines()) <= LONGEST_FILE
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = lines_of_code(node)
            assert lines <= LONGEST_FUNCTION, f"{module.place(node.lineno)} has {lines} lines"


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_relative_imports_are_resolved() -> None:
    # The test of the tests: an arrow hidden in dots must be seen.
    tree = ast.parse(
        "from .._io import http\nfrom . import _wire\nfrom ..models.live import Results"
    )
    module = Module(PACKAGE / "emulator" / "_x.py", "deepgram_async.emulator._x", tree)
    assert [found.module for found in imports_of(module)] == [
        "deepgram_async._io.http",
        "deepgram_async.emulator._wire",
        "deepgram_async.models.live",
    ]
