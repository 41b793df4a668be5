import json
from collections import deque
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from deepgram_async._protocol.speech_memory_v2 import SpeakV2Memory
from deepgram_async.models import speak_flux
from deepgram_async.models.events import Unknown
from deepgram_async.models.speak_flux import (
    AppliedSettings,
    ConfigureFailure,
    ConfigureSuccess,
    Connected,
    Flushed,
    FluxSpeakEvent,
    InterruptedSpeech,
    SessionMetadata,
    SpeechInterrupted,
    SpeechMetadata,
    SpeechStarted,
)

FLUSH = '{"type":"Flush"}'
INTERRUPT = '{"type":"Interrupt"}'
CLOSE = '{"type":"Close"}'
# One byte of audio lasts a millisecond.
OPTIONS = {"model": "flux-alexis-en", "encoding": "mulaw", "sample_rate": 1000}
NOTHING_ACTIVE = speak_flux.Warning(code="NO_ACTIVE_SPEECH")
NO_AUDIO = speak_flux.Warning(code="NO_AUDIO_GENERATED")
OFFSET_REFUSED = speak_flux.Warning(code="INVALID_INTERRUPT_OFFSET")


def speak(text: str) -> str:
    return json.dumps({"type": "Speak", "text": text})


def interrupt(played_ms: int) -> str:
    offset = {"type": "time_ms", "value": played_ms}
    return compact({"type": "Interrupt", "playback_offset": offset})


def configure(speed: float) -> str:
    return compact({"type": "Configure", "speed": speed})


def compact(message: object) -> str:
    return json.dumps(message, separators=(",", ":"))


def memory(*frames: str, **options: object) -> SpeakV2Memory:
    made = SpeakV2Memory({**OPTIONS, **options})
    for frame in frames:
        made.add(frame, 0.0)
    return made


def said(made: SpeakV2Memory) -> list[str | bytes]:
    frames: list[str | bytes] = []
    while (frame := made.next(0.0)) is not None:
        frames.append(frame)
    return frames


def placed(made: SpeakV2Memory, *events: FluxSpeakEvent) -> list[FluxSpeakEvent | None]:
    return [made.place(event) for event in events]


def reconnected(made: SpeakV2Memory) -> list[str | bytes]:
    """Lose the connection and return what is said on the next one."""
    made.rewind()
    made.restart(0.0)
    return said(made)


def started(speech_id: str) -> SpeechStarted:
    return SpeechStarted(speech_id=speech_id)


def ended(speech_id: str, *, ms: float | None = None, characters: int = 0) -> SpeechMetadata:
    return SpeechMetadata(
        speech_id=speech_id,
        audio_duration_ms=ms,
        input_character_count=characters,
        billable_character_count=characters,
    )


def cut(speech_id: str | None, played_ms: float | None = None) -> SpeechInterrupted:
    return SpeechInterrupted(
        audio_played_ms=played_ms, metadata=InterruptedSpeech(speech_id=speech_id)
    )


# Turns.


def test_the_first_connection_passes_everything_as_it_is() -> None:
    made = memory(speak("one"), FLUSH)
    events: list[FluxSpeakEvent] = [
        Connected(request_id="r"),
        started("a"),
        b"123",
        Flushed(speech_id="a"),
        ended("a", ms=3),
        Unknown("New", b"{}"),
        SessionMetadata(total_audio_duration_ms=3),
    ]
    assert placed(made, *events) == events
    assert made.is_quiet
    assert made.next(0.0) is None


def test_turns_that_have_not_ended_are_said_again() -> None:
    made = memory(speak("one"), FLUSH, speak("two "), speak("more"), FLUSH, speak("three"))
    placed(made, started("a"), b"1", ended("a"))
    assert reconnected(made) == [speak("two "), speak("more"), FLUSH, speak("three")]
    assert not made.is_behind


