import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from deepgram_async._protocol.backlog import Backlog

RATE = 100
"""Bytes in a second; a sample has two."""


def raw_backlog(*, longest_s: float = 10.0, speed: float | None = None) -> Backlog:
    return Backlog(bytes_per_s=RATE, sample_bytes=2, longest_s=longest_s, speed=speed)


def compressed_backlog(longest_s: float = 10.0) -> Backlog:
    return Backlog(bytes_per_s=None, sample_bytes=1, longest_s=longest_s, speed=1.25)


def said(backlog: Backlog, now: float = 0.0) -> list[str | bytes]:
    frames: list[str | bytes] = []
    while (frame := backlog.next(now)) is not None:
        frames.append(frame)
    return frames


def test_speech_that_was_sent_is_said_again_before_what_was_not() -> None:
    backlog = raw_backlog()
    backlog.is_speech = True
    backlog.add_audio(b"once", 0.0, is_sent=True)
    backlog.rewind(0.0)
    backlog.add_audio(b"more", 0.0, is_sent=False)
    assert (backlog.unsent_bytes, backlog.unsent_s, backlog.sent_s) == (8, 0.08, 0.0)
    assert said(backlog) == [b"once", b"more"]
    assert (backlog.unsent_bytes, backlog.unsent_s, backlog.sent_s) == (0, 0.0, 0.08)


def test_audio_that_became_text_is_not_said_again() -> None:
    backlog = raw_backlog()
    backlog.is_speech = True
    backlog.add_audio(b"once", 0.0, is_sent=True)
    backlog.add_message("message", 0.0, is_sent=True, needs_effect=True)
    backlog.settle_audio()
    backlog.add_audio(b"more", 0.0, is_sent=True)
    assert not backlog.is_speech
    backlog.rewind(0.0)
    assert said(backlog) == ["message", b"more"]


def test_of_silence_the_last_second_is_kept() -> None:
    backlog = raw_backlog()
    for number in range(30):
        backlog.add_audio(bytes([number]) * 10, 0.0, is_sent=True)
    backlog.rewind(0.0)
    assert said(backlog) == [bytes([number]) * 10 for number in range(20, 30)]
    assert backlog.dropped_s == 0.0


def test_of_speech_the_bound_is_kept_and_the_rest_is_reported() -> None:
    backlog = raw_backlog(longest_s=2.0)
    backlog.is_speech = True
    for number in range(30):
        backlog.add_audio(bytes([number]) * 10, 0.0, is_sent=True)
    backlog.rewind(0.0)
    assert backlog.dropped_s == 1.0
    assert backlog.sent_s == 1.0
    assert said(backlog) == [bytes([number]) * 10 for number in range(10, 30)]


def test_while_nothing_can_be_sent_the_oldest_audio_is_dropped_and_no_message() -> None:
    backlog = raw_backlog(longest_s=1.0)
    backlog.is_speech = True
    backlog.add_audio(bytes(60), 0.0, is_sent=True)
    backlog.rewind(0.0)
    backlog.add_message("message", 0.0, is_sent=False, needs_effect=False)
    backlog.add_audio(b"x" * 60, 0.0, is_sent=False)
    assert backlog.dropped_s == 0.6
    assert said(backlog) == ["message", b"x" * 60]


def test_the_youngest_audio_stays_whatever_its_size() -> None:
    backlog = raw_backlog(longest_s=0.1)
    backlog.add_audio(bytes(500), 0.0, is_sent=True)
    backlog.rewind(0.0)
    assert said(backlog) == [bytes(500)]


def test_a_second_loss_says_again_what_the_first_did() -> None:
    backlog = raw_backlog()
    backlog.is_speech = True
    for chunk in (b"1111", b"2222", b"3333"):
        backlog.add_audio(chunk, 0.0, is_sent=True)
    backlog.rewind(0.0)
    assert [backlog.next(0.0), backlog.next(0.0)] == [b"1111", b"2222"]
    backlog.rewind(0.0)
    assert said(backlog) == [b"1111", b"2222", b"3333"]


