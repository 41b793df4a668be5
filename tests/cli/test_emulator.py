import asyncio
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path

import aiohttp
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


async def test_streams_are_told_when_the_command_is_ended() -> None:
    command = await asyncio.create_subprocess_exec(
        *COMMAND, "emulator", "--port", "0", "--recognizer", "scripted", stdout=PIPE, stderr=PIPE
    )
    assert command.stdout is not None
    headers = {"Authorization": "Token any"}
    try:
        async with asyncio.timeout(20), aiohttp.ClientSession(headers=headers) as http:
            url = (await command.stdout.readline()).decode().strip()
            async with http.ws_connect(f"{url}/v1/agent/converse") as socket:
                await socket.receive_json()
                command.terminate()
                await socket.receive()
                assert socket.close_code == aiohttp.WSCloseCode.GOING_AWAY
            _, said = await command.communicate()
    finally:
        if command.returncode is None:
            command.kill()
            await command.wait()
    assert command.returncode == 143
    assert b"Traceback" not in said


def test_keys_limits_and_faults_are_set_and_the_state_is_kept(dga: Dga, tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    options = ["--state", str(state), "--key", "good", "--fault", "kind=answer, status=402"]
    recording = write_wav(tmp_path / "talk.wav")
    with subprocess.Popen(
        [*COMMAND, "emulator", "--port", "0", "--recognizer", "scripted", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as command:
        assert command.stdout is not None
        try:
            url = command.stdout.readline().decode().strip()
            refused = dga("transcribe", str(recording), key="bad", url=url)
            assert "Invalid credentials" in refused.err
            said = [dga("transcribe", str(recording), key="good", url=url) for _ in range(2)]
            assert [result.code for result in said] == [1, 0]
            assert "not have enough credits" in said[0].err
        finally:
            command.send_signal(signal.SIGINT)
            command.wait(timeout=10)
    assert state.stat().st_size > 0


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--fault", "kind=explode"),
        ("--state", "/dev/null/state"),
        ("--state", __file__),
        ("--record", "/dev/null/file"),
        ("--replay", __file__),
    ],
)
def test_a_wrong_option_is_a_usage_error(dga: Dga, option: str, value: str) -> None:
    result = dga("emulator", "--port", "0", "--recognizer", "scripted", option, value)
    assert (result.code, result.out) == (2, "")
    assert option in result.err
    assert "Traceback" not in result.err


def test_a_session_is_recorded_and_served_again(dga: Dga, tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    recording = write_wav(tmp_path / "talk.wav")
    for option in ("--record", "--replay"):
        with subprocess.Popen(
            [*COMMAND, "emulator", "--port", "0", "--recognizer", "scripted", option, str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as command:
            assert command.stdout is not None
            try:
                url = command.stdout.readline().decode().strip()
                result = dga("transcribe", str(recording), key="any", url=url)
                assert (result.code, result.out, result.err) == (0, "", "")
            finally:
                command.send_signal(signal.SIGINT)
                command.wait(timeout=10)
    assert '"method":"POST"' in path.read_text()


def test_strict_mode_tells_what_clients_do_wrong() -> None:
    with subprocess.Popen(
        [*COMMAND, "emulator", "--port", "0", "--recognizer", "scripted", "--strict"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        try:
            url = command.stdout.readline().decode().strip()
            headers = {"Authorization": "Token any"}
            request = urllib.request.Request(f"{url}/v1/projects?x=1", headers=headers)
            urllib.request.urlopen(request, timeout=10).close()
            request = urllib.request.Request(f"{url}/v1/listen?mood=true", b"RIFF", headers)
            with pytest.raises(urllib.error.HTTPError) as refusal:
                urllib.request.urlopen(request, timeout=10)
            refusal.value.close()
        finally:
            command.send_signal(signal.SIGINT)
            command.wait(timeout=10)
        assert b"there is no option 'mood'" in command.stderr.read()


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


def test_unknown_synthesizer_is_a_usage_error(dga: Dga) -> None:
    result = dga("emulator", "--recognizer", "scripted", "--synthesizer", "parrot")
    assert (result.code, result.out) == (2, "")
    assert "'parrot'" in result.err


def test_the_synthesizer_that_is_named_speaks() -> None:
    with subprocess.Popen(
        [*COMMAND, "emulator", "--port", "0", "--recognizer", "scripted", "--synthesizer", "tone"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as command:
        assert command.stdout is not None
        try:
            url = command.stdout.readline().decode().strip()
            request = urllib.request.Request(
                f"{url}/v1/speak?encoding=mulaw&container=none",
                data=b'{"text":"Hello."}',
                headers={"Authorization": "Token any", "Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert len(answer.read()) == len("Hello.") * 400
        finally:
            command.kill()


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
