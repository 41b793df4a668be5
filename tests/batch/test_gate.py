"""How many requests a gate lets through, on a clock that runs only while all wait."""

import asyncio
import random
from collections.abc import Callable

import pytest

from deepgram_async.batch import AdaptiveGate
from deepgram_async.errors import BadRequestError, ConfigurationError, RateLimitError, ServerError
from tests.support.clock import run_on_virtual_clock


class Service:
    """Takes so many requests at a time, from all gates together, and refuses the others."""

    def __init__(self, limit: int, *, retry_after: float | None = None) -> None:
        self.limit = limit
        self.retry_after = retry_after
        self.in_flight = 0
        self.most = 0
        self.answered = 0
        self.refused = 0
        self.arrivals: list[float] = []

    async def request(self, gate: AdaptiveGate, takes_s: float = 10.0) -> None:
        """Send one request through a gate, until it is answered."""
        while True:
            try:
                async with gate.slot():
                    await self.answer(takes_s)
                    return
            except RateLimitError:
                pass

    async def answer(self, takes_s: float) -> None:
        """Answer a request after some time, or refuse it at once."""
        self.arrivals.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.01)
        if self.in_flight >= self.limit:
            self.refused += 1
            raise RateLimitError("too many", retry_after=self.retry_after)
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            await asyncio.sleep(takes_s)
        finally:
            self.in_flight -= 1
        self.answered += 1


async def send(service: Service, gate: AdaptiveGate, count: int) -> None:
    """Send requests of different length, more of them than the gate ever lets in."""
    waiting = iter([random.uniform(8, 12) for _ in range(count)])

    async def work() -> None:
        for takes_s in waiting:
            await service.request(gate, takes_s)

    await asyncio.gather(*(work() for _ in range(2 * gate.state().most)))


@pytest.fixture(autouse=True)
def same_numbers() -> None:
    random.seed(4711)


def test_never_more_than_the_most_are_in_flight() -> None:
    service = Service(limit=1000)
    run_on_virtual_clock(send(service, AdaptiveGate(20), 500))
    assert (service.most, service.refused) == (20, 0)


def test_the_limit_of_the_service_is_found_and_hardly_ever_exceeded() -> None:
    service, gate = Service(limit=30), AdaptiveGate(200)
    loop_time: list[float] = []

    async def run() -> None:
        await send(service, gate, 6000)
        loop_time.append(asyncio.get_running_loop().time())

    run_on_virtual_clock(run())
    assert service.answered == 6000
    assert service.refused / len(service.arrivals) < 0.005
    ideal_s = 6000 / 30 * 10
    assert loop_time[0] < ideal_s / 0.9
    assert gate.state().refused == service.refused


def test_three_gates_share_one_limit() -> None:
    service = Service(limit=50)
    gates = [AdaptiveGate(50) for _ in range(3)]

    async def run() -> list[float]:
        async def at_end(gate: AdaptiveGate) -> float:
            await send(service, gate, 2000)
            return asyncio.get_running_loop().time()

        return await asyncio.gather(*(at_end(gate) for gate in gates))

    ended = run_on_virtual_clock(run())
    assert service.answered == 6000
    assert service.refused / len(service.arrivals) < 0.01
    assert max(ended) < 6000 / 50 * 10 / 0.85  # two are left at the end, and then one
    assert min(ended) > max(ended) * 0.7  # nobody was starved


def test_a_limit_that_rises_is_found_again() -> None:
    service, gate = Service(limit=10), AdaptiveGate(100, start=10)

    async def run() -> int:
        await send(service, gate, 500)
        service.limit = 60
        await send(service, gate, 6000)
        return gate.state().limit

    assert run_on_virtual_clock(run()) > 50


def test_a_refusal_keeps_everybody_out_as_long_as_the_service_asks() -> None:
    service = Service(limit=3, retry_after=30.0)

    async def run() -> None:
        gate = AdaptiveGate(5, start=5)
        await asyncio.gather(*(service.request(gate, 1.0) for _ in range(12)))

    run_on_virtual_clock(run())
    assert service.refused == 2
    first, later = service.arrivals[:5], service.arrivals[5:]
    assert max(first) < 1
    assert min(later) >= 30  # also those who were never refused


