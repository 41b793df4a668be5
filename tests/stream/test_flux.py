import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import DeepgramSession, FluxStream, StreamSettings, Turn, TurnInfo
from deepgram_async.errors import (
    AudioSourceError,
    ConnectionLostError,
    InvalidStateError,
    ProtocolError,
)
from deepgram_async.models import flux as models
from deepgram_async.models.events import Malformed, Unknown
from deepgram_async.models.flux import Connected, Error, FluxEvent
from tests.support.flux import Flux, close_without_code
from tests.support.servers import SocketHandler, websocket_server

AUDIO = b"\1\2" * 1280
ONCE = StreamSettings(reconnect=None)
Script = Callable[[ServerConnection, Flux], Awaitable[None]]


@asynccontextmanager
async def opened(
    handler: SocketHandler, settings: StreamSettings | None = None
) -> AsyncGenerator[FluxStream]:
    async with (
        websocket_server(handler) as url,
        DeepgramSession(api_key="sentinel", base_url=url, stream=settings) as dg,
        dg.listen.flux(model="flux-general-en", eager_eot_threshold=0.4) as flux,
    ):
        yield flux


def scripted(
    script: Script | None = None, frames: list[str | bytes] | None = None
) -> SocketHandler:
    """Return a server that greets, plays its script, and ends as Flux does when it is asked to."""

    async def talk(connection: ServerConnection) -> None:
        flux = Flux()
        await connection.send(flux.connected())
        if script is not None:
            await script(connection, flux)
        async for frame in connection:
            if frames is not None:
                frames.append(frame)
            if isinstance(frame, str) and json.loads(frame)["type"] == "CloseStream":
                await close_without_code(connection)
                return

    return talk


def saying(*turns: tuple[str, str]) -> SocketHandler:
    """Return a server that says the events of turns at once."""

    async def script(connection: ServerConnection, flux: Flux) -> None:
        for text in flux.turns(*turns):
            await connection.send(text)

    return scripted(script)


def events_of(events: list[FluxEvent]) -> list[tuple[str, str]]:
    return [(each.event, each.transcript) for each in events if isinstance(each, TurnInfo)]


# The end of a stream.


async def test_a_source_is_sent_and_the_stream_ends_without_a_code() -> None:
    frames: list[str | bytes] = []
    async with opened(scripted(frames=frames)) as flux:
        events = [event async for event in flux.transcribe([AUDIO, AUDIO])]
        assert not flux.drain_timed_out
    assert events == [Connected(request_id="r-1", sequence_id=0)]
    assert frames == [AUDIO, AUDIO, '{"type":"ForceEndTurn"}', '{"type":"CloseStream"}']


async def test_updates_after_the_closing_message_are_delivered() -> None:
    async def late(connection: ServerConnection) -> None:
        flux = Flux()
        await connection.send(flux.connected())
        async for frame in connection:
            if isinstance(frame, str):
                break
        for text in flux.turns(("StartOfTurn", "the"), ("Update", "the tail")):
            await connection.send(text)
        await close_without_code(connection)

    async with opened(late) as flux:
        await flux.send_audio(AUDIO)
        await flux.close_stream()
        events = [event async for event in flux]
    assert events_of(events) == [("StartOfTurn", "the"), ("Update", "the tail")]


async def test_the_end_of_a_source_ends_the_turn_that_is_under_way() -> None:
    frames: list[str] = []

    async def talk(connection: ServerConnection) -> None:
        flux = Flux()
        await connection.send(flux.turn("StartOfTurn", "Hi"))
        async for frame in connection:
            if isinstance(frame, bytes):
                continue
            frames.append(json.loads(frame)["type"])
            if frames[-1] == "ForceEndTurn":
                await connection.send(flux.turn("EndOfTurn", "Hi there", trigger="manual"))
            else:
                await close_without_code(connection)

    async with opened(talk) as flux:
        turn_is_heard = asyncio.Event()

        async def source() -> AsyncIterator[bytes]:
            yield AUDIO
            await turn_is_heard.wait()

        heard: list[FluxEvent] = []
        async for event in flux.transcribe(source()):
            heard.append(event)
            turn_is_heard.set()
    assert events_of(heard) == [("StartOfTurn", "Hi"), ("EndOfTurn", "Hi there")]
    assert frames == ["ForceEndTurn", "CloseStream"]


