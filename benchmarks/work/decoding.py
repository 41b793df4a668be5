"""Decoding, without a network."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from benchmarks.contestants import Contestant
from benchmarks.payloads import LARGE_WORDS, SMALL_WORDS, answer, event
from benchmarks.work.checks import check_event, check_words
from benchmarks.work.process import resident_bytes

_HELD: Final = 4
_SMALL_PER_LARGE: Final = 500


async def decode(client: Contestant, size: int) -> dict[str, float]:
    """Decode answers and events, and hold some large answers in memory."""
    small, large, text = answer(SMALL_WORDS), answer(LARGE_WORDS), event().decode()
    times = size * _SMALL_PER_LARGE
    return {
        "decode_small": _cpu(lambda: check_words(client.decode_answer(small)), times),
        "decode_event": _cpu(lambda: check_event(client.decode_event(text)), times),
        "decode_large": _cpu(lambda: check_words(client.decode_answer(large), LARGE_WORDS), size),
        "decode_held": _held(lambda: client.decode_answer(large)),
    }


def _cpu(operation: Callable[[], None], times: int) -> float:
    operation()
    began = time.process_time()
    for _ in range(times):
        operation()
    return (time.process_time() - began) / times


def _held(decoded: Callable[[], Any]) -> float:
    first = decoded()
    before = resident_bytes()
    answers = [first, *(decoded() for _ in range(_HELD))]
    each = (resident_bytes() - before) / _HELD
    for each_answer in answers:
        check_words(each_answer, LARGE_WORDS)
    return each
