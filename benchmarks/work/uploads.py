"""Uploads of a large file."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.contestants import Contestant
from benchmarks.work.checks import check_upload, check_words
from benchmarks.work.process import Heartbeat, peak_bytes, reset_peak

_MEGABYTE: Final = 1_000_000
_GIGABYTE: Final = 1e9


async def upload(client: Contestant, megabytes: int) -> dict[str, float]:
    """Stream a file: first for its memory and the gaps of the loop, then for its CPU time."""
    with tempfile.TemporaryDirectory() as folder:
        file = _recording(folder, megabytes)
        size = file.stat().st_size
        # Imports, threads and connections are not the upload's.
        check_words(await client.transcribe(mode="count"))
        before = reset_peak()
        async with Heartbeat() as heartbeat:
            check_upload(await client.transcribe_file(file, "count"), size)
        extra = peak_bytes() - before
        began = time.process_time()
        check_upload(await client.transcribe_file(file, "count"), size)
        cost = time.process_time() - began
    return {
        "upload": cost * _GIGABYTE / size,
        "upload_memory": extra,
        "upload_stall": heartbeat.longest_gap_s,
    }


async def upload_bytes(client: Contestant, megabytes: int) -> dict[str, float]:
    """Read a whole file and send it; its own size is a part of the memory."""
    with tempfile.TemporaryDirectory() as folder:
        file = _recording(folder, megabytes)
        size = file.stat().st_size
        check_words(await client.transcribe(mode="count"))
        before = reset_peak()
        audio = file.read_bytes()
        began = time.process_time()
        check_upload(await client.transcribe(audio, "count"), size)
        cost = time.process_time() - began
    return {
        "upload_bytes": cost * _GIGABYTE / size,
        "upload_bytes_memory": (peak_bytes() - before) / size,
    }


def _recording(folder: str, megabytes: int) -> Path:
    file = Path(folder, "audio.wav")
    with file.open("wb") as target:
        for _ in range(megabytes):
            target.write(bytes(_MEGABYTE))
    return file
