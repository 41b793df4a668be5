"""Strict mode names every way in which a client leaves the specification, and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from .helpers import bounded, serving, silence, wav

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepgram_async.emulator import Deviation

LISTEN = "/v1/listen?model=nova-3&encoding=linear16&sample_rate=8000"
FLUX = "/v2/listen?model=flux-general-en&encoding=linear16&sample_rate=8000"
AGENT = "/v1/agent/converse"
CLOSE = '{"type":"CloseStream"}'
SETTINGS = (
    '{"type":"Settings","audio":{},"agent":{"think":{"provider":'
    '{"type":"open_ai","model":"gpt-4o-mini"}}}}'
)
CHUNK = silence(0.08)


async def said(path: str, *frames: str | bytes, **settings: Any) -> Sequence[Deviation]:
    """Send frames on a WebSocket until it is closed, and return what is complained about."""
    async with serving(strict=True, **settings) as client:
        url = client.emulator.base_url + path
        async with client.http.ws_connect(url) as socket:
            for frame in frames:
                if isinstance(frame, str):
                    await socket.send_str(frame)
                else:
                    await socket.send_bytes(frame)
            async for _ in socket:
                pass
        while client.emulator.open_streams:
            await asyncio.sleep(0.01)
        return client.emulator.deviations


FRAMES = {
    "a message in a binary frame": (LISTEN, [b'{"type":"KeepAlive"}', CLOSE], "binary-message"),
    "an empty frame": (LISTEN, [CHUNK, b""], "empty-frame"),
    "no JSON": (LISTEN, ["hello", CLOSE], "message-json"),
    "no object": (LISTEN, ["[1]", CLOSE], "message-json"),
    "an unknown type": (LISTEN, ['{"type":"Sing"}', CLOSE], "message-type"),
    "an unknown field": (LISTEN, ['{"type":"Finalize","now":1}', CLOSE], "message-field"),
    "a wrong type": (LISTEN, ['{"type":"Finalize","channel":"0"}', CLOSE], "message-field"),
    "audio behind the end": (LISTEN, [CHUNK, CLOSE, CHUNK], "after-close"),
    "a message behind the end": (LISTEN, [CHUNK, CLOSE, '{"type":"KeepAlive"}'], "after-close"),
    "audio without a header": ("/v1/listen", [b"\0" * 800, CLOSE], "headerless-audio"),
    "an unknown option": (f"{LISTEN}&emotion=true", [CLOSE], "option-name"),
    "a broken rule": (f"{LISTEN}&utterance_end_ms=1000", [CLOSE], "option-rule"),
    "an option of the other model": (f"{LISTEN}&keywords=Oslo:2", [CLOSE], "option-rule"),
    "an option given twice": (f"{LISTEN}&language=en&language=de", [CLOSE], "option-value"),
    "KeepAlive to Flux": (FLUX, ['{"type":"KeepAlive"}'], "message-type"),
    "an unknown field of Flux": (
        FLUX,
        ['{"type":"Configure","thresholds":{"eot":0.8}}', CLOSE],
        "message-field",
    ),
    "sound to a voice": ("/v1/speak", [CHUNK], "sound-where-none-is"),
    "a text that is too long": (
        "/v1/speak",
        ['{"type":"Speak","text":"' + "a" * 3000 + '"}'],
        "refused",
    ),
    "no message of Flux voices": (
        "/v2/speak?model=flux-kit-en",
        ['{"type":"Clear"}'],
        "message-type",
    ),
    "audio before the settings": (AGENT, [CHUNK], "audio-before-settings"),
    "a message before the settings": (AGENT, ['{"type":"KeepAlive"}'], "settings-order"),
    "settings twice": (AGENT, [SETTINGS, SETTINGS], "settings-order"),
    "a wrong field in settings": (
        AGENT,
        [SETTINGS.replace('"audio"', '"colour":1,"audio"')],
        "refused",
    ),
}


@pytest.mark.parametrize(("path", "frames", "rule"), FRAMES.values(), ids=FRAMES)
@bounded
async def test_a_frame_or_an_option_that_is_wrong_is_named(
    path: str, frames: list[str | bytes], rule: str
) -> None:
    found = await said(path, *frames)
    assert [deviation.rule for deviation in found] == [rule]
    assert not found[0].is_note
    assert found[0].page.startswith("https://developers.deepgram.com/")
    assert path.partition("?")[0] in found[0].where


@bounded
async def test_silence_that_ends_a_stream_is_named_once() -> None:
    (found,) = await said(LISTEN, CHUNK, inactivity_timeout_s=0.05)
    assert (found.rule, "keep-alive" in found.page) == ("timeout", True)
    (found,) = await said(FLUX, CHUNK, flux_timeout_s=0.05)
    assert found.rule == "timeout"


@bounded
async def test_what_the_service_takes_all_the_same_is_a_note() -> None:
    found = await said(FLUX, silence(0.5), silence(0.5), silence(0.5), CLOSE)
    assert [(it.rule, it.is_note) for it in found] == [("flux-chunk", True)]
    assert "500 ms" in str(found[0])
    found = await said("/v1/listen?sample_rate=8000", wav(silence(1.0)), CLOSE)
    assert [(it.rule, it.is_note) for it in found] == [("option-rule", True)]
    async with serving(strict=True) as client:
        async with client.http.ws_connect(client.emulator.base_url + LISTEN) as socket:
            await socket.send_bytes(CHUNK)
        while not client.emulator.deviations:
            await asyncio.sleep(0.01)
        (found_one,) = client.emulator.deviations
        assert (found_one.rule, found_one.is_note) == ("left-without-close", True)


@bounded
async def test_the_rest_of_a_recording_may_be_shorter_than_a_chunk() -> None:
    assert await said(FLUX, CHUNK, CHUNK, silence(0.01), CLOSE) == ()


REQUESTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a flag that is none": ("/v1/listen?punctuate=True", {"data": wav(CHUNK)}, "option-value"),
    "an unknown option": ("/v1/listen?mood=true", {"data": wav(CHUNK)}, "option-name"),
    "an unknown model": ("/v1/listen?model=nova-9", {"data": wav(CHUNK)}, "refused"),
    "a form": (
        "/v1/listen",
        {"data": wav(CHUNK), "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        "body-type",
    ),
    "JSON as audio": ("/v1/listen", {"data": b'{"url":"http://a.test/"}'}, "body-type"),
    "raw audio": ("/v1/listen", {"data": b"\0" * 800}, "headerless-audio"),
    "JSON by another name": ("/v1/speak", {"data": b'{"text":"Hello."}'}, "body-type"),
    "no text": ("/v1/read", {"json": {}}, "refused"),
    "no such path": ("/v3/listen", {"data": b""}, "unknown-path"),
    "a method that is none": ("/v1/projects", {"json": {}}, "refused"),
}


@pytest.mark.parametrize(("path", "sent", "rule"), REQUESTS.values(), ids=REQUESTS)
@bounded
async def test_a_request_that_is_wrong_is_named(path: str, sent: dict[str, Any], rule: str) -> None:
    async with serving(strict=True) as client:
        async with client.http.post(client.emulator.base_url + path, **sent) as response:
            await response.read()
        (found,) = client.emulator.deviations
        assert found.rule == rule
        assert found.request_id == response.headers["dg-request-id"]


@bounded
async def test_faults_credentials_and_limits_of_the_emulator_are_nobodys_deviation() -> None:
    async with serving(strict=True, keys=["a-key"], max_requests=0) as client:
        url = client.emulator.base_url
        for headers in (
            {"X-Emulator-Fault": "kind=answer, status=400"},
            {"Authorization": "Token wrong"},
            {},
        ):
            async with client.http.post(
                f"{url}/v1/listen", data=wav(CHUNK), headers=headers
            ) as response:
                assert response.status in (400, 401, 429)
        raw = "/v1/listen?encoding=g729&sample_rate=8000"
        async with client.http.get(url + raw, headers={"Upgrade": "websocket"}) as response:
            assert response.status == 400
        async with client.http.ws_connect(
            url + LISTEN, headers={"X-Emulator-Fault": "kind=close, reason=DATA-0000"}
        ) as socket:
            async for _ in socket:
                pass
        assert client.emulator.deviations == ()


@bounded
async def test_deviations_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    await said(LISTEN, "hello", CLOSE)
    assert "a text frame is no JSON" in caplog.text


@bounded
async def test_values_of_unknown_options_are_not_shown() -> None:
    (found,) = await said(f"{LISTEN}&api_key=sentinel-key", CLOSE)
    assert "sentinel" not in str(found)


@bounded
async def test_nothing_is_written_down_unless_it_is_wanted() -> None:
    async with serving() as client:
        await client.post(wav(CHUNK), mood="true")
        assert client.emulator.deviations == ()
