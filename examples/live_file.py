"""Play a recording into a live transcription: python live_file.py talk.mp3."""

import asyncio
import sys

from deepgram_async import DeepgramSession, Results, UtteranceEnd
from deepgram_async.audio import paced


async def main(path: str) -> None:
    """Print each settled piece of text with its time, and an empty line after an utterance."""
    async with (
        DeepgramSession() as dg,
        paced(path) as audio,
        dg.listen.live(
            model="nova-3",
            smart_format=True,
            interim_results=True,
            utterance_end_ms=1000,
            **audio.options,
        ) as live,
    ):
        async for event in live.transcribe(audio):
            match event:
                case Results(is_final=True) if event.transcript:
                    print(f"{event.start:6.1f} s  {event.transcript}")
                case UtteranceEnd():
                    print()
                case _:
                    pass


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