@pytest.mark.parametrize("speaks", [False, True])
async def test_words_that_nobody_told_of_before_the_end_of_a_source_end_their_turn(
    speaks: bool,
) -> None:
    async def talk(connection: ServerConnection) -> None:
        flux = Flux()
        async for frame in connection:
            if isinstance(frame, bytes):
                continue
            if json.loads(frame)["type"] == "CloseStream":
                await close_without_code(connection)
            elif speaks:
                await connection.send(flux.turn("StartOfTurn", "Hi"))
                await connection.send(flux.turn("EndOfTurn", "Hi", trigger="manual"))
            else:
                code = "FORCE_END_TURN_NO_ACTIVE_TURN"
                await connection.send(flux.message("Warning", code=code, description="no turn"))

    async with opened(talk) as flux:
        heard = [event async for event in flux.transcribe([AUDIO])]
    # That nobody spoke is an answer to a question which the user did not ask.
    assert events_of(heard) == [("StartOfTurn", "Hi"), ("EndOfTurn", "Hi")] * speaks
    assert len(heard) == 2 * speaks


async def test_a_close_that_nobody_asked_for_is_raised() -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.send(Flux().connected())

    with pytest.raises(ConnectionLostError) as caught:
        async with opened(leave, ONCE) as flux:
            assert [event async for event in flux]
    assert caught.value.close_code == 1000


async def test_a_fatal_error_is_an_event_and_the_reason_of_the_end() -> None:
    async def fail(connection: ServerConnection) -> None:
        await connection.send('{"type":"Error","sequence_id":0,"code":"BROKEN","description":"!"}')
        await connection.close(1011)

    events: list[FluxEvent] = []
    with pytest.raises(ConnectionLostError, match="BROKEN: !") as caught:
        async with opened(fail, ONCE) as flux:
            async for event in flux:
                events.append(event)  # noqa: PERF401 - what came before the error counts
    assert events == [Error(sequence_id=0, code="BROKEN", description="!")]
    assert (caught.value.code, caught.value.close_code) == ("BROKEN", 1011)


async def test_an_error_of_the_source_comes_after_what_was_heard() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield AUDIO
        raise OSError("unplugged")

    events: list[FluxEvent] = []
    with pytest.raises(OSError, match="unplugged"):
        async with opened(saying(("StartOfTurn", "Hi"), ("EndOfTurn", "Hi"))) as flux:
            async for event in flux.transcribe(broken()):
                events.append(event)  # noqa: PERF401 - what came before the error counts
    assert events_of(events) == [("StartOfTurn", "Hi"), ("EndOfTurn", "Hi")]


# Sending by hand.


async def test_a_turn_can_be_ended_by_hand() -> None:
    async def talk(connection: ServerConnection, flux: Flux) -> None:
        assert await connection.recv() == '{"type":"ForceEndTurn"}'
        await connection.send(
            flux.message("Warning", code="FORCE_END_TURN_NO_ACTIVE_TURN", description="no turn")
        )

    async with opened(scripted(talk)) as flux:
        await flux.force_end_turn()
        assert isinstance(await anext(flux), Connected)
        warning = await anext(flux)
        assert isinstance(warning, models.Warning)
        assert warning.code == "FORCE_END_TURN_NO_ACTIVE_TURN"


async def test_no_keep_alive_is_ever_sent() -> None:
    frames: list[str | bytes] = []
    async with opened(scripted(frames=frames), StreamSettings(keepalive_s=0.01)) as flux:
        assert isinstance(await anext(flux), Connected)
        await asyncio.sleep(0.15)  # a watchdog that wanted to would have sent several
    assert frames == ['{"type":"CloseStream"}']


async def test_an_empty_chunk_is_refused() -> None:
    async with opened(scripted()) as flux:
        with pytest.raises(AudioSourceError):
            await flux.send_audio(b"")


async def test_seconds_of_audio_are_told() -> None:
    async with (
        websocket_server(scripted()) as url,
        DeepgramSession(api_key="sentinel", base_url=url) as dg,
    ):
        stream = dg.listen.flux(model="flux-general-en", encoding="mulaw", sample_rate=8000)
        assert stream.audio_sent_s is None
        async with stream:
            await stream.send_audio(bytes(4000))
            await stream.finish()
        assert stream.audio_sent_s == 0.5


async def test_nothing_can_be_sent_before_opening_and_after_closing() -> None:
    dg = DeepgramSession(api_key="sentinel", base_url="http://127.0.0.1:9")
    stream = dg.listen.flux(model="flux-general-en")
    assert stream.irregularities == ()
    with pytest.raises(InvalidStateError, match="not open"):
        await stream.force_end_turn()
    async with opened(scripted()) as flux:
        await flux.close_stream()
        with pytest.raises(InvalidStateError, match="cannot force end turn: stream is"):
            await flux.force_end_turn()