def test_a_repeated_turn_keeps_its_name_and_goes_on_where_it_stopped() -> None:
    made = memory(speak("one"), FLUSH, speak("two"), FLUSH)
    placed(made, started("a"), b"123", Flushed(speech_id="a"))
    reconnected(made)
    events: list[FluxSpeakEvent] = [
        Connected(request_id="r"),
        started("b"),
        b"12",
        b"34",
        Flushed(speech_id="b"),
        ended("b"),
        started("c"),
        b"x",
        Flushed(speech_id="c"),
    ]
    assert placed(made, *events) == [
        Connected(request_id="r"),
        None,
        None,
        b"4",
        None,
        ended("a"),
        started("c"),
        b"x",
        Flushed(speech_id="c"),
    ]


def test_a_turn_keeps_its_first_name_over_many_connections() -> None:
    made = memory(speak("one"), FLUSH)
    made.place(started("a"))
    for other in ("b", "c"):
        reconnected(made)
        assert made.place(started(other)) is None
    assert placed(made, Flushed(speech_id="c"), ended("c")) == [Flushed(speech_id="a"), ended("a")]


def test_a_flushed_that_trails_its_turn_is_seen_once() -> None:
    made = memory(speak("one"), FLUSH)
    placed(made, started("a"), Flushed(speech_id="a"))
    reconnected(made)
    trailing = Flushed(speech_id="b")
    assert placed(made, started("b"), ended("b"), trailing) == [None, ended("a"), None]


def test_a_flushed_of_a_turn_that_has_ended_passes() -> None:
    made = memory(speak("one"), FLUSH, speak("two"), FLUSH)
    placed(made, started("a"), ended("a"))
    flushed = [Flushed(speech_id="a"), Flushed(speech_id="b")]
    assert [made.place(flushed[0]), made.place(started("b")), made.place(flushed[1])] == [
        flushed[0],
        started("b"),
        flushed[1],
    ]


def test_a_flushed_without_a_name_is_of_the_turn_that_is_spoken() -> None:
    made = memory(speak("one"), FLUSH)
    assert placed(made, started("a"), Flushed()) == [started("a"), Flushed()]
    reconnected(made)
    assert placed(made, started("b"), Flushed()) == [None, None]


def test_a_flush_that_ends_no_turn_is_not_remembered() -> None:
    made = memory(FLUSH)
    assert made.is_quiet
    made.add(speak("one"), 0.0)
    made.add(FLUSH, 0.0)
    made.add(FLUSH, 0.0)
    assert reconnected(made) == [speak("one"), FLUSH]


def test_events_of_a_turn_that_nobody_asked_for_pass() -> None:
    made = memory()
    events: list[FluxSpeakEvent] = [started("a"), b"1", ended("a"), cut("b"), OFFSET_REFUSED]
    assert placed(made, *events) == events


def test_a_close_stays_to_the_end() -> None:
    made = memory(speak("one"), CLOSE)
    placed(made, started("a"), ended("a"))
    assert reconnected(made) == [CLOSE]
    assert not made.is_quiet


def test_audio_and_confirmations_are_progress() -> None:
    made = memory()
    assert all(made.is_progress(event) for event in (b"1", ended("a"), cut("a"), Flushed()))
    assert made.is_progress(ConfigureSuccess())
    assert made.is_progress(ConfigureFailure(code="INTERNAL_ERROR"))
    assert not made.is_progress(Connected(request_id="r"))
    assert not made.is_progress(NOTHING_ACTIVE)


# Interruptions.


def test_an_interruption_that_is_answered_ends_the_turn() -> None:
    made = memory(speak("one"), FLUSH, speak("two"), FLUSH)
    placed(made, started("a"), b"123")
    made.add(interrupt(2), 0.0)
    assert not made.is_behind
    assert placed(made, b"4", cut("a", 2)) == [b"4", cut("a", 2)]
    assert reconnected(made) == [speak("two"), FLUSH]


def test_a_lost_interruption_is_answered_before_the_turns_behind_it() -> None:
    made = memory(speak("one"), FLUSH, speak("two"), FLUSH)
    placed(made, started("a"), b"123")
    made.add(interrupt(2), 0.0)
    assert reconnected(made) == [INTERRUPT]
    assert made.is_behind
    assert made.place(NO_AUDIO) == cut("a", 2)
    assert said(made) == [speak("two"), FLUSH]
    assert not made.is_behind


