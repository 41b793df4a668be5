"""How a conversation that is resumed ends, and how one goes on before it would end."""

import asyncio
import gc
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import msgspec
import pytest

from deepgram_async import (
    AgentStream,
    ConnectionLoss,
    DeepgramSession,
    Reconnected,
    Reconnecting,
    ReconnectPolicy,
    StreamSettings,
)
from deepgram_async.errors import AgentError, ConnectionLostError, InvalidStateError
from deepgram_async.models.agent import AgentAudioDone, AgentEvent, ConversationText
from deepgram_async.models.agent import Warning as AgentWarning
from deepgram_async.models.agent_settings import Audio, Input, Settings
from deepgram_async.testing import Fault, FaultProxy
from tests.support.agent import Peer, call, happens, request, until
from tests.support.resumed_agent import FAST, Service, lose, opened, quiet, silence, talking
from tests.support.servers import websocket_server


async def for_ever(_: ConnectionLoss) -> None:
    await asyncio.sleep(1000)


NEVER = ReconnectPolicy(first_delay_s=1000.0, longest_delay_s=1000.0, give_up_s=10**6)
# The pause is a random share: it must not be none.
SURELY = msgspec.structs.replace(NEVER, on_loss=for_ever)
HEALING = StreamSettings(reconnect=FAST)


async def lost(peer: Peer) -> None:
    await peer.greet()
    await lose(peer)


def forget(streams: list[AgentStream]) -> None:
    streams.clear()
    gc.collect()


async def bye(peer: Peer) -> None:
    await peer.greet()
    await peer.say("ConversationText", role="assistant", content="Bye.")
    await peer.say("AgentAudioDone")


# What is healed, and what is not.


@pytest.mark.parametrize(
    "code", ["ASR_CONNECTION_CLOSED", "INTERNAL_SERVER_ERROR", "SERVER_GOING_AWAY"]
)
@pytest.mark.parametrize("closes", [False, True])
async def test_an_error_that_passes_is_healed(code: str, closes: bool) -> None:
    async def fails(peer: Peer) -> None:
        await peer.greet()
        await peer.say("Error", code=code, description="Not now.")
        if closes:
            await peer.connection.close(1011)

    async with opened(Service(fails, bye)) as agent:
        events = await until(agent, AgentAudioDone)
    reasons = [event.reason for event in events if isinstance(event, Reconnecting)]
    assert len(reasons) == 1
    assert f"{code}: Not now." in reasons[0]


async def test_an_error_that_stays_ends_the_conversation() -> None:
    async def fails(peer: Peer) -> None:
        await peer.greet()
        await peer.say("Error", code="CLIENT_MESSAGE_TIMEOUT", description="Say something.")

    service = Service(fails)
    with pytest.raises(AgentError, match="Say something") as caught:
        async with opened(service) as agent:
            await until(agent, AgentAudioDone)
    assert caught.value.code == "CLIENT_MESSAGE_TIMEOUT"
    assert len(service.peers) == 1


async def test_an_error_at_the_beginning_of_the_next_connection_ends_the_conversation() -> None:
    async def refuses(peer: Peer) -> None:
        await peer.say("Welcome", request_id="r-2")
        await peer.hear("Settings")
        await peer.say("Error", code="INVALID_SETTINGS", description="Too long.")

    with pytest.raises(AgentError, match="Too long") as caught:
        async with opened(Service(lost, refuses)) as agent:
            await until(agent, AgentAudioDone)
    assert caught.value.request_id == "r-2"


async def test_an_error_that_passes_raises_before_the_settings_are_in_force() -> None:
    async def fails(peer: Peer) -> None:
        await peer.say("Welcome", request_id="r-1")
        await peer.hear("Settings")
        await peer.say("Error", code="INTERNAL_SERVER_ERROR", description="Not now.")

    service = Service(fails)
    with pytest.raises(AgentError, match="Not now") as caught:
        async with opened(service):
            pytest.fail("it is not open")
    assert caught.value.retryable
    assert len(service.peers) == 1


async def test_a_loss_before_the_settings_are_in_force_raises_as_it_is() -> None:
    async def leaves(peer: Peer) -> None:
        await peer.say("Welcome")
        await peer.hear("Settings")
        await peer.connection.close(1011, "out of order")

    service = Service(leaves)
    with pytest.raises(ConnectionLostError, match="out of order") as caught:
        async with opened(service):
            pytest.fail("it is not open")
    assert "its settings were never applied" in caught.value.message
    assert len(service.peers) == 1


async def test_a_code_is_still_told_when_the_attempts_are_used_up() -> None:
    async def fails(peer: Peer) -> None:
        await peer.greet()
        await peer.say("Error", code="SERVER_GOING_AWAY", description="Not now.")

    policy = msgspec.structs.replace(FAST, attempts=2)
    with pytest.raises(ConnectionLostError, match="2 attempts to reconnect failed") as caught:
        async with opened(Service(fails, fails, fails), policy=policy) as agent:
            async for _ in agent:
                pass
    assert caught.value.code == "SERVER_GOING_AWAY"
    assert "SERVER_GOING_AWAY" in str(caught.value)


