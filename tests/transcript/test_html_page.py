"""The page of a transcript in a browser: what a reader sees, hears and presses."""

import wave
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from deepgram_async.transcript import Transcript, Utterance, Word, render
from tests.support.browser import CONTRASTS, chromium, needs_chromium, page_of

pytestmark = needs_chromium

EVIL = "<img/src=x/onerror=document.title='broken'>"
LINES = [
    (0, "Good morning, everybody. Shall we begin?"),
    (1, "Yes, please. The gateway lost one station in the night."),
    (0, f"Which {EVIL} one was it?"),
    (1, "Número seventeen, on the northern ridge."),
]
LEAST_CONTRAST = 4.5  # what WCAG 2.2 asks of text
RECORD_WORDS = """() => {
  window.lit = [];
  window.three = new Promise((resolve) => {
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        if (target.classList.contains("now")) lit.push(target.textContent);
      }
      if (lit.length >= 3) resolve();
    }).observe(document.getElementById("transcript"), { attributes: true, subtree: true });
  });
}"""
CHANGES = """async () => {
  const seek = document.getElementById("seek");
  const changed = [];
  new MutationObserver((changes) => changed.push(...changes.map(({ target }) => target.tagName)))
    .observe(document.getElementById("transcript"), { attributes: true, subtree: true });
  for (const share of [0.1, 0.5, 0.9]) {
    seek.value = share * seek.max;
    seek.dispatchEvent(new Event("input"));
    await new Promise(requestAnimationFrame);
  }
  return changed;
}"""


def talk(*, times: int = 1) -> Transcript:
    """Return lines of evenly spoken words: half a second each, and a second between lines."""
    said: list[Utterance] = []
    start = 1.0
    for speaker, line in LINES * times:
        words: list[Word] = []
        for text in line.split():
            confidence = 0.5 if text == "gateway" else 0.99
            words.append(
                Word(
                    text=text,
                    start=start,
                    end=start + 0.45,
                    confidence=confidence,
                    channel=0,
                    speaker=speaker,
                )
            )
            start += 0.5
        said.append(Utterance.of(words))
        start += 1.0
    return Transcript(duration=start, channels=1, utterances=tuple(said))


def write(folder: Path, name: str, page: str) -> str:
    path = folder / name
    path.write_text(page, "utf-8")
    return path.as_uri()


def write_silence(path: Path, seconds: float) -> bytes:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(int(seconds * 8000) * 2))
    return path.read_bytes()


async def test_page_plays_and_is_read(tmp_path: Path) -> None:
    transcript = talk()
    audio = write_silence(tmp_path / "the talk.wav", transcript.duration)
    beside = write(tmp_path, "a.html", render(transcript, "html", audio_url="the%20talk.wav"))
    inside = write(tmp_path, "b.html", render(transcript, "html", audio_data=audio))
    silent = write(tmp_path, "c.html", render(transcript, "html", title="Without sound"))
    lost = write(tmp_path, "d.html", render(transcript, "html", audio_url="nowhere.wav"))
    long = write(tmp_path, "e.html", render(talk(times=1000), "html"))
    async with chromium() as browser:
        async with page_of(browser, beside) as page:
            await check_playing(page)
            await check_keys(page)
            await check_search(page)
            await check_printing(page)
        async with page_of(browser, inside) as page:
            await page.get_by_role("button", name="Play").click()
            await expect(page.locator(".now")).to_have_text("Good")
        async with page_of(browser, silent) as page:
            await check_without_sound(page, tmp_path / "the talk.wav")
        async with page_of(browser, lost) as page:
            await expect(page.get_by_role("alert")).to_have_text("The audio cannot be played.")
            await expect(page.get_by_text("Open audio")).to_be_visible()
        await check_looks(browser, beside)
        await check_without_script(browser, silent)
        await check_length(browser, long)


async def position(page: Page) -> float:
    return float(await page.evaluate("document.getElementById('audio').currentTime"))


async def check_playing(page: Page) -> None:
    assert await page.title() == "Transcript"
    await expect(page.get_by_text(EVIL)).to_be_visible()
    assert await page.locator("img").count() == 0
    await expect(page.locator(".u")).to_have_text("gateway")
    # A click on a word plays from there, and the words light up one after the other.
    await page.evaluate(RECORD_WORDS)
    await page.get_by_text("station", exact=True).click()
    await page.evaluate("three")
    await page.get_by_role("button", name="Pause").click()
    lit: list[str] = await page.evaluate("lit")
    assert lit[0] == "station"
    # In the order of the sentence; a slow browser leaves some out.
    places = ["station", "in", "the", "night.", "Which"]
    assert [places.index(word) for word in lit] == sorted(places.index(word) for word in lit)
    assert await position(page) > 8.0
    await page.locator("header a").nth(2).click()  # the time beside a turn
    await expect(page.locator(".now")).to_have_text("Which")
    assert page.url.endswith("#t=11.00")
    await page.reload()  # such an address can be passed on
    await expect(page.locator(".now")).to_have_text("Which")