@pytest.mark.parametrize("answer", [NOTHING_ACTIVE, NO_AUDIO, OFFSET_REFUSED])
def test_a_lost_interruption_without_a_turn_finds_no_speech(answer: speak_flux.Warning) -> None:
    made = memory(speak("one"), FLUSH, INTERRUPT)
    made.place(ended("a"))
    assert reconnected(made) == [INTERRUPT]
    assert not made.is_behind
    told = made.place(answer)
    assert isinstance(told, speak_flux.Warning)
    assert told.code == "NO_ACTIVE_SPEECH"
    assert made.is_quiet


def test_an_interruption_of_nothing_is_over_with_its_answer() -> None:
    made = memory(INTERRUPT)
    assert not made.is_quiet
    assert made.place(NO_AUDIO) == NO_AUDIO
    assert made.is_quiet


def test_an_interruption_without_an_offset_counts_the_audio_so_far() -> None:
    made = memory(speak("one"), FLUSH)
    placed(made, started("a"), b"123")
    made.add(INTERRUPT, 0.0)
    assert reconnected(made) == [INTERRUPT]
    assert made.place(NOTHING_ACTIVE) == cut("a", 3)


def test_an_interruption_goes_before_everything_that_was_not_said() -> None:
    made = memory(speak("one"), speak(" more"), FLUSH, speak("two"), FLUSH)
    made.rewind()
    made.restart(0.0)
    assert made.next(0.0) == speak("one")
    made.add(INTERRUPT, 0.0)
    assert said(made) == [INTERRUPT]
    made.place(SpeechInterrupted())
    assert said(made) == [speak("two"), FLUSH]


def test_a_turn_that_is_interrupted_without_a_connection_is_not_said() -> None:
    made = memory(speak("one"), FLUSH)
    made.rewind()
    made.add(INTERRUPT, 0.0)
    assert made.unsent_bytes == len(speak("one") + FLUSH + INTERRUPT)
    made.restart(0.0)
    assert said(made) == [INTERRUPT]
    assert made.place(NO_AUDIO) == cut(None, 0)
    assert made.unsent_bytes == 0
    assert said(made) == []
    assert not made.is_behind


def test_text_after_an_interruption_is_a_turn_of_its_own() -> None:
    made = memory(speak("one"), INTERRUPT, speak("two"))
    made.place(cut("a"))
    assert reconnected(made) == [speak("two")]


def test_a_turn_of_a_refused_interruption_goes_on_to_its_end() -> None:
    made = memory(speak("one"))
    placed(made, started("a"), b"1")
    made.add(INTERRUPT, 0.0)
    assert made.place(OFFSET_REFUSED) == OFFSET_REFUSED
    made.add(FLUSH, 0.0)
    placed(made, b"2", ended("a"))
    assert made.is_quiet


def test_what_waits_is_said_when_an_interruption_was_refused() -> None:
    made = memory(speak("one"), FLUSH)
    made.rewind()
    made.restart(0.0)
    assert made.next(0.0) == speak("one")
    made.add(INTERRUPT, 0.0)
    assert said(made) == [INTERRUPT]
    assert made.place(NO_AUDIO) == NO_AUDIO
    assert said(made) == [FLUSH]


def test_a_refused_interruption_is_said_again_without_its_turn() -> None:
    made = memory(speak("one"), FLUSH)
    placed(made, started("a"), b"1")
    made.add(interrupt(1), 0.0)
    made.place(OFFSET_REFUSED)
    assert reconnected(made) == [INTERRUPT]
    assert made.place(NOTHING_ACTIVE) == cut("a", 1)
    assert made.is_quiet


def test_a_turn_goes_on_when_the_service_does_not_speak_it() -> None:
    made = memory(speak("one"), FLUSH, INTERRUPT)
    assert made.place(NOTHING_ACTIVE) == NOTHING_ACTIVE
    assert reconnected(made) == [speak("one"), FLUSH]


def test_interruptions_are_made_one_at_a_time() -> None:
    made = memory(speak("one"), FLUSH, speak("two"), FLUSH, INTERRUPT, INTERRUPT)
    assert reconnected(made) == [INTERRUPT]
    assert made.place(NO_AUDIO) == cut(None, 0)
    assert said(made) == [INTERRUPT]
    assert made.place(NO_AUDIO) == NOTHING_ACTIVE
    assert said(made) == [speak("two"), FLUSH]