async def test_without_a_policy_a_loss_ends_the_conversation() -> None:
    service = Service(lost)
    with pytest.raises(ConnectionLostError):
        async with opened(service, policy=None) as agent:
            async for _ in agent:
                pass
    assert len(service.peers) == 1


async def test_audio_in_a_container_cannot_go_on_elsewhere() -> None:
    async def hears(peer: Peer) -> None:
        await peer.greet()
        await peer.frame()
        await lose(peer)

    settings = Settings(audio=Audio(input=Input(encoding="flac", sample_rate=16000)))
    with pytest.raises(ConnectionLostError, match="flac cannot be continued"):
        async with opened(Service(hears), settings=settings) as agent:
            await agent.send_audio(b"fLaC")
            async for _ in agent:
                pass


@pytest.mark.parametrize("kind", ["cut", "reset"])
async def test_a_broken_network_is_healed(kind: Any) -> None:
    async with (
        websocket_server(Service(quiet, bye)) as url,
        FaultProxy(url) as proxy,
        DeepgramSession(
            "key", base_url=proxy.base_url, stream=StreamSettings(reconnect=FAST)
        ) as dg,
        dg.agent.converse() as agent,
    ):
        proxy.inject(Fault(kind))
        await until(agent, AgentAudioDone)
    assert proxy.connections_made == 2


# Leaving.


async def test_leaving_without_a_connection_ends_at_once_and_regularly() -> None:
    async with opened(Service(lost), policy=SURELY) as agent:
        await until(agent, Reconnecting)
        async with asyncio.timeout(1):
            await agent.finish()
            assert [event async for event in agent] == []
        assert not agent.drain_timed_out
    assert not agent.is_open


async def test_leaving_while_the_next_agent_is_set_up_ends_at_once_and_regularly() -> None:
    ended = asyncio.Event()

    async def unwelcoming(peer: Peer) -> None:
        await peer.connection.wait_closed()
        ended.set()

    async with opened(Service(lost, unwelcoming)) as agent:
        await until(agent, Reconnected)
        async with asyncio.timeout(1):
            await agent.finish()
            await happens(ended)
            assert [event async for event in agent] == []
        assert not agent.drain_timed_out


async def test_leaving_another_connection_closes_it_after_all_that_was_queued() -> None:
    service = Service(lost, bye)
    async with opened(service) as agent:
        await until(agent, AgentAudioDone)
        await agent.send_audio(silence())
    assert service.frames[1] == [silence()]
    assert service.peers[1].connection.close_code == 1000


async def test_a_gap_can_be_closed_from_another_task() -> None:
    async with opened(Service(lost), policy=SURELY) as agent:
        agent.start(talking())
        await until(agent, Reconnecting)
        receiving = asyncio.create_task(anext(agent))
        await asyncio.sleep(0)
        async with asyncio.timeout(1):
            await asyncio.create_task(agent.aclose())
            with pytest.raises(StopAsyncIteration):
                await receiving
        with pytest.raises(InvalidStateError):
            await agent.send_audio(silence())


async def test_a_function_that_ends_after_the_conversation_says_nothing() -> None:
    may_end, has_ended = asyncio.Event(), asyncio.Event()

    async def look_up() -> str:
        await happens(may_end)
        has_ended.set()
        return "found"

    async def calls(peer: Peer) -> None:
        await peer.greet()
        await peer.send(request(call("c1", "look_up")))
        await lose(peer)

    async def fails(peer: Peer) -> None:
        await peer.say("Error", code="INVALID_SETTINGS")

    with pytest.raises(AgentError):
        async with opened(
            Service(calls, fails), settings={"agent": {"think": {}}}, tools=[look_up]
        ) as agent:
            with pytest.raises(AgentError):
                await until(agent, AgentAudioDone)
            may_end.set()
            await happens(has_ended)
            await agent.update_prompt("Go on.")


async def test_a_conversation_that_is_forgotten_in_a_gap_warns_and_ends() -> None:
    async with (
        websocket_server(Service(lost)) as url,
        DeepgramSession("key", base_url=url, stream=StreamSettings(reconnect=SURELY)) as dg,
    ):
        streams: list[AgentStream] = [dg.agent.converse()]
        await streams[0].open()
        await until(streams[0], Reconnecting)
        with pytest.warns(ResourceWarning, match=r"<AgentStream open .*> was never closed"):
            forget(streams)
        assert dg.streams == ()


# Handing over.

AGING = StreamSettings(agent_longest_s=1.0, close_timeout_s=0.2)
SOON = msgspec.structs.replace(FAST, handover_s=0.5)


