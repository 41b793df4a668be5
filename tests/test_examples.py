"""The examples run as their users run them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepgram_async.emulator import Emulator, ScriptedRecognizer
from tests.support.background import serving
from tests.support.sound import needs_pulseaudio, virtual_sound

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
RECORDING = str(EXAMPLES / "audio" / "austen.wav")


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    words = [("Hello", 0.5, 0.9), ("world.", 0.9, 1.6), ("Good", 3.0, 3.4), ("bye.", 3.4, 4.0)]
    with serving(Emulator(ScriptedRecognizer(words))) as url:
        yield url


def run(name: str, *args: str, base_url: str | None = None, said: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    if base_url is not None:
        environment |= {"DEEPGRAM_API_KEY": "any", "DEEPGRAM_BASE_URL": base_url}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *args],
        capture_output=True,
        env=environment,
        timeout=120,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, said)
    return done.stdout


def test_file_is_transcribed(base_url: str) -> None:
    assert run("transcribe_file.py", RECORDING, base_url=base_url) == "Hello world. Good bye.\n"


@pytest.fixture
def clip(tmp_path: Path) -> str:
    """Return the first 4.5 seconds; the header promises more, as of a broken download."""
    path = tmp_path / "clip.raw.wav"
    path.write_bytes(Path(RECORDING).read_bytes()[: 44 + 144_000])
    return str(path)


def test_file_is_transcribed_live(base_url: str, clip: str) -> None:
    lines = run("live_file.py", clip, base_url=base_url).splitlines()
    assert [line.split(" s  ")[1] for line in lines if line] == ["Hello world.", "Good bye."]


def test_a_file_is_captioned(base_url: str) -> None:
    assert run("captions.py", RECORDING, base_url=base_url) == (
        "1\n00:00:00,500 --> 00:00:01,600\nHello world.\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\nGood bye.\n\n"
    )


def test_a_file_is_captioned_live(base_url: str, clip: str) -> None:
    said = "   0.5 s  Hello world.\n   3.0 s  Good bye.\n4 words in 4.5 seconds\n"
    assert run("live_captions.py", clip, base_url=base_url, said=said) == (
        "WEBVTT\n\n"
        "1\n00:00:00.500 --> 00:00:01.600\nHello world.\n\n"
        "2\n00:00:03.000 --> 00:00:04.000\nGood bye.\n\n"
    )


def test_demo_talks_to_the_service_when_there_is_a_key(base_url: str) -> None:
    shown = run("demo.py", "--realtime", "20", base_url=base_url)
    assert re.search(rf"^Server: +{base_url}$", shown, re.MULTILINE)
    assert "\n  Hello world. Good bye.\n" in shown
    assert "\n    0.5 s  Hello world.\n    3.0 s  Good bye.\n" in shown
    assert "\x1b" not in shown


def test_demo_prints_every_interim_on_request(base_url: str) -> None:
    shown = run("demo.py", "--realtime", "8", "--every-interim", base_url=base_url)
    assert re.search(r"^    0\.5 s  Hello.* …$", shown, re.MULTILINE)


@needs_pulseaudio
def test_microphone_is_transcribed_until_it_is_interrupted(base_url: str) -> None:
    pytest.importorskip("miniaudio")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    environment |= {"DEEPGRAM_API_KEY": "any", "DEEPGRAM_BASE_URL": base_url}
    with (
        virtual_sound() as sound,
        subprocess.Popen(
            [sys.executable, str(EXAMPLES / "microphone.py"), "null output"],
            env=environment | sound.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program,
    ):
        assert program.stderr is not None
        assert program.stdout is not None
        assert program.stderr.readline() == "Monitor of Null Output is listening.\n"
        heard = program.stdout.readline()
        program.send_signal(signal.SIGINT)
        rest, errors = program.communicate(timeout=60)
    assert heard.endswith("s  Hello world.\n")
    assert (program.returncode, errors) == (0, "")
    assert "Hello" not in rest


@pytest.mark.real
def test_demo_recognises_real_speech_without_a_key() -> None:
    shown = run("demo.py", "--realtime", "3")
    assert "no DEEPGRAM_API_KEY" in shown
    assert shown.count("John Dashwood had then leisure to consider how much") == 2


def test_demo_reports_a_missing_file_in_one_line(base_url: str, tmp_path: Path) -> None:
    environment = {"DEEPGRAM_API_KEY": "any", "DEEPGRAM_BASE_URL": base_url}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "demo.py"), str(tmp_path / "nowhere.wav")],
        capture_output=True,
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
