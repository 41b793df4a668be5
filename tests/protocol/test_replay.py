import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from deepgram_async._protocol.audio_clocks import clock_for
from deepgram_async._protocol.memory import CannotResume
from deepgram_async._protocol.replay import Gap, ReplayLog

RATE = 100
STEREO = {"encoding": "linear16", "sample_rate": RATE, "channels": 2}
FRAME = 4
"""Bytes of one sample of both channels."""
PLENTY = 1 << 20


def raw_log(*, longest_s: float = 1e6, most_bytes: int = PLENTY) -> ReplayLog:
    return ReplayLog(
        clock_for({"encoding": "mulaw", "sample_rate": RATE}),
        longest_s=longest_s,
        most_bytes=most_bytes,
    )


def said(log: ReplayLog) -> list[str | bytes]:
    frames: list[str | bytes] = []
    while (frame := log.next()) is not None:
        assert not isinstance(frame, Gap)
        frames.append(frame)
    return frames


def test_a_level_log_has_nothing_to_say() -> None:
    log = raw_log()
    log.add_audio(b"abc")
    assert log.next() is None
    assert (log.unsent_bytes, log.is_full, log.kept_bytes) == (0, False, 3)


def test_what_no_result_covers_is_said_again_to_the_byte() -> None:
    log = raw_log()
    log.add_audio(bytes(range(100)))
    log.add_audio(bytes(range(100, 200)))
    log.cover(0.5)
    rewind = log.rewind()
    assert (rewind.offset_s, rewind.dropped_s) == (0.5, 0.0)
    assert said(log) == [bytes(range(50, 100)), bytes(range(100, 200))]
    assert not log.is_behind


def test_a_sample_of_several_channels_is_never_cut() -> None:
    log = ReplayLog(clock_for(STEREO), longest_s=1e6, most_bytes=PLENTY)
    log.add_audio(bytes(200))
    log.cover(0.123456)  # within the thirteenth sample
    assert log.rewind().offset_s == 0.12
    assert said(log) == [bytes(200 - 12 * FRAME)]


def test_what_is_added_while_the_log_is_behind_is_said_in_its_turn() -> None:
    log = raw_log()
    log.add_audio(b"one")
    log.rewind()
    log.add_audio(b"two")
    assert log.unsent_bytes == 6
    assert log.next() == b"one"
    log.add_audio(b"three")
    assert said(log) == [b"two", b"three"]


def test_messages_keep_their_place() -> None:
    log = raw_log()
    log.add_control("a", needs_answer=True)
    log.add_audio(b"one")
    log.add_control("b", needs_answer=False)
    log.add_control("c", needs_answer=True)
    log.add_audio(b"two")
    log.rewind()
    log.add_control("d", needs_answer=False)
    assert said(log) == ["a", b"one", "b", "c", b"two", "d"]


def test_a_message_goes_with_the_audio_before_it_or_with_its_answer() -> None:
    log = raw_log()
    log.add_audio(bytes(100))
    log.add_control("gone", needs_answer=False)
    log.add_control("stays", needs_answer=True)
    log.cover(1.0)
    assert log.answer(lambda frame: frame == "nobody") is None
    log.rewind()
    assert said(log) == ["stays"]
    assert log.answer(lambda frame: frame == "stays") == "stays"
    assert not log.has_controls


def test_a_message_that_was_not_sent_is_not_answered() -> None:
    log = raw_log()
    log.add_audio(b"audio")
    log.rewind()
    log.add_control("later", needs_answer=True)
    assert log.answer(lambda frame: True) is None


def test_audio_that_was_not_sent_is_never_let_go() -> None:
    log = raw_log()
    log.add_audio(bytes(100))
    log.rewind()
    log.add_audio(bytes(100))
    assert isinstance(log.next(), bytes)
    log.cover(50.0)  # a service that is wrong about time
    assert said(log) == [bytes(100)]


def test_a_second_loss_begins_where_results_have_come_to() -> None:
    log = raw_log()
    log.add_audio(bytes(range(100)))
    log.cover(0.2)
    log.rewind()
    said(log)
    log.cover(0.6)
    assert log.rewind().offset_s == 0.6
    assert said(log) == [bytes(range(60, 100))]


def test_more_than_the_bounds_drops_the_oldest_and_moves_the_clock() -> None:
    log = raw_log(longest_s=1.0)
    for number in range(15):
        log.add_audio(bytes([number]) * 10)
    assert log.kept_bytes == 100
    rewind = log.rewind()
    assert (rewind.offset_s, rewind.dropped_s) == (0.5, 0.5)
    assert said(log)[0] == bytes([5]) * 10
    assert log.rewind().dropped_s == 0.0, "what is lost is reported once"


def test_bytes_are_a_bound_too() -> None:
    log = raw_log(most_bytes=50)
    for _ in range(10):
        log.add_audio(bytes(10))
    assert log.kept_bytes == 50


