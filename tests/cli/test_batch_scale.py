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
from tests.support.background import in_background
from tests.support.batches import batch_service
from tests.support.redis_server import needs_redis, redis_server
from tests.support.s3 import s3_server

Dga = Callable[..., Result]
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-m", "deepgram_async.cli", "--api-key", KEY]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten recordings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calls").mkdir()
    for number in range(10):
        (tmp_path / "calls" / f"{number}.wav").write_bytes(f"number {number}".encode())
    return tmp_path / "calls"


def test_the_shards_of_a_batch_are_all_of_it_and_nothing_twice(dga: Dga, calls: Path) -> None:
    with in_background(batch_service()) as service:
        results = [
            dga(
                *("batch", "calls", "-o", "out", "--jsonl", "all.jsonl"),
                *("--shard", f"{shard}/3"),
                url=service.url,
            )
            for shard in range(3)
        ]
    assert [result.code for result in results] == [0, 0, 0]
    assert service.received == {f"number {number}".encode(): 1 for number in range(10)}
    journals = sorted(path.name for path in (calls.parent / "out").glob("*.journal"))
    assert journals == [f"batch-{shard}-of-3.journal" for shard in range(3)]
    # Files that grow belong to one shard each.
    lines = [(calls.parent / f"all-{shard}-of-3.jsonl").read_text() for shard in range(3)]
    assert sum(text.count("\n") for text in lines) == 10


def test_an_array_job_tells_the_shard(
    dga: Dga, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    with in_background(batch_service()) as service:
        assert dga("batch", "calls", "--shard", "auto/2", url=service.url).code == 0
    assert 0 < len(service.received) < 10
    result = dga("batch", "calls", "--shard", "auto")
    assert result.code == 2
    assert "auto/8" in result.err


def test_a_shard_that_does_not_exist_is_a_wrong_flag(dga: Dga, calls: Path) -> None:
    result = dga("batch", "calls", "--shard", "3/3")
    assert result.code == 2
    assert "counted from 0" in result.err


@needs_redis
def test_batches_share_a_limit_through_redis(dga: Dga, calls: Path) -> None:
    with redis_server() as redis, in_background(batch_service()) as service:
        result = dga(
            "batch", "calls", "-o", "out", "--limit", "2", "--redis", redis, url=service.url
        )
    assert result.code == 0
    assert service.most <= 2
    result = dga("batch", "calls", "-o", "other", "--redis", "redis://127.0.0.1:9", "--force")
    assert result.code == 1
    assert "Redis cannot be reached" in result.err


def test_answers_come_to_a_callback_url(dga: Dga, calls: Path) -> None:
    for path in calls.iterdir():
        write_wav(path)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    url = f"http://127.0.0.1:{port}/deepgram"
    result = dga("batch", "calls", "-o", "out", "--callback", url, "--callback-port", port)
    assert result.code == 0
    answers = list((calls.parent / "out").glob("*.wav.json"))
    assert len(answers) == 10
    assert json.loads(answers[0].read_text())["results"]["channels"]


def test_a_callback_port_that_is_taken_is_a_wrong_flag(dga: Dga, calls: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as other:
        port = str(other.getsockname()[1])
        url = f"http://127.0.0.1:{port}/deepgram"
        result = dga("batch", "calls", "-o", "out", "--callback", url, "--callback-port", port)
    assert (result.code, result.out) == (2, "")
    assert f"--callback-port {port}: " in result.err


def test_a_callback_url_that_cannot_be_is_a_wrong_flag(dga: Dga, calls: Path) -> None:
    result = dga("batch", "calls", "--callback", "ftp://example.com")
    assert result.code == 2
    assert "--callback" in result.err


def test_recordings_in_a_bucket_are_a_place(
    dga: Dga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("obstore")
    monkeypatch.chdir(tmp_path)
    objects = {"calls/a.wav": b"one", "calls/b.wav": b"two"}
    with (
        in_background(s3_server("bucket", objects)) as bucket,
        in_background(batch_service()) as service,
    ):
        for name, value in {
            "AWS_ACCESS_KEY_ID": "sentinel-id",
            "AWS_SECRET_ACCESS_KEY": "sentinel-secret",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ENDPOINT_URL": bucket.url,
        }.items():
            monkeypatch.setenv(name, value)
        survey = dga("batch", "s3://bucket/calls/", "--dry-run", "--json")
        result = dga("batch", "s3://bucket/calls/", "-o", "out", url=service.url)
        nothing = dga("batch", "s3://bucket/elsewhere/", url=service.url)
    assert json.loads(survey.out)["bytes"] == 6
    assert result.code == 0
    assert service.received == {b"one": 1, b"two": 1}
    assert (tmp_path / "out" / "bucket" / "calls" / "a.wav.json").exists()
    assert nothing.code == 2
    assert "no recordings" in nothing.err


def test_an_interrupt_ends_the_search_in_a_store_that_says_nothing(tmp_path: Path) -> None:
    pytest.importorskip("obstore")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environ = {name: value for name, value in os.environ.items() if "AWS_" not in name}
        with subprocess.Popen(
            [*COMMAND, "batch", "s3://bucket/calls/", "-o", str(tmp_path)],
            env={**environ, "AWS_METADATA_ENDPOINT": url},
            stderr=subprocess.PIPE,
            cwd=ROOT,
        ) as command:
            try:
                asked, _ = silent.accept()
                with asked:
                    command.send_signal(signal.SIGINT)
                    command.communicate(timeout=30)
            finally:
                command.kill()
    assert command.returncode == 130
