import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from deepgram_async._protocol.speak_v1 import MOST_CHARACTERS, MOST_FLUSHES
from deepgram_async._protocol.speech_memory import SpeakV1Memory
from deepgram_async.models.speak import Cleared, Error, Flushed, Metadata, SpeakEvent

FLUSH = '{"type":"Flush"}'
CLEAR = '{"type":"Clear"}'
CLOSE = '{"type":"Close"}'
OPTIONS = {"model": "aura-2-thalia-en"}
WINDOW_S = 60.0


def speak(text: str) -> str:
    return json.dumps({"type": "Speak", "text": text}, ensure_ascii=False)


def memory(*frames: str, window_s: float | None = None) -> SpeakV1Memory:
    made = SpeakV1Memory(OPTIONS, window_s=window_s)
    for frame in frames:
        made.add(frame, 0.0)
    return made


def said(made: SpeakV1Memory, now: float = 0.0) -> list[str | bytes]:
    frames: list[str | bytes] = []
    while (frame := made.next(now)) is not None:
        frames.append(frame)
    return frames


def placed(made: SpeakV1Memory, *events: SpeakEvent) -> list[SpeakEvent | None]:
    return [made.place(event) for event in events]


def reconnected(made: SpeakV1Memory, now: float = 0.0) -> list[str | bytes]:
    """Lose the connection and return what is said on the next one."""
    made.rewind()
    made.restart(now)
    return said(made, now)


# One connection.


def test_a_level_memory_passes_everything_as_it_is() -> None:
    made = memory(speak("one"), FLUSH)
    events: list[SpeakEvent] = [Metadata(request_id="r"), b"123", Flushed(), Error(code="e")]
    assert placed(made, *events) == events
    assert made.next(0.0) is None
    assert not made.is_behind


def test_a_memory_with_nothing_owed_is_quiet() -> None:
    assert memory().is_quiet
    made = memory(speak("one"), FLUSH)
    assert not made.is_quiet
    placed(made, b"123", Flushed())
    assert made.is_quiet


def test_audio_and_confirmations_are_progress() -> None:
    made = memory()
    assert all(made.is_progress(event) for event in (b"1", Flushed(), Cleared()))
    assert not made.is_progress(Metadata(request_id="r"))
    assert not made.is_progress(Error())


def test_the_options_are_those_of_the_stream() -> None:
    assert memory().options == OPTIONS


def test_options_may_be_changed_for_the_next_connection() -> None:
    made = memory()
    made.change({"model": "aura-2-luna-en"})
    assert made.options == {**OPTIONS, "model": "aura-2-luna-en"}


# What is said again.


def test_text_that_is_not_confirmed_is_said_again() -> None:
    made = memory(speak("one"), FLUSH, speak("two"), FLUSH, speak("three"))
    placed(made, b"111", Flushed())
    assert reconnected(made) == [speak("two"), FLUSH, speak("three")]
    assert not made.is_behind


def test_a_rewind_begins_at_no_time_and_drops_nothing() -> None:
    rewind = memory(speak("one")).rewind()
    assert (rewind.offset_s, rewind.dropped_s) == (0.0, 0.0)


def test_what_is_added_while_the_memory_is_behind_is_said_in_its_turn() -> None:
    made = memory(speak("one"))
    made.rewind()
    made.add(FLUSH, 0.0)
    assert made.is_behind
    assert made.unsent_bytes == len(speak("one") + FLUSH)
    made.restart(0.0)
    assert made.next(0.0) == speak("one")
    made.add(speak("two"), 0.0)
    assert said(made) == [FLUSH, speak("two")]
    assert (made.unsent_bytes, made.unsent_s) == (0, 0.0)


def test_a_rewound_memory_with_nothing_to_say_is_level_after_next() -> None:
    made = memory()
    made.rewind()
    assert made.is_behind
    assert reconnected(made) == []
    assert not made.is_behind


