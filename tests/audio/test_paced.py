import asyncio
import io
import math
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deepgram_async.audio import ByteReader, PacedAudio, paced
from deepgram_async.errors import AudioSourceError
from tests.support.clock import run_on_virtual_clock

DEMO = Path(__file__).parents[2] / "examples" / "audio" / "austen.wav"
HEADER_BYTES = 44

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="counts descriptors under /proc"
)


@asynccontextmanager
async def silent_pipe() -> AsyncGenerator[tuple[io.FileIO, Callable[[bytes], int]], None]:
    """A pipe whose writing end stays open: its reader waits."""
    read_fd, write_fd = os.pipe()
    try:
        with os.fdopen(read_fd, "rb", buffering=0) as reader:
            yield reader, lambda data: os.write(write_fd, data)
            # A thread may still wait in a read; the end of the file sends it home.
            os.close(write_fd)
            write_fd = -1
            await asyncio.to_thread(reader.read)
    finally:
        if write_fd >= 0:
            os.close(write_fd)


async def test_every_sample_of_a_wav_file_arrives_in_chunks_of_equal_length() -> None:
    async with paced(DEMO, realtime=math.inf, chunk_ms=100) as audio:
        assert audio.options == {"encoding": "linear16", "sample_rate": 16000, "channels": 1}
        assert audio.duration_s == pytest.approx(27.13)
        chunks = [chunk async for chunk in audio]
    assert b"".join(chunks) == DEMO.read_bytes()[HEADER_BYTES:]
    assert {len(chunk) for chunk in chunks[:-1]} == {3200}
    assert audio.seconds_sent == pytest.approx(27.13)


async def test_raw_file_is_described_by_the_caller(tmp_path: Path) -> None:
    file = tmp_path / "call.ulaw"
    file.write_bytes(bytes(range(250)) * 4)
    async with paced(
        file, encoding="mulaw", sample_rate=8000, channels=2, realtime=math.inf
    ) as audio:
        assert audio.options == {"encoding": "mulaw", "sample_rate": 8000, "channels": 2}
        assert audio.duration_s is None
        assert [len(chunk) async for chunk in audio] == [320, 320, 320, 40]


async def test_samples_after_the_announced_end_are_not_audio(tmp_path: Path) -> None:
    file = tmp_path / "tagged.wav"
    header = bytearray(DEMO.read_bytes()[:HEADER_BYTES])
    header[40:44] = (640).to_bytes(4, "little")
    file.write_bytes(header + bytes(640) + b"LIST\x04\0\0\0abcd")
    async with paced(file, realtime=math.inf) as audio:
        assert [len(chunk) async for chunk in audio] == [640]


async def test_torn_sample_at_the_end_is_dropped() -> None:
    source = io.BytesIO(bytes(641))
    async with paced(source, encoding="linear16", sample_rate=16000, realtime=math.inf) as audio:
        assert [len(chunk) async for chunk in audio] == [640]
    assert not source.closed


def test_pace_follows_the_clock_and_does_not_drift_with_a_slow_consumer() -> None:
    async def consume() -> float:
        # 100 chunks of 2 ms: a sleep for each chunk would add the 1 ms of the consumer 100 times.
        source = io.BytesIO(bytes(200 * 32))
        clock = asyncio.get_running_loop().time
        async with paced(source, encoding="linear16", sample_rate=16000, chunk_ms=2) as audio:
            started_at = clock()
            async for _ in audio:
                assert clock() - started_at >= audio.seconds_sent - 0.002
                await asyncio.sleep(0.001)
            return clock() - started_at

    assert run_on_virtual_clock(consume()) == pytest.approx(0.201, abs=0.002)


def test_delayed_consumer_finds_the_missed_chunks_ready() -> None:
    async def consume() -> float:
        source = io.BytesIO(bytes(10 * 640))
        clock = asyncio.get_running_loop().time
        async with paced(source, encoding="linear16", sample_rate=16000) as audio:
            await anext(audio)
            await asyncio.sleep(0.15)
            resumed_at = clock()
            for _ in range(6):
                await anext(audio)
            return clock() - resumed_at

    assert run_on_virtual_clock(consume()) == pytest.approx(0.0, abs=0.002)


