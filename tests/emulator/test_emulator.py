"""Starting and stopping, and what the package needs."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import aiohttp
import pytest

from deepgram_async.emulator import (
    Emulator,
    EmulatorSettings,
    RecognizerUnavailableError,
    ScriptedRecognizer,
)

from .helpers import DEADLINE_S, serving, silence, wav


async def test_the_address_is_known_while_it_runs() -> None:
    emulator = Emulator(ScriptedRecognizer())
    with pytest.raises(RuntimeError, match="not started"):
        _ = emulator.base_url
    async with emulator:
        assert emulator.base_url == f"http://127.0.0.1:{emulator.port}"
        with pytest.raises(RuntimeError, match="already started"):
            await emulator.start()
    with pytest.raises(RuntimeError, match="not started"):
        _ = emulator.port


async def test_it_can_be_started_again_and_stopped_twice() -> None:
    emulator = Emulator(ScriptedRecognizer())
    for _ in range(2):
        await emulator.start()
        await emulator.stop()
        await emulator.stop()


async def test_a_port_in_use_is_an_error_that_leaves_nothing_open() -> None:
    async with Emulator(ScriptedRecognizer()) as first:
        second = Emulator(ScriptedRecognizer(), port=first.port)
        with pytest.raises(OSError, match="address already in use"):
            await second.start()


async def test_serve_forever_serves_until_cancelled() -> None:
    emulator = Emulator(ScriptedRecognizer())
    await emulator.start()
    serving_task = asyncio.create_task(emulator.serve_forever())
    async with aiohttp.ClientSession(headers={"Authorization": "Token k"}) as http:
        url = emulator.base_url + "/v1/listen"
        async with http.post(url, data=wav(silence(1.0))) as response:
            assert response.status == 200
    serving_task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving_task
    with pytest.raises(RuntimeError, match="not started"):
        _ = emulator.port


async def test_stopping_does_not_wait_for_a_client_that_holds_its_connection() -> None:
    async with serving(close_timeout_s=0.1) as client:
        async with client.http.post(client.url, data=wav(silence(1.0))) as response:
            await response.read()
        async with asyncio.timeout(DEADLINE_S):
            await client.emulator.stop()


async def test_without_the_extra_starting_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(RecognizerUnavailableError, match=r"deepgram-async\[emulator\]"):
        await Emulator().start()


def test_settings_do_not_show_credentials() -> None:
    settings = EmulatorSettings(keys={"sentinel-key"}, access_tokens={"sentinel-token"})
    assert "sentinel" not in repr(settings)


def test_importing_needs_no_optional_package() -> None:
    optional = ["numpy", "av", "faster_whisper", "webrtcvad", "ctranslate2"]
    program = (
        "import sys; import deepgram_async.emulator as e; e.ScriptedRecognizer();"
        f"sys.exit(any(name in sys.modules for name in {optional}))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
