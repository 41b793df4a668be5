"""The code of the README and of the pages runs, against a local Deepgram, block by block."""

import ast
import asyncio
import inspect
import re
import types
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deepgram_async import DeepgramSession
from deepgram_async.emulator import Emulator, EmulatorSettings, ScriptedRecognizer
from tests.support.background import serving
from tests.support.sound import VirtualSound, has_pulseaudio, virtual_sound

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/audio.md", "docs/migration.md")
# What the local Deepgram does not serve is compiled, and not run.
NOT_SERVED = ("dg.agent",)


def blocks() -> Iterator[tuple[str, int, str]]:
    """Yield the Python blocks with their page and the line each begins at."""
    for page in PAGES:
        text = (ROOT / page).read_text()
        for match in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            yield page, text.count("\n", 0, match.start(1)) + 1, match[1]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    recognizer = ScriptedRecognizer([("Hello", 0.1, 0.4), ("world.", 0.4, 0.8)])
    settings = EmulatorSettings(callback_attempts=1, callback_retry_s=0.0)
    with serving(Emulator(recognizer, settings)) as url:
        yield url


@pytest.fixture(scope="module")
def sound() -> Iterator[VirtualSound]:
    with virtual_sound() as server:
        yield server


@pytest.fixture(autouse=True)
def surroundings(base_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Provide what the README takes for granted: files, a key, an address."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEPGRAM_API_KEY", "any")
    monkeypatch.setenv("DEEPGRAM_BASE_URL", base_url)
    Path("calls").mkdir()
    for name in ("meeting.wav", "talk.wav", "calls/monday.wav"):
        with wave.open(name, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(bytes(2 * 32000))


async def microphone() -> AsyncIterator[bytes]:
    for _ in range(10):
        yield bytes(3200)


@pytest.mark.parametrize(
    ("page", "line", "code"),
    [pytest.param(*block, id=f"{block[0]} line {block[1]}") for block in blocks()],
)
def test_block_runs(
    page: str,
    line: int,
    code: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if any(device in code for device in ("Microphone(", "Speaker(", "_devices(")):
        if not has_pulseaudio():
            pytest.skip("needs a sound server")
        for name, value in request.getfixturevalue("sound").environment.items():
            monkeypatch.setenv(name, value)
    names: dict[str, object] = {"__name__": "__main__", "microphone": microphone}
    # Line numbers of a failure are those of the README.
    compiled = compile("\n" * (line - 1) + code, page, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if any(name in code for name in NOT_SERVED):
        return
    if compiled.co_flags & inspect.CO_COROUTINE:
        asyncio.run(run_with_session(compiled, names))
    else:
        exec(compiled, names)
    printed = capsys.readouterr().out
    if "recordings(" in code:
        assert printed == "calls/monday.wav done\n"
        assert Path("transcripts/monday.wav.srt").exists()
    if "transcript)" in code:
        assert "hello world" in printed.lower()


async def run_with_session(code: types.CodeType, names: dict[str, object]) -> None:
    """Run a fragment that goes on from an open session called ``dg``."""
    async with DeepgramSession() as session:
        names["dg"] = session
        await types.FunctionType(code, names)()


def test_every_variable_of_the_environment_is_told() -> None:
    package = Path(__file__).parents[1] / "deepgram_async"
    read = {
        name
        for path in package.rglob("*.py")
        for name in re.findall(r"environ(?:\.get\(|\[)\"(DEEPGRAM_\w+)\"", path.read_text())
    }
    assert read
    assert {name for name in read if f"`{name}`" not in (ROOT / "README.md").read_text()} == set()
