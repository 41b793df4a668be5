import io
import os
import subprocess
import sys
import wave
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from tests.cli.conftest import KEY, Result
from tests.support.background import in_background
from tests.support.servers import http_server

Dga = Callable[..., Result]


@dataclass
class Voice:
    """Says as audio what it is asked to speak."""

    url: str = ""
    lines: list[str] = field(default_factory=list[str])
    texts: list[str] = field(default_factory=list[str])
    fails_after: int | None = None

    async def speak(self, request: web.Request) -> web.StreamResponse:
        text = (await request.json())["text"]
        self.lines.append(request.path_qs)
        self.texts.append(text)
        answer = web.StreamResponse(headers={"Content-Type": "audio/mpeg", "dg-warning": ""})
        await answer.prepare(request)
        for number, letter in enumerate(text):
            if number == self.fails_after:
                assert request.transport is not None
                request.transport.abort()
                break
            await answer.write(letter.encode() * 2)
        return answer


@contextmanager
def speaking(fails_after: int | None = None) -> Generator[Voice, None, None]:
    voice = Voice(fails_after=fails_after)
    with in_background(http_server(voice.speak)) as voice.url:
        yield voice


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("hi.mp3", "encoding=mp3"),
        ("hi.flac", "encoding=flac"),
        ("hi.OPUS", "encoding=opus&container=ogg"),
        ("hi.raw", "encoding=linear16&container=none"),
        ("hi.aac", "encoding=aac"),
        ("hi", "encoding=mp3"),
    ],
)
def test_suffix_of_the_file_chooses_the_format(
    dga: Dga, tmp_path: Path, name: str, query: str
) -> None:
    path = tmp_path / name
    with speaking() as voice:
        result = dga("speak", "Hi.", "-o", str(path), url=voice.url)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert path.read_bytes() == b"HHii.."
    assert voice.lines == [f"/v1/speak?model=aura-2-thalia-en&{query}"]


def test_wav_file_has_a_header_that_tells_its_length(dga: Dga, tmp_path: Path) -> None:
    path = tmp_path / "hi.wav"
    with speaking() as voice:
        dga("speak", "Hello.", "-o", str(path), "-p", "sample_rate=8000", url=voice.url)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert file.readframes(99) == b"HHeelllloo.."
    assert "container=none" in voice.lines[0]


def test_device_is_written_to_and_not_replaced(dga: Dga) -> None:
    with speaking() as voice:
        assert dga("speak", "Hi.", "-o", os.devnull, url=voice.url).code == 0
    assert not Path(os.devnull).is_file()


def test_audio_goes_to_a_pipe_when_nothing_else_is_said() -> None:
    with speaking() as voice:
        command = [sys.executable, "-W", "error", "-m", "deepgram_async.cli", "--api-key", KEY]
        done = subprocess.run(
            [*command, "--base-url", voice.url, "speak", "-"],
            input=b"Piped.\n",
            capture_output=True,
            timeout=30,
            check=False,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"PPiippeedd..", b"")


def test_long_text_is_spoken_sentence_by_sentence(dga: Dga, tmp_path: Path) -> None:
    text = tmp_path / "long.txt"
    sentence = "All happy families are alike. "
    text.write_text(sentence * 150 + "x" * 2100)
    with speaking() as voice:
        result = dga("speak", "--file", str(text), "-o", str(tmp_path / "a.mp3"), url=voice.url)
    assert (result.code, result.err) == (0, "")
    assert all(len(piece) <= 2000 for piece in voice.texts)
    assert all(piece.endswith("alike.") for piece in voice.texts[:2])
    assert len((tmp_path / "a.mp3").read_bytes()) == 2 * sum(map(len, voice.texts))
    assert "".join(voice.texts).replace(" ", "") == text.read_text().replace(" ", "")


def test_long_text_in_a_format_that_cannot_be_joined_is_refused(dga: Dga, tmp_path: Path) -> None:
    with speaking() as voice:
        result = dga("speak", "x" * 2001, "-o", str(tmp_path / "a.flac"), url=voice.url)
    assert result.code == 2
    assert "2001 characters" in result.err
    assert voice.texts == []
    assert list(tmp_path.iterdir()) == []


def test_flux_voices_speak_on_their_own_path(dga: Dga, tmp_path: Path) -> None:
    flags = ["-m", "flux-alexis-en", "--speed", "1.1", "-p", "expressivity=2"]
    with speaking() as voice:
        result = dga("speak", "Hi.", *flags, "-o", str(tmp_path / "a.mp3"), url=voice.url)
    assert (result.code, result.err) == (0, "")
    assert voice.lines == ["/v2/speak?model=flux-alexis-en&speed=1.1&encoding=mp3&expressivity=2"]


def test_speech_is_played_and_written_at_once(dga: Dga, tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    with speaking() as voice:
        result = dga("speak", "Hi.", "--play", "--sound", "null", "-o", str(path), url=voice.url)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert path.read_bytes() == b"HHii.."
    assert "encoding=linear16" in voice.lines[0]


def test_answer_that_breaks_off_leaves_no_file(dga: Dga, tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(b"before")
    with speaking(fails_after=2) as voice:
        result = dga("speak", "Hello.", "-o", str(path), url=voice.url)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("Error: POST /v1/speak")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "give either a text or --file"),
        (["Hi.", "--file", "a.txt"], "give either a text or --file"),
        (["Hi.", "-o", "a.doc"], "no format for '.doc'; known are .mp3"),
        (["Hi.", "-o", "a.mp3", "--play"], "--play takes raw audio, not of mp3"),
        (["Hi.", "-o", "a.wav", "-p", "encoding=mp3"], "a WAV file is made of raw audio"),
        (["Hi.", "-o", "/nowhere/a.mp3"], "cannot write /nowhere/a.mp3: No such file"),
    ],
)
def test_what_cannot_be_spoken_is_refused(dga: Dga, args: list[str], message: str) -> None:
    with speaking() as voice:
        result = dga("speak", *args, url=voice.url)
    assert result.code == (1 if "/nowhere" in message else 2)
    assert message in result.err
    assert voice.texts == []


def test_terminal_gets_no_audio(dga: Dga, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdout", Terminal())
    with speaking() as voice:
        result = dga("speak", "Hi.", url=voice.url)
    assert result.code == 2
    assert "--output FILE or --play" in result.err


def test_devices_are_listed(dga: Dga) -> None:
    result = dga("devices", "--sound", "null")
    assert result.code == 0
    assert result.out.startswith("kind\tname\tid\tdefault\n")
