"""The worker pool: what waits for whom."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from deepgram_async.emulator import Hints, Pcm, RecognizedWord, ScriptedRecognizer
from deepgram_async.emulator._engine import Engine

from .helpers import DEADLINE_S, serving, silence, transcripts, wav

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

HINTS = Hints()


class Gated(ScriptedRecognizer):
    """A slow recogniser: it starts on what it is given and goes on when it may."""

    def __init__(self, channel: int = 0) -> None:
        super().__init__({channel: [("one", 0.1, 0.5), ("two", 0.5, 0.9)]})
        self.may_go_on = threading.Event()
        self.started = threading.Semaphore(0)
        self.finished_words = 0

    @property
    def blocking(self) -> bool:
        return True

    def recognize(self, audio: Pcm, hints: Hints) -> Iterator[RecognizedWord]:
        self.started.release()
        assert self.may_go_on.wait(DEADLINE_S)
        for word in super().recognize(audio, hints):
            self.finished_words += 1
            yield word

    async def wait_until_started(self) -> None:
        assert await asyncio.to_thread(self.started.acquire, timeout=DEADLINE_S)


@asynccontextmanager
async def engine(recognizer: ScriptedRecognizer, workers: int) -> AsyncGenerator[Engine]:
    running = Engine(recognizer, workers)
    try:
        yield running
    finally:
        await running.close(DEADLINE_S)


AUDIO = Pcm(silence(1.0), 8000)


async def test_interim_recognition_is_refused_while_all_workers_are_busy() -> None:
    recognizer = Gated()
    async with engine(recognizer, 1) as running:
        final = asyncio.create_task(running.recognize(AUDIO, HINTS))
        await recognizer.wait_until_started()
        assert await running.recognize_if_free(AUDIO, HINTS) is None
        recognizer.may_go_on.set()
        assert len(await final) == 2
        assert await running.recognize_if_free(AUDIO, HINTS) is not None


async def test_a_final_waits_for_a_worker_and_comes() -> None:
    recognizer = Gated()
    async with engine(recognizer, 1) as running:
        first = asyncio.create_task(running.recognize(AUDIO, HINTS))
        await recognizer.wait_until_started()
        second = asyncio.create_task(running.recognize(AUDIO, HINTS))
        recognizer.may_go_on.set()
        assert [len(words) for words in await asyncio.gather(first, second)] == [2, 2]


async def test_recordings_leave_a_worker_to_the_streams() -> None:
    recognizer = Gated()
    async with engine(recognizer, 2) as running:
        recordings = [
            asyncio.create_task(running.recognize_recording(AUDIO, HINTS)) for _ in range(3)
        ]
        await recognizer.wait_until_started()
        live = asyncio.create_task(running.recognize(AUDIO, HINTS))
        await recognizer.wait_until_started()
        recognizer.may_go_on.set()
        await asyncio.gather(live, *recordings)


async def test_an_abandoned_recognition_stops_at_its_next_word() -> None:
    recognizer = Gated()
    async with engine(recognizer, 1) as running:
        abandoned = asyncio.create_task(running.recognize(AUDIO, HINTS))
        await recognizer.wait_until_started()
        abandoned.cancel()
        await asyncio.sleep(0)
        recognizer.may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await abandoned
        assert recognizer.finished_words == 1
        assert len(await running.recognize(AUDIO, HINTS)) == 2


async def test_an_instant_recogniser_needs_no_thread() -> None:
    async with engine(ScriptedRecognizer([("one", 0.1, 0.5)]), 1) as running:
        assert [word.text for word in await running.recognize(AUDIO, HINTS)] == ["one"]


async def test_closing_does_not_wait_for_a_recogniser_that_hangs() -> None:
    recognizer = Gated()
    running = Engine(recognizer, 1)
    hanging = asyncio.create_task(running.recognize(AUDIO, HINTS))
    await recognizer.wait_until_started()
    async with asyncio.timeout(DEADLINE_S):
        await running.close(0.01)
    assert not hanging.done()
    recognizer.may_go_on.set()
    assert await hanging == []


async def test_at_least_one_worker_is_needed() -> None:
    with pytest.raises(ValueError, match="workers"):
        Engine(ScriptedRecognizer(), 0)


# The same, seen from clients.


async def test_a_slow_recognition_holds_up_no_other_stream() -> None:
    recognizer = Gated(channel=1)
    async with (
        serving(recognizer, workers=1) as client,
        client.live(multichannel="true", channels="2") as slow,
        client.live(interim_results="true") as other,
    ):
        await slow.socket.send_bytes(silence(1.0, channels=2))
        await slow.say(type="CloseStream")
        await recognizer.wait_until_started()
        # Nobody speaks on the other stream's only channel: it needs no recognition.
        others = await other.transcribe(silence(2.5))
        recognizer.may_go_on.set()
        slows = await slow.rest()
    assert transcripts(others, final=False) == ["", ""]
    assert transcripts(slows) == ["", "one two"]


async def test_interims_are_skipped_while_behind_and_finals_are_not() -> None:
    recognizer = Gated()
    recognizer.may_go_on.set()
    # With such a limit a stream is always behind.
    async with serving(recognizer, longest_lag_s=-1.0) as client:
        async with client.live(interim_results="true") as live:
            messages = await live.transcribe(silence(3.0))
    assert transcripts(messages)[0] == "one two"
    assert set(transcripts(messages, final=False)) == {""}


async def test_an_instant_recogniser_is_never_taken_for_behind() -> None:
    async with serving(longest_lag_s=-1.0) as client:
        async with client.live(interim_results="true") as live:
            messages = await live.transcribe(silence(3.0))
    assert transcripts(messages, final=False)[0] == "hello world"


async def test_a_stream_that_is_behind_is_not_read_without_bound() -> None:
    recognizer = Gated()
    async with serving(recognizer, workers=1, max_backlog_bytes=16_000) as client:
        async with client.live() as live:
            await live.socket.send_bytes(silence(1.5))
            await recognizer.wait_until_started()

            async def send_much() -> None:
                for _ in range(1000):
                    await live.socket.send_bytes(silence(1.0))
                await live.say(type="CloseStream")

            sending = asyncio.create_task(send_much())
            _, waiting = await asyncio.wait([sending], timeout=0.5)
            assert waiting, "16 MB were taken while nothing was recognised"
            recognizer.may_go_on.set()
            messages = await live.rest()
            await sending
    assert messages[-1]["duration"] == pytest.approx(1001.5)


class Observed(ScriptedRecognizer):
    """Notes who describes it, which is who writes the answer down."""

    def __init__(self) -> None:
        super().__init__([("Hello.", 0.1, 0.5)])
        self.described_in: list[int] = []

    @property
    def architecture(self) -> str:
        self.described_in.append(threading.get_ident())
        return super().architecture


async def test_the_answer_to_a_recording_is_not_written_down_in_the_event_loop() -> None:
    recognizer = Observed()
    async with serving(recognizer) as client:
        status, _, _ = await client.post(wav(silence(1.0)), model="nova-3", utterances="true")
    assert status == 200
    assert recognizer.described_in
    assert threading.get_ident() not in recognizer.described_in
