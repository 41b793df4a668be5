"""What a journal remembers, and what is not sent again because of it."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from deepgram_async.batch import (
    Batch,
    BatchSource,
    BytesItem,
    Failed,
    FileSink,
    JournalError,
    Redo,
    SqliteJournal,
    item_key,
    journal_entries,
    journal_status,
)
from deepgram_async.errors import AudioSourceError, AuthenticationError, InvalidStateError
from tests.support.batches import AT_ONCE, BatchService, batch_service, items, names, split
from tests.support.steps import each_step
from tests.support.wire import service as service_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs" / "calls.journal"


async def run(
    service: BatchService,
    path: Path,
    sources: Sequence[BatchSource],
    *,
    redo: Redo = "unfinished",
    model: str = "nova-3",
) -> Batch:
    """Run a batch with a journal to its end, as a program that is started for it."""
    async with service.session() as dg, SqliteJournal(path) as journal:
        batch = Batch(dg, sources, journal=journal, redo=redo, retry=AT_ONCE, model=model)
        await batch.run()
    return batch


async def test_what_is_done_is_never_sent_again(path: Path) -> None:
    async with batch_service() as service:
        await run(service, path, items(5))
        stats = (await run(service, path, items(8))).stats()
    assert (stats.done, stats.done_before) == (3, 5)
    assert set(service.received.values()) == {1}
    assert journal_status(path).done == 8


async def test_what_failed_is_sent_again_only_when_asked(path: Path) -> None:
    async with batch_service() as service:
        service.faults[b"item 1"] = [400]
        await run(service, path, items(3))
        again = (await run(service, path, items(3))).stats()
        assert (again.failed_before, again.requests) == (1, 0)
        assert journal_status(path).failed == 1
        asked = (await run(service, path, items(3), redo="failed")).stats()
    assert (asked.done, asked.done_before) == (1, 2)
    assert service.received[b"item 1"] == 2
    assert journal_status(path).failed == 0


async def test_everything_is_sent_again_when_asked(path: Path) -> None:
    async with batch_service() as service:
        await run(service, path, items(3))
        stats = (await run(service, path, items(3), redo="everything")).stats()
    assert stats.done == 3
    assert set(service.received.values()) == {2}


@pytest.mark.parametrize("redo", ["unfinished", "everything"])
async def test_an_item_that_comes_twice_is_sent_once(path: Path, redo: Redo) -> None:
    async with batch_service() as service:
        stats = (await run(service, path, [*items(4), *items(4)], redo=redo)).stats()
    assert (stats.done, stats.repeated, stats.requests) == (4, 4, 4)


async def test_what_a_batch_did_not_finish_is_sent_by_the_next(path: Path) -> None:
    async with batch_service() as service:
        service.faults[b"item 2"] = [401]
        with pytest.raises(AuthenticationError):
            await run(service, path, items(6))
        assert journal_status(path).unfinished > 0
        stats = (await run(service, path, items(6))).stats()
    assert stats.done + stats.done_before == 6
    assert service.received[b"item 2"] == 2
    assert journal_status(path).unfinished == 0


async def test_a_file_that_changed_is_another_item(path: Path, tmp_path: Path) -> None:
    recording = tmp_path / "a.wav"
    recording.write_bytes(b"first")
    async with batch_service() as service:
        await run(service, path, [recording])
        await run(service, path, [recording])
        os.utime(recording, ns=(1, 1))
        await run(service, path, [recording])
        recording.write_bytes(b"other!")
        await run(service, path, [recording])
    assert service.received == {b"first": 2, b"other!": 1}


async def test_other_options_make_another_item(path: Path) -> None:
    async with batch_service() as service:
        await run(service, path, items(2), model="nova-3")
        await run(service, path, items(2), model="nova-2")
    assert set(service.received.values()) == {2}
    assert journal_status(path).done == 4


async def test_options_that_are_not_sent_make_no_difference() -> None:
    item = BytesItem(b"audio")
    key = await item_key(item, {"model": "nova-3"})
    assert await item_key(item, {"language": None, "model": "nova-3"}) == key  # type: ignore[typeddict-item]  # pyright: ignore[reportArgumentType]
    assert await item_key(item, {"model": "nova-3"}, {"beta": "1"}) != key


async def test_two_items_of_one_name_do_not_overwrite_each_other(path: Path) -> None:
    sources = [BytesItem(b"one", "same"), BytesItem(b"other", "same")]
    async with batch_service() as service:
        async with service.session() as dg, SqliteJournal(path) as journal:
            done, failed = await split(Batch(dg, sources, journal=journal, model="nova-3"))
        assert names(done) == names(failed) == ["same"]
        assert isinstance(failed[0].error, AudioSourceError)
        assert len(service.received) == 1
        # Also when the first was kept long ago, and never in another run.
        later = [sources[0], *items(60), sources[1]]
        assert (await run(service, path, later, redo="everything")).stats().failed == 1
        stats = (await run(service, path, [sources[1]], redo="failed")).stats()
    assert stats.done == 1


async def test_names_that_lead_to_one_file_are_the_same(path: Path) -> None:
    sources = [BytesItem(b"one", "calls/a"), BytesItem(b"two", "./calls//a")]
    async with batch_service() as service:
        batch = await run(service, path, sources)
    assert (batch.stats().done, batch.stats().failed) == (1, 1)
    assert service.received == {b"one": 1}


async def test_a_file_that_was_missing_is_looked_for_again(path: Path, tmp_path: Path) -> None:
    recording = tmp_path / "late.wav"
    async with batch_service() as service:
        assert (await run(service, path, [recording])).stats().failed == 1
        assert (await run(service, path, [recording])).stats().failed == 1
        recording.write_bytes(b"here")
        assert (await run(service, path, [recording])).stats().done == 1


def write_where_possible(recording: Path) -> None:
    try:
        recording.write_bytes(b"audio")
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")


async def test_a_path_that_is_no_utf_8_is_an_item_like_any_other(
    path: Path, tmp_path: Path
) -> None:
    recording = tmp_path / os.fsdecode(b"one\xff.wav")
    write_where_possible(recording)
    async with batch_service() as service:
        for _ in range(2):
            await run(service, path, [recording])
        assert sum(service.received.values()) == 1
    [entry] = journal_entries(path)
    assert (entry.state, entry.source) == ("done", f"{tmp_path}/one%FF.wav")
    assert entry.name.endswith("/one%FF.wav")


async def test_an_address_that_the_service_repeats_is_kept_without_its_secrets(path: Path) -> None:
    signed = "https://user:sentinel-1@example.com/a.wav?signature=sentinel-2"
    answer = {"err_code": "REMOTE_CONTENT_ERROR", "err_msg": f"cannot fetch {signed}: 403"}
    async with service_of(answer, status=400) as there, there.session() as dg:
        async with SqliteJournal(path) as journal:
            [failed] = [outcome async for outcome in Batch(dg, [signed], journal=journal)]
    assert isinstance(failed, Failed)
    [entry] = journal_entries(path)
    assert entry.error == failed.reason
    assert "cannot fetch https://example.com/a.wav" in failed.reason
    assert b"sentinel" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


async def test_entries_tell_what_became_of_each_item(path: Path) -> None:
    async with batch_service() as service:
        service.faults[b"item 1"] = [503, 400]
        await run(service, path, items(2))
    done, failed = journal_entries(path)
    assert (done.source, done.name, done.state) == ("item 0", "item 0", "done")
    assert (done.attempts, done.request_id, done.audio_s) == (1, "0f1e2d3c", 1.5)
    assert done.error is None
    assert (failed.state, failed.attempts, failed.request_id) == ("failed", 2, "r-1")
    assert (failed.error_kind, failed.status) == ("BadRequestError", 400)
    assert failed.error
    assert "400 FAULT" in failed.error
    assert list(journal_entries(path, "failed")) == [failed]


async def test_the_status_can_be_read_while_a_batch_writes(path: Path) -> None:
    async with batch_service() as service, service.session() as dg:
        async with SqliteJournal(path) as journal:
            await Batch(dg, items(3), journal=journal, model="nova-3").run()
            status = journal_status(path)
            assert (status.done, status.audio_s, status.is_in_use) == (3, 4.5, True)
        assert not journal_status(path).is_in_use


async def test_the_status_needs_no_lock_file(path: Path) -> None:
    async with batch_service() as service:
        await run(service, path, items(2))
    lock = path.with_name(f"{path.name}.lock")
    lock.unlink()
    lock.mkdir()
    status = journal_status(path)
    assert (status.done, status.is_in_use) == (2, False)


async def test_two_batches_cannot_write_to_one_journal(path: Path) -> None:
    async with SqliteJournal(path):
        with pytest.raises(JournalError, match="another batch is writing"):
            async with SqliteJournal(path):
                pass
    async with SqliteJournal(path):  # the first has let go of it
        pass


async def test_a_journal_is_opened_once(path: Path) -> None:
    journal = SqliteJournal(path)
    with pytest.raises(InvalidStateError, match="async with"):
        await journal.claim("key", BytesItem(b"audio"), "unfinished")
    async with journal:
        with pytest.raises(InvalidStateError, match="open already"):
            await journal.__aenter__()
    async with journal:  # again is fine
        pass


async def test_another_database_is_no_journal(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (a)")
    other.close()
    with pytest.raises(JournalError, match="is no journal"):
        async with SqliteJournal(path):
            pass
    with pytest.raises(JournalError, match="is no journal"):
        journal_status(path)


async def test_a_file_that_is_no_database_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("a shopping list, longer than the header of a database file is" * 20)
    with pytest.raises(JournalError, match="not a database"):
        async with SqliteJournal(path):
            pass


async def test_a_journal_of_a_newer_release_is_left_alone(path: Path) -> None:
    async with SqliteJournal(path):
        pass
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(JournalError, match="version 99"):
        async with SqliteJournal(path):
            pass


def test_there_is_no_status_without_a_journal(path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal"):
        journal_status(path)
    assert not path.parent.exists()


async def test_a_journal_that_cannot_be_written_ends_the_batch(path: Path) -> None:
    async with batch_service() as service, service.session() as dg:
        with pytest.raises(JournalError, match="columns"):
            async with SqliteJournal(path) as journal:
                with sqlite3.connect(path) as vandal:
                    vandal.execute("ALTER TABLE item DROP COLUMN took_s")
                vandal.close()
                await Batch(dg, items(100), journal=journal, model="nova-3").run()
    assert sum(service.received.values()) < 100


async def test_an_outcome_keeps_the_key_of_its_item(path: Path) -> None:
    async with batch_service() as service, service.session() as dg:
        async with SqliteJournal(path) as journal:
            done, _ = await split(Batch(dg, items(2), journal=journal, model="nova-3"))
        for outcome in done:
            assert await item_key(outcome.item, {"model": "nova-3"}) == outcome.key
        _, failed = await split(Batch(dg, ["missing"], model="nova-3"))
    assert isinstance(failed[0], Failed)


@pytest.mark.parametrize("late", [False, True])
async def test_cancelled_at_any_step_a_batch_notes_what_is_true(tmp_path: Path, late: bool) -> None:
    async with batch_service() as service, service.session() as dg:

        async def run_all(directory: Path) -> None:
            async with SqliteJournal(directory / "journal") as journal:
                files = FileSink(directory)
                await Batch(dg, items(2), journal=journal, sinks=[files], model="nova-3").run()

        kept = set[str]()
        for cancellation in each_step(late=late):
            directory = tmp_path / str(cancellation.step)
            await cancellation(run_all(directory))
            kept = {path.stem for path in directory.glob("*.json")}
            if (directory / "journal").exists():
                async with SqliteJournal(directory / "journal"):  # it was let go of
                    pass
                assert {
                    entry.name for entry in journal_entries(directory / "journal", "done")
                } <= kept
    assert kept == {"item 0", "item 1"}
