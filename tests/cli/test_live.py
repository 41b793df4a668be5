import json
import os
import pty
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection, serve

from tests.cli.audio import write_wav
from tests.cli.conftest import KEY, Result

Dga = Callable[..., Result]
COMMAND = [sys.executable, "-W", "error", "-m", "deepgram_async.cli", "--api-key", KEY]
FAST = ["--realtime", "30"]
MULAW = ["--encoding", "mulaw", "--sample-rate", "8000"]
LINEAR16 = ["--encoding", "linear16", "--sample-rate", "16000"]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "talk.wav")


def test_final_results_are_all_that_is_printed(dga: Dga, recording: Path) -> None:
    result = dga("live", str(recording), *FAST)
    assert (result.code, result.out, result.err) == (0, "Hello world.\nGood bye.\n", "")


def test_interim_results_are_marked_where_nothing_can_be_rewritten(
    dga: Dga, recording: Path
) -> None:
    result = dga("live", str(recording), "--interim", "--realtime", "4")
    lines = result.out.splitlines()
    assert [line for line in lines if not line.startswith("~ ")] == ["Hello world.", "Good bye."]
    assert any(line.startswith("~ ") for line in lines)


def test_json_is_one_line_for_each_message(dga: Dga, recording: Path) -> None:
    result = dga("live", str(recording), "--json", *FAST)
    messages = [json.loads(line) for line in result.out.splitlines()]
    finals = [
        message["channel"]["alternatives"][0]["transcript"]
        for message in messages
        if message["type"] == "Results" and message["is_final"]
    ]
    assert [text for text in finals if text] == ["Hello world.", "Good bye."]
    assert messages[-1]["type"] == "Metadata"
    assert messages[-1]["duration"] == pytest.approx(3.0)


def test_channels_are_told_apart(dga: Dga, tmp_path: Path) -> None:
    stereo = write_wav(tmp_path / "call.wav", channels=2)
    result = dga("live", str(stereo), "--multichannel", *FAST)
    assert sorted(result.out.splitlines()) == [
        "Channel 0: Good bye.",
        "Channel 0: Hello world.",
        "Channel 1: Good bye.",
        "Channel 1: Hello world.",
    ]


def test_raw_audio_comes_from_standard_input(base_url: str) -> None:
    done = subprocess.run(
        [*COMMAND, "--base-url", base_url, "live", "-", *FAST, *MULAW],
        input=bytes(24000),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Hello world.\nGood bye.\n", b"")


def test_first_interrupt_ends_the_audio_and_waits_for_the_last_results(base_url: str) -> None:
    with subprocess.Popen(
        [*COMMAND, "--base-url", base_url, "live", "-", "--json", *FAST, *LINEAR16],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert command.stdin is not None
        assert command.stdout is not None
        assert command.stderr is not None
        try:
            command.stdin.write(bytes(int(2.5 * 32000)))
            command.stdin.flush()
            assert json.loads(command.stdout.readline())["type"] == "Results"
            # The pipe stays open: without the interrupt the command would wait for ever.
            command.send_signal(signal.SIGINT)
            assert command.wait(timeout=10) == 130
            messages = [json.loads(line) for line in command.stdout]
            assert messages[-1]["type"] == "Metadata"
            assert messages[-2]["is_final"]
            assert command.stderr.read() == b""
        finally:
            command.kill()


def test_second_interrupt_gives_up(recording: Path) -> None:
    with (
        mute_server() as (url, received),
        subprocess.Popen(
            [*COMMAND, "--base-url", url, "live", str(recording)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as command,
    ):
        try:
            assert isinstance(received.get(timeout=20), bytes)
            command.send_signal(signal.SIGINT)
            while isinstance(message := received.get(timeout=20), bytes):
                pass
            assert json.loads(message) == {"type": "CloseStream"}
            interrupted_at = time.monotonic()
            command.send_signal(signal.SIGINT)
            assert command.wait(timeout=10) == 130
            # Well before the time that a silent service is given to say its last words.
            assert time.monotonic() - interrupted_at < 4
            assert command.stdout is not None
            assert command.stderr is not None
            assert command.stdout.read() == b""
            assert command.stderr.read() == b""
        finally:
            command.kill()


@contextmanager
def mute_server() -> Generator[tuple[str, "queue.Queue[str | bytes]"], None, None]:
    """Serve a WebSocket that takes everything and says nothing."""
    received: queue.Queue[str | bytes] = queue.Queue()

    def listen(connection: ServerConnection) -> None:
        for message in connection:
            received.put(message)

    with serve(listen, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}", received
        finally:
            server.shutdown()
            thread.join()


def test_interim_text_is_rewritten_on_a_terminal(base_url: str, recording: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [*COMMAND, "--base-url", base_url, "live", str(recording), "--realtime", "4"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"},
        ) as command:
            try:
                shown = read_terminal(ours, command)
                assert command.wait(timeout=10) == 0
            finally:
                command.kill()
    finally:
        os.close(ours)
        os.close(theirs)
    erase_line = "\x1b[2K"
    assert "\x1b[2mHello" in shown
    assert erase_line in shown
    assert "\n\x1b[2mHello" not in shown.split("Good")[1]
    assert shown.index("Hello world.") < shown.rindex("Good bye.")


def read_terminal(descriptor: int, command: subprocess.Popen[bytes]) -> str:
    """Return what a program wrote to a terminal until it ended."""
    shown = b""
    give_up_at = time.monotonic() + 20
    while time.monotonic() < give_up_at:
        if select.select([descriptor], [], [], 0.1)[0]:
            shown += os.read(descriptor, 65536)
        elif command.poll() is not None:
            break
    return shown.decode()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--sample-rate", "16000"], "--sample-rate describes raw audio, which needs --encoding"),
        (["--encoding", "linear16"], "needs a positive sample_rate"),
        (["--encoding", "opus", "--sample-rate", "48000"], "cannot pace raw 'opus' audio"),
        (["--realtime", "0"], "--realtime"),
        (["--param", "diarise=true"], "unknown option 'diarise': did you mean 'diarize'?"),
        (["--param", "utterances=true"], "unknown option 'utterances'"),
    ],
)
def test_bad_flags_are_usage_errors(
    dga: Dga, recording: Path, flags: list[str], message: str
) -> None:
    result = dga("live", str(recording), *flags)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("kind", ["missing", "directory", "empty", "text"])
def test_unusable_file_is_bad_input(dga: Dga, tmp_path: Path, kind: str) -> None:
    path = {
        "missing": tmp_path / "nowhere.wav",
        "directory": tmp_path,
        "empty": tmp_path / "empty.wav",
        "text": tmp_path / "notes.txt",
    }[kind]
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("not a sound")
    result = dga("live", str(path))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Error: ")
    assert result.err.count("\n") == 1
    assert str(path) in result.err


def test_refused_handshake_is_a_service_error_with_request_id_and_hint(
    dga: Dga, recording: Path
) -> None:
    result = dga("live", str(recording), key="wrong-key-0815")
    assert (result.code, result.out) == (1, "")
    assert "401" in result.err
    assert "[request id " in result.err
    assert "Hint: " in result.err
    assert "wrong-key-0815" not in result.err
