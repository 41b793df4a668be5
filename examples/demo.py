"""Transcribe a recording of real speech twice: with one request, and live while it plays.

With ``DEEPGRAM_API_KEY`` set it talks to Deepgram, or to ``DEEPGRAM_BASE_URL``. Without, it starts
a local Deepgram in this process, which recognises real speech and needs neither a key nor the
internet: ``pip install 'deepgram-async[emulator]'``.
"""

import argparse
import asyncio
import os
import shutil
import sys
import textwrap
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from deepgram_async import DeepgramSession, Results
from deepgram_async.audio import paced
from deepgram_async.errors import DeepgramError

RECORDING = Path(__file__).parent / "audio" / "austen.wav"


async def main(recording: Path, *, realtime: float, every_interim: bool) -> None:
    """Run both transcriptions."""
    async with open_session() as (dg, server):
        print(f"Server:     {server}")
        print(f"Recording:  {recording.name}")
        await transcribe(dg, recording)
        await transcribe_live(dg, recording, realtime=realtime, every_interim=every_interim)


@asynccontextmanager
async def open_session() -> AsyncGenerator[tuple[DeepgramSession, str], None]:
    """Open a session with the service if there is a key, else with a local one."""
    if os.environ.get("DEEPGRAM_API_KEY"):
        async with DeepgramSession() as dg:
            yield dg, os.environ.get("DEEPGRAM_BASE_URL") or "https://api.deepgram.com"
        return
    from deepgram_async.emulator import Emulator  # needed only without a key

    async with (
        Emulator() as emulator,
        DeepgramSession("any-key-will-do", base_url=emulator.base_url) as dg,
    ):
        yield dg, f"local Deepgram at {emulator.base_url} (no DEEPGRAM_API_KEY)"


async def transcribe(dg: DeepgramSession, recording: Path) -> None:
    """Send the whole recording and print the answer."""
    print("\nPrerecorded, one request:\n")
    started_at = time.perf_counter()
    answer = await dg.listen.transcribe(recording, model="nova-3", smart_format=True)
    took_s = time.perf_counter() - started_at
    print(wrapped(answer.transcript))
    print(f"\n  {answer.duration:.1f} s of speech in {took_s:.1f} s,", end=" ")
    print(f"{len(answer.words)} words, confidence {answer.confidence:.2f}")


async def transcribe_live(
    dg: DeepgramSession, recording: Path, *, realtime: float, every_interim: bool
) -> None:
    """Play the recording into a live stream and print the words as they are recognised."""
    print("\nLive, while it plays:\n")
    screen = Screen(every_interim=every_interim)
    async with (
        paced(recording, realtime=realtime) as audio,
        dg.listen.live(
            model="nova-3", smart_format=True, interim_results=True, **audio.options
        ) as live,
    ):
        async for event in live.transcribe(audio):
            if isinstance(event, Results) and event.transcript:
                screen.show(event)
    print(f"\n  {audio.seconds_sent:.1f} s of audio sent, request id {live.request_id}")


class Screen:
    """Final text stays; on a terminal the interim text below it is rewritten in place."""

    def __init__(self, *, every_interim: bool) -> None:
        self._every_interim = every_interim
        self._rewrites = sys.stdout.isatty() and not every_interim

    def show(self, event: Results) -> None:
        """Print settled text, or rewrite the last line with text that may still change."""
        time_of = f"  {event.words[0].start:5.1f} s  " if event.words else "  "
        if self._rewrites:
            # Go back to the start of the line and erase it.
            print("\r\x1b[2K", end="")
        if event.is_final:
            print(wrapped(event.transcript, first=time_of, rest=" " * len(time_of)), flush=True)
        elif self._rewrites:
            print(dimmed(time_of + tail(event.transcript, len(time_of))), end="", flush=True)
        elif self._every_interim:
            print(f"{time_of}{event.transcript} …", flush=True)


def wrapped(text: str, *, first: str = "  ", rest: str = "  ") -> str:
    """Return text in lines of at most 80 columns."""
    width = min(80, shutil.get_terminal_size().columns)
    return textwrap.fill(text, width, initial_indent=first, subsequent_indent=rest)


def tail(text: str, used: int) -> str:
    """Return as much of the end of a text as fits into what is left of a line."""
    room = shutil.get_terminal_size().columns - used - 1
    return text if len(text) <= room else "…" + text[len(text) - room + 1 :]


def dimmed(text: str) -> str:
    """Return text in a faint colour."""
    return f"\x1b[2m{text}\x1b[0m"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Transcribe speech, prerecorded and live.")
    parser.add_argument("recording", nargs="?", type=Path, default=RECORDING)
    parser.add_argument("--realtime", type=float, default=1.0, help="factor of the live pace")
    parser.add_argument(
        "--every-interim", action="store_true", help="a line for each interim text too"
    )
    given = parser.parse_args()
    try:
        asyncio.run(
            main(given.recording, realtime=given.realtime, every_interim=given.every_interim)
        )
    except KeyboardInterrupt:
        sys.exit(130)
    except DeepgramError as error:
        sys.exit(f"Error: {error}")