def test_audio_that_the_user_has_is_swallowed() -> None:
    made = memory(speak("one"), FLUSH)
    placed(made, b"abc", b"de")
    reconnected(made)
    assert placed(made, b"ab", b"cdef", b"g", Flushed()) == [None, b"f", b"g", Flushed()]


def test_audio_before_a_flush_counts_too() -> None:
    made = memory(speak("one"))
    placed(made, b"abc")
    assert reconnected(made) == [speak("one")]
    assert placed(made, b"abc", b"d") == [None, b"d"]


def test_the_next_segment_is_heard_from_its_beginning() -> None:
    made = memory(speak("one"), FLUSH, speak("two"), FLUSH)
    placed(made, b"abcd")
    reconnected(made)
    # The service may speak a little shorter than it did.
    assert placed(made, b"abc", Flushed(), b"xyz") == [None, Flushed(), b"xyz"]


def test_a_connection_that_brings_nothing_new_changes_nothing() -> None:
    made = memory(speak("one"))
    placed(made, b"abcd")
    reconnected(made)
    assert placed(made, b"ab") == [None]
    reconnected(made)
    assert placed(made, b"abcde") == [b"e"]


def test_a_flush_without_text_is_confirmed_like_any_other() -> None:
    made = memory(FLUSH, speak("one"), FLUSH)
    assert reconnected(made) == [FLUSH, speak("one"), FLUSH]
    placed(made, Flushed())
    assert reconnected(made) == [speak("one"), FLUSH]


def test_a_confirmation_without_a_flush_settles_nothing() -> None:
    made = memory(speak("one"))
    assert placed(made, Flushed()) == [Flushed()]
    assert reconnected(made) == [speak("one")]


def test_audio_that_nobody_asked_for_passes() -> None:
    assert placed(memory(), b"abc") == [b"abc"]


def test_the_metadata_of_each_connection_passes() -> None:
    made = memory()
    reconnected(made)
    metadata = Metadata(request_id="second")
    assert made.place(metadata) == metadata


# Clear and close.


def test_a_clear_lets_go_of_all_text_and_is_said_until_it_is_confirmed() -> None:
    made = memory(speak("one"), FLUSH, speak("two"), CLEAR)
    assert reconnected(made) == [CLEAR]
    assert placed(made, Cleared()) == [Cleared()]
    assert made.is_quiet


def test_what_comes_before_the_confirmation_of_a_clear_settles_nothing() -> None:
    made = memory(speak("one"), FLUSH, CLEAR, speak("two"), FLUSH)
    assert placed(made, b"abc", Flushed(), Cleared()) == [b"abc", Flushed(), Cleared()]
    assert reconnected(made) == [speak("two"), FLUSH]
    assert placed(made, b"ab") == [b"ab"]


def test_a_clear_while_the_memory_is_behind_drops_what_was_not_said() -> None:
    made = memory(speak("one"), FLUSH)
    made.rewind()
    made.restart(0.0)
    assert made.next(0.0) == speak("one")
    made.add(CLEAR, 0.0)
    made.add(speak("two"), 0.0)
    assert said(made) == [CLEAR, speak("two")]


def test_a_clear_that_was_not_said_is_not_confirmed() -> None:
    made = memory(speak("one"))
    made.rewind()
    made.add(CLEAR, 0.0)
    made.restart(0.0)
    placed(made, Cleared())
    assert said(made) == [CLEAR]


def test_every_clear_is_confirmed() -> None:
    made = memory(CLEAR, speak("one"), CLEAR)
    assert reconnected(made) == [CLEAR, CLEAR]
    placed(made, Cleared())
    assert reconnected(made) == [CLEAR]


def test_a_close_flushes_and_stays() -> None:
    made = memory(speak("one"), CLOSE)
    assert reconnected(made) == [speak("one"), CLOSE]
    placed(made, b"abc", Flushed())
    assert reconnected(made) == [CLOSE]
    assert not made.is_quiet


def test_a_close_without_text_is_said_again() -> None:
    assert reconnected(memory(CLOSE)) == [CLOSE]


# Limits.


