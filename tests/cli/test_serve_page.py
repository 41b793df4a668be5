"""The page of live captions in a browser, with a recording for a microphone."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from deepgram_async import DeepgramSession
from deepgram_async.cli._serve_captions import Captions, Choices
from deepgram_async.cli._serve_web import serving
from deepgram_async.emulator import Emulator, EmulatorSettings, Recognizer, ScriptedRecognizer
from deepgram_async.options import LiveOptions
from deepgram_async.testing import Fault, FaultProxy
from tests.cli.audio import write_wav
from tests.cli.conftest import KEY
from tests.support.browser import CONTRASTS, chromium, needs_chromium, page_of
from tests.support.speech import RECORDING

pytestmark = needs_chromium

EVIL = "<img/src=x/onerror=document.title='broken'>"
SCRIPT = [
    ("Hello", 0.2, 0.4),
    (EVIL, 0.4, 0.6),
    ("world.", 0.6, 0.8),
    *((f"{number}.", 2.0 + number, 2.4 + number) for number in range(60)),
]
CLIPBOARD = ("clipboard-read", "clipboard-write")
LEAST_CONTRAST = 4.5  # what WCAG 2.2 asks of text
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def microphone(recording: Path) -> tuple[str, ...]:
    return (*MICROPHONE, f"--use-file-for-fake-audio-capture={recording}")


@asynccontextmanager
async def captions(base_url: str, *, key: str = KEY) -> AsyncGenerator[str, None]:
    choices = Choices.of(LiveOptions(model="nova-3", smart_format=True), query={}, is_local=False)
    async with (
        DeepgramSession(key, base_url=base_url) as session,
        serving(Captions(session, choices).converse, port=0) as url,
    ):
        yield url


@asynccontextmanager
async def local_service(recognizer: Recognizer) -> AsyncGenerator[Emulator, None]:
    async with Emulator(recognizer, EmulatorSettings(keys=[KEY])) as emulator:
        yield emulator


async def test_page_shows_what_the_microphone_hears(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "talk.wav")
    async with (
        chromium(*microphone(recording)) as browser,
        local_service(ScriptedRecognizer(SCRIPT)) as emulator,
        FaultProxy(emulator.base_url) as proxy,
    ):
        async with captions(proxy.base_url) as url:
            async with page_of(browser, url, permissions=CLIPBOARD) as page:
                await check_captions(page, proxy)
                await check_exports(page)
                await check_keys(page)
            while emulator.open_streams:
                await asyncio.sleep(0.01)
            await check_refused_microphone(browser, url)
            await check_looks(browser, url)
        async with captions(emulator.base_url, key="wrong-key-0815") as url:
            async with page_of(browser, url) as page:
                await page.get_by_role("button", name="Start").click()
                alert = page.get_by_role("alert")
                await expect(alert).to_contain_text("The service does not accept the key.")
                await expect(page.locator("#status")).to_have_text("Ready")


async def check_captions(page: Page, proxy: FaultProxy) -> None:
    status = page.locator("#status")
    await expect(status).to_have_text("Ready")
    await page.get_by_role("button", name="Start").click()
    await expect(status).to_have_text("Listening")
    await expect(page.locator("#settled p").first).to_have_text(f"Hello {EVIL} world.")
    assert await page.locator("main img").count() == 0
    assert await page.title() == "Live captions"
    await expect(page.get_by_label("Language")).to_be_disabled()
    await proxy.refuse_connections()
    proxy.inject(Fault("reset"))
    await expect(status).to_have_text("Connection lost, reconnecting…")
    proxy.accept_connections()
    await expect(status).to_have_text("Listening")
    await expect(page.get_by_role("log")).to_contain_text("0.")
    await page.get_by_role("button", name="Stop").click()
    await expect(status).to_have_text("Ready")
    await expect(page.get_by_role("alert")).to_be_hidden()


async def check_exports(page: Page) -> None:
    for name, beginning in (("txt", "Hello <img"), ("srt", "1\n00:00:00,"), ("vtt", "WEBVTT\n")):
        await page.get_by_role("button", name="Download").click()
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name=f".{name}").click()
        download = await downloading.value
        assert download.suggested_filename == f"captions.{name}"
        assert (await download.path()).read_text("utf-8").startswith(beginning)
    await page.get_by_role("button", name="Copy the text").click()
    copied = ""
    while not copied:
        copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"Hello {EVIL} world.")


async def check_keys(page: Page) -> None:
    await page.keyboard.press("b")
    await expect(page.get_by_role("heading", name="Live captions")).to_be_hidden()
    size = await page.locator("#settled p").last.evaluate("p => getComputedStyle(p).fontSize")
    assert float(size.removesuffix("px")) > 60
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("heading", name="Live captions")).to_be_visible()
    await page.get_by_role("button", name="Clear").click()
    await expect(page.get_by_text("Press the microphone and speak.")).to_be_visible()
    await page.locator("body").press(" ")
    await expect(page.locator("#settled p")).to_have_text([f"Hello {EVIL} world."])
    # Whoever closes the page now leaves nothing behind.


async def check_refused_microphone(browser: Browser, url: str) -> None:
    async with page_of(browser, url) as page:
        for name, words in (
            ("NotAllowedError", "This page may not use the microphone."),
            ("NotFoundError", "No microphone was found."),
            ("NotReadableError", "The microphone is in use by another program"),
        ):
            await page.evaluate(
                "name => { navigator.mediaDevices.getUserMedia ="
                " async () => { throw new DOMException('no', name); }; }",
                name,
            )
            await page.get_by_role("button", name="Start").click()
            await expect(page.get_by_role("alert")).to_contain_text(words)
            await expect(page.locator("#status")).to_have_text("Ready")


async def check_looks(browser: Browser, url: str) -> None:
    for scheme in ("light", "dark"):
        async with page_of(browser, url, color_scheme=scheme) as page:
            await expect(page.locator("#status")).to_have_text("Ready")
            shown = ["h1", "#status-text", "#invitation", "#language", "#record", "label"]
            contrasts = await page.evaluate(CONTRASTS, shown)
            assert min(contrasts) >= LEAST_CONTRAST, (scheme, contrasts)
    phone = {"width": 360, "height": 640}
    async with page_of(browser, url, viewport=phone) as page:
        await expect(page.locator("#status")).to_have_text("Ready")
        assert await page.evaluate("document.documentElement.scrollWidth") == phone["width"]
        await expect(page.get_by_role("button", name="Start")).to_be_in_viewport(ratio=1)


async def test_page_keeps_its_text_when_the_command_has_ended(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "talk.wav")
    async with (
        chromium(*microphone(recording)) as browser,
        local_service(ScriptedRecognizer(SCRIPT)) as emulator,
    ):
        server = captions(emulator.base_url)
        url = await server.__aenter__()
        async with page_of(browser, url) as page:
            await page.get_by_role("button", name="Start").click()
            await expect(page.get_by_role("log")).to_contain_text("world.")
            await server.__aexit__(None, None, None)
            await expect(page.locator("#status")).to_have_text("Not connected")
            await expect(page.get_by_role("alert")).to_contain_text("has ended")
            await expect(page.get_by_role("log")).to_contain_text("world.")
            await expect(page.get_by_role("button", name="Start")).to_be_disabled()


@pytest.mark.real
async def test_spoken_words_appear_in_the_page() -> None:
    async with (
        chromium(*microphone(RECORDING)) as browser,
        Emulator() as emulator,
        captions(emulator.base_url) as url,
        page_of(browser, url) as page,
    ):
        await page.get_by_role("button", name="Start").click()
        await expect(page.get_by_role("log")).to_contain_text("Dashwood", timeout=60_000)
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator("#status")).to_have_text("Ready", timeout=60_000)
        await expect(page.locator("#settled")).to_contain_text("John Dashwood")
