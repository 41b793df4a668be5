"""The server of the page of live captions: who may talk to it, and what it says."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Unpack
from urllib.parse import urlsplit

import aiohttp
import pytest
from msgspec.structs import replace

from deepgram_async import DeepgramSession
from deepgram_async.cli._serve_captions import Captions, Choices, Start
from deepgram_async.cli._serve_web import serving
from deepgram_async.emulator import Emulator, EmulatorSettings, ScriptedRecognizer
from deepgram_async.options import LiveOptions
from deepgram_async.testing import Fault, FaultProxy
from tests.cli.conftest import KEY, SCRIPT

RATE = 16000
SECOND = bytes(2 * RATE)
START: dict[str, object] = {
    "type": "Start",
    "sample_rate": RATE,
    "language": "en",
    "speakers": False,
}


@asynccontextmanager
async def captions(
    base_url: str, key: str = KEY, **options: Unpack[LiveOptions]
) -> AsyncGenerator[str, None]:
    """Serve the page and yield its address."""
    given: LiveOptions = {"model": "nova-3", "smart_format": True, **options}
    choices = Choices.of(given, query={}, is_local=False)
    async with (
        DeepgramSession(key, base_url=base_url) as session,
        serving(Captions(session, choices).converse, port=0) as url,
    ):
        yield url


class Page:
    """What a page says and is told, without a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, message: dict[str, object]) -> None:
        await self.socket.send_json(message)

    async def speak(self, seconds: int) -> None:
        for _ in range(seconds):
            for part in range(0, len(SECOND), 3200):
                await self.socket.send_bytes(SECOND[part : part + 3200])

    async def hear(self, kind: str) -> dict[str, Any]:
        """Return the next message of a kind."""
        while True:
            message: dict[str, Any] = json.loads(await self.socket.receive_str(timeout=20))
            if message["type"] == kind:
                return message

    async def hear_text(self, kind: str) -> list[str]:
        """Return the settled words up to the next message of a kind."""
        texts: list[str] = []
        while True:
            message = json.loads(await self.socket.receive_str(timeout=20))
            if message["type"] == "Heard" and message["is_final"]:
                texts += [piece["text"] for piece in message["pieces"]]
            elif message["type"] == kind:
                return texts


@asynccontextmanager
async def page_at(url: str) -> AsyncGenerator[Page, None]:
    host = urlsplit(url).netloc
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{url}live", headers={"Origin": f"http://{host}"}) as socket,
    ):
        yield Page(socket)


@asynccontextmanager
async def page_with(
    script: list[tuple[str, float, float]] = SCRIPT, **options: Unpack[LiveOptions]
) -> AsyncGenerator[Page, None]:
    """Open a page of captions from a local Deepgram that hears a script."""
    settings = EmulatorSettings(keys=[KEY])
    async with (
        Emulator(ScriptedRecognizer(script), settings) as emulator,
        captions(emulator.base_url, **options) as url,
        page_at(url) as page,
    ):
        yield page


async def test_page_is_told_what_can_be_chosen() -> None:
    async with page_with(language="pt-BR", diarize_model="latest") as page:
        hello = await page.hear("Hello")
    tags = [language["tag"] for language in hello["languages"]]
    assert tags[0] == hello["language"] == "pt-BR"
    assert {"en", "multi"} < set(tags)
    assert (hello["model"], hello["speakers"], hello["is_local"]) == ("nova-3", True, False)


def test_page_wins_over_the_command_and_that_over_the_usual() -> None:
    given: LiveOptions = {"model": "nova-2", "endpointing": 500, "diarize_model": "v1"}
    choices = Choices.of(given, query={}, is_local=False)
    start = Start(sample_rate=44100, language="multi", speakers=True)
    assert choices.options_for(start) == {
        **given,
        "channels": 1,
        "encoding": "linear16",
        "interim_results": True,
        "language": "multi",
        "sample_rate": 44100,
        "utterance_end_ms": 1000,
    }
    assert "diarize_model" not in choices.options_for(replace(start, speakers=False))
    choices = Choices.of({"model": "nova-3"}, query={}, is_local=True)
    assert choices.options_for(start).get("diarize_model") == "latest"


async def test_words_come_as_they_are_heard_and_settle() -> None:
    async with page_with() as page:
        await page.say(START)
        await page.hear("Listening")
        await page.speak(4)
        interim = await page.hear("Heard")
        assert interim["is_final"] is False
        assert interim["pieces"] == [{"speaker": None, "text": "Hello world."}]
        await page.say({"type": "Stop"})
        assert await page.hear_text("Ended") == ["Hello world.", "Good bye."]


async def test_pause_ends_a_paragraph() -> None:
    script = [("Hello", 0.2, 0.5), ("world.", 0.5, 0.9), ("Bye.", 3.0, 3.3)]
    async with page_with(script) as page:
        await page.say(START)
        await page.speak(4)
        assert await page.hear_text("Pause") == ["Hello world."]


