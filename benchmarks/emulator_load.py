"""How many live streams the emulator holds in real time: ``python -m benchmarks.emulator_load``.

The emulator runs in a process of its own; this one sends audio in real time on all streams and
counts what comes back. Every stream has to get as many messages as one that is alone, and the
emulator has to have heard all audio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import time
import wave
from asyncio import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from deepgram_async import DeepgramSession
from deepgram_async.emulator import Emulator, ScriptedRecognizer, load_recognizer
from deepgram_async.models.live import Results

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RATE: Final = 16_000
CHUNK_S: Final = 0.1
TICK_S: Final = 0.005
SPEECH: Final = Path(__file__).parents[1] / "examples" / "audio" / "austen.wav"
# A stream that is further behind at its end was not held in real time.
LARGEST_LAG_S: Final = 1.0
WORDS: Final = ScriptedRecognizer(
    (f"word{number}.", number * 0.5 + 0.1, number * 0.5 + 0.4) for number in range(20_000)
)


class Served(msgspec.Struct):
    """What the process of the emulator saw of itself."""

    longest_gap_s: float
    cpu_s: float


class Stream(msgspec.Struct):
    """What came of one stream."""

    messages: int = 0
    words: int = 0
    lag_s: float = 0.0


class Figures(msgspec.Struct):
    """What came of all streams."""

    recognizer: str
    streams: int
    seconds: float
    messages: int
    messages_missing: int
    audio_missing_s: float
    longest_gap_ms: float
    median_lag_ms: float
    longest_lag_ms: float
    held: int
    emulator_cpu_share: float
    client_cpu_share: float
    load_before: float


async def serve(recognizer: str) -> None:
    """Be the emulator, until standard input ends; then print what was seen."""
    engine = WORDS if recognizer == "scripted" else load_recognizer(recognizer)
    loop = asyncio.get_running_loop()
    longest = 0.0
    async with Emulator(engine) as emulator:
        print(emulator.base_url, flush=True)
        over = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
        before = loop.time()
        while not over.done():
            await asyncio.sleep(TICK_S)
            now = loop.time()
            if emulator.open_streams:
                longest = max(longest, now - before - TICK_S)
            before = now
        usage = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps(msgspec.to_builtins(Served(longest, usage.ru_utime + usage.ru_stime))))


def audio(recognizer: str, seconds: float) -> bytes:
    """Return samples: speech for who recognises, silence for who has a script."""
    size = round(seconds * RATE) * 2
    if recognizer == "scripted":
        return bytes(size)
    with wave.open(str(SPEECH)) as file:
        if (file.getframerate(), file.getnchannels()) != (RATE, 1):
            raise SystemExit(f"{SPEECH} is expected to have {RATE} Hz and one channel")
        samples: bytes = file.readframes(file.getnframes())
    return (samples * (size // len(samples) + 1))[:size]


async def paced(samples: bytes, *, offset_s: float, is_paced: bool) -> AsyncIterator[bytes]:
    """Yield chunks when their last sample would have been recorded."""
    loop = asyncio.get_running_loop()
    began = loop.time() + offset_s
    step = round(CHUNK_S * RATE) * 2
    for number, at in enumerate(range(0, len(samples), step), 1):
        if is_paced:
            await asyncio.sleep(max(began + number * CHUNK_S - loop.time(), 0.0))
        yield samples[at : at + step]


async def stream(
    dg: DeepgramSession, samples: bytes, *, offset_s: float = 0.0, is_paced: bool = True
) -> Stream:
    """Transcribe on one stream and count."""
    seen = Stream()
    ended_at = 0.0
    options = {"model": "nova-3", "encoding": "linear16", "sample_rate": RATE}
    async with dg.listen.live(**options, interim_results=True) as live:  # type: ignore[arg-type]

        async def send() -> None:
            nonlocal ended_at
            async for chunk in paced(samples, offset_s=offset_s, is_paced=is_paced):
                await live.send_audio(chunk)
            ended_at = time.monotonic()
            await live.close_stream()

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            async for event in live:
                seen.messages += 1
                if isinstance(event, Results) and event.is_final:
                    seen.words += len(event.transcript.split())
        seen.lag_s = time.monotonic() - ended_at
    return seen


async def measure(recognizer: str, streams: int, seconds: float) -> Figures:
    """Run all streams and return the figures."""
    load_before = os.getloadavg()[0]
    command = [sys.executable, "-m", "benchmarks.emulator_load", "--serve", recognizer]
    process = await subprocess.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        samples = audio(recognizer, seconds)
        async with DeepgramSession("any-key", base_url=url) as dg:
            alone = await stream(dg, samples, is_paced=recognizer != "scripted")
            usage_before, began = time.process_time(), time.monotonic()
            # Spread over a second, as users come.
            pending = [stream(dg, samples, offset_s=n / streams) for n in range(streams)]
            results = await asyncio.gather(*pending)
            took_s = time.monotonic() - began
            client_cpu_s = time.process_time() - usage_before
            project = (await dg.projects.list()).projects[0]
            entries = dg.requests.iter(project_id=project.project_id)
            logged = [entry.response async for entry in entries]
        process.stdin.write(b"\n")
        served = msgspec.json.decode(await process.stdout.readline(), type=Served)
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    heard_s = sum(entry.details.duration or 0.0 for entry in logged if entry and entry.details)
    lags = sorted(result.lag_s for result in results)
    # A real recogniser leaves interim results out when it is behind, so only a script is exact.
    expected = alone.messages if recognizer == "scripted" else 0
    return Figures(
        recognizer=recognizer,
        streams=streams,
        seconds=seconds,
        messages=sum(result.messages for result in results),
        messages_missing=sum(max(expected - result.messages, 0) for result in results),
        audio_missing_s=round((streams + 1) * seconds - heard_s, 3),
        longest_gap_ms=round(served.longest_gap_s * 1000, 1),
        median_lag_ms=round(lags[len(lags) // 2] * 1000, 1),
        longest_lag_ms=round(lags[-1] * 1000, 1),
        held=sum(lag <= LARGEST_LAG_S for lag in lags),
        emulator_cpu_share=round(served.cpu_s / took_s, 3),
        client_cpu_share=round(client_cpu_s / took_s, 3),
        load_before=round(load_before, 1),
    )


def main() -> None:
    """Measure, and print one line of JSON for each number of streams."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--recognizer", choices=["scripted", "whisper"], default="scripted")
    parser.add_argument("--serve", metavar="RECOGNIZER", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        asyncio.run(serve(chosen.serve))
        return
    for streams in chosen.streams:
        figures = asyncio.run(measure(chosen.recognizer, streams, chosen.seconds))
        print(json.dumps(msgspec.to_builtins(figures)), flush=True)


if __name__ == "__main__":
    main()
