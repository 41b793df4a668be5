"""Places that processes and machines share through Redis."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from deepgram_async.batch._gate import DOCUMENTED_LIMIT, GateState
from deepgram_async.batch._shared_gate import Calls, GateError, LeasedGate
from deepgram_async.errors import ConfigurationError, InvalidStateError, MissingDependencyError

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisGate"]

# How often a process asks for a place that another one may have given back: requests take seconds,
# and a free place waits for half of this.
_ASK_EVERY_S: Final = 0.04
# Who has not asked for so long has left the line.
_IN_LINE_S: Final = 2.0
# The requests of a process that speak to Redis at the same time.
_CONNECTIONS: Final = 4
_ANSWER_WITHIN_S: Final = 5.0

# Times are those of Redis, in milliseconds, so that the clocks of the processes do not matter.
_NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
# Returns -1 with a place, else for how many milliseconds there is certainly none.
_TAKE: Final = f"""{_NOW}
local leases, line, seen, pause = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local me, limit, lease, in_line = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
redis.call('ZREMRANGEBYSCORE', leases, '-inf', now)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now - in_line)) do
  redis.call('ZREM', line, gone)
  redis.call('ZREM', seen, gone)
end
redis.call('ZADD', line, 'NX', now, me)
redis.call('ZADD', seen, now, me)
redis.call('PEXPIRE', line, in_line * 2)
redis.call('PEXPIRE', seen, in_line * 2)
local paused = redis.call('PTTL', pause)
if paused > 0 then return paused end
if redis.call('ZRANK', line, me) >= limit - redis.call('ZCARD', leases) then return 0 end
redis.call('ZREM', line, me)
redis.call('ZREM', seen, me)
redis.call('ZADD', leases, now + lease, me)
redis.call('PEXPIRE', leases, lease * 2)
return -1
"""
_GIVE_BACK: Final = """
for _, key in ipairs(KEYS) do redis.call('ZREM', key, unpack(ARGV)) end
"""
# A lease that ran out while its holder was held up is taken up again: its request is in flight.
_KEEP: Final = f"""{_NOW}
for n = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[n]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1] * 2)
"""
_PAUSE: Final = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
end
"""
_COUNT: Final = f"{_NOW} return redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf')"


