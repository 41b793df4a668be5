import asyncio

import pytest

from deepgram_async._stream.owed import Owed
from deepgram_async._stream.speech_buffer import Mark, SpeechBuffer
from deepgram_async.errors import SlowConsumerError

# The speech buffer.


async def test_events_come_out_in_their_order() -> None:
    buffer: SpeechBuffer[object] = SpeechBuffer(10_000)
    mark = Mark()
    for event in (b"one", "message", mark, b"two"):
        buffer.put(event)
    assert buffer.waiting_bytes == 1030
    assert [await buffer.get() for _ in range(4)] == [b"one", "message", mark, b"two"]
    assert buffer.waiting_bytes == 0


async def test_the_bound_is_in_bytes_and_marks_weigh_nothing() -> None:
    buffer: SpeechBuffer[object] = SpeechBuffer(2000)
    buffer.put(bytes(1990))
    buffer.put(Mark())
    with pytest.raises(SlowConsumerError, match="audio_buffer_bytes"):
        buffer.put(bytes(11))


async def test_messages_are_bounded_too() -> None:
    buffer: SpeechBuffer[object] = SpeechBuffer(2048)
    buffer.put("one")
    buffer.put("two")
    with pytest.raises(SlowConsumerError):
        buffer.put("three")


async def test_a_muted_buffer_takes_messages_only() -> None:
    buffer: SpeechBuffer[object] = SpeechBuffer(10_000)
    buffer.is_muted = True
    buffer.put(b"audio")
    buffer.put("message")
    buffer.is_muted = False
    buffer.put(b"more")
    assert [await buffer.get() for _ in range(2)] == ["message", b"more"]
    assert buffer.dropped == 1


async def test_what_is_discarded_makes_room() -> None:
    buffer: SpeechBuffer[object] = SpeechBuffer(2000)
    buffer.put(bytes(900))
    buffer.put("message")
    assert buffer.discard(lambda event: isinstance(event, bytes)) == 1
    assert buffer.waiting_bytes == 1024
    buffer.put(bytes(900))


# Owed confirmations.


async def test_answers_go_to_those_who_asked_in_their_order() -> None:
    owed: Owed[int] = Owed()
    first, second = owed.expect(), owed.expect()
    assert len(owed) == 2
    assert owed.last is second
    assert owed.settle(1) is first
    assert owed.settle(2) is second
    assert (first.result(), second.result()) == (1, 2)
    assert owed.settle(3) is None
    assert owed.last is None


async def test_who_was_cancelled_keeps_the_place() -> None:
    owed: Owed[int] = Owed()
    first, second = owed.expect(), owed.expect()
    first.cancel()
    owed.settle(1)
    owed.settle(2)
    assert second.result() == 2


async def test_who_is_forgotten_gets_nothing() -> None:
    owed: Owed[int] = Owed()
    first, second = owed.expect(), owed.expect()
    owed.forget(first)
    owed.forget(first)
    owed.settle(1)
    assert second.result() == 1
    assert not first.done()


async def test_all_can_be_settled_at_once() -> None:
    owed: Owed[int] = Owed()
    futures = [owed.expect() for _ in range(3)]
    owed.settle_all(7)
    assert await asyncio.gather(*futures) == [7, 7, 7]
    assert not owed
