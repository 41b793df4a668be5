"""A journal in a file of SQLite."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Final, Literal, Self

from deepgram_async.batch._durable import make_directory
from deepgram_async.batch._grouped import GroupedWriter
from deepgram_async.batch._items import Item
from deepgram_async.batch._journals import Claim, JournalError, Redo
from deepgram_async.batch._outcomes import Done, Outcome, reason_of
from deepgram_async.batch._threads import run_to_end
from deepgram_async.errors import AudioSourceError, DeepgramError, InvalidStateError

__all__ = [
    "JournalEntry",
    "JournalState",
    "JournalStatus",
    "SqliteJournal",
    "journal_entries",
    "journal_status",
]

_VERSION: Final = 1
# "dgaj": tells a journal from any other database.
_APPLICATION: Final = 0x6467616A
_SCHEMA: Final = f"""
BEGIN;
CREATE TABLE item (
    key TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('taken', 'done', 'failed')),
    attempts INTEGER NOT NULL,
    request_id TEXT,
    audio_s REAL,
    took_s REAL,
    error TEXT,
    error_kind TEXT,
    status INTEGER,
    run INTEGER NOT NULL,
    changed_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX item_by_name ON item (name);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""
_WRITE: Final = """
INSERT OR REPLACE INTO item VALUES (:key, :source, :name, :state, :attempts, :request_id, :audio_s,
    :took_s, :error, :error_kind, :status, :run, :changed_at)
"""

JournalState = Literal["taken", "done", "failed"]
"""Taken and without an outcome, done, or failed."""

