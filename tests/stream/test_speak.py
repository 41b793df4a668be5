import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import DeepgramSession, SpeakStream, StreamSettings, TextSource
from deepgram_async.errors import (
    ConnectionLostError,
    InvalidStateError,
    OperationTimeoutError,
    OptionError,
    SlowConsumerError,
)
from deepgram_async.models.events import Malformed, Unknown
from deepgram_async.models.speak import Cleared, Error, Flushed, Metadata, SpeakEvent
from deepgram_async.models.speak import Warning as SpeakWarning
from tests.support.servers import SocketHandler, websocket_server
from tests.support.speak import Frames, aura, message, read_messages

QUICK = StreamSettings(speak_window_s=None)
ONCE = StreamSettings(speak_window_s=None, reconnect=None)


@asynccontextmanager
async def speaking(
    handler: SocketHandler, settings: StreamSettings = QUICK
) -> AsyncGenerator[SpeakStream]:
    async with (
        websocket_server(handler) as url,
        DeepgramSession(api_key="sentinel", base_url=url, stream=settings) as dg,
        dg.speak.live(model="aura-2-thalia-en") as stream,
    ):
        yield stream


def kinds(frames: Frames) -> list[str]:
    return [frame["type"] for frame in frames]


def texts(frames: Frames) -> list[str]:
    return [frame["text"] for frame in frames if frame["type"] == "Speak"]


async def spoken(stream: SpeakStream, source: TextSource) -> str:
    return b"".join([audio async for audio in stream.speak(source)]).decode()


# By hand.


async def test_flush_returns_when_the_audio_before_it_has_come() -> None:
    seen: Frames = []
    async with speaking(aura(seen)) as stream:
        await stream.send_text("Hello.")
        confirmation = await stream.flush()
        assert confirmation == Flushed(sequence_id=0)
        events: list[SpeakEvent] = []
        async for event in stream:
            events.append(event)
            if event is confirmation:
                break
        assert isinstance(events[0], Metadata)
        assert events[1:] == [b"Hello.", confirmation]
        assert stream.metadata is events[0]
        assert stream.request_id == "r-1"
    assert seen == [{"type": "Speak", "text": "Hello."}, {"type": "Flush"}, {"type": "Close"}]


async def test_flushes_are_confirmed_in_their_order() -> None:
    async with speaking(aura([])) as stream:
        first, second = await asyncio.gather(stream.flush(), stream.flush())
        assert first is not None
        assert second is not None
        assert (first.sequence_id, second.sequence_id) == (0, 1)


async def test_a_cancelled_flush_keeps_the_confirmations_in_step() -> None:
    go_on = asyncio.Event()

    async def late(connection: ServerConnection) -> None:
        number = 0
        async for said in read_messages(connection, []):
            if said["type"] == "Flush":
                await go_on.wait()
                await connection.send(message("Flushed", sequence_id=number))
                number += 1
            elif said["type"] == "Close":
                return

    async with speaking(late) as stream:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await stream.flush()
        go_on.set()
        assert await stream.flush() == Flushed(sequence_id=1)


async def test_long_text_is_split_at_the_ends_of_sentences() -> None:
    seen: Frames = []
    text = "This is a sentence of some length. " * 150
    async with speaking(aura(seen)) as stream:
        await stream.send_text(text)
        await stream.flush()
    pieces = texts(seen)
    assert "".join(pieces) == text
    assert len(pieces) == 3
    assert all(len(piece) <= 2000 and piece.endswith(". ") for piece in pieces)


