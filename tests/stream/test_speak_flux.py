import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import DeepgramSession, FluxSpeakStream, StreamSettings, TextSource
from deepgram_async.errors import (
    ConfigureError,
    ConnectionLostError,
    InvalidStateError,
    OperationTimeoutError,
    OptionError,
)
from deepgram_async.markup import pause
from deepgram_async.models.events import Malformed, Unknown
from deepgram_async.models.speak_flux import (
    Connected,
    Flushed,
    FluxSpeakEvent,
    SessionMetadata,
    SpeechInterrupted,
    SpeechMetadata,
    SpeechStarted,
)
from tests.support.servers import SocketHandler, websocket_server
from tests.support.speak import Frames, account, flux, message, read_messages, speak_turn

DEFAULTS = StreamSettings()
ONCE = StreamSettings(reconnect=None)


@asynccontextmanager
async def speaking(
    handler: SocketHandler, settings: StreamSettings = DEFAULTS, *, validate: bool = True
) -> AsyncGenerator[FluxSpeakStream]:
    async with (
        websocket_server(handler) as url,
        DeepgramSession(api_key="sentinel", base_url=url, stream=settings, validate=validate) as dg,
        dg.speak.flux.live(model="flux-alexis-en") as stream,
    ):
        yield stream


def kinds(frames: Frames) -> list[str]:
    return [frame["type"] for frame in frames]


def audio_of(events: list[FluxSpeakEvent]) -> list[bytes]:
    return [event for event in events if isinstance(event, bytes)]


async def spoken(stream: FluxSpeakStream, source: TextSource) -> str:
    return b"".join([audio async for audio in stream.speak(source)]).decode()


# By hand.


async def test_a_turn_is_told_from_its_start_to_its_account() -> None:
    seen: Frames = []
    async with speaking(flux(seen)) as stream:
        await stream.send_text("Hello ")
        await stream.send_text("there.")
        metadata = await stream.flush()
        assert metadata is not None
        assert metadata.billable_character_count == 12
    events = [event async for event in stream]
    assert [type(event) for event in events] == [
        Connected,
        SpeechStarted,
        bytes,
        SpeechMetadata,
        Flushed,
        SessionMetadata,
    ]
    assert audio_of(events) == [b"Hello there."]
    assert stream.connected is events[0]
    assert stream.session_metadata is events[-1]
    assert stream.request_id == "r-2"
    assert kinds(seen) == ["Speak", "Speak", "Flush", "Close"]


async def test_a_flush_without_text_is_not_sent() -> None:
    seen: Frames = []
    async with speaking(flux(seen)) as stream:
        assert await stream.flush() is None
        await stream.send_text("One.")
        await stream.flush()
        assert await stream.flush() is None
    assert kinds(seen) == ["Speak", "Flush", "Close"]


async def test_the_last_turn_is_delivered_after_the_close() -> None:
    async with speaking(flux([])) as stream:
        await stream.send_text("The tail.")
    assert audio_of([event async for event in stream]) == [b"The tail."]


async def test_long_text_is_split_to_the_letter() -> None:
    seen: Frames = []
    text = "One more sentence without end. " * 200
    async with speaking(flux(seen)) as stream:
        await stream.send_text(text)
        await stream.flush()
    pieces = [frame["text"] for frame in seen if frame["type"] == "Speak"]
    assert "".join(pieces) == text
    assert max(map(len, pieces)) <= 2000


