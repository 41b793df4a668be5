"""The page at `/` of the emulator, in a browser and behind its guards."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from deepgram_async.emulator import ScriptedRecognizer
from tests.support.browser import CONTRASTS, chromium, needs_chromium, page_of

from .helpers import bounded, serving, silence, wav

if TYPE_CHECKING:
    import aiohttp
    from playwright.async_api import Page

    from .helpers import Client

EVIL = "<img/src=x/onerror=document.title='broken'>"
SENTINEL = "sentinel-secret-0815"
LISTEN = "/v1/listen?model=nova-3&encoding=linear16&sample_rate=8000&interim_results=true"
LEAST_CONTRAST = 4.5  # what WCAG 2.2 asks of text


@needs_chromium
async def test_the_page_shows_what_passes_and_runs_none_of_it() -> None:
    heard = ScriptedRecognizer([(EVIL, 0.2, 0.5)])
    async with serving(heard, strict=True) as client, chromium() as browser:
        url = client.emulator.base_url
        await client.post(wav(silence(1.0)), mood="true", tag=EVIL)
        async with page_of(browser, f"{url}/") as page:
            await expect(page.locator("#status")).to_have_text("Watching")
            await expect(page.locator("#deviations li")).to_contain_text("no option 'mood'")
            await expect(page.locator("#requests tbody tr")).to_have_count(1)
            async with client.http.ws_connect(f"{url}{LISTEN}&tag={SENTINEL}") as socket:
                await check_stream(page, socket)
            await expect(page.locator("#open-count")).to_have_text("0")
            assert await page.title() == "Local Deepgram"
            assert await page.locator("main img").count() == 0
            await page.get_by_role("button", name="Clear").click()
            await expect(page.get_by_text("Nothing was asked yet.")).to_be_visible()
        for scheme in ("light", "dark"):
            async with page_of(browser, f"{url}/", color_scheme=scheme) as page:
                await expect(page.locator("#status")).to_have_text("Watching")
                shown = ["h1", "#status", "#deviations .rule", "#requests code", "th", "button"]
                assert min(await page.evaluate(CONTRASTS, shown)) >= LEAST_CONTRAST
        # The browser has left, and nobody looks any more.


async def check_stream(page: Page, socket: aiohttp.ClientWebSocketResponse) -> None:
    await expect(page.locator("#open-count")).to_have_text("1")
    for _ in range(10):
        await socket.send_bytes(silence(0.1))
    await socket.send_str(json.dumps({"type": "Finalize", "note": EVIL}))
    messages = page.locator("#messages ol li")
    await expect(messages.filter(has_text="audio, ").first).to_contain_text("client")
    result = messages.filter(has_text="Results").filter(has_text="onerror").last
    await result.locator("summary").click()
    await expect(result.locator("pre")).to_contain_text('"is_final": true')
    stream = page.locator("#streams").get_by_role("button")
    await stream.click()
    await expect(page.locator("#filter")).to_be_visible()
    await page.get_by_role("button", name="Show all").click()
    await expect(page.locator("#filter")).to_be_hidden()


async def next_events(response: aiohttp.ClientResponse) -> list[dict[str, Any]]:
    line = await response.content.readline()
    await response.content.readline()
    events: list[dict[str, Any]] = json.loads(line.removeprefix(b"data: "))
    return events


@bounded
async def test_a_slow_page_costs_bounded_memory_and_no_secret_is_shown() -> None:
    async with serving(ScriptedRecognizer()) as client:
        url = client.emulator.base_url
        async with client.http.get(f"{url}/_emulator/events") as response:
            (strict,) = await next_events(response)
            assert strict == {"kind": "strict", "is_on": False}
            login = ("token", SENTINEL)
            async with client.http.ws_connect(f"{url}{LISTEN}", protocols=login) as socket:
                # Nothing here lets the page take its turn before all of it was said.
                for number in range(3000):
                    await socket.send_str(f'{{"type":"KeepAlive","n":{number},"x":"{SENTINEL}"}}')
                await socket.send_str('{"type":"CloseStream"}')
                await socket.receive()
            seen: list[dict[str, Any]] = []
            while not any(event["kind"] == "answered" for event in seen):
                events = await next_events(response)
                assert len(events) <= 1001
                seen += events
            assert SENTINEL not in json.dumps(seen)
            shown = sum(event["kind"] == "message" for event in seen)
            dropped = sum(event["count"] for event in seen if event["kind"] == "dropped")
            assert shown + dropped >= 3000


@bounded
async def test_the_events_end_with_the_emulator_and_pages_are_counted() -> None:
    async with serving() as client:
        url = f"{client.emulator.base_url}/_emulator/events"
        pages = [await client.http.get(url) for _ in range(8)]
        async with client.http.get(url) as one_more:
            assert one_more.status == 503
        pages[0].close()
        while True:
            async with client.http.get(url) as one_more:
                if one_more.status == 200:
                    break
            await asyncio.sleep(0.01)
        await client.emulator.stop()
        for page in pages[1:]:
            page.close()


@pytest.mark.parametrize("path", ["/", "/_emulator/events", "/_emulator/page.js"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "deepgram.example.com"},
    ],
)
@bounded
async def test_the_page_is_for_browsers_of_this_machine(path: str, headers: dict[str, str]) -> None:
    async with serving() as client:
        async with client.http.get(client.emulator.base_url + path, headers=headers) as response:
            assert response.status == 403
        if path == "/":
            await check_policy(client)


async def check_policy(client: Client) -> None:
    async with client.http.get(client.emulator.base_url) as response:
        assert response.status == 200
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
