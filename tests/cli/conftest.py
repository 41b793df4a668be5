"""A local Deepgram that runs beside the tests, because a command brings its own event loop."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from deepgram_async.cli import main
from deepgram_async.emulator import Emulator, EmulatorSettings, ScriptedRecognizer
from tests.support.background import in_background, serving
from tests.support.wire import Service, service

KEY = "sentinel-key-4711"

# A pause of one second after "world." makes two live results of it.
SCRIPT = [
    ("Hello", 0.2, 0.5),
    ("world.", 0.5, 0.9),
    ("Good", 1.9, 2.2),
    ("bye.", 2.2, 2.6),
]


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """Where a local Deepgram hears `SCRIPT` in any audio; it accepts only `KEY`."""
    settings = EmulatorSettings(keys=[KEY])
    with serving(Emulator(ScriptedRecognizer(SCRIPT), settings)) as url:
        yield url


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the configuration file of whoever runs the tests out of them."""
    monkeypatch.setenv("DEEPGRAM_CONFIG", os.devnull)


def answering(*answers: object, status: int = 200) -> AbstractContextManager[Service]:
    """Answer each request with the next of the answers, in a thread; note what was asked."""
    return in_background(service(*answers, status=status))


class Result:
    """What a run of the command left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


@pytest.fixture
def dga(
    base_url: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run the command in this process, against the local Deepgram unless told otherwise."""

    def run(*args: str, key: str | None = KEY, url: str | None = None) -> Result:
        if key is not None:
            monkeypatch.setenv("DEEPGRAM_API_KEY", key)
        monkeypatch.setenv("DEEPGRAM_BASE_URL", base_url if url is None else url)
        code = main(args)
        captured = capfd.readouterr()
        assert KEY not in captured.out + captured.err
        return Result(code, captured.out, captured.err)

    return run
