import asyncio
import math
import os
import re
import subprocess
import sys
import threading
import warnings
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deepgram_async import DeepgramSession, Results
from deepgram_async.audio import Microphone, input_devices
from deepgram_async.emulator import Emulator, ScriptedRecognizer
from deepgram_async.errors import (
    AudioDeviceError,
    AudioSourceError,
    InvalidStateError,
    MissingDependencyError,
    OptionError,
)
from tests.support.sound import (
    RATE,
    VirtualSound,
    breaks_in_tone,
    needs_pulseaudio,
    sine,
    virtual_sound,
)

pytest.importorskip("miniaudio", reason="needs the extra 'mic'")


async def taken(microphone: Microphone, count: int) -> list[bytes]:
    return [await anext(microphone) for _ in range(count)]


async def test_chunks_have_the_asked_length_and_come_at_the_pace_of_the_clock() -> None:
    clock = asyncio.get_running_loop().time
    started_at = clock()
    async with Microphone(sample_rate=8000, channels=2, chunk_ms=20, backend="null") as microphone:
        assert microphone.options == {"encoding": "linear16", "sample_rate": 8000, "channels": 2}
        chunks = await taken(microphone, 15)
        assert clock() - started_at >= 0.2
    assert chunks == [bytes(640)] * 15
    assert microphone.recorded_s >= 0.3


async def test_microphone_is_a_source_of_a_live_stream_and_ends_it_when_it_stops() -> None:
    recognizer = ScriptedRecognizer([("Hello", 0.1, 0.2), ("world.", 0.2, 0.3)])
    async with (
        Emulator(recognizer) as emulator,
        DeepgramSession("any-key", base_url=emulator.base_url) as dg,
        Microphone(backend="null") as microphone,
        dg.listen.live(model="nova-3", smart_format=True, **microphone.options) as live,
    ):
        heard: list[str] = []
        async for event in live.transcribe(microphone):
            if isinstance(event, Results):
                heard.append(event.transcript)
                microphone.stop()
        assert live.audio_sent_s == pytest.approx(microphone.recorded_s, abs=0.001)
    assert " ".join(heard).strip() == "Hello world."


async def test_stop_delivers_what_was_recorded_and_ends_the_iteration() -> None:
    async with Microphone(chunk_ms=20, backend="null") as microphone:
        await taken(microphone, 2)
        # No chunk of this length is complete.
        async with Microphone(chunk_ms=5000, backend="null") as slow:
            await taken(microphone, 5)
            slow.stop()
            chunks = [chunk async for chunk in slow]
        assert [len(chunk) for chunk in chunks] == [round(slow.recorded_s * 32000)]
        assert 0 < len(chunks[0]) < 160_000


async def test_stop_ends_a_request_that_waits() -> None:
    async with Microphone(chunk_ms=5000, backend="null") as microphone:
        waiting = asyncio.ensure_future(anext(microphone, b"ended"))
        await asyncio.sleep(0)
        microphone.stop()
        assert await waiting != b"ended"
        assert await anext(microphone, b"ended") == b"ended"


async def test_oldest_audio_is_dropped_and_counted_when_nobody_takes_it() -> None:
    async with Microphone(chunk_ms=20, buffer_s=0.1, backend="null") as microphone:
        while microphone.dropped_s < 0.06:
            await asyncio.sleep(0.01)
        microphone.stop()
        kept = sum([len(chunk) async for chunk in microphone]) / 32000
        assert kept <= 0.1
        assert kept + microphone.dropped_s == pytest.approx(microphone.recorded_s)


async def test_cancelled_request_loses_nothing() -> None:
    async with Microphone(chunk_ms=40, backend="null") as microphone:
        taken_s = 0.0
        for _ in range(20):
            try:
                async with asyncio.timeout(0.005):
                    taken_s += len(await anext(microphone)) / 32000
            except TimeoutError:
                pass
        microphone.stop()
        taken_s += sum([len(chunk) async for chunk in microphone]) / 32000
        assert taken_s == pytest.approx(microphone.recorded_s)
        assert microphone.dropped_s == 0


async def test_what_was_recorded_can_be_taken_after_leaving() -> None:
    async with Microphone(backend="null") as microphone:
        pass
    assert sum([len(chunk) async for chunk in microphone]) / 32000 == microphone.recorded_s


