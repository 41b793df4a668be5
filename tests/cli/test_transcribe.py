import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.audio import write_wav
from tests.cli.conftest import KEY, Result

Dga = Callable[..., Result]
COMMAND = [sys.executable, "-W", "error", "-m", "deepgram_async.cli", "--api-key", KEY]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "talk.wav")


def test_text_is_all_that_is_printed(dga: Dga, recording: Path) -> None:
    result = dga("transcribe", str(recording))
    assert (result.code, result.out, result.err) == (0, "Hello world. Good bye.\n", "")


def test_json_is_the_answer_to_the_letter(dga: Dga, recording: Path) -> None:
    result = dga("transcribe", str(recording), "--json")
    answer = json.loads(result.out)
    assert result.code == 0
    assert answer["results"]["channels"][0]["alternatives"][0]["transcript"].startswith("Hello")
    assert answer["metadata"]["transaction_key"] == "deprecated"
    assert result.out.count("\n") == 1


def test_each_channel_has_its_paragraphs(dga: Dga, tmp_path: Path) -> None:
    stereo = write_wav(tmp_path / "call.wav", channels=2)
    result = dga("transcribe", str(stereo), "--multichannel")
    assert "Channel 0: Hello world." in result.out
    assert "Channel 1: Hello world." in result.out


def test_standard_input_is_transcribed(base_url: str, recording: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--base-url", base_url, "transcribe", "-"],
        input=recording.read_bytes(),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Hello world. Good bye.\n", b"")


def test_parameters_reach_the_service_with_their_types(dga: Dga, recording: Path) -> None:
    params = ["utterances=true", "utt-split=0.5", "tag=one", "tag=two", "extra=a:b"]
    flags = [word for param in params for word in ("-p", param)]
    result = dga("transcribe", str(recording), "--json", *flags)
    answer = json.loads(result.out)
    assert [item["transcript"] for item in answer["results"]["utterances"]] == [
        "Hello world.",
        "Good bye.",
    ]
    assert answer["metadata"]["tags"] == ["one", "two"]
    assert answer["metadata"]["extra"] == {"a": "b"}


def test_extra_query_is_sent_unchecked(dga: Dga, recording: Path) -> None:
    result = dga("transcribe", str(recording), "--json", "--extra-query", "tag=new")
    assert json.loads(result.out)["metadata"]["tags"] == ["new"]


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ("smartformat=true", "unknown option 'smartformat': did you mean 'smart_format'?"),
        ("qqq=1", "unknown option 'qqq': --extra-query sends newer ones"),
        ("punctuate", "'punctuate' is not of the form NAME=VALUE"),
        ("=1", "'=1' is not of the form NAME=VALUE"),
        ("punctuate=perhaps", "'punctuate': Expected `bool`, got `str`"),
        ("utt_split=long", "'utt_split': Expected `float`, got `str`"),
        ("custom_topic_mode=loose", "'custom_topic_mode': Invalid enum value 'loose'"),
    ],
)
def test_bad_parameter_is_a_usage_error(
    dga: Dga, recording: Path, param: str, message: str
) -> None:
    result = dga("transcribe", str(recording), "--param", param)
    assert (result.code, result.out) == (2, "")
    assert f"Error: Invalid value for --param: {message}" in result.err


def test_single_option_given_twice_is_a_usage_error(dga: Dga, recording: Path) -> None:
    result = dga("transcribe", str(recording), "-p", "version=1", "-p", "version=2")
    assert (result.code, result.out) == (2, "")
    assert "'version' takes one value" in result.err


def test_missing_file_is_bad_input(dga: Dga, tmp_path: Path) -> None:
    result = dga("transcribe", str(tmp_path / "nowhere.mp3"))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Error: ")
    assert "nowhere.mp3" in result.err
    assert "Traceback" not in result.err


