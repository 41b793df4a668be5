"""What becomes of the items of a batch, and how a batch ends."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from inspect import signature
from pathlib import Path
from typing import NoReturn, cast

import pytest

from deepgram_async import DeepgramSession, RetryPolicy
from deepgram_async.batch import (
    AdaptiveGate,
    Batch,
    BatchSource,
    BytesItem,
    Done,
    Gate,
    GateState,
    Item,
    ItemRequests,
    Outcome,
    SqliteJournal,
    journal_status,
    transcribe_whole,
)
from deepgram_async.errors import (
    AudioSourceError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    DeepgramError,
    InvalidStateError,
    OptionError,
    PaymentRequiredError,
    ProcessingTimeoutError,
    ProtocolError,
    RateLimitError,
    ServerError,
)
from deepgram_async.models.prerecorded import Transcription
from tests.support.batches import AT_ONCE, Fault, batch_service, items, names, split


class Kept:
    """A sink in memory, which may fail."""

    def __init__(self, fails_for: str = "") -> None:
        self.names: list[str] = []
        self._fails_for = fails_for

    async def write(self, outcome: Done) -> None:
        if outcome.item.name == self._fails_for:
            raise OSError(28, "No space left on device")
        self.names.append(outcome.item.name)


async def collect(batch: Batch) -> list[Outcome]:
    return [outcome async for outcome in batch]


# A session has batches.


async def test_a_session_makes_a_batch_of_its_own() -> None:
    async with batch_service() as service, service.session() as dg:
        batch = dg.batch([b"one", b"two"], in_order=True, model="nova-3")
        assert isinstance(batch, Batch)
        outcomes = await collect(batch)
    assert [type(outcome) for outcome in outcomes] == [Done, Done]


def test_help_lists_what_a_batch_of_a_session_takes() -> None:
    dg = DeepgramSession("sentinel")
    of_session, of_class = signature(dg.batch).parameters, signature(Batch).parameters
    assert list(of_session) == list(of_class)[1:]


# What an outcome tells.


async def test_an_outcome_tells_of_its_item() -> None:
    async with batch_service() as service, service.session() as dg:
        (outcome,) = await collect(Batch(dg, [BytesItem(b"audio", "calls/one")], model="nova-3"))
    assert isinstance(outcome, Done)
    assert outcome.item.source == outcome.item.name == "calls/one"
    assert outcome.answer.transcript == "life moves pretty fast"
    assert (outcome.position, outcome.attempts, outcome.request_id) == (0, 1, "0f1e2d3c")
    assert outcome.took_s > 0
    assert len(outcome.key) == 32


async def test_outcomes_come_as_they_are_completed() -> None:
    async with batch_service() as service, service.session() as dg:
        service.faults[b"item 0"] = [503, 503]
        slowly = RetryPolicy(first_delay_s=0.2)
        outcomes = await collect(Batch(dg, items(5), retry=slowly, model="nova-3"))
    assert sorted(names(outcomes)) == names_of(5)
    assert [outcome.position for outcome in outcomes] != [0, 1, 2, 3, 4]


async def test_outcomes_come_in_the_order_of_the_sources_if_asked() -> None:
    async with batch_service() as service, service.session() as dg:
        service.faults[b"item 0"] = [503, 503]
        service.faults[b"item 7"] = [400]
        batch = Batch(dg, items(20), retry=AT_ONCE, in_order=True, model="nova-3")
        outcomes = await collect(batch)
    assert names(outcomes) == names_of(20)


async def test_those_who_wait_for_their_turn_are_bounded() -> None:
    async with batch_service() as service, service.session() as dg:
        is_late = asyncio.Event()

        async def transcribe(item: Item, requests: ItemRequests) -> Transcription:
            if item.name == "item 0":
                await is_late.wait()
            return await transcribe_whole(item, requests)

        batch = Batch(
            dg,
            items(50),
            in_order=True,
            gate=AdaptiveGate(3),
            window=10,
            transcriber=transcribe,
            model="nova-3",
        )
        outcomes = asyncio.create_task(collect(batch))
        async with asyncio.timeout(10):
            while batch.stats().done < 9:
                await asyncio.sleep(0.001)
        for _ in range(20):
            await asyncio.sleep(0)
        assert (batch.stats().done, batch.stats().in_work) == (9, 1)
        is_late.set()
        assert names(await outcomes) == names_of(50)


def names_of(count: int) -> list[str]:
    return [f"item {number}" for number in range(count)]


# Sources.


async def test_sources_are_taken_as_they_are_needed() -> None:
    taken = 0

    async def endless() -> AsyncIterator[BatchSource]:
        nonlocal taken
        while True:
            taken += 1
            yield BytesItem(f"{taken}".encode())

    async with batch_service() as service, service.session() as dg:
        batch = Batch(dg, endless(), gate=AdaptiveGate(4), model="nova-3")
        seen = 0
        async for _ in batch:
            seen += 1
            assert taken <= seen + 2 * 4 + 1
            if seen == 100:
                break
        await batch.aclose()


async def test_a_plain_generator_runs_beside_the_loop() -> None:
    def slow() -> Iterator[BatchSource]:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        yield from items(80)

    async with batch_service() as service, service.session() as dg:
        outcomes = await collect(Batch(dg, slow(), model="nova-3"))
    assert len(outcomes) == 80


async def test_paths_urls_and_bytes_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"file")
    sources: list[BatchSource] = [
        str(tmp_path / "a.wav"),
        tmp_path / "a.wav",
        b"bytes",
        "https://example.com/b.wav",
    ]
    async with batch_service() as service, service.session() as dg:
        outcomes = await collect(Batch(dg, sources, in_order=True, model="nova-3"))
    assert [outcome.item.source for outcome in outcomes] == [
        str(tmp_path / "a.wav"),
        str(tmp_path / "a.wav"),
        outcomes[2].item.name,
        "https://example.com/b.wav",
    ]
    assert service.received == {
        b"file": 2,
        b"bytes": 1,
        b'{"url":"https://example.com/b.wav"}': 1,
    }


async def test_sources_that_raise_end_the_batch_after_what_was_taken() -> None:
    async def broken() -> AsyncIterator[BatchSource]:
        for item in items(3):
            yield item
        raise LookupError("the list is gone")

    async with batch_service() as service, service.session() as dg:
        batch = Batch(dg, broken(), model="nova-3")
        with pytest.raises(LookupError, match="the list is gone"):
            await batch.run()
    assert batch.stats().done == len(service.answered)


@pytest.mark.parametrize("sources", ["recordings", b"audio", Path("recordings")])
def test_one_source_is_no_batch(sources: object) -> None:
    with pytest.raises(ConfigurationError, match="pass a list"):
        Batch(DeepgramSession("key"), cast("list[BatchSource]", sources))


async def test_a_source_of_an_unknown_kind_ends_the_batch() -> None:
    async with DeepgramSession("key") as dg:
        with pytest.raises(ConfigurationError, match="cannot take 'int'"):
            await collect(Batch(dg, cast("list[BatchSource]", [7])))


# What is wrong with one item.


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (400, BadRequestError),
        (500, ServerError),
        (504, ProcessingTimeoutError),
        ("reset", ConnectionLostError),
        ("garbage", ProtocolError),
    ],
)
async def test_what_may_be_paid_already_is_not_sent_again(
    fault: Fault, error: type[Exception]
) -> None:
    async with batch_service() as service, service.session() as dg:
        service.faults[b"item 1"] = [fault]
        done, (failed,) = await split(Batch(dg, items(4), retry=AT_ONCE, model="nova-3"))
    assert sorted(names(done)) == ["item 0", "item 2", "item 3"]
    assert isinstance(failed.error, error)
    assert (failed.item.name, failed.attempts) == ("item 1", 1)
    assert service.received[b"item 1"] == 1


async def test_what_was_not_done_is_sent_again() -> None:
    async with batch_service() as service, service.session() as dg:
        service.faults[b"item 0"] = [503, 502]
        (done,), _ = await split(Batch(dg, items(1), retry=AT_ONCE, model="nova-3"))
    assert done.attempts == 3


async def test_an_item_fails_when_its_attempts_are_used_up() -> None:
    async with batch_service() as service, service.session() as dg:
        service.faults[b"item 0"] = [503, 503, 503]
        _, (failed,) = await split(Batch(dg, items(1), retry=AT_ONCE, model="nova-3"))
    assert isinstance(failed.error, ServerError)
    assert (failed.attempts, failed.error.attempts, failed.request_id) == (3, 3, "r-1")


async def test_a_file_that_is_missing_fails_without_a_request() -> None:
    async with batch_service() as service, service.session() as dg:
        batch = Batch(dg, ["nowhere.wav", *items(2)], model="nova-3")
        done, (failed,) = await split(batch)
    assert isinstance(failed.error, AudioSourceError)
    assert failed.attempts == 0
    assert len(done) == sum(service.received.values()) == 2


class Poisoned(BytesItem):
    """Cannot be opened."""

    def open(self) -> NoReturn:
        raise LookupError("nothing there")


async def test_whatever_an_item_raises_stays_with_it() -> None:
    async with batch_service() as service, service.session() as dg:
        sources = [*items(2), Poisoned(b"poison", "poison")]
        done, (failed,) = await split(Batch(dg, sources, model="nova-3"))
    assert isinstance(failed.error, LookupError)
    assert failed.request_id is None
    assert len(done) == 2


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/../../b", "."])
async def test_a_name_that_leads_elsewhere_fails(name: str) -> None:
    async with batch_service() as service, service.session() as dg:
        _, (failed,) = await split(Batch(dg, [BytesItem(b"audio", name)], model="nova-3"))
    assert isinstance(failed.error, AudioSourceError)
    assert not service.received


# Refusals.


async def test_refusals_cost_no_attempt_of_an_item() -> None:
    async with batch_service() as service, service.session() as dg:
        service.limit, service.takes_s = 2, 0.005
        batch = Batch(
            dg, items(60), gate=AdaptiveGate(6, start=6), retry=RetryPolicy(attempts=1), model="m"
        )
        done, failed = await split(batch)
    assert (len(done), failed) == (60, [])
    assert service.refused > 0
    stats = batch.stats()
    assert stats.gate.refused == service.refused
    assert stats.requests == 60 + service.refused == sum(outcome.attempts for outcome in done)
    assert service.most == 2


async def test_a_service_that_only_refuses_ends_the_batch_at_last() -> None:
    async with batch_service() as service, service.session() as dg:
        service.limit = 0
        with pytest.raises(RateLimitError):
            await collect(Batch(dg, items(3), patience_s=0.0, model="nova-3"))


async def test_a_service_that_is_gone_ends_the_batch_at_last() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with DeepgramSession("key", base_url=url) as dg:
            with pytest.raises(ConnectError):
                await collect(Batch(dg, items(3), patience_s=0.0, model="nova-3"))


async def test_a_service_that_comes_back_is_waited_for() -> None:
    async with batch_service() as service, service.session() as dg:
        lost = 0

        async def transcribe(item: Item, requests: ItemRequests) -> Transcription:
            async def call(session: DeepgramSession) -> Transcription:
                nonlocal lost
                if requests.attempts == 1:
                    lost += 1
                    raise ConnectError("no route")
                async with item.open() as source:
                    return await session.listen.transcribe(source, model="nova-3")

            return await requests.send(call)

        batch = Batch(dg, items(3), retry=RetryPolicy(attempts=1), transcriber=transcribe)
        done, _ = await split(batch)
    assert (lost, [outcome.attempts for outcome in done]) == (3, [2, 2, 2])


# What is wrong with all of them.


@pytest.mark.parametrize(
    ("status", "error"), [(401, AuthenticationError), (402, PaymentRequiredError)]
)
async def test_what_concerns_all_ends_the_batch_and_what_is_in_flight_is_finished(
    status: int, error: type[DeepgramError]
) -> None:
    async with batch_service(is_open=False) as service, service.session() as dg:
        service.faults[b"item 0"] = [status]
        kept = Kept()
        batch = Batch(dg, items(100), gate=AdaptiveGate(5, start=5), sinks=[kept], model="nova-3")
        run = asyncio.create_task(collect(batch))
        await service.until_in_flight(5)
        service.gate.set()
        with pytest.raises(error):
            await run
    assert len(service.received) < 15
    assert sorted(kept.names) == sorted(body.decode() for body in service.answered)
    assert batch.stats().done == len(kept.names)


async def test_a_wrong_option_ends_the_batch_before_any_request() -> None:
    async with batch_service() as service, service.session() as dg:
        with pytest.raises(OptionError, match="modal"):
            await collect(Batch(dg, items(30), modal="nova-3"))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert not service.received


async def test_a_sink_that_cannot_write_ends_the_batch() -> None:
    async with batch_service() as service, service.session() as dg:
        kept = Kept(fails_for="item 3")
        batch = Batch(dg, items(200), gate=AdaptiveGate(3), sinks=[kept], model="nova-3")
        with pytest.raises(OSError, match="No space left"):
            await collect(batch)
    assert len(kept.names) == len(service.answered) - 1 < 20


class BrokenGate:
    """Has lost the place where the limit is kept."""

    def slot(self) -> NoReturn:
        raise ConnectionError("the limit is kept elsewhere, and elsewhere is gone")

    def state(self) -> GateState:
        return GateState(most=3, limit=3, in_flight=0, waiting=0, refused=0, pause_s=0.0)


async def test_a_gate_that_fails_ends_the_batch() -> None:
    gate: Gate = BrokenGate()
    async with batch_service() as service, service.session() as dg:
        with pytest.raises(ConnectionError, match="elsewhere"):
            await collect(Batch(dg, items(10), gate=gate, model="nova-3"))


# Ends.


async def test_leaving_the_loop_leaves_nothing_behind() -> None:
    async with batch_service() as service, service.session() as dg:
        async for _ in Batch(dg, items(100), model="nova-3"):
            break


async def test_cancelling_leaves_nothing_behind() -> None:
    async with batch_service(is_open=False) as service, service.session() as dg:
        run = asyncio.create_task(collect(Batch(dg, items(100), model="nova-3")))
        await service.until_in_flight(5)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run


async def test_closing_cancels_what_is_in_flight() -> None:
    async with batch_service(is_open=False) as service, service.session() as dg:
        batch = Batch(dg, items(100), model="nova-3")
        run = asyncio.create_task(collect(batch))
        await service.until_in_flight(5)
        await batch.aclose()
        await batch.aclose()
        assert await run == []


async def test_stopping_finishes_what_is_in_flight_and_begins_nothing() -> None:
    async with batch_service(is_open=False) as service, service.session() as dg:
        batch = Batch(dg, items(100), gate=AdaptiveGate(5, start=5), model="nova-3")
        run = asyncio.create_task(collect(batch))
        await service.until_in_flight(5)
        batch.stop()
        service.gate.set()
        outcomes = await run
    assert len(outcomes) == len(service.received) == 5
    assert all(isinstance(outcome, Done) for outcome in outcomes)


async def test_a_batch_that_is_stopped_before_it_began_sends_nothing() -> None:
    async with batch_service() as service, service.session() as dg:
        early = Batch(dg, items(10), model="nova-3")
        early.stop()
        assert await collect(early) == []
        iterated = Batch(dg, items(10), model="nova-3")
        outcomes = aiter(iterated)
        iterated.stop()
        assert [outcome async for outcome in outcomes] == []
    assert not service.received


async def test_stopping_drops_no_failure_that_is_being_noted(tmp_path: Path) -> None:
    class SlowJournal(SqliteJournal):
        async def settle(self, outcome: Outcome) -> None:
            is_settling.set()
            await may_settle.wait()
            await super().settle(outcome)

    is_settling, may_settle = asyncio.Event(), asyncio.Event()
    async with batch_service() as service, service.session() as dg:
        service.faults[b"item 0"] = [504]
        async with SlowJournal(tmp_path / "journal") as journal:
            batch = Batch(dg, items(1), journal=journal, model="nova-3")
            run = asyncio.create_task(split(batch))
            await is_settling.wait()
            batch.stop()
            may_settle.set()
            _, failed = await run
    assert len(failed) == journal_status(tmp_path / "journal").failed == 1


async def test_tasks_of_a_transcriber_fail_as_themselves() -> None:
    async def in_tasks(item: Item, requests: ItemRequests) -> Transcription:
        async with asyncio.TaskGroup() as group:
            part = group.create_task(requests.transcribe(item.open))
        return part.result()

    async with batch_service() as service, service.session() as dg:
        service.faults = {b"item 1": [400], b"item 2": [401]}
        one = Batch(dg, items(2), transcriber=in_tasks, model="nova-3")
        _, (failed,) = await split(one)
        assert isinstance(failed.error, BadRequestError)
        with pytest.raises(AuthenticationError):
            await Batch(dg, items(3), transcriber=in_tasks, model="nova-3").run()


async def test_stopping_finishes_the_parts_of_an_item_that_was_begun() -> None:
    async with batch_service(is_open=False) as service, service.session() as dg:

        async def in_three_parts(item: Item, requests: ItemRequests) -> Transcription:
            for _ in range(2):
                await requests.transcribe(item.open)
            return await requests.transcribe(item.open)

        batch = Batch(dg, items(10), gate=AdaptiveGate(2), transcriber=in_three_parts, model="m")
        run = asyncio.create_task(split(batch))
        await service.until_in_flight(2)
        batch.stop()
        service.gate.set()
        done, failed = await run
    assert (len(done), failed) == (2, [])
    assert [outcome.attempts for outcome in done] == [3, 3]


async def test_a_batch_stopped_in_order_yields_what_was_finished() -> None:
    async with batch_service() as service, service.session() as dg:
        is_done = asyncio.Event()

        async def transcribe(item: Item, requests: ItemRequests) -> Transcription:
            if item.name == "item 0":
                await asyncio.Event().wait()  # never sent, so it is dropped
            answer = await transcribe_whole(item, requests)
            is_done.set()
            return answer

        batch = Batch(dg, items(2), in_order=True, transcriber=transcribe, model="nova-3")
        run = asyncio.create_task(collect(batch))
        await is_done.wait()
        async with asyncio.timeout(10):
            while not batch.stats().done:
                await asyncio.sleep(0)
        batch.stop()
        assert names(await run) == ["item 1"]


async def test_a_batch_runs_once() -> None:
    async with batch_service() as service, service.session() as dg:
        batch = Batch(dg, items(3), model="nova-3")
        stats = await batch.run()
        with pytest.raises(InvalidStateError, match="runs once"):
            aiter(batch)
    assert (stats.done, stats.failed, stats.in_work, stats.requests) == (3, 0, 0, 3)
    assert stats.audio_s == 4.5


async def test_a_batch_without_sources_ends_at_once() -> None:
    async with batch_service() as service, service.session() as dg:
        assert await collect(Batch(dg, [], model="nova-3")) == []


def test_a_batch_can_be_made_outside_of_a_loop() -> None:
    batch = Batch(DeepgramSession("key"), ["a.wav"], model="nova-3")
    batch.stop()
    assert batch.stats().done == 0
