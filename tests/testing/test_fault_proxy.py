import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from deepgram_async import DeepgramSession, StreamSettings
from deepgram_async.emulator import Emulator, ScriptedRecognizer
from deepgram_async.errors import ConnectionLostError
from deepgram_async.testing import Fault, FaultProxy

# The time for what has to happen; far above what it takes.
SOON_S = 5.0
# Enough to see that nothing comes.
A_MOMENT_S = 0.1


@dataclass
class Echo:
    """A service that sends back what it gets, and what it saw."""

    url: str = ""
    received: bytearray = field(default_factory=bytearray)
    ends: list[str] = field(default_factory=list[str])
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    is_reading: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.is_reading.wait()
        try:
            while block := await reader.read(65536):
                self.received += block
                writer.write(block)
                await writer.drain()
            self.ends.append("end")
        except ConnectionError as error:
            self.ends.append(type(error).__name__)
        self.ended.set()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def echo(*plan: Fault) -> AsyncGenerator[tuple[Echo, FaultProxy]]:
    """Run the service behind a proxy."""
    own = Echo()
    own.is_reading.set()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(own.handle(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    own.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        async with FaultProxy(own.url, plan) as proxy:
            yield own, proxy
    finally:
        server.close()
        own.is_reading.set()
        await asyncio.wait_for(asyncio.gather(*tasks), SOON_S)


class Client:
    """A bare TCP client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def exchange(self, sent: bytes) -> bytes:
        """Send bytes and return as many that come back."""
        self.writer.write(sent)
        return await asyncio.wait_for(self.reader.readexactly(len(sent)), SOON_S)

    async def rest(self) -> bytes:
        """Return what comes until the end."""
        return await asyncio.wait_for(self.reader.read(), SOON_S)

    async def hears_nothing(self) -> bool:
        try:
            await asyncio.wait_for(self.reader.readexactly(1), A_MOMENT_S)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def client(proxy: FaultProxy) -> AsyncGenerator[Client]:
    parts = urlsplit(proxy.base_url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


# Without a fault.


async def test_everything_passes_both_ways() -> None:
    block = bytes(range(256)) * 8192
    async with echo() as (service, proxy), client(proxy) as user:
        assert await user.exchange(block) == block
        assert bytes(service.received) == block
        user.writer.write_eof()
        assert await user.rest() == b""
        await asyncio.wait_for(service.ended.wait(), SOON_S)
        assert service.ends == ["end"]
        assert proxy.happened == []


async def test_a_connection_is_forgotten_when_both_sides_have_ended() -> None:
    async with echo() as (_, proxy):
        async with client(proxy) as user:
            await user.exchange(b"x")
            assert (proxy.connections_open, proxy.connections_made) == (1, 1)
        async with asyncio.timeout(SOON_S):
            while proxy.connections_open:
                await asyncio.sleep(0.01)


async def test_scheme_and_path_of_the_target_stay() -> None:
    async with FaultProxy("wss://localhost:1/prefix/v9") as proxy:
        parts = urlsplit(proxy.base_url)
    assert (parts.scheme, parts.hostname, parts.path) == ("wss", "127.0.0.1", "/prefix/v9")


@pytest.mark.parametrize("target", ["127.0.0.1:80", "ftp://localhost", "http://", ""])
def test_a_target_that_is_no_address_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="target must be an address"):
        FaultProxy(target)


async def test_a_service_that_is_not_there_looks_like_one_that_closes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    async with FaultProxy(f"http://127.0.0.1:{port}") as proxy, client(proxy) as user:
        assert await user.rest() == b""


async def test_leaving_the_proxy_closes_open_connections() -> None:
    async with echo() as (_, proxy):
        async with client(proxy) as user:
            await user.exchange(b"x")
            await proxy.__aexit__(None, None, None)
            assert await user.rest() == b""


async def test_a_running_proxy_cannot_be_started_again() -> None:
    async with FaultProxy("http://127.0.0.1:1") as proxy:
        with pytest.raises(RuntimeError, match="running already"):
            await proxy.__aenter__()


# Ends.


async def test_a_cut_delivers_what_came_before_and_ends_both_sides() -> None:
    async with echo() as (service, proxy), client(proxy) as user:
        assert await user.exchange(b"before") == b"before"
        proxy.inject(Fault("cut"))
        assert await user.rest() == b""
        await asyncio.wait_for(service.ended.wait(), SOON_S)
        assert service.ends == ["end"]


async def test_a_cut_of_one_direction_is_a_half_close() -> None:
    async with echo() as (service, proxy), client(proxy) as user:
        proxy.inject(Fault("delay", "down", delay_s=0.05))
        await user.exchange(b"before")
        user.writer.write(b"last")
        async with asyncio.timeout(SOON_S):
            while bytes(service.received) != b"beforelast":
                await asyncio.sleep(0.01)
        proxy.inject(Fault("cut", "up"))
        user.writer.write(b"thrown away")
        assert await user.rest() == b"last"
        assert service.ends == ["end"]
        assert service.received == b"beforelast"


async def test_a_reset_is_felt_on_both_sides() -> None:
    async with echo() as (service, proxy), client(proxy) as user:
        await user.exchange(b"x")
        proxy.inject(Fault("reset"))
        with pytest.raises(ConnectionResetError):
            await user.rest()
        await asyncio.wait_for(service.ended.wait(), SOON_S)
        assert service.ends == ["ConnectionResetError"]


async def test_a_reset_of_one_side_reaches_the_other() -> None:
    async with echo() as (service, proxy):
        async with client(proxy) as user:
            await user.exchange(b"x")
            own = user.writer.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            user.writer.transport.abort()
        await asyncio.wait_for(service.ended.wait(), SOON_S)
        assert service.ends == ["ConnectionResetError"]


# Exact places.


@pytest.mark.parametrize("place", [1, 2, 5, 9])
async def test_a_fault_happens_behind_exactly_so_many_bytes(place: int) -> None:
    async with echo(Fault("cut", after_bytes=place, counting="up")) as (service, proxy):
        async with client(proxy) as user:
            user.writer.write(b"0123456789")
            assert await user.rest() == b""
        await asyncio.wait_for(service.ended.wait(), SOON_S)
        assert service.received == b"0123456789"[:place]
        assert [fault.kind for fault in proxy.happened] == ["cut"]


async def test_bytes_are_counted_in_the_named_direction() -> None:
    async with echo(Fault("cut", "down", after_bytes=4, counting="down")) as (service, proxy):
        async with client(proxy) as user:
            user.writer.write(b"0123456789")
            assert await user.rest() == b"0123"
            user.writer.write(b"more")
            async with asyncio.timeout(SOON_S):
                while bytes(service.received) != b"0123456789more":
                    await asyncio.sleep(0.01)


async def test_an_injected_fault_counts_from_then_on() -> None:
    async with echo() as (_, proxy), client(proxy) as user:
        await user.exchange(b"01234")
        proxy.inject(Fault("cut", "down", after_bytes=3, counting="down"))
        user.writer.write(b"56789")
        assert await user.rest() == b"567"


async def test_a_corrupted_byte_is_inverted_and_the_rest_is_not() -> None:
    async with echo(Fault("corrupt", "down", after_bytes=2, counting="down")) as (_, proxy):
        async with client(proxy) as user:
            assert await user.exchange(b"abcd") == bytes([97, 98, 99 ^ 0xFF, 100])
            assert await user.exchange(b"efgh") == b"efgh"


async def test_a_fault_may_wait_for_a_time() -> None:
    async with echo(Fault("cut", after_s=0.05)) as (_, proxy), client(proxy) as user:
        assert await user.exchange(b"x") == b"x"
        assert await user.rest() == b""


async def test_of_bytes_and_time_what_comes_first_counts_and_the_other_does_not() -> None:
    plan = Fault("corrupt", "down", after_bytes=1, counting="down", after_s=0.05)
    async with echo(plan) as (_, proxy), client(proxy) as user:
        assert await user.exchange(b"ab") == bytes([97, 98 ^ 0xFF])
        await asyncio.sleep(0.1)
        assert await user.exchange(b"cd") == b"cd"
        assert len(proxy.happened) == 1


async def test_a_fault_for_one_connection_spares_the_others() -> None:
    async with echo(Fault("cut", connection=1)) as (_, proxy):
        async with client(proxy) as first, client(proxy) as second:
            assert await second.rest() == b""
            assert await first.exchange(b"x") == b"x"
        async with client(proxy) as third:
            assert await third.exchange(b"x") == b"x"
        assert [fault.connection for fault in proxy.happened] == [1]


# Faults that stay.


async def test_a_delay_keeps_order_and_does_not_add_up() -> None:
    loop = asyncio.get_running_loop()
    async with echo(Fault("delay", "up", delay_s=0.2)) as (_, proxy), client(proxy) as user:
        began = loop.time()
        for number in range(10):
            user.writer.write(bytes([number]))
            await asyncio.sleep(0.01)
        assert await asyncio.wait_for(user.reader.readexactly(10), SOON_S) == bytes(range(10))
        assert 0.2 <= loop.time() - began < 1.0


async def test_a_throttle_bounds_the_speed() -> None:
    loop = asyncio.get_running_loop()
    async with echo(Fault("throttle", "up", bytes_per_s=10_000)) as (_, proxy):
        async with client(proxy) as user:
            began = loop.time()
            await user.exchange(b"x" * 3000)
            assert loop.time() - began >= 0.29


async def test_what_is_swallowed_is_lost_and_later_bytes_pass() -> None:
    async with echo() as (service, proxy), client(proxy) as user:
        proxy.inject(Fault("stop_forwarding", "down"))
        user.writer.write(b"lost")
        assert await user.hears_nothing()
        assert service.received == b"lost"
        proxy.heal()
        assert await user.exchange(b"later") == b"later"


async def test_an_end_is_swallowed_too() -> None:
    async with echo(Fault("stop_forwarding", "up")) as (service, proxy), client(proxy) as user:
        user.writer.write_eof()
        assert await user.hears_nothing()
        assert not service.ended.is_set()
        proxy.heal()
        await asyncio.wait_for(service.ended.wait(), SOON_S)


async def test_a_sender_blocks_when_nobody_reads() -> None:
    async with echo(Fault("stop_reading", "up")) as (service, proxy), client(proxy) as user:
        user.writer.write(b"x" * (16 << 20))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(user.writer.drain(), A_MOMENT_S)
        assert not service.received
        proxy.heal()
        await asyncio.wait_for(user.reader.readexactly(16 << 20), SOON_S)


async def test_a_standing_fault_holds_for_later_connections_until_it_is_healed() -> None:
    async with echo() as (_, proxy):
        proxy.inject(Fault("stop_forwarding"))
        async with client(proxy) as user:
            user.writer.write(b"x")
            assert await user.hears_nothing()
        proxy.heal()
        async with client(proxy) as user:
            assert await user.exchange(b"x") == b"x"


async def test_a_service_that_does_not_read_is_felt_through_the_proxy() -> None:
    async with echo() as (service, proxy), client(proxy) as user:
        service.is_reading.clear()
        user.writer.write(b"x" * (16 << 20))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(user.writer.drain(), A_MOMENT_S)
        proxy.inject(Fault("reset"))


# New connections.


async def test_refused_connections_leave_open_ones_alone() -> None:
    async with echo() as (_, proxy), client(proxy) as user:
        await user.exchange(b"x")
        await proxy.refuse_connections()
        with pytest.raises(ConnectionRefusedError):
            async with client(proxy):
                pass
        assert await user.exchange(b"x") == b"x"
        address = proxy.base_url
        proxy.accept_connections()
        async with client(proxy) as other:
            assert await other.exchange(b"x") == b"x"
        assert proxy.base_url == address


# As its users meet it.


async def test_a_stream_that_is_reset_says_so() -> None:
    emulator = Emulator(ScriptedRecognizer([]))
    async with emulator, FaultProxy(emulator.base_url) as proxy:
        once = StreamSettings(reconnect=None)
        dg = DeepgramSession("key", base_url=proxy.base_url, stream=once)
        with pytest.raises(ConnectionLostError) as caught:
            async with dg, dg.listen.live(encoding="linear16", sample_rate=16000) as live:
                await live.send_audio(b"\1\2" * 800)
                proxy.inject(Fault("reset"))
                async for _ in live:
                    pass
        assert caught.value.close_code == 1006
        assert caught.value.retryable
