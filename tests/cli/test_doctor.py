import json
import socket
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.cli.conftest import KEY, Result
from tests.support import management as answers
from tests.support.background import in_background
from tests.support.certificates import tls_contexts, untrusted_server
from tests.support.servers import http_server

Dga = Callable[..., Result]


@asynccontextmanager
async def deepgram(status: int = 200, tls: ssl.SSLContext | None = None) -> AsyncGenerator[str]:
    """Answer the calls of the doctor, and its stream."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/v1/projects":
            return web.json_response(answers.PROJECTS, status=status)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            await socket.close()
        return socket

    async with http_server(answer, tls=tls) as url:
        yield url


def statuses(result: Result) -> dict[str, str]:
    return {line.split()[1]: line.split()[0] for line in result.out.splitlines()}


def test_all_is_well(dga: Dga) -> None:
    with in_background(deepgram()) as url:
        result = dga("doctor", "--sound", "null", url=url)
    assert (result.code, result.err) == (0, "")
    assert statuses(result) == {
        "versions": "ok",
        "profile": "ok",
        "dns": "ok",
        "tls": "skipped",
        "key": "ok",
        "service": "ok",
        "websocket": "ok",
        "microphone": "warning",
    }
    assert "from DEEPGRAM_API_KEY" in result.out
    assert "can see 2 projects" in result.out
    assert "hears nothing at all - is it muted" in result.out


@pytest.mark.parametrize(
    ("status", "verdict", "words"),
    [
        (401, "failed", "401"),
        (403, "ok", "the key is accepted, and may not list projects"),
        (404, "ok", "it answers, and knows no projects"),
        (500, "failed", "500"),
    ],
)
def test_answer_of_the_service_is_judged(dga: Dga, status: int, verdict: str, words: str) -> None:
    with in_background(deepgram(status)) as url:
        result = dga("doctor", "--sound", "null", "--json", url=url)
    (service,) = [check for check in json.loads(result.out) if check["name"] == "service"]
    assert service["status"] == verdict
    assert words in service["words"]
    assert bool(service["advice"]) == (verdict == "failed")
    assert result.code == (verdict == "failed")


def test_certificate_is_looked_at(
    dga: Dga, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server, client = tls_contexts()
    (certificate,) = client.get_ca_certs(binary_form=True)
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(ssl.DER_cert_to_PEM_cert(certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with in_background(deepgram(tls=server)) as url:
        result = dga("doctor", "--sound", "null", url=url)
    assert result.code == 0
    assert statuses(result)["tls"] == "ok"
    assert "TLSv1.3 in " in result.out
    assert "the certificate is good for 2 days" in result.out


def test_certificate_that_nobody_trusts_is_a_failure(dga: Dga) -> None:
    with in_background(untrusted_server()) as url:
        result = dga("doctor", "--sound", "null", url=url)
    assert result.code == 1
    assert statuses(result)["tls"] == "failed"
    assert "certificate verify failed" in result.out


def test_missing_key_is_told_and_the_network_looked_at_nevertheless(
    dga: Dga, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    with in_background(deepgram()) as url:
        config.write_text(f'[profiles.default]\nbase_url = "{url}"\napi_key_env = "NOT_SET"\n')
        result = dga("--config", str(config), "doctor", "--sound", "null", key=None, url="")
    assert result.code == 1
    assert statuses(result) == {
        "versions": "ok",
        "profile": "ok",
        "dns": "ok",
        "tls": "skipped",
        "key": "failed",
        "service": "skipped",
        "websocket": "skipped",
        "microphone": "warning",
    }
    assert "takes its key from NOT_SET, which is not set" in result.out


def test_address_that_is_none_is_told(dga: Dga) -> None:
    result = dga("doctor", "--sound", "null", url="ftp://example.com")
    assert result.code == 1
    assert statuses(result)["dns"] == "failed"
    assert "must be a full URL" in result.out


def test_nobody_at_the_address_is_told_with_advice(dga: Dga) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        result = dga("doctor", "--sound", "null", url=f"https://127.0.0.1:{port}")
    assert result.code == 1
    found = statuses(result)
    assert (found["dns"], found["tls"], found["service"]) == ("ok", "failed", "failed")
    assert "check the clock, the proxy and the certificates" in result.out
    assert KEY not in result.out
