"""Read by the type checkers, for batches on many machines and callbacks; nothing here is sent."""

from collections.abc import AsyncGenerator, Iterator, Mapping
from functools import partial
from inspect import isasyncgenfunction, isfunction
from typing import assert_type

from deepgram_async import SizedAudio, Transcription
from deepgram_async.batch import (
    DaskGate,
    Gate,
    Item,
    OutcomeRow,
    RedisGate,
    Shard,
    Transcriber,
    callback_transcriber,
    stored_recordings,
    transcribe_chunk,
)
from deepgram_async.callbacks import CallbackAuth, CallbackInbox, Delivery, receive


def gates() -> list[Gate]:
    return [RedisGate("redis://127.0.0.1"), DaskGate()]


def places() -> None:
    assert_type(stored_recordings("s3://bucket/"), Iterator[Item])
    assert_type(Shard.parse("auto/8"), Shard)
    assert_type(Shard(0, 2).of(stored_recordings("s3://bucket/")), AsyncGenerator[Item])


def chunks() -> None:
    rows = transcribe_chunk(["a.wav"], gate=partial(RedisGate, "redis://127.0.0.1"), model="nova-3")
    assert_type(rows, list[OutcomeRow])
    assert_type(rows[0]["transcript"], str | None)


async def callbacks(inbox: CallbackInbox, headers: Mapping[str, str], body: bytes) -> None:
    assert_type(receive(headers, body, auth=CallbackAuth.new()), Delivery)
    assert_type(receive(headers, body, auth=None).result(), Transcription)
    assert_type(await inbox.wait("id", timeout_s=1.0), Transcription)
    assert_type(callback_transcriber(inbox, "https://example.com"), Transcriber)


async def sized(audio: SizedAudio) -> None:
    assert_type(audio.content_length, int)
    async for piece in audio:
        assert_type(piece, bytes)


def test_they_are_functions_as_they_are_typed() -> None:
    assert isasyncgenfunction(Shard.of)
    assert all(isfunction(function) for function in (receive, transcribe_chunk, stored_recordings))