async def test_transcript_is_exported_in_three_formats() -> None:
    async with page_with() as page:
        await page.say(START)
        await page.speak(3)
        await page.say({"type": "Stop"})
        await page.hear("Ended")
        texts: dict[str, str] = {}
        for name in ("txt", "srt", "vtt"):
            await page.say({"type": "Export", "format": name})
            document = await page.hear("Document")
            assert document["name"] == f"captions.{name}"
            texts[name] = document["text"]
    assert texts["txt"].split() == ["Hello", "world.", "Good", "bye."]
    assert texts["srt"].startswith("1\n00:00:00,")
    assert texts["vtt"].startswith("WEBVTT\n")


async def test_listening_again_goes_on_behind_what_was_heard() -> None:
    async with page_with([("Hello", 0.2, 0.5)]) as page:
        for _ in range(2):
            await page.say(START)
            await page.speak(5)
            await page.say({"type": "Stop"})
            await page.hear("Ended")
        await page.say({"type": "Export", "format": "srt"})
        srt = (await page.hear("Document"))["text"]
        starts = [line[:12] for line in srt.splitlines() if "-->" in line]
        assert starts == ["00:00:00,200", "00:00:05,200"]
        await page.say({"type": "Clear"})
        await page.say({"type": "Export", "format": "srt"})
        assert (await page.hear("Document"))["text"] == ""


async def test_refusal_is_told_in_plain_words_without_the_key() -> None:
    async with (
        Emulator(ScriptedRecognizer(), EmulatorSettings(keys=[KEY])) as emulator,
        captions(emulator.base_url, key="wrong-key-0815") as url,
        page_at(url) as page,
    ):
        await page.say(START)
        failed = await page.hear("Failed")
        assert failed["text"] == "The service does not accept the key."
        assert "401" in failed["details"]
        assert "wrong-key-0815" not in json.dumps(failed)
        await page.hear("Ended")
        await page.say(START)  # and the page may try again
        await page.hear("Failed")


async def test_sound_that_comes_while_a_refused_stream_ends_is_dropped() -> None:
    told: list[str] = []
    refused = asyncio.Event()

    async def send(text: str) -> None:
        told.append(json.loads(text)["type"])
        if told[-1] == "Failed":
            refused.set()
            await asyncio.sleep(0)  # the sound is on its way when the stream closes its end

    async def messages() -> AsyncGenerator[str | bytes, None]:
        yield json.dumps(START)
        await refused.wait()
        yield SECOND

    choices = Choices.of({"model": "nova-3"}, query={}, is_local=False)
    async with (
        Emulator(ScriptedRecognizer(), EmulatorSettings(keys=[KEY])) as emulator,
        DeepgramSession("wrong-key-0815", base_url=emulator.base_url) as session,
    ):
        await Captions(session, choices).converse(messages(), send)
    assert told == ["Hello", "Failed", "Ended"]


async def test_service_that_is_not_there_is_told() -> None:
    async with captions("http://127.0.0.1:9") as url, page_at(url) as page:
        await page.say(START)
        await page.speak(1)
        assert (await page.hear("Failed"))["text"] == "The service cannot be reached."
        await page.hear("Ended")


async def test_lost_connection_is_told_and_healed() -> None:
    async with (
        Emulator(ScriptedRecognizer(SCRIPT), EmulatorSettings(keys=[KEY])) as emulator,
        FaultProxy(emulator.base_url) as proxy,
        captions(proxy.base_url) as url,
        page_at(url) as page,
    ):
        await page.say(START)
        await page.hear("Listening")
        await page.speak(1)
        await page.hear("Heard")
        proxy.inject(Fault("reset"))
        await page.hear("Broken")
        assert (await page.hear("Restored"))["dropped_s"] == 0
        await page.speak(3)
        await page.say({"type": "Stop"})
        assert await page.hear_text("Ended") == ["Hello world.", "Good bye."]


@pytest.mark.parametrize(
    "message",
    [
        "no JSON",
        "[]",
        '{"type": "Shutdown"}',
        '{"type": "Export", "format": "../../etc/passwd"}',
        '{"type": "Start", "sample_rate": 1, "language": "en", "speakers": false}',
    ],
)
async def test_unreadable_message_changes_nothing(message: str) -> None:
    async with page_with() as page:
        await page.socket.send_str(message)
        assert (await page.hear("Failed"))["text"] == "The command does not understand the page."
        await page.say(START)
        await page.hear("Listening")


async def test_language_that_was_not_offered_is_passed_over() -> None:
    async with page_with() as page:
        await page.say({**START, "language": "en&callback=http://example.com"})
        await page.say({"type": "Export", "format": "txt"})
        assert (await page.hear("Document"))["text"] == ""
        await page.say(START)
        await page.hear("Listening")


