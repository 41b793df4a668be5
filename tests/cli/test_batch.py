import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.audio import write_wav
from tests.cli.conftest import KEY, Result
from tests.support.background import in_background
from tests.support.batches import BatchService, batch_service

Dga = Callable[..., Result]
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-m", "deepgram_async.cli", "--api-key", KEY]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three recordings, one of them in a directory, and a file that is none; out/ is beside."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calls" / "old").mkdir(parents=True)
    for name, content in (("a", b"one"), ("b", b"two"), ("old/c", b"three")):
        (tmp_path / "calls" / f"{name}.wav").write_bytes(content)
    (tmp_path / "calls" / "notes.txt").write_text("not audio")
    return tmp_path / "calls"


def files_in(directory: Path) -> list[str]:
    return sorted(
        str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()
    )


def progress(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.err.splitlines()]


def test_each_recording_has_its_files(dga: Dga, calls: Path) -> None:
    for path in calls.rglob("*.wav"):
        write_wav(path)
    result = dga("batch", "calls", "-o", "out", "-f", "json,srt")
    assert result.code == 0
    assert files_in(calls.parent / "out") == [
        "a.wav.json",
        "a.wav.srt",
        "b.wav.json",
        "b.wav.srt",
        "batch.journal",
        "batch.journal.lock",
        "old/c.wav.json",
        "old/c.wav.srt",
    ]
    answer = json.loads((calls.parent / "out" / "a.wav.json").read_text())
    assert answer["results"]["channels"][0]["alternatives"][0]["transcript"].startswith("Hello")
    assert "Hello world." in (calls.parent / "out" / "a.wav.srt").read_text()


def test_help_has_a_line_for_each_exit_code(dga: Dga) -> None:
    out = dga("batch", "--help").out
    assert "\n    0    everything is done\n" in out
    assert "\\b" not in out


def test_the_same_command_goes_on_where_it_was(dga: Dga, calls: Path) -> None:
    with in_background(batch_service()) as service:
        first = dga("batch", "calls", "-o", "out", url=service.url)
        (calls / "d.wav").write_bytes(b"four")
        second = dga("batch", "calls", "-o", "out", "--resume", url=service.url)
    assert first.out.startswith("3 done (0:00:04 of audio), in 0:00:")
    assert second.out.startswith("1 done (0:00:02 of audio), 3 done before, in 0:00:")
    assert service.received == {b"one": 1, b"two": 1, b"three": 1, b"four": 1}


def test_what_failed_is_told_kept_and_sent_again_when_asked(dga: Dga, calls: Path) -> None:
    with in_background(batch_service(faults={b"two": [400]})) as service:
        first = dga("batch", "calls", "-o", "out", url=service.url)
        status = dga("batch", "--status", "-o", "out")
        as_json = dga("batch", "--status", "-o", "out", "--json")
        again = dga("batch", "calls", "-o", "out", url=service.url)
        assert service.received[b"two"] == 1
        retried = dga("batch", "calls", "-o", "out", "--retry-failed", url=service.url)
    assert first.code == 3
    assert "2 done (0:00:03 of audio), 1 failed" in first.out
    assert "1 x 400 BadRequestError" in first.out
    (told,) = [line for line in progress(first) if "failed" in line]
    assert told["failed"] == "calls/b.wav"
    assert told["error"].startswith("POST /v1/listen: 400 FAULT")
    assert status.out.startswith("2 done, 1 failed, 0 unfinished\n0:00:03 of audio\nnot running")
    assert "calls/b.wav\t1\tPOST /v1/listen: 400" in status.out
    (failure,) = json.loads(as_json.out)["failures"]
    assert (failure["source"], failure["status"]) == ("calls/b.wav", 400)
    assert (again.code, "1 failed before" in again.out) == (3, True)
    assert (retried.code, retried.out.startswith("1 done")) == (0, True)
    assert service.received == {b"one": 1, b"two": 2, b"three": 1}


def test_everything_is_sent_again_with_force(dga: Dga, calls: Path) -> None:
    with in_background(batch_service()) as service:
        dga("batch", "calls", "-o", "out", url=service.url)
        dga("batch", "calls", "-o", "out", "--force", url=service.url)
    assert set(service.received.values()) == {2}


def test_progress_is_lines_of_json_where_there_is_no_terminal(dga: Dga, calls: Path) -> None:
    with in_background(batch_service()) as service:
        result = dga("batch", "calls", "-o", "out", url=service.url)
    first, *_, last = progress(result)
    assert (first["total"], first["seen"]) == (3, 0)
    assert (last["seen"], last["done"], last["refused"], last["left_s"]) == (3, 3, 0, 0)


