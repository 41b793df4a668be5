"""Speak a text into an MP3 file: python speak_file.py 'Hello, world.' hello.mp3."""

import asyncio
import sys

from deepgram_async import DeepgramSession


async def main(text: str, path: str) -> None:
    """Save the speech and print which voice it is and how many characters were counted."""
    async with DeepgramSession() as dg:
        info = await dg.speak.save(text, path, model="aura-2-thalia-en")
    print(f"{info.model_name}: {info.characters} characters in {path}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
