import asyncio

import pytest

from deepgram_async._stream.buffers import EventBuffer
from deepgram_async.errors import InvalidStateError, SlowConsumerError


def make_buffer(limit: int) -> EventBuffer[int]:
    """Return a buffer in which even numbers are expendable."""
    return EventBuffer(limit, lambda event: event % 2 == 0)


async def rest(buffer: EventBuffer[int]) -> list[int]:
    buffer.close()
    events: list[int] = []
    while True:
        try:
            events.append(await buffer.get())
        except StopAsyncIteration:
            return events


async def test_events_come_out_in_the_order_they_went_in() -> None:
    buffer = make_buffer(10)
    for event in (3, 2, 1):
        buffer.put(event)
    assert len(buffer) == 3
    assert await rest(buffer) == [3, 2, 1]


async def test_the_oldest_expendable_event_goes_first() -> None:
    buffer = make_buffer(3)
    for event in (1, 2, 4, 3, 5):
        buffer.put(event)
    assert await rest(buffer) == [1, 3, 5]
    assert buffer.dropped == 2


async def test_an_expendable_newcomer_is_not_added_to_a_buffer_of_others() -> None:
    buffer = make_buffer(2)
    for event in (1, 3, 2):
        buffer.put(event)
    assert await rest(buffer) == [1, 3]
    assert buffer.dropped == 1


async def test_nothing_left_to_drop_raises() -> None:
    buffer = make_buffer(1)
    buffer.put(1)
    with pytest.raises(SlowConsumerError):
        buffer.put(3)


async def test_an_error_comes_after_the_events_before_it_and_again() -> None:
    buffer = make_buffer(10)
    buffer.put(1)
    buffer.close(ZeroDivisionError())
    buffer.close()
    assert await buffer.get() == 1
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await buffer.get()


async def test_a_cancelled_get_loses_nothing_and_lets_another_wait() -> None:
    buffer = make_buffer(10)
    waiting = asyncio.create_task(buffer.get())
    await asyncio.sleep(0)
    buffer.put(1)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await buffer.get() == 1


async def test_a_second_waiter_is_refused() -> None:
    buffer = make_buffer(10)
    waiting = asyncio.create_task(buffer.get())
    await asyncio.sleep(0)
    with pytest.raises(InvalidStateError):
        await buffer.get()
    buffer.put(1)
    assert await waiting == 1


async def test_what_nobody_wants_any_more_is_taken_back() -> None:
    buffer = make_buffer(10)
    for event in (1, 2, 3, 4):
        buffer.put(event)
    assert buffer.discard(lambda event: event % 2 == 0) == 2
    buffer.close()
    assert [await buffer.get() for _ in range(len(buffer))] == [1, 3]
