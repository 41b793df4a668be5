import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection
from websockets.sync.server import ServerConnection as SyncServerConnection
from websockets.sync.server import serve

from tests.cli.audio import write_wav
from tests.cli.conftest import KEY, Result
from tests.support.background import in_background
from tests.support.flux import Flux, close_without_code
from tests.support.listen import metadata, read_until_close_stream, results
from tests.support.servers import http_server, websocket_server

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


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("srt", "1\n00:00:00,200 --> "),
        ("vtt", "WEBVTT\n\n1\n00:00:00.200 --> "),
        ("markdown", "Hello world. Good bye.\n"),
        ("tsv", "start\tend\tchannel\t"),
    ],
)
def test_formats_are_those_of_transcripts(
    dga: Dga, recording: Path, name: str, beginning: str
) -> None:
    result = dga("live", str(recording), "-f", name, *FAST)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(beginning)


def test_file_is_written_and_never_overwritten_unasked(
    dga: Dga, recording: Path, tmp_path: Path
) -> None:
    path = tmp_path / "talk.txt"
    result = dga("live", str(recording), "-o", str(path), *FAST)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert path.read_text() == "Hello world.\nGood bye.\n"
    path.write_text("mine")
    refused = dga("live", str(recording), "-o", str(path), *FAST)
    assert (refused.code, path.read_text()) == (2, "mine")
    assert "--force" in refused.err
    # What was wrong before anything was heard leaves it as it was.
    for wrong in ([str(recording), "-p", "nonsense=1"], [str(tmp_path / "nowhere.wav")]):
        assert dga("live", *wrong, "-o", str(path), "--force", *FAST).code == 2
    assert path.read_text() == "mine"
    assert dga("live", str(recording), "-o", str(path), "--force", *FAST).code == 0
    assert path.read_text() == "Hello world.\nGood bye.\n"


def test_stats_are_told_at_the_end(dga: Dga, recording: Path) -> None:
    result = dga("live", str(recording), "--stats", *FAST)
    assert result.out == "Hello world.\nGood bye.\n"
    assert "3.0 s of audio sent, 3.0 s transcribed, first words after " in result.err
    assert "0 connections replaced, request id " in result.err


def test_stream_of_a_station_is_fetched(dga: Dga, recording: Path) -> None:
    audio = recording.read_bytes()

    async def station(request: web.Request) -> web.StreamResponse:
        if request.path == "/gone":
            return web.Response(status=404)
        answer = web.StreamResponse()
        await answer.prepare(request)
        for start in range(0, len(audio), 5000):
            await answer.write(audio[start : start + 5000])
        return answer

    with in_background(http_server(station)) as url:
        heard = dga("live", f"{url}/radio", *FAST)
        gone = dga("live", f"{url}/gone?token=sentinel-token", *FAST)
    assert (heard.code, heard.out, heard.err) == (0, "Hello world.\nGood bye.\n", "")
    assert (gone.code, gone.out) == (2, "")
    assert f"cannot fetch {url}/gone: 404 Not Found" in gone.err
    assert "sentinel-token" not in gone.err
    nobody = dga("live", f"{url}/radio", *FAST)
    assert nobody.code == 2
    assert "Connection refused" in nobody.err


def test_microphone_is_heard_until_the_interrupt(base_url: str) -> None:
    with subprocess.Popen(
        [*COMMAND, "--base-url", base_url, "live", "--mic", "--sound", "null"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        try:
            assert command.stdout.readline() == b"Hello world.\n"
            command.send_signal(signal.SIGINT)
            assert command.wait(timeout=10) == 0
            assert command.stderr.read().startswith(b"Listening to ")
        finally:
            command.kill()


async def take_turns(connection: ServerConnection) -> None:
    await connection.send((flux := Flux()).connected())
    await connection.recv()
    for message in flux.turns(
        ("StartOfTurn", "How"), ("Update", "How are"), ("EndOfTurn", "How are you?")
    ):
        await connection.send(message)
    await connection.send(flux.turn("StartOfTurn", "Fine"))
    await read_until_close_stream(connection)
    await close_without_code(connection)


def test_flux_hears_turns(dga: Dga, recording: Path) -> None:
    paths: list[str] = []

    async def listen(connection: ServerConnection) -> None:
        assert connection.request is not None
        paths.append(connection.request.path)
        await take_turns(connection)

    command = ["live", str(recording), "-m", "flux-general-en", "--keyterm", "you", *FAST]
    with in_background(websocket_server(listen)) as url:
        result = dga(*command, "--interim", url=url)
        messages = dga(*command, "--json", url=url)
    assert (result.code, result.err) == (0, "")
    assert result.out == "~ How\n~ How are\nHow are you?\n~ Fine\nFine\n"
    kinds = [json.loads(line)["type"] for line in messages.out.splitlines()]
    assert kinds == ["Connected", "TurnInfo", "TurnInfo", "TurnInfo", "TurnInfo"]
    assert paths[0] == (
        "/v2/listen?encoding=linear16&sample_rate=16000&model=flux-general-en&keyterm=you"
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--diarize"], "Flux knows no --diarize"),
        (["-p", "punctuate=true"], "unknown option 'punctuate'"),
        (["-l", "de"], "language_hint"),
        (["STEREO"], "Flux hears one channel, and the audio has 2"),
    ],
)
def test_what_flux_does_not_know_is_refused(
    dga: Dga, tmp_path: Path, flags: list[str], message: str
) -> None:
    channels = 2 if flags == ["STEREO"] else 1
    path = write_wav(tmp_path / "call.wav", channels=channels)
    rest = [] if channels == 2 else flags
    result = dga("live", str(path), "-m", "flux-general-en", *rest)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_replaced_connection_is_told_of(dga: Dga, recording: Path) -> None:
    connections = 0

    async def stumble(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await connection.recv()
        if connections == 1:
            connection.transport.abort()
            return
        await read_until_close_stream(connection)
        await connection.send(results("Hello.", duration=3.0))
        await connection.send(metadata())

    with in_background(websocket_server(stumble)) as url:
        result = dga("live", str(recording), "--stats", *FAST, url=url)
    assert (result.code, result.out) == (0, "Hello.\n")
    assert "the connection was lost, attempt 1 follows" in result.err
    assert "connected again after" in result.err
    assert "1 connections replaced" in result.err


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

    def listen(connection: SyncServerConnection) -> None:
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


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--sample-rate", "16000"], "--sample-rate describes raw audio, which needs --encoding"),
        (["--encoding", "linear16"], "needs a positive sample_rate"),
        (["--encoding", "opus", "--sample-rate", "48000"], "cannot pace raw 'opus' audio"),
        (["--realtime", "0"], "--realtime"),
        (["--mic"], "give either a source or --mic"),
        (["-f", "doc"], "there is no format 'doc'"),
        (["-f", "srt", "--json"], "a stream is written in one format"),
        (["-o", "talk.doc"], "there is no format '.doc'"),
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