# Messages that cannot be read, or come out of order.


async def test_what_cannot_be_read_is_an_event_and_no_gap() -> None:
    async def talk(connection: ServerConnection, flux: Flux) -> None:
        await connection.send(flux.message("Applause", volume=11))
        await connection.send(flux.message("TurnInfo", event=7))
        await connection.send(flux.turn("Update"))

    async with opened(scripted(talk)) as flux:
        await anext(flux)
        assert isinstance(await anext(flux), Unknown)
        assert isinstance(await anext(flux), Malformed)
        assert isinstance(await anext(flux), TurnInfo)
        assert flux.irregularities == ()


async def test_a_strict_stream_ends_with_a_message_that_cannot_be_read() -> None:
    async def talk(connection: ServerConnection, flux: Flux) -> None:
        await connection.send(flux.message("TurnInfo", event=7))

    with pytest.raises(ProtocolError, match="event"):
        async with opened(scripted(talk), StreamSettings(strict=True)) as flux:
            _ = [event async for event in flux]


async def test_turns_out_of_order_are_noted_and_change_nothing() -> None:
    odd = [("TurnResumed", "Hi"), ("EndOfTurn", "Hi"), ("EagerEndOfTurn", "Go"), ("Update", "Go!")]
    async with opened(saying(*odd)) as flux:
        await flux.close_stream()
        assert events_of([event async for event in flux]) == odd
        assert [(each.sequence_id, each.rule) for each in flux.irregularities] == [
            (1, "TurnResumed does not come while nobody speaks"),
            (3, "EagerEndOfTurn does not come while nobody speaks"),
            (4, "the transcript of an EagerEndOfTurn stays until TurnResumed"),
        ]


async def test_updates_are_dropped_for_a_slow_consumer_and_turns_are_not() -> None:
    said = [
        ("StartOfTurn", "a"),
        *[("Update", "a")] * 20,
        ("EagerEndOfTurn", "a b"),
        ("EndOfTurn", "a b"),
    ]
    async with opened(saying(*said), StreamSettings(event_buffer=4)) as flux:
        await flux.finish()
        kept = events_of([event async for event in flux])
        assert [name for name, _ in kept if name != "Update"] == [
            "StartOfTurn",
            "EagerEndOfTurn",
            "EndOfTurn",
        ]
        assert flux.dropped_interims == 20


# Turns.


async def told(flux: FluxStream) -> list[tuple[str, bool, bool]]:
    """Return text, kind and outcome of every turn."""
    return [(turn.transcript, turn.is_draft, await turn.confirmed()) async for turn in flux.turns()]


@pytest.mark.parametrize(
    ("said", "turns"),
    [
        ([], []),
        ([("Update", ""), ("Update", "")], []),
        ([("StartOfTurn", "Hi"), ("EndOfTurn", "Hi.")], [("Hi.", False, True)]),
        (
            [("StartOfTurn", "Hi"), ("EagerEndOfTurn", "Hi."), ("EndOfTurn", "Hi.")],
            [("Hi.", True, True)],
        ),
        (
            [
                ("StartOfTurn", "Hi"),
                ("EagerEndOfTurn", "Hi."),
                ("Update", "Hi."),
                ("TurnResumed", "Hi,"),
                ("EagerEndOfTurn", "Hi, you."),
                ("EndOfTurn", "Hi, you."),
                ("StartOfTurn", "And"),
                ("EndOfTurn", "And now?"),
            ],
            [("Hi.", True, False), ("Hi, you.", True, True), ("And now?", False, True)],
        ),
        # A turn that was resumed, and ended without another draft.
        (
            [
                ("StartOfTurn", "Hi"),
                ("EagerEndOfTurn", "Hi."),
                ("TurnResumed", "Hi,"),
                ("EndOfTurn", "Hi, you."),
            ],
            [("Hi.", True, False), ("Hi, you.", False, True)],
        ),
        # The stream ends within a turn.
        ([("StartOfTurn", "Hi"), ("Update", "Hi there")], [("Hi there", False, True)]),
        ([("StartOfTurn", "Hi"), ("EagerEndOfTurn", "Hi.")], [("Hi.", True, True)]),
        (
            [("StartOfTurn", "Hi"), ("EagerEndOfTurn", "Hi."), ("TurnResumed", "Hi, y")],
            [("Hi.", True, False), ("Hi, y", False, True)],
        ),
        # Against the rules: no words are lost, and none come twice.
        (
            [("StartOfTurn", "Hi"), ("EagerEndOfTurn", "Hi."), ("EndOfTurn", "Hi, you.")],
            [("Hi.", True, False), ("Hi, you.", False, True)],
        ),
        (
            [("EagerEndOfTurn", "Hi."), ("EagerEndOfTurn", "Hi, you."), ("EndOfTurn", "Hi, you.")],
            [("Hi.", True, False), ("Hi, you.", True, True)],
        ),
        (
            [("EagerEndOfTurn", "Hi."), ("StartOfTurn", "Go"), ("EndOfTurn", "Go.")],
            [("Hi.", True, False), ("Go.", False, True)],
        ),
    ],
)
async def test_turns_and_drafts_come_with_their_outcome(
    said: list[tuple[str, str]], turns: list[tuple[str, bool, bool]]
) -> None:
    async with opened(saying(*said)) as flux:
        await flux.close_stream()
        assert await told(flux) == turns


