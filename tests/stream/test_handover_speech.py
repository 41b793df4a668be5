"""An old connection of a stream of speech is replaced before the service ends it."""

import asyncio
from typing import Any

import pytest

from deepgram_async import FluxSpeakStream, Reconnected, ReconnectPolicy
from deepgram_async.models import speak_flux
from tests.support.talking import (
    CHARACTER_BYTES,
    HOLD,
    Voice,
    audio_in,
    audio_of,
    changes,
    kinds,
    opened,
    settings,
)

both = pytest.mark.parametrize("kind", ["speak", "flux"])

# A second is what the client takes for the age; what it misses shows after two.
AGEING = settings(ReconnectPolicy(first_delay_s=0.01, handover_s=0.5), speak_longest_s=1.0)


@both
async def test_an_old_connection_is_replaced_between_two_texts(kind: str) -> None:
    voice = Voice(lives_s=2.0)
    expected = heard = b""
    async with opened(kind, voice, AGEING) as stream:
        while len(voice.said) < 3:
            expected += audio_of("Tick.")
            async for audio in stream.speak("Tick."):
                heard += audio
            await asyncio.sleep(0.02)
    assert heard == expected
    assert all("Speak" in kinds(said) for said in voice.said[:2])


@both
async def test_the_user_is_told_of_a_hand_over_without_a_gap(kind: str) -> None:
    voice = Voice(lives_s=2.0)
    async with opened(kind, voice, AGEING) as stream:
        events: list[Any] = []
        async for event in stream:
            events.append(event)
            if isinstance(event, Reconnected):
                break
        assert changes(events) == [Reconnected]
        assert events[-1].is_planned
        assert events[-1].gap_s < 0.1


@both
async def test_a_text_that_does_not_end_is_handed_over_in_the_middle(kind: str) -> None:
    voice = Voice(lives_s=2.0)
    async with opened(kind, voice, AGEING) as stream:
        await stream.send_text("Once upon ")
        async for event in stream:
            if isinstance(event, Reconnected):
                assert event.is_planned
                break
        await stream.send_text("a time.")
        await stream.flush()
        await stream.finish()
        rest = audio_in([event async for event in stream])
    assert rest == audio_of("Once upon a time.")[10 * CHARACTER_BYTES :]
    assert [frame["text"] for frame in voice.said[1] if frame["type"] == "Speak"] == [
        "Once upon ",
        "a time.",
    ]


# A hand-over is due at once, and has all the time it wants.
OLD = settings(ReconnectPolicy(first_delay_s=0.01, handover_s=60.0), speak_longest_s=0.1)


async def planned(stream: FluxSpeakStream) -> None:
    """Wait until a connection was handed over."""
    async for event in stream:
        if isinstance(event, Reconnected) and event.is_planned:
            return


async def test_an_interruption_goes_before_a_hand_over_and_does_not_prevent_it() -> None:
    async with opened("flux", Voice(), OLD) as stream:
        await stream.send_text("Hello")
        await stream.flush()
        await planned(stream)
        await stream.send_text(f"wor{HOLD}ld")
        await asyncio.sleep(0.15)  # it is due, and waits for the end of the turn
        assert isinstance(await stream.interrupt(played_ms=4), speak_flux.SpeechInterrupted)
        await planned(stream)


async def test_a_hand_over_that_is_due_too_early_comes_when_all_was_said_again() -> None:
    voice = Voice()
    voice.break_at(0, "Interrupt")
    voice.answers.clear()
    async with opened("flux", voice, OLD) as stream:
        await stream.send_text(f"One{HOLD}")
        first = asyncio.create_task(stream.flush())
        await asyncio.sleep(0)
        await stream.send_text("Two")
        second = asyncio.create_task(stream.flush())
        await asyncio.sleep(0)
        interrupting = asyncio.create_task(stream.interrupt())
        async for event in stream:
            if isinstance(event, Reconnected):
                break
        await asyncio.sleep(0.15)  # it is due, and the second turn was not said yet
        voice.answers.set()
        assert await interrupting is not None
        assert await first is None
        assert await second is not None
        await planned(stream)
