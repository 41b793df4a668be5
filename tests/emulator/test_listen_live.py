"""Live transcription over a WebSocket, with a plain client."""

from __future__ import annotations

import asyncio
import hashlib
import struct
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from deepgram_async.emulator import Hints, Pcm, RecognizedWord, ScriptedRecognizer

from .compressed import CONTAINERS, encoded, tone
from .helpers import (
    DEADLINE_S,
    RAW,
    Live,
    of_type,
    serving,
    silence,
    streamed_wav,
    text,
    transcripts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PAUSED = ScriptedRecognizer([("One,", 0.2, 0.6), ("two.", 0.6, 1.0), ("Three?", 2.0, 2.5)])
NET_0001 = (
    "Deepgram did not receive audio data or a text message within the timeout window."
    " See https://dpgr.am/net0001"
)
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


async def end_of(live: Live) -> tuple[list[dict[str, Any]], int, str]:
    """Return what is still said, and the close code and reason."""
    messages: list[dict[str, Any]] = []
    async with asyncio.timeout(DEADLINE_S):
        while True:
            message = await live.socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                assert message.type is aiohttp.WSMsgType.CLOSE, message
                return messages, message.data, message.extra or ""
            messages.append(message.json())


# The conversation.


async def test_closing_gives_the_tail_then_metadata_then_a_normal_close() -> None:
    audio = silence(1.2)
    async with serving() as client, client.live() as live:
        await live.socket.send_bytes(audio)
        await live.say(type="CloseStream")
        messages, code, reason = await end_of(live)
    assert transcripts(messages) == ["hello world"]
    assert [message["type"] for message in messages] == ["Results", "Metadata"]
    assert (code, reason) == (1000, "")
    metadata = messages[-1]
    assert metadata["transaction_key"] == "deprecated"
    assert metadata["sha256"] == hashlib.sha256(audio).hexdigest()
    assert (metadata["duration"], metadata["channels"]) == (1.2, 1)
    assert metadata["model_info"].keys() == set(metadata["models"])


async def test_the_server_is_silent_until_audio_comes() -> None:
    async with serving() as client, client.live(interim_results="true") as live:
        await live.say(type="KeepAlive")
        await live.say(type="Finalize")
        with pytest.raises(TimeoutError):
            await live.socket.receive(timeout=0.1)
        await live.socket.close()


async def test_a_stream_without_audio_ends_with_bare_metadata() -> None:
    async with serving() as client, client.live() as live:
        (metadata,) = await live.transcribe()
    assert (metadata["duration"], metadata["channels"]) == (0.0, 0)
    assert metadata["sha256"] == hashlib.sha256(b"").hexdigest()
    assert "models" not in metadata


async def test_results_have_the_documented_shape() -> None:
    async with serving(PAUSED) as client, client.live(punctuate="true", extra="a:b") as live:
        request_id = client.noted.headers["dg-request-id"]
        first, *_ = await live.transcribe(silence(3.0))
    info = {"name": "scripted", "version": "1", "arch": "script"}
    model_uuid = first["metadata"].pop("model_uuid")
    assert isinstance(model_uuid, str)
    assert next(iter(first)) == "type"
    assert first == {
        "type": "Results",
        "channel_index": [0, 1],
        "duration": 1.3,
        "start": 0.0,
        "is_final": True,
        "speech_final": True,
        "from_finalize": False,
        "channel": {
            "alternatives": [
                {
                    "transcript": "One, two.",
                    "confidence": 1.0,
                    "words": [
                        {"word": "one", "start": 0.2, "end": 0.6, "confidence": 1.0,
                         "punctuated_word": "One,"},
                        {"word": "two", "start": 0.6, "end": 1.0, "confidence": 1.0,
                         "punctuated_word": "two."},
                    ],
                }
            ]
        },
        "metadata": {"request_id": request_id, "model_info": info, "extra": {"a": "b"}},
    }  # fmt: skip


async def test_without_interim_results_there_are_only_finals() -> None:
    async with serving(PAUSED) as client, client.live() as live:
        messages = await live.transcribe(silence(3.0))
    assert all(message["is_final"] for message in of_type(messages, "Results"))
    assert transcripts(messages) == ["one two", "three", ""]


async def test_interims_come_once_a_second_of_audio() -> None:
    async with serving(PAUSED) as client, client.live(interim_results="true") as live:
        messages = await live.transcribe(silence(3.0))
    interims = [m for m in of_type(messages, "Results") if not m["is_final"]]
    assert [(m["start"], m["duration"], text(m)) for m in interims] == [
        (0.0, 1.0, "one two"),
        (1.3, 1.0, "three"),
    ]
    assert not any(m["speech_final"] for m in interims)


async def test_results_cover_the_audio_without_gaps() -> None:
    async with serving(PAUSED) as client, client.live(interim_results="true") as live:
        messages = await live.transcribe(*[silence(0.07)] * 60)
    at = 0.0
    for message in of_type(messages, "Results"):
        assert message["start"] == pytest.approx(at)
        if message["is_final"]:
            at += message["duration"]
    assert at == pytest.approx(4.2)


async def test_endpointing_is_taken_from_the_query_with_a_floor() -> None:
    async with serving(PAUSED) as client:
        async with client.live(endpointing="1100") as live:
            late = await live.transcribe(silence(4.0))
        async with client.live(endpointing="10") as live:
            early = await live.transcribe(silence(4.0))
        async with client.live(endpointing="false") as live:
            never = await live.transcribe(silence(4.0))
    assert transcripts(late)[0] == "one two three"
    assert of_type(early, "Results")[0]["duration"] == 1.3
    assert not any(message["speech_final"] for message in of_type(never, "Results"))


async def test_vad_events_announce_speech() -> None:
    async with serving(PAUSED) as client, client.live(vad_events="true") as live:
        messages = await live.transcribe(silence(3.0))
    assert of_type(messages, "SpeechStarted") == [
        {"type": "SpeechStarted", "channel": [0, 1], "timestamp": 0.2},
        {"type": "SpeechStarted", "channel": [0, 1], "timestamp": 2.0},
    ]


async def test_utterance_end_comes_after_a_gap_of_words() -> None:
    options = {"utterance_end_ms": "900", "interim_results": "true"}
    async with serving(PAUSED) as client, client.live(**options) as live:
        messages = await live.transcribe(silence(5.0))
    assert of_type(messages, "UtteranceEnd") == [
        {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 1.0},
        {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 2.5},
    ]


async def test_silence_is_reported_with_empty_results() -> None:
    async with serving(ScriptedRecognizer()) as client:
        async with client.live(interim_results="true") as live:
            messages = await live.transcribe(silence(2.5))
    results = of_type(messages, "Results")
    assert [(m["duration"], m["is_final"]) for m in results] == [
        (1.0, False),
        (2.0, False),
        (2.5, True),
    ]
    assert all(m["channel"]["alternatives"] == [
        {"transcript": "", "confidence": 0.0, "words": []}] for m in results)  # fmt: skip


async def test_multichannel_gives_results_per_channel() -> None:
    script = ScriptedRecognizer({0: [("left", 0.5, 1.0)], 1: [("right", 0.2, 0.6)]})
    async with serving(script) as client:
        async with client.live(multichannel="true", channels="2") as live:
            messages = await live.transcribe(silence(2.0, channels=2))
        async with client.live(channels="2") as live:
            mixed = await live.transcribe(silence(2.0, channels=2))
    spoken = [(text(m), m["channel_index"]) for m in of_type(messages, "Results") if text(m)]
    assert spoken == [("right", [1, 2]), ("left", [0, 2])]
    assert messages[-1]["channels"] == 2
    assert (messages[-1]["duration"], mixed[-1]["duration"]) == (2.0, 2.0)
    assert of_type(mixed, "Results")[0]["channel_index"] == [0, 1]


async def test_search_is_answered_in_results() -> None:
    async with serving(PAUSED) as client, client.live(search="two") as live:
        first, *_ = await live.transcribe(silence(3.0))
    (found,) = first["channel"]["search"]
    assert found["hits"][0]["snippet"] == "two"


# Formats.


@pytest.mark.parametrize(
    ("encoding", "silent"),
    [("linear16", b"\0\0"), ("linear32", b"\0\0\0\0"), ("mulaw", b"\xff"), ("alaw", b"\xd5")],
)
async def test_raw_encodings_are_taken(encoding: str, silent: bytes) -> None:
    async with serving() as client, client.live(encoding=encoding) as live:
        messages = await live.transcribe(silent * 8000, silent * 8000)
    assert transcripts(messages) == ["hello world", ""]
    assert messages[-1]["duration"] == 2.0


@pytest.mark.parametrize("container", CONTAINERS)
async def test_containers_are_taken(container: str) -> None:
    file = encoded(tone(2.0), container)
    async with serving() as client:
        url = client.url + "?model=nova-3"
        async with client.http.ws_connect(url) as socket:
            chunks = [file[at : at + 1000] for at in range(0, len(file), 1000)]
            messages = await Live(socket).transcribe(*chunks)
    assert transcripts(messages)[0] == "hello world"
    assert messages[-1]["duration"] == pytest.approx(2.0, abs=0.15)
    assert messages[-1]["sha256"] == hashlib.sha256(file).hexdigest()


async def test_a_wav_that_is_still_being_written_is_taken() -> None:
    async with serving() as client:
        async with client.http.ws_connect(client.url) as socket:
            messages = await Live(socket).transcribe(streamed_wav(silence(2.0)))
    assert transcripts(messages)[0] == "hello world"
    assert messages[-1]["duration"] == 2.0


# What clients say.


async def test_an_empty_frame_ends_the_stream() -> None:
    async with serving() as client, client.live() as live:
        await live.socket.send_bytes(silence(1.2))
        await live.socket.send_bytes(b"")
        messages, code, _ = await end_of(live)
    assert transcripts(messages) == ["hello world"]
    assert (messages[-1]["type"], code) == ("Metadata", 1000)


async def test_finalize_flushes_what_is_buffered() -> None:
    async with serving() as client, client.live() as live:
        await live.socket.send_bytes(silence(1.0))
        await live.say(type="Finalize")
        flushed = await live.receive()
        messages = await live.transcribe(silence(1.0))
    assert text(flushed) == "hello world"
    assert (flushed["from_finalize"], flushed["is_final"], flushed["duration"]) == (True, True, 1.0)
    assert not any(message["from_finalize"] for message in of_type(messages, "Results"))


async def test_finalize_of_one_channel_leaves_the_others() -> None:
    script = ScriptedRecognizer({0: [("left", 0.2, 0.8)], 1: [("right", 0.2, 0.8)]})
    async with serving(script) as client:
        async with client.live(multichannel="true", channels="2") as live:
            await live.socket.send_bytes(silence(1.0, channels=2))
            await live.say(type="Finalize", channel=1)
            flushed = await live.receive()
            messages = await live.transcribe()
    assert (text(flushed), flushed["channel_index"]) == ("right", [1, 2])
    assert transcripts(messages) == ["left"]


async def test_what_follows_close_stream_is_ignored() -> None:
    async with serving() as client, client.live() as live:
        await live.say(type="CloseStream")
        await live.socket.send_bytes(silence(1.0))
        messages = await live.rest()
    assert [message["type"] for message in messages] == ["Metadata"]


@pytest.mark.parametrize(
    "said",
    ["no json", "[]", '{"type":"ForceEndTurn"}', '{"kind":"KeepAlive"}',
     '{"type":"Finalize","channel":"left"}', '{"type":"Configure","keyterms":"one"}'],
)  # fmt: skip
async def test_what_is_no_message_gets_an_error_and_the_stream_goes_on(said: str) -> None:
    async with serving() as client, client.live() as live:
        await live.socket.send_str(said)
        error = await live.receive()
        messages = await live.transcribe(silence(2.0))
    assert (error["type"], error["variant"], error["message"]) == ("Error", "SchemaError", said)
    assert error["description"]
    assert transcripts(messages)[0] == "hello world"


# Configure.


async def test_configure_replaces_keyterms_and_toggles_formatting() -> None:
    async with serving() as client, client.live() as live:
        request_id = client.noted.headers["dg-request-id"]
        await live.say(type="Configure", keyterms=["Hello"], features={"punctuate": True})
        first = await live.receive()
        await live.say(type="Configure", features={"numerals": True})
        second = await live.receive()
        messages = await live.transcribe(silence(2.0))
    success = {"type": "ConfigureSuccess", "request_id": request_id}
    assert (first, second) == ({**success, "keyterms": ["Hello"]}, success)
    assert transcripts(messages)[0] == "Hello, world."


@pytest.mark.parametrize(
    ("model", "keyterms", "code"),
    [
        ("nova-2", ["one"], "CONFIGURE_KEYTERMS_NOT_SUPPORTED"),
        ("nova-3", ["word"] * 501, "CONFIGURE_KEYTERM_LIMIT_EXCEEDED"),
    ],
)
async def test_configure_can_fail_and_the_stream_goes_on(
    model: str, keyterms: list[str], code: str
) -> None:
    async with serving() as client, client.live(model=model) as live:
        await live.say(type="Configure", keyterms=keyterms)
        failure = await live.receive()
        messages = await live.transcribe(silence(2.0))
    assert (failure["type"], failure["code"]) == ("ConfigureFailure", code)
    assert failure["description"]
    assert transcripts(messages)[0] == "hello world"


# Timers and other ends.


async def test_a_silent_client_gets_metadata_and_net_0001() -> None:
    async with serving(inactivity_timeout_s=0.1) as client, client.live() as live:
        await live.socket.send_bytes(silence(0.2))
        messages, code, reason = await end_of(live)
    assert messages[-1]["type"] == "Metadata"
    assert messages[-1]["duration"] == pytest.approx(0.2)
    assert (code, reason) == (1011, NET_0001)


async def test_a_client_that_never_says_anything_gets_net_0001() -> None:
    async with serving(inactivity_timeout_s=0.05) as client, client.live() as live:
        messages, code, reason = await end_of(live)
    assert [message["type"] for message in messages] == ["Metadata"]
    assert (code, reason) == (1011, NET_0001)


async def test_keep_alive_keeps_a_stream_that_had_audio() -> None:
    async with serving(inactivity_timeout_s=0.5, no_audio_timeout_s=0.2) as client:
        async with client.live() as live:
            await live.socket.send_bytes(silence(0.2))
            for _ in range(16):
                await live.say(type="KeepAlive")
                await asyncio.sleep(0.05)
            messages = await live.transcribe(silence(1.0))
    assert transcripts(messages) == ["hello world"]
    assert messages[-1]["duration"] == pytest.approx(1.2)


async def test_keep_alive_alone_gets_net_0002() -> None:
    async with serving(inactivity_timeout_s=5.0, no_audio_timeout_s=0.3) as client:
        async with client.live() as live:

            async def keep_alive() -> None:
                while True:
                    await live.say(type="KeepAlive")
                    await asyncio.sleep(0.05)

            alive = asyncio.create_task(keep_alive())
            messages, code, reason = await end_of(live)
            alive.cancel()
            await asyncio.wait([alive])
    assert [message["type"] for message in messages] == ["Metadata"]
    assert code == 1011
    assert reason.endswith("See https://dpgr.am/net0002")


@pytest.mark.parametrize(
    "payload", [b"no container, no declared encoding", b"OggS" + b"\xa5" * 200_000]
)
async def test_undecodable_audio_is_closed_with_data_0000(payload: bytes) -> None:
    async with serving() as client, client.http.ws_connect(client.url) as socket:
        await socket.send_bytes(payload)
        await socket.send_bytes(payload)
        messages, code, reason = await end_of(Live(socket))
    assert (messages, code) == ([], 1008)
    assert reason.endswith("See https://dpgr.am/data0000")


async def test_control_messages_as_binary_are_fed_to_the_decoder() -> None:
    async with serving() as client, client.http.ws_connect(client.url) as socket:
        await socket.send_bytes(b'{"type":"KeepAlive"}')
        _, code, _ = await end_of(Live(socket))
    assert code == 1008


async def test_a_frame_that_is_too_large_is_closed_with_1009() -> None:
    async with serving(max_frame_bytes=10_000) as client, client.live() as live:
        await live.socket.send_bytes(bytes(20_000))
        _, code, _ = await end_of(live)
    assert code == 1009


class Broken(ScriptedRecognizer):
    def recognize(self, audio: Pcm, hints: Hints) -> Iterator[RecognizedWord]:
        raise ZeroDivisionError


async def test_a_defect_of_the_recogniser_is_closed_with_net_0000(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(Broken([("one", 0.1, 0.5)])) as client, client.live() as live:
        await live.socket.send_bytes(silence(2.0))
        messages, code, reason = await end_of(live)
    assert (messages, code) == ([], 1011)
    assert reason.endswith("See https://dpgr.am/net0000")
    assert "ZeroDivisionError" in caplog.text


async def test_a_client_that_reads_nothing_is_aborted() -> None:
    script = ScriptedRecognizer.from_text("word " * 500, start_s=0.0)
    async with serving(script, interim_every_s=0.02, peer_timeout_s=0.1) as client:
        port = client.emulator.port
        # A reader with a small limit stops taking bytes from the socket when nobody asks for them.
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4000)
        query = "&".join(f"{k}={v}" for k, v in {**RAW, "interim_results": "true"}.items())
        head = {**UPGRADE, "Authorization": "Token k", "Host": "127.0.0.1"}
        lines = [f"GET /v1/listen?{query} HTTP/1.1", *(f"{k}: {v}" for k, v in head.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        second = silence(1.0)
        for _ in range(100):
            # An unfragmented binary frame, masked with zeros.
            writer.write(b"\x82\xfe" + struct.pack(">H", len(second)) + bytes(4) + second)
        async with asyncio.timeout(DEADLINE_S):
            while client.emulator.open_streams:
                await asyncio.sleep(0.01)
        writer.transport.abort()


async def test_a_client_that_leaves_ends_its_stream_alone() -> None:
    async with serving() as client, client.live() as stays:
        async with client.live() as leaves:
            await leaves.socket.send_bytes(silence(1.0))
        messages = await stays.transcribe(silence(1.2))
    assert transcripts(messages) == ["hello world"]


async def test_stopping_closes_streams_with_1001() -> None:
    async with serving() as client, client.live() as live:
        stopping = asyncio.create_task(client.emulator.stop())
        _, code, _ = await end_of(live)
        await stopping
    assert code == 1001


# The handshake.


async def handshake(client: Any, **options: Any) -> tuple[int, str, dict[str, Any]]:
    """Try a handshake as a plain request, so that a refusal's body can be read."""
    async with client.http.get(client.url, params=options, headers=UPGRADE) as response:
        body = await response.json()
        assert response.headers["dg-request-id"] == body["request_id"]
        return response.status, response.headers["dg-error"], body


@pytest.mark.parametrize(
    ("options", "status", "error"),
    [
        ({"interim_results": "True"}, 400, "Invalid query string."),
        ({"endpointing": "soon"}, 400, "Invalid query string."),
        ({"endpointing": "-1"}, 400, "Invalid query string."),
        ({"utterance_end_ms": "1.5"}, 400, "Invalid query string."),
        ({"encoding": "linear16"}, 400, "Invalid query string."),
        ({"diarize_model": "v2"}, 400, "Invalid query string."),
        ({"language": "english"}, 400, "No such model/language/tier combination found."),
        ({"model": "nova-33"}, 400, "No such model/language/tier combination found."),
        ({"model": "whisper-large"}, 405, "The model does not support streaming."),
        ({"callback": "http://127.0.0.1/"}, 400, "callbacks"),
    ],
    ids=str,
)
async def test_a_refused_handshake_says_why(
    options: dict[str, str], status: int, error: str
) -> None:
    async with serving() as client:
        got, header, body = await handshake(client, **options)
    assert got == status
    assert error in header
    assert body["err_msg"] == header


async def test_more_streams_than_allowed_are_refused() -> None:
    async with serving(max_streams=1) as client:
        async with client.live() as live:
            status, header, _ = await handshake(client, **RAW)
            await live.transcribe()
        async with client.live() as live:
            await live.transcribe()
    assert (status, header) == (429, "Too many requests. Please try again later")


async def test_a_handshake_without_credential_is_refused() -> None:
    async with serving() as client, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(client.url)
    assert caught.value.status == 401
    assert caught.value.headers is not None
    assert caught.value.headers["dg-error"] == "Invalid credentials."


@pytest.mark.parametrize(
    ("protocols", "selected"),
    [
        (("token", "good"), "token"),
        (("Token", "good"), "Token"),
        (("bearer", "jwt"), "bearer"),
        (("token", "good", "x-deepgram-session-id", "an-id"), "token"),
    ],
)
async def test_login_by_sub_protocol_is_answered_with_the_scheme(
    protocols: tuple[str, ...], selected: str
) -> None:
    async with (
        serving(keys={"good"}, access_tokens={"jwt"}) as client,
        aiohttp.ClientSession() as http,
        http.ws_connect(client.url, protocols=protocols) as socket,
    ):
        assert socket.protocol == selected
        await Live(socket).transcribe()


@pytest.mark.parametrize("protocols", [("token", "bad"), ("token",), ("good", "token")])
async def test_a_wrong_sub_protocol_login_is_refused(
    protocols: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with serving(keys={"good"}) as client, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(client.url, protocols=protocols)
    assert caught.value.status == 401
    assert "good" not in caplog.text
    assert "bad" not in caplog.text


async def test_the_handshake_names_request_and_project_and_offers_no_compression() -> None:
    async with serving() as client:
        async with client.http.ws_connect(client.url, compress=15) as socket:
            headers = client.noted.headers
            (metadata,) = await Live(socket).transcribe()
    assert headers["dg-request-id"] == metadata["request_id"]
    assert headers["dg-project-id"]
    assert "Sec-WebSocket-Extensions" not in headers
