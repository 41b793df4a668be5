import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from deepgram_async.batch import GateError, RedisGate
from deepgram_async.errors import ConfigurationError, InvalidStateError, RateLimitError
from tests.support.batches import batch_service
from tests.support.redis_server import needs_redis, redis_server

pytestmark = needs_redis

# What may take so long is a hang.
DEADLINE_S = 20.0


@pytest.fixture(scope="module")
def server() -> Generator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A gate of its own for every test."""
    return str(request.function.__name__)


@asynccontextmanager
async def two_gates(url: str, name: str, **settings: float) -> AsyncGenerator[list[RedisGate]]:
    async with AsyncExitStack() as stack:
        gates = [RedisGate(url, name=name, **settings) for _ in range(2)]  # type: ignore[arg-type]
        yield [await stack.enter_async_context(gate) for gate in gates]


def connected(url: str) -> Any:
    """A client; its types are partly unknown."""
    client: Any = Redis
    return client.from_url(url)


@pytest.mark.parametrize("url", ["cache.internal", "redis://:sentinel@cache.internal:port"])
async def test_what_is_no_address_of_redis_is_told(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no address of Redis") as caught:
        async with RedisGate(url):
            pass
    assert "sentinel" not in str(caught.value)


async def test_gates_of_one_name_share_their_places(server: str, name: str) -> None:
    inside, most = 0, 0
    is_full = asyncio.Event()

    async def one(gate: RedisGate) -> None:
        nonlocal inside, most
        async with gate.slot():
            inside += 1
            most = max(most, inside)
            if inside == 3:
                is_full.set()
            await is_full.wait()
            await asyncio.sleep(0)
            inside -= 1

    async with two_gates(server, name, limit=3) as gates, asyncio.timeout(DEADLINE_S):
        await asyncio.gather(*(one(gate) for gate in gates for _ in range(20)))
        assert await gates[0].taken() == 0
    assert most == 3


async def test_gates_of_other_names_do_not(server: str, name: str) -> None:
    async with (
        RedisGate(server, name=name, limit=1) as one,
        RedisGate(server, name=f"{name}-2", limit=1) as other,
        asyncio.timeout(DEADLINE_S),
        one.slot(),
        other.slot(),
    ):
        assert await one.taken() == await other.taken() == 1


async def test_a_gate_tells_what_is_in_flight_and_what_waits(server: str, name: str) -> None:
    async with two_gates(server, name, limit=1) as (one, other), asyncio.timeout(DEADLINE_S):
        async with one.slot():
            waiting = asyncio.create_task(other.slot().__aenter__())
            while other.state().waiting != 1:
                await asyncio.sleep(0)
            assert (one.state().in_flight, one.state().waiting, one.state().most) == (1, 0, 1)
            assert other.state().in_flight == 0
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        # What had been asked for when it was cancelled is given back.
        while await other.taken():
            await asyncio.sleep(0.01)
        # Who left the line keeps nobody waiting.
        async with one.slot():
            pass


async def test_the_places_of_a_killed_process_come_free(server: str, name: str) -> None:
    program = (
        "import asyncio, contextlib\n"
        "from deepgram_async.batch import RedisGate\n"
        "async def main():\n"
        "    async with contextlib.AsyncExitStack() as stack:\n"
        f"        gate = RedisGate({server!r}, name={name!r}, limit=2, lease_s=1)\n"
        "        await stack.enter_async_context(gate)\n"
        "        for _ in range(2):\n"
        "            await stack.enter_async_context(gate.slot())\n"
        "        print('taken', flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    async with (
        RedisGate(server, name=name, limit=2, lease_s=1) as gate,
        asyncio.timeout(DEADLINE_S),
    ):
        holder = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"taken\n"
        assert await gate.taken() == 2
        holder.kill()
        await holder.wait()
        async with gate.slot(), gate.slot():
            assert await gate.taken() == 2


async def test_a_place_that_is_used_for_long_is_prolonged(server: str, name: str) -> None:
    async with (
        RedisGate(server, name=name, limit=1, lease_s=3) as gate,
        connected(server) as redis,
        asyncio.timeout(DEADLINE_S),
        gate.slot(),
    ):
        key = f"{{deepgram-gate:{name}}}:leases"
        [lease] = await redis.zrange(key, 0, -1)
        first = await redis.zscore(key, lease)
        while await redis.zscore(key, lease) == first:
            await asyncio.sleep(0.05)
        assert await redis.zcard(key) == 1


async def test_a_refusal_keeps_other_processes_out_for_the_pause(server: str, name: str) -> None:
    async with two_gates(server, name, limit=5) as (one, other), asyncio.timeout(DEADLINE_S):
        begun = time.monotonic()
        with pytest.raises(RateLimitError):
            async with one.slot():
                raise RateLimitError("too many", status=429, retry_after=0.4)
        async with other.slot():
            assert time.monotonic() - begun >= 0.4


async def test_processes_take_turns_however_many_wait_in_each(server: str, name: str) -> None:
    order = list[str]()

    async def one(gate: RedisGate, who: str) -> None:
        async with gate.slot():
            order.append(who)

    async with two_gates(server, name, limit=1) as (busy, quiet), asyncio.timeout(DEADLINE_S):
        async with busy.slot():
            crowd = [asyncio.create_task(one(busy, "busy")) for _ in range(10)]
            while busy.state().waiting != 10:
                await asyncio.sleep(0)
            single = asyncio.create_task(one(quiet, "quiet"))
            async with connected(server) as redis:
                while await redis.zcard(f"{{deepgram-gate:{name}}}:line") != 1:
                    await asyncio.sleep(0.01)
        await asyncio.gather(*crowd, single)
    assert order.index("quiet") <= 1


async def test_an_exception_passes_and_the_place_is_given_back(server: str, name: str) -> None:
    async with RedisGate(server, name=name, limit=1) as gate:
        with pytest.raises(ZeroDivisionError):
            async with gate.slot():
                _ = 1 / 0
        assert await gate.taken() == 0


async def test_closing_gives_back_what_is_held(server: str, name: str) -> None:
    async with RedisGate(server, name=name, limit=1) as watching:
        async with RedisGate(server, name=name, limit=1) as gate:
            await gate.slot().__aenter__()
            assert await watching.taken() == 1
        assert await watching.taken() == 0


async def test_a_redis_that_is_not_there_is_told_without_its_password() -> None:
    gate = RedisGate("redis://:sentinel-password@127.0.0.1:9/0", patience_s=0.0)
    with pytest.raises(GateError, match="cannot be reached") as failed:
        await gate.__aenter__()
    assert "sentinel-password" not in str(failed.value)


async def test_a_redis_that_goes_away_ends_the_waiting_and_no_place_is_lost(name: str) -> None:
    with redis_server() as url:
        gate = RedisGate(url, name=name, limit=2, patience_s=0.2)
        await gate.__aenter__()
        held = gate.slot()
        await held.__aenter__()
    with pytest.raises(GateError):
        async with gate.slot():
            pass
    await held.__aexit__(None, None, None)
    await gate.__aexit__(None, None, None)
    assert gate.state().in_flight == 0


async def test_a_gate_that_is_not_open_is_an_error() -> None:
    with pytest.raises(InvalidStateError):
        async with RedisGate("redis://127.0.0.1:9").slot():
            pass


PROCESS = """
import asyncio, sys
from deepgram_async import DeepgramSession
from deepgram_async.batch import Batch, RedisGate

