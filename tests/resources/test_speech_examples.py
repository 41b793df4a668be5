"""The examples about speech and texts run as their users run them."""

import asyncio
import os
import sys
import wave
from pathlib import Path

from aiohttp import web

from tests.models.test_read import FLAT
from tests.support.servers import http_server, websocket_server
from tests.support.speak import Frames, aura

ROOT = Path(__file__).parents[2]


async def run(url: str, name: str, *arguments: str, text: bytes = b"") -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "examples" / name),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            "DEEPGRAM_API_KEY": "any",
            "DEEPGRAM_BASE_URL": url,
        },
    )
    shown, errors = await process.communicate(text)
    assert (process.returncode, errors) == (0, b"")
    return shown.decode()


async def test_a_text_is_spoken_while_it_is_written(tmp_path: Path) -> None:
    seen: Frames = []
    target = tmp_path / "hello.wav"
    async with websocket_server(aura(seen)) as url:
        shown = await run(url, "speak.py", str(target), text=b"Hello there.\nHow are you?\n")
    assert [said["type"] for said in seen][-2:] == ["Flush", "Close"]
    assert shown.endswith(f" in {target}\n")
    assert frames_of(target) == b"Hello there.\nHow are you?\n"


def frames_of(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        frames: bytes = file.readframes(1000)
    return frames


async def test_a_text_is_spoken_into_a_file(tmp_path: Path) -> None:
    async def audio(request: web.Request) -> web.Response:
        headers = {"dg-model-name": "aura-2-thalia-en", "dg-char-count": "13"}
        return web.Response(body=b"mp3", headers=headers)

    target = str(tmp_path / "hello.mp3")
    async with http_server(audio) as url:
        shown = await run(url, "speak_file.py", "Hello, world.", target)
    assert shown == f"aura-2-thalia-en: 13 characters in {target}\n"


async def test_a_text_is_read(tmp_path: Path) -> None:
    async def analysis(request: web.Request) -> web.Response:
        assert (await request.json())["text"] == "Hello, there."
        return web.json_response(FLAT)

    source = tmp_path / "a.txt"
    await asyncio.to_thread(source.write_text, "Hello, there.")
    async with http_server(analysis) as url:
        shown = await run(url, "read.py", str(source))
    assert shown == "A greeting.\nMood: neutral\nTopics: t\n"
