"""A local Deepgram for tests: in a thread of its own, so that any test can talk to it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, Self, TypeVar

from deepgram_async import DeepgramSession
from deepgram_async.emulator import Emulator, EmulatorSettings, ToneSynthesizer

from ._script import Script, ScriptedEar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from types import TracebackType

    from deepgram_async.emulator import Deviation, Recognizer, ServiceFault, Synthesizer

__all__ = ["LocalDeepgram"]

T = TypeVar("T")

# Far above what it takes.
_DEADLINE_S: Final = 30.0
_KEY: Final = "key-of-the-emulator"


class LocalDeepgram:
    """An emulator that runs in a thread, for tests with an event loop of their own or without one.

        with LocalDeepgram() as local:
            local.script.hear("Hello, world.")
            ...  # talk to local.base_url

    Everything here may be called from any thread.

    Args:
        settings: Timers, limits, credentials and strict mode; by default those of the emulator,
            with agents that speak as fast as they can.
        recognizer: Who recognises; by default the script.
        synthesizer: Who speaks; by default a hum (`ToneSynthesizer`).
    """

    def __init__(
        self,
        settings: EmulatorSettings | None = None,
        *,
        recognizer: Recognizer | None = None,
        synthesizer: Synthesizer | None = None,
    ) -> None:
        self.script: Script = Script()
        """What is heard and replied."""
        self._emulator = Emulator(
            recognizer or ScriptedEar(self.script),
            settings or EmulatorSettings(agent_lead_s=None),
            synthesizer=synthesizer or ToneSynthesizer(),
            think=self.script.think,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """The address, as in `http://127.0.0.1:8080`.

        Raises:
            RuntimeError: It is not started.
        """
        return self._emulator.base_url

    @property
    def open_streams(self) -> int:
        """How many WebSockets are open."""
        return self._emulator.open_streams

    @property
    def deviations(self) -> Sequence[Deviation]:
        """Where clients left the specification; none unless `EmulatorSettings.strict` is set."""
        return self._emulator.deviations

    def session(self) -> DeepgramSession:
        """Return a session with this service; the caller opens and closes it.

        Raises:
            RuntimeError: It is not started.
        """
        return DeepgramSession(_KEY, base_url=self.base_url)

    def inject(self, *faults: ServiceFault) -> None:
        """Let things go wrong for the next requests and streams that the faults match.

        Raises:
            RuntimeError: It is not started.
        """
        self._call(lambda: self._emulator.inject(*faults))

    def heal(self) -> None:
        """Let nothing go wrong any more; what has begun goes on.

        Raises:
            RuntimeError: It is not started.
        """
        self._call(self._emulator.heal)

    def limit(self, *, max_requests: int | None = None, max_streams: int | None = None) -> None:
        """Change how many requests and streams of a project and product run at a time.

        Raises:
            RuntimeError: It is not started.
        """
        self._call(lambda: self._emulator.limit(max_requests=max_requests, max_streams=max_streams))

    def add_key(self, *scopes: str) -> str:
        """Make a key with these scopes and return its secret.

        Raises:
            RuntimeError: It is not started.
            ValueError: There is no such scope.
        """
        return self._call(lambda: self._emulator.add_key(*scopes))

    def check(self) -> None:
        """Fail when a client has left the specification; notes do not count.

        Raises:
            AssertionError: It has; the message names every deviation.
        """
        wrong = [str(deviation) for deviation in self.deviations if not deviation.is_note]
        if wrong:
            raise AssertionError("\n".join(["the client left Deepgram's specification:", *wrong]))

    def start(self) -> None:
        """Begin to serve, in a thread.

        Raises:
            RuntimeError: It is started already.
        """
        if self._thread is not None:
            raise RuntimeError("the local Deepgram is already started")
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="local-deepgram", daemon=True)
        thread.start()
        self._loop, self._thread = loop, thread
        try:
            self._run(self._emulator.start())
        except BaseException:
            self._end_thread()
            raise

    def stop(self) -> None:
        """Close all streams and stop serving; twice is fine."""
        if self._thread is not None:
            try:
                self._run(self._emulator.stop())
            finally:
                self._end_thread()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self, work: Coroutine[None, None, T]) -> T:
        assert self._loop is not None, "it runs while there is a thread"
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_DEADLINE_S)

    def _call(self, function: Callable[[], T]) -> T:
        if self._loop is None:
            raise RuntimeError("the local Deepgram is not started")
        result: Future[T] = Future()

        def call() -> None:
            try:
                result.set_result(function())
            except Exception as error:  # it belongs to the caller
                result.set_exception(error)

        self._loop.call_soon_threadsafe(call)
        return result.result(_DEADLINE_S)

    def _end_thread(self) -> None:
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        assert loop is not None
        assert thread is not None
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
