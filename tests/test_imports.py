"""Importing the package is cheap and quiet; each check needs a fresh process."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ["aiohttp", "anyio", "av", "click", "faster_whisper", "numpy", "rich", "websockets"]


def run(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", program],
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_import_loads_no_network_library() -> None:
    run(
        "import sys, deepgram_async, deepgram_async.errors, deepgram_async.options\n"
        f"loaded = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "assert not loaded, loaded"
    )


def test_session_is_built_without_loading_them() -> None:
    run(
        "import sys, deepgram_async\n"
        "deepgram_async.DeepgramSession('key', base_url='http://localhost:1')\n"
        f"loaded = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "assert not loaded, loaded"
    )


def test_what_a_session_does_not_use_is_not_loaded() -> None:
    # Together the resources and their models take as long to load as all the rest.
    run(
        "import sys, deepgram_async\n"
        "dg = deepgram_async.DeepgramSession('key', base_url='http://localhost:1')\n"
        "def loaded(part):\n"
        "    return sorted(name for name in sys.modules if name.startswith(part + '.'))\n"
        "for part in ('_resources', '_stream', 'models', 'options'):\n"
        "    names = loaded('deepgram_async.' + part)\n"
        "    assert set(names) <= {'deepgram_async._stream.manager'}, names\n"
        "dg.listen\n"
        "assert 'deepgram_async._resources.listen' in sys.modules\n"
        "assert 'deepgram_async._resources.agent' not in sys.modules\n"
        "assert 'deepgram_async.models.agent_settings' not in sys.modules\n"
    )


def test_rest_does_without_websockets() -> None:
    run("import sys, deepgram_async._io.rest\nassert 'websockets' not in sys.modules")


def test_streams_do_without_aiohttp() -> None:
    run(
        "import asyncio, sys, deepgram_async\n"
        "from deepgram_async.errors import ConnectError\n"
        "dg = deepgram_async.DeepgramSession('key', base_url='http://localhost:1')\n"
        "async def main():\n"
        "    try:\n"
        "        async with dg, dg.listen.live():\n"
        "            raise AssertionError\n"
        "    except ConnectError:\n"
        "        pass\n"
        "asyncio.run(main(), debug=False)\n"
        "assert 'websockets' in sys.modules\n"
        "assert not {'aiohttp', 'anyio'} & set(sys.modules)"
    )


@pytest.mark.parametrize(
    "module",
    [
        "audio",
        "cli",
        "emulator",
        "models",
        "models.live",
        "models.prerecorded",
        "models.events",
        "options",
        "testing",
    ],
)
def test_each_public_module_can_be_imported_first(module: str) -> None:
    run(f"import deepgram_async.{module}")


def test_the_helpers_for_tests_need_no_test_framework() -> None:
    run("import sys, deepgram_async.testing\nassert 'pytest' not in sys.modules")


def test_environment_is_not_read_at_import() -> None:
    run(
        "import os\n"
        "class Watched(type(os.environ)):\n"
        "    def __getitem__(self, key):\n"
        "        assert not key.startswith('DEEPGRAM'), key\n"
        "        return super().__getitem__(key)\n"
        "os.environ.__class__ = Watched\n"
        "import deepgram_async, deepgram_async.audio, deepgram_async.cli"
    )