async def test_empty_text_is_refused() -> None:
    async with speaking(aura([])) as stream:
        with pytest.raises(OptionError, match="empty"):
            await stream.send_text("")
        with pytest.raises(OptionError, match="text must be a str, not int"):
            await stream.send_text(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def test_the_last_audio_is_delivered_after_the_close() -> None:
    async with speaking(aura([])) as stream:
        await stream.send_text("The tail.")
    assert [event async for event in stream][1:] == [b"The tail."]
    with pytest.raises(InvalidStateError):
        await stream.send_text("too late")


async def test_an_unknown_a_broken_and_an_error_message_are_events() -> None:
    async def odd(connection: ServerConnection) -> None:
        await connection.send('{"type":"Tomorrow","answer":42}')
        await connection.send('{"type":"Flushed","sequence_id":"zero"}')
        await connection.send("not json")
        await connection.send(message("Error", description="no", variant="SchemaError"))
        await connection.send(message("Warning", warn_code="W-1", warn_msg="old words"))
        async for _ in read_messages(connection, []):
            return

    async with speaking(odd) as stream:
        await stream.finish()
        unknown, wrong, garbage, error, warning = [event async for event in stream]
        assert isinstance(unknown, Unknown)
        assert isinstance(wrong, Malformed)
        assert isinstance(garbage, Malformed)
        assert error == Error(description="no", variant="SchemaError")
        assert warning == SpeakWarning(warn_code="W-1", warn_msg="old words")
        assert stream.warnings == (error, warning)


# Clear.


async def test_no_older_audio_is_yielded_after_clear() -> None:
    async def slow_to_stop(connection: ServerConnection) -> None:
        async for said in read_messages(connection, []):
            match said["type"]:
                case "Speak":
                    for _ in range(5):
                        await connection.send(said["text"].encode())
                case "Clear":
                    await connection.send(b"old")  # was under way
                    await connection.send(message("Cleared", sequence_id=0))
                case "Flush":
                    await connection.send(message("Flushed", sequence_id=0))
                case _:
                    return

    async with speaking(slow_to_stop) as stream:
        await stream.send_text("old")
        await stream.flush()
        cleared = asyncio.create_task(stream.clear())
        await asyncio.sleep(0)
        await stream.send_text("new")  # waits for the confirmation
        assert await cleared == Cleared(sequence_id=0)
        await stream.flush()
    audio = [event async for event in stream if isinstance(event, bytes)]
    assert audio == [b"new"] * 5


async def test_text_after_clear_waits_for_the_confirmation() -> None:
    seen: Frames = []
    go_on = asyncio.Event()

    async def slow(connection: ServerConnection) -> None:
        async for said in read_messages(connection, seen):
            if said["type"] == "Clear":
                await go_on.wait()
                await connection.send(message("Cleared"))
            elif said["type"] == "Close":
                return

    async with speaking(slow) as stream:
        clearing = asyncio.create_task(stream.clear())
        while not seen:
            await asyncio.sleep(0)
        sending = asyncio.create_task(stream.send_text("new"))
        await asyncio.sleep(0.02)
        assert kinds(seen) == ["Clear"]
        go_on.set()
        await asyncio.gather(clearing, sending)
    assert kinds(seen) == ["Clear", "Speak", "Close"]


async def test_a_flush_that_clear_overtakes_returns_nothing() -> None:
    async def deaf_to_flushes(connection: ServerConnection) -> None:
        async for said in read_messages(connection, []):
            if said["type"] == "Clear":
                await connection.send(message("Cleared"))
            elif said["type"] == "Close":
                return

    async with speaking(deaf_to_flushes) as stream:
        flushing = asyncio.create_task(stream.flush())
        await asyncio.sleep(0.01)
        await stream.clear()
        assert await flushing is None


async def test_a_clear_that_is_not_confirmed_gives_up_the_stream() -> None:
    async def deaf(connection: ServerConnection) -> None:
        async for _ in read_messages(connection, []):
            pass

    settings = StreamSettings(confirm_timeout_s=0.1)
    with pytest.raises(ConnectionLostError, match="did not confirm"):
        async with speaking(deaf, settings) as stream:
            with pytest.raises(OperationTimeoutError):
                await stream.clear()
            async for _ in stream:
                pass


# The pace of the service.


@pytest.mark.parametrize(("flushes", "windows"), [(20, 0), (21, 1), (41, 2)])
async def test_flushes_keep_to_twenty_in_a_window(flushes: int, windows: int) -> None:
    settings = StreamSettings(speak_window_s=0.2)
    seen: Frames = []
    async with speaking(aura(seen), settings) as stream:
        began = asyncio.get_running_loop().time()
        for _ in range(flushes):
            await stream.flush()
        took = asyncio.get_running_loop().time() - began
    assert kinds(seen).count("Flush") == flushes
    assert took >= 0.2 * windows
    assert windows or took < 0.2


async def test_characters_keep_to_2400_in_a_window() -> None:
    settings = StreamSettings(speak_window_s=0.2)
    seen: Frames = []
    async with speaking(aura(seen), settings) as stream:
        began = asyncio.get_running_loop().time()
        await stream.send_text("word " * 960)
        took = asyncio.get_running_loop().time() - began
    assert "".join(texts(seen)) == "word " * 960
    assert took >= 0.2


async def test_text_that_waits_for_its_turn_is_dropped_by_clear() -> None:
    settings = StreamSettings(speak_window_s=30.0)
    seen: Frames = []
    async with speaking(aura(seen), settings) as stream:
        sending = asyncio.create_task(stream.send_text("word " * 960))
        while not seen:
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await stream.clear()
            await sending
    assert len(texts(seen)) == 1


async def test_text_that_waits_for_its_turn_does_not_outlive_the_stream() -> None:
    async def hanging_up(connection: ServerConnection) -> None:
        await connection.recv()

    settings = StreamSettings(speak_window_s=30.0, reconnect=None)
    with pytest.raises(ConnectionLostError):
        async with asyncio.timeout(5), speaking(hanging_up, settings) as stream:
            await stream.send_text("word " * 960)


# A text at a time.


def words() -> Iterator[str]:
    yield from ("He", "llo", "", " there. ", "How are", " you?")


async def async_words() -> AsyncIterator[str]:
    for word in words():
        yield word


@pytest.mark.parametrize(
    "make_source",
    [words, async_words, lambda: list(words()), lambda: "Hello there. How are you?"],
    ids=["iterator", "async iterator", "list", "str"],
)
async def test_every_kind_of_source_is_spoken(make_source: Callable[[], TextSource]) -> None:
    seen: Frames = []
    async with speaking(aura(seen)) as stream:
        assert await spoken(stream, make_source()) == "Hello there. How are you?"
        assert await spoken(stream, "Again.") == "Again."
    assert texts(seen) == ["Hello there. ", "How are you?", "Again."]


async def test_the_first_sentence_is_heard_before_the_source_ends() -> None:
    heard = asyncio.Event()

    async def tokens() -> AsyncIterator[str]:
        yield "First. "
        yield "Second"
        async with asyncio.timeout(5):
            await heard.wait()
        yield " one."

    async with speaking(aura([])) as stream:
        audio: list[bytes] = []
        async for chunk in stream.speak(tokens()):
            audio.append(chunk)
            heard.set()
    assert audio == [b"First. ", b"Second one."]


async def test_sentences_do_not_use_up_the_flushes() -> None:
    seen: Frames = []
    settings = StreamSettings(speak_window_s=60.0)
    text = "".join(f"Sentence number {number} is short. " for number in range(30))
    async with asyncio.timeout(5), speaking(aura(seen), settings) as stream:
        assert await spoken(stream, [text]) == text
    assert kinds(seen).count("Flush") == 16
    assert kinds(seen).count("Speak") == 30


@pytest.mark.parametrize("source", ["", [], [" "], iter(())])
async def test_a_source_without_text_has_no_audio(source: TextSource) -> None:
    seen: Frames = []
    async with speaking(aura(seen)) as stream:
        assert await spoken(stream, source) == ""
    assert kinds(seen) == ["Close"]


async def test_what_the_source_raises_comes_after_the_audio_before_it() -> None:
    class ModelError(Exception):
        pass

    async def failing() -> AsyncIterator[str]:
        yield "As far as it goes"
        raise ModelError

    audio: list[bytes] = []
    async with speaking(aura([])) as stream:
        with pytest.raises(ModelError):
            async for chunk in stream.speak(failing()):
                audio.append(chunk)  # noqa: PERF401 - kept although an error follows
        assert await spoken(stream, "Next.") == "Next."
    assert audio == [b"As far as it goes"]


@pytest.mark.parametrize("source", [7, [7]])
async def test_what_is_no_text_is_refused(source: object) -> None:
    async with speaking(aura([])) as stream:
        with pytest.raises(OptionError):
            await spoken(stream, source)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def test_clear_ends_the_text_that_is_spoken_and_its_source() -> None:
    source_ended = asyncio.Event()

    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield "On and on. "
                await asyncio.sleep(0)
        finally:
            source_ended.set()

    seen: Frames = []
    async with speaking(aura(seen)) as stream:
        heard = 0
        async for _ in stream.speak(endless()):
            heard += 1
            if heard == 3:
                await stream.clear()
        assert heard == 3
        assert source_ended.is_set()
        assert await spoken(stream, "Something else.") == "Something else."


async def test_a_text_that_was_broken_off_is_not_heard_in_the_next() -> None:
    async with speaking(aura([])) as stream:
        async for _ in stream.speak(["One. ", "Two. ", "Three. "]):
            break
        assert await spoken(stream, "New.") == "New."
        async for _ in stream.speak("Whole."):
            await stream.flush()  # so its end has come as well
            break
        assert await spoken(stream, "Newer.") == "Newer."


async def test_an_older_iterator_takes_nothing_from_a_newer_one() -> None:
    async with speaking(aura([])) as stream:
        older = stream.speak("Old.")
        newer = stream.speak("New.")
        assert [audio async for audio in older] == []
        assert [audio async for audio in newer] == [b"New."]


async def test_a_lost_connection_ends_the_text_with_the_error() -> None:
    async def hanging_up(connection: ServerConnection) -> None:
        async for _ in read_messages(connection, []):
            await connection.send(b"some")
            await connection.close(1011, "See https://dpgr.am/net0003")

    audio: list[bytes] = []
    with pytest.raises(ConnectionLostError) as caught:
        async with speaking(hanging_up, ONCE) as stream:
            async for chunk in stream.speak("Long text."):
                audio.append(chunk)  # noqa: PERF401 - kept although an error follows
    assert audio == [b"some"]
    assert caught.value.net_code == "NET-0003"


async def test_a_loss_behind_a_text_that_nobody_listens_to_is_raised_at_the_end() -> None:
    async def hanging_up(connection: ServerConnection) -> None:
        async for _ in read_messages(connection, []):
            return

    with pytest.raises(ConnectionLostError):
        async with speaking(hanging_up, ONCE) as stream:
            stream.speak("Anybody?")
            while stream.is_open:
                await asyncio.sleep(0.01)


async def test_a_loss_after_a_text_is_raised_at_the_end() -> None:
    async def hanging_up(connection: ServerConnection) -> None:
        async for said in read_messages(connection, []):
            if said["type"] == "Flush":
                await connection.send(message("Flushed"))
                return

    with pytest.raises(ConnectionLostError):
        async with speaking(hanging_up, ONCE) as stream:
            assert await spoken(stream, "Hello.") == ""
            while stream.is_open:
                await asyncio.sleep(0.01)


async def test_a_text_that_is_never_confirmed_raises_when_the_service_is_silent() -> None:
    async def deaf(connection: ServerConnection) -> None:
        async for said in read_messages(connection, []):
            if said["type"] == "Close":
                return

    async with speaking(deaf, StreamSettings(confirm_timeout_s=0.1)) as stream:
        with pytest.raises(OperationTimeoutError):
            await spoken(stream, "Anybody?")
        with pytest.raises(OperationTimeoutError):
            await stream.flush()


async def test_waiting_goes_on_while_audio_arrives() -> None:
    async def slow(connection: ServerConnection) -> None:
        async for said in read_messages(connection, []):
            if said["type"] == "Flush":
                for _ in range(6):
                    await asyncio.sleep(0.05)
                    await connection.send(b"x")
                await connection.send(message("Flushed"))
            elif said["type"] == "Close":
                return

    async with speaking(slow, StreamSettings(confirm_timeout_s=0.2)) as stream:
        assert await spoken(stream, "Slowly.") == "x" * 6


async def test_audio_that_nobody_takes_ends_the_stream_at_the_bound() -> None:
    async def flooding(connection: ServerConnection) -> None:
        for _ in range(20):
            await connection.send(bytes(1000))
        await connection.wait_closed()

    with pytest.raises(SlowConsumerError):
        async with speaking(flooding, StreamSettings(audio_buffer_bytes=10_000)) as stream:
            while stream.is_open:
                await asyncio.sleep(0.01)
