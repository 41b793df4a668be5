"""Guards around every asynchronous test: nothing it starts may outlive it."""

import asyncio
import gc
import importlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import aiohttp
import aioresponses.core
import pytest
from aiohttp.client_proto import ResponseHandler


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--plain-websockets",
        action="store_true",
        help="take the installed websockets for a version that the fast path is not tested with",
    )
    parser.addoption(
        "--plain-http",
        action="store_true",
        help="take the installed aiohttp for a version that short requests are not tested with",
    )
    parser.addoption(
        "--uvloop", action="store_true", help="run on uvloop, which has to be installed by itself"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--uvloop"):
        config.pluginmanager.register(_OnUvloop())


class _OnUvloop:
    def pytest_asyncio_loop_factories(self) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
        return {"uvloop": importlib.import_module("uvloop").new_event_loop}


@pytest.fixture(autouse=True)
def aiohttp_version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.config.getoption("--plain-http"):
        monkeypatch.setattr("deepgram_async._io.short_requests.TESTED_VERSIONS", ())


@pytest.fixture(autouse=True)
def websockets_version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.config.getoption("--plain-websockets"):
        monkeypatch.setattr("deepgram_async._io.websocket.TESTED_VERSIONS", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and iscoroutinefunction(item.obj):
            item.fixturenames.insert(0, "no_leaks")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in [name for name in os.environ if name.startswith("DEEPGRAM_")]:
        monkeypatch.delenv(name)


@pytest.fixture
async def no_leaks() -> AsyncIterator[None]:
    """Fail a test that leaves a task, a socket, or an exception that nobody saw."""
    # What is there already is not looked at again: with all packages loaded that takes a second.
    gc.freeze()
    loop = asyncio.get_running_loop()
    unseen: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unseen.append(context))
    tasks_before = asyncio.all_tasks()
    sockets_before = _open_sockets()
    yield
    gc.collect()
    tasks: set[asyncio.Task[Any]] = set()
    sockets: set[str] = set()
    own = {task for task in (asyncio.current_task(),) if task is not None}
    for _ in range(100):  # closing takes a few turns of the loop
        tasks = asyncio.all_tasks() - tasks_before - own
        sockets = _open_sockets() - sockets_before
        if not tasks and not sockets:
            break
        await asyncio.sleep(0.01)
    assert not tasks, f"tasks left behind: {tasks}"
    assert not sockets, f"sockets left open: {sockets}"
    assert not unseen, f"exceptions that nobody saw: {unseen}"


def _open_sockets() -> set[str]:
    if sys.platform != "linux":
        return set()
    found: set[str] = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)
        except FileNotFoundError:  # the handle of the listing itself
            continue
        if target.startswith("socket:"):
            found.add(target)
    if type(asyncio.get_running_loop()).__module__.startswith("uvloop"):
        # It makes a pair of its own for signals, anew whenever it runs.
        lines = Path("/proc/net/unix").read_text().splitlines()[1:]
        found -= {f"socket:[{line.split()[6]}]" for line in lines}
    return found


class _CompatibleResponse(aiohttp.ClientResponse):
    """The response class of aioresponses 0.7.9 for aiohttp 3.14, whose constructor wants more."""

    def __init__(self, *args: Any, stream_writer: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, stream_writer=stream_writer or Mock(output_size=0), **kwargs)


def _stream_reader(loop: asyncio.AbstractEventLoop | None = None) -> aiohttp.StreamReader:
    loop = loop or asyncio.get_running_loop()
    return aiohttp.StreamReader(ResponseHandler(loop=loop), limit=2**31, loop=loop)


# aioresponses offers no hook for this; remove it when a release supports aiohttp 3.14.
_core: Any = aioresponses.core
_core.ClientResponse = _CompatibleResponse
_core.stream_reader_factory = _stream_reader
