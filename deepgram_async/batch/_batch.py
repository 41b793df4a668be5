"""Many recordings through one session, none of them twice."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self, Unpack

from deepgram_async import DeepgramSession, QueryValue, RetryPolicy
from deepgram_async.batch._gate import AdaptiveGate, Gate, GateState
from deepgram_async.batch._items import BatchSources
from deepgram_async.batch._journals import Journal, Redo
from deepgram_async.batch._keys import fingerprint
from deepgram_async.batch._outcomes import Outcome
from deepgram_async.batch._requests import Sending, Transcriber, transcribe_whole
from deepgram_async.batch._run import Counts, Run, RunSettings
from deepgram_async.batch._sinks import Sink
from deepgram_async.errors import ConfigurationError, InvalidStateError
from deepgram_async.options import ListenOptions

__all__ = ["Batch", "BatchStats"]

# Twice 20 minutes, the longest that the service works on one request (Deepgram docs, "Limits").
_PATIENCE_S: Final = 2400.0
_RETRY: Final = RetryPolicy(attempts=5, first_delay_s=1.0)
# The session repeats only what the gate need not know: a pooled connection that had ended.
_RETRY_OF_SESSION: Final = RetryPolicy(attempts=2, statuses=frozenset(), first_delay_s=0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStats:
    """A batch at one moment.

    Attributes:
        done: Items with an answer.
        failed: Items without one.
        done_before: Items that were done in an earlier run.
        failed_before: Items that failed in an earlier run and were not sent again.
        repeated: Items that came in this run before.
        in_work: Items that are taken and have no outcome yet.
        requests: Requests sent.
        audio_s: Seconds of audio in the answers.
        gate: The gate, which counts the answers 429.
    """

    done: int
    failed: int
    done_before: int
    failed_before: int
    repeated: int
    in_work: int
    requests: int
    audio_s: float
    gate: GateState


class Batch:
    """Transcripts of many recordings, as they are completed.

    ::

        async with DeepgramSession() as dg, SqliteJournal("calls.journal") as journal:
            files = FileSink("transcripts", ["json", "srt"])
            async for outcome in Batch(
                dg, Path("calls").rglob("*.wav"), journal=journal, sinks=[files], model="nova-3"
            ):
                match outcome:
                    case Done(item=item, answer=answer):
                        print(item.source, answer.duration)
                    case Failed(item=item, error=error):
                        print(item.source, error)

    Sources are taken one by one as there is room, so neither their number nor that of the answers
    matters for memory. An item that fails is an outcome and stops nothing. What fails for all of
    them does: credentials, credit, permissions and settings, a sink that cannot write, sources
    that raise, a service that deals with nothing for ``patience_s``. Then no new item is begun,
    what is in flight is finished, and the error is raised by the loop.

    With a journal, an item that has an outcome is not sent again, in this run or a later one; the
    same call resumes a batch that was ended in whatever way. Nothing that may be paid already is
    repeated within a run: a 504, or a connection that ended after the audio was sent, is a failure.
    (A connection that was used before and ends at once is taken for one that the service had given
    up, and the request is sent over another.)

    The loop may be left at any time: what is in flight is then cancelled, and was paid for nothing.
    ``stop`` ends a batch without that. A batch is run once, by one task.

    Args:
        session: Sends the requests; it stays open.
        sources: Paths, URLs, bytes or items, from a plain or async iterable. A plain one that is no
            list or tuple is read in threads, one at a time.
        gate: How many requests are in flight; an ``AdaptiveGate`` if left out.
        journal: What earlier runs have done.
        sinks: Where answers are kept, before the journal notes them and they are yielded.
        redo: Which items of earlier runs are sent again.
        in_order: Yield outcomes in the order of the sources. Up to ``window`` of them wait for
            their turn.
        window: Items that are taken and not yielded yet, at most; twice the most of the gate if
            left out, and not less.
        retry: What else than a 429 is repeated, and how often; five attempts if left out.
        patience_s: Time without any answer after which a 429 or a missing service is an error.
        transcriber: Makes the answer of an item; one request with the whole item if left out.
        extra_query: Query keys that are newer than this release, sent as they are.
        **options: What the service shall do, as for ``dg.listen.transcribe``.
    """

    def __init__(
        self,
        session: DeepgramSession,
        sources: BatchSources,
        *,
        gate: Gate | None = None,
        journal: Journal | None = None,
        sinks: Sequence[Sink] = (),
        redo: Redo = "unfinished",
        in_order: bool = False,
        window: int | None = None,
        retry: RetryPolicy = _RETRY,
        patience_s: float = _PATIENCE_S,
        transcriber: Transcriber = transcribe_whole,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[ListenOptions],
    ) -> None:
        if isinstance(sources, str | bytes | os.PathLike):
            raise ConfigurationError("a batch takes many sources: pass a list of paths or URLs")
        self._gate = gate or AdaptiveGate()
        self._sources = sources
        self._counts = Counts()
        self._settings = RunSettings(
            journal=journal,
            sinks=tuple(sinks),
            redo=redo,
            in_order=in_order,
            window=window or 0,
            transcriber=transcriber,
            fingerprint=fingerprint(options, extra_query or {}),
        )
        session = session.with_options(retry=_RETRY_OF_SESSION, keep_raw=True if sinks else None)
        self._sending = Sending(
            session,
            options,
            dict(extra_query or {}),
            gate=self._gate,
            retry=retry,
            patience_s=patience_s,
        )
        self._run: Run | None = None

    def __aiter__(self) -> AsyncIterator[Outcome]:
        if self._run is not None:
            raise InvalidStateError("a batch runs once: make another one")
        self._run = Run(self._settings, self._sending, self._sources, self._counts)
        return _Outcomes(self._run)

    async def run(self) -> BatchStats:
        """Run the batch to its end, for what the sinks and the journal keep of it.

        Raises:
            Exception: What ended the batch before its end.
        """
        async for _ in self:
            pass
        return self.stats()

    def stop(self) -> None:
        """Begin no further item; what is in flight is finished, kept and yielded as usual."""
        self._sending.is_stopping = True
        if self._run is not None:
            self._run.stop()

    async def aclose(self) -> None:
        """Cancel what is in flight and wait until that is done; safe to repeat.

        Leaving the loop cancels too, and does not wait.
        """
        if self._run is not None:
            await self._run.aclose()

    def stats(self) -> BatchStats:
        """Return how far the batch is."""
        counts = self._counts
        return BatchStats(
            done=counts.done,
            failed=counts.failed,
            done_before=counts.done_before,
            failed_before=counts.failed_before,
            repeated=counts.repeated,
            in_work=counts.taken - counts.done - counts.failed,
            requests=self._sending.sent,
            audio_s=counts.audio_s,
            gate=self._gate.state(),
        )


class _Outcomes:
    """The outcomes of a run; whoever drops it cancels what is in flight.

    An asynchronous generator would do that some turns of the loop later, when the session may be
    closed already.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        outcome: Outcome | None = None
        try:
            outcome = await self._run.next_outcome()
        finally:
            if outcome is None:
                await self._run.aclose()
        if outcome is None:
            raise StopAsyncIteration
        return outcome

    def __del__(self) -> None:
        self._run.cancel()