def test_no_sample_is_cut_where_audio_was_dropped() -> None:
    backlog = raw_backlog(longest_s=0.1)
    backlog.rewind(0.0)
    for chunk in (b"Aa", b"Bb", b"C", b"cDdE", b"eFfG", b"gH"):
        backlog.add_audio(chunk, 0.0, is_sent=False)
    assert said(backlog) == [b"DdE", b"eFfG", b"gH"]
    backlog.add_audio(b"h", 0.0, is_sent=True)
    backlog.rewind(0.0)
    assert b"".join(frame for frame in said(backlog) if isinstance(frame, bytes)) == b"DdEeFfGgHh"


def test_a_chunk_of_half_a_sample_is_left_out() -> None:
    backlog = raw_backlog(longest_s=0.02)
    backlog.rewind(0.0)
    backlog.add_audio(b"A", 0.0, is_sent=False)
    backlog.add_audio(b"aB", 0.0, is_sent=False)
    backlog.add_audio(b"b", 0.0, is_sent=False)
    assert said(backlog) == []


def test_audio_is_said_again_at_a_measured_pace() -> None:
    backlog = raw_backlog(speed=2.0)
    backlog.is_speech = True
    for _ in range(3):
        backlog.add_audio(bytes(100), 0.0, is_sent=True)
    backlog.rewind(0.0)
    backlog.add_message("message", 0.0, is_sent=False, needs_effect=False)
    assert backlog.wait_s(50.0) == 0.0
    assert backlog.next(50.0) == bytes(100)
    assert backlog.wait_s(50.25) == 0.25
    assert backlog.wait_s(60.0) == 0.0
    assert backlog.next(50.5) == bytes(100)
    assert backlog.wait_s(50.5) == 0.5
    assert backlog.next(51.0) == bytes(100)
    assert backlog.wait_s(51.0) == 0.0  # a message needs no pace
    assert said(backlog) == ["message"]
    assert backlog.wait_s(51.0) == 0.0


def test_without_a_speed_there_is_no_pace() -> None:
    backlog = raw_backlog()
    backlog.rewind(0.0)
    for _ in range(2):
        backlog.add_audio(bytes(100), 0.0, is_sent=False)
    backlog.next(0.0)
    assert backlog.wait_s(0.0) == 0.0


# Messages.


def test_a_message_is_kept_until_its_effect() -> None:
    backlog = raw_backlog()
    backlog.add_message("fleeting", 0.0, is_sent=True, needs_effect=False)
    backlog.add_message("lasting", 0.0, is_sent=True, needs_effect=True)
    assert backlog.awaits_effect(0.0)
    backlog.rewind(0.0)
    backlog.add_message("fleeting", 0.0, is_sent=False, needs_effect=False)
    assert not backlog.settle(lambda frame: True)  # nobody has heard it
    assert said(backlog) == ["lasting", "fleeting"]
    assert not backlog.settle(lambda frame: frame == "fleeting")
    assert backlog.settle(lambda frame: frame == "lasting")
    assert not backlog.awaits_effect(0.0)
    backlog.rewind(0.0)
    assert said(backlog) == []


def test_a_message_without_an_effect_is_forgotten_some_time_after_it_was_sent() -> None:
    backlog = raw_backlog()
    backlog.add_message("early", 0.0, is_sent=True, needs_effect=True)
    backlog.add_message("late", 20.0, is_sent=True, needs_effect=True)
    assert backlog.awaits_effect(49.0)
    assert not backlog.awaits_effect(50.0)
    backlog.rewind(40.0)
    assert said(backlog, now=100.0) == ["late"]
    backlog.rewind(129.0)
    assert said(backlog) == ["late"]


# Compressed audio.


def test_compressed_audio_is_not_said_again() -> None:
    backlog = compressed_backlog()
    backlog.is_speech = True
    backlog.add_audio(b"once", 0.0, is_sent=True)
    backlog.rewind(0.0)
    backlog.add_audio(b"a", 0.0, is_sent=False)
    backlog.add_audio(b"b", 0.0, is_sent=False)
    assert (backlog.unsent_bytes, backlog.unsent_s, backlog.dropped_s) == (2, 0.0, 0.0)
    assert backlog.next(0.0) == b"a"
    assert backlog.wait_s(0.0) == 0.0
    backlog.rewind(0.0)
    assert said(backlog) == [b"b"]