_Row = dict[str, str | int | float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """What a journal knows of one item.

    Attributes:
        key: The item and the options, as a hash.
        source: What people call the item.
        name: Where its results belong.
        state: Taken and without an outcome, done, or failed.
        attempts: Requests sent for it in its last run.
        request_id: The id to quote to Deepgram's support.
        audio_s: Seconds of audio, once it is done.
        took_s: Seconds from taking it until its outcome.
        error: What went wrong, in one line.
        error_kind: Class of the error, such as ``BadRequestError``.
        status: HTTP status of the error, if the service answered.
        changed_at: Time of the last change, in seconds since 1970.
    """

    key: str
    source: str
    name: str
    state: JournalState
    attempts: int
    request_id: str | None
    audio_s: float | None
    took_s: float | None
    error: str | None
    error_kind: str | None
    status: int | None
    changed_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStatus:
    """A journal in numbers.

    Attributes:
        done: Items that are done.
        failed: Items that failed.
        unfinished: Items that were taken and have no outcome: in work now, or when the batch was
            interrupted.
        audio_s: Seconds of audio of what is done.
        changed_at: Time of the last change, in seconds since 1970; ``None`` without items.
        is_in_use: Whether a batch writes to it now.
    """

    done: int
    failed: int
    unfinished: int
    audio_s: float
    changed_at: float | None
    is_in_use: bool


class SqliteJournal:
    """A journal in one file, with one row for each item.

    ::

        async with SqliteJournal("calls.journal") as journal:
            await Batch(dg, sources, journal=journal, sinks=sinks, model="nova-3").run()

    It is written in a thread. All outcomes that come while the disk is busy are kept together, so
    that a hundred items a second need no hundred trips to the disk. What ``settle`` has returned
    for survives a crash of the machine. While it is open, nobody else can open it to write;
    ``journal_status`` and ``journal_entries`` read it.

    Args:
        path: The file; it is made if need be. SQLite puts two more beside it while it is in use,
            and one that ends in ``.lock`` stays there.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._opened: _Opened | None = None

    async def __aenter__(self) -> Self:
        """Open the file.

        Raises:
            JournalError: It is in use by another batch, is no journal, or cannot be opened.
        """
        if self._opened is not None:
            raise InvalidStateError("the journal is open already")
        self._opened = _Opened(await run_to_end(partial(_connect, self._path), _Connections.close))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.aclose()

    async def claim(self, key: str, item: Item, redo: Redo) -> Claim:
        """Note that an item is about to be sent, unless it shall not be; see ``Journal.claim``.

        Raises:
            AudioSourceError: Another item of this run has the same name.
            JournalError: The file cannot be read.
        """
        return await self._get().claim(key, item, redo)

    async def settle(self, outcome: Outcome) -> None:
        """Note the outcome of an item; see ``Journal.settle``.

        Raises:
            JournalError: The file cannot be written.
        """
        await self._get().settle(outcome)

    def _get(self) -> _Opened:
        if self._opened is None:
            raise InvalidStateError("the journal is not open: use `async with`")
        return self._opened


class _Opened:
    """The connections of an open journal: one that writes, one that reads meanwhile."""

    def __init__(self, connections: _Connections) -> None:
        self._connections = connections
        self._writer: GroupedWriter[_Row] = GroupedWriter(self._write, "deepgram-journal")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="deepgram-journal-reader")
        self._taken: dict[str, str] = {}
        """Names of the items of this run without an outcome, by key: few, and not all on disk."""

    async def aclose(self) -> None:
        """Write what is left and close the files."""
        try:
            await self._writer.aclose()
        finally:
            await run_to_end(self._close)

    async def claim(self, key: str, item: Item, redo: Redo) -> Claim:
        """Claim an item for this run; see ``Journal.claim``."""
        if key in self._taken:
            return "repeated"
        name = _plain(item.name)
        is_named_twice = name in self._taken.values()
        self._taken[key] = name
        is_taken = False
        try:
            verdict, is_named_again = await asyncio.get_running_loop().run_in_executor(
                self._reader, self._look_up, key, name, redo
            )
            if verdict == "open":
                if is_named_twice or is_named_again:
                    raise AudioSourceError(
                        f"another item of this batch is named {item.name!r}, too: its results "
                        "would be overwritten"
                    )
                self._writer.add(self._row(key, item, "taken"))
                is_taken = True
            return verdict
        finally:
            if not is_taken:
                del self._taken[key]

    async def settle(self, outcome: Outcome) -> None:
        """Note an outcome for good."""
        audio_s, error = None, None
        if isinstance(outcome, Done):
            audio_s = outcome.answer.duration
        else:
            error = outcome.error
        row = self._row(
            outcome.key,
            outcome.item,
            "failed" if error else "done",
            attempts=outcome.attempts,
            request_id=outcome.request_id,
            audio_s=audio_s,
            took_s=outcome.took_s,
            error=error,
        )
        await self._writer.put(row)
        self._taken.pop(outcome.key, None)

    def _row(
        self,
        key: str,
        item: Item,
        state: JournalState,
        *,
        attempts: int = 0,
        request_id: str | None = None,
        audio_s: float | None = None,
        took_s: float | None = None,
        error: Exception | None = None,
    ) -> _Row:
        return {
            "key": key,
            "source": item.source,
            "name": _plain(item.name),
            "state": state,
            "attempts": attempts,
            "request_id": request_id,
            "audio_s": audio_s,
            "took_s": took_s,
            "error": None if error is None else reason_of(error),
            "error_kind": None if error is None else type(error).__name__,
            "status": error.status if isinstance(error, DeepgramError) else None,
            "run": self._connections.run,
            "changed_at": time.time(),
        }

    # In threads.

    def _close(self) -> None:
        self._reader.shutdown()  # whoever was cancelled may have left it at work
        self._connections.close()

    def _write(self, rows: list[_Row]) -> None:
        connections = self._connections
        with _telling(connections.path):
            connections.writing.execute("BEGIN IMMEDIATE")
            try:
                connections.writing.executemany(_WRITE, rows)
            except sqlite3.Error:
                connections.writing.execute("ROLLBACK")
                raise
            connections.writing.execute("COMMIT")

    def _look_up(self, key: str, name: str, redo: Redo) -> tuple[Claim, bool]:
        """Return the verdict on an item, and whether this run has another one of its name."""
        connections = self._connections
        with _telling(connections.path):
            found = connections.reading.execute(
                "SELECT state, run FROM item WHERE key = ?", (key,)
            ).fetchone()
            other = connections.reading.execute(
                "SELECT 1 FROM item WHERE name = ? AND run = ? AND key <> ?",
                (name, connections.run, key),
            ).fetchone()
        return _verdict(found, connections.run, redo), other is not None


@dataclass(frozen=True, slots=True)
class _Connections:
    """What keeps others out, what writes and what reads; each is used by one thread at a time."""

    path: Path
    lock: sqlite3.Connection
    writing: sqlite3.Connection
    reading: sqlite3.Connection
    run: int

    def close(self) -> None:
        """Close the files; others can write to the journal then."""
        self.reading.close()
        self.writing.close()
        self.lock.close()


def _connect(path: Path) -> _Connections:
    with _telling(path), ExitStack() as stack:
        make_directory(path.parent)
        lock = stack.enter_context(closing(_connection(_lock_of(path))))
        # Whoever asks for the status has it for a moment.
        if not _can_lock(lock, wait_ms=200):
            raise JournalError(f"another batch is writing to the journal {str(path)!r}")
        writing = stack.enter_context(closing(_connection(path)))
        if _number(writing, "SELECT count(*) FROM sqlite_master") == 0:
            writing.executescript(_SCHEMA)
        _check(writing, path)
        writing.execute("PRAGMA journal_mode = WAL")
        # An answer that is noted and forgotten again would be paid twice.
        writing.execute("PRAGMA synchronous = FULL")
        run = _number(writing, "SELECT ifnull(max(run), 0) + 1 FROM item")
        reading = stack.enter_context(closing(_connection(path)))
        for connection in (writing, reading):
            # In kB, and no more with more items: the system has the pages in memory anyway.
            connection.execute("PRAGMA cache_size = -256")
        stack.pop_all()
        return _Connections(path, lock, writing, reading, run)


def journal_status(path: str | os.PathLike[str]) -> JournalStatus:
    """Return a journal in numbers, also while a batch writes to it; blocks while it is read.

    Raises:
        JournalError: There is none, or it cannot be read.
    """
    with _reading(Path(path)) as connection:
        counts = {"done": 0, "failed": 0, "taken": 0}
        counts.update(connection.execute("SELECT state, count(*) FROM item GROUP BY state"))
        audio_s, changed_at = connection.execute(
            "SELECT ifnull(sum(audio_s), 0.0), max(changed_at) FROM item"
        ).fetchone()
    try:
        with closing(_connection(_lock_of(Path(path)))) as lock:
            is_in_use = not _can_lock(lock, wait_ms=0)
    except (
        sqlite3.Error
    ):  # a disk that is full, or takes nothing: a lock there is found all the same
        is_in_use = False
    return JournalStatus(
        done=counts["done"],
        failed=counts["failed"],
        unfinished=counts["taken"],
        audio_s=audio_s,
        changed_at=changed_at,
        is_in_use=is_in_use,
    )


def journal_entries(
    path: str | os.PathLike[str], state: JournalState | None = None
) -> Iterator[JournalEntry]:
    """Yield the items of a journal, by source, also while a batch writes to it; blocks.

    Args:
        path: The journal.
        state: Only items in this state.

    Raises:
        JournalError: There is none, or it cannot be read.
    """
    columns = [field.name for field in fields(JournalEntry)]
    query = f"SELECT {', '.join(columns)} FROM item WHERE ?1 IS NULL OR state = ?1 ORDER BY source"
    with _reading(Path(path)) as connection:
        for row in connection.execute(query, (state,)):
            yield JournalEntry(**dict(zip(columns, row, strict=True)))


@contextmanager
def _reading(path: Path) -> Generator[sqlite3.Connection]:
    if not path.is_file():
        raise JournalError(f"there is no journal {str(path)!r}")
    with _telling(path), closing(_connection(path)) as connection:
        _check(connection, path)
        connection.execute("BEGIN")  # all of it as it is now
        yield connection


def _plain(name: str) -> str:
    """Return the one way to write a name: ``./a//b`` is the same file as ``a/b``."""
    return str(PurePosixPath(name))


def _connection(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=10.0, check_same_thread=False)


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _can_lock(lock: sqlite3.Connection, *, wait_ms: int) -> bool:
    """Lock a journal as long as the connection lives; the system unlocks it after a crash."""
    lock.execute(f"PRAGMA busy_timeout = {wait_ms}")
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if _number(connection, "PRAGMA application_id") != _APPLICATION:
        raise JournalError(f"{str(path)!r} is no journal of a batch")
    version = _number(connection, "PRAGMA user_version")
    if version != _VERSION:
        raise JournalError(f"the journal {str(path)!r} has version {version}, not {_VERSION}")


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _verdict(found: tuple[str, int] | None, run: int, redo: Redo) -> Claim:
    if found is None:
        return "open"
    state, last_run = found
    if state == "taken":
        return "open"
    if last_run == run:
        return "repeated"
    if redo == "everything" or (redo == "failed" and state == "failed"):
        return "open"
    return "done" if state == "done" else "failed"


@contextmanager
def _telling(path: Path) -> Generator[None]:
    """Raise what SQLite and the file system say as an error of the journal."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise JournalError(f"cannot use the journal {str(path)!r}: {error}") from error
