"""What both streams that speak have in common for their users."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, Generic, TypeVar

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sources import TextSource
from deepgram_async._stream.connection import Carrier
from deepgram_async._stream.owed import Owed
from deepgram_async._stream.resumable import ConnectorMaker, ResumableStream
from deepgram_async._stream.speech_buffer import Mark, SpeechBuffer
from deepgram_async.errors import InvalidStateError, OperationTimeoutError

__all__ = ["KEPT_WARNINGS", "SpeakingStream", "Utterance"]

C = TypeVar("C", bound=SocketCore[Any])
E = TypeVar("E")
F = TypeVar("F")
"""What confirms that a text was spoken."""
D = TypeVar("D")
"""What confirms that speech was dropped."""
R = TypeVar("R")

KEPT_WARNINGS: Final = 100


class Utterance(AsyncIterator[bytes]):
    """The audio of one text; made by ``speak``."""

    def __init__(
        self,
        take_audio: Callable[[], bytes | None],
        next_audio: Callable[[Utterance], Awaitable[bytes | None]],
    ) -> None:
        self.has_ended: bool = False
        """Whether all audio that there will be has come."""
        self.is_over: bool = False
        """Whether all of it was taken, or dropped."""
        self.error: Exception | None = None
        """What the source of the text raised."""
        self.last_flush: asyncio.Future[Any] | None = None
        """The confirmation behind the last audio."""
        self.task: asyncio.Task[None] | None = None
        """What sends the text."""
        self._take_audio = take_audio
        self._next_audio = next_audio

    async def __anext__(self) -> bytes:
        if not self.is_over:
            audio = self._take_audio()  # the service speaks faster than anybody listens
            if audio is not None:
                return audio
            audio = await self._next_audio(self)
            if audio is not None:
                return audio
            self.is_over = True
            if self.error is not None:
                raise self.error
        raise StopAsyncIteration


class _End(Mark):
    """Stands among the events behind the last audio of an utterance."""

    __slots__ = ("utterance",)

    def __init__(self, utterance: Utterance) -> None:
        self.utterance = utterance


class SpeakingStream(ResumableStream[C, E], Generic[C, E, F, D]):
    """A stream that takes text and yields speech."""

    def __init__(
        self,
        connector: ConnectorMaker,
        options: Mapping[str, object],
        make_core: Callable[[float, str | None], C],
        is_expendable: Callable[[E], bool],
        settings: StreamSettings,
    ) -> None:
        super().__init__(connector, options, make_core, is_expendable, settings)
        # The ends of utterances travel with the events and are not shown to the user.
        self._speech: SpeechBuffer[Any] = SpeechBuffer(settings.audio_buffer_bytes)
        self._buffer = self._speech
        self._flushes: Owed[F | None] = Owed()
        self._cuts: Owed[D | None] = Owed()
        self._sending = asyncio.Lock()
        self._was_cut = asyncio.Event()
        self._utterance: Utterance | None = None

    # Public methods.

    def speak(self, source: TextSource) -> AsyncIterator[bytes]:
        """Speak a text and return the iterator over its audio.

        The text is sent in the background while it comes, so the first audio is there long before
        the last word. The iteration ends behind the last audio of the text, or at once when it is
        dropped. What the source raises is raised here, after the audio of the text before it.

        Only audio is yielded; the last hundred warnings of the service are in ``warnings``. One
        text is spoken at a time: what is left of an earlier one is dropped.

        Args:
            source: A text, or its parts as they come, such as the tokens of a language model: an
                async or plain iterable of ``str``. A plain iterable is advanced in a thread, so
                it may block; a list is not.

        Raises:
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        self._ready()
        earlier = self._utterance
        if earlier is not None and not earlier.is_over:
            if earlier.has_ended:
                self._speech.discard(_is_speech)
                earlier.is_over = True
            else:
                self._cut()
        utterance = self._utterance = Utterance(self._speech.take_audio, self._next_audio)
        utterance.task = self._start_task(self._pump(utterance, source), "speech")
        return utterance

    async def __anext__(self) -> E:
        while isinstance(event := await super().__anext__(), _End):
            pass
        return event

    def _take(self, event: E) -> None:
        if type(event) is bytes:  # nobody waits for it but who iterates
            self._events_taken += 1
            self._buffer.put(event)
        else:
            super()._take(event)

    # What each protocol answers for itself.

    @property
    def _longest_s(self) -> float | None:
        return self._settings.speak_longest_s

    @abstractmethod
    async def _say(self, utterance: Utterance, source: TextSource) -> bool:
        """Send all of a text and ask for its audio; return whether any comes."""

    @abstractmethod
    def _cut_frame(self, core: C, played_ms: int | None) -> str:
        """Return the frame that drops what is spoken now."""

    # Sending: one message at a time, in the order of the calls.

    async def _turn(self, was_cut: asyncio.Event) -> tuple[C, Carrier] | None:
        """Return the parts of the stream when text may be sent; ``None`` if it was dropped."""
        while True:
            core, connection = self._opened()
            if was_cut.is_set():
                return None
            pending = self._cuts.last
            if pending is not None:
                await self._confirmed_cut(pending)
            elif not connection.has_room:
                await self._wait_for_room(connection, was_cut)
            else:
                return core, connection

    async def _wait_for_room(self, connection: Carrier, was_cut: asyncio.Event) -> None:
        """Wait until something may be queued, but no longer than the text is wanted."""
        room = asyncio.ensure_future(connection.wait_for_room())
        cut = asyncio.ensure_future(was_cut.wait())
        try:
            await asyncio.wait({room, cut}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            room.cancel()
            cut.cancel()

    async def _pause(self, delay_s: float, was_cut: asyncio.Event) -> None:
        """Wait, but no longer than the text is wanted and the stream lives."""
        waiting = asyncio.ensure_future(was_cut.wait())
        try:
            await self._first_of(waiting, delay_s)
        finally:
            waiting.cancel()

    async def _confirmed(self, future: asyncio.Future[R], *, in_background: bool = False) -> R:
        """Return the confirmation in a future, waiting as long as the service says anything.

        Args:
            future: What is owed.
            in_background: Whether the user does not see yet what this raises.

        Raises:
            OperationTimeoutError: It was silent for ``confirm_timeout_s``.
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The stream has ended.
        """
        patience_s = self._settings.confirm_timeout_s
        while not future.done():
            core, _ = self._opened() if in_background else self._ready()
            if not self.is_open:
                raise InvalidStateError("the stream has ended")
            if not await self._outlasted(future, patience_s):
                raise OperationTimeoutError(
                    f"the service did not confirm for {patience_s:g} s",
                    phase="response",
                    timeout_s=patience_s,
                    operation=core.OPERATION,
                )
        return future.result()

    async def _confirmed_flush(
        self, future: asyncio.Future[F | None], *, in_background: bool = False
    ) -> F | None:
        try:
            return await self._confirmed(future, in_background=in_background)
        except OperationTimeoutError:
            self._flushes.forget(future)
            raise

    async def _first_of(self, future: asyncio.Future[Any], timeout_s: float) -> None:
        """Return when the future is done, the stream has ended, or the time is over."""
        futures = {future} if self._end is None else {future, self._end}
        await asyncio.wait(futures, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)

    # Dropping speech.

    def _cut(self, played_ms: int | None = None) -> asyncio.Future[D | None]:
        """Drop all speech at once, here and at the service, and return the confirmation."""
        core, connection = self._ready()
        frame = self._cut_frame(core, played_ms)
        pending = self._cuts.last
        if pending is None:  # nothing is said until the service has confirmed, so one is enough
            connection.put(frame)
        self._speech.is_muted = True
        self._speech.discard(_is_speech)
        self._was_cut.set()
        self._was_cut = asyncio.Event()
        utterance = self._utterance
        if utterance is not None and not utterance.has_ended:
            if utterance.task is not None:
                utterance.task.cancel()
            self._end_utterance(utterance)
        if utterance is not None:
            utterance.is_over = True
        return self._cuts.expect() if pending is None else pending

    async def _confirmed_cut(self, future: asyncio.Future[D | None]) -> D | None:
        try:
            return await self._confirmed(future)
        except OperationTimeoutError:
            # Nobody can tell old audio from new any more.
            if self._connection is not None:
                self._connection.give_up("the service did not confirm that speech was dropped")
            raise

    def _settle_cut(self, answer: D | None) -> None:
        """Let audio through again when the service has dropped all that it was asked to."""
        self._cuts.settle(answer)
        if not self._cuts:
            self._speech.is_muted = False

    def _settle_flush(self, answer: F | None) -> None:
        future = self._flushes.settle(answer)
        utterance = self._utterance
        if utterance is not None and future is not None and utterance.last_flush is future:
            self._end_utterance(utterance)

    # One text.

    async def _pump(self, utterance: Utterance, source: TextSource) -> None:
        comes_audio = False
        try:
            comes_audio = await self._say(utterance, source)
        except Exception as error:  # the source is the caller's: its error is the caller's to see
            utterance.error = error
        if not comes_audio or (utterance.last_flush is not None and utterance.last_flush.done()):
            self._end_utterance(utterance)

    def _end_utterance(self, utterance: Utterance) -> None:
        if not utterance.has_ended:
            utterance.has_ended = True
            self._speech.put(_End(utterance))

    async def _next_audio(self, utterance: Utterance) -> bytes | None:
        while True:
            try:
                event: object = await super().__anext__()
            except StopAsyncIteration:
                return None
            if isinstance(event, bytes):
                return event
            if isinstance(event, _End) and event.utterance is utterance:
                if utterance.error is not None and utterance.error is self._error:
                    self._error_was_raised = True
                return None


def _is_speech(event: object) -> bool:
    return isinstance(event, bytes | _End)