def test_progress_moves_on_a_terminal(calls: Path) -> None:
    ours, theirs = pty.openpty()
    with (
        os.fdopen(ours, "rb", buffering=0) as screen,
        in_background(batch_service(faults={b"two": [400]})) as service,
    ):
        with os.fdopen(theirs, "wb") as terminal:
            done = subprocess.run(
                [*COMMAND, "--base-url", service.url, "batch", calls, "-o", calls.parent / "out"],
                stdout=subprocess.PIPE,
                stderr=terminal,
                env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
                cwd=ROOT,
                timeout=60,
                check=False,
            )
        shown = screen.read(65536).decode()
    assert (done.returncode, done.stdout[:6]) == (3, b"2 done")
    assert "Failed: " in shown
    assert f"{calls}/b.wav: POST /v1/listen: 400" in shown
    assert "3/3" in shown
    assert "0 of 10 in flight" in shown
    assert "1 failed" in shown


def test_a_dry_run_sends_nothing(dga: Dga, calls: Path) -> None:
    write_wav(calls / "a.wav", seconds=90.0, channels=2)
    (calls / "empty.wav").touch()
    with in_background(batch_service()) as service:
        told = dga("batch", "--dry-run", "calls", url=service.url)
        as_json = dga("batch", "--dry-run", "calls", "--json", "--multichannel", url=service.url)
    assert not service.received
    assert told.code == as_json.code == 0
    assert told.out.splitlines()[:3] == [
        "4 files, 5.8 MB, 0:01:30 of audio",
        "3 of unknown length, which the figures leave out",
        "about $0.01, at $0.0043 a minute; --prices gives yours",
    ]
    assert "5.8 MB    0:01:30  calls/a.wav" in told.out
    assert "calls/empty.wav: empty" in told.out
    figures = json.loads(as_json.out)
    assert (figures["items"], figures["audio_s"], figures["channel_s"]) == (4, 90.0, 180.0)
    assert figures["usd"] == pytest.approx(0.0043 * 3)
    assert not (calls.parent / "transcripts").exists()


def test_prices_can_be_ones_own(dga: Dga, calls: Path) -> None:
    write_wav(calls / "a.wav", seconds=60.0)
    Path("prices.toml").write_text('"nova-3" = 0.5\n')
    told = dga("batch", "--dry-run", "calls/a.wav", "--prices", "prices.toml")
    assert "about $0.50, at $0.5 a minute" in told.out
    unknown = dga("batch", "--dry-run", "calls/a.wav", "-m", "mine")
    assert "no price is known for this model" in unknown.out
    Path("prices.toml").write_text('"nova-3" = "dear"\n')
    broken = dga("batch", "--dry-run", "calls/a.wav", "--prices", "prices.toml")
    assert (broken.code, "cannot read the prices" in broken.err) == (2, True)


def test_recordings_come_from_lists(dga: Dga, calls: Path) -> None:
    Path("list.txt").write_text("# ours\ncalls/a.wav\n\ncalls/old/c.wav\n")
    Path("list.jsonl").write_text('{"source": "calls/b.wav", "name": "renamed"}\n')
    lists = ("--list", "list.txt", "--list", "list.jsonl")
    with in_background(batch_service()) as service:
        result = dga("batch", *lists, "-o", "out", "-f", "text", url=service.url)
    assert (result.code, len(service.received)) == (0, 3)
    assert [name for name in files_in(calls.parent / "out") if name.endswith(".txt")] == [
        "calls/a.wav.txt",
        "calls/old/c.wav.txt",
        "renamed.txt",
    ]


def test_answers_go_into_one_file_and_a_table(dga: Dga, calls: Path) -> None:
    places = ("-f", "none", "--jsonl", "all.jsonl", "--parquet", "table")
    with in_background(batch_service()) as service:
        result = dga("batch", "calls", "-o", "out", *places, url=service.url)
    assert result.code == 0
    lines = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert sorted(line["name"] for line in lines) == ["a.wav", "b.wav", "old/c.wav"]
    assert files_in(calls.parent / "table") == ["part-00000.parquet"]
    assert files_in(calls.parent / "out") == ["batch.journal", "batch.journal.lock"]


def test_an_answer_that_cannot_be_decoded_is_kept(dga: Dga, calls: Path) -> None:
    with in_background(batch_service(faults={b"one": ["garbage"]})) as service:
        result = dga("batch", "calls", "-o", "out", url=service.url)
    assert result.code == 3
    assert (calls.parent / "out" / "a.wav.undecoded").read_text() == '{"results": 1}'
    assert "the answer is in out/a.wav.undecoded" in result.err


