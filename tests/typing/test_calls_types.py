"""Read by the type checkers; nothing here is sent."""

from collections.abc import AsyncIterator, Iterator
from inspect import iscoroutinefunction
from io import BytesIO
from pathlib import Path
from typing import assert_type

from deepgram_async import DeepgramSession, RetryPolicy, StreamSettings, Timeouts
from deepgram_async._resources.listen import Listen
from deepgram_async._stream.live import LiveStream
from deepgram_async.models.live import ListenEvent, Results
from deepgram_async.models.prerecorded import Accepted, Transcription


async def sessions() -> None:
    async with DeepgramSession("key") as dg:
        assert_type(dg, DeepgramSession)
        assert_type(dg.listen, Listen)
        assert_type(await dg.aclose(), None)


def settings(dg: DeepgramSession) -> None:
    other = dg.with_options(
        timeouts=Timeouts(connect_s=1),
        retry=RetryPolicy(attempts=1),
        stream=StreamSettings(keepalive_s=None),
        extra_headers={"X-Mine": "1"},
        extra_query={"brand_new": [1, True, "x"]},
        keep_raw=True,
    )
    assert_type(other, DeepgramSession)
    assert_type(other.listen, Listen)
    dg.with_options(timeout=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


class MySession(DeepgramSession):
    """A session that somebody derived."""


def a_derived_session_stays_one(dg: MySession) -> None:
    assert_type(dg.with_options(), MySession)


def progress(sent: int, total: int | None) -> None:
    """Take the progress of an upload."""


async def prerecorded(dg: DeepgramSession, parts: AsyncIterator[bytes]) -> None:
    answer = await dg.listen.transcribe("talk.wav", model="nova-3", smart_format=True)
    assert_type(answer, Transcription)
    assert_type(answer.transcript, str)
    accepted = await dg.listen.submit(b"RIFF", "https://host.example/", callback_method="PUT")
    assert_type(accepted, Accepted)
    assert_type(accepted.request_id, str)
    await dg.listen.transcribe(Path("talk.wav"), content_type="audio/wav", progress=progress)
    await dg.listen.transcribe(BytesIO(b"RIFF"), keyterm=["a", "b"], redact=("pci", "ssn"))
    await dg.listen.transcribe(bytearray(b"RIFF"), model="my-own", extra_query={"brand_new": 1})
    await dg.listen.transcribe(memoryview(b"RIFF"), summarize="v2", detect_language=["en"])
    await dg.listen.transcribe([b"RI", b"FF"], utt_split=1)
    await dg.listen.transcribe(parts)


async def wrong_calls(dg: DeepgramSession) -> None:
    await dg.listen.transcribe("a.wav", smart_fromat=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await dg.listen.transcribe("a.wav", smart_format="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await dg.listen.transcribe("a.wav", interim_results=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await dg.listen.transcribe("a.wav", callback="https://x.example")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await dg.listen.transcribe(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await dg.listen.submit("a.wav")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await dg.listen.submit("a.wav", "https://x.example", callback_method="GET")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dg.listen.live(utterances=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dg.listen.live(model=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def live(dg: DeepgramSession, chunks: AsyncIterator[bytes], plain: Iterator[bytes]) -> None:
    stream = dg.listen.live(
        model="nova-3", encoding="linear16", sample_rate=16000, endpointing=False
    )
    assert_type(stream, LiveStream)
    async with stream as opened:
        assert_type(opened, LiveStream)
        async for event in opened.transcribe(chunks):
            assert_type(event, ListenEvent)
            match event:
                case Results(is_final=True):
                    assert_type(event, Results)
                    assert_type(event.transcript, str)
                case _:
                    pass
        opened.start(plain)
        assert_type(await opened.send_audio(b"\x00\x00"), None)
        assert_type(await opened.finalize(channel=0), None)
        assert_type(await opened.keep_alive(), None)
        assert_type(await opened.finish(), None)
        assert_type(opened.request_id, str | None)
        assert_type([one async for one in opened], list[ListenEvent])


def test_what_is_awaited_above_is_awaited_at_run_time() -> None:
    assert iscoroutinefunction(Listen.transcribe)
    assert iscoroutinefunction(Listen.submit)
    assert not iscoroutinefunction(Listen.live)