def test_realtime_is_a_factor() -> None:
    async def consume() -> float:
        source = io.BytesIO(bytes(32000))
        clock = asyncio.get_running_loop().time
        async with paced(source, encoding="linear16", sample_rate=16000, realtime=20) as audio:
            started_at = clock()
            assert len([chunk async for chunk in audio]) == 50
            return clock() - started_at

    assert run_on_virtual_clock(consume()) == pytest.approx(0.05, abs=0.002)


async def test_stop_ends_the_iteration_of_a_silent_pipe() -> None:
    async with (
        silent_pipe() as (reader, write),
        paced_pipe(reader, write) as audio,
    ):
        assert len(await anext(audio)) == 640
        waiting = asyncio.ensure_future(anext(audio, b"ended"))
        await asyncio.sleep(0)
        audio.stop()
        assert await waiting == b"ended"
        assert await anext(audio, b"ended") == b"ended"


async def test_cancelled_request_loses_no_samples() -> None:
    async with (
        silent_pipe() as (reader, write),
        paced_pipe(reader, write) as audio,
    ):
        await anext(audio)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await anext(audio)
        write(b"\1" * 320)
        write(b"\2" * 320)
        assert await anext(audio) == b"\1" * 320 + b"\2" * 320


@asynccontextmanager
async def paced_pipe(
    reader: ByteReader, write: Callable[[bytes], int]
) -> AsyncGenerator[PacedAudio, None]:
    write(bytes(640))
    async with paced(reader, encoding="linear16", sample_rate=16000) as audio:
        yield audio


@needs_proc
async def test_named_pipe_is_closed_by_the_read_that_outlives_it(tmp_path: Path) -> None:
    path = tmp_path / "microphone"
    os.mkfifo(path)
    writer_fd = os.open(path, os.O_RDWR)
    os.write(writer_fd, bytes(640))
    async with paced(path, encoding="linear16", sample_rate=16000) as audio:
        await anext(audio)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await anext(audio)
    # The thread comes back with these bytes and finds that nobody wants them.
    os.write(writer_fd, bytes(640))
    for _ in range(400):
        if open_descriptors_of(path) == 1:
            break
        await asyncio.sleep(0.005)
    assert open_descriptors_of(path) == 1
    os.close(writer_fd)


def open_descriptors_of(path: Path) -> int:
    """Count the descriptors of this process that refer to a file."""
    links = Path("/proc/self/fd").iterdir()
    return sum(1 for link in links if os.path.exists(link) and os.path.samefile(link, path))


@needs_proc
async def test_leaving_early_closes_the_file(tmp_path: Path) -> None:
    file = tmp_path / "talk.raw"
    file.write_bytes(bytes(64000))
    async with paced(file, encoding="linear16", sample_rate=16000) as audio:
        await anext(audio)
    assert open_descriptors_of(file) == 0


@pytest.mark.parametrize("kind", ["missing", "directory", "empty", "no samples", "text"])
async def test_unusable_file_raises_and_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "talk.wav"
    message = {
        "missing": "No such file",
        "directory": "is a directory",
        "empty": "it is empty",
        "no samples": "it holds no audio",
        "text": "nor audio that FFmpeg knows",
    }[kind]
    if kind == "directory":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "no samples":
        header = bytearray(DEMO.read_bytes()[:HEADER_BYTES])
        header[40:44] = bytes(4)
        path.write_bytes(header)
    elif kind == "text":
        path.write_text("It is a truth universally acknowledged")
    with pytest.raises(AudioSourceError, match=message) as caught:
        async with paced(path):
            pass
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "sample_rate", "channels", "message"),
    [
        ("opus", 48000, 1, "cannot pace raw 'opus'"),
        ("linear16", None, 1, "needs a positive sample_rate, not None"),
        ("linear16", 0, 1, "needs a positive sample_rate, not 0"),
        ("linear16", 16000, 0, "channels must be positive"),
    ],
)
async def test_raw_audio_that_is_described_wrongly_raises(
    encoding: str, sample_rate: int | None, channels: int, message: str
) -> None:
    with pytest.raises(AudioSourceError, match=message):
        async with paced(
            io.BytesIO(b"12"), encoding=encoding, sample_rate=sample_rate, channels=channels
        ):
            pass


@pytest.mark.parametrize("value", [0, -1, math.nan])
async def test_pace_must_be_positive(value: float) -> None:
    with pytest.raises(AudioSourceError, match="realtime must be positive"):
        async with paced(DEMO, realtime=value):
            pass
    with pytest.raises(AudioSourceError, match="chunk_ms must be positive"):
        async with paced(DEMO, chunk_ms=value):
            pass
