import asyncio
from array import array
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from deepgram_async.audio import Microphone, interleaved
from deepgram_async.errors import AudioSourceError, OptionError
from tests.support.clock import run_on_virtual_clock


async def source(*chunks: bytes, pause_s: float = 0) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(pause_s)
        yield chunk


def samples(first: int, count: int) -> bytes:
    return array("h", range(first, first + count)).tobytes()


async def joined(*sources: AsyncIterator[bytes], **options: Any) -> list[tuple[int, ...]]:
    """Return the samples of all channels at each moment."""
    async with interleaved(*sources, sample_rate=1000, chunk_ms=10, **options) as audio:
        whole = array("h", b"".join([chunk async for chunk in audio]))
        return list(
            zip(*[whole[number :: audio.channels] for number in range(audio.channels)], strict=True)
        )


async def test_sample_stands_beside_sample_however_the_sources_are_cut() -> None:
    left = samples(0, 100)
    right = samples(1000, 100)
    assert await joined(
        source(left[:7], left[7:130], b"", left[130:]), source(right[:64], right[64:])
    ) == [(number, 1000 + number) for number in range(100)]


async def test_shorter_source_is_followed_by_silence() -> None:
    assert await joined(source(samples(1, 3)), source(samples(1, 25)), source()) == [
        (number if number <= 3 else 0, number, 0) for number in range(1, 26)
    ]


async def test_torn_sample_at_the_end_is_dropped() -> None:
    assert await joined(source(samples(1, 3) + b"x"), source(samples(1, 3))) == [
        (1, 1),
        (2, 2),
        (3, 3),
    ]


async def test_silence_of_mulaw_is_not_zero() -> None:
    async with interleaved(
        source(b"abc"), source(b"A"), sample_rate=8000, encoding="mulaw"
    ) as audio:
        assert audio.options == {"encoding": "mulaw", "sample_rate": 8000, "channels": 2}
        assert [chunk async for chunk in audio] == [b"aAb\xffc\xff"]


async def test_chunks_have_equal_length() -> None:
    async with interleaved(
        source(samples(0, 95)), source(samples(0, 95)), sample_rate=1000, chunk_ms=20
    ) as audio:
        assert [len(chunk) async for chunk in audio] == [80, 80, 80, 80, 60]


async def test_no_source_is_read_ahead_of_the_others() -> None:
    taken = 0

    async def eager() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield samples(0, 10)

    silent = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield samples(0, 10)
        await silent.wait()
        yield samples(10, 10)

    async with interleaved(eager(), stuck(), sample_rate=1000, chunk_ms=10) as audio:
        await anext(audio)
        # Without patience there is no end to the waiting, and no more than a chunk of memory.
        for _ in range(3):
            with suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await anext(audio)
        assert taken == 2
        # The cancelled requests have lost nothing.
        silent.set()
        assert array("h", await anext(audio))[1::2] == array("h", range(10, 20))


def test_source_that_pauses_is_silent_until_it_has_something() -> None:
    async def call() -> AsyncIterator[bytes]:
        yield samples(1, 10)
        await asyncio.sleep(1)
        yield samples(11, 10)
        await asyncio.sleep(100)

    async def consume() -> tuple[list[tuple[int, int]], float]:
        clock = asyncio.get_running_loop().time
        started_at = clock()
        # 10 ms of audio every 10 ms.
        microphone = source(*[samples(1, 10)] * 120, pause_s=0.01)
        async with interleaved(
            microphone, call(), sample_rate=1000, chunk_ms=10, patience_s=0.05
        ) as audio:
            chunks = [array("h", await anext(audio)) for _ in range(115)]
        firsts = [(chunk[0], chunk[1]) for chunk in chunks]
        return firsts, clock() - started_at

    firsts, took_s = run_on_virtual_clock(consume())
    assert {first for first, _ in firsts} == {1}
    assert firsts[0] == (1, 1)
    # It is waited for once in each pause, and then its silence is taken for granted.
    [back_at] = [number for number, (_, second) in enumerate(firsts) if second == 11]
    assert 95 <= back_at <= 102
    assert took_s < 1.15 + 2 * 0.05


async def test_what_a_source_raises_is_raised_here() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield samples(0, 10)
        raise KeyError("line 4")

    with pytest.raises(KeyError, match="line 4"):
        await joined(broken(), source(samples(0, 20)))
    # None of those that fail together is left unseen.
    with pytest.raises(KeyError, match="line 4"):
        await joined(broken(), broken())


async def test_leaving_early_ends_the_requests() -> None:
    async def stuck() -> AsyncIterator[bytes]:
        await asyncio.get_running_loop().create_future()
        yield b""

    async with interleaved(stuck(), stuck(), sample_rate=1000) as audio:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(audio)


async def test_wrong_sources_raise() -> None:
    with pytest.raises(OptionError, match="one source needs no interleaving"):
        await joined(source())
    with pytest.raises(OptionError, match="patience_s must be positive, not 0"):
        await joined(source(), source(), patience_s=0)
    with pytest.raises(AudioSourceError, match="cannot pace raw 'opus'"):
        await joined(source(), source(), encoding="opus")
    text: Any = source("Hello.")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(AudioSourceError, match="a source yields str, not bytes"):
        await joined(text, source())
    with pytest.raises(AudioSourceError, match="'sample_rate': 16000"):
        async with interleaved(Microphone(), source(), sample_rate=8000):
            pass
