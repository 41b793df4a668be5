import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from deepgram_async import DeepgramSession, FluxStream, LiveStream, StreamSettings
from deepgram_async.errors import (
    ConfigureError,
    ConnectionLostError,
    InvalidStateError,
    OperationTimeoutError,
    OptionError,
)
from deepgram_async.models import flux, live
from tests.support.servers import SocketHandler, websocket_server


@asynccontextmanager
async def session(
    handler: SocketHandler, settings: StreamSettings | None = None, *, validate: bool = True
) -> AsyncGenerator[DeepgramSession]:
    async with (
        websocket_server(handler) as url,
        DeepgramSession(api_key="sentinel", base_url=url, stream=settings, validate=validate) as dg,
    ):
        yield dg


def answering(*answers: dict[str, Any] | None, frames: list[Any] | None = None) -> SocketHandler:
    """Return a server that gives the next of its answers to each ``Configure``."""

    async def talk(connection: ServerConnection) -> None:
        left = list(answers)
        async for frame in connection:
            message = json.loads(frame)
            if message["type"] == "CloseStream":
                return
            if frames is not None:
                frames.append(message)
            answer = left.pop(0)
            if answer is not None:
                await connection.send(json.dumps({"request_id": "r-1", "sequence_id": 0} | answer))

    return talk


SUCCESS: dict[str, Any] = {
    "type": "ConfigureSuccess",
    "thresholds": {"eot_threshold": 0.8},
    "keyterms": ["apple"],
    "language_hints": ["en"],
    "numerals": True,
}
FAILURE: dict[str, Any] = {
    "type": "ConfigureFailure",
    "code": "INVALID_THRESHOLD",
    "description": "eager_eot_threshold must be less than or equal to eot_threshold",
}


def flux_of(dg: DeepgramSession) -> FluxStream:
    return dg.listen.flux(model="flux-general-multi")


# Flux.


async def test_flux_returns_the_whole_configuration() -> None:
    frames: list[Any] = []
    async with session(answering(SUCCESS, frames=frames)) as dg, flux_of(dg) as stream:
        success = await stream.configure(
            eot_threshold=0.8, keyterms="apple", language_hints=["en"], numerals=True
        )
        assert success == await anext(stream), "the answer is an event too"
    assert success.thresholds == flux.Thresholds(eot_threshold=0.8)
    assert (success.keyterms, success.language_hints, success.numerals) == (["apple"], ["en"], True)
    assert frames == [
        {
            "type": "Configure",
            "thresholds": {"eot_threshold": 0.8},
            "keyterms": ["apple"],
            "language_hints": ["en"],
            "numerals": True,
        }
    ]


async def test_flux_raises_what_the_service_refuses_and_goes_on() -> None:
    async with session(answering(FAILURE, SUCCESS)) as dg, flux_of(dg) as stream:
        with pytest.raises(ConfigureError) as caught:
            await stream.configure(eager_eot_threshold=0.8)
        assert isinstance(await stream.configure(numerals=True), flux.ConfigureSuccess)
        assert isinstance(await anext(stream), flux.ConfigureFailure)
    error = caught.value
    assert (error.code, error.message) == ("INVALID_THRESHOLD", FAILURE["description"])
    assert (error.operation, error.request_id) == ("WebSocket /v2/listen", stream.request_id)


async def test_an_old_failure_without_a_reason_is_a_failure() -> None:
    async with session(answering({"type": "ConfigureFailure"})) as dg, flux_of(dg) as stream:
        with pytest.raises(ConfigureError, match="refused the configuration"):
            await stream.configure(numerals=True)


