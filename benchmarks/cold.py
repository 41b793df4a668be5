"""The beginning of a program: import, client, first request, first stream.

This runs in a fresh process and imports nothing before the clock does, not even ``typing``: what a
client needs is the client's, also when it is in the standard library.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PAGE = 4096
_AUDIO = bytes(640)
_RECORDING = bytes(1600)


def measure(contestant: str, url: str) -> None:
    """Print CPU seconds and bytes of memory: of the import, and of all with the first calls."""
    bytes_before, began = _resident_bytes(), time.process_time()
    use = PREPARE[contestant](url)
    imported_s, imported_bytes = time.process_time() - began, _resident_bytes() - bytes_before
    words = use()
    used_s, used_bytes = time.process_time() - began, _resident_bytes() - bytes_before
    assert words == (10, 10), f"{words} words instead of ten in the answer and in the result"
    import json

    figures = {
        "import": imported_s,
        "import_memory": imported_bytes,
        "cold": used_s,
        "cold_memory": used_bytes,
    }
    print(json.dumps(figures))


def prepare_ours(url: str) -> Callable[[], tuple[int, int]]:
    """Import this package and make a session."""
    from deepgram_async import DeepgramSession

    session = DeepgramSession("key", base_url=url)

    async def use() -> tuple[int, int]:
        async with session:
            answer = await session.listen.transcribe(_RECORDING, model="nova-3")
            async with session.listen.live(
                model="nova-3", encoding="linear16", sample_rate=16000
            ) as stream:
                await stream.send_audio(_AUDIO)
                return _counted(answer, await anext(stream))

    return _run(use)


def prepare_official(url: str) -> Callable[[], tuple[int, int]]:
    """Import deepgram-sdk and make a client."""
    from importlib import import_module

    client = official_client(import_module("deepgram"), url)

    async def use() -> tuple[int, int]:
        answer = await client.listen.v1.media.transcribe_file(request=_RECORDING, model="nova-3")
        async with client.listen.v1.connect(
            model="nova-3", encoding="linear16", sample_rate="16000"
        ) as stream:
            await stream.send_media(_AUDIO)
            return _counted(answer, await anext(aiter(stream)))

    return _run(use)


def prepare_plain(url: str) -> Callable[[], tuple[int, int]]:
    """Import aiohttp, msgspec and websockets."""
    import aiohttp
    import msgspec
    from websockets.asyncio.client import connect

    async def use() -> tuple[int, int]:
        from deepgram_async.models.live import Results
        from deepgram_async.models.prerecorded import Transcription

        headers = {"Authorization": "Token key"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{url}/v1/listen?model=nova-3", data=_RECORDING) as response,
        ):
            answer = msgspec.json.decode(await response.read(), type=Transcription)
        async with connect(
            f"{url}/v1/listen?model=nova-3&encoding=linear16".replace("http", "ws", 1),
            additional_headers=headers,
            compression=None,
            proxy=None,
        ) as stream:
            await stream.send(_AUDIO)
            return _counted(answer, msgspec.json.decode(await stream.recv(), type=Results))

    return _run(use)


def official_client(deepgram: Any, url: str) -> Any:
    """Return a client of deepgram-sdk for a URL."""
    socket = url.replace("http", "ws", 1)
    return deepgram.AsyncDeepgramClient(
        api_key="key",
        environment=deepgram.environment.DeepgramClientEnvironment(
            base=url, production=socket, agent=socket, agent_rest=url
        ),
    )


PREPARE = {"ours": prepare_ours, "official": prepare_official, "plain": prepare_plain}


def _run(use: Callable[[], Any]) -> Callable[[], tuple[int, int]]:
    def run() -> tuple[int, int]:
        import asyncio

        words: tuple[int, int] = asyncio.run(use())
        return words

    return run


def _counted(answer: Any, result: Any) -> tuple[int, int]:
    return (
        len(answer.results.channels[0].alternatives[0].words),
        len(result.channel.alternatives[0].words),
    )


def _resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * _PAGE