def test_an_interruption_that_came_second_ends_with_the_turn() -> None:
    made = memory(speak("one"), FLUSH, speak("two"), FLUSH, INTERRUPT, INTERRUPT)
    busy = speak_flux.Warning(code="INTERRUPT_IN_PROGRESS")
    assert placed(made, busy, cut("a"), ended("b")) == [busy, cut("a"), ended("b")]
    assert made.is_quiet


# The clock.


def test_offsets_are_on_the_clock_of_the_connection() -> None:
    made = memory(speak("one"), FLUSH, speak("two"), FLUSH)
    placed(made, started("a"), b"x" * 100, ended("a"), started("b"), b"y" * 30)
    reconnected(made)
    placed(made, started("c"), b"y" * 50)
    made.add(interrupt(140), 0.0)
    assert said(made) == [interrupt(40)]
    assert not made.is_behind
    assert made.place(cut("c", 40)) == cut("b", 140)


def test_an_offset_before_the_connection_is_left_out() -> None:
    made = memory(speak("one"), FLUSH, speak("two"), FLUSH)
    placed(made, started("a"), b"x" * 100, ended("a"))
    reconnected(made)
    placed(made, started("b"), b"y" * 30)
    made.add(interrupt(90), 0.0)
    assert said(made) == [INTERRUPT]
    assert made.place(cut("b", 30)) == cut("b", 130)


def test_an_interruption_sets_the_clock_to_what_was_heard() -> None:
    made = memory(speak("one"), FLUSH)
    placed(made, started("a"), b"x" * 100)
    made.add(interrupt(60), 0.0)
    made.place(cut("a", 60))
    made.add(speak("two"), 0.0)
    placed(made, started("b"), b"y" * 10)
    reconnected(made)
    placed(made, started("c"), b"y" * 20)
    made.add(interrupt(75), 0.0)
    assert said(made) == [interrupt(15)]


def test_a_lost_interruption_sets_the_clock_too() -> None:
    made = memory(speak("one"), FLUSH)
    placed(made, started("a"), b"x" * 100)
    made.add(interrupt(60), 0.0)
    reconnected(made)
    made.place(NO_AUDIO)
    made.add(speak("two"), 0.0)
    assert said(made) == [speak("two")]
    placed(made, started("b"), b"y" * 20)
    made.add(interrupt(75), 0.0)
    assert said(made) == [interrupt(15)]


@pytest.mark.parametrize(
    ("options", "audio_bytes"),
    [
        ({}, 48_000),
        ({"sample_rate": 8000}, 16_000),
        ({"encoding": "mulaw"}, 8000),
        ({"encoding": "alaw", "sample_rate": 16_000}, 16_000),
    ],
)
def test_audio_is_timed_by_its_format(options: dict[str, object], audio_bytes: int) -> None:
    made = SpeakV2Memory({"model": "flux-alexis-en", **options})
    made.add(speak("one"), 0.0)
    placed(made, started("a"), bytes(audio_bytes))
    made.add(INTERRUPT, 0.0)
    reconnected(made)
    assert made.place(NO_AUDIO) == cut("a", 1000)


# Changes of the speed, and totals.


def test_a_change_without_an_answer_is_said_again() -> None:
    made = memory(configure(1.5))
    assert not made.is_quiet
    assert reconnected(made) == [configure(1.5)]
    assert "speed" not in made.options
    success = ConfigureSuccess(applied=AppliedSettings(speed=1.5))
    assert made.place(success) == success
    assert made.options["speed"] == 1.5
    assert made.is_quiet


def test_a_refused_change_is_let_go() -> None:
    made = memory(configure(9), configure(1.5))
    refused = ConfigureFailure(code="SPEED_OUT_OF_RANGE")
    assert placed(made, refused, ConfigureSuccess()) == [refused, ConfigureSuccess()]
    assert made.options["speed"] == 1.5