def test_what_is_said_again_keeps_to_the_characters_of_a_connection() -> None:
    long = speak("x" * 1000)
    made = memory(long, long, window_s=WINDOW_S)
    made.rewind()
    made.add(long, 20.0)
    made.restart(30.0)
    assert made.wait_s(30.0) == 0
    assert made.next(30.0) == long
    assert made.next(40.0) == long
    assert made.wait_s(50.0) == 40.0
    assert made.wait_s(90.0) == 0
    assert made.next(90.0) == long
    assert made.wait_s(90.0) == 0


def test_what_is_said_again_keeps_to_the_flushes_of_a_connection() -> None:
    made = memory(*[FLUSH] * MOST_FLUSHES, window_s=WINDOW_S)
    made.rewind()
    made.add(FLUSH, 0.0)
    made.add(CLOSE, 0.0)
    made.restart(0.0)
    for _ in range(MOST_FLUSHES):
        assert made.wait_s(0.0) == 0
        assert made.next(0.0) == FLUSH
    assert made.wait_s(0.0) == WINDOW_S
    assert made.next(WINDOW_S) == FLUSH
    assert made.wait_s(WINDOW_S) == 0
    assert made.next(WINDOW_S) == CLOSE


def test_new_text_waits_if_the_connection_was_told_as_much_again() -> None:
    long = speak("x" * 1500)
    made = memory(long, window_s=WINDOW_S)
    reconnected(made, 50.0)
    made.add(long, 61.0)
    assert made.is_behind
    assert made.wait_s(61.0) == 49.0
    assert made.next(110.0) == long
    assert not made.is_behind


def test_a_service_without_limits_is_told_everything_at_once() -> None:
    made = memory(*[speak("x" * 2000), FLUSH] * 50)
    assert len(reconnected(made)) == 100


def test_a_memory_that_is_behind_is_full_at_its_bound() -> None:
    text = speak("ß" * 2000)
    made = memory(*[text] * 300)
    fills = [made.is_full]
    made.rewind()
    fills.append(made.is_full)
    made.restart(0.0)
    for _ in range(100):
        made.next(0.0)
    fills.append(made.is_full)
    assert fills == [False, True, False], "what was sent waits for nothing"
    assert made.unsent_bytes == 200 * len(text.encode())


A_FEW = st.sampled_from([20, 3, 2, 1, 0])
"""How much happens; to begin with much makes interesting stories likely."""


class Aura:
    """One connection of a service that turns each character into two bytes."""

    def __init__(self) -> None:
        self.inbox: list[str] = []
        self.outbox: list[SpeakEvent] = [Metadata(request_id="r")]
        self.text = ""

    def work(self) -> None:
        """Read a message."""
        if not self.inbox:
            return
        message = json.loads(self.inbox.pop(0))
        match message["type"]:
            case "Speak":
                self.text += message["text"]
            case "Flush":
                self.synthesize(len(self.text))
                self.outbox.append(Flushed())
            case "Clear":
                self.text = ""
                self.outbox.append(Cleared())
            case kind:
                raise AssertionError(kind)

    def synthesize(self, characters: int) -> None:
        if characters and self.text:
            self.outbox.append(sound(self.text[:characters]))
            self.text = self.text[characters:]


def sound(text: str) -> bytes:
    return "".join(character + character.upper() for character in text).encode()


