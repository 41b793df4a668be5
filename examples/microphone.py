"""Transcribe what the microphone hears, until Ctrl-C: python microphone.py [name of the device].

A part of the name will do. It takes `pip install 'deepgram-async[mic]'`.
"""

import asyncio
import signal
import sys

from deepgram_async import DeepgramSession, Results, UtteranceEnd
from deepgram_async.audio import Microphone


async def main(device: str | None) -> None:
    """Print each settled piece of text with its time, and an empty line after an utterance."""
    async with (
        DeepgramSession() as dg,
        Microphone(device=device) as microphone,
        dg.listen.live(
            model="nova-3",
            smart_format=True,
            interim_results=True,
            utterance_end_ms=1000,
            **microphone.options,
        ) as live,
    ):
        if sys.platform != "win32":  # whose event loop has no signals
            # The last words still come after it.
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, microphone.stop)
        print(f"{microphone.device_name} is listening.", file=sys.stderr, flush=True)
        async for event in live.transcribe(microphone):
            match event:
                case Results(is_final=True) if event.transcript:
                    print(f"{event.start:6.1f} s  {event.transcript}", flush=True)
                case UtteranceEnd():
                    print()
                case _:
                    pass


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
