import asyncio

import pytest

from deepgram_async import DeepgramSession
from deepgram_async.batch import Batch, BytesItem, Done, callback_transcriber
from deepgram_async.callbacks import CallbackAuth, CallbackInbox, CallbackServer
from deepgram_async.emulator import Emulator, EmulatorSettings, ScriptedRecognizer
from deepgram_async.errors import BadRequestError, OperationTimeoutError
from tests.emulator.helpers import silence, wav
from tests.support.batches import AT_ONCE, split

KEY = "sentinel-key-4711"
AUTH = CallbackAuth(password="sentinel-password", extra_secret="sentinel-secret")


def emulator() -> Emulator:
    settings = EmulatorSettings(callback_retry_s=0.001)
    return Emulator(ScriptedRecognizer.from_text("Hello, world."), settings)


def recordings(count: int) -> list[BytesItem]:
    return [BytesItem(wav(silence(1 + n / 10)), f"number {n}") for n in range(count)]


async def test_the_answers_of_a_batch_come_to_the_callback_url() -> None:
    inbox = CallbackInbox(AUTH)
    async with (
        emulator() as local,
        DeepgramSession(KEY, base_url=local.base_url) as dg,
        CallbackServer(inbox, host="127.0.0.1", port=0) as server,
        asyncio.timeout(30),
    ):
        by_callback = callback_transcriber(inbox, f"http://127.0.0.1:{server.port}/deepgram")
        sources = [*recordings(20), BytesItem(b"no audio", "broken")]
        batch = Batch(dg, sources, transcriber=by_callback, extra="mine:1", punctuate=True)
        done, failed = await split(batch)
    assert {outcome.item.name for outcome in done} == {f"number {n}" for n in range(20)}
    for outcome in done:
        number = int(outcome.item.name.removeprefix("number "))
        assert outcome.answer.duration == pytest.approx(1 + number / 10)
        assert (outcome.answer.metadata.extra or {})["mine"] == "1"
    [broken] = failed
    assert broken.item.name == "broken"
    assert isinstance(broken.error, BadRequestError)
    assert batch.stats().requests == 21
    assert inbox.unclaimed == []


async def test_a_callback_that_does_not_come_fails_its_item_and_is_not_paid_again() -> None:
    inbox = CallbackInbox(AUTH)
    async with emulator() as local, DeepgramSession(KEY, base_url=local.base_url) as dg:
        nowhere = callback_transcriber(inbox, "http://127.0.0.1:9/", timeout_s=0.0)
        batch = Batch(dg, recordings(1), transcriber=nowhere, retry=AT_ONCE)
        _, [failed] = await split(batch)
    assert isinstance(failed.error, OperationTimeoutError)
    assert failed.error.phase == "callback"
    assert failed.attempts == 1


async def test_an_item_is_the_same_by_callback_and_without() -> None:
    inbox = CallbackInbox(None)
    async with (
        emulator() as local,
        DeepgramSession(KEY, base_url=local.base_url) as dg,
        CallbackServer(inbox, host="127.0.0.1", port=0) as server,
        asyncio.timeout(30),
    ):
        by_callback = callback_transcriber(inbox, f"http://127.0.0.1:{server.port}")
        [here] = [outcome async for outcome in Batch(dg, recordings(1))]
        [there] = [outcome async for outcome in Batch(dg, recordings(1), transcriber=by_callback)]
    assert isinstance(there, Done)
    assert here.key == there.key


def test_an_address_that_cannot_carry_the_credentials_is_an_error() -> None:
    with pytest.raises(ValueError, match="http"):
        callback_transcriber(CallbackInbox(AUTH), "ws://example.com/")
