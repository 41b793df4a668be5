"""Nothing hangs: every operation ends in its time, wherever and however the peer stops.

All streams are opened, brought to their place, and then struck by the same fault at the same time
while every operation runs. The guards around all asynchronous tests see to it that no task and no
socket is left.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, suppress
from operator import methodcaller
from typing import Any, Final, NamedTuple

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from deepgram_async import DeepgramSession, ReconnectPolicy, StreamSettings
from deepgram_async.errors import DeepgramError
from deepgram_async.testing import Fault, FaultProxy
from tests.support.flux import Flux
from tests.support.listen import final
from tests.support.servers import websocket_server
from tests.support.speak import message

SETTINGS: Final = StreamSettings(
    open_timeout_s=0.5,
    keepalive_s=0.1,
    agent_keepalive_s=0.1,
    dead_peer_s=0.8,
    drain_timeout_s=0.3,
    close_timeout_s=0.3,
    confirm_timeout_s=0.3,
    speak_window_s=None,
    send_buffer_bytes=1 << 16,
    reconnect=None,
)
# What an operation may take beyond its deadline.
GRACE_S: Final = 1.0

OPEN_S: Final = SETTINGS.open_timeout_s
CLOSE_S: Final = SETTINGS.close_timeout_s
CONFIRM_S: Final = SETTINGS.confirm_timeout_s
INJECT_S: Final = 0.3
GIVE_UP_S: Final = 0.5
# A ping that is not answered is followed by a close; a write that blocks is looked at four times.
DEAD_S: Final = SETTINGS.dead_peer_s * 1.25 + CLOSE_S
DRAIN_S: Final = SETTINGS.drain_timeout_s + CLOSE_S

# A second of loud audio every hundredth: it fills all buffers in no time.
BLOCK: Final = b"\1" * 32000
PAUSE_S: Final = 0.01


# The operations.


async def receive(stream: Any) -> None:
    async for _ in stream:
        pass


async def turns(stream: Any) -> None:
    async for _ in stream.turns():
        pass


async def send_audio(stream: Any) -> None:
    async for block in endless():
        await stream.send_audio(block)


async def push(stream: Any) -> None:
    """Push audio, as another thread would, until the stream takes no more."""
    while stream.is_open:
        stream.push(BLOCK)
        await asyncio.sleep(PAUSE_S)


async def endless() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(PAUSE_S)
        yield BLOCK


async def transcribe(stream: Any) -> None:
    async for _ in stream.transcribe(endless()):
        pass


async def transcribe_to_the_end(stream: Any) -> None:
    async for _ in stream.transcribe([BLOCK]):
        pass


async def converse(stream: Any) -> None:
    stream.start(endless())
    await receive(stream)


async def send_text(stream: Any) -> None:
    while True:
        await stream.send_text("Tell me more. " * 100)
        await asyncio.sleep(PAUSE_S)


async def flush_text(stream: Any) -> None:
    await stream.send_text("Hello.")
    await stream.flush()


async def speak(stream: Any) -> None:
    async for _ in stream.speak(["Hello ", "there. ", "How are you?"]):
        pass


async def leave(stream: Any) -> None:
    await stream.__aexit__(None, None, None)


async def leave_with_an_error(stream: Any) -> None:
    await stream.__aexit__(ValueError, ValueError(), None)


def calls(name: str, *arguments: object, **named: object) -> Callable[[Any], Awaitable[object]]:
    """Return an operation that is one call of a method."""
    return methodcaller(name, *arguments, **named)


class Operation(NamedTuple):
    """Something that a user does with an open stream, and the time it may take."""

    name: str
    run: Callable[[Any], Awaitable[object]]
    limit_s: float
    needs_a_peer: bool = False
    """Whether it goes on for ever, rightly, as long as the peer answers pings and takes data."""


COMMON: Final = (
    Operation("receive", receive, DEAD_S, needs_a_peer=True),
    Operation("finish", calls("finish"), DRAIN_S),
    Operation("aclose", calls("aclose"), CLOSE_S),
    Operation("leave", leave, DRAIN_S + CLOSE_S),
    Operation("leave with an error", leave_with_an_error, CLOSE_S),
)
LISTENING: Final = (
    *COMMON,
    Operation("send_audio", send_audio, DEAD_S, needs_a_peer=True),
    Operation("push", push, DEAD_S, needs_a_peer=True),
    Operation("transcribe", transcribe, DEAD_S, needs_a_peer=True),
    Operation("transcribe to the end", transcribe_to_the_end, DEAD_S + DRAIN_S),
    Operation("close_stream", calls("close_stream"), 0),
)
SPEAKING: Final = (
    *COMMON,
    Operation("send_text", send_text, DEAD_S, needs_a_peer=True),
    Operation("flush", calls("flush"), CONFIRM_S),
    Operation("flush a text", flush_text, CONFIRM_S),
    Operation("speak", speak, DEAD_S + CONFIRM_S),
)
OPERATIONS: Final = {
    "live": (
        *LISTENING,
        Operation("finalize", calls("finalize"), 0),
        Operation("keep_alive", calls("keep_alive"), 0),
        Operation("configure", calls("configure", keyterms=["a"]), CONFIRM_S),
    ),
    "flux": (
        *LISTENING,
        Operation("turns", turns, DEAD_S, needs_a_peer=True),
        Operation("force_end_turn", calls("force_end_turn"), 0),
        Operation("configure", calls("configure", keyterms=["a"]), CONFIRM_S),
    ),
    "speak": (*SPEAKING, Operation("clear", calls("clear"), CONFIRM_S)),
    "speak_flux": (
        *SPEAKING,
        Operation("interrupt", calls("interrupt"), CONFIRM_S),
        Operation("configure", calls("configure", speed=1.1), CONFIRM_S),
    ),
    "agent": (
        *COMMON,
        Operation("send_audio", send_audio, DEAD_S, needs_a_peer=True),
        Operation("push", push, DEAD_S, needs_a_peer=True),
        Operation("converse", converse, DEAD_S, needs_a_peer=True),
        Operation("keep_alive", calls("keep_alive"), 0),
        Operation("update_prompt", calls("update_prompt", "Be brief."), CONFIRM_S),
        Operation(
            "inject_agent_message",
            calls("inject_agent_message", "Hello", timeout_s=INJECT_S),
            INJECT_S,
        ),
        Operation("inject_user_message", calls("inject_user_message", "Hello"), 0),
        Operation("force_end_turn", calls("force_end_turn"), 0),
    ),
}


def make(kind: str, dg: DeepgramSession) -> Any:
    match kind:
        case "live":
            return dg.listen.live()
        case "flux":
            return dg.listen.flux(model="flux-general-en")
        case "speak":
            return dg.speak.live(model="aura-2-thalia-en")
        case "speak_flux":
            return dg.speak.flux.live(model="flux-alexis-en")
        case _:
            return dg.agent.converse({"agent": {}, "audio": {}})


# The peer.


class Service:
    """Speaks the beginning of each protocol, and then nothing; it goes on reading."""

    PATHS: Final = {
        "/v1/listen": "live",
        "/v2/listen": "flux",
        "/v1/speak": "speak",
        "/v2/speak": "speak_flux",
        "/v1/agent/converse": "agent",
    }

    def __init__(self) -> None:
        self.messages: list[int] = []
        """How many more messages each connection gets, in their order."""
        self.said: list[asyncio.Event] = []
        """Set when the client has all of them."""
        self.later_steps = 2
        """How far the beginning of an agent's later connections comes."""

    async def __call__(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        kind = self.PATHS[connection.request.path.partition("?")[0]]
        number = len(self.said)
        self.said.append(asyncio.Event())
        with suppress(ConnectionClosed):
            if kind == "agent":
                await self._set_up(connection, self.later_steps if number >= self.first else 2)
            messages = self.messages[number] if number < len(self.messages) else 0
            for text in self._beginning(kind)[:messages]:
                await connection.send(text)
            await (await connection.ping())
            self.said[number].set()
            async for _ in connection:
                pass

    @property
    def first(self) -> int:
        """Number of the first connection that replaces another."""
        return len(self.messages)

    async def _set_up(self, connection: ServerConnection, steps: int) -> None:
        if steps:
            await connection.send(message("Welcome", request_id="r-1"))
        if steps > 1:
            await connection.recv()
            await connection.send(message("SettingsApplied"))

    def _beginning(self, kind: str) -> list[str]:
        match kind:
            case "live":
                return [final("one"), final("two")]
            case "flux":
                flux = Flux()
                return [flux.connected(), flux.turn("StartOfTurn", "one")]
            case "agent":
                return [
                    json.dumps({"type": "ConversationText", "role": "user", "content": "a"})
                ] * 2
            case _:
                return [message("Connected"), message("Warning", code="A", description="b")]


class Running(NamedTuple):
    """An operation on a stream of its own, at its place."""

    kind: str
    messages: int
    operation: Operation
    stream: Any

    async def end(self) -> str | None:
        """Run the operation; return what is wrong with how it ended."""
        limit_s = self.operation.limit_s + GRACE_S + (GIVE_UP_S if self.operation.limit_s else 0)
        wrong = await _wrong(self.operation.run(self.stream), limit_s)
        wrong = wrong or await _wrong(self.stream.aclose(), CLOSE_S + GRACE_S)
        return wrong and f"{self.kind}.{self.operation.name} after {self.messages} messages {wrong}"


async def _wrong(work: Awaitable[object], limit_s: float) -> str | None:
    try:
        async with asyncio.timeout(limit_s):
            await work
    except TimeoutError as error:
        if not isinstance(error, DeepgramError):
            return f"did not end in {limit_s:g} s"
    except DeepgramError:
        pass
    return None


async def wrong_ends(
    fault: Fault | None,
    policy: ReconnectPolicy | None,
    *,
    later_steps: int = 2,
    open_timeout_s: float = 10,
    kinds: Collection[str] = OPERATIONS,
) -> list[str]:
    """Run all operations, let the fault happen to all of them, and return what went wrong."""
    asyncio.get_running_loop().set_debug(False)  # it takes the time that is measured here
    service = Service()
    service.later_steps = later_steps
    running: list[Running] = []
    settings = msgspec.structs.replace(SETTINGS, open_timeout_s=open_timeout_s, reconnect=policy)
    # A fault that does not hold for the next connection is healed by it.
    is_healed = fault is None or (policy is not None and not (fault.stays and fault.is_immediate))
    is_healed = is_healed and later_steps == 2
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(websocket_server(service))
        proxy = await stack.enter_async_context(FaultProxy(url))
        dg = DeepgramSession("key", base_url=proxy.base_url, stream=settings)
        await stack.enter_async_context(dg)
        for kind in kinds:
            for operation in OPERATIONS[kind]:
                if operation.needs_a_peer and is_healed:
                    continue
                for messages in (0, 2):
                    service.messages.append(messages)
                    stream = make(kind, dg)
                    stack.push_async_callback(stream.aclose)
                    await stream.open()
                    running.append(Running(kind, messages, operation, stream))
        await asyncio.gather(*(said.wait() for said in service.said))
        if fault is not None:
            proxy.inject(fault)
        ends = await asyncio.gather(*(one.end() for one in running))
    return [wrong for wrong in ends if wrong is not None]


POLICY: Final = ReconnectPolicy(attempts=2, first_delay_s=0.05, give_up_s=GIVE_UP_S)


FAULTS: Final = {
    "silent but alive": None,
    "swallows everything": Fault("stop_forwarding"),
    "swallows its answers": Fault("stop_forwarding", "down"),
    "swallows what it is sent": Fault("stop_forwarding", "up"),
    "reads no more": Fault("stop_reading", "up"),
    "frozen": Fault("stop_reading"),
    "half-closed by the service": Fault("cut", "down"),
    "half-closed by the client": Fault("cut", "up"),
    "cut": Fault("cut"),
    "reset": Fault("reset"),
    "in the middle of a frame": Fault("stop_forwarding", "down", after_bytes=1, counting="down"),
}


@pytest.mark.parametrize("policy", [None, POLICY], ids=["once", "reconnecting"])
@pytest.mark.parametrize("peer", FAULTS)
async def test_every_operation_ends_in_its_time_when_the_peer_is(
    peer: str, policy: ReconnectPolicy | None
) -> None:
    assert await wrong_ends(FAULTS[peer], policy) == []


@pytest.mark.parametrize("later_steps", [0, 1])
async def test_every_operation_ends_in_its_time_when_the_next_agent_is_not_set_up(
    later_steps: int,
) -> None:
    policy = msgspec.structs.replace(POLICY, attempts=1)
    wrong = await wrong_ends(
        Fault("reset"), policy, later_steps=later_steps, open_timeout_s=1.0, kinds=["agent"]
    )
    assert wrong == []


# Opening.

OPENING_FAULTS: Final = {
    "swallows everything": Fault("stop_forwarding"),
    "reads nothing": Fault("stop_reading", "up"),
    "says nothing": Fault("stop_forwarding", "down"),
    "stops within the answer": Fault("stop_forwarding", "down", after_bytes=20, counting="down"),
    "stops behind the first line": Fault("stop_forwarding", after_bytes=34, counting="down"),
    "answers byte by byte": Fault("throttle", "down", bytes_per_s=30),
    "half-closes": Fault("cut", "down"),
    "half-closes within the answer": Fault("cut", "down", after_bytes=20, counting="down"),
    "breaks its answer": Fault("corrupt", "down", after_bytes=10, counting="down"),
    "cuts": Fault("cut"),
    "resets": Fault("reset"),
    "resets within the answer": Fault("reset", after_bytes=20, counting="down"),
}


@pytest.mark.parametrize("peer", OPENING_FAULTS)
async def test_opening_ends_in_its_time_when_the_peer(peer: str) -> None:
    service = Service()
    service.messages = [0] * len(OPERATIONS)
    async with (
        websocket_server(service) as url,
        FaultProxy(url, [OPENING_FAULTS[peer]]) as proxy,
        DeepgramSession("key", base_url=proxy.base_url, stream=SETTINGS) as dg,
    ):
        streams = [make(kind, dg) for kind in OPERATIONS]
        async with asyncio.timeout(OPEN_S + GRACE_S):
            failures = await asyncio.gather(*(s.open() for s in streams), return_exceptions=True)
        assert [
            type(failure) for failure in failures if not isinstance(failure, DeepgramError)
        ] == []
        assert not any(stream.is_open for stream in streams)


@pytest.mark.parametrize("steps", [0, 1])
async def test_an_agent_that_is_not_set_up_ends_in_its_time(steps: int) -> None:
    async def stop(connection: ServerConnection) -> None:
        if steps:
            await connection.send(message("Welcome", request_id="r-1"))
        async for _ in connection:
            pass

    async with (
        websocket_server(stop) as url,
        DeepgramSession("key", base_url=url, stream=SETTINGS) as dg,
    ):
        stream = make("agent", dg)
        with pytest.raises(DeepgramError, match="did not confirm"):
            async with asyncio.timeout(OPEN_S + CLOSE_S + GRACE_S):
                await stream.open()


async def test_refused_connections_end_at_once() -> None:
    async with (
        FaultProxy("http://127.0.0.1:1") as proxy,
        DeepgramSession("key", base_url=proxy.base_url, stream=SETTINGS) as dg,
    ):
        await proxy.refuse_connections()
        for kind in OPERATIONS:
            with pytest.raises(DeepgramError, match="refused"):
                async with asyncio.timeout(GRACE_S):
                    await make(kind, dg).open()


# The session.


@pytest.mark.parametrize("peer", FAULTS)
async def test_a_session_with_open_streams_closes_in_its_time_when_the_peer_is(peer: str) -> None:
    service = Service()
    service.messages = [1] * len(OPERATIONS)
    fault = FAULTS[peer]
    async with websocket_server(service) as url, FaultProxy(url) as proxy:
        dg = DeepgramSession("key", base_url=proxy.base_url, stream=SETTINGS)
        streams = [make(kind, dg) for kind in OPERATIONS]
        for stream in streams:
            await stream.open()
        if fault is not None:
            proxy.inject(fault)
        async with asyncio.timeout(DRAIN_S + CLOSE_S + GRACE_S):
            await dg.aclose()
        assert not any(stream.is_open for stream in streams)
