"""Audio that is never sent leaves no trace in the times of the audio that is."""

import struct
from collections import deque

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from deepgram_async._protocol.listening_memory import ListeningMemory
from deepgram_async._protocol.reconnect import ReconnectPolicy
from deepgram_async._protocol.timelines import ListenTimeline
from deepgram_async.models import live
from deepgram_async.models.common import Alternative, Word
from deepgram_async.models.live import ListenEvent, Results

RATE = 100
FINALIZE = '{"type":"Finalize"}'
RAW = {"encoding": "mulaw", "sample_rate": RATE}


def memory(policy: ReconnectPolicy | None = None) -> ListeningMemory[ListenEvent]:
    return ListeningMemory(RAW, ListenTimeline(), policy or ReconnectPolicy(replay_speed=None))


def result(begin: int, end: int, *, is_final: bool = True) -> Results:
    """Return what a connection says of its samples: each is a word."""
    words = [
        Word(word=str(at), start=at / RATE, end=(at + 1) / RATE, confidence=1)
        for at in range(begin, end)
    ]
    alternative = Alternative(transcript="words", confidence=1, words=words)
    return Results(
        channel_index=[0, 1],
        start=begin / RATE,
        duration=(end - begin) / RATE,
        channel=live.Channel(alternatives=[alternative]),
        metadata=live.ResultsMetadata(request_id="r"),
        is_final=is_final,
    )


def placed(of: ListeningMemory[ListenEvent], event: Results) -> Results:
    event_for_user = of.place(event)
    assert isinstance(event_for_user, Results)
    return event_for_user


def said(of: ListeningMemory[ListenEvent]) -> list[str | bytes]:
    frames: list[str | bytes] = []
    while (frame := of.next(0.0)) is not None:
        frames.append(frame)
    return frames


def test_what_is_left_out_is_within_the_result_that_spans_it() -> None:
    kept = memory()
    chunks = [bytes([number]) * 10 for number in range(3)]
    for chunk in chunks:
        kept.add(chunk, 0.0)
    kept.leave_out(chunks[1])
    heard = placed(kept, result(0, 20))
    assert (heard.start, heard.duration, heard.end) == (0.0, 0.3, 0.3)
    assert (heard.words[9].end, heard.words[10].start) == (0.1, 0.2)
    assert kept.is_quiet
    assert kept.left_out_s == pytest.approx(0.1)


def test_the_next_connection_passes_over_what_was_left_out() -> None:
    kept = memory()
    chunks = [bytes([number]) * 10 for number in range(3)]
    for chunk in chunks:
        kept.add(chunk, 0.0)
    kept.leave_out(chunks[1])
    assert kept.rewind().offset_s == 0.0
    kept.restart(0.0)
    assert kept.unsent_bytes == 20
    assert kept.unsent_s == pytest.approx(0.2)
    assert said(kept) == [chunks[0], chunks[2]]
    assert placed(kept, result(10, 20)).start == 0.2


def test_the_oldest_that_is_not_said_is_left_out_while_behind() -> None:
    kept = memory(ReconnectPolicy(replay_speed=None, replay_bytes=20))
    chunks = [bytes([number]) * 10 for number in range(4)]
    kept.add(chunks[0], 0.0)
    kept.rewind()
    kept.add(FINALIZE, 0.0)
    for chunk in chunks[1:]:
        kept.add(chunk, 0.0)
    assert (kept.is_full, kept.unsent_bytes) == (True, 40 + len(FINALIZE))
    assert [kept.leave_out_next() for _ in range(3)] == chunks[:3]
    assert (kept.is_full, kept.unsent_bytes) == (False, 10 + len(FINALIZE))
    kept.restart(0.0)
    assert said(kept) == [FINALIZE, chunks[3]]
    assert kept.leave_out_next() is None
    assert placed(kept, result(0, 10)).start == 0.3


def test_audio_that_never_came_here_has_its_time_too() -> None:
    kept = memory()
    kept.add(bytes(10), 0.0)
    kept.skip(20)
    kept.add(bytes(10), 0.0)
    assert placed(kept, result(5, 15)).duration == 0.3
    kept.rewind()
    kept.skip(10)
    kept.restart(0.0)
    kept.add(bytes(10), 0.0)
    said(kept)
    # 0.35 s were settled; the first 0.05 s of this connection are before the last gap.
    assert placed(kept, result(5, 15)).start == pytest.approx(0.5)