async def test_microphone_is_closed_twice_and_by_another_task() -> None:
    microphone = await Microphone(backend="null").__aenter__()
    assert microphone.device_name
    await asyncio.create_task(microphone.aclose())
    await microphone.aclose()
    with pytest.raises(InvalidStateError, match="the microphone is closed"):
        _ = microphone.device_name
    with pytest.raises(InvalidStateError, match="a microphone is opened once"):
        await microphone.__aenter__()


async def test_iterating_a_microphone_that_was_not_opened_raises() -> None:
    with pytest.raises(InvalidStateError, match="not open: use `async with`"):
        await anext(Microphone(backend="null"))


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads under /proc")
async def test_forgotten_microphone_warns_and_stops() -> None:
    threads = set(os.listdir("/proc/self/task"))
    forgotten = [await Microphone(backend="null").__aenter__()]
    assert set(os.listdir("/proc/self/task")) - threads
    with pytest.warns(ResourceWarning, match=r"Microphone object at .* was not closed"):
        forgotten.clear()
    while set(os.listdir("/proc/self/task")) - threads:
        await asyncio.sleep(0.005)


def test_program_that_forgets_its_microphone_ends() -> None:
    program = (
        "import asyncio\n"
        "from deepgram_async.audio import Microphone\n"
        "async def main():\n"
        "    global microphone\n"
        "    microphone = await Microphone(backend='null').__aenter__()\n"
        "    print(len(await anext(microphone)))\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "640\n", "")


async def test_device_that_gives_no_audio_in_time_raises() -> None:
    with pytest.raises(AudioDeviceError, match=r"did not start within 0\.001 s"):
        async with Microphone(open_timeout_s=0.001, backend="null"):
            pass


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"chunk_ms": 0}, OptionError, "chunk_ms must be positive, not 0"),
        ({"buffer_s": math.nan}, OptionError, "buffer_s must be positive, not nan"),
        ({"open_timeout_s": -1}, OptionError, "open_timeout_s must be positive, not -1"),
        ({"sample_rate": 0}, AudioSourceError, "needs a positive sample_rate, not 0"),
        ({"channels": 0}, AudioSourceError, "channels must be positive, not 0"),
    ],
)
def test_impossible_microphone_raises(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    # The destructor of what was never made must not complain.
    with warnings.catch_warnings(), pytest.raises(error, match=message):
        warnings.simplefilter("error")
        Microphone(**arguments)


async def test_unknown_backend_raises() -> None:
    backend: Any = "pyaudio"
    with pytest.raises(OptionError, match="there is no sound backend 'pyaudio'"):
        async with Microphone(backend=backend):
            pass


async def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'deepgram-async\[mic\]'"):
        async with Microphone():
            pass
    with pytest.raises(MissingDependencyError, match="pip install sounddevice"):
        await input_devices(backend="sounddevice")


@pytest.mark.skipif(sys.platform != "linux", reason="hides the sound system of Linux")
@pytest.mark.parametrize("name", ["Microphone", "Speaker"])
def test_machine_without_sound_is_told_in_one_line(tmp_path: Path, name: str) -> None:
    program = (
        "import asyncio\n"
        f"from deepgram_async.audio import {name}\n"
        "async def main():\n"
        f"    async with {name}(): pass\n"
        "asyncio.run(main())\n"
    )
    hidden = {"PULSE_SERVER": f"unix:{tmp_path}/none", "ALSA_CONFIG_PATH": os.devnull}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        env={**os.environ, **hidden, "XDG_RUNTIME_DIR": str(tmp_path)},
        text=True,
        timeout=60,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("deepgram_async.errors.AudioDeviceError: ")
    assert "no sound system" in last or f"has no {name.lower()}" in last


@pytest.mark.skipif(sys.platform != "linux", reason="takes ALSA")
def test_device_that_does_not_open_is_told_in_one_line(tmp_path: Path) -> None:
    settings = tmp_path / "alsa.conf"
    settings.write_text('pcm.broken { type hw card 77 hint { show on description "Broken" } }')
    hidden = {"PULSE_SERVER": f"unix:{tmp_path}/none", "ALSA_CONFIG_PATH": str(settings)}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "deepgram_async.cli"),
            *("live", "--mic", "--sound", "miniaudio"),
        ],
        capture_output=True,
        env={
            **os.environ,
            **hidden,
            "XDG_RUNTIME_DIR": str(tmp_path),
            "DEEPGRAM_API_KEY": "sentinel-key",
            "DEEPGRAM_CONFIG": os.devnull,
        },
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        r"Error: (this machine has no |cannot open the default input device: ).+\n(Hint: .+\n)?",
        done.stderr,
    )


