"""Transcribe a recording and print its text: python transcribe_file.py talk.mp3."""

import asyncio
import sys

from deepgram_async import DeepgramSession


async def main(path: str) -> None:
    """Print the transcript of the file at ``path``."""
    async with DeepgramSession() as dg:
        answer = await dg.listen.transcribe(path, model="nova-3", smart_format=True)
    print(answer.transcript)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
