"""What a microphone loses and how evenly it delivers: python -m benchmarks.microphone.

A tone is played to the null sink of a sound server of its own, and recorded from there; a sample
that is lost or put in breaks the tone. It needs pulseaudio, and takes half a minute a row.
"""

import asyncio
import os
import time
import wave
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from deepgram_async.audio import Microphone, SoundBackend
from tests.support.sound import RATE, breaks_in_tone, sine, virtual_sound

SECONDS: Final = 30
ROWS: Final[list[tuple[SoundBackend, int, float]]] = [
    ("miniaudio", 16000, 20),
    ("miniaudio", 16000, 100),
    ("miniaudio", 48000, 20),
    ("sounddevice", 16000, 20),
]


async def record(backend: SoundBackend, sample_rate: int, chunk_ms: float) -> str:
    """Return the row of one recording."""
    opened_at = time.monotonic()
    async with Microphone(
        sample_rate=sample_rate, chunk_ms=chunk_ms, backend=backend
    ) as microphone:
        opened_s = time.monotonic() - opened_at
        while microphone.level.rms < 0.2:
            await anext(microphone)
        for _ in range(round(500 / chunk_ms)):  # the tone has begun, and what waited is taken
            await anext(microphone)
        audio = bytearray()
        arrivals: list[float] = []
        cpu_s = time.process_time()
        for _ in range(round(SECONDS * 1000 / chunk_ms)):
            audio += await anext(microphone)
            arrivals.append(time.monotonic())
        cpu_s = time.process_time() - cpu_s
    # Against the line that they come at on average, as clocks differ by some per mille.
    late_ms = sorted(1000 * at - number * chunk_ms for number, at in enumerate(arrivals))
    median = late_ms[len(late_ms) // 2]
    p99, worst = late_ms[-max(1, len(late_ms) // 100)] - median, late_ms[-1] - median
    return (
        f"| {backend} | {sample_rate} | {chunk_ms:g} | {opened_s:.1f} "
        f"| {breaks_in_tone(bytes(audio), sample_rate)} | {microphone.dropped_s:g} "
        f"| {p99:.1f} | {worst:.1f} | {100 * cpu_s / SECONDS:.1f} % |"
    )


async def main() -> None:
    """Print a table in Markdown."""
    print(
        "| backend | Hz | chunk ms | opened in s | breaks | dropped s | late p99 ms | max | CPU |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with TemporaryDirectory() as folder, virtual_sound() as sound:
        os.environ.update(sound.environment)
        file = Path(folder, "tone.wav")
        with wave.open(str(file), "wb") as writer:
            writer.setparams((1, 2, RATE, 0, "NONE", ""))
            writer.writeframes(sine(SECONDS + 10))
        for row in ROWS:
            player = sound.play(file)
            print(await record(*row), flush=True)
            player.kill()
            player.wait()


if __name__ == "__main__":
    asyncio.run(main())
