"""Where records live: in memory, and in a file as well when one is named."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["MemoryStore", "SqliteStore", "Store", "Table"]

Record = TypeVar("Record", bound=msgspec.Struct)

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS records"
    " (kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, id))"
    " WITHOUT ROWID"
)


class Store(Protocol):
    """Keeps what tables put into it; nothing but `load` and `saved` waits."""

    async def load(self) -> dict[str, dict[str, bytes]]:
        """Return all records: kind, then id, then body."""
        ...

    def put(self, kind: str, key: str, body: Callable[[], bytes]) -> None:
        """Keep a record, replacing the one with the same id."""
        ...

    def remove(self, kind: str, key: str) -> None:
        """Forget a record."""
        ...

    async def saved(self) -> None:
        """Wait until all that was put is kept.

        Raises:
            sqlite3.Error: It could not be written.
        """
        ...

    async def close(self) -> None:
        """Write what is left and release the file."""
        ...


class MemoryStore:
    """Keeps nothing beyond the tables' own memory."""

    async def load(self) -> dict[str, dict[str, bytes]]:
        return {}

    def put(self, kind: str, key: str, body: Callable[[], bytes]) -> None:
        pass

    def remove(self, kind: str, key: str) -> None:
        pass

    async def saved(self) -> None:
        pass

    async def close(self) -> None:
        pass


class SqliteStore:
    """Keeps records in an SQLite file, written by one thread in the order they came."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="emulator-state")
        self._database: sqlite3.Connection | None = None
        self._failure: BaseException | None = None

    async def load(self) -> dict[str, dict[str, bytes]]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._open)

    def put(self, kind: str, key: str, body: Callable[[], bytes]) -> None:
        self._write("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (kind, key, body()))

    def remove(self, kind: str, key: str) -> None:
        self._write("DELETE FROM records WHERE kind = ? AND id = ?", (kind, key))

    async def saved(self) -> None:
        # There is one thread: when it comes to this, it is done with what was put before.
        await asyncio.get_running_loop().run_in_executor(self._thread, self._check)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _write(self, statement: str, values: tuple[str | bytes, ...]) -> None:
        written = self._thread.submit(self._execute, statement, values)
        written.add_done_callback(self._note_failure)

    def _note_failure(self, written: Future[None]) -> None:
        self._failure = self._failure or written.exception()

    # In the thread.

    def _open(self) -> dict[str, dict[str, bytes]]:
        if not self._path.exists():
            # Others of this machine have no business in it.
            self._path.touch(mode=0o600)
        self._database = sqlite3.connect(self._path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(_SCHEMA)
        found: dict[str, dict[str, bytes]] = {}
        for kind, key, body in self._database.execute("SELECT kind, id, body FROM records"):
            found.setdefault(kind, {})[key] = body
        return found

    def _execute(self, statement: str, values: tuple[str | bytes, ...]) -> None:
        assert self._database is not None
        self._database.execute(statement, values)

    def _check(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


class Table(Generic[Record]):
    """Records of one kind by their id, in the order they were made."""

    def __init__(
        self,
        store: Store,
        name: str,
        record: type[Record],
        found: dict[str, bytes],
        order: Callable[[Record], float],
    ) -> None:
        self._store = store
        self._name = name
        records = [(key, msgspec.json.decode(body, type=record)) for key, body in found.items()]
        records.sort(key=lambda item: order(item[1]))
        self._records = dict(records)

    def __iter__(self) -> Iterator[Record]:
        return iter(tuple(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: str) -> Record | None:
        """Return the record with this id."""
        return self._records.get(key)

    def put(self, key: str, record: Record) -> None:
        """Keep a record, replacing the one with the same id."""
        self._records[key] = record
        self._store.put(self._name, key, lambda: msgspec.json.encode(record))

    def remove(self, key: str) -> Record | None:
        """Forget the record with this id and return it."""
        record = self._records.pop(key, None)
        if record is not None:
            self._store.remove(self._name, key)
        return record

    def remove_where(self, condition: Callable[[Record], bool]) -> None:
        """Forget all records that meet a condition."""
        for key, record in tuple(self._records.items()):
            if condition(record):
                self.remove(key)

    def forget_oldest(self) -> None:
        """Forget the record that was made first."""
        for key in self._records:
            self.remove(key)
            return
