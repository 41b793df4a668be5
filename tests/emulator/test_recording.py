"""What passes is recorded without secrets, and served again."""

from __future__ import annotations

import asyncio
import json
import stat
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from deepgram_async import DeepgramSession
from deepgram_async.emulator import Emulator, EmulatorSettings, Replay, ScriptedRecognizer
from deepgram_async.emulator import ToneSynthesizer as Hum
from deepgram_async.errors import BadRequestError, NotFoundError
from deepgram_async.models.live import Results

from .helpers import RATE, bounded, silence, wav

if TYPE_CHECKING:
    from pathlib import Path

SENTINEL = "sentinel-secret-0815"
OTHER = "sentinel-of-another-0816"
RAW: dict[str, Any] = {"encoding": "linear16", "sample_rate": RATE}
TALK = [("Hello,", 0.5, 0.8), ("world.", 0.8, 1.2), ("Bye.", 3.5, 4.0)]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def work(base_url: str) -> list[object]:
    """Use much of the service, and return what came of it."""
    seen: list[object] = []
    async with DeepgramSession(SENTINEL, base_url=base_url) as dg:
        answer = await dg.listen.transcribe(wav(silence(2.0)), model="nova-3", punctuate=True)
        seen.append(answer.transcript)
        try:
            await dg.listen.transcribe(wav(silence(1.0)), model="nova-9")
        except BadRequestError as error:
            seen.append(error.message)
        async with dg.speak.generate("Hello.", encoding="linear16", container="none") as speech:
            seen.append(len(b"".join([part async for part in speech])))
        async with dg.listen.live(model="nova-3", punctuate=True, **RAW) as live:
            for _ in range(50):
                await live.send_audio(silence(0.1))
            await live.keep_alive()
            await live.finalize()
            await live.close_stream()
            seen += [e.transcript async for e in live if isinstance(e, Results) and e.is_final]
        async with dg.listen.flux(model="flux-general-en", **RAW) as flux:
            for _ in range(60):
                await flux.send_audio(silence(0.08))
            await flux.close_stream()
            seen += [getattr(event, "transcript", "") async for event in flux]
    return seen


@pytest.mark.parametrize("record_audio", [True, False])
@bounded
async def test_a_recording_is_served_again(tmp_path: Path, record_audio: bool) -> None:
    path = tmp_path / "session.jsonl"
    settings = EmulatorSettings(record=path, record_audio=record_audio)
    async with Emulator(ScriptedRecognizer(TALK), settings, synthesizer=Hum()) as emulator:
        first = await work(emulator.base_url)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SENTINEL not in path.read_text()
    kinds = {line["type"] for line in lines(path)}
    assert kinds == {"recording", "request", "frame", "close", "answer"}
    assert any("audio" in line for line in lines(path)) is record_audio
    async with Replay(path) as replay:
        assert await work(replay.base_url) == first
        assert await work(replay.base_url) == first  # and once more
        async with DeepgramSession("any", base_url=replay.base_url) as dg:
            with pytest.raises(NotFoundError):
                await dg.projects.list()


@bounded
async def test_no_secret_gets_into_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    made: list[str] = []
    async with (
        Emulator(
            ScriptedRecognizer(), EmulatorSettings(record=path), synthesizer=Hum()
        ) as emulator,
        aiohttp.ClientSession() as http,
    ):
        url = emulator.base_url
        async with DeepgramSession(SENTINEL, base_url=url) as dg:
            project = (await dg.projects.list()).projects[0]
            key = await dg.keys.create("x", ["member"], project_id=project.project_id)
            made += [str(key.key), str((await dg.auth.grant()).access_token)]
            await dg.keys.list(project_id=project.project_id)
        login = {"Authorization": f"Token {SENTINEL}"}
        for query in (
            f"callback=http://user:{OTHER}@127.0.0.1:9/",
            f"access_token={OTHER}",
            f"extra=callback_secret:{OTHER}",
            f"tag={SENTINEL}",
        ):
            async with http.post(
                f"{url}/v1/listen?{query}", data=wav(silence(0.1)), headers=login
            ) as answer:
                await answer.read()
        variable = {"key": "DG_NAME", "value": OTHER}
        async with http.post(
            f"{url}/v1/projects/{project.project_id}/agent-variables", json=variable, headers=login
        ) as answer:
            assert answer.status == 200
        async with http.ws_connect(f"{url}/v1/listen", protocols=("token", SENTINEL)) as socket:
            await socket.send_str(json.dumps({"type": "Sing", "with": SENTINEL}))
            await socket.receive()
        function = {
            "name": "f",
            "endpoint": {"url": "http://localhost/", "headers": {"authorization": OTHER}},
        }
        agent = {"think": {"provider": {"type": "open_ai", "model": "m"}, "functions": [function]}}
        async with http.ws_connect(f"{url}/v1/agent/converse", headers=login) as socket:
            await socket.send_json({"type": "Settings", "audio": {}, "agent": agent})
            await socket.receive()
            await socket.receive()
    written = path.read_text()
    for secret in (SENTINEL, OTHER, *made):
        assert secret not in written
    assert written.count(str(key.api_key_id)) == 2, "what is no secret stays"
    assert "callback_secret:removed" in written or "callback_secret%3Aremoved" in written


@bounded
async def test_a_replay_waits_for_what_was_said_before(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    script = [
        {"type": "recording", "version": 1},
        {"type": "request", "id": "1", "method": "GET", "path": "/v1/listen?model=nova-3"},
        {"type": "frame", "id": "1", "sender": "client", "audio_bytes": 100},
        {"type": "frame", "id": "1", "sender": "service", "text": '{"type":"A"}'},
        {"type": "frame", "id": "1", "sender": "client", "text": '{"type":"Finalize"}'},
        {"type": "frame", "id": "1", "sender": "service", "text": '{"type":"B"}'},
        {"type": "close", "id": "1", "sender": "service", "code": 1011, "reason": "NET-0001"},
        {"type": "answer", "id": "1", "status": 101},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in script))
    async with Replay(path) as replay, aiohttp.ClientSession() as http:
        async with http.ws_connect(f"{replay.base_url}/v1/listen?model=nova-3") as socket:
            await socket.send_bytes(bytes(60))
            await socket.send_str('{"type":"KeepAlive"}')
            await socket.send_bytes(bytes(40))
            assert await socket.receive_json() == {"type": "A"}
            with pytest.raises(TimeoutError):
                await socket.receive(timeout=0.05)
        async with http.ws_connect(f"{replay.base_url}/v1/listen?model=nova-3") as socket:
            await socket.send_str('{"type":"CloseStream"}')
            assert [await socket.receive_json() for _ in "AB"] == [{"type": "A"}, {"type": "B"}]
            close = await socket.receive()
            assert (close.data, close.extra) == (1011, "NET-0001")


@pytest.mark.parametrize(
    "content",
    ["", "hello\n", '{"type":"recording","version":2}\n', '{"type":"frame","id":"1"}\n'],
)
async def test_what_is_no_recording_is_refused_with_its_place(tmp_path: Path, content: str) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"session\.jsonl"):
        await Replay(path).start()


async def test_a_recording_that_cannot_be_written_stops_nothing_halfway(tmp_path: Path) -> None:
    emulator = Emulator(ScriptedRecognizer(), EmulatorSettings(record=tmp_path / "no" / "file"))
    with pytest.raises(FileNotFoundError):
        await emulator.start()
    assert emulator.open_streams == 0
    with pytest.raises(RuntimeError, match="not started"):
        _ = Replay(tmp_path).base_url
    await asyncio.sleep(0)
