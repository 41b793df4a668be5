"""Hear the turns of a conversation in a mono recording: python flux.py talk.wav."""

import asyncio
import sys

from deepgram_async import DeepgramSession
from deepgram_async.audio import paced


async def main(path: str, realtime: float = 1.0) -> None:
    """Print each turn when it has ended, and before that the drafts of it."""
    async with (
        DeepgramSession() as dg,
        paced(path, chunk_ms=80, realtime=realtime) as audio,
        dg.listen.flux(
            model="flux-general-en",
            eager_eot_threshold=0.5,
            encoding=audio.encoding,
            sample_rate=audio.sample_rate,
        ) as flux,
    ):
        async for turn in flux.transcribe(audio).turns():
            if turn.is_draft:
                # The time to prepare an answer, which is thrown away if the speaker goes on.
                print(f"  perhaps: {turn.transcript}")
            if await turn.confirmed():
                print(f"turn {turn.index}: {turn.transcript}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