def test_a_log_that_is_behind_is_full_at_its_bound_and_drops_nothing() -> None:
    log = raw_log(longest_s=1.0)
    log.add_audio(bytes(50))
    log.rewind()
    for _ in range(10):
        log.add_audio(bytes(10))
    assert log.is_full
    assert sum(len(frame) for frame in said(log)) == 150
    assert not log.is_full


def test_unknown_audio_can_only_be_said_as_a_whole() -> None:
    log = ReplayLog(clock_for({"encoding": "amr-wb"}), longest_s=1.0, most_bytes=PLENTY)
    log.add_audio(b"all ")
    log.rewind()
    log.add_audio(b"of it")
    assert said(log) == [b"all ", b"of it"]
    log.cover(0.5)
    assert log.kept_bytes == 0
    with pytest.raises(CannotResume, match="amr-wb"):
        log.rewind()


@settings(max_examples=60, stateful_step_count=60, deadline=None)
class Conversation(RuleBasedStateMachine):
    """A client that talks, a service that settles what it heard, and a line that breaks.

    Whatever the order, all audio is heard by connections that begin no later than the service had
    settled, and nothing of it twice on one connection.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log = ReplayLog(clock_for(STEREO), longest_s=1e6, most_bytes=PLENTY)
        self.whole = b""
        self.messages: list[tuple[int, str]] = []
        self.begin = 0
        """Position in the stream where the present connection begins."""
        self.heard = b""
        self.heard_messages: list[tuple[int, str]] = []
        self.settled = 0

    @rule(size=st.integers(1, 40))
    def talk(self, size: int) -> None:
        chunk = bytes((len(self.whole) + n) % 251 for n in range(size))
        self.whole += chunk
        self.log.add_audio(chunk)
        if not self.log.is_behind:
            self.heard += chunk

    @rule(needs_answer=st.booleans())
    def ask(self, needs_answer: bool) -> None:
        frame = f"{len(self.messages)}"
        self.messages.append((len(self.whole), frame if needs_answer else f"?{frame}"))
        self.log.add_control(self.messages[-1][1], needs_answer=needs_answer)
        if not self.log.is_behind:
            self.heard_messages.append(self.messages[-1])

    @rule(share=st.floats(0, 1))
    def settle(self, share: float) -> None:
        samples = int((self.begin + len(self.heard)) // FRAME * share)
        self.settled = max(self.settled, samples * FRAME)
        self.log.cover(round(self.settled / FRAME / RATE, 6))

    @rule(steps=st.integers(0, 5))
    def replay(self, steps: int) -> None:
        for _ in range(steps):
            frame = self.log.next()
            if isinstance(frame, bytes):
                self.heard += frame
            elif isinstance(frame, str):
                self.heard_messages.append((self.begin + len(self.heard), frame))

    @rule()
    def lose(self) -> None:
        rewind = self.log.rewind()
        assert rewind.dropped_s == 0
        self.begin = round(rewind.offset_s * RATE) * FRAME
        assert self.begin == self.settled // FRAME * FRAME
        self.heard = b""
        self.heard_messages = []

    @invariant()
    def a_connection_hears_the_stream_from_its_beginning_on(self) -> None:
        assert self.whole[self.begin :].startswith(self.heard)

    @invariant()
    def a_level_log_means_that_all_was_heard(self) -> None:
        if not self.log.is_behind:
            assert self.begin + len(self.heard) == len(self.whole)
            kept = [each for each in self.messages if not each[1].startswith("?")]
            assert [frame for _, frame in self.heard_messages if not frame.startswith("?")] == [
                frame for _, frame in kept
            ]
        for position, frame in self.heard_messages:
            asked = next(place for place, asked in self.messages if asked == frame)
            assert position == max(asked, self.begin)

    @invariant()
    def what_is_kept_is_what_is_not_settled(self) -> None:
        assert self.log.kept_bytes >= len(self.whole) - max(self.settled, self.begin)


TestConversation = Conversation.TestCase


@given(st.lists(st.integers(1, 30), min_size=1), st.floats(0, 1), st.integers(10, 200))
def test_the_clock_is_right_whatever_was_dropped(
    sizes: list[int], share: float, most_bytes: int
) -> None:
    log = raw_log(most_bytes=most_bytes)
    whole = b""
    for size in sizes:
        chunk = bytes((len(whole) + n) % 251 for n in range(size))
        whole += chunk
        log.add_audio(chunk)
    covered = int(len(whole) * share)
    log.cover(covered / RATE)
    rewind = log.rewind()
    begin = round(rewind.offset_s * RATE)
    assert b"".join(frame for frame in said(log) if isinstance(frame, bytes)) == whole[begin:]
    assert rewind.dropped_s == pytest.approx(max(0, begin - covered) / RATE)
    assert log.kept_bytes <= max(most_bytes, sizes[-1])