def test_pauses_that_nobody_names_grow_while_only_refusals_come() -> None:
    service = Service(limit=0)

    async def run() -> None:
        gate = AdaptiveGate(1)
        async with asyncio.timeout(1000):
            await service.request(gate)

    with pytest.raises(TimeoutError):
        run_on_virtual_clock(run())
    pauses = [b - a for a, b in zip(service.arrivals, service.arrivals[1:], strict=False)]
    assert pauses[0] < 0.2
    assert 25 < max(pauses) < 65
    assert len(pauses) < 40


def test_an_error_that_names_a_pause_pauses_and_leaves_the_limit() -> None:
    async def run() -> tuple[int, float]:
        gate = AdaptiveGate(8, start=8)
        with pytest.raises(ServerError):
            async with gate.slot():
                raise ServerError("overloaded", status=503, retry_after=5.0)
        return gate.state().limit, gate.state().pause_s

    limit, pause_s = run_on_virtual_clock(run())
    assert (limit, pause_s) == (8, 5.0)


@pytest.mark.parametrize("error", [BadRequestError("bad", status=400), ValueError("mine")])
def test_other_errors_say_nothing_about_the_limit(error: Exception) -> None:
    async def run() -> tuple[int, float]:
        gate = AdaptiveGate(8, start=4)
        with pytest.raises(type(error)):
            async with gate.slot():
                raise error
        return gate.state().limit, gate.state().pause_s

    assert run_on_virtual_clock(run()) == (4, 0.0)


@pytest.mark.parametrize(("taken", "limit"), [(19, 17), (12, 10), (0, 9)])
def test_a_moment_of_refusals_leaves_most_of_what_worked_and_almost_half_of_all(
    taken: int, limit: int
) -> None:
    service, gate = Service(limit=taken), AdaptiveGate(20, start=20)

    async def once() -> None:
        async with gate.slot():
            await service.answer(1.0)

    async def run() -> int:
        requests = [asyncio.create_task(once()) for _ in range(20)]
        await asyncio.sleep(0.5)
        limit_then = gate.state().limit
        await asyncio.gather(*requests, return_exceptions=True)
        return limit_then

    assert run_on_virtual_clock(run()) == limit


def test_waiters_are_let_in_in_their_order() -> None:
    async def run() -> list[int]:
        gate, order = AdaptiveGate(1), list[int]()

        async def enter(number: int) -> None:
            async with gate.slot():
                order.append(number)
                await asyncio.sleep(1)

        await asyncio.gather(*(enter(number) for number in range(5)))
        return order

    assert run_on_virtual_clock(run()) == [0, 1, 2, 3, 4]


def _before(gate: AdaptiveGate, waiter: asyncio.Task[None]) -> None:
    waiter.cancel()


def _as_it_is_let_in(gate: AdaptiveGate, waiter: asyncio.Task[None]) -> None:
    asyncio.get_running_loop().call_later(1.0, waiter.cancel)


@pytest.mark.parametrize("cancel", [_before, _as_it_is_let_in])
def test_a_cancelled_waiter_takes_no_place(
    cancel: Callable[[AdaptiveGate, asyncio.Task[None]], None],
) -> None:
    async def run() -> tuple[int, int]:
        gate = AdaptiveGate(1)

        async def enter() -> None:
            async with gate.slot():
                await asyncio.sleep(1)

        first = asyncio.create_task(enter())
        await asyncio.sleep(0)
        second, third = (asyncio.create_task(enter()) for _ in range(2))
        await asyncio.sleep(0)
        assert gate.state().waiting == 2
        cancel(gate, second)
        await asyncio.wait([first, second, third])
        assert second.cancelled()
        assert not third.cancelled()
        return gate.state().in_flight, gate.state().waiting

    assert run_on_virtual_clock(run()) == (0, 0)


@pytest.mark.parametrize(("most", "start"), [(0, 1), (5, 0), (-3, 1)])
def test_a_gate_that_lets_nothing_through_is_refused(most: int, start: int) -> None:
    with pytest.raises(ConfigurationError, match="lets nothing through"):
        AdaptiveGate(most, start=start)


def test_the_state_of_a_gate_that_was_never_used() -> None:
    state = AdaptiveGate(50).state()
    assert (state.most, state.limit, state.in_flight, state.pause_s) == (50, 10, 0, 0.0)
