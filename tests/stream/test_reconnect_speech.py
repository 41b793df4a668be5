"""A lost stream of speech goes on: no audio is missing, none comes twice."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import (
    ConnectionLoss,
    DeepgramSession,
    Reconnected,
    Reconnecting,
    ReconnectPolicy,
    SpeakStream,
)
from deepgram_async.errors import ConnectionLostError, InvalidStateError
from deepgram_async.models import speak, speak_flux
from deepgram_async.testing import Fault, FaultProxy
from tests.stream.test_forgotten import forget
from tests.stream.test_reconnect import refusing
from tests.support.servers import websocket_server
from tests.support.talking import (
    CHARACTER_BYTES,
    HOLD,
    SOON_S,
    Stream,
    Voice,
    audio_in,
    audio_of,
    changes,
    kinds,
    make,
    opened,
    settings,
)

NEVER = ReconnectPolicy(first_delay_s=1000.0, longest_delay_s=1000.0, give_up_s=10**6)
TEXTS = ("One, two.", "Three.", "Four and five.")
SPOKEN = b"".join(audio_of(text) for text in TEXTS)

both = pytest.mark.parametrize("kind", ["speak", "flux"])


async def by_hand(stream: Stream) -> list[Any]:
    """Have all texts spoken, and return the events."""
    for text in TEXTS:
        await stream.send_text(text[:3])
        await stream.send_text(text[3:])
        assert await stream.flush() is not None
    await stream.finish()
    return [event async for event in stream]


async def by_speak(stream: Stream) -> bytes:
    """Have all texts spoken one by one, and return the audio."""
    heard = b""
    for text in TEXTS:
        async for audio in stream.speak([text[:3], text[3:]]):
            heard += audio
    return heard


def confirmations(events: list[Any]) -> int:
    kinds = speak.Flushed | speak_flux.SpeechMetadata
    return sum(isinstance(event, kinds) for event in events)


# What is heard.

PLACES: dict[str, list[int | str]] = {
    "speak": [0, 1, 7, 36, 50, "Speak", "Flush", "Flushed", "Close"],
    "flux": [
        *(0, 1, 7, 36, 50, "Speak", "Flush", "SpeechStarted"),
        *("SpeechMetadata", "Flushed", "Close", "SessionMetadata"),
    ],
}
ALL_PLACES = [(kind, place) for kind, places in PLACES.items() for place in places]


@pytest.mark.parametrize(("kind", "place"), ALL_PLACES)
async def test_a_loss_at_any_place_loses_and_repeats_nothing(kind: str, place: int | str) -> None:
    voice = Voice()
    voice.break_at(0, place)
    async with opened(kind, voice) as stream:
        events = await by_hand(stream)
    assert len(voice.said) == 2
    assert audio_in(events) == SPOKEN
    assert confirmations(events) == len(TEXTS)
    assert changes(events) == [Reconnecting, Reconnected]
    assert stream.request_id == "r-1"


@pytest.mark.parametrize(("kind", "place"), ALL_PLACES)
async def test_who_listens_to_one_text_after_the_other_hears_nothing_of_a_loss(
    kind: str, place: int | str
) -> None:
    voice = Voice()
    voice.break_at(0, place)
    async with opened(kind, voice) as stream:
        assert await by_speak(stream) == SPOKEN
    assert len(voice.said) == 2


@both
@pytest.mark.parametrize("counting", ["up", "down"])
@pytest.mark.parametrize("after_bytes", range(0, 700, 61))
async def test_a_reset_at_any_byte_loses_and_repeats_nothing(
    kind: str, counting: Any, after_bytes: int
) -> None:
    async with (
        asyncio.timeout(SOON_S),
        websocket_server(Voice()) as url,
        FaultProxy(url) as proxy,
        DeepgramSession("sentinel", base_url=proxy.base_url, stream=settings()) as dg,
        make(kind, dg) as stream,
    ):
        proxy.inject(Fault("reset", after_bytes=after_bytes, counting=counting))
        events = await by_hand(stream)
    assert audio_in(events) == SPOKEN
    assert confirmations(events) == len(TEXTS)


@both
async def test_many_losses_in_a_row_lose_and_repeat_nothing(kind: str) -> None:
    voice = Voice()
    places: list[int | str] = [5, 0, 9, "Speak", "Flush", 33, 1, "Close"]
    for number, place in enumerate(places):
        voice.break_at(number, place)
    async with opened(kind, voice) as stream:
        events = await by_hand(stream)
    assert len(voice.said) == 9
    assert audio_in(events) == SPOKEN
    assert confirmations(events) == len(TEXTS)


@both
async def test_many_texts_under_way_at_once_are_spoken_in_their_order(kind: str) -> None:
    voice = Voice()
    voice.break_at(0, 40)
    voice.break_at(1, 55)
    async with opened(kind, voice) as stream:
        flushes: list[asyncio.Task[object]] = []
        for text in TEXTS:
            await stream.send_text(text)
            flushes.append(asyncio.create_task(stream.flush()))
            await asyncio.sleep(0)
        assert None not in await asyncio.gather(*flushes)
        await stream.finish()
        assert audio_in([event async for event in stream]) == SPOKEN


@both
@pytest.mark.parametrize("place", [0, 9, "Close"])
async def test_text_that_nobody_flushed_is_spoken_to_its_end(kind: str, place: int | str) -> None:
    voice = Voice()
    voice.break_at(0, place)
    async with opened(kind, voice) as stream:
        await stream.send_text("No flush.")
    assert audio_in([event async for event in stream]) == audio_of("No flush.")
    assert not stream.drain_timed_out


@both
async def test_what_the_source_of_a_text_says_without_a_connection_is_spoken(kind: str) -> None:
    lost = asyncio.Event()
    goes_on = asyncio.Event()

    async def wait(loss: ConnectionLoss) -> None:
        lost.set()
        await goes_on.wait()

    async def tokens() -> AsyncIterator[str]:
        yield "Before "
        await lost.wait()
        yield "and meanwhile."
        goes_on.set()

    voice = Voice()
    voice.break_at(0, "Flush" if kind == "speak" else 5)
    async with opened(kind, voice, settings(ReconnectPolicy(on_loss=wait))) as stream:
        if kind == "speak":
            await stream.send_text("Hm.")
            flushing = asyncio.create_task(stream.flush())
            await lost.wait()
            assert b"".join([audio async for audio in stream.speak(tokens())]) == b"".join(
                [audio_of("Hm."), audio_of("Before and meanwhile.")]
            )
            await flushing
        else:
            heard = b"".join([audio async for audio in stream.speak(tokens())])
            assert heard == audio_of("Before and meanwhile.")


async def test_a_turn_that_is_said_again_keeps_its_name() -> None:
    voice = Voice()
    voice.break_at(0, 9)
    async with opened("flux", voice) as stream:
        events = await by_hand(stream)
    started = [e.speech_id for e in events if isinstance(e, speak_flux.SpeechStarted)]
    ended = [e.speech_id for e in events if isinstance(e, speak_flux.SpeechMetadata)]
    assert started == ended
    assert len(started) == len(TEXTS)
    assert started[0] == "dg_sp_0_1"


# What is dropped.


@pytest.mark.parametrize("place", ["Clear", "Cleared"])
async def test_a_clear_that_was_not_confirmed_is_made_again(place: str) -> None:
    voice = Voice()
    voice.break_at(0, place)
    async with opened("speak", voice) as stream:
        heard = bytearray()
        async for audio in stream.speak(f"Old{HOLD} text. And more"):
            heard += audio
            if len(heard) == len(audio_of("Old")):
                assert isinstance(await stream.clear(), speak.Cleared)
        assert heard == audio_of("Old")
        assert b"".join([audio async for audio in stream.speak("New.")]) == audio_of("New.")
    assert kinds(voice.said[1]) == ["Clear", "Speak", "Flush", "Close"]


@pytest.mark.parametrize("place", ["Interrupt", "SpeechInterrupted"])
async def test_a_turn_whose_interruption_was_lost_is_over(place: str) -> None:
    voice = Voice()
    voice.break_at(0, place)
    async with opened("flux", voice) as stream:
        heard = bytearray()
        async for audio in stream.speak(f"Old{HOLD} text"):
            heard += audio
            if len(heard) == len(audio_of("Old")):
                answer = await stream.interrupt()
                assert isinstance(answer, speak_flux.SpeechInterrupted)
        assert heard == audio_of("Old")
        assert b"".join([audio async for audio in stream.speak("New.")]) == audio_of("New.")
    assert kinds(voice.said[1]) == ["Interrupt", "Speak", "Flush", "Close"]


@pytest.mark.parametrize("place", ["Interrupt", "Warning", 15, "Flush", "SpeechMetadata"])
@pytest.mark.parametrize("is_flushed", [False, True])
async def test_a_turn_whose_interruption_was_refused_is_over_with_its_connection(
    is_flushed: bool, place: int | str
) -> None:
    voice = Voice()
    voice.refusal = "INVALID_INTERRUPT_OFFSET"
    async with opened("flux", voice) as stream:
        await stream.send_text(f"Old{HOLD} text")
        flushing = asyncio.create_task(stream.flush()) if is_flushed else None
        heard = b""
        while heard != audio_of("Old"):
            event = await anext(stream)
            heard += event if isinstance(event, bytes) else b""
        voice.break_at(0, place)
        await stream.interrupt()
        if flushing is not None:
            await flushing
        assert b"".join([audio async for audio in stream.speak("New.")]) == audio_of("New.")


@both
async def test_a_text_that_replaces_another_without_a_connection_is_heard_alone(
    kind: str,
) -> None:
    goes_on = asyncio.Event()

    async def wait(loss: ConnectionLoss) -> None:
        await goes_on.wait()

    voice = Voice()
    voice.break_at(0, 8)
    async with opened(kind, voice, settings(ReconnectPolicy(on_loss=wait))) as stream:
        older = stream.speak("Older.")
        assert await anext(older)
        async for event in stream:
            if isinstance(event, Reconnecting):
                break
        newer = stream.speak("Newer.")
        newest = stream.speak("Newest.")
        goes_on.set()
        assert [audio async for audio in newer] == []
        assert b"".join([audio async for audio in newest]) == audio_of("Newest.")


async def test_an_offset_is_told_on_the_clock_of_the_connection() -> None:
    voice = Voice()
    async with opened("flux", voice) as stream:
        await stream.send_text("Hello")
        await stream.flush()
        voice.break_at(0, "Speak")
        await stream.send_text(f"wor{HOLD}ld")
        async for event in stream:
            if isinstance(event, Reconnected):
                break
        heard = 0
        while heard < len(audio_of("wor")):
            event = await anext(stream)
            heard += len(event) if isinstance(event, bytes) else 0
        played_ms = 7 * CHARACTER_BYTES // 8  # 8000 bytes a second
        answer = await stream.interrupt(played_ms=played_ms)
        assert answer is not None
        assert answer.audio_played_ms == pytest.approx(played_ms, abs=1)
    (told,) = [frame for frame in voice.said[1] if frame["type"] == "Interrupt"]
    assert told["playback_offset"]["value"] == pytest.approx(played_ms - 2.5, abs=0.6)


# What is changed.


async def test_a_changed_speed_reaches_the_next_connection() -> None:
    voice = Voice()
    voice.break_at(0, "Speak")
    async with opened("flux", voice) as stream:
        await stream.configure(speed=1.2)
        events = await by_hand(stream)
    assert "speed" not in voice.queries[0]
    assert voice.queries[1]["speed"] == ["1.2"]
    assert "Configure" not in kinds(voice.said[1])
    assert audio_in(events) == SPOKEN


@pytest.mark.parametrize("place", ["Configure", "ConfigureSuccess"])
async def test_a_change_that_was_not_confirmed_is_made_again(place: str) -> None:
    voice = Voice()
    voice.break_at(0, place)
    async with opened("flux", voice) as stream:
        success = await stream.configure(speed=1.2)
        assert success.applied == speak_flux.AppliedSettings(speed=1.2)
    assert kinds(voice.said[1]) == ["Configure", "Close"]


# What cannot be healed, and how long it takes.


@both
async def test_without_a_policy_a_loss_ends_the_stream(kind: str) -> None:
    voice = Voice()
    voice.break_at(0, 9)
    heard = b""
    with pytest.raises(ConnectionLostError):
        async with opened(kind, voice, settings(None)) as stream:
            async for audio in stream.speak(TEXTS[0]):
                heard += audio
    assert audio_of(TEXTS[0]).startswith(heard)
    assert len(voice.said) == 1


@both
@pytest.mark.parametrize(("status", "attempts"), [(403, 1), (503, 3)])
async def test_a_service_that_refuses_ends_the_text_and_its_flush_with_one_error(
    kind: str, status: int, attempts: int
) -> None:
    voice = Voice()
    voice.break_at(0, 9)
    policy = ReconnectPolicy(attempts=3, first_delay_s=0.01, longest_delay_s=0.01)
    with pytest.raises(ConnectionLostError) as last:
        async with opened(kind, voice, settings(policy), handshake=refusing(status)) as stream:
            utterance = stream.speak(TEXTS[0])
            with pytest.raises(ConnectionLostError) as first:
                await stream.flush()
                await stream.send_text("More.")
                await stream.flush()
            with pytest.raises(ConnectionLostError):
                async for _ in utterance:
                    pass
            raise first.value
    assert last.value.status == status
    assert last.value.attempts == attempts


@both
async def test_a_confirmation_is_waited_for_as_long_as_a_connection_is_replaced(
    kind: str,
) -> None:
    async def take_long(loss: ConnectionLoss) -> None:
        await asyncio.sleep(0.4)

    voice = Voice()
    voice.break_at(0, 3)
    how = settings(ReconnectPolicy(first_delay_s=0, on_loss=take_long), confirm_timeout_s=0.1)
    async with opened(kind, voice, how) as stream:
        await stream.send_text("Hello.")
        assert await stream.flush() is not None
        voice.break_at(1, "Close")
    assert not stream.drain_timed_out


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        ("speak", "flush"),
        ("speak", "clear"),
        ("flux", "flush"),
        ("flux", "interrupt"),
        ("flux", "configure"),
    ],
)
async def test_who_waits_for_a_confirmation_is_told_when_the_stream_is_given_up(
    kind: str, call: str
) -> None:
    voice = Voice()
    voice.break_at(0, call.capitalize())
    policy = ReconnectPolicy(
        attempts=10**6, first_delay_s=0.01, longest_delay_s=0.01, give_up_s=0.2
    )
    with pytest.raises(ConnectionLostError, match="to reconnect failed"):
        async with opened(kind, voice, settings(policy), handshake=refusing(503)) as stream:
            await stream.send_text(f"Hello{HOLD}")
            await getattr(stream, call)(**({"speed": 1.2} if call == "configure" else {}))


# Text that has to wait.


async def _until_it_waits(sending: asyncio.Task[None]) -> None:
    for _ in range(2000):
        await asyncio.sleep(0)
    assert not sending.done()


@both
async def test_text_waits_for_room_without_a_connection_and_is_dropped_with_the_rest(
    kind: str,
) -> None:
    lost = asyncio.Event()
    goes_on = asyncio.Event()

    async def wait(loss: ConnectionLoss) -> None:
        lost.set()
        await goes_on.wait()

    voice = Voice()
    voice.break_at(0, 0)
    text = "Much. " * (1 << 18)
    async with opened(kind, voice, settings(ReconnectPolicy(on_loss=wait))) as stream:
        await stream.send_text("x")
        await lost.wait()
        sending = asyncio.create_task(stream.send_text(text))
        await _until_it_waits(sending)
        drop = stream.clear if isinstance(stream, SpeakStream) else stream.interrupt
        dropping = asyncio.create_task(drop())
        await sending
        goes_on.set()
        await dropping
        assert b"".join([audio async for audio in stream.speak("New.")]) == audio_of("New.")


# Streams that nobody needs any more.


@both
async def test_a_stream_that_is_being_healed_can_be_closed_at_once(kind: str) -> None:
    voice = Voice()
    voice.break_at(0, 0)
    async with opened(kind, voice, settings(NEVER)) as stream:
        utterance = stream.speak("Hello.")
        async for event in stream:
            if isinstance(event, Reconnecting):
                break
        async with asyncio.timeout(1):
            await stream.aclose()
        assert [audio async for audio in utterance] == []
        with pytest.raises(InvalidStateError):
            await stream.flush()


@both
@pytest.mark.parametrize("is_lost", [False, True])
async def test_a_forgotten_stream_warns_and_ends_its_connection(kind: str, is_lost: bool) -> None:
    ended = asyncio.Event()

    async def serve(connection: ServerConnection) -> None:
        if is_lost:
            await connection.recv()
            connection.transport.abort()
        await connection.wait_closed()
        ended.set()

    async with (
        websocket_server(serve) as url,
        DeepgramSession("sentinel", base_url=url, stream=settings(NEVER)) as dg,
    ):
        streams = [make(kind, dg)]
        await streams[0].open()
        if is_lost:
            await streams[0].send_text("Hello.")
            assert isinstance(await anext(streams[0]), Reconnecting)
        with pytest.warns(ResourceWarning, match="was never closed"):
            forget(streams)
        await asyncio.wait_for(ended.wait(), SOON_S)
        assert dg.streams == ()
