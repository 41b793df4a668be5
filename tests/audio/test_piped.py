import asyncio
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepgram_async.audio import piped
from deepgram_async.errors import AudioSourceError

ROOT = Path(__file__).parents[2]


async def test_bytes_arrive_as_the_pipe_delivers_them() -> None:
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd, "rb", buffering=0) as reader:
        blocks = piped(reader)
        os.write(write_fd, b"one")
        assert await anext(blocks) == b"one"
        os.write(write_fd, b"three")
        assert await anext(blocks) == b"three"
        os.close(write_fd)
        assert await anext(blocks, None) is None


async def test_buffered_pipe_is_not_read_to_the_last_byte_of_a_block() -> None:
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd, "rb") as reader:
        blocks = piped(reader)
        os.write(write_fd, b"one")
        async with asyncio.timeout(2):
            assert await anext(blocks) == b"one"
        os.close(write_fd)
        assert await anext(blocks, None) is None


async def test_block_is_bounded() -> None:
    blocks = piped(io.BytesIO(bytes(10)), block_bytes=4)
    assert [len(block) async for block in blocks] == [4, 4, 2]


async def test_broken_pipe_raises() -> None:
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(AudioSourceError, match="Input/output error"):
        await anext(piped(Broken()))


@pytest.mark.parametrize("source", ["paced", "piped"])
def test_program_exits_although_a_pipe_is_silent(source: str) -> None:
    script = f"""
import asyncio
from deepgram_async.audio import paced, piped

async def read():
    file = open(0, "rb", buffering=0, closefd=False)
    if {source!r} == "piped":
        return [block async for block in piped(file)]
    async with paced(file, encoding="linear16", sample_rate=16000) as audio:
        return [chunk async for chunk in audio]

async def main():
    try:
        async with asyncio.timeout(0.1):
            await read()
    except TimeoutError:
        print("left")

asyncio.run(main())
"""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as program:
        try:
            assert program.wait(timeout=20) == 0
        finally:
            program.kill()
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.read() == b"left\n"
        assert program.stderr.read() == b""


async def test_standard_output_of_a_subprocess_is_passed_on() -> None:
    program = "import sys; sys.stdout.buffer.write(bytes(range(250)) * 400)"
    recorder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    assert recorder.stdout is not None
    blocks = [block async for block in piped(recorder.stdout, block_bytes=1000)]
    assert b"".join(blocks) == bytes(range(250)) * 400
    assert max(map(len, blocks)) <= 1000
    await recorder.wait()


async def test_broken_stream_raises() -> None:
    reader = asyncio.StreamReader()
    reader.set_exception(ConnectionResetError("the peer is gone"))
    with pytest.raises(AudioSourceError, match="the peer is gone"):
        await anext(piped(reader))