async def main(url, redis, name, number):
    sources = [f"{number}-{n}".encode() for n in range(15)]
    async with (
        DeepgramSession("any-key", base_url=url) as dg,
        RedisGate(redis, name=name, limit=4) as gate,
    ):
        print(await Batch(dg, sources, gate=gate).run())

asyncio.run(main(*sys.argv[1:]))
"""


async def test_three_processes_keep_one_limit_without_a_refusal(server: str, name: str) -> None:
    async with batch_service() as service, asyncio.timeout(60):
        service.limit, service.takes_s = 4, 0.02
        command = [sys.executable, "-c", PROCESS, service.url, server, name]
        processes = [
            await asyncio.create_subprocess_exec(*command, str(number), stdout=subprocess.PIPE)
            for number in range(3)
        ]
        told = [await process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], told
    assert service.refused == 0
    assert service.most <= 4
    assert sorted(service.answered) == sorted(
        f"{p}-{n}".encode() for p in range(3) for n in range(15)
    )


def test_a_missing_extra_is_named() -> None:
    program = (
        "import asyncio, sys\n"
        "sys.modules['redis'] = None\n"
        "from deepgram_async.batch import RedisGate\n"
        "asyncio.run(RedisGate('redis://127.0.0.1').__aenter__())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "MissingDependencyError" in done.stderr
    assert "deepgram-async[redis]" in done.stderr