def test_what_concerns_all_ends_it_and_is_told(dga: Dga, calls: Path) -> None:
    with in_background(batch_service(faults={b"one": [402]})) as service:
        result = dga("batch", "calls", "-o", "out", "--limit", "1", "--json", url=service.url)
    assert result.code == 1
    assert json.loads(result.out)["done"] == len(service.answered)
    assert "Error: POST /v1/listen: 402" in result.err


def test_results_that_cannot_be_kept_end_it(dga: Dga, calls: Path) -> None:
    Path("out").mkdir()
    Path("out/old").write_text("a file where a directory has to be")
    with in_background(batch_service()) as service:
        result = dga("batch", "calls", "-o", "out", url=service.url)
    assert result.code == 1
    assert "cannot keep the results" in result.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "nothing to transcribe"),
        (("nowhere",), "no file or directory"),
        (("calls", "--force", "--retry-failed"), "exclude each other"),
        (("calls", "-f", "none"), "nothing would be kept"),
        (("calls", "-f", "docx"), "no format 'docx'"),
        (("calls", "--list", "broken.jsonl"), "line 1 of broken.jsonl"),
    ],
)
def test_wrong_calls_are_told_before_anything_is_sent(
    dga: Dga, calls: Path, args: tuple[str, ...], words: str
) -> None:
    (calls.parent / "broken.jsonl").write_text("calls/a.wav\n")
    result = dga("batch", *args, "-o", "out")
    assert (result.code, result.out) == (2, "")
    assert words in result.err
    assert not (calls.parent / "out").exists()


def test_there_is_no_status_without_a_batch(dga: Dga, calls: Path) -> None:
    result = dga("batch", "--status", "-o", "out")
    assert (result.code, "there is no journal" in result.err) == (1, True)


def test_a_batch_goes_on_when_nobody_reads_its_progress(calls: Path) -> None:
    (calls.parent / "list").write_text("gone.wav\ncalls/a.wav\ncalls/b.wav\n")
    reading, writing = os.pipe()
    os.close(reading)
    with in_background(batch_service()) as service:
        command = subprocess.run(
            [
                *(*COMMAND, "--base-url", service.url, "batch"),
                *("--list", str(calls.parent / "list"), "-o", str(calls.parent / "out")),
            ],
            stdout=subprocess.PIPE,
            stderr=writing,
            cwd=ROOT,
            timeout=60,
        )
    os.close(writing)
    assert command.stdout.startswith(b"2 done (0:00:03 of audio), 1 failed")
    assert len(service.answered) == 2


def test_an_interrupt_finishes_what_is_in_flight(dga: Dga, calls: Path) -> None:
    with in_background(batch_service(is_open=False)) as service:
        with started(service, calls) as command:
            command.send_signal(signal.SIGINT)
            wait_for_words(command, b"finishing 1 in flight")
            service.open()
            out, _ = command.communicate(timeout=30)
        assert (command.returncode, out[:6]) == (130, b"1 done")
        assert len(service.answered) == 1
        again = dga("batch", str(calls), "-o", "out", url=service.url)
    assert (again.code, again.out[:6]) == (0, "2 done")
    assert set(service.received.values()) == {1}


def test_a_second_interrupt_ends_it_at_once(calls: Path) -> None:
    with in_background(batch_service(is_open=False)) as service:
        with started(service, calls) as command:
            command.send_signal(signal.SIGINT)
            wait_for_words(command, b"finishing")
            command.send_signal(signal.SIGINT)
            out, _ = command.communicate(timeout=30)
        service.open()
    assert (command.returncode, out[:6]) == (130, b"0 done")


@contextmanager
def started(service: BatchService, calls: Path) -> Generator[subprocess.Popen[bytes]]:
    """Start a batch that sends one request at a time, and wait until the first is in flight."""
    with subprocess.Popen(
        [
            *(*COMMAND, "--base-url", service.url, "batch", str(calls)),
            *("-o", str(calls.parent / "out"), "--limit", "1"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as command:
        try:
            until = time.monotonic() + 30
            while not service.in_flight:
                assert time.monotonic() < until
                assert command.poll() is None
                time.sleep(0.01)
            yield command
        finally:
            command.kill()


def wait_for_words(command: subprocess.Popen[bytes], words: bytes) -> None:
    assert command.stderr is not None
    for line in command.stderr:
        if words in line:
            return
    raise AssertionError(f"it never said {words!r}")
