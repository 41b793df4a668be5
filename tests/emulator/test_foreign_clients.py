"""What older and broken clients send, which the SDK of this project does not."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import pytest

from deepgram_async.emulator import ScriptedRecognizer

from .helpers import RAW, bounded, serving, silence, wav
from .speaking import talking

if TYPE_CHECKING:
    from .helpers import Client

DEEP = "[" * 100_000
NOT_TEXT = b"\xff"
ISSUED_HERE = base64.urlsafe_b64encode(b'{"iss": "deepgram-emulator"}').rstrip(b"=")


@pytest.mark.parametrize(
    ("path", "options", "kind", "told"),
    [
        ("/v1/listen", RAW, "KeepAlive", ["Error", "Metadata"]),
        ("/v2/listen", {**RAW, "model": "flux-general-en"}, "CloseStream", ["Connected", "Error"]),
        ("/v1/speak", {}, "Flush", ["Metadata"]),
        ("/v2/speak", {"model": "flux-kit-en"}, "Flush", ["Connected", "Error"]),
        ("/v1/agent/converse", {}, "Settings", ["Welcome", "Error"]),
    ],
)
@bounded
async def test_a_message_that_is_nested_too_deeply_is_no_message(
    path: str, options: dict[str, str], kind: str, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with serving() as client, talking(client, path, **options) as talk:
        await talk.socket.send_str(f'{{"type": "{kind}", "more": {DEEP}')
        if path == "/v1/listen":
            await talk.say("CloseStream")
        await talk.rest()
    assert talk.order == told
    assert talk.code == (1000 if path == "/v1/listen" else 1008)
    assert not caplog.records


@pytest.mark.parametrize(
    "credential",
    [
        b"Token " + NOT_TEXT,
        NOT_TEXT + b" a-key",
        b"Bearer head." + ISSUED_HERE + b"." + NOT_TEXT,
        b"Bearer " + NOT_TEXT + b"." + ISSUED_HERE + b".signature",
    ],
)
@bounded
async def test_a_credential_that_is_no_text_is_refused(credential: bytes) -> None:
    async with serving() as client:
        answer = await _raw(
            client,
            b"GET /v1/projects HTTP/1.1",
            b"Host: localhost",
            b"Authorization: " + credential,
            b"Connection: close",
        )
    assert answer.startswith(b"HTTP/1.1 401 ")


@bounded
async def test_a_body_that_is_not_compressed_as_it_says_is_refused() -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    async with serving() as client:
        for path in ("/v1/listen", "/v1/speak", "/v1/read"):
            url = client.emulator.base_url + path
            async with client.http.post(url, data=b"no gzip", headers=headers) as response:
                answer = await response.json()
            assert response.status == 400
            assert answer["err_msg"] == "Bad Request: the body could not be read."


@pytest.mark.parametrize("callback", ["http://[", "http://", "ftp://localhost/"])
@bounded
async def test_a_callback_that_is_no_address_is_refused(callback: str) -> None:
    async with serving() as client:
        status, answer, _ = await client.post(wav(silence(1.0)), callback=callback)
    assert (status, answer["err_msg"]) == (400, "Invalid query string.")


# Deepgram's SDK for Python, up to version 4.


@bounded
async def test_a_text_to_read_need_not_say_that_it_is_one() -> None:
    async with serving() as client:
        answer = await _json(
            client,
            "POST",
            "/v1/read?sentiment=true",
            data=b"I love it.",
            skip_auto_headers=["Content-Type"],
        )
    assert answer["results"]["sentiments"]["average"]["sentiment"] == "positive"


@bounded
async def test_the_request_log_names_the_configuration() -> None:
    async with serving(ScriptedRecognizer.from_text("Hello.")) as client:
        await client.post(wav(silence(1.0)), model="nova-3", language="en-US")
        (project,) = (await _json(client, "GET", "/v1/projects"))["projects"]
        logged = await _json(client, "GET", f"/v1/projects/{project['project_id']}/requests")
    (request,) = logged["requests"]
    assert request["response"]["details"]["config"] == {"language": "en-US", "model": "nova-3"}


@bounded
async def test_an_empty_day_is_none() -> None:
    async with serving() as client:
        (project,) = (await _json(client, "GET", "/v1/projects"))["projects"]
        path = f"/v1/projects/{project['project_id']}/usage/fields"
        assert await _json(client, "GET", f"{path}?start=&end=") == await _json(client, "GET", path)


@bounded
async def test_self_hosted_credentials_have_their_old_path_too() -> None:
    async with serving() as client:
        (project,) = (await _json(client, "GET", "/v1/projects"))["projects"]
        path = f"/v1/projects/{project['project_id']}/{{}}/distribution/credentials"
        made = await _json(client, "POST", path.format("selfhosted") + "/", json={"comment": "a"})
        listed = await _json(client, "GET", path.format("self-hosted"))
        assert listed == {"distribution_credentials": [made]}
        assert await _json(client, "GET", path.format("selfhosted")) == listed


async def _json(client: Client, method: str, path: str, **body: Any) -> dict[str, Any]:
    url = client.emulator.base_url + path
    async with client.http.request(method, url, **body) as response:
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def _raw(client: Client, *lines: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.emulator.port)
    try:
        writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
