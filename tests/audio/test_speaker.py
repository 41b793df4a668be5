import asyncio
import random
import sys
from array import array
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deepgram_async.audio import Microphone, Speaker, encode_g711, output_devices
from deepgram_async.errors import (
    AudioDeviceError,
    AudioSourceError,
    InvalidStateError,
    MissingDependencyError,
    OptionError,
)
from tests.support.sound import RATE, needs_pulseaudio, virtual_sound

pytest.importorskip("miniaudio", reason="needs the extra 'mic'")

SECOND = 48_000
"""Bytes of a second of audio at 24 kHz, the default."""


async def in_parts(audio: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(audio), size):
        yield audio[start : start + size]


async def test_drain_returns_when_all_was_heard() -> None:
    clock = asyncio.get_running_loop().time
    async with Speaker(backend="null") as speaker:
        started_at = clock()
        await speaker.play(bytes(SECOND // 2))
        assert speaker.pending_s == pytest.approx(0.5 - speaker.played_s)
        await speaker.drain()
        # The device's clock and this one differ by some tenths of a percent.
        assert clock() - started_at > 0.45
        assert (speaker.played_s, speaker.pending_s) == (0.5, 0)


async def test_an_asynchronous_iterable_is_played_to_its_end() -> None:
    async with Speaker(backend="null") as speaker:
        # Parts of odd length: samples are torn between them.
        await speaker.play(in_parts(bytes(SECOND // 4), 701))
        await speaker.drain()
        assert speaker.played_s == 0.25


async def test_leaving_regularly_waits_for_the_last_word() -> None:
    async with Speaker(backend="null") as speaker:
        await speaker.play(bytes(SECOND // 4))
    assert speaker.played_s == 0.25


async def test_leaving_with_an_error_does_not_wait() -> None:
    speaker = Speaker(backend="null")
    with pytest.raises(KeyError):
        async with speaker:
            await speaker.play(bytes(20 * SECOND))
            raise KeyError
    assert speaker.played_s < 10
    assert speaker.pending_s < 0.5


async def test_clear_cuts_at_once_and_tells_how_much() -> None:
    async with Speaker(backend="null") as speaker:
        await speaker.play(bytes(20 * SECOND))
        while speaker.played_s < 0.1:
            await asyncio.sleep(0.01)
        dropped_s = speaker.clear()
        # What is left is in the device.
        assert speaker.pending_s <= 0.08
        await speaker.drain()
        assert speaker.played_s + dropped_s == pytest.approx(20)
        await speaker.play(bytes(SECOND // 10))
        await speaker.drain()
        assert speaker.played_s + dropped_s == pytest.approx(20.1)


async def test_play_waits_while_the_buffer_is_full() -> None:
    clock = asyncio.get_running_loop().time
    async with Speaker(buffer_s=0.2, backend="null") as speaker:
        started_at = clock()
        await speaker.play(bytes(SECOND // 2))
        assert clock() - started_at > 0.2
        assert speaker.pending_s <= 0.3


async def test_push_takes_what_fits_and_says_when_it_does_not() -> None:
    async with Speaker(buffer_s=0.5, backend="null") as speaker:
        assert speaker.push(bytes(SECOND // 2))
        # From any thread.
        assert not await asyncio.to_thread(speaker.push, bytes(SECOND // 2))
        speaker.clear()
        assert await asyncio.to_thread(speaker.push, bytes(SECOND // 10))
        await speaker.drain()
        assert speaker.played_s == pytest.approx(0.1, abs=0.1)


async def test_clear_ends_what_is_being_handed_in() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(SECOND)

    async with Speaker(buffer_s=0.5, backend="null") as speaker:
        first = asyncio.create_task(speaker.play(endless()))
        second = asyncio.create_task(speaker.play(bytes(20 * SECOND)))
        while not speaker.played_s:
            await asyncio.sleep(0.01)
        speaker.clear()
        await asyncio.gather(first, second)
        assert speaker.pending_s < 0.5


async def test_cancelled_play_puts_nothing_more_into_the_queue() -> None:
    async with Speaker(buffer_s=0.2, backend="null") as speaker:
        playing = asyncio.create_task(speaker.play(bytes(20 * SECOND)))
        while not speaker.played_s:
            await asyncio.sleep(0.01)
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        await speaker.drain()
        assert speaker.played_s < 10


async def test_gap_within_speech_is_counted_and_a_pause_after_it_is_not() -> None:
    async def gap() -> None:
        while speaker.pending_s:
            await asyncio.sleep(0.005)

    async with Speaker(backend="null") as speaker:
        await speaker.play(bytes(SECOND // 10))
        assert speaker.underruns == 0
        # A program that is held up for a second makes a pause, and no gap.
        for _ in range(5):
            await gap()
            await speaker.play(bytes(SECOND // 10))
            if speaker.underruns:
                break
        assert speaker.underruns == 1
        await speaker.drain()
        await speaker.play(bytes(SECOND // 10))
        speaker.clear()
        await gap()
        await speaker.play(bytes(SECOND // 10))
        assert speaker.underruns == 1


async def test_speaker_is_closed_twice_and_by_another_task() -> None:
    speaker = await Speaker(backend="null").__aenter__()
    assert speaker.device_name
    await asyncio.create_task(speaker.aclose())
    await speaker.aclose()
    for call in (speaker.play(b"12"), speaker.drain()):
        with pytest.raises(InvalidStateError, match="the speaker is closed"):
            await call
    with pytest.raises(InvalidStateError, match="the speaker is closed"):
        speaker.push(b"12")


async def test_closing_ends_what_waits_for_room() -> None:
    async with Speaker(buffer_s=0.1, backend="null") as speaker:
        playing = asyncio.create_task(speaker.play(bytes(20 * SECOND)))
        while not speaker.played_s:
            await asyncio.sleep(0.01)
        await speaker.aclose()
        await playing


async def test_forgotten_speaker_warns() -> None:
    forgotten = [await Speaker(backend="null").__aenter__()]
    with pytest.warns(ResourceWarning, match=r"Speaker object at .* was not closed"):
        forgotten.clear()


async def test_what_is_no_audio_raises() -> None:
    text: Any = "Hello."
    async with Speaker(backend="null") as speaker:
        with pytest.raises(AudioSourceError, match="a speaker plays bytes, not str"):
            await speaker.play(text)
        for head in (b"RIFF....WAVE", b"OggS", b"fLaC", b"ID3\4"):
            with pytest.raises(AudioSourceError, match="would be heard as noise"):
                await speaker.play(in_parts(head + bytes(1000), 100))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"encoding": "opus"}, OptionError, "takes linear16, mulaw or alaw, not 'opus'"),
        ({"buffer_s": 0}, OptionError, "buffer_s must be positive, not 0"),
        ({"sample_rate": -8000}, AudioSourceError, "needs a positive sample_rate, not -8000"),
    ],
)
def test_impossible_speaker_raises(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Speaker(**arguments)


async def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'deepgram-async\[mic\]'"):
        async with Speaker():
            pass


# With a sound server: what is played is heard by the microphone of the same sink.


def noise(seconds: float) -> bytes:
    """Return samples no two stretches of which are alike."""
    numbers = random.Random(7)
    count = round(seconds * RATE)
    return array("h", [numbers.randrange(-8000, 8000) for _ in range(count)]).tobytes()


async def heard_by(microphone: Microphone, until: asyncio.Task[None]) -> bytes:
    """Return what is heard until a task has ended, and half a second longer."""
    heard = bytearray()
    while not until.done():
        heard += await anext(microphone)
    for _ in range(25):
        heard += await anext(microphone)
    return bytes(heard)


def share_heard(speech: bytes, heard: bytes, size: int = 960) -> float:
    """Return how many of the pieces of a hundredth of a second were heard, in their order.

    On a machine that is too busy for sound there are gaps, each of which spoils a piece or two.
    """
    pieces = [speech[start : start + size] for start in range(0, len(speech), size)]
    found = position = 0
    for piece in pieces:
        where = heard.find(piece, position)
        if where >= 0:
            found += 1
            position = where + len(piece)
    return found / len(pieces)


@needs_pulseaudio
@pytest.mark.usefixtures("sound")
@pytest.mark.parametrize("backend", ["miniaudio", "sounddevice"])
async def test_every_sample_that_is_played_is_heard(
    backend: Any, request: pytest.FixtureRequest
) -> None:
    if backend == "sounddevice":
        request.getfixturevalue("portaudio")
    speech = noise(0.8)
    async with (
        Microphone(sample_rate=RATE) as microphone,
        Speaker(sample_rate=RATE, backend=backend) as speaker,
    ):

        async def speak() -> None:
            await speaker.play(in_parts(speech, 5000))
            await speaker.drain()

        heard = await heard_by(microphone, asyncio.create_task(speak()))
        assert (speaker.underruns, speaker.played_s) == (0, 0.8)
    assert share_heard(speech, heard) > 0.8


@needs_pulseaudio
@pytest.mark.usefixtures("sound")
async def test_what_was_cleared_is_not_heard_and_what_counts_as_played_is() -> None:
    speech = noise(4)
    async with (
        Microphone(sample_rate=RATE) as microphone,
        Speaker(sample_rate=RATE) as speaker,
    ):

        async def speak() -> None:
            await speaker.play(speech)
            while speaker.played_s < 0.3:
                await asyncio.sleep(0.01)
            speaker.clear()
            await speaker.drain()

        heard = await heard_by(microphone, asyncio.create_task(speak()))
        played = round(speaker.played_s * RATE) * 2
    assert played < len(speech) / 2
    assert share_heard(speech[:played], heard) > 0.8
    assert share_heard(speech[played:], heard) == 0


@needs_pulseaudio
@pytest.mark.usefixtures("sound")
async def test_mulaw_is_played_as_what_it_stands_for() -> None:
    speech = encode_g711(noise(0.3), "mulaw")
    async with (
        Microphone(sample_rate=RATE) as microphone,
        Speaker(sample_rate=RATE, encoding="mulaw") as speaker,
    ):

        async def speak() -> None:
            await speaker.play(speech)
            await speaker.drain()

        heard = await heard_by(microphone, asyncio.create_task(speak()))
        assert speaker.played_s == 0.3
    assert share_heard(speech, encode_g711(heard, "mulaw"), 480) > 0.8


@needs_pulseaudio
@pytest.mark.usefixtures("sound")
async def test_devices_are_listed() -> None:
    assert [(device.id, device.is_default) for device in await output_devices()] == [("vmic", True)]
    async with Speaker(device="vmic") as speaker:
        assert speaker.device_name == "Null Output"


@needs_pulseaudio
async def test_device_that_goes_away_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    with virtual_sound() as own:
        for name, value in own.environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(AudioDeviceError, match="the speaker went away"):
            async with Speaker() as speaker:
                await speaker.play(bytes(20 * SECOND))
                own.kill()
                await speaker.drain()