async def test_flux_refuses_a_broken_rule_before_anything_is_sent() -> None:
    frames: list[Any] = []
    async with session(answering(SUCCESS, frames=frames)) as dg, flux_of(dg) as stream:
        with pytest.raises(OptionError, match="eot_threshold must be from"):
            await stream.configure(eot_threshold=0.2)
        with pytest.raises(OptionError, match=r"^numerals: Expected `bool"):
            await stream.configure(numerals="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        await stream.configure(numerals=True)
    assert frames == [{"type": "Configure", "numerals": True}]


async def test_without_validation_the_service_decides() -> None:
    frames: list[Any] = []
    async with (
        session(answering(FAILURE, frames=frames), validate=False) as dg,
        flux_of(dg) as stream,
    ):
        with pytest.raises(ConfigureError):
            await stream.configure(eot_threshold=0.2)
    assert frames[0]["thresholds"] == {"eot_threshold": 0.2}


async def test_one_change_is_under_way_at_a_time() -> None:
    overtaken: list[int] = []

    async def talk(connection: ServerConnection) -> None:
        while True:
            message = json.loads(await connection.recv())
            if message["type"] == "CloseStream":
                return
            # A second one that was under way would arrive within this time.
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await connection.recv()
                    overtaken.append(2)
            answer = {"request_id": "r-1", "sequence_id": 0, "keyterms": message["keyterms"]}
            await connection.send(json.dumps(SUCCESS | answer))

    async with session(talk) as dg, flux_of(dg) as stream:
        calls = [asyncio.ensure_future(stream.configure(keyterms=[str(n)])) for n in range(3)]
        answers = await asyncio.gather(*calls)
    assert [answer.keyterms for answer in answers] == [["0"], ["1"], ["2"]]
    assert overtaken == []


async def test_the_answer_to_a_cancelled_change_is_not_that_of_the_next() -> None:
    may_answer = asyncio.Event()
    arrived = asyncio.Event()

    async def talk(connection: ServerConnection) -> None:
        answers = [FAILURE, SUCCESS]
        async for frame in connection:
            if json.loads(frame)["type"] == "CloseStream":
                return
            arrived.set()
            await may_answer.wait()
            answer = {"request_id": "r-1", "sequence_id": 0} | answers.pop(0)
            await connection.send(json.dumps(answer))

    async with session(talk) as dg, flux_of(dg) as stream:
        first = asyncio.ensure_future(stream.configure(eot_threshold=0.9))
        await arrived.wait()
        first.cancel()
        second = asyncio.ensure_future(stream.configure(numerals=True))
        await asyncio.sleep(0)
        may_answer.set()
        assert (await second).numerals is True
        assert first.cancelled()


async def test_a_change_that_is_never_answered_times_out_and_the_next_is_heard() -> None:
    settings = StreamSettings(confirm_timeout_s=0.1)
    async with session(answering(None, SUCCESS), settings) as dg, flux_of(dg) as stream:
        with pytest.raises(OperationTimeoutError, match="did not confirm") as caught:
            await stream.configure(numerals=False)
        assert caught.value.operation == "WebSocket /v2/listen"
        assert (await stream.configure(numerals=True)).numerals is True


@pytest.mark.parametrize("code", [1000, 1011])
async def test_a_change_ends_with_the_stream(code: int) -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(code)

    with pytest.raises(ConnectionLostError):
        async with session(leave, StreamSettings(reconnect=None)) as dg, flux_of(dg) as stream:
            await stream.configure(numerals=True)


async def test_a_stream_that_is_ending_cannot_be_configured() -> None:
    async with session(answering()) as dg, flux_of(dg) as stream:
        await stream.close_stream()
        with pytest.raises(InvalidStateError, match="cannot configure: stream is"):
            await stream.configure(numerals=True)
    with pytest.raises(InvalidStateError, match="not open"):
        await stream.configure(numerals=True)


# Live transcription.


def live_of(dg: DeepgramSession) -> LiveStream:
    return dg.listen.live(model="nova-3")


async def test_live_returns_what_is_in_force() -> None:
    frames: list[Any] = []
    answer = {"type": "ConfigureSuccess", "keyterms": ["Deepgram"]}
    async with session(answering(answer, frames=frames)) as dg, live_of(dg) as stream:
        success = await stream.configure(keyterms=["Deepgram"], features={"numerals": True})
        assert success == await anext(stream), "the answer is an event too"
    assert success.keyterms == ["Deepgram"]
    assert frames == [
        {"type": "Configure", "keyterms": ["Deepgram"], "features": {"numerals": True}}
    ]


@pytest.mark.parametrize(
    "code",
    [
        "CONFIGURE_KEYTERMS_NOT_SUPPORTED",
        "CONFIGURE_KEYTERM_LIMIT_EXCEEDED",
        "CONFIGURE_ALREADY_PENDING",
        "CONFIGURE_INTERNAL_ERROR",
        "NOT_INVENTED_YET",
    ],
)
async def test_live_raises_what_the_service_refuses_and_goes_on(code: str) -> None:
    refusal = {"type": "ConfigureFailure", "code": code, "description": "no"}
    async with (
        session(answering(refusal, {"type": "ConfigureSuccess"})) as dg,
        live_of(dg) as stream,
    ):
        with pytest.raises(ConfigureError, match="no") as caught:
            await stream.configure(keyterms=[])
        assert caught.value.code == code
        assert (await stream.configure(features={"numerals": False})).keyterms is None


async def test_a_service_that_does_not_know_the_message_refuses_it() -> None:
    error = {
        "type": "Error",
        "variant": "SchemaError",
        "description": "unknown variant `Configure`",
        "message": '{"type":"Configure","keyterms":["a"]}',
    }
    async with session(answering(error)) as dg, live_of(dg) as stream:
        with pytest.raises(ConfigureError, match="unknown variant") as caught:
            await stream.configure(keyterms=["a"])
        assert caught.value.code == "SchemaError"
        assert isinstance(await anext(stream), live.Error)


async def test_another_error_is_no_answer() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send('{"type":"Error","variant":"SchemaError","message":"something else"}')
        await connection.send('{"type":"ConfigureSuccess","request_id":"r-1"}')
        await connection.recv()

    async with session(talk) as dg, live_of(dg) as stream:
        assert isinstance(await stream.configure(keyterms=["a"]), live.ConfigureSuccess)
        assert isinstance(await anext(stream), live.Error)


async def test_live_refuses_a_wrong_type_before_anything_is_sent() -> None:
    frames: list[Any] = []
    async with session(answering(frames=frames)) as dg, live_of(dg) as stream:
        with pytest.raises(OptionError, match=r"^features: Expected `bool`"):
            await stream.configure(features={"numerals": "yes"})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    assert frames == []
