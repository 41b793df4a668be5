import asyncio

import pytest

from deepgram_async._stream.waiters import Waiters
from deepgram_async.errors import InvalidStateError, OperationTimeoutError

SOON_S = 0.05


async def waited(waiters: Waiters[int], number: int, timeout_s: float = SOON_S) -> int:
    return await waiters.wait(waiters.expect(lambda event: event == number), timeout_s, "op")


async def test_an_event_goes_to_the_first_who_expects_it() -> None:
    waiters: Waiters[int] = Waiters()
    first, second = (asyncio.create_task(waited(waiters, 1, 5)) for _ in range(2))
    await asyncio.sleep(0)
    waiters.offer(2)
    waiters.offer(1)
    assert await first == 1
    assert not second.done()
    waiters.fail(None)
    with pytest.raises(InvalidStateError):
        await second


async def test_time_does_not_run_on_hold_and_begins_anew() -> None:
    waiters: Waiters[int] = Waiters()
    before = asyncio.create_task(waited(waiters, 1))
    await asyncio.sleep(0)
    waiters.hold()
    meanwhile = asyncio.create_task(waited(waiters, 2))
    await asyncio.sleep(3 * SOON_S)
    assert not before.done()
    assert not meanwhile.done()
    waiters.release()
    waiters.offer(1)
    assert await before == 1
    with pytest.raises(OperationTimeoutError, match="did not confirm"):
        await meanwhile


async def test_a_time_that_is_over_stays_over() -> None:
    waiters: Waiters[int] = Waiters()
    waiting = asyncio.create_task(waited(waiters, 1, 0.0))
    await asyncio.sleep(0)
    waiters.hold()
    waiters.release()
    with pytest.raises(OperationTimeoutError):
        async with asyncio.timeout(5):
            await waiting


async def test_who_waits_on_hold_is_told_of_the_end() -> None:
    waiters: Waiters[int] = Waiters()
    waiters.hold()
    waiting = asyncio.create_task(waited(waiters, 1))
    await asyncio.sleep(0)
    waiters.fail(ConnectionError("gone"))
    with pytest.raises(ConnectionError, match="gone"):
        await waiting