def test_compressed_audio_has_its_bounds_too() -> None:
    backlog = compressed_backlog(longest_s=2.0)
    backlog.rewind(0.0)
    for now in range(6):
        backlog.add_audio(bytes([now]), float(now), is_sent=False)
    assert said(backlog) == [b"\3", b"\4", b"\5"]
    for _ in range(3):
        backlog.add_audio(bytes(1 << 19), 9.0, is_sent=False)
    assert backlog.unsent_bytes == 1 << 20


@settings(max_examples=60, stateful_step_count=60, deadline=None)
class Talk(RuleBasedStateMachine):
    """A user that talks, a service that writes it down, and a line that breaks.

    Every connection hears the stream in order and without a gap, from a place on that lies no
    later than what became text, unless the bound or silence has moved it.
    """

    LONGEST = 200

    def __init__(self) -> None:
        super().__init__()
        self.backlog = raw_backlog(longest_s=self.LONGEST / RATE)
        self.is_behind = False
        self.whole = b""
        self.heard: list[tuple[int, bytes]] = []
        """What the present connection heard, and where in the whole that is."""
        self.settled = 0
        self.speech_from: int | None = None
        self.reported_s = 0.0
        """Audio that earlier losses have cost."""

    def hear(self, chunk: bytes) -> None:
        # The bytes count up, so the first two tell where a chunk comes from.
        begin = int.from_bytes(chunk[:2]) * 2 if len(chunk) > 1 else -1
        self.heard.append((begin, chunk))

    @rule(samples=st.integers(1, 15))
    def talk(self, samples: int) -> None:
        first = len(self.whole) // 2
        chunk = b"".join(number.to_bytes(2) for number in range(first, first + samples))
        self.whole += chunk
        self.backlog.add_audio(chunk, 0.0, is_sent=not self.is_behind)
        if not self.is_behind:
            self.hear(chunk)

    @rule()
    def start_speaking(self) -> None:
        if not self.backlog.is_speech:
            self.backlog.is_speech = True
            self.speech_from = len(self.whole)

    @rule()
    def write_down(self) -> None:
        self.backlog.settle_audio()
        self.settled = len(self.whole) - round(self.backlog.unsent_s * RATE)
        self.speech_from = None

    @rule(steps=st.integers(0, 5))
    def replay(self, steps: int) -> None:
        for _ in range(steps if self.is_behind else 0):
            frame = self.backlog.next(0.0)
            self.is_behind = frame is not None
            if isinstance(frame, bytes):
                self.hear(frame)

    @rule()
    def lose(self) -> None:
        self.reported_s += self.backlog.dropped_s
        self.backlog.rewind(0.0)
        self.is_behind = True
        self.heard = []
        begin = round(self.backlog.sent_s * RATE)
        assert begin >= self.settled
        unsent = round(self.backlog.unsent_s * RATE)
        assert begin + unsent == len(self.whole)
        assert unsent <= self.LONGEST
        if self.speech_from is not None:
            speech = len(self.whole) - max(self.speech_from, self.settled)
            dropped_s = self.reported_s + self.backlog.dropped_s
            assert unsent + round(dropped_s * RATE) >= speech

    @invariant()
    def what_is_heard_is_in_order(self) -> None:
        ends = [begin + len(chunk) for begin, chunk in self.heard]
        for (begin, chunk), end in zip(self.heard[1:], ends, strict=False):
            assert begin >= end
            assert self.whole[begin : begin + len(chunk)] == chunk

    @invariant()
    def level_means_that_the_end_was_heard(self) -> None:
        if not self.is_behind and self.heard:
            begin, chunk = self.heard[-1]
            assert begin + len(chunk) == len(self.whole)

    @invariant()
    def no_more_is_kept_than_the_bounds_allow(self) -> None:
        assert self.backlog.unsent_bytes <= self.LONGEST


TestTalk = Talk.TestCase


@pytest.mark.parametrize("longest_s", [0.0, 0.5])
def test_a_bound_below_a_second_holds_for_silence_too(longest_s: float) -> None:
    backlog = raw_backlog(longest_s=longest_s)
    for number in range(30):
        backlog.add_audio(bytes([number]) * 10, 0.0, is_sent=True)
    backlog.rewind(0.0)
    assert len(said(backlog)) == max(1, longest_s * 10)