async def test_a_draft_is_there_before_its_outcome() -> None:
    draft_is_taken = asyncio.Event()

    async def talk(connection: ServerConnection, flux: Flux) -> None:
        for text in flux.turns(("StartOfTurn", "Hi"), ("EagerEndOfTurn", "Hi.")):
            await connection.send(text)
        await draft_is_taken.wait()
        await connection.send(flux.turn("EndOfTurn", "Hi."))

    async with opened(scripted(talk)) as flux:
        turns = flux.turns()
        turn = await anext(turns)
        outcomes = [asyncio.ensure_future(turn.confirmed()) for _ in range(3)]
        cancelled = asyncio.ensure_future(turn.confirmed())
        await asyncio.sleep(0)
        assert not any(outcome.done() for outcome in outcomes)
        cancelled.cancel()
        draft_is_taken.set()
        assert await asyncio.gather(*outcomes) == [True, True, True]
        await turns.aclose()


async def test_a_turn_tells_what_was_said() -> None:
    async with opened(saying(("StartOfTurn", "Hi"), ("EndOfTurn", "Hi there."))) as flux:
        turn = await anext(flux.turns())
        assert [word.word for word in turn.words] == ["Hi", "there."]
        assert (turn.index, turn.trigger, turn.info.end_of_turn_confidence) == (0, "model", 0.5)
        assert repr(turn) == "<Turn 0 'Hi there.'>"


async def test_turns_may_be_asked_for_after_messages_were_taken() -> None:
    said = [
        ("StartOfTurn", "Hi"),
        ("EagerEndOfTurn", "Hi."),
        ("EndOfTurn", "Hi."),
        ("StartOfTurn", "Go"),
        ("EagerEndOfTurn", "Go."),
        ("EndOfTurn", "Go."),
    ]
    async with opened(saying(*said)) as flux:
        async for event in flux:
            if isinstance(event, TurnInfo) and event.event == "EagerEndOfTurn":
                break
        await flux.close_stream()
        assert await told(flux) == [("Hi.", False, True), ("Go.", True, True)]


@pytest.mark.parametrize("said", [[("StartOfTurn", "Hi"), ("EagerEndOfTurn", "Hi.")]])
async def test_an_open_draft_learns_that_the_connection_was_lost(
    said: list[tuple[str, str]],
) -> None:
    draft_is_taken = asyncio.Event()

    async def talk(connection: ServerConnection, flux: Flux) -> None:
        for text in flux.turns(*said):
            await connection.send(text)
        await draft_is_taken.wait()
        await connection.close(1011)

    with pytest.raises(ConnectionLostError):
        async with opened(scripted(talk), ONCE) as flux:
            async for turn in flux.turns():
                draft_is_taken.set()
                with pytest.raises(ConnectionLostError):
                    await turn.confirmed()


async def test_an_open_draft_learns_that_the_stream_was_closed_at_once() -> None:
    async with opened(saying(("StartOfTurn", "Hi"), ("EagerEndOfTurn", "Hi."))) as flux:
        turns = flux.turns()
        turn: Turn = await anext(turns)
        await flux.aclose()
        with pytest.raises(InvalidStateError):
            await turn.confirmed()
        await turns.aclose()


async def test_leaving_the_turns_early_leaves_the_rest_to_the_stream() -> None:
    said = [("StartOfTurn", "a"), ("EndOfTurn", "a"), ("StartOfTurn", "b"), ("EndOfTurn", "b")]
    async with opened(saying(*said)) as flux:
        async for turn in flux.turns():
            assert turn.transcript == "a"
            break
        await flux.close_stream()
        assert await told(flux) == [("b", False, True)]
