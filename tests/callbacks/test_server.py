"""The whole way: submitted to the local Deepgram, which calls the server back."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from deepgram_async import DeepgramSession
from deepgram_async.callbacks import CallbackAuth, CallbackInbox, CallbackServer, aiohttp_handler
from deepgram_async.emulator import Emulator, EmulatorSettings, ScriptedRecognizer
from deepgram_async.errors import BadRequestError, InvalidStateError
from tests.callbacks.answers import PASSWORD, basic, transcription
from tests.emulator.helpers import silence, wav

KEY = "sentinel-key-4711"
DEADLINE_S = 20.0
RECORDING = wav(silence(1.0))


def emulator(**settings: float) -> Emulator:
    return Emulator(
        ScriptedRecognizer.from_text("Hello, world."),
        EmulatorSettings(keys=[KEY], callback_retry_s=0.001, **settings),  # type: ignore[arg-type]
    )


def server(inbox: CallbackInbox) -> CallbackServer:
    return CallbackServer(inbox, host="127.0.0.1", port=0)


@pytest.mark.parametrize("method", [None, "PUT"])
async def test_a_submitted_recording_comes_back(method: "str | None") -> None:
    auth = CallbackAuth(password=PASSWORD, extra_secret="s3cret")
    async with (
        emulator() as local,
        DeepgramSession(KEY, base_url=local.base_url) as dg,
        server(CallbackInbox(auth)) as callbacks,
    ):
        url = auth.url(f"http://127.0.0.1:{callbacks.port}/deepgram")
        accepted = await dg.listen.submit(
            RECORDING,
            url,
            callback_method=method,  # type: ignore[arg-type] # one of the two
            extra=auth.extra,
            punctuate=True,
        )
        answer = await callbacks.inbox.wait(accepted.request_id, timeout_s=DEADLINE_S)
    assert answer.transcript == "Hello, world."
    assert answer.request_id == accepted.request_id


async def test_the_answers_of_many_requests_find_their_waiters() -> None:
    auth = CallbackAuth.new()
    async with (
        emulator() as local,
        DeepgramSession(KEY, base_url=local.base_url) as dg,
        server(CallbackInbox(auth)) as callbacks,
    ):
        url = auth.url(f"http://127.0.0.1:{callbacks.port}/")

        async def one(number: int) -> str:
            accepted = await dg.listen.submit(RECORDING, url, tag=f"number-{number}")
            answer = await callbacks.inbox.wait(accepted.request_id, timeout_s=DEADLINE_S)
            return (answer.metadata.tags or [""])[0]

        tags = await asyncio.gather(*(one(number) for number in range(20)))
    assert tags == [f"number-{number}" for number in range(20)]
    assert callbacks.inbox.unclaimed == []


async def test_a_recording_that_cannot_be_transcribed_comes_back_as_an_error() -> None:
    auth = CallbackAuth.new()
    async with (
        emulator() as local,
        DeepgramSession(KEY, base_url=local.base_url) as dg,
        server(CallbackInbox(auth)) as callbacks,
    ):
        url = auth.url(f"http://127.0.0.1:{callbacks.port}/")
        accepted = await dg.listen.submit(b"no audio", url)
        with pytest.raises(BadRequestError, match="corrupt or unsupported"):
            await callbacks.inbox.wait(accepted.request_id, timeout_s=DEADLINE_S)


async def test_strangers_and_too_large_bodies_are_turned_away() -> None:
    inbox = CallbackInbox(CallbackAuth(password=PASSWORD), max_body_bytes=1000)
    async with server(inbox) as callbacks, aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{callbacks.port}/x"
        async with http.post(url, data=transcription()) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == 'Basic realm="callbacks"'
        async with http.post(url, data=b"x" * 1001, headers=basic(PASSWORD)) as answer:
            assert answer.status == 413
        async with http.put(url, data=transcription(), headers=basic(PASSWORD)) as answer:
            assert answer.status == 200


async def test_a_handler_serves_inside_an_application_of_aiohttp() -> None:
    inbox = CallbackInbox(None)
    app = web.Application(client_max_size=10)
    app.router.add_route("*", "/deepgram", aiohttp_handler(inbox))
    async with TestServer(app) as site, aiohttp.ClientSession() as http:
        # The size is bounded by the inbox, not by the application.
        async with http.post(site.make_url("/deepgram"), data=transcription()) as answer:
            assert answer.status == 200
    assert len(inbox.unclaimed) == 1


async def test_a_server_starts_once_and_stops_as_often_as_asked() -> None:
    callbacks = server(CallbackInbox(None))
    with pytest.raises(InvalidStateError):
        _ = callbacks.port
    async with callbacks:
        with pytest.raises(InvalidStateError):
            await callbacks.start()
        with pytest.raises(OSError, match="address already in use"):
            await CallbackServer(CallbackInbox(None), host="127.0.0.1", port=callbacks.port).start()
    await callbacks.stop()
