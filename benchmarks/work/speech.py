"""Speech that is received."""

from __future__ import annotations

import time
from typing import Final

from benchmarks.contestants import Contestant
from benchmarks.payloads import FRAME, SPEECH
from benchmarks.work.checks import check_bytes

_MEGABYTES: Final = 16
_FRAMES_PER_ANSWER: Final = 500
_GIGABYTE: Final = 1e9


async def speech(client: Contestant, size: int) -> dict[str, float]:
    """Receive answers of 16 MB over HTTP, and messages of 4 kB over a WebSocket."""
    expected = _MEGABYTES * len(SPEECH)
    check_bytes(await client.speak("1"), len(SPEECH))
    began = time.process_time()
    for _ in range(size):
        check_bytes(await client.speak(str(_MEGABYTES)), expected)
    over_http = (time.process_time() - began) / (size * expected)

    frames = size * _FRAMES_PER_ANSWER
    async with client.speaking() as speak:
        check_bytes(await speak("10"), 10 * len(FRAME))
        began = time.process_time()
        check_bytes(await speak(str(frames)), frames * len(FRAME))
        each = (time.process_time() - began) / frames
    return {"speech": over_http * _GIGABYTE, "speech_live": each}
