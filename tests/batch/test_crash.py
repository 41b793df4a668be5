"""A batch that is killed loses no result and pays again only for what was in flight."""

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from deepgram_async.batch import JournalError, SqliteJournal, journal_entries, journal_status
from tests.support.answers import TRANSCRIPTION
from tests.support.background import in_background
from tests.support.batches import BatchService, batch_service

ROOT = Path(__file__).parents[2]
COUNT = 150
MOST = 10


def job(service: BatchService, directory: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-W", "error", "-m", "tests.batch.job"),
            *(service.url, str(directory), str(COUNT), str(MOST)),
        ],
        cwd=ROOT,
    )


def killed_after(service: BatchService, directory: Path, answers: int) -> None:
    """Run a job and kill it once so many requests were answered."""
    with job(service, directory) as process:
        try:
            until = time.monotonic() + 60
            while len(service.answered) < answers:
                assert time.monotonic() < until
                assert process.poll() is None
                time.sleep(0.001)
        finally:
            process.kill()


@pytest.mark.parametrize("answers", [1, 60, 140])
def test_a_killed_batch_goes_on_where_it_was(answers: int, tmp_path: Path) -> None:
    with in_background(batch_service()) as service:
        service.takes_s = 0.02
        killed_after(service, tmp_path, answers)
        time.sleep(0.1)  # the service gives up what it had in work
        sent = Counter(service.received)
        done = {entry.name.encode() for entry in journal_entries(tmp_path / "journal", "done")}
        with job(service, tmp_path) as process:
            try:
                assert process.wait(60) == 0
            finally:
                process.kill()
    # Paid twice is what was sent and not noted yet, and nothing else.
    again = {body for body, count in service.received.items() if count > 1}
    assert again == set(sent) - done
    assert len(again) <= MOST * 2
    assert max(service.received.values()) <= 2
    assert len(service.received) == journal_status(tmp_path / "journal").done == COUNT
    assert_complete(tmp_path)


def assert_complete(directory: Path) -> None:
    """Check that every result is there, as it was sent."""
    written = {path.name: path for path in (directory / "out").iterdir()}
    assert set(written) - {f"item {number}.json" for number in range(COUNT)} <= {
        f".item {number}.json.part" for number in range(COUNT)
    }
    for number in range(COUNT):
        assert json.loads(written[f"item {number}.json"].read_text()) == TRANSCRIPTION
    lines = [json.loads(line) for line in (directory / "answers.jsonl").read_text().splitlines()]
    assert {line["name"] for line in lines} == {f"item {number}" for number in range(COUNT)}


async def test_no_other_batch_takes_the_journal_of_one_that_runs(tmp_path: Path) -> None:
    with in_background(batch_service(is_open=False)) as service:
        with job(service, tmp_path) as process:
            try:
                while not service.in_flight:
                    assert process.poll() is None
                    time.sleep(0.001)  # noqa: ASYNC251  # nothing else runs on this loop
                with pytest.raises(JournalError, match="another batch is writing"):
                    async with SqliteJournal(tmp_path / "journal"):
                        pass
            finally:
                process.kill()
        service.open()
        async with SqliteJournal(tmp_path / "journal"):  # nothing keeps what was killed
            pass