async def test_a_conversation_is_handed_over_before_the_service_ends_it() -> None:
    codes: list[int | None] = []

    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.say("ConversationText", role="assistant", content="Hello!")
        await peer.say("AgentAudioDone")
        await peer.listen()
        codes.append(peer.connection.close_code)

    service = Service(first, bye)
    loop = asyncio.get_running_loop()
    async with opened(service, policy=SOON, stream=AGING) as agent:
        began = loop.time()
        events = await until(agent, Reconnected)
        assert 0.4 < loop.time() - began
        again = events[-1]
        events += await until(agent, AgentAudioDone)
    assert isinstance(again, Reconnected)
    assert again.is_planned
    assert again.gap_s == pytest.approx(0.0, abs=0.1)
    assert not any(isinstance(event, Reconnecting) for event in events)
    assert codes == [1000]
    context = service.settings[1]["agent"]["context"]["messages"]
    assert [message["content"] for message in context] == ["Hello!"]


async def test_no_audio_is_lost_when_a_conversation_is_handed_over() -> None:
    frames: list[str | bytes] = []
    later: list[str | bytes] = []

    async def first(peer: Peer) -> None:
        await peer.greet()
        frames.extend(await peer.listen())

    async def second(peer: Peer) -> None:
        await peer.greet()
        later.append(await peer.frame())
        while len(later) < 10 or later[-1] in frames:
            later.append(await peer.frame())
        await peer.say("AgentAudioDone")

    async with opened(Service(first, second), policy=SOON, stream=AGING) as agent:
        agent.start(counting())
        await until(agent, AgentAudioDone)
    numbers = [int.from_bytes(frame[:2]) for frame in [*frames, *later] if isinstance(frame, bytes)]
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))


async def counting() -> AsyncIterator[bytes]:
    """Yield chunks that can be told apart, as a microphone does."""
    for number in count(1):
        yield number.to_bytes(2) * 480
        await asyncio.sleep(0.02)


async def test_the_service_s_own_warning_hands_the_conversation_over() -> None:
    async def warns(peer: Peer) -> None:
        await peer.greet()
        await peer.say("Warning", code="MAXIMUM_SESSION_LENGTH_APPROACHING")

    async with opened(Service(warns, bye)) as agent:
        events = await until(agent, AgentAudioDone)
    assert [type(event) for event in events[2:5]] == [AgentWarning, Reconnected, ConversationText]
    assert isinstance(events[3], Reconnected)
    assert events[3].is_planned


async def test_a_conversation_is_handed_over_in_a_quiet_moment() -> None:
    may_end = asyncio.Event()

    async def speaks(peer: Peer) -> None:
        await peer.greet()
        await peer.say("ConversationText", role="assistant", content="Well,")
        await peer.speak(b"well")
        await peer.say("Warning", code="MAXIMUM_SESSION_LENGTH_APPROACHING")
        await happens(may_end)
        await peer.speak(b"so")
        await peer.say("AgentAudioDone")

    service = Service(speaks, quiet)
    async with opened(service) as agent:
        await until(agent, AgentWarning)
        await asyncio.sleep(0.05)
        assert len(service.peers) == 1
        may_end.set()
        events: list[AgentEvent] = await until(agent, Reconnected)
        while not service.settings[1:] or not service.settings[1]:
            await asyncio.sleep(0.01)
    assert [type(event).__name__ for event in events] == ["Audio", "AgentAudioDone", "Reconnected"]


async def test_a_handover_that_fails_is_tried_again_and_leaves_the_connection() -> None:
    async def warns(peer: Peer) -> None:
        await peer.greet()
        await peer.say("Warning", code="MAXIMUM_SESSION_LENGTH_APPROACHING")

    async with (
        websocket_server(Service(warns, bye)) as url,
        FaultProxy(url, [Fault("reset", connection=1)]) as proxy,
        DeepgramSession(
            "key", base_url=proxy.base_url, stream=StreamSettings(reconnect=FAST)
        ) as dg,
        dg.agent.converse() as agent,
    ):
        events = await until(agent, AgentAudioDone)
    assert proxy.connections_made == 3
    assert not any(isinstance(event, Reconnecting) for event in events)


async def test_audio_in_a_container_is_not_handed_over() -> None:
    may_end = asyncio.Event()

    async def warns(peer: Peer) -> None:
        await peer.greet()
        await peer.frame()
        await peer.say("Warning", code="MAXIMUM_SESSION_LENGTH_APPROACHING")
        await happens(may_end)
        await peer.say("AgentAudioDone")

    async def unneeded(peer: Peer) -> None:
        may_end.set()

    settings = Settings(audio=Audio(input=Input(encoding="flac", sample_rate=16000)))
    async with opened(Service(warns, unneeded), settings=settings) as agent:
        await agent.send_audio(b"fLaC")
        events = await until(agent, AgentAudioDone)
    assert not any(isinstance(event, Reconnected) for event in events)