@settings(max_examples=150, stateful_step_count=80, deadline=None)
class Speech(RuleBasedStateMachine):
    """A user who talks and clears, a service that speaks, and a line that breaks.

    Whatever the order, the user has the audio and the confirmations of a stream that was never
    disturbed, up to where that has come.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.memory = SpeakV1Memory(OPTIONS, window_s=WINDOW_S)
        self.service: Aura | None = Aura()
        self.sent: list[tuple[float, str]] = []
        """What the present connection was told, and when."""
        self.wanted: list[bytes | str] = []
        """What the user is to see since the last clear."""
        self.seen: list[bytes | str] = []
        self.clears = 0
        """Clears without a confirmation."""
        self.number = 0

    def say(self, frame: str) -> None:
        self.memory.add(frame, self.now)
        if not self.memory.is_behind:
            self.send(frame)

    def send(self, frame: str) -> None:
        assert self.service is not None
        self.service.inbox.append(frame)
        self.sent.append((self.now, frame))
        window = [frame for then, frame in self.sent if then > self.now - WINDOW_S]
        texts = [json.loads(frame).get("text", "") for frame in window]
        assert sum(map(len, texts)) <= MOST_CHARACTERS
        assert window.count(FLUSH) <= MOST_FLUSHES

    @precondition(lambda self: not self.clears)
    @rule(length=st.integers(1, 20) | st.integers(500, 900), is_flushed=st.booleans())
    def talk(self, length: int, is_flushed: bool) -> None:
        text = "".join(chr(97 + (self.number + n) % 26) for n in range(length))
        self.number += length
        self.wanted.append(sound(text))
        self.say(speak(text))
        if is_flushed:
            self.flush()

    @precondition(lambda self: not self.clears)
    @rule()
    def flush(self) -> None:
        self.wanted.append("Flushed")
        self.say(FLUSH)

    @rule(is_meant=st.integers(0, 3))
    def clear(self, is_meant: int) -> None:
        if not is_meant:
            self.wanted, self.seen = [], []
            self.clears += 1
            self.say(CLEAR)

    @precondition(lambda self: self.service)
    @rule(messages=A_FEW, characters=A_FEW, events=A_FEW, size=st.integers(1, 50))
    def serve(self, messages: int, characters: int, events: int, size: int) -> None:
        """Let the service read, speak a little, and be heard."""
        assert self.service is not None
        self.catch_up(messages)
        for _ in range(messages):
            self.service.work()
        self.service.synthesize(characters)
        for _ in range(events):
            self.hear(size)

    def hear(self, size: int) -> None:
        assert self.service is not None
        if not self.service.outbox:
            return
        event = self.service.outbox.pop(0)
        if isinstance(event, bytes) and len(event) > size:
            self.service.outbox.insert(0, event[size:])
            event = event[:size]
        self.see(self.memory.place(event))

    def see(self, event: SpeakEvent | None) -> None:
        match event:
            case bytes() if not self.clears:
                self.seen.append(event)
            case Flushed() if not self.clears:
                self.seen.append("Flushed")
            case Cleared():
                self.clears -= 1
            case _:
                pass

    def catch_up(self, frames: int) -> None:
        for _ in range(frames):
            if self.memory.wait_s(self.now):
                return
            frame = self.memory.next(self.now)
            if isinstance(frame, str):
                self.send(frame)

    @rule(seconds=st.integers(0, 40))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.service)
    @rule(messages=A_FEW, characters=A_FEW, events=A_FEW, size=st.integers(1, 50))
    def lose(self, messages: int, characters: int, events: int, size: int) -> None:
        self.serve(messages, characters, events, size)
        self.memory.rewind()
        self.service = None
        self.sent = []

    @precondition(lambda self: self.service is None)
    @rule()
    def connect(self) -> None:
        self.service = Aura()
        self.memory.restart(self.now)

    @invariant()
    def the_user_sees_the_beginning_of_an_undisturbed_stream(self) -> None:
        assert joined(self.wanted).startswith(joined(self.seen))
        assert not self.memory.is_quiet or self.seen_all() or self.clears

    def seen_all(self) -> bool:
        return joined(self.seen) == joined(self.wanted)

    def teardown(self) -> None:
        if self.service is None:
            self.connect()
        if not self.clears:
            self.flush()
        while not self.memory.is_quiet:
            self.serve(1, 0, 2, 1000)
            self.now += self.memory.wait_s(self.now)
        assert self.memory.is_quiet
        assert self.clears == 0
        assert self.seen_all()


def joined(pieces: list[bytes | str]) -> bytes:
    """Return audio with a mark at every flush, however it was cut."""
    return b"".join(piece if isinstance(piece, bytes) else b"|" for piece in pieces)


TestSpeech = Speech.TestCase
