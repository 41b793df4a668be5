"""Read by the type checkers; running it only proves that the statements are true at run time."""

from collections.abc import AsyncIterator
from inspect import iscoroutinefunction
from pathlib import Path
from typing import assert_never, assert_type

from deepgram_async import (
    DeepgramSession,
    FluxSpeak,
    FluxSpeakStream,
    Read,
    Speak,
    SpeakStream,
    Speech,
)
from deepgram_async.audio import wav_header
from deepgram_async.markup import pause, pronounce
from deepgram_async.models import read, speak, speak_flux
from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Unknown
from deepgram_async.models.prerecorded import Accepted


async def requests(dg: DeepgramSession) -> None:
    assert_type(dg.speak, Speak)
    async with dg.speak.generate("Hello.", model="aura-2-thalia-en", speed=1) as speech:
        assert_type(speech, Speech)
        async for audio in speech:
            assert_type(audio, bytes)
        assert_type(await speech.read(), bytes)
        assert_type(await speech.save(Path("a.mp3")), speak.SpeechInfo)
        assert_type(speech.info, speak.SpeechInfo)
        assert_type(speech.request_id, str | None)
        assert_type(speech.characters, int | None)
        assert_type(speech.warnings, list[str])
    assert_type(await dg.speak.save("Hello.", "a.mp3", encoding="mp3"), speak.SpeechInfo)
    assert_type(await dg.speak.submit("Hello.", "https://host.example/"), Accepted)
    dg.speak.generate("Hello.", expressivity=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dg.speak.generate("Hello.", sample_rate="8000")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def flux_requests(dg: DeepgramSession) -> None:
    flux = dg.speak.flux
    assert_type(flux, FluxSpeak)
    assert_type(flux.generate("Hello.", model="flux-alexis-en", expressivity=1), Speech)
    assert_type(await flux.save("Hello.", "a.mp3", model="flux-alexis-en"), speak.SpeechInfo)
    assert_type(
        await flux.submit("Hello.", "https://host.example/", model="flux-x-en", priority="low"),
        Accepted,
    )


async def live(dg: DeepgramSession, tokens: AsyncIterator[str]) -> None:
    async with dg.speak.live(model="aura-2-thalia-en", encoding="linear16") as stream:
        assert_type(stream, SpeakStream)
        async for audio in stream.speak(tokens):
            assert_type(audio, bytes)
        assert_type(stream.speak(["a", "b"]), AsyncIterator[bytes])
        assert_type(await stream.send_text("Hello."), None)
        assert_type(await stream.flush(), speak.Flushed | None)
        assert_type(await stream.clear(), speak.Cleared | None)
        assert_type(stream.metadata, speak.Metadata | None)
        assert_type(stream.warnings, tuple[speak.Warning | speak.Error, ...])
        async for event in stream:
            assert_type(event, speak.SpeakEvent)


async def flux_live(dg: DeepgramSession, tokens: AsyncIterator[str]) -> None:
    async with dg.speak.flux.live(model="flux-alexis-en", speed=1.15) as stream:
        assert_type(stream, FluxSpeakStream)
        async for audio in stream.speak(tokens):
            assert_type(audio, bytes)
        assert_type(await stream.send_text("Hello."), None)
        assert_type(await stream.flush(), speak_flux.SpeechMetadata | None)
        assert_type(await stream.interrupt(100), speak_flux.SpeechInterrupted | None)
        assert_type(await stream.configure(speed=1.0), speak_flux.ConfigureSuccess)
        assert_type(stream.connected, speak_flux.Connected | None)
        assert_type(stream.session_metadata, speak_flux.SessionMetadata | None)
        assert_type(stream.warnings, tuple[speak_flux.Warning, ...])
        async for event in stream:
            assert_type(event, speak_flux.FluxSpeakEvent)


def told(event: speak.SpeakEvent) -> str:
    """Handle every event: a class that is forgotten here is an error of the type checkers."""
    match event:
        case bytes():
            return f"{len(event)} bytes"
        case speak.Metadata():
            return assert_type(event.request_id, str)
        case speak.Flushed() | speak.Cleared():
            return str(assert_type(event.sequence_id, float | None))
        case speak.Warning() | speak.Error():
            return event.description or ""
        case Unknown():
            return event.type
        case Malformed() | Reconnecting():
            return event.reason
        case Reconnected():
            return str(assert_type(event.is_planned, bool))
        case _:
            assert_never(event)


async def reading(dg: DeepgramSession) -> None:
    assert_type(dg.read, Read)
    analysis = await dg.read.analyze("Hello.", summarize=True, topics=True)
    assert_type(analysis, read.Analysis)
    assert_type(analysis.summary, str)
    assert_type(analysis.results.topics, read.Topics | None)
    assert_type(await dg.read.analyze(url="https://host.example/"), read.Analysis)
    assert_type(await dg.read.submit("a", callback="https://host.example/"), Accepted)
    await dg.read.submit("a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_an_event_is_told() -> None:
    assert told(b"abc") == "3 bytes"
    assert told(speak.Warning(description="slow down")) == "slow down"


def test_what_is_awaited_above_is_awaited_at_run_time() -> None:
    for kind in (Speak, FluxSpeak):
        assert iscoroutinefunction(kind.save)
        assert iscoroutinefunction(kind.submit)
        assert not iscoroutinefunction(kind.generate)
        assert not iscoroutinefunction(kind.live)
    assert iscoroutinefunction(Read.analyze)
    assert iscoroutinefunction(Read.submit)


def test_the_helpers_return_what_they_say() -> None:
    assert_type(pause(500), str)
    assert_type(pronounce("a", "b"), str)
    assert_type(wav_header("linear16", sample_rate=24000), bytes)