def test_text_is_said_again_with_the_speed_it_had() -> None:
    made = memory(speak("slow"), configure(1.5), speak(" fast"), FLUSH)
    placed(made, started("a"), ConfigureSuccess())
    again = [speak("slow"), configure(1.5), speak(" fast"), FLUSH]
    assert reconnected(made) == again
    assert "speed" not in made.options
    assert placed(made, started("b"), ConfigureSuccess(), ended("b")) == [None, None, ended("a")]
    assert made.options["speed"] == 1.5
    assert made.is_quiet


def test_a_change_is_taken_over_when_no_text_is_before_it() -> None:
    made = memory(speak("slow"), FLUSH, configure(1.5), speak("fast"))
    placed(made, started("a"), ConfigureSuccess())
    reconnected(made)
    placed(made, started("b"), ended("b"))
    assert "speed" not in made.options, "the answer is still to be kept from the user"
    assert reconnected(made) == [speak("fast")]
    assert made.options["speed"] == 1.5


def test_a_change_of_nothing_changes_no_option() -> None:
    made = memory(compact({"type": "Configure"}))
    assert placed(made, ConfigureSuccess(), ConfigureSuccess()) == [ConfigureSuccess()] * 2
    assert made.options == OPTIONS


def test_totals_are_summed_over_the_connections() -> None:
    made = memory(speak("one"), FLUSH, speak("two"), FLUSH, speak("four"))
    placed(made, started("a"), ended("a", ms=3, characters=3))
    made.add(INTERRUPT, 0.0)
    counted = InterruptedSpeech(audio_duration_ms=10, input_character_count=5)
    made.place(SpeechInterrupted(metadata=counted))
    reconnected(made)
    placed(made, started("c"), ended("c", ms=3, characters=3))
    last = SessionMetadata(total_audio_duration_ms=3, total_billable_character_count=3)
    assert made.place(last) == SessionMetadata(
        total_audio_duration_ms=16, total_billable_character_count=6
    )


_names = count()
A_FEW = st.sampled_from([20, 3, 2, 1, 0])
"""How much happens; to begin with much makes interesting stories likely."""


def sound(text: str, speed: float) -> bytes:
    return b"".join(character.encode() * round(4 / speed) for character in text)


@dataclass
class Turn:
    """A turn at the service."""

    audio: bytes = b""
    characters: int = 0
    is_flushed: bool = False
    name: str | None = None
    began_ms: int = 0
    spoken: int = 0


class Flux:
    """One connection of a service whose characters take longer at a lower speed."""

    def __init__(self, speed: float) -> None:
        self.inbox: list[str] = []
        self.outbox: list[FluxSpeakEvent] = [Connected(request_id="r")]
        self.turns: deque[Turn] = deque()
        self.speed = speed
        self.clock_ms = 0
        self.last_offset = -1
        self.has_spoken = False
        self.characters = 0

    def work(self) -> None:
        """Read a message."""
        if not self.inbox:
            return
        message = json.loads(self.inbox.pop(0))
        match message["type"]:
            case "Speak":
                if not self.turns or self.turns[-1].is_flushed:
                    self.turns.append(Turn())
                self.turns[-1].audio += sound(message["text"], self.speed)
                self.turns[-1].characters += len(message["text"])
            case "Flush":
                assert self.turns, "nobody flushes nothing"
                assert not self.turns[-1].is_flushed
                self.turns[-1].is_flushed = True
            case "Configure":
                self.speed = message["speed"]
                self.outbox.append(ConfigureSuccess())
            case "Interrupt":
                self.outbox.append(self.interrupted(message.get("playback_offset")))
            case _:
                while self.turns:
                    self.turns[-1].is_flushed = True
                    self.synthesize(1000)
                self.outbox.append(SessionMetadata(total_input_character_count=self.characters))

    def interrupted(self, offset: dict[str, int] | None) -> FluxSpeakEvent:
        if not self.has_spoken:
            return NO_AUDIO
        if not self.turns:
            return NOTHING_ACTIVE
        heard = None
        if offset is not None:
            if offset["value"] <= self.last_offset:
                return OFFSET_REFUSED
            self.clock_ms = self.last_offset = offset["value"]
            heard = str(self.clock_ms - self.turns[0].began_ms)
        turn = self.turns.popleft()
        self.characters += turn.characters
        return SpeechInterrupted(
            audio_played_ms=self.clock_ms,
            text_spoken=heard,
            metadata=InterruptedSpeech(speech_id=turn.name, input_character_count=turn.characters),
        )

    def synthesize(self, size: int) -> None:
        if not self.turns:
            return
        turn = self.turns[0]
        audio = turn.audio[turn.spoken : turn.spoken + size]
        if audio:
            if turn.name is None:
                turn.name, turn.began_ms = f"t{next(_names)}", self.clock_ms
                self.outbox.append(started(turn.name))
            self.outbox.append(audio)
            turn.spoken += len(audio)
            self.clock_ms += len(audio)
            self.has_spoken = True
        if turn.is_flushed and turn.spoken == len(turn.audio) and turn.name is not None:
            self.outbox += [
                Flushed(speech_id=turn.name),
                ended(turn.name, characters=turn.characters),
            ]
            self.characters += turn.characters
            self.turns.popleft()