def test_what_is_left_out_takes_no_time_to_say_again() -> None:
    kept = memory(ReconnectPolicy(replay_speed=1.0))
    kept.add(bytes(100), 0.0)
    kept.skip(10_000)
    kept.rewind()
    kept.restart(50.0)
    assert len(said(kept)) == 1
    assert kept.wait_s(50.0) == pytest.approx(1.0)


class Overload(RuleBasedStateMachine):
    """A line that is too slow and breaks; what waits longest is left out.

    Every sample tells its number, and every word has the time at which its sample was spoken,
    however much was left out before and whichever connection heard it.
    """

    def __init__(self) -> None:
        super().__init__()
        options = {"encoding": "linear16", "sample_rate": RATE}
        policy = ReconnectPolicy(replay_speed=None)
        self.memory = ListeningMemory(options, ListenTimeline(), policy)
        self.samples = 0
        self.waiting: deque[bytes] = deque()
        """What the network has not taken."""
        self.heard: list[int] = []
        """The samples that the present connection has got."""
        self.settled = 0
        self.told: list[int] = []
        """The samples of all final results."""
        self.is_lost = False

    @rule(size=st.integers(1, 30))
    def talk(self, size: int) -> None:
        numbers = range(self.samples, self.samples + size)
        self.samples += size
        chunk = struct.pack(f"<{size}H", *numbers)
        was_behind = self.memory.is_behind
        self.memory.add(chunk, 0.0)
        if not was_behind:
            self.waiting.append(chunk)

    @rule(size=st.integers(1, 30))
    def miss(self, size: int) -> None:
        self.samples += size
        self.memory.skip(2 * size)

    @rule()
    def leave_out(self) -> None:
        if self.memory.is_behind:
            self.memory.leave_out_next()
        elif self.waiting:
            self.memory.leave_out(self.waiting.popleft())

    @rule(steps=st.integers(1, 5))
    def write(self, steps: int) -> None:
        for _ in range(min(steps, len(self.waiting))):
            chunk = self.waiting.popleft()
            self.heard += struct.unpack(f"<{len(chunk) // 2}H", chunk)

    @precondition(lambda self: not self.is_lost)
    @rule(steps=st.integers(1, 5))
    def say_again(self, steps: int) -> None:
        for _ in range(steps):
            frame = self.memory.next(0.0)
            if isinstance(frame, bytes):
                self.waiting.append(frame)

    @precondition(lambda self: not self.is_lost)
    @rule(share=st.floats(0, 1), is_final=st.booleans())
    def hear(self, share: float, is_final: bool) -> None:
        begin = self.settled
        end = begin + int((len(self.heard) - begin) * share)
        if begin == end:
            return
        event = placed(self.memory, result(begin, end, is_final=is_final))
        numbers = self.heard[begin:end]
        assert [word.start for word in event.words] == pytest.approx(
            [number / RATE for number in numbers]
        )
        assert [word.end for word in event.words] == pytest.approx(
            [(number + 1) / RATE for number in numbers]
        )
        assert event.start == pytest.approx(numbers[0] / RATE)
        assert event.end == pytest.approx((numbers[-1] + 1) / RATE)
        if is_final:
            self.settled = end
            self.told += numbers

    @rule()
    def lose(self) -> None:
        rewind = self.memory.rewind()
        assert rewind.dropped_s == 0
        assert rewind.offset_s == pytest.approx((self.told[-1] + 1) / RATE if self.told else 0)
        self.waiting.clear()
        self.heard.clear()
        self.settled = 0
        self.is_lost = True

    @precondition(lambda self: self.is_lost)
    @rule()
    def connect(self) -> None:
        self.memory.restart(0.0)
        self.is_lost = False

    @invariant()
    def nothing_is_heard_twice_and_the_order_is_kept(self) -> None:
        heard = [*self.told, *self.heard[self.settled :]]
        assert heard == sorted(set(heard))


TestOverload = Overload.TestCase
