"""Caption a recording while it plays: python live_captions.py talk.mp3 > talk.vtt."""

import asyncio
import sys

from deepgram_async import DeepgramSession
from deepgram_async.audio import paced
from deepgram_async.transcript import LiveCaptions, LiveTranscript, Utterance


async def main(path: str) -> None:
    """Print each caption as soon as it is settled, and each utterance to standard error."""
    captions = LiveCaptions("vtt")
    transcript = LiveTranscript()
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
            print(captions.add(event), end="", flush=True)
            for change in transcript.add(event):
                if isinstance(change, Utterance):
                    print(f"{change.start:6.1f} s  {change.text}", file=sys.stderr)
    print(captions.finish(), end="")
    transcript.finish()
    heard = transcript.so_far()
    print(f"{len(heard.words)} words in {heard.duration:.1f} seconds", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
