"""One stream of half an hour, disturbed hundreds of times."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.soak.clock import run_skipping
from benchmarks.soak.containers import CONTAINERS
from benchmarks.soak.faults import Disturber, Trouble, schedule
from benchmarks.soak.judge import FluxJudge, Judge, ListenJudge, Verdict
from benchmarks.soak.service import Service, serving
from benchmarks.soak.speech import Speech
from deepgram_async import (
    DeepgramSession,
    FluxStream,
    LiveStream,
    ReconnectPolicy,
    StreamSettings,
)
from deepgram_async.errors import InvalidStateError
from deepgram_async.testing import FaultProxy

__all__ = ["KINDS", "Outcome", "Task", "soak", "watched"]

KINDS: Final = ("live", "channels", "flux")

# A damaged frame is the network's fault here, so a broken protocol is worth another connection.
_FINAL_CLOSES: Final = frozenset({1003, 1007, 1008, 1009})
_LIVE_RATE: Final = 1000
_FLUX_RATE: Final = 8000
_LONGEST_PAUSE_S: Final = 14.0
_HANGS_AFTER_S: Final = 600


class Task(NamedTuple):
    """One stream to disturb.

    Attributes:
        seed: Everything that is left to chance follows from it.
        kind: One of ``KINDS``; ``channels`` is live with two of them.
        minutes: Length of the audio.
        faults: How much happens.
    """

    seed: int
    kind: str
    minutes: float
    faults: int

    @property
    def container(self) -> str:
        """How the audio is written."""
        return ("raw", "wav", "raw", "ogg")[self.seed % 4]


class Outcome(NamedTuple):
    """What came out of it, and what it took."""

    task: Task
    happened: Counter[Trouble]
    verdict: Verdict
    stream_s: float
    wall_s: float
    cpu_s: float

    @property
    def is_good(self) -> bool:
        """Whether nobody could have told it from an undisturbed stream by its finals."""
        verdict = self.verdict
        return not (
            verdict.lost
            or verdict.repeated
            or verdict.complaints
            or verdict.dropped_s
            or verdict.largest_error_s > 0.05
        )


def soak(task: Task) -> Outcome:
    """Disturb a stream on a clock that skips all waiting."""
    wall, cpu = time.monotonic(), time.process_time()
    happened, verdict, stream_s = run_skipping(_Soak(task).run())
    return Outcome(
        task,
        happened,
        verdict,
        stream_s,
        time.monotonic() - wall,
        time.process_time() - cpu,
    )


def watched(task: Task) -> Outcome:
    """Do the same; a stream that hangs shows where, and ends the process."""
    faulthandler.dump_traceback_later(_HANGS_AFTER_S, exit=True)
    try:
        return soak(task)
    finally:
        faulthandler.cancel_dump_traceback_later()


class _Soak:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._numbers = random.Random(f"{task.seed} {task.kind}")
        rate = _FLUX_RATE if task.kind == "flux" else _LIVE_RATE
        channels = 2 if task.kind == "channels" else 1
        self._speech = Speech(task.minutes * 60, rate, channels)
        self._container = CONTAINERS[task.container]
        self._audio = b"".join(self._container.written(self._speech))
        self._position = 0
        self._asked: list[str] = []
        self._confirmed: list[str] = []
        self._unseen: list[str] = []

    async def run(self) -> tuple[Counter[Trouble], Verdict, float]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._unseen.append(str(context)))
        sockets, began = _sockets(), loop.time()
        judge: Judge[Any] = (FluxJudge if self._task.kind == "flux" else ListenJudge)(self._speech)
        service = Service(
            self._speech,
            self._task.seed,
            container=self._container,
            is_damaged=lambda: any(fault.kind == "corrupt" for fault in proxy.happened),
        )
        async with serving(service) as url, FaultProxy(url) as proxy:
            disturber = Disturber(proxy, service, self._numbers, self._bytes_per_s)
            try:
                async with asyncio.timeout(3 * self._speech.seconds + 600):
                    await self._stream(proxy.base_url, service, disturber, judge)
            except Exception as error:  # whatever ended the stream belongs into the verdict
                judge.complain(f"ended at {loop.time() - began:.3f} s: {error!r}")
        stream_s = loop.time() - began
        await self._check_end(judge, service, sockets)
        return disturber.happened, judge.verdict(), stream_s

    async def _stream(
        self, url: str, service: Service, disturber: Disturber, judge: Judge[Any]
    ) -> None:
        plan = schedule(self._numbers, self._task.faults, self._speech.seconds)
        dg = DeepgramSession("any-key", base_url=url, stream=self._settings())
        async with dg:
            stream = self._made(dg)
            async with stream:
                helpers = [
                    asyncio.create_task(disturber.disturb(plan, self._until)),
                    asyncio.create_task(self._chat(stream)),
                ]
                try:
                    async for event in stream.transcribe(self._chunks()):
                        judge.see(event)
                finally:
                    await self._end_helpers(helpers, judge)
            if isinstance(stream, FluxStream) and stream.irregularities:
                judge.complain(f"irregular: {stream.irregularities}")
            if stream.drain_timed_out:
                judge.complain("the end timed out")
            # What was asked for at the very end may be in force without a confirmation.
            in_force = None if service.last is None else service.last.keyterms
            if in_force not in (self._confirmed, self._asked):
                judge.complain(f"{in_force} is in force and {self._confirmed} was confirmed")

    async def _end_helpers(self, helpers: list[asyncio.Task[None]], judge: Judge[Any]) -> None:
        for helper in helpers:
            helper.cancel()
        for ended in await asyncio.gather(*helpers, return_exceptions=True):
            # What is said when the stream is ending is refused.
            if isinstance(ended, Exception) and not isinstance(ended, InvalidStateError):
                judge.complain(f"a helper failed: {ended!r}")

    async def _check_end(self, judge: Judge[Any], service: Service, sockets: set[str]) -> None:
        for _ in range(100):  # closing takes a few turns of the loop
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            if not tasks and _sockets() <= sockets:
                break
            await asyncio.sleep(0.01)
        else:
            judge.complain(f"left behind: {asyncio.all_tasks()} {_sockets() - sockets}")
        for complaint in (*service.complaints, *self._unseen):
            judge.complain(complaint)

    # The stream.

    @property
    def _bytes_per_s(self) -> float:
        return self._speech.rate * self._speech.frame_bytes

    def _settings(self) -> StreamSettings:
        choose = self._numbers.choice
        policy = ReconnectPolicy(
            attempts=1000,
            first_delay_s=choose((0.01, 0.1, 0.5)),
            longest_delay_s=choose((0.2, 2.0)),
            give_up_s=600.0,
            final_closes=_FINAL_CLOSES,
            replay_speed=choose((None, 1.25, 4.0)),
        )
        return StreamSettings(
            reconnect=policy,
            open_timeout_s=choose((0.5, 3.0)),
            dead_peer_s=choose((0.5, 2.0)),
            close_timeout_s=0.5,
            confirm_timeout_s=600.0,
            drain_timeout_s=15.0,
        )

    def _made(self, dg: DeepgramSession) -> LiveStream | FluxStream:
        audio: dict[str, Any] = {}
        if self._task.container == "raw":
            audio = {"encoding": "linear32", "sample_rate": self._speech.rate}
        if self._task.kind == "flux":
            return dg.listen.flux(model="flux-general-en", **audio)
        return dg.listen.live(
            model="nova-3",
            channels=self._speech.channels,
            multichannel=self._speech.channels > 1,
            interim_results=True,
            vad_events=True,
            utterance_end_ms=1000,
            **audio,
        )

    async def _chunks(self) -> AsyncIterator[bytes]:
        """Yield the speech as a microphone does; now and then somebody turns it off."""
        numbers, loop = random.Random(self._task.seed), asyncio.get_running_loop()
        whole = 1 if self._task.seed % 2 else self._speech.frame_bytes
        began = loop.time()
        while self._position < len(self._audio):
            size = int(numbers.uniform(0.02, 0.25) * self._bytes_per_s) // whole * whole
            end = min(self._position + max(size, whole), len(self._audio))
            if numbers.random() < 0.0005:
                pause = numbers.uniform(1.0, _LONGEST_PAUSE_S)
                began += pause
            due_at = began + end / self._bytes_per_s
            if due_at > loop.time():
                await asyncio.sleep(due_at - loop.time())
            begin, self._position = self._position, end
            yield self._audio[begin:end]

    async def _until(self, moment: float) -> None:
        while self._position < moment * self._bytes_per_s:
            await asyncio.sleep(max(0.01, moment - self._position / self._bytes_per_s))

    async def _chat(self, stream: LiveStream | FluxStream) -> None:
        """Say what can be said besides audio, at random moments."""
        numbers = random.Random(-self._task.seed)
        for count in range(10**6):
            await asyncio.sleep(numbers.uniform(1.0, 30.0))
            if numbers.random() < 0.3:
                self._asked = [f"k{count}"]
                self._confirmed = (await stream.configure(keyterms=self._asked)).keyterms or []
            elif isinstance(stream, LiveStream):
                await stream.finalize()
            else:
                await stream.force_end_turn()


def _sockets() -> set[str]:
    """Return the open sockets of this process, where the system tells."""
    found: set[str] = set()
    with suppress(FileNotFoundError):
        for entry in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):
                found.add(os.readlink(entry))
    return {target for target in found if target.startswith("socket:")}
