import asyncio
from collections.abc import AsyncIterator

import pytest

from deepgram_async.callbacks import CallbackAuth, CallbackInbox, Delivery
from deepgram_async.errors import BadRequestError, InvalidStateError, OperationTimeoutError
from tests.callbacks.answers import PASSWORD, REQUEST_ID, basic, failure, transcription

# What may take so long is a hang.
DEADLINE_S = 20.0


async def pieces(body: bytes, size: int = 100) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def deliver(inbox: CallbackInbox, body: bytes, **headers: str) -> int:
    return await inbox.accept("POST", headers, pieces(body))


async def test_an_answer_reaches_who_waits_for_it() -> None:
    inbox = CallbackInbox(None)
    waiting = asyncio.create_task(inbox.wait(REQUEST_ID, timeout_s=DEADLINE_S))
    await asyncio.sleep(0)
    assert await deliver(inbox, transcription("late")) == 200
    assert (await waiting).transcript == "late"
    assert inbox.unclaimed == []


async def test_an_answer_that_comes_before_its_request_id_is_kept() -> None:
    inbox = CallbackInbox(None)
    assert await deliver(inbox, transcription("early")) == 200
    assert inbox.unclaimed == [REQUEST_ID]
    assert (await inbox.wait(REQUEST_ID, timeout_s=DEADLINE_S)).transcript == "early"


async def test_a_failure_is_raised_to_who_waits() -> None:
    inbox = CallbackInbox(None)
    assert await deliver(inbox, failure()) == 200
    with pytest.raises(BadRequestError):
        await inbox.wait(REQUEST_ID, timeout_s=DEADLINE_S)


async def test_a_repeat_is_acknowledged_and_dropped() -> None:
    kept = list[str]()

    async def keep(delivery: Delivery) -> None:
        kept.append(delivery.request_id)

    inbox = CallbackInbox(None, keep=keep)
    assert [await deliver(inbox, transcription()) for _ in range(2)] == [200, 200]
    await inbox.wait(REQUEST_ID, timeout_s=DEADLINE_S)
    assert await deliver(inbox, transcription()) == 200
    assert kept == [REQUEST_ID]
    assert inbox.unclaimed == []


async def test_waiting_ends_at_its_deadline_and_the_answer_can_still_be_taken() -> None:
    inbox = CallbackInbox(None)
    with pytest.raises(OperationTimeoutError) as late:
        await inbox.wait(REQUEST_ID, timeout_s=0.0)
    assert late.value.phase == "callback"
    await deliver(inbox, transcription())
    assert (await inbox.wait(REQUEST_ID, timeout_s=DEADLINE_S)).transcript == "hello"


async def test_cancelling_who_waits_loses_nothing() -> None:
    inbox = CallbackInbox(None)
    waiting = asyncio.create_task(inbox.wait(REQUEST_ID, timeout_s=DEADLINE_S))
    await asyncio.sleep(0)
    # The answer and the cancellation come in the same turn of the loop.
    await deliver(inbox, transcription())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await inbox.wait(REQUEST_ID, timeout_s=DEADLINE_S)).transcript == "hello"


async def test_two_cannot_wait_for_the_same_answer() -> None:
    inbox = CallbackInbox(None)
    waiting = asyncio.create_task(inbox.wait(REQUEST_ID, timeout_s=DEADLINE_S))
    await asyncio.sleep(0)
    with pytest.raises(InvalidStateError):
        await inbox.wait(REQUEST_ID, timeout_s=DEADLINE_S)
    await deliver(inbox, transcription())
    await waiting


async def test_a_full_inbox_asks_for_another_try_but_serves_who_waits() -> None:
    inbox = CallbackInbox(None, max_unclaimed=1)
    assert await deliver(inbox, transcription(request_id="first")) == 200
    assert await deliver(inbox, transcription(request_id="second")) == 503
    waiting = asyncio.create_task(inbox.wait("second", timeout_s=DEADLINE_S))
    await asyncio.sleep(0)
    assert await deliver(inbox, transcription(request_id="second")) == 200
    assert (await waiting).request_id == "second"


async def test_an_answer_that_cannot_be_kept_is_asked_for_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    attempts = list[Delivery]()

    async def keep(delivery: Delivery) -> None:
        attempts.append(delivery)
        if len(attempts) == 1:
            raise OSError("the disk is full")

    inbox = CallbackInbox(None, keep=keep)
    assert await deliver(inbox, transcription()) == 503
    assert inbox.unclaimed == []
    assert await deliver(inbox, transcription()) == 200
    assert inbox.unclaimed == [REQUEST_ID]
    assert "the disk is full" in caplog.text
    assert "hello" not in caplog.text


async def test_a_repeat_that_comes_while_the_first_is_being_kept_does_not_overtake_it() -> None:
    is_keeping, may_go_on = asyncio.Event(), asyncio.Event()

    async def keep(_: Delivery) -> None:
        is_keeping.set()
        await may_go_on.wait()

    inbox = CallbackInbox(None, keep=keep)
    first = asyncio.create_task(deliver(inbox, transcription()))
    await is_keeping.wait()
    assert await deliver(inbox, transcription()) == 503
    may_go_on.set()
    assert await first == 200


async def test_what_is_refused_is_logged_without_its_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    inbox = CallbackInbox(CallbackAuth(password=PASSWORD))
    assert await deliver(inbox, transcription(), **basic(PASSWORD + "x")) == 401
    assert await deliver(inbox, b"{}", **basic(PASSWORD)) == 400
    assert await inbox.accept("GET", basic(PASSWORD), pieces(b"")) == 405
    assert await deliver(inbox, transcription(), **basic(PASSWORD)) == 200
    assert len(caplog.records) == 3
    assert PASSWORD not in caplog.text


async def test_a_body_is_bounded_with_and_without_a_stated_length() -> None:
    inbox = CallbackInbox(None, max_body_bytes=200)
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 50
            yield b"x" * 50

    assert await inbox.accept("POST", {}, endless()) == 413
    assert read <= 300
    assert await inbox.accept("POST", {"Content-Length": "201"}, endless()) == 413
    assert read <= 300


async def test_a_long_answer_lets_the_loop_go_on() -> None:
    words = ",".join(
        f'{{"word":"w{n}","start":{n},"end":{n},"confidence":1}}' for n in range(20_000)
    )
    body = transcription().replace(
        b'"confidence": 0.9', f'"words":[{words}],"confidence":1'.encode()
    )
    inbox = CallbackInbox(None)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await asyncio.sleep(0)
    turns_before = turns
    assert await inbox.accept("POST", {}, pieces(body, len(body))) == 200
    assert turns - turns_before >= 2
    counting.cancel()
    assert len((await inbox.wait(REQUEST_ID, timeout_s=DEADLINE_S)).words) == 20_000