async def test_leaving_the_page_ends_its_stream() -> None:
    async with (
        Emulator(ScriptedRecognizer(SCRIPT), EmulatorSettings(keys=[KEY])) as emulator,
        captions(emulator.base_url) as url,
    ):
        async with page_at(url) as page:
            await page.say(START)
            await page.hear("Listening")
            await page.speak(1)
            assert emulator.open_streams == 1
        async with asyncio.timeout(10):
            while emulator.open_streams:
                await asyncio.sleep(0.01)


async def test_service_that_says_nothing_does_not_hold_up_the_end() -> None:
    async with (
        Emulator(ScriptedRecognizer(SCRIPT), EmulatorSettings(keys=[KEY])) as emulator,
        FaultProxy(emulator.base_url) as proxy,
    ):
        async with captions(proxy.base_url) as url, page_at(url) as page:
            await page.say(START)
            await page.hear("Listening")
            await page.speak(1)
            proxy.inject(Fault("stop_forwarding"))
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 10
        proxy.heal()


async def status_of(url: str, **headers: str) -> int:
    async with (
        aiohttp.ClientSession() as http,
        http.get(url, headers=headers) as answer,
    ):
        # What the server refuses is no page, either, and is stored nowhere.
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        return answer.status


async def test_only_this_page_is_let_in() -> None:
    async with captions("http://127.0.0.1:9") as url:
        parts = urlsplit(url)
        base = f"http://{parts.netloc}"
        own = {"Origin": base}
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        assert await status_of(url) == 200
        assert await status_of(url, Host=f"localhost:{parts.port}") == 200
        # Another name for this machine, as with DNS rebinding.
        for host in ("example.com", f"example.com:{parts.port}", "127.0.0.1", "127.0.0.1:1"):
            assert await status_of(url, Host=host) == 403
            assert await status_of(f"{url}live", Host=host, **upgrade, **own) == 403
        # The secret of the address is missing or wrong.
        for path in ("/", "/live", "/page.js", "//", "/x/", "/x/live", "/%00/page.js"):
            assert await status_of(base + path, **upgrade, **own) == 403
        # Another page in the same browser, a file, and no browser.
        for origin in (
            "http://example.com",
            "http://127.0.0.1:1",
            "null",
            f"https://{parts.netloc}",
        ):
            assert await status_of(f"{url}live", **upgrade, Origin=origin) == 403
        assert await status_of(f"{url}live", **upgrade) == 403
        for path in ("other.js", "..%2f_serve.py", "%2e%2e/_serve.py", "index.html"):
            assert await status_of(url + path) in (403, 404)


async def test_every_start_has_an_address_of_its_own() -> None:
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(captions("http://127.0.0.1:9")) for _ in range(2)]
        secrets = {urlsplit(url).path for url in urls}
    assert len(secrets) == 2
    assert min(map(len, secrets)) > 30


async def test_frame_without_a_bound_ends_the_page() -> None:
    async with page_with() as page:
        await page.say(START)
        await page.hear("Listening")
        await page.socket.send_bytes(bytes(1 << 17))
        while not page.socket.closed:
            await page.socket.receive(timeout=20)
        assert page.socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_command_prints_its_address_and_ends_with_an_interrupt() -> None:
    settings = EmulatorSettings(keys=[KEY])
    async with Emulator(ScriptedRecognizer(SCRIPT), settings) as emulator:
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-m", "deepgram_async.cli"),
            *("--base-url", emulator.base_url, "serve", "--port", "0", "--no-open"),
            env=os.environ | {"DEEPGRAM_API_KEY": KEY},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            assert command.stdout is not None
            url = (await command.stdout.readline()).decode().strip()
            async with page_at(url) as page:
                await page.say(START)
                await page.hear("Listening")
                await page.speak(1)
                command.send_signal(signal.SIGINT)
                while not page.socket.closed:
                    await page.socket.receive(timeout=10)
                assert page.socket.close_code == aiohttp.WSCloseCode.GOING_AWAY
            async with asyncio.timeout(10):
                await command.wait()
            out, err = await command.communicate()
        finally:
            if command.returncode is None:
                command.kill()
                await command.wait()
    assert (command.returncode, out) == (130, b"")
    assert err.strip() == b"Live captions, for this machine only. Ctrl-C ends them."


async def test_port_in_use_is_told(tmp_path: Path) -> None:
    async with captions("http://127.0.0.1:9") as url:
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deepgram_async.cli", "serve", "--no-open"),
            *("--port", str(urlsplit(url).port)),
            env=os.environ | {"DEEPGRAM_API_KEY": KEY},
            cwd=Path.cwd(),
            stderr=subprocess.PIPE,
        )
        _, err = await command.communicate()
    assert command.returncode == 1
    assert b"cannot listen on port" in err
    assert b"Traceback" not in err
