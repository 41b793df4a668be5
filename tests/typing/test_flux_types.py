"""Read by the type checkers; running it only proves that the statements are true at run time."""

from collections.abc import AsyncIterator
from typing import assert_never, assert_type

from deepgram_async import DeepgramSession, FluxStream, Turn, TurnInfo
from deepgram_async.models import flux as models
from deepgram_async.models import live as live_models
from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Stalled, Unknown
from deepgram_async.models.flux import FluxEvent, Irregularity, TurnEvent, TurnTrigger, Word
from deepgram_async.options import FluxOptions


def told(event: FluxEvent) -> str:
    """Handle every event: a class that is forgotten here is an error of the type checkers."""
    match event:
        case models.Connected() | models.ConfigureSuccess() | models.ConfigureFailure():
            return assert_type(event.request_id, str)
        case TurnInfo(event="EndOfTurn"):
            assert_type(event.trigger, TurnTrigger | None)
            return assert_type(event.transcript, str)
        case TurnInfo():
            assert_type(event.words, list[Word])
            return assert_type(event.event, TurnEvent)
        case models.Warning() | models.Error():
            return event.description or ""
        case Unknown():
            return event.type
        case Malformed() | Reconnecting():
            return event.reason
        case Reconnected():
            return str(assert_type(event.dropped_s, float))
        case Stalled():
            return str(assert_type(event.audio_s, float | None))
        case _:
            assert_never(event)


async def flux(dg: DeepgramSession, chunks: AsyncIterator[bytes]) -> None:
    stream = dg.listen.flux(
        model="flux-general-en", sample_rate=16000, encoding="linear16", extra_query={"new": 1}
    )
    assert_type(stream, FluxStream)
    async with stream as opened:
        assert_type(opened, FluxStream)
        assert_type(opened.transcribe(chunks), FluxStream)
        assert_type([one async for one in opened], list[FluxEvent])
        async for turn in opened.turns():
            assert_type(turn, Turn)
            assert_type(turn.transcript, str)
            assert_type(turn.words, list[Word])
            assert_type(turn.index, int)
            assert_type(turn.is_draft, bool)
            assert_type(turn.trigger, TurnTrigger | None)
            assert_type(turn.info, TurnInfo)
            assert_type(await turn.confirmed(), bool)
        assert_type(await opened.send_audio(b"\x00\x00"), None)
        assert_type(await opened.force_end_turn(), None)
        assert_type(await opened.close_stream(), None)
        assert_type(await opened.finish(), None)
        assert_type(opened.irregularities, tuple[Irregularity, ...])
        success = await opened.configure(
            eot_threshold=0.8,
            eager_eot_threshold=0.5,
            eot_timeout_ms=700,
            keyterms=["a"],
            language_hints="en",
            numerals=True,
        )
        assert_type(success, models.ConfigureSuccess)
        assert_type(success.thresholds.eot_threshold, float | None)
        await opened.configure(numerals="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        await opened.configure(volume=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def wrong_calls(dg: DeepgramSession) -> None:
    dg.listen.flux(smart_format=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dg.listen.flux(model=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def live(dg: DeepgramSession) -> None:
    async with dg.listen.live(model="nova-3") as opened:
        success = await opened.configure(keyterms=["a"], features={"numerals": True})
        assert_type(success, live_models.ConfigureSuccess)
        assert_type(success.keyterms, list[str] | None)


def sessions_without_rules() -> None:
    dg = DeepgramSession("key", validate=False)
    assert_type(dg.with_options(validate=True), DeepgramSession)


def test_every_event_is_handled() -> None:
    assert told(Unknown("Applause", b"{}")) == "Applause"
    assert told(models.Connected(request_id="r-1", sequence_id=0)) == "r-1"


def test_options_are_typed() -> None:
    options = FluxOptions(model="flux-general-en", keyterm=("a", "b"))
    FluxOptions(endpointing=300)  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportCallIssue]  # for the first generation only
    assert options.keys() == {"model", "keyterm"}
