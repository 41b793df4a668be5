"""Speak a text into a WAV file while it is written: echo 'Hello.' | python speak.py hello.wav."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from deepgram_async import DeepgramSession
from deepgram_async.audio import wav_header

SAMPLE_RATE = 24000


async def lines() -> AsyncIterator[str]:
    """Yield what is typed, as a language model would yield its tokens."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line


async def main(path: Path) -> None:
    """Print how much speech has come, sentence by sentence, and save all of it."""
    audio = bytearray()
    async with (
        DeepgramSession() as dg,
        dg.speak.live(
            model="aura-2-thalia-en", encoding="linear16", sample_rate=SAMPLE_RATE
        ) as stream,
    ):
        async for chunk in stream.speak(lines()):
            audio += chunk
            print(f"\r{len(audio) / 2 / SAMPLE_RATE:.1f} s", end="", flush=True)
    header = wav_header("linear16", sample_rate=SAMPLE_RATE, data_bytes=len(audio))
    await asyncio.to_thread(path.write_bytes, header + audio)
    print(f" in {path}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
