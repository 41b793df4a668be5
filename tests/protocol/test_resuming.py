"""The core of a stream that outlives its connections, against a recogniser, without I/O.

Whatever the order in which audio is sent, heard and settled, and wherever connections end: every
word comes once, in its place.
"""

import json
import random
from collections import deque
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from benchmarks.soak.containers import CONTAINERS, Decoder
from benchmarks.soak.judge import FluxJudge, Judge, ListenJudge
from benchmarks.soak.recognizers import FluxRecognizer, ListenRecognizer, Recognizer
from benchmarks.soak.speech import Speech
from deepgram_async._protocol.audio_clocks import clock_for
from deepgram_async._protocol.listen_v1 import ListenV1Core
from deepgram_async._protocol.listen_v2 import ListenV2Core
from deepgram_async._protocol.listening import CLOSE_STREAM
from deepgram_async._protocol.replay import Gap, ReplayLog
from deepgram_async._protocol.timelines import CONFIGURE, FluxTimeline, ListenTimeline, Timeline

RATE = 200
SECONDS = 40
FINALIZE = '{"type":"Finalize"}'
FORCE_END_TURN = '{"type":"ForceEndTurn"}'


class Conversation(RuleBasedStateMachine):
    """A client, a service, and two lanes in which frames are under way."""

    log: ReplayLog
    timeline: Timeline[Any]
    core: ListenV1Core | ListenV2Core
    judge: Judge[Any]
    hearer: type[Recognizer]
    interjection: str

    def begin(self, container: str, channels: int, seed: int) -> None:
        self.numbers = random.Random(seed)
        self.speech = Speech(SECONDS, RATE, channels)
        self.container = CONTAINERS[container]
        self.audio = b"".join(self.container.written(self.speech))
        raw = {"encoding": "linear32", "sample_rate": RATE, "channels": channels}
        self.log = ReplayLog(
            clock_for(raw if container == "raw" else {}), longest_s=1e6, most_bytes=1 << 30
        )
        self.said = 0
        self.covered_s = 0.0
        self.is_over = False
        self.configured = 0
        self.confirmed = 0
        self.connect()

    def connect(self) -> None:
        self.up: deque[str | bytes] = deque()
        self.down: deque[str] = deque()
        self.decoder: Decoder = self.container(self.speech)
        self.recognizer = self.hearer(self.speech, self.numbers)
        self.down += map(json.dumps, self.recognizer.greeting())
        if self.confirmed:
            self.recognizer.keyterms = [f"k{self.confirmed}"]

    # What the client does.

    @rule(share=st.floats(0, 1))
    def talk(self, share: float) -> None:
        """Send up to two seconds."""
        size = 1 + int(share * 2 * RATE * self.speech.frame_bytes)
        chunk = self.audio[self.said : self.said + size]
        self.said += len(chunk)
        if chunk:
            self.log.add_audio(chunk)
            if not self.log.is_behind:
                self.up.append(chunk)

    @rule()
    def interject(self) -> None:
        self.say(self.interjection, needs_answer=False)

    @rule()
    def configure(self) -> None:
        assume(self.configured == self.confirmed)  # the stream has one under way at a time
        self.configured += 1
        frame = f'{CONFIGURE},"keyterms":["k{self.configured}"]}}'
        self.say(frame, needs_answer=True)

    def say(self, frame: str, *, needs_answer: bool) -> None:
        self.log.add_control(frame, needs_answer=needs_answer)
        if not self.log.is_behind:
            self.up.append(frame)

    @rule(steps=st.integers(1, 10))
    @precondition(lambda self: self.log.is_behind)
    def replay(self, steps: int) -> None:
        for _ in range(steps):
            frame = self.log.next()
            assert not isinstance(frame, Gap)
            if frame is not None:
                self.up.append(frame)

    # What the network does.

    @rule(count=st.integers(1, 10))
    def arrive(self, count: int) -> None:
        """Let the service hear the next frames."""
        for _ in range(min(count, len(self.up))):
            frame = self.up.popleft()
            if isinstance(frame, bytes):
                said = self.recognizer.hear(self.decoder.decode(frame))
            else:
                said = self.recognizer.answer(json.loads(frame))
                self.is_over = frame == CLOSE_STREAM
            self.down += map(json.dumps, said)

    @rule(count=st.integers(1, 30))
    def receive(self, count: int) -> None:
        """Let the client hear the next messages."""
        for _ in range(min(count, len(self.down))):
            event: Any = self.core.receive(self.down.popleft())
            placed = self.timeline.place(event)
            answered = self.log.answer(partial(self.timeline.answers, event))
            if answered is not None and answered.startswith(CONFIGURE):
                self.confirmed += 1
            if self.timeline.covered_s > self.covered_s:
                self.covered_s = self.timeline.covered_s
                self.log.cover(self.covered_s)
            if placed is not None:
                self.judge.see(placed)

    @rule()
    def lose(self) -> None:
        rewind = self.log.rewind()
        assert rewind.dropped_s == 0.0
        self.timeline.restart(rewind.offset_s)
        self.is_over = False
        if isinstance(self.core, ListenV2Core):
            self.core.follow(self.core, 0)
        self.connect()

    def teardown(self) -> None:
        """Say the rest, and hear everything."""
        if not hasattr(self, "audio"):
            return
        while self.said < len(self.audio):
            self.talk(1.0)
        if isinstance(self.core, ListenV2Core):
            self.say(FORCE_END_TURN, needs_answer=False)
        self.say(CLOSE_STREAM, needs_answer=True)
        while not self.is_over or self.down:
            self.replay(10)
            self.arrive(10)
            self.receive(30)
        verdict = self.judge.verdict()
        assert not verdict.complaints
        assert (verdict.lost, verdict.repeated) == (0, 0)
        assert verdict.largest_error_s <= 0.05
        assert self.confirmed == self.configured
        assert self.recognizer.keyterms == ([f"k{self.confirmed}"] if self.confirmed else [])
        if isinstance(self.core, ListenV2Core):
            assert not self.core.turns.irregularities


class LiveConversation(Conversation):
    hearer = ListenRecognizer
    interjection = FINALIZE

    @initialize(
        container=st.sampled_from(sorted(CONTAINERS)),
        channels=st.sampled_from([1, 2]),
        seed=st.integers(0, 1000),
    )
    def begin_live(self, container: str, channels: int, seed: int) -> None:
        self.core = ListenV1Core({}, now=0.0, keepalive_s=None)
        self.timeline = ListenTimeline()
        self.begin(container, channels, seed)
        self.judge = ListenJudge(self.speech)


class FluxConversation(Conversation):
    hearer = FluxRecognizer
    interjection = FORCE_END_TURN

    @initialize(container=st.sampled_from(sorted(CONTAINERS)), seed=st.integers(0, 1000))
    def begin_flux(self, container: str, seed: int) -> None:
        self.core = ListenV2Core({}, now=0.0)
        self.timeline = FluxTimeline()
        self.begin(container, 1, seed)
        self.judge = FluxJudge(self.speech)


OFTEN = settings(
    max_examples=60,
    stateful_step_count=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.filter_too_much],
)
TestLiveConversation = LiveConversation.TestCase
TestLiveConversation.settings = OFTEN
TestFluxConversation = FluxConversation.TestCase
TestFluxConversation.settings = OFTEN