@dataclass
class Wanted:
    """A turn as its user sees it."""

    audio: bytes = b""
    is_flushed: bool = False
    was_muted: bool = False
    name: str | None = None
    began_ms: int = 0
    heard: bytes = b""
    events: list[str] = field(default_factory=list[str])


@settings(max_examples=200, stateful_step_count=80, deadline=None)
class Conversation(RuleBasedStateMachine):
    """A user who talks and interrupts, a service that speaks in turns, and a line that breaks.

    Whatever the order, every turn is heard once, from its beginning to its end or to where it was
    interrupted, under one name; every question has one answer, and the clock runs on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.memory = SpeakV2Memory(OPTIONS)
        self.service: Flux | None = Flux(1)
        self.wanted: deque[Wanted] = deque()
        self.is_cutting = False
        self.is_muted_turn_left = False
        """Whether an interruption was refused, so that the turn goes on unheard."""
        self.told_ms: int | None = None
        self.last_told_ms = -1
        self.clock_ms = 0
        self.speed: float = 1
        self.verdicts = 0
        self.characters = 0.0
        self.total: float | None = None

    def say(self, frame: str) -> None:
        self.memory.add(frame, 0.0)
        if not self.memory.is_behind:
            self.send(frame)

    def send(self, frame: str) -> None:
        assert self.service is not None
        self.service.inbox.append(frame)

    # What the user does, in the order that the stream takes care of.

    @precondition(lambda self: not self.is_cutting)
    @rule(text=st.text("abcdef", min_size=1, max_size=12), is_flushed=st.booleans())
    def talk(self, text: str, is_flushed: bool) -> None:
        if not self.wanted or self.wanted[-1].is_flushed:
            self.wanted.append(Wanted())
        self.wanted[-1].audio += sound(text, self.speed)
        self.say(speak(text))
        if is_flushed:
            self.flush()

    @precondition(lambda self: self.wanted and not self.wanted[-1].is_flushed)
    @precondition(lambda self: not self.is_cutting or self.is_muted_turn_left)
    @rule()
    def flush(self) -> None:
        self.wanted[-1].is_flushed = True
        self.say(FLUSH)

    @precondition(lambda self: not self.is_cutting)
    @rule(share=st.sampled_from([0.5, 1, 0, None]), size=A_FEW)
    def interrupt(self, share: float | None, size: int) -> None:
        if self.service is not None:
            self.serve(size, size, size)
        self.is_cutting = True
        self.told_ms = None
        if self.wanted:
            self.wanted[0].was_muted = True
            if share is not None and self.wanted[0].heard:
                played = self.wanted[0].began_ms + int(len(self.wanted[0].heard) * share)
                if played > self.last_told_ms:
                    self.told_ms = self.last_told_ms = played
        self.say(INTERRUPT if self.told_ms is None else interrupt(self.told_ms))

    @rule(speed=st.sampled_from([0.5, 1, 2]))
    def configure(self, speed: float) -> None:
        self.speed = speed
        self.verdicts += 1
        self.say(configure(speed))

    # What the service does.

    @precondition(lambda self: self.service)
    @rule(messages=A_FEW, size=A_FEW, events=A_FEW)
    def serve(self, messages: int, size: int, events: int) -> None:
        """Let the service read, speak a little, and be heard."""
        assert self.service is not None
        self.catch_up(messages)
        for _ in range(messages):
            self.service.work()
        self.service.synthesize(size)
        for event in self.service.outbox[:events]:
            placed = self.memory.place(event)
            if placed is not None:
                self.see(placed)
        del self.service.outbox[:events]

    # What the user sees.

    def see(self, event: FluxSpeakEvent) -> None:
        match event:
            case bytes():
                self.clock_ms += len(event)
                turn = self.wanted[0]
                assert turn.name is not None
                turn.heard += event
                assert turn.audio.startswith(turn.heard)
            case SpeechStarted():
                assert self.wanted[0].name is None
                self.wanted[0].name = event.speech_id
                self.wanted[0].began_ms = self.clock_ms
            case Flushed():
                assert self.wanted[0].name == event.speech_id
                self.wanted[0].events.append("Flushed")
            case SpeechMetadata():
                turn = self.wanted.popleft()
                assert (turn.name, turn.heard) == (event.speech_id, turn.audio)
                assert turn.events == ["Flushed"]
                self.characters += event.input_character_count or 0
                if self.is_muted_turn_left:
                    self.is_muted_turn_left = self.is_cutting = False
            case SpeechInterrupted():
                self.interrupted(event)
            case ConfigureSuccess():
                self.verdicts -= 1
                assert self.verdicts >= 0
            case speak_flux.Warning():
                assert self.is_cutting
                if event.code == "NO_ACTIVE_SPEECH" or not self.wanted:
                    self.is_cutting = False
                else:
                    self.is_muted_turn_left = True
            case SessionMetadata():
                self.total = event.total_input_character_count
            case _:
                pass

    def interrupted(self, event: SpeechInterrupted) -> None:
        assert self.is_cutting
        self.is_cutting = self.is_muted_turn_left = False
        turn = self.wanted.popleft()
        account = event.metadata
        assert account is not None
        assert account.speech_id == turn.name
        self.characters += account.input_character_count or 0
        assert event.audio_played_ms is not None
        if event.text_spoken is not None:
            assert self.told_ms is not None
            assert event.audio_played_ms == self.told_ms
            if turn.was_muted:
                assert int(event.text_spoken) == self.told_ms - turn.began_ms
        self.clock_ms = round(event.audio_played_ms)

    # The line.

    def catch_up(self, frames: int) -> None:
        for _ in range(frames):
            assert self.memory.wait_s(0.0) == 0
            frame = self.memory.next(0.0)
            if isinstance(frame, str):
                self.send(frame)

    @precondition(lambda self: self.service)
    @rule(messages=A_FEW, size=A_FEW, events=A_FEW)
    def lose(self, messages: int, size: int, events: int) -> None:
        self.serve(messages, size, events)
        rewind = self.memory.rewind()
        assert rewind.dropped_s == 0
        self.is_muted_turn_left = False
        self.service = None

    @precondition(lambda self: self.service is None)
    @rule()
    def connect(self) -> None:
        speed = self.memory.options.get("speed", 1)
        assert isinstance(speed, int | float)
        self.service = Flux(speed)
        self.memory.restart(0.0)

    @invariant()
    def a_quiet_memory_owes_nothing(self) -> None:
        if self.memory.is_quiet:
            assert not self.wanted
            assert (self.is_cutting, self.verdicts) == (False, 0)

    def drain(self) -> None:
        for _ in range(10_000):
            self.serve(1, 1000, 5)
            if not self.is_cutting or self.is_muted_turn_left:
                if self.wanted and not self.wanted[-1].is_flushed:
                    self.flush()
                elif self.memory.is_quiet:
                    return
        raise AssertionError("it never ends")

    def teardown(self) -> None:
        if self.service is None:
            self.connect()
        self.drain()
        assert self.memory.unsent_bytes == 0
        self.say(CLOSE)
        self.serve(2, 0, 1000)
        assert self.total == self.characters


TestConversation = Conversation.TestCase