async def test_a_pause_is_refused_before_it_ends_the_stream() -> None:
    async with speaking(flux([])) as stream:
        for call in (stream.send_text(f"a{pause(500)}b"), spoken(stream, [pause(500)])):
            with pytest.raises(OptionError, match="pauses"):
                await call
        with pytest.raises(OptionError, match="empty"):
            await stream.send_text("")
        with pytest.raises(OptionError, match="text must be a str, not int"):
            await stream.send_text(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def test_a_session_that_does_not_validate_sends_pauses() -> None:
    seen: Frames = []
    async with speaking(flux(seen), validate=False) as stream:
        await stream.send_text(pause(500))
        await stream.configure(speed=9.0)
    assert seen[0]["text"] == r"\{pause:500ms\}"


async def test_unknown_and_broken_messages_are_events() -> None:
    async def odd(connection: ServerConnection) -> None:
        await connection.send('{"type":"Tomorrow","answer":42}')
        await connection.send('{"type":"SpeechStarted"}')
        async for _ in read_messages(connection, []):
            return

    async with speaking(odd) as stream:
        await stream.finish()
        unknown, wrong = [event async for event in stream]
        assert isinstance(unknown, Unknown)
        assert isinstance(wrong, Malformed)


@pytest.mark.parametrize(
    ("code", "retryable"),
    [("NET-0004", True), ("NET-0000", True), ("DATA-0002", False), ("MESSAGE-0000", False)],
)
@pytest.mark.parametrize("closing", [False, True])
async def test_an_error_message_tells_why_the_stream_was_closed(
    code: str, retryable: bool, closing: bool
) -> None:
    async def failing(connection: ServerConnection) -> None:
        async for _ in read_messages(connection, []):
            await connection.send(message("Error", code=code, description="sorry"))
            return

    with pytest.raises(ConnectionLostError) as caught:
        async with speaking(failing, ONCE) as stream:
            if not closing:
                await stream.send_text("x")
                async for _ in stream:
                    pass
    assert caught.value.code == code
    assert "sorry" in str(caught.value)
    assert caught.value.retryable is retryable


# Configure.


async def test_configure_returns_what_is_in_force() -> None:
    seen: Frames = []
    async with speaking(flux(seen)) as stream:
        success = await stream.configure(speed=1.15)
        assert success.applied is not None
        assert success.applied.speed == 1.15
    assert seen[0] == {"type": "Configure", "speed": 1.15}


async def test_a_refused_configuration_raises_and_the_stream_goes_on() -> None:
    async def strict(connection: ServerConnection) -> None:
        async for said in read_messages(connection, []):
            match said["type"]:
                case "Configure":
                    failure = {"code": "SPEED_NOT_SUPPORTED", "field": "speed", "value": 1.2}
                    await connection.send(
                        message("ConfigureFailure", description="not this voice", **failure)
                    )
                case "Flush":
                    await speak_turn(connection, "still here", 0)
                case "Close":
                    return
                case _:
                    pass

    async with speaking(strict) as stream:
        with pytest.raises(ConfigureError, match="not this voice") as caught:
            await stream.configure(speed=1.2)
        assert caught.value.code == "SPEED_NOT_SUPPORTED"
        with pytest.raises(OptionError, match=r"0\.05"):
            await stream.configure(speed=1.01)
        assert await spoken(stream, "?") == "still here"


async def test_a_configuration_without_an_answer_times_out() -> None:
    async def deaf(connection: ServerConnection) -> None:
        async for said in read_messages(connection, []):
            if said["type"] == "Close":
                return

    async with speaking(deaf, StreamSettings(confirm_timeout_s=0.1)) as stream:
        with pytest.raises(OperationTimeoutError):
            await stream.configure(speed=1.0)


# Interrupt.


def interruptible(seen: Frames, gate: asyncio.Event | None = None) -> SocketHandler:
    """Return a server that speaks without end until it is interrupted."""

    async def handle(connection: ServerConnection) -> None:
        speaking_task: asyncio.Task[None] | None = None

        async def speak(text: str) -> None:
            await connection.send(message("SpeechStarted", speech_id="dg_sp_1"))
            while True:
                await connection.send(text.encode())
                await asyncio.sleep(0.001)

        text = ""
        async for said in read_messages(connection, seen):
            match said["type"]:
                case "Speak":
                    text += said["text"]
                    if text == "old" and speaking_task is None:
                        speaking_task = asyncio.create_task(speak(text))
                case "Interrupt":
                    assert speaking_task is not None
                    if gate is not None:
                        await gate.wait()
                    speaking_task.cancel()
                    await asyncio.wait([speaking_task])
                    text = ""
                    await connection.send(
                        message(
                            "SpeechInterrupted",
                            audio_played_ms=120,
                            text_spoken="ol",
                            text_remaining="d",
                            metadata={"speech_id": "dg_sp_1", **account("old")},
                        )
                    )
                case "Flush":
                    if text != "old":
                        await speak_turn(connection, text, 2)
                        text = ""
                case _:
                    await connection.send(message("SessionMetadata"))
                    return

    return handle


@pytest.mark.parametrize("flushed", [False, True])
async def test_no_older_audio_is_yielded_after_interrupt(flushed: bool) -> None:
    seen: Frames = []
    gate = asyncio.Event()
    async with speaking(interruptible(seen, gate)) as stream:
        await stream.send_text("old")
        flushing = asyncio.create_task(stream.flush()) if flushed else None
        async for event in stream:
            if isinstance(event, bytes):
                break
        await asyncio.sleep(0.02)  # more of it waits
        interrupting = asyncio.create_task(stream.interrupt(played_ms=120))
        await asyncio.sleep(0)
        sending = asyncio.create_task(stream.send_text("new"))
        await asyncio.sleep(0.02)
        assert "Speak" not in kinds(seen)[1:]
        gate.set()
        interrupted = await interrupting
        assert interrupted is not None
        assert (interrupted.text_spoken, interrupted.text_remaining) == ("ol", "d")
        await sending
        assert await stream.flush() is not None
        if flushing is not None:
            assert await flushing is None
    assert audio_of([event async for event in stream]) == [b"new"]
    offset = {"type": "time_ms", "value": 120}
    assert {"type": "Interrupt", "playback_offset": offset} in seen


async def test_interrupt_ends_the_text_that_is_spoken() -> None:
    async with speaking(interruptible([])) as stream:
        heard = 0
        async for audio in stream.speak("old"):
            assert audio == b"old"
            heard += 1
            if heard == 3:
                assert isinstance(await stream.interrupt(), SpeechInterrupted)
        assert heard == 3
        assert await spoken(stream, "next") == "next"


async def test_an_interruption_of_nothing_returns_nothing() -> None:
    async with speaking(flux([])) as stream:
        assert await stream.interrupt() is None
        assert await spoken(stream, "Hello.") == "Hello."
        assert [warning.code for warning in stream.warnings] == ["NO_ACTIVE_SPEECH"]


async def test_interruptions_are_sent_one_at_a_time() -> None:
    seen: Frames = []
    async with speaking(flux(seen)) as stream:
        await asyncio.gather(stream.interrupt(10), stream.interrupt(20))
        with pytest.raises(OptionError, match="more than 20"):
            await stream.interrupt(20)
        with pytest.raises(OptionError, match="played_ms=-1"):
            await stream.interrupt(-1)
    assert kinds(seen) == ["Interrupt", "Interrupt", "Close"]


async def test_after_a_refused_interruption_the_rest_of_the_turn_is_not_heard() -> None:
    async def refusing(connection: ServerConnection) -> None:
        async for said in read_messages(connection, []):
            match said["type"]:
                case "Flush":
                    await connection.send(message("SpeechStarted", speech_id="a"))
                    await connection.send(b"one")
                case "Interrupt":
                    await connection.send(message("Warning", code="INVALID_INTERRUPT_OFFSET"))
                    await connection.send(b"two")
                    await connection.send(message("SpeechMetadata", speech_id="a"))
                case "Close":
                    return
                case _:
                    pass

    async with speaking(refusing) as stream:
        audio: list[bytes] = []
        async for chunk in stream.speak("one two"):
            audio.append(chunk)
            assert await stream.interrupt(played_ms=10_000) is None
        assert audio == [b"one"]


@pytest.mark.parametrize(
    "code", ["INVALID_INTERRUPT_OFFSET", "NO_AUDIO_GENERATED", "INTERRUPT_IN_PROGRESS"]
)
async def test_a_turn_that_was_not_flushed_ends_after_a_refused_interruption(code: str) -> None:
    seen: Frames = []

    async def refusing(connection: ServerConnection) -> None:
        text = ""
        async for said in read_messages(connection, seen):
            match said["type"]:
                case "Speak":
                    text += said["text"]
                case "Interrupt":
                    await connection.send(message("Warning", code=code))
                case "Flush":
                    await speak_turn(connection, text, 0)
                    text = ""
                case _:
                    return

    async with asyncio.timeout(5), speaking(refusing) as stream:
        await stream.send_text("old")
        assert await stream.interrupt(played_ms=10_000) is None
        assert await stream.flush() is None
        assert await spoken(stream, "new") == "new"
    assert kinds(seen) == ["Speak", "Interrupt", "Flush", "Speak", "Flush", "Close"]


@pytest.mark.parametrize(
    "code", ["INVALID_INTERRUPT_OFFSET", "NO_AUDIO_GENERATED", "INTERRUPT_IN_PROGRESS"]
)
async def test_a_refused_interruption_of_nothing_returns_at_once(code: str) -> None:
    async def refusing(connection: ServerConnection) -> None:
        async for said in read_messages(connection, []):
            match said["type"]:
                case "Interrupt":
                    await connection.send(message("Warning", code=code))
                case "Flush":
                    await speak_turn(connection, "still here", 0)
                case "Close":
                    return
                case _:
                    pass

    async with asyncio.timeout(5), speaking(refusing) as stream:
        assert await stream.interrupt(played_ms=1) is None
        assert await spoken(stream, "?") == "still here"


async def test_texts_that_follow_each_other_quickly_are_interrupted_once() -> None:
    seen: Frames = []
    gate = asyncio.Event()
    async with asyncio.timeout(5), speaking(interruptible(seen, gate)) as stream:
        async for audio in stream.speak("old"):
            assert audio == b"old"
            break
        stream.speak("dropped")
        newest = stream.speak("new")
        gate.set()
        assert [audio async for audio in newest] == [b"new"]
    assert kinds(seen) == ["Speak", "Flush", "Interrupt", "Speak", "Flush", "Close"]


async def test_a_refusal_is_over_when_the_turn_was_interrupted_nevertheless() -> None:
    go_on = asyncio.Event()

    async def undecided(connection: ServerConnection) -> None:
        interrupts = 0
        async for said in read_messages(connection, []):
            match said["type"]:
                case "Interrupt":
                    interrupts += 1
                    if interrupts == 1:
                        await connection.send(message("Warning", code="INTERRUPT_IN_PROGRESS"))
                        await connection.send(message("SpeechInterrupted"))
                        continue
                    # The turn ends by itself before the service gets to the interruption.
                    await connection.send(message("SpeechMetadata", speech_id="b"))
                    await go_on.wait()
                    await connection.send(b"old")
                    await connection.send(message("Warning", code="NO_ACTIVE_SPEECH"))
                case "Close":
                    return
                case _:
                    pass

    async with asyncio.timeout(5), speaking(undecided) as stream:
        await stream.send_text("one")
        assert isinstance(await stream.interrupt(), SpeechInterrupted)
        await stream.send_text("two")
        flushing = asyncio.create_task(stream.flush())
        await asyncio.sleep(0)
        interrupting = asyncio.create_task(stream.interrupt())
        assert isinstance(await flushing, SpeechMetadata)
        assert not interrupting.done()
        go_on.set()
        assert await interrupting is None
    assert audio_of([event async for event in stream]) == []


async def test_an_interruption_without_an_answer_gives_up_the_stream() -> None:
    async def deaf(connection: ServerConnection) -> None:
        async for _ in read_messages(connection, []):
            pass

    with pytest.raises(ConnectionLostError):
        async with speaking(deaf, StreamSettings(confirm_timeout_s=0.1)) as stream:
            with suppress(OperationTimeoutError):
                await stream.interrupt()
            await stream.send_text("nobody")


# A text at a time.


async def test_texts_are_turns_one_after_the_other() -> None:
    async def tokens() -> AsyncIterator[str]:
        for token in ("He", "llo", "", " there."):
            yield token

    seen: Frames = []
    async with speaking(flux(seen)) as stream:
        assert await spoken(stream, tokens()) == "Hello there."
        assert await spoken(stream, "Again.") == "Again."
        assert await spoken(stream, []) == ""
    assert kinds(seen) == ["Speak", "Speak", "Speak", "Flush", "Speak", "Flush", "Close"]


async def test_what_the_source_raises_comes_after_the_audio_before_it() -> None:
    async def failing() -> AsyncIterator[str]:
        yield "So far"
        raise LookupError

    audio: list[bytes] = []
    async with speaking(flux([])) as stream:
        with pytest.raises(LookupError):
            async for chunk in stream.speak(failing()):
                audio.append(chunk)  # noqa: PERF401 - kept although an error follows
    assert audio == [b"So far"]


async def test_a_turn_without_audio_ends_the_text() -> None:
    async def silent(connection: ServerConnection) -> None:
        async for said in read_messages(connection, []):
            if said["type"] == "Flush":
                await connection.send(message("Warning", code="NO_SYNTHESIZABLE_TEXT"))
                await connection.send(message("SpeechMetadata", speech_id="a", audio_duration_ms=0))
            elif said["type"] == "Close":
                return

    async with speaking(silent) as stream:
        assert await spoken(stream, "...") == ""
        assert len(stream.warnings) == 1


async def test_using_the_stream_after_its_end_is_an_error() -> None:
    async with speaking(flux([])) as stream:
        pass
    with pytest.raises(InvalidStateError):
        stream.speak("late")
    with pytest.raises(InvalidStateError):
        await stream.interrupt()