# With a sound server.

per_backend = pytest.mark.parametrize("backend", ["miniaudio", "sounddevice"])


@pytest.fixture
async def tone(sound: VirtualSound, tmp_path: Path) -> AsyncIterator[None]:
    """A tone of 440 Hz that is played for some seconds."""
    file = tmp_path / "tone.wav"
    with wave.open(str(file), "wb") as writer:
        writer.setparams((1, 2, RATE, 0, "NONE", ""))
        writer.writeframes(sine(20))
    player = sound.play(file)
    yield
    player.kill()
    player.wait()


def test_a_lost_sample_is_found() -> None:
    # The test of the tests.
    tone = sine(1, rate=16000)
    assert breaks_in_tone(tone, 16000) == 0
    assert breaks_in_tone(tone[:10000] + tone[10002:], 16000) > 0
    assert breaks_in_tone(tone[:10000] + bytes(2) + tone[10000:], 16000) > 0


@needs_pulseaudio
@pytest.mark.usefixtures("portaudio", "tone")
@per_backend
async def test_no_sample_of_a_tone_is_lost(backend: Any) -> None:
    async with Microphone(sample_rate=16000, backend=backend) as microphone:
        while microphone.level.rms < 0.2:
            await anext(microphone)
        await taken(microphone, 10)  # the tone has begun
        heard = b"".join(await taken(microphone, 100))
    assert (microphone.dropped_s, microphone.overruns) == (0, 0)
    assert breaks_in_tone(heard, 16000) == 0
    assert microphone.level.rms_dbfs == pytest.approx(20 * math.log10(12000 / 32768) - 3, abs=0.5)


@needs_pulseaudio
@pytest.mark.usefixtures("tone")
async def test_muted_microphone_delivers_silence_and_still_hears() -> None:
    async with Microphone() as microphone:
        while microphone.level.rms < 0.2:
            await anext(microphone)
        microphone.mute()
        assert microphone.is_muted
        while any(await anext(microphone)):
            pass  # recorded before
        chunks = await taken(microphone, 5)
        assert chunks == [bytes(640)] * 5
        assert microphone.level.rms > 0.2
        microphone.unmute()
        while not any(await anext(microphone)):
            pass


@needs_pulseaudio
@pytest.mark.usefixtures("sound")
async def test_devices_are_listed_and_chosen_by_a_part_of_their_name() -> None:
    devices = await input_devices()
    assert [(device.id, device.is_default) for device in devices] == [("vmic.monitor", True)]
    for wanted in (devices[0], "vmic.monitor", devices[0].name, "null out"):
        async with Microphone(device=wanted) as microphone:
            assert microphone.device_name == devices[0].name
    message = f"no microphone 'headset'; there are '{devices[0].name}'"
    with pytest.raises(AudioDeviceError, match=message):
        async with Microphone(device="headset"):
            pass


@needs_pulseaudio
@pytest.mark.usefixtures("sound")
async def test_cancelled_opening_leaves_no_connection() -> None:
    # Each turn is cancelled a little later; the guard of all tests counts the sockets.
    for turn in range(12):
        opening = asyncio.ensure_future(Microphone().__aenter__())
        await asyncio.sleep(turn * 0.002)
        opening.cancel()
        try:
            microphone = await opening
        except asyncio.CancelledError:
            continue
        await microphone.aclose()
    # Whoever opens for nobody closes what came.
    while any(thread.name == "deepgram_async.audio" for thread in threading.enumerate()):
        await asyncio.sleep(0.01)


@needs_pulseaudio
async def test_device_that_goes_away_raises_after_what_it_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with virtual_sound() as own:
        for name, value in own.environment.items():
            monkeypatch.setenv(name, value)
        async with Microphone() as microphone:
            await anext(microphone)
            own.kill()
            taken_s = 0.02
            with pytest.raises(AudioDeviceError, match="the microphone went away"):
                while True:
                    taken_s += len(await anext(microphone)) / 32000
            assert taken_s == pytest.approx(microphone.recorded_s, abs=0.02)
