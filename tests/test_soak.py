"""Streams that break all the time, in short; ``make soak`` disturbs them for half an hour each."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.soak.judge import FluxJudge, Judge, ListenJudge, Verdict
from benchmarks.soak.recognizers import FluxRecognizer, ListenRecognizer
from benchmarks.soak.run import KINDS, Task, soak
from benchmarks.soak.speech import Ear, MisheardError, Speech
from deepgram_async._protocol.listen_v1 import ListenV1Core
from deepgram_async._protocol.listen_v2 import ListenV2Core
from deepgram_async._protocol.timelines import ListenTimeline
from deepgram_async.models.flux import FluxEvent, TurnInfo
from deepgram_async.models.live import ListenEvent, Results

MINUTES = 1.5
FAULTS = 24
SPEECH = Speech(30.0, 1000)
PIECES = [SPEECH.piece(begin, begin + 100) for begin in range(0, SPEECH.size, 100)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 3, None], ids=["wav", "ogg", "random"])
def test_a_stream_that_breaks_all_the_time_loses_and_repeats_nothing(
    kind: str, seed: int | None
) -> None:
    seed = random.randrange(10**6) if seed is None else seed
    outcome = soak(Task(seed, kind, MINUTES, FAULTS))
    again = f"--first {seed} --seeds 1 --only {kind} --minutes {MINUTES} --faults {FAULTS}"
    assert outcome.is_good, f"python -m benchmarks.soak {again}\n{outcome}"
    # Those that last may not come to their end before the stream does.
    assert outcome.happened.total() > FAULTS / 2
    assert outcome.verdict.reconnects > 0


# The test of the test: an undisturbed stream is faultless, and what is missing is noticed.


def live_events() -> list[ListenEvent]:
    recognizer = ListenRecognizer(SPEECH, random.Random(1))
    said = [message for piece in PIECES for message in recognizer.hear(piece)]
    said += recognizer.answer({"type": "CloseStream"})
    core = ListenV1Core({}, now=0.0, keepalive_s=None)
    return [core.receive(json.dumps(message)) for message in said]


def flux_events() -> list[FluxEvent]:
    recognizer = FluxRecognizer(SPEECH, random.Random(1))
    said = recognizer.greeting()
    said += [message for piece in PIECES for message in recognizer.hear(piece)]
    core = ListenV2Core({}, now=0.0)
    events = [core.receive(json.dumps(message)) for message in said]
    assert not core.turns.irregularities
    return events


def judged(events: list[Any]) -> Verdict:
    is_flux = any(isinstance(event, TurnInfo) for event in events)
    judge: Judge[Any] = (FluxJudge if is_flux else ListenJudge)(SPEECH)
    for event in events:
        judge.see(event)
    return judge.verdict()


def settles(event: object) -> bool:
    if isinstance(event, Results):
        return event.is_final is True and bool(event.words)
    return isinstance(event, TurnInfo) and event.event == "EndOfTurn"


both = pytest.mark.parametrize("make_events", [live_events, flux_events], ids=["live", "flux"])


@both
def test_an_undisturbed_stream_is_faultless(make_events: Callable[[], list[Any]]) -> None:
    verdict = judged(make_events())
    assert not verdict.complaints
    assert (verdict.lost, verdict.repeated) == (0, 0)
    assert verdict.largest_error_s < 0.002


@both
def test_a_final_that_is_missing_or_comes_twice_is_noticed(
    make_events: Callable[[], list[Any]],
) -> None:
    events = make_events()
    place = next(number for number, event in enumerate(events) if settles(event))
    words = len(events[place].words)
    assert judged(events[:place] + events[place + 1 :]).lost == words
    assert judged(events[: place + 1] + events[place:]).repeated == words


def test_a_time_that_is_wrong_is_noticed() -> None:
    timeline = ListenTimeline()
    timeline.restart(0.1)
    late = [timeline.place(event) for event in live_events()]
    assert judged(late).largest_error_s == pytest.approx(0.1, abs=0.002)


@pytest.mark.parametrize("begin", [99, 101, 0, 200])
def test_audio_that_does_not_go_on_is_noticed(begin: int) -> None:
    ear = Ear(SPEECH)
    ear.hear(SPEECH.piece(0, 100))
    with pytest.raises(MisheardError):
        ear.hear(SPEECH.piece(begin, 300))
