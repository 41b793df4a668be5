"""The code of the README runs, against a local Deepgram, block by block."""

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

README = Path(__file__).parents[1] / "README.md"


def blocks() -> list[tuple[int, str]]:
    """Return the Python blocks with the line each begins at."""
    text = README.read_text()
    return [
        (text.count("\n", 0, match.start(1)) + 1, match[1])
        for match in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    ]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    recognizer = ScriptedRecognizer([("Hello", 0.1, 0.4), ("world.", 0.4, 0.8)])
    settings = EmulatorSettings(callback_attempts=1, callback_retry_s=0.0)
    with serving(Emulator(recognizer, settings)) as url:
        yield url


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
    ("line", "code"), [pytest.param(*block, id=f"line {block[0]}") for block in blocks()]
)
def test_block_runs(line: int, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {"__name__": "__main__", "microphone": microphone}
    # Line numbers of a failure are those of the README.
    compiled = compile(
        "\n" * (line - 1) + code, str(README), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    )
    if compiled.co_flags & inspect.CO_COROUTINE:
        asyncio.run(run_with_session(compiled, names))
    else:
        exec(compiled, names)
    printed = capsys.readouterr().out
    if "recordings(" in code:
        assert printed == "calls/monday.wav done\n"
        assert Path("transcripts/monday.wav.srt").exists()
    if "transcript)" in code:
        assert "Hello world." in printed


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
    assert {name for name in read if f"`{name}`" not in README.read_text()} == set()