def test_directory_and_empty_file_are_bad_input(dga: Dga, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    for path, words in (
        (tmp_path, "is a directory, which the command batch takes"),
        (tmp_path / "empty.wav", "is empty"),
    ):
        result = dga("transcribe", str(path))
        assert (result.code, result.out) == (2, "")
        assert words in result.err


def test_missing_key_is_a_configuration_error(
    dga: Dga, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEEPGRAM_API_KEY", raising=False)
    result = dga("transcribe", str(recording), key=None, url="https://api.deepgram.com")
    assert (result.code, result.out) == (2, "")
    assert "DEEPGRAM_API_KEY" in result.err


def test_refused_key_is_a_service_error_with_request_id_and_hint(dga: Dga, recording: Path) -> None:
    result = dga("transcribe", str(recording), key="wrong-key-0815")
    assert (result.code, result.out) == (1, "")
    error, hint = result.err.splitlines()
    assert error.startswith("Error: POST /v1/listen: 401 INVALID_AUTH: Invalid credentials.")
    assert "[request id " in error
    assert hint.startswith("Hint: ")
    assert "wrong-key-0815" not in result.err


def test_unreachable_host_is_a_network_error(dga: Dga, recording: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        result = dga("transcribe", str(recording), url=url)
    assert (result.code, result.out) == (1, "")
    assert "127.0.0.1" in result.err
    assert "Traceback" not in result.err


def test_debugging_shows_where_it_failed(
    dga: Dga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPGRAM_LOG", "debug")
    result = dga("transcribe", str(tmp_path / "nowhere.mp3"))
    assert result.code == 2
    assert "Traceback" in result.err


def test_emulator_excludes_a_base_url(dga: Dga, base_url: str, recording: Path) -> None:
    result = dga("--base-url", base_url, "transcribe", str(recording), "--emulator")
    assert (result.code, result.out) == (2, "")
    assert "--emulator and --base-url exclude each other" in result.err


def test_closed_pipe_ends_the_command_quietly(base_url: str, recording: Path) -> None:
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    try:
        done = subprocess.run(
            [*COMMAND, "--base-url", base_url, "transcribe", str(recording)],
            stdout=write_fd,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
        )
    finally:
        os.close(write_fd)
    assert (done.returncode, done.stderr) == (1, b"")


def test_several_formats_are_written_beside_each_other(
    dga: Dga, recording: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "out"
    result = dga("transcribe", str(recording), "-f", "text,json,srt,vtt,md,tsv", "-o", str(out))
    assert (result.code, result.out, result.err) == (0, "", "")
    assert sorted(path.name for path in out.iterdir()) == [
        "talk.json",
        "talk.md",
        "talk.srt",
        "talk.tsv",
        "talk.txt",
        "talk.vtt",
    ]
    assert (out / "talk.txt").read_text() == "Hello world. Good bye.\n"
    assert (out / "talk.srt").read_text().startswith("1\n00:00:00,200 --> ")
    assert json.loads((out / "talk.json").read_text())["metadata"]["transaction_key"]


def test_suffix_of_the_output_chooses_the_format(dga: Dga, recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "captions.vtt"
    assert dga("transcribe", str(recording), "-o", str(path), "--line-length", "8").code == 0
    assert path.read_text().startswith("WEBVTT\n\n1\n")
    assert "\nHello\nworld.\n" in path.read_text()


def test_file_that_is_there_is_kept_unless_forced(
    dga: Dga, recording: Path, tmp_path: Path
) -> None:
    path = tmp_path / "talk.txt"
    path.write_text("mine")
    kept = dga("transcribe", str(recording), "-o", str(path), url="http://127.0.0.1:1")
    assert (kept.code, path.read_text()) == (0, "mine")
    assert "0 transcribed (0:00:00 of audio), 1 skipped, because their files are there" in kept.err
    forced = dga("transcribe", str(recording), "-o", str(path), "--force")
    assert (forced.code, forced.err, path.read_text()) == (0, "", "Hello world. Good bye.\n")


def test_sources_are_transcribed_together_and_printed_in_their_order(
    dga: Dga, tmp_path: Path
) -> None:
    names = [str(write_wav(tmp_path / f"{name}.wav")) for name in "cba"]
    result = dga("transcribe", *names, "--jobs", "3")
    assert result.code == 0
    assert result.out == "\n".join(f"==> {name} <==\nHello world. Good bye.\n" for name in names)
    assert result.err.startswith("3 transcribed (0:00:09 of audio), in ")
    lines = dga("transcribe", *names, "--json").out.splitlines()
    assert [json.loads(line)["metadata"]["channels"] for line in lines] == [1, 1, 1]


def test_failing_source_does_not_stop_the_others(dga: Dga, tmp_path: Path) -> None:
    good = write_wav(tmp_path / "good.wav")
    out = tmp_path / "out"
    sources = [str(tmp_path / "nowhere.wav"), str(good), str(tmp_path)]
    result = dga("transcribe", *sources, "-o", str(out))
    assert (result.code, result.out) == (3, "")
    assert [path.name for path in out.iterdir()] == ["good.txt"]
    assert f"Error: {tmp_path}/nowhere.wav: " in result.err
    assert "1 transcribed (0:00:03 of audio), 2 failed" in result.err
    again = dga("transcribe", str(good), str(good), sources[0], "-o", str(out))
    assert again.code == 3
    assert "0 transcribed (0:00:00 of audio), 1 skipped" in again.err


def test_refused_key_stops_all_at_once(dga: Dga, tmp_path: Path) -> None:
    names = [str(write_wav(tmp_path / f"{name}.wav")) for name in "ab"]
    result = dga("transcribe", *names, key="wrong-key-0815")
    assert (result.code, result.out) == (1, "")
    assert result.err.count("Error: ") == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["a.wav", "-f", "text,json"], "several formats need --output DIR"),
        (["a.wav", "b.wav", "-f", "srt"], "srt of several sources needs --output DIR"),
        (["a.wav", "b/a.mp3", "-o", "DIR"], "a.wav and b/a.mp3 would both be written to"),
        (["a.wav", "-f", "doc"], "there is no format 'doc'"),
        (["a.wav", "-o", "a.doc"], "there is no format '.doc'"),
        (["a.wav", "--speaker-name", "Ann"], "'Ann' is not of the form NUMBER=NAME"),
        (["a.wav", "--line-length", "0"], "line_length"),
    ],
)
def test_outputs_that_do_not_go_together_are_usage_errors(
    dga: Dga, tmp_path: Path, args: list[str], message: str
) -> None:
    args = [str(tmp_path) if arg == "DIR" else arg for arg in args]
    result = dga("transcribe", *args)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


@pytest.mark.parametrize("source", ["file", "silent pipe"])
def test_interrupt_ends_the_command_quietly(recording: Path, source: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with subprocess.Popen(
            [*COMMAND, "--base-url", url, "transcribe", "-" if source != "file" else recording],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as command:
            try:
                connection, _ = silent.accept()
                command.send_signal(signal.SIGINT)
                assert command.wait(timeout=10) == 130
                connection.close()
            finally:
                command.kill()
            assert command.stdout is not None
            assert command.stderr is not None
            assert command.stdout.read() == b""
            assert command.stderr.read().strip() == b""
