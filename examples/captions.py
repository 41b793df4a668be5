"""Print captions of a recording as SubRip: python captions.py talk.mp3 > talk.srt."""

import asyncio
import sys

from deepgram_async import DeepgramSession


async def main(path: str) -> None:
    """Print short lines, with the names of the speakers who begin."""
    async with DeepgramSession() as dg:
        answer = await dg.listen.transcribe(path, model="nova-3", smart_format=True, diarize=True)
    print(answer.to_srt(line_length=32), end="")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
