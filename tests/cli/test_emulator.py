import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.audio import write_wav
from tests.cli.conftest import Result

Dga = Callable[..., Result]
COMMAND = [sys.executable, "-W", "error", "-m", "deepgram_async.cli"]


def test_address_is_printed_and_served_until_the_interrupt(dga: Dga, tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "emulator", "--port", "0", "--recognizer", "scripted"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        try:
            url = command.stdout.readline().decode().strip()
            assert url.startswith("http://127.0.0.1:")
            recording = write_wav(tmp_path / "talk.wav")
            result = dga("transcribe", str(recording), key="any", url=url)
            assert (result.code, result.out, result.err) == (0, "", "")
            command.send_signal(signal.SIGINT)
            assert command.wait(timeout=10) == 130
            assert command.stdout.read() == b""
            assert b"Traceback" not in command.stderr.read()
        finally:
            command.kill()


def test_port_in_use_is_named(dga: Dga) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = dga("emulator", "--port", str(port), "--recognizer", "scripted")
    assert (result.code, result.out) == (1, "")
    assert f"cannot listen on 127.0.0.1:{port}" in result.err
    assert "Traceback" not in result.err


def test_unknown_recognizer_is_a_usage_error(dga: Dga) -> None:
    result = dga("emulator", "--recognizer", "parrot")
    assert (result.code, result.out) == (2, "")
    assert "'parrot'" in result.err


@pytest.mark.real
@pytest.mark.parametrize("command", [["transcribe"], ["live", "--realtime", "4"]])
def test_local_service_recognises_the_demo_recording_without_a_key(
    dga: Dga, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.delenv("DEEPGRAM_API_KEY", raising=False)
    recording = Path(__file__).parents[2] / "examples" / "audio" / "austen.wav"
    result = dga(*command, str(recording), "--emulator", key=None, url="https://127.0.0.1:1")
    assert result.code == 0
    assert "had then leisure to consider" in result.out
    assert result.err == ""
