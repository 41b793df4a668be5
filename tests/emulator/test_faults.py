"""What goes wrong on demand, as the SDK and a plain client see it."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from deepgram_async import DeepgramSession, RetryPolicy
from deepgram_async.emulator import ServiceFault
from deepgram_async.errors import DeepgramError, ServerError
from deepgram_async.models.events import Malformed, Unknown
from deepgram_async.models.live import Results

from .helpers import DEADLINE_S, Live, of_type, serving, silence, transcripts, wav

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from .helpers import Client

RECORDING = wav(silence(1.0))


@asynccontextmanager
async def disturbed(*faults: ServiceFault, **settings: Any) -> AsyncGenerator[Client]:
    async with serving(faults=faults, **settings) as client:
        yield client


@asynccontextmanager
async def session(client: Client, **options: Any) -> AsyncGenerator[DeepgramSession]:
    async with DeepgramSession("a-key", base_url=client.emulator.base_url, **options) as dg:
        yield dg


# REST answers.


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (402, "ASR_PAYMENT_REQUIRED"),
        (403, "INSUFFICIENT_PERMISSIONS"),
        (429, "TOO_MANY_REQUESTS"),
        (503, "Service Unavailable"),
    ],
)
async def test_an_answer_has_the_documented_body(status: int, code: str) -> None:
    async with disturbed(ServiceFault(kind="answer", status=status)) as client:
        got, body, response = await client.post(RECORDING)
        assert (got, body["err_code"]) == (status, code)
        assert "Retry-After" not in response.headers
        assert response.headers["dg-error"] == body["err_msg"]
        assert (await client.post(RECORDING))[0] == 200


async def test_retry_after_is_sent_as_it_is_written() -> None:
    fault = ServiceFault(kind="answer", status=429, retry_after="0")
    async with disturbed(fault) as client, session(client) as dg:
        assert (await dg.listen.transcribe(RECORDING)).transcript
        requests = await client.http.get(
            f"{client.emulator.base_url}/v1/projects/00000000-0000-4000-8000-000000000000/requests"
        )
        log = await requests.json()
        assert [it["code"] for it in log["requests"]] == [200, 429]


async def test_a_gateway_answers_with_a_page() -> None:
    fault = ServiceFault(kind="answer", status=502, is_html=True, times=None)
    async with disturbed(fault) as client:
        async with client.http.post(client.url, data=RECORDING) as response:
            assert response.status == 502
            assert response.content_type == "text/html"
            assert "502 Bad Gateway" in await response.text()
        async with session(client) as dg:
            with pytest.raises(ServerError):
                await dg.listen.transcribe(RECORDING)


async def test_a_large_upload_gets_its_answer() -> None:
    async with disturbed(ServiceFault(kind="answer", status=429)) as client:
        assert (await client.post(io.BytesIO(wav(silence(400.0)))))[0] == 429
        assert (await client.post(RECORDING))[0] == 200


async def test_a_delay_comes_before_the_answer() -> None:
    async with disturbed(ServiceFault(kind="delay", delay_s=0.2)) as client:
        clock = asyncio.get_running_loop().time
        begun = clock()
        assert (await client.post(RECORDING))[0] == 200
        assert clock() - begun >= 0.19


async def test_a_slow_body_arrives_whole() -> None:
    async with disturbed(ServiceFault(kind="slow", bytes_per_s=4000)) as client:
        async with client.http.post(client.url, data=RECORDING) as response:
            pieces = [piece async for piece in response.content.iter_any()]
        assert len(pieces) > 1
        assert json.loads(b"".join(pieces))["results"]


async def test_a_cut_body_ends_in_the_middle() -> None:
    async with disturbed(
        ServiceFault(kind="cut", times=2), ServiceFault(kind="cut", after_bytes=10, skip=2)
    ) as client:
        async with client.http.post(client.url, data=RECORDING) as response:
            length = response.content_length
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
        async with client.http.post(client.url, data=RECORDING) as response:
            got = b""
            with pytest.raises(aiohttp.ClientPayloadError):
                while piece := await response.content.readany():
                    got += piece
            assert length is not None
            assert len(got) == length // 2
        async with client.http.post(client.url, data=RECORDING) as response:
            first = await response.content.readexactly(10)
            assert len(first) == 10
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()


async def test_a_stalled_answer_never_comes() -> None:
    async with disturbed(ServiceFault(kind="stall")) as client:
        timeout = aiohttp.ClientTimeout(total=0.2)
        with pytest.raises(TimeoutError):
            await client.http.post(client.url, data=RECORDING, timeout=timeout)
        # The place of the one that left is free.
        client.emulator.limit(max_requests=1)
        assert (await client.post(RECORDING))[0] == 200


async def test_a_malformed_body_is_an_error_with_its_bytes() -> None:
    fault = ServiceFault(kind="malformed", times=None)
    async with disturbed(fault) as client, session(client) as dg:
        with pytest.raises(DeepgramError, match=r"truncated|JSON|decode"):
            await dg.listen.transcribe(RECORDING)


async def test_unknown_fields_pass_through() -> None:
    async with disturbed(ServiceFault(kind="unknown_field", times=None)) as client:
        _, body, _ = await client.post(RECORDING)
        assert "field_of_tomorrow" in body
        assert "field_of_tomorrow" in body["results"]
        async with session(client) as dg:
            assert (await dg.listen.transcribe(RECORDING)).transcript
            assert (await dg.models.list()).stt


# Which requests are met.


async def test_a_fault_meets_its_path_method_and_project_alone() -> None:
    faults = [
        ServiceFault(kind="answer", path="/v1/projects", times=None),
        ServiceFault(kind="answer", method="DELETE", times=None),
        ServiceFault(kind="answer", project_id="someone-else", times=None),
    ]
    async with disturbed(*faults) as client, session(client, retry=RetryPolicy(attempts=1)) as dg:
        await dg.listen.transcribe(RECORDING)
        with pytest.raises(ServerError):
            await dg.projects.list()
        with pytest.raises(ServerError):
            await dg.keys.delete("x", project_id="00000000-0000-4000-8000-000000000000")


async def test_a_fault_spares_some_meets_some_and_is_over() -> None:
    async with disturbed(ServiceFault(kind="answer", status=500, skip=1, times=2)) as client:
        statuses = [(await client.post(RECORDING))[0] for _ in range(4)]
        assert statuses == [200, 500, 500, 200]


async def test_the_same_seed_fails_the_same_requests() -> None:
    async def statuses(seed: int) -> list[int]:
        fault = ServiceFault(kind="answer", probability=0.5, times=None)
        async with disturbed(fault, fault_seed=seed) as client:
            return [(await client.post(RECORDING))[0] for _ in range(20)]

    first = await statuses(1)
    assert first == await statuses(1)
    assert first != await statuses(2)
    assert set(first) == {200, 503}


async def test_faults_are_injected_and_healed_while_it_runs() -> None:
    async with serving() as client:
        client.emulator.inject(ServiceFault(kind="answer", times=None))
        assert (await client.post(RECORDING))[0] == 503
        client.emulator.heal()
        assert (await client.post(RECORDING))[0] == 200


async def test_a_header_scripts_the_fault_of_one_request() -> None:
    async with serving() as client:
        header = {"X-Emulator-Fault": "kind=answer, status=429, retry_after=3"}
        status, _, response = await client.post(RECORDING, headers=header)
        assert (status, response.headers["Retry-After"]) == (429, "3")
        assert (await client.post(RECORDING))[0] == 200
        for wrong in ("kind=explode", "kind=answer, status=200", "colour=blue"):
            status, body, _ = await client.post(RECORDING, headers={"X-Emulator-Fault": wrong})
            assert status == 400
            assert "X-Emulator-Fault" in body["err_msg"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "explode"},
        {"kind": "answer", "probability": 2},
        {"kind": "slow", "bytes_per_s": 0},
        {"kind": "answer", "status": 200},
        {"kind": "close", "code": 1005},
        {"kind": "close", "reason": "x" * 124},
    ],
)
def test_a_fault_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has a message of its own
        ServiceFault(**wrong)


# Limits.


async def test_the_limits_hold_for_each_project() -> None:
    async with serving(max_streams=1) as client, client.live():
        emulator = client.emulator
        other = emulator.add_key(project_id=emulator.add_project("Other"))
        with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
            await client.http.ws_connect(client.url)
        headers = {"Authorization": f"Token {other}"}
        async with client.http.ws_connect(client.url, headers=headers):
            assert emulator.open_streams == 2


# Streams.


@asynccontextmanager
async def live_with(fault: ServiceFault, **options: Any) -> AsyncGenerator[Live]:
    async with disturbed(fault) as client, client.live(**options) as live:
        yield live


@pytest.mark.parametrize(
    ("reason", "code"),
    [("NET-0000", 1011), ("NET-0001", 1011), ("NET-0002", 1011), ("DATA-0000", 1008)],
)
async def test_a_stream_is_closed_with_a_documented_reason(reason: str, code: int) -> None:
    async with live_with(ServiceFault(kind="close", reason=reason)) as live:
        message = await live.socket.receive(timeout=DEADLINE_S)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, code)
        assert reason.lower().replace("-", "") in str(message.extra)


@pytest.mark.parametrize(
    ("moment", "answers"),
    [({"after_messages": 2}, 2), ({"after_audio_bytes": 16000}, 0), ({"after_s": 0.05}, 0)],
)
async def test_a_stream_is_closed_at_its_moment(moment: dict[str, Any], answers: int) -> None:
    fault = ServiceFault(kind="close", code=4000, reason="as planned", **moment)
    async with live_with(fault, interim_results="true") as live:
        if "after_s" not in moment:
            await live.socket.send_bytes(silence(10.0))
        assert len(await live.rest()) == answers
        assert live.socket.close_code == 4000


async def test_the_sdk_resumes_a_stream_that_is_closed_and_loses_no_word() -> None:
    fault = ServiceFault(kind="close", after_audio_bytes=8000)
    async with disturbed(fault) as client, session(client) as dg:
        audio = (silence(0.25) for _ in range(12))
        stream = dg.listen.live(model="nova-3", encoding="linear16", sample_rate=8000)
        async with stream as live:
            heard = [it async for it in live.transcribe(_paced(audio))]
        said = " ".join(it.transcript for it in heard if isinstance(it, Results) and it.is_final)
        assert said.split() == ["hello", "world"]
        log = (await dg.requests.list("00000000-0000-4000-8000-000000000000")).requests
        assert len(log) == 2


async def _paced(pieces: Iterator[bytes]) -> AsyncGenerator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)


async def test_what_can_only_happen_to_a_stream_waits_for_one() -> None:
    async with disturbed(ServiceFault(kind="close", code=4000)) as client:
        assert (await client.post(RECORDING))[0] == 200
        async with client.live() as live:
            await live.rest()
            assert live.socket.close_code == 4000


async def test_a_stream_is_cut_without_a_goodbye() -> None:
    async with live_with(ServiceFault(kind="cut")) as live:
        await live.socket.receive(timeout=DEADLINE_S)
        assert live.socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_a_stalled_stream_takes_everything_and_says_nothing() -> None:
    async with live_with(ServiceFault(kind="stall")) as live:
        assert await live.transcribe(silence(3.0)) == []
        assert live.socket.close_code == 1000


async def test_a_slow_stream_says_everything_later() -> None:
    async with live_with(ServiceFault(kind="slow", delay_s=0.1)) as live:
        begun = asyncio.get_running_loop().time()
        messages = await live.transcribe(silence(3.0))
        assert "".join(transcripts(messages)) == "hello world"
        assert asyncio.get_running_loop().time() - begun >= 0.1 * len(messages) - 0.01


async def test_a_stream_says_what_nobody_knows() -> None:
    async with live_with(ServiceFault(kind="unknown_message", after_messages=1)) as live:
        await live.socket.send_bytes(silence(3.0))
        await live.say(type="CloseStream")
        # Not by the helper, which knows what there may be.
        async with asyncio.timeout(DEADLINE_S):
            kinds = [json.loads(message.data)["type"] async for message in live.socket]
        assert kinds[:2] == ["Results", "MessageOfTomorrow"]
        assert kinds[-1] == "Metadata"
    async with live_with(ServiceFault(kind="unknown_field")) as live:
        for message in await live.transcribe(silence(3.0)):
            assert "field_of_tomorrow" in message


async def test_the_sdk_hands_on_what_it_does_not_know_and_what_is_broken() -> None:
    strange = ServiceFault(kind="unknown_message"), ServiceFault(kind="malformed")
    async with disturbed(*strange, *map(_with_fields, strange)) as client, session(client) as dg:
        stream = dg.listen.live(model="nova-3", encoding="linear16", sample_rate=8000)
        async with stream as live:
            heard = [it async for it in live.transcribe(_paced(silence(1.0) for _ in range(3)))]
        kinds = {type(it) for it in heard}
        assert {Unknown, Malformed, Results} <= kinds


def _with_fields(fault: ServiceFault) -> ServiceFault:
    return ServiceFault(kind="unknown_field", after_messages=1, times=fault.times)


async def test_a_handshake_is_refused() -> None:
    fault = ServiceFault(kind="answer", status=429, retry_after="7")
    async with disturbed(fault) as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await client.http.ws_connect(client.url)
        assert caught.value.status == 429
        assert caught.value.headers is not None
        assert caught.value.headers["Retry-After"] == "7"
        assert "dg-error" in caught.value.headers
        async with client.live() as live:
            assert of_type(await live.transcribe(silence(1.0)), "Metadata")


async def test_the_header_scripts_the_fault_of_a_stream() -> None:
    async with serving() as client:
        header = {"X-Emulator-Fault": "kind=close, reason=NET-0000, after_messages=1"}
        async with client.http.ws_connect(
            client.url, params={"encoding": "linear16", "sample_rate": "8000"}, headers=header
        ) as socket:
            assert len(await Live(socket).transcribe(silence(10.0))) == 1
            assert socket.close_code == 1011


async def test_a_stream_that_is_refused_or_closed_leaves_its_place() -> None:
    close = ServiceFault(kind="close", times=3)
    async with disturbed(close, max_streams=1) as client:
        for _ in range(3):
            async with client.live() as live:
                await live.rest()
            await until(lambda: client.emulator.open_streams == 0)
        async with client.live() as live:
            assert of_type(await live.transcribe(silence(1.0)), "Metadata")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0)
