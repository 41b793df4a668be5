"""The deadline of an attempt, which moves with what the attempt does."""

import asyncio

import pytest

from deepgram_async._io.attempts import Attempt


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def test_a_deadline_that_passes_is_a_timeout() -> None:
    attempt = Attempt()
    with pytest.raises(TimeoutError), attempt:
        attempt.enter("response", 0.01)
        await wait_for_ever()
    assert attempt.is_expired
    assert (attempt.phase, attempt.limit_s) == ("response", 0.01)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_progress_moves_the_deadline() -> None:
    attempt = Attempt()
    with attempt:
        for _ in range(8):
            attempt.enter("download", 0.1)
            await asyncio.sleep(0.03)
    assert not attempt.is_expired


async def test_a_deadline_that_was_moved_passes_in_the_end() -> None:
    attempt, loop = Attempt(), asyncio.get_running_loop()
    moved_at = loop.time()
    with pytest.raises(TimeoutError), attempt:
        attempt.enter("upload", 0.02)
        await asyncio.sleep(0.01)
        moved_at = loop.time()
        attempt.enter("response", 0.1)
        await wait_for_ever()
    assert loop.time() - moved_at >= 0.09
    assert attempt.phase == "response"


async def test_a_shorter_deadline_replaces_a_longer_one() -> None:
    attempt = Attempt()
    with pytest.raises(TimeoutError), attempt:
        attempt.enter("response", 3600.0)
        attempt.enter("download", 0.01)
        await wait_for_ever()
    assert attempt.limit_s == 0.01


async def test_no_deadline_is_set_after_the_end() -> None:
    attempt = Attempt()
    with attempt:
        attempt.enter("upload", 3600.0)
    attempt.enter("response", 0.0)
    await asyncio.sleep(0.01)
    assert not attempt.is_expired


async def test_a_cancellation_of_the_caller_goes_on() -> None:
    attempt = Attempt()

    async def work() -> None:
        with attempt:
            attempt.enter("response", 3600.0)
            await wait_for_ever()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not attempt.is_expired


async def test_a_cancellation_at_the_moment_of_the_deadline_goes_on() -> None:
    attempt, loop = Attempt(), asyncio.get_running_loop()

    async def work() -> None:
        with attempt:
            attempt.enter("response", 0.0)
            loop.call_soon(task.cancel)
            await wait_for_ever()

    task = asyncio.create_task(work())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_an_error_is_not_replaced_by_a_deadline_that_has_passed() -> None:
    attempt = Attempt()
    with pytest.raises(LookupError), attempt:
        attempt.enter("response", 0.0)
        try:
            await wait_for_ever()
        except asyncio.CancelledError:
            raise LookupError from None
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