async def check_keys(page: Page) -> None:
    await page.locator("body").click(position={"x": 2, "y": 2})
    for key, word in (
        ("Shift+ArrowRight", EVIL),
        ("Shift+ArrowLeft", "Which"),
        ("[", "Yes,"),
        ("]", "Which"),
        ("ArrowLeft", "The"),
        ("ArrowRight", "Which"),
    ):
        await page.keyboard.press(key)
        await expect(page.locator(".now")).to_have_text(word)
    await page.keyboard.press(" ")
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    await page.keyboard.press(" ")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await page.keyboard.press("Escape")
    slider = page.get_by_role("slider", name="Position")
    await slider.focus()
    await page.keyboard.press("Home")
    await expect(slider).to_have_attribute("aria-valuetext", "0:00")
    await expect(page.locator(".now")).to_have_count(0)


async def check_search(page: Page) -> None:
    await page.locator("body").click(position={"x": 2, "y": 2})
    await page.keyboard.press("/")
    found = page.locator("#found")
    # Over the ends of words and sentences, without accents and capitals.
    for text, count in (("PLEASE the gate", "1 of 1"), ("numero", "1 of 1"), ("xyz", "Nothing")):
        await page.keyboard.insert_text(text)
        await expect(found).to_have_text(count)
        await page.keyboard.press("Control+a")
    await page.keyboard.insert_text("one")
    await expect(found).to_have_text("1 of 3")
    await expect(page.locator(".hit-now")).to_have_text("one")
    await page.keyboard.press("Enter")
    await expect(found).to_have_text("2 of 3")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.press("Shift+Enter")
    await expect(found).to_have_text("3 of 3")
    await page.get_by_role("button", name="Next match").click()
    await expect(found).to_have_text("1 of 3")
    await page.get_by_role("searchbox").press("Escape")
    await expect(page.locator(".hit")).to_have_count(0)


async def check_printing(page: Page) -> None:
    await page.emulate_media(media="print")
    await expect(page.locator(".player")).to_be_hidden()
    await expect(page.locator(".tools")).to_be_hidden()
    await expect(page.get_by_text("seventeen,")).to_be_visible()
    await page.emulate_media(media="screen")


async def check_without_sound(page: Page, audio: Path) -> None:
    assert await page.title() == "Without sound"
    await expect(page.get_by_role("button", name="Play")).to_be_hidden()
    await page.get_by_text("station", exact=True).click()
    await expect(page.locator(".now")).to_have_text("station")
    # The reader has the audio elsewhere.
    await page.locator("#file").set_input_files(audio)
    await page.get_by_role("button", name="Play").click()
    await expect(page.locator(".now")).to_have_text("in")


async def check_looks(browser: Browser, url: str) -> None:
    for scheme in ("light", "dark"):
        async with page_of(browser, url, color_scheme=scheme) as page:
            await page.get_by_text("Good", exact=True).click()
            await page.get_by_role("searchbox").fill("morning")
            await expect(page.locator(".hit")).to_have_count(1)
            texts = ["h1", ".facts", ".turn h2", ".s1 h2", ".turn header a", ".turn span", ".now"]
            contrasts = await page.evaluate(CONTRASTS, [*texts, ".hit", ".clock", "#found"])
            assert min(contrasts) >= LEAST_CONTRAST, (scheme, contrasts)
    phone = {"width": 360, "height": 700}
    async with page_of(browser, url, viewport=phone) as page:
        assert await page.evaluate("document.documentElement.scrollWidth") == phone["width"]
        heading, text = page.locator(".turn h2").first, page.locator(".turn p").first
        above, below = await heading.bounding_box(), await text.bounding_box()
        assert above is not None
        assert below is not None
        assert above["y"] + above["height"] <= below["y"]


async def check_without_script(browser: Browser, url: str) -> None:
    async with page_of(browser, url, java_script_enabled=False) as page:
        await expect(page.get_by_text("seventeen,")).to_be_visible()
        await expect(page.get_by_role("search")).to_be_hidden()
        await expect(page.locator(".player")).to_be_hidden()


async def check_length(browser: Browser, url: str) -> None:
    """A frame touches the words that change, however many there are."""
    async with page_of(browser, url) as page:
        assert await page.locator("p span").count() == 27_000
        changes = await page.evaluate(CHANGES)
        assert 0 < len(changes) <= 6
        assert set(changes) == {"SPAN"}
