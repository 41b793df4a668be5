"""Batches: many recordings, as fast as the limit of the project permits, and none paid twice.

`Batch` sends recordings through a session and yields what became of each. A `Gate` finds out how
many requests the service takes at a time, a `Journal` remembers what is done, and each `Sink` keeps
the answers.
"""

from deepgram_async.batch._batch import Batch, BatchStats
from deepgram_async.batch._by_callback import callback_transcriber
from deepgram_async.batch._chunks import (
    GateMaker,
    OutcomeRow,
    SinkMaker,
    outcome_row,
    transcribe_chunk,
)
from deepgram_async.batch._dask import dask_rows
from deepgram_async.batch._dask_gate import DaskGate
from deepgram_async.batch._files import FileSink
from deepgram_async.batch._gate import AdaptiveGate, Gate, GateState
from deepgram_async.batch._items import (
    BatchSource,
    BatchSources,
    BytesItem,
    FileItem,
    Item,
    UrlItem,
)
from deepgram_async.batch._journals import Claim, Journal, JournalError, Redo
from deepgram_async.batch._json_lines import JsonLinesSink
from deepgram_async.batch._keys import item_key
from deepgram_async.batch._outcomes import Done, Failed, Outcome
from deepgram_async.batch._parquet import ParquetSink
from deepgram_async.batch._recordings import listed_recordings, recordings
from deepgram_async.batch._redis_gate import RedisGate
from deepgram_async.batch._requests import ItemRequests, Transcriber, transcribe_whole
from deepgram_async.batch._shards import Shard
from deepgram_async.batch._shared_gate import GateError
from deepgram_async.batch._sinks import Sink
from deepgram_async.batch._sqlite import (
    JournalEntry,
    JournalState,
    JournalStatus,
    SqliteJournal,
    journal_entries,
    journal_status,
)
from deepgram_async.batch._stored import StoredItem, stored_recordings
from deepgram_async.batch._survey import (
    PRICES,
    Measured,
    Survey,
    measure,
    price_per_minute,
    read_prices,
)

__all__ = [
    "AdaptiveGate",
    "Batch",
    "BatchSource",
    "BatchSources",
    "BatchStats",
    "BytesItem",
    "Claim",
    "DaskGate",
    "Done",
    "Failed",
    "FileItem",
    "FileSink",
    "Gate",
    "GateError",
    "GateMaker",
    "GateState",
    "Item",
    "ItemRequests",
    "Journal",
    "JournalEntry",
    "JournalError",
    "JournalState",
    "JournalStatus",
    "JsonLinesSink",
    "Measured",
    "Outcome",
    "OutcomeRow",
    "PRICES",
    "ParquetSink",
    "RedisGate",
    "Redo",
    "Shard",
    "Sink",
    "SinkMaker",
    "SqliteJournal",
    "StoredItem",
    "Survey",
    "Transcriber",
    "UrlItem",
    "callback_transcriber",
    "dask_rows",
    "item_key",
    "journal_entries",
    "journal_status",
    "listed_recordings",
    "measure",
    "outcome_row",
    "price_per_minute",
    "read_prices",
    "recordings",
    "stored_recordings",
    "transcribe_chunk",
    "transcribe_whole",
]
