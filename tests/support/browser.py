"""A browser for pages, where the machine has one."""

import shutil
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

__all__ = ["CONTRASTS", "chromium", "needs_chromium", "page_of"]

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# A second core that is busy is no failure.
expect.set_options(timeout=20_000)

needs_chromium = pytest.mark.skipif(_CHROMIUM is None, reason="needs chromium")

CONTRASTS = """(selectors) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const paint = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
  };
  const paintGround = (element) => {
    if (element.parentElement) paintGround(element.parentElement);
    paint(getComputedStyle(element).backgroundColor);
  };
  const luminance = () => {
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return selectors.map((selector) => {
    const element = document.querySelector(selector);
    paintGround(element);
    const ground = luminance();
    paint(getComputedStyle(element).color);
    const pair = [ground, luminance()];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  });
}"""
"""Return the contrast of the first element of each selector with what is behind it."""


@asynccontextmanager
async def chromium(*flags: str) -> AsyncGenerator[Browser, None]:
    """Run a browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=_CHROMIUM, args=[*_FLAGS, *flags]
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def page_of(
    browser: Browser, url: str, *, permissions: Iterable[str] = (), **options: Any
) -> AsyncGenerator[Page, None]:
    """Open a page in a profile of its own, and fail if its script does or its policy is broken."""
    context = await browser.new_context(**options)
    await context.grant_permissions([*permissions])
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda said: problems.append(said.text) if "Content Security" in said.text else None,
    )
    try:
        await page.goto(url)
        yield page
        assert problems == []
    finally:
        await context.close()