class RedisGate:
    """A `Gate` whose places are shared by all processes that name the same one.

    ::

        async with RedisGate("redis://cache.internal:6379", limit=50) as gate:
            await Batch(dg, sources, gate=gate, model="nova-3").run()

    A place is a lease in Redis that its holder prolongs. When a process dies, its places come free
    after ``lease_s`` at the latest. Processes that wait take turns, however many requests each of
    them has waiting. What the service says with a 429 lowers the limit of the process that heard
    it, and keeps all of them out for the same pause. Needs the extra
    ``pip install 'deepgram-async[redis]'`` and Redis 5 or newer.

    Args:
        url: Where Redis is: ``redis://``, ``rediss://`` or ``unix://``.
        limit: Requests in flight at most, in all processes together; the same in each of them.
        name: Tells gates in one Redis apart: one for each project of Deepgram.
        lease_s: How long a place stays taken whose holder says nothing any more. A process whose
            event loop is held up for longer than two thirds of that may lose its places to
            others.
        patience_s: How long Redis may be away; then waiting for a place raises a ``GateError``.

    Raises:
        ConfigurationError: The limit is below one, or ``lease_s`` not above zero.
    """

    def __init__(
        self,
        url: str,
        *,
        limit: int = DOCUMENTED_LIMIT,
        name: str = "deepgram",
        lease_s: float = 30.0,
        patience_s: float = 30.0,
    ) -> None:
        if lease_s <= 0:
            raise ConfigurationError("a lease must last longer than nothing")
        self._leases = _RedisLeases(url, limit, name, lease_s, patience_s)
        self._gate = LeasedGate(self._leases, limit)

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Return a place among those of all processes; see ``Gate.slot``.

        Raises:
            GateError: Redis was away for too long.
            InvalidStateError: The gate is not open.
        """
        return self._gate.slot()

    def state(self) -> GateState:
        """Return what this process knows now; ``limit`` is that of all processes together."""
        return self._gate.state()

    async def taken(self) -> int:
        """Return how many places all processes together have taken.

        Raises:
            GateError: Redis was away for too long.
        """
        return await self._leases.count()

    async def __aenter__(self) -> Self:
        """Open the gate.

        Raises:
            ConfigurationError: The URL is none of Redis.
            GateError: Redis cannot be reached.
            MissingDependencyError: The extra ``redis`` is not installed.
        """
        await self._leases.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._leases.close()


class _RedisLeases:
    """The leases of this process."""

    def __init__(self, url: str, limit: int, name: str, lease_s: float, patience_s: float) -> None:
        self._url = url
        self._limit = limit
        self._lease_s = lease_s
        self._patience_s = patience_s
        # In a cluster of Redis all keys of one script have to be on one machine: hence the braces.
        self._keys = {
            part: f"{{deepgram-gate:{name}}}:{part}" for part in ("leases", "line", "seen", "pause")
        }
        self._held = set[str]()
        # This process has given a place back; others are not heard of.
        self._freed = asyncio.Event()
        # redis-py (8.1) can swallow a cancellation, and a script whose answer nobody reads may take
        # a place all the same.
        self._calls = Calls()
        self._redis: Redis | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        if self._redis is not None:
            raise InvalidStateError("the gate is open already")
        try:
            from redis.asyncio import BlockingConnectionPool, Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "redis":
                raise
            raise MissingDependencyError(
                "a gate in Redis needs an extra: pip install 'deepgram-async[redis]'"
            ) from None
        make_pool: Any = BlockingConnectionPool  # its keyword arguments are not typed
        try:
            pool = make_pool.from_url(
                self._url,
                max_connections=_CONNECTIONS,
                timeout=_ANSWER_WITHIN_S,
                retry=Retry(NoBackoff(), 1),  # a connection that has ended while it was idle
                socket_timeout=_ANSWER_WITHIN_S,
                socket_connect_timeout=_ANSWER_WITHIN_S,
            )
        except ValueError as error:
            raise ConfigurationError(f"that is no address of Redis: {error}") from None
        self._redis = Redis.from_pool(pool)
        try:  # a wrong address shall not take as long as a Redis that is away
            await self.count(patience_s=0.0)
        except BaseException:
            await self._calls.close(_ANSWER_WITHIN_S)
            await self._disconnect()
            raise
        self._keeper = asyncio.create_task(self._keep(), name="deepgram redis gate")

    async def close(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])
        if self._held:
            self._calls.start(self._remove(*self._held))
        await self._calls.close(_ANSWER_WITHIN_S)
        await self._disconnect()

    async def take(self) -> str:
        lease = uuid.uuid4().hex
        while True:
            asking = self._calls.start(self._ask(lease))
            try:
                wait_ms = await asyncio.shield(asking)
                if wait_ms < 0:
                    self._held.add(lease)
                    return lease
                await self._wait(wait_ms / 1000)
            except BaseException:
                self._calls.start(self._withdraw(asking, lease))
                raise

    async def give_back(self, lease: str) -> None:
        self._held.discard(lease)
        await asyncio.shield(self._calls.start(self._remove(lease)))
        self._freed.set()

    async def pause(self, seconds: float) -> None:
        await asyncio.shield(self._calls.start(self._pause(seconds)))

    async def count(self, *, patience_s: float | None = None) -> int:
        counting = self._calls.start(self._run(_COUNT, ["leases"], [], patience_s=patience_s))
        taken: int = await asyncio.shield(counting)
        return taken

    async def _ask(self, lease: str) -> int:
        """Return -1 with a place, else for how many milliseconds there is certainly none."""
        lease_ms, in_line_ms = round(self._lease_s * 1000), round(_IN_LINE_S * 1000)
        wait_ms: int = await self._run(
            _TAKE, ["leases", "line", "seen", "pause"], [lease, self._limit, lease_ms, in_line_ms]
        )
        return wait_ms

    async def _wait(self, paused_s: float) -> None:
        """Wait until it makes sense to ask again, and not so long that the line forgets."""
        if paused_s:
            await asyncio.sleep(min(paused_s, _IN_LINE_S / 4))
            return
        self._freed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_ASK_EVERY_S * (0.5 + random.random())):
                await self._freed.wait()

    async def _withdraw(self, asking: asyncio.Task[int], lease: str) -> None:
        await asyncio.wait([asking])
        await self._remove(lease)

    async def _remove(self, *leases: str) -> None:
        try:
            await self._run(_GIVE_BACK, ["leases", "line", "seen"], list(leases), patience_s=0.0)
        except (GateError, InvalidStateError):
            pass  # the leases end by themselves

    async def _pause(self, seconds: float) -> None:
        try:
            await self._run(_PAUSE, ["pause"], [max(1, round(seconds * 1000))], patience_s=0.0)
        except (GateError, InvalidStateError):
            pass  # this process pauses anyway

    async def _keep(self) -> None:
        """Prolong the leases of this process as long as it lives."""
        while True:
            await asyncio.sleep(self._lease_s / 3)
            if not self._held:
                continue
            await asyncio.shield(self._calls.start(self._prolong(tuple(self._held))))

    async def _prolong(self, leases: tuple[str, ...]) -> None:
        lease_ms = round(self._lease_s * 1000)
        try:
            await self._run(_KEEP, ["leases"], [lease_ms, *leases], patience_s=0.0)
        except GateError:
            return  # who waits for a place will tell when this lasts
        # What was given back meanwhile was perhaps taken up again after that.
        if given_back := set(leases) - self._held:
            await self._remove(*given_back)

    async def _run(
        self, script: str, keys: list[str], args: list[Any], *, patience_s: float | None = None
    ) -> Any:
        """Run a script, again and again while Redis is away."""
        from redis.exceptions import ConnectionError as NotConnectedError
        from redis.exceptions import RedisError
        from redis.exceptions import TimeoutError as LateError

        if self._redis is None:
            raise InvalidStateError("the gate is not open: use it with async with")
        patience_s = self._patience_s if patience_s is None else patience_s
        until = time.monotonic() + patience_s
        named = [self._keys[key] for key in keys]
        while True:
            try:
                return await self._redis.register_script(script)(named, args)
            except (NotConnectedError, LateError, OSError) as error:
                story = f"Redis cannot be reached: {error}"
                if time.monotonic() >= until:
                    raise GateError(story) from None
            except RedisError as error:
                raise GateError(f"Redis refused: {error}") from None
            await asyncio.sleep(min(1.0, patience_s / 10))

    async def _disconnect(self) -> None:
        redis, self._redis = self._redis, None
        if redis is not None:
            close: Callable[[], Awaitable[None]] = redis.aclose
            await close()
